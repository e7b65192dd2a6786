/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The answer on its way to the client: interim heads, the head, the body, trailers. While the
 * client is full nothing more is read from the link.
 */
#include "backends/link.h"
#include "lb/answer_body.h"
#include "lb/answer_fields.h"
#include "lb/attempt.h"
#include "lb/exchange.h"
#include "lb/relay_steps.h"

/* --- the answer's head --------------------------------------------------------------------- */

static bool is_interim(const struct http_answer *head)
{
    return head->status < 200 && !head->is_upgrade;
}

static struct stream_head stream_head_of(const struct http_answer *head, enum http_method asked)
{
    bool bodiless = head->framing == HTTP_NO_BODY;
    return (struct stream_head){
        .status = head->status,
        .reason = head->reason,
        .fields = head->fields,
        .field_count = head->field_count,
        .framing = head->framing,
        .length = head->length,
        .has_length = head->has_length,
        .has_body = !bodiless && asked != HTTP_HEAD,
        .is_tunnel = head->is_upgrade,
        .interim = is_interim(head),
    };
}

static enum relay written(enum stream_write write)
{
    return write == STREAM_LOST ? RELAY_CLIENT_LOST : RELAY_WAITING;
}

static enum relay take_interim(struct exchange *x, const struct http_answer *head)
{
    if (++x->interim_count > INTERIM_ANSWERS_MOST) {
        return relay_link_lost(x, "the backend sent a flood of 1xx answers");
    }
    struct stream_head told = stream_head_of(head, x->method);
    return written(x->stream->ops->write_head(x->stream, &told, (struct slice){NULL, 0}, false));
}

static void begin_tunnel(struct exchange *x)
{
    x->state = EXCHANGE_TUNNEL;
    x->answer_framing = HTTP_UNTIL_CLOSE;
    x->answer_side = ANSWER_BODY;
    x->request_side = REQUEST_BODY;
    x->request_framing = HTTP_UNTIL_CLOSE;
}

static enum relay write_final(struct exchange *x, struct stream_head *told,
                              struct answer_fields *fields, struct slice data, bool last)
{
    bool trailed = last && x->chunks.trailer_length > 0;
    told->extra = fields->lines;
    enum stream_write write = x->stream->ops->write_head(x->stream, told, data, last && !trailed);
    answer_fields_done(x, fields);
    if (trailed && write != STREAM_LOST) {
        write = answer_body_end_with_trailers(x, (struct slice){NULL, 0});
    }
    enum relay relay = written(write);
    if (relay == RELAY_WAITING && last) {
        x->answer_side = ANSWER_COMPLETE;
        return RELAY_COMPLETE;
    }
    return relay;
}

/** The final head, with the first bytes of the body in the same write. */
static enum relay take_final(struct exchange *x, const struct http_answer *head)
{
    struct stream_head told = stream_head_of(head, x->method);
    struct slice data = {NULL, 0};
    struct answer_fields fields;
    bool last = false;
    if (head->is_upgrade && !x->wants_upgrade) {
        return relay_link_lost(x, "the backend switched protocols without being asked");
    }
    if (head->is_upgrade && x->request_side != REQUEST_SENT) {
        return relay_link_lost(x, "the backend switched protocols before the request was complete");
    }
    x->answer_framing = head->framing;
    x->answer_left = head->length;
    /* Before the answer counts as one: a body that is wrong from its start is a 502 yet. */
    if (!head->is_upgrade && !answer_body_take(x, &data, &last)) {
        return relay_link_lost(x, "the backend's body is not chunked as it says");
    }
    if (!answer_fields_make(x, &fields)) {
        return relay_link_lost(x, "out of memory for the fields of the answer");
    }
    x->status = head->status;
    x->trouble = NULL; /* of an earlier attempt */
    x->reusable = head->keep_alive;
    x->answer_side = ANSWER_BODY;
    attempt_answered(x);
    if (last || head->is_upgrade) { /* what becomes of a tunnel says nothing of the backend */
        attempt_completed(x);
    }
    if (head->is_upgrade) {
        begin_tunnel(x);
        data = x->input;
        x->input.length = 0;
    }
    return write_final(x, &told, &fields, data, last);
}

/** An unfinished head moves from the worker's array into a buffer of the exchange's own. */
static enum relay keep_head(struct exchange *x)
{
    if (x->kept || x->input.length == 0) {
        return RELAY_WAITING;
    }
    if (!buffer_append(&x->all->context->buffers, &x->kept, x->input.at, x->input.length,
                       ANSWER_HEAD_BYTES + READ_BYTES)) {
        return relay_link_lost(x, "out of memory for the backend's head");
    }
    return RELAY_WAITING;
}

static enum relay take_heads(struct exchange *x)
{
    struct http_answer *head = &x->all->head;
    while (x->answer_side == ANSWER_AWAITED && x->input.length > 0) {
        enum http_fault fault = HTTP_FINE;
        switch (http_parse_answer(head, x->input.at, x->input.length, ANSWER_HEAD_BYTES, x->method,
                                  &fault)) {
        case HTTP_PARTIAL:
            return keep_head(x);
        case HTTP_INVALID:
            return relay_link_lost(x, fault == HTTP_HEAD_TOO_LARGE
                                          ? "the backend's head is too large"
                                          : http_fault_text(fault));
        case HTTP_COMPLETE:
            break;
        }
        x->input.at += head->bytes;
        x->input.length -= head->bytes;
        head->field_count = answer_fields_strip(x->rule, head->fields, head->field_count);
        enum relay relay = is_interim(head) ? take_interim(x, head) : take_final(x, head);
        if (x->kept) {
            x->kept->start = x->kept->end - x->input.length;
        }
        if (relay != RELAY_WAITING) {
            return relay;
        }
    }
    return RELAY_WAITING;
}

/* --- the answer's body --------------------------------------------------------------------- */

static enum relay take_body(struct exchange *x)
{
    struct slice data = {NULL, 0};
    bool last = false;
    if (!answer_body_take(x, &data, &last)) {
        return relay_link_lost(x, "the backend's body is not chunked as it says");
    }
    if (last) {
        attempt_completed(x);
    }
    enum relay relay = written(last && x->chunks.trailer_length > 0
                                   ? answer_body_end_with_trailers(x, data)
                                   : x->stream->ops->write_body(x->stream, data, last));
    if (relay == RELAY_WAITING && last) {
        x->answer_side = ANSWER_COMPLETE;
        return RELAY_COMPLETE;
    }
    return relay;
}

static enum relay take_answer(struct exchange *x)
{
    return x->answer_side == ANSWER_AWAITED ? take_heads(x) : take_body(x);
}

/** The backend finished its direction. */
static enum relay answer_ended(struct exchange *x)
{
    if (x->answer_side == ANSWER_AWAITED) {
        return relay_link_lost(x, x->heard ? "the backend closed within its head"
                                           : link_silence(x->link));
    }
    if (x->answer_framing != HTTP_UNTIL_CLOSE || x->link->connection.truncated) {
        return relay_link_lost(x, "the backend closed within its body");
    }
    attempt_completed(x);
    x->answer_side = ANSWER_COMPLETE;
    enum relay relay =
        written(x->stream->ops->write_body(x->stream, (struct slice){NULL, 0}, true));
    return relay == RELAY_WAITING ? RELAY_COMPLETE : relay;
}

enum relay relay_answer(struct exchange *x)
{
    while (!x->stream->ops->is_full(x->stream)) {
        switch (relay_fill(x)) {
        case IO_DONE:
            break;
        case IO_AGAIN:
            return RELAY_WAITING;
        case IO_END:
            return answer_ended(x);
        case IO_FAILED:
            return relay_link_lost(x, link_failure(x->link));
        }
        enum relay relay = take_answer(x);
        if (relay != RELAY_WAITING || x->state == EXCHANGE_TUNNEL) {
            return relay;
        }
    }
    return RELAY_WAITING;
}
