/* SPDX-License-Identifier: Apache-2.0 */
/* lb's own answers, composed on the stack. */
#include "listeners/answer.h"

#include <stdio.h>
#include <string.h>

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

enum stream_write answer_write(struct stream *stream, unsigned status, const char *reason,
                               const char *sentence)
{
    struct answer_text answer;
    answer_compose(&answer, status, reason, sentence);
    const struct stream_head head = {
        .status = status,
        .reason = slice_of(http_status_text(status)),
        .extra = {answer.fields, answer.fields_length},
        .framing = HTTP_LENGTH,
        .length = answer.body_length,
        .has_length = true,
        .has_body = true,
        /* Who sends what two parsers could read differently is not listened to any more. */
        .is_final = status == 400 || status == 501, /* what follows may be no request */
    };
    return stream->ops->write_head(stream, &head, (struct slice){answer.body, answer.body_length},
                                   true);
}
