/* SPDX-License-Identifier: Apache-2.0 */
/* lb's own answers, composed on the stack. */
#include "listeners/answer.h"

#include <stdio.h>
#include <string.h>

#include "lb/base/draft.h"
#include "lb/base/limits.h"

void answer_compose(struct answer_text *answer, unsigned status, const char *reason,
                    const char *sentence)
{
    int length = snprintf(answer->body, sizeof answer->body, "%u %s%s%s\n%s%s", status,
                          http_status_text(status), reason ? ": " : "", reason ? reason : "",
                          sentence ? sentence : "", sentence ? "\n" : "");
    answer->body_length =
        (size_t)length < sizeof answer->body ? (size_t)length : sizeof answer->body - 1;
    length = snprintf(answer->fields, sizeof answer->fields,
                      "Content-Type: text/plain; charset=utf-8\r\n"
                      "Cache-Control: no-store\r\n%s%s%s",
                      reason ? "X-LB-Reason: " : "", reason ? reason : "", reason ? "\r\n" : "");
    answer->fields_length =
        (size_t)length < sizeof answer->fields ? (size_t)length : 0; /* reasons are short words */
}

/* Head and body in one write. A status that never has a body is told without a length. */
static enum stream_write write_text(struct stream *stream, unsigned status, struct slice fields,
                                    struct slice body, bool is_final)
{
    const struct stream_head head = {
        .status = status,
        .reason = slice_of(http_status_text(status)),
        .extra = fields,
        .framing = status == 204 ? HTTP_NO_BODY : HTTP_LENGTH,
        .length = body.length,
        .has_length = status != 204,
        .has_body = status != 204,
        .is_final = is_final,
    };
    return stream->ops->write_head(stream, &head, body, true);
}

enum stream_write answer_write(struct stream *stream, unsigned status, const char *reason,
                               const char *sentence)
{
    struct answer_text answer;
    answer_compose(&answer, status, reason, sentence);
    /* Who sends what two parsers could read differently is not listened to any more: what follows
     * may be no request. */
    bool is_final = status == 400 || status == 501;
    return write_text(stream, status, (struct slice){answer.fields, answer.fields_length},
                      (struct slice){answer.body, answer.body_length}, is_final);
}

enum stream_write answer_write_redirect(struct stream *stream, unsigned status,
                                        struct slice location)
{
    char fields[LOCATION_BYTES + 128], body[64];
    struct draft draft = draft_in(fields, sizeof fields);
    draft_text(&draft, "Content-Type: text/plain; charset=utf-8\r\n");
    draft_field(&draft, slice_of("Location"), location);
    if (!draft.fits)
        return STREAM_LOST;
    int length = snprintf(body, sizeof body, "%u %s\n", status, http_status_text(status));
    return write_text(stream, status, (struct slice){fields, draft.used},
                      (struct slice){body, (size_t)length}, false);
}

enum stream_write answer_write_respond(struct stream *stream, unsigned status, const char *sentence)
{
    struct answer_text answer;
    if (status == 204)
        return write_text(stream, status, slice_of("Cache-Control: no-store\r\n"),
                          (struct slice){NULL, 0}, false);
    answer_compose(&answer, status, NULL, NULL);
    if (sentence) {
        int length = snprintf(answer.body, sizeof answer.body, "%s\n", sentence);
        answer.body_length =
            (size_t)length < sizeof answer.body ? (size_t)length : sizeof answer.body - 1;
    }
    return write_text(stream, status, (struct slice){answer.fields, answer.fields_length},
                      (struct slice){answer.body, answer.body_length}, false);
}
