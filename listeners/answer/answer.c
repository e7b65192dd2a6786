/* SPDX-License-Identifier: Apache-2.0 */
/* lb's own answers, composed on the stack. */
#include "listeners/answer/answer.h"

#include <stdio.h>
#include <string.h>

#include "lb/base/draft.h"
#include "lb/base/limits.h"
#include "listeners/answer/answer_forms.h"
#include "listeners/answer/answer_grpc.h"

/* Of every answer that may look otherwise for another client. */
static const char common_fields[] = "Cache-Control: no-store\r\n"
                                    "Vary: Accept\r\n"
                                    "X-Content-Type-Options: nosniff\r\n";

static const char text_fields[] = "Content-Type: text/plain; charset=utf-8\r\n";
static const char reason_field[] = "X-LB-Reason";

static void put_reason(struct draft *draft, const char *reason)
{
    if (reason)
        draft_field(draft, slice_of(reason_field), slice_of(reason));
}

/* false: it does not fit. */
static bool compose(struct answer_text *answer, enum answer_form form,
                    const struct answer_words *words)
{
    struct draft fields = draft_in(answer->fields, sizeof answer->fields);
    struct draft body = draft_in(answer->body, sizeof answer->body);
    if (form == ANSWER_GRPC) {
        answer_grpc_write(words, &fields);
    } else {
        draft_text(&fields, answer_forms_fields(form));
        draft_text(&fields, common_fields);
    }
    put_reason(&fields, words->reason);
    answer_forms_write(form, words, &body);
    answer->status = form == ANSWER_GRPC ? 200 : words->status;
    answer->fields_length = fields.fits ? fields.used : 0; /* reasons are short words */
    answer->body_length = body.used;
    return fields.fits && body.fits;
}

void answer_compose(struct answer_text *answer, enum answer_form form,
                    const struct answer_words *words)
{
    if (!compose(answer, form, words) && form != ANSWER_TEXT)
        compose(answer, ANSWER_TEXT, words);
}

/* Head and body in one write. A status that never has a body is told without a length. */
static enum stream_write write_whole(struct stream *stream, unsigned status, struct slice fields,
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

static enum stream_write write_composed(struct stream *stream, enum answer_form form,
                                        const struct answer_words *words)
{
    struct answer_text answer;
    answer_compose(&answer, form, words);
    /* Who sends what two parsers could read differently is not listened to any more: what follows
     * may be no request. */
    bool is_final = words->status == 400 || words->status == 501;
    return write_whole(stream, answer.status, (struct slice){answer.fields, answer.fields_length},
                       (struct slice){answer.body, answer.body_length}, is_final);
}

enum stream_write answer_write_words(struct stream *stream, enum answer_form form,
                                     const struct answer_words *words)
{
    struct answer_words all = *words;
    answer_forms_complete(&all);
    return write_composed(stream, form, &all);
}

enum stream_write answer_write(struct stream *stream, unsigned status, const char *reason,
                               const char *sentence)
{
    const struct answer_words words = {.status = status, .reason = reason, .sentence = sentence};
    return write_composed(stream, ANSWER_TEXT, &words);
}

enum stream_write answer_write_page(struct stream *stream, unsigned status, const char *reason,
                                    struct slice html)
{
    char fields[ANSWER_FIELDS_BYTES];
    struct draft draft = draft_in(fields, sizeof fields);
    draft_text(&draft, "Content-Type: text/html; charset=utf-8\r\n");
    draft_text(&draft, common_fields);
    put_reason(&draft, reason);
    return write_whole(stream, status, (struct slice){fields, draft.used}, html, false);
}

static enum stream_write write_location(struct stream *stream, unsigned status, const char *reason,
                                        struct slice location)
{
    char fields[LOCATION_BYTES + 256], body[64];
    struct draft draft = draft_in(fields, sizeof fields);
    draft_text(&draft, text_fields);
    if (reason)
        draft_text(&draft, "Cache-Control: no-store\r\n");
    put_reason(&draft, reason);
    draft_field(&draft, slice_of("Location"), location);
    if (!draft.fits)
        return STREAM_LOST;
    int length = snprintf(body, sizeof body, "%u %s\n", status, http_status_text(status));
    return write_whole(stream, status, (struct slice){fields, draft.used},
                       (struct slice){body, (size_t)length}, false);
}

enum stream_write answer_write_redirect(struct stream *stream, unsigned status,
                                        struct slice location)
{
    return write_location(stream, status, NULL, location);
}

enum stream_write answer_write_sent_away(struct stream *stream, unsigned status, const char *reason,
                                         struct slice location)
{
    return write_location(stream, status, reason, location);
}

enum stream_write answer_write_respond(struct stream *stream, unsigned status, const char *sentence)
{
    static const char fields[] = "Content-Type: text/plain; charset=utf-8\r\n"
                                 "Cache-Control: no-store\r\n";
    char body[ANSWER_BODY_BYTES];
    if (status == 204)
        return write_whole(stream, status, slice_of("Cache-Control: no-store\r\n"),
                           (struct slice){NULL, 0}, false);
    struct draft draft = draft_in(body, sizeof body);
    if (sentence) {
        draft_text(&draft, sentence); /* no longer than a line of the INI file */
        draft_text(&draft, "\n");
    } else {
        const struct answer_words words = {.status = status};
        answer_forms_write(ANSWER_TEXT, &words, &draft);
    }
    return write_whole(stream, status, slice_of(fields), (struct slice){body, draft.used}, false);
}
