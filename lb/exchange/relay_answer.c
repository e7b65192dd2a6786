/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The answer on its way to the client: interim heads, the head, the body, trailers. While the
 * client is full nothing more is read from the link.
 */
#include "backends/pool.h"
#include "lb/exchange/answer_fields.h"
#include "lb/exchange/attempt.h"
#include "lb/exchange/exchange.h"
#include "lb/exchange/relay_steps.h"

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
    x->answer_side = ANSWER_BODY;
    x->request_side = REQUEST_BODY;
    x->request_framing = HTTP_UNTIL_CLOSE;
}

/** The end of a body whose backend sent trailers, less hop-by-hop ones. */
static enum stream_write end_with_trailers(struct exchange *x, struct slice data)
{
    struct http_field fields[HEAD_FIELDS_MOST];
    const struct stream_ops *ops = x->stream->ops;
    unsigned count = x->errand.ops->trailers(&x->errand, fields, HEAD_FIELDS_MOST);
    count = answer_fields_strip(x->rule, fields, count);
    grpc_outcome_read(&x->grpc, fields, count);
    if (data.length > 0 && ops->write_body(x->stream, data, false) == STREAM_LOST) {
        return STREAM_LOST;
    }
    return ops->write_trailers(x->stream, fields, count);
}

static enum relay completed(struct exchange *x, enum stream_write write, bool last)
{
    enum relay relay = written(write);
    if (relay == RELAY_WAITING && last) {
        x->answer_side = ANSWER_COMPLETE;
        return RELAY_COMPLETE;
    }
    return relay;
}

static enum relay write_final(struct exchange *x, struct stream_head *told,
                              struct answer_fields *fields, const struct errand_news *news)
{
    const struct stream_ops *ops = x->stream->ops;
    told->extra = fields->lines;
    enum stream_write write =
        ops->write_head(x->stream, told, news->data, news->last && !news->trailed);
    answer_fields_done(x, fields);
    if (news->trailed && write != STREAM_LOST) {
        write = end_with_trailers(x, (struct slice){NULL, 0});
    }
    return completed(x, write, news->last);
}

/** Why it cannot be an answer to what was asked; NULL: it can. */
static const char *objection_to(struct exchange *x, const struct http_answer *head)
{
    if (head->is_upgrade && !x->wants_upgrade) {
        return "the backend switched protocols without being asked";
    }
    if (head->is_upgrade && x->request_side != REQUEST_SENT) {
        return "the backend switched protocols before the request was complete";
    }
    const char *objection = x->stream->ops->object ? x->stream->ops->object(x->stream, head) : NULL;
    x->client_objects = objection != NULL;
    return objection;
}

/** gRPC calls by POST, over HTTP/2: no other answer is looked through. */
static bool may_be_grpc(const struct exchange *x)
{
    return x->method == HTTP_POST && pool_speaks_h2(x->pool);
}

/** The final head, with the first bytes of the body in the same write. */
static enum relay take_final(struct exchange *x, const struct errand_news *news)
{
    const struct http_answer *head = news->head;
    struct stream_head told = stream_head_of(head, x->method);
    struct answer_fields fields;
    const char *objection = objection_to(x, head);
    if (objection) {
        return relay_link_lost(x, objection);
    }
    if (!answer_fields_make(x, &fields)) {
        x->errand.is_blameless = true;
        return relay_link_lost(x, "out of memory for the fields of the answer");
    }
    x->status = head->status;
    x->trouble = NULL; /* of an earlier attempt */
    x->answer_side = ANSWER_BODY;
    attempt_answered(x);
    if (may_be_grpc(x)) {
        grpc_outcome_begin(&x->grpc, head);
    }
    if (news->last || head->is_upgrade) { /* what becomes of a tunnel says nothing of the backend */
        attempt_completed(x);
    }
    if (head->is_upgrade) {
        begin_tunnel(x);
    }
    return write_final(x, &told, &fields, news);
}

static enum relay take_body(struct exchange *x, const struct errand_news *news)
{
    struct stream *stream = x->stream;
    if (news->last) {
        attempt_completed(x);
    }
    return completed(x,
                     news->trailed ? end_with_trailers(x, news->data)
                                   : stream->ops->write_body(stream, news->data, news->last),
                     news->last);
}

static enum relay take_answer(struct exchange *x, const struct errand_news *news)
{
    struct http_answer *head = news->head;
    if (!head) {
        return take_body(x, news);
    }
    head->field_count = answer_fields_strip(x->rule, head->fields, head->field_count);
    return is_interim(head) ? take_interim(x, head) : take_final(x, news);
}

enum relay relay_answer(struct exchange *x)
{
    struct errand_news news = {.more = false};
    while (news.more || !x->stream->ops->is_full(x->stream)) {
        switch (relay_news(x, &news)) {
        case ERRAND_NEWS:
            break;
        case ERRAND_AGAIN:
            return RELAY_WAITING;
        case ERRAND_FAILED:
            return relay_link_lost(x, x->errand.trouble);
        }
        enum relay relay = take_answer(x, &news);
        if (relay != RELAY_WAITING || x->state == EXCHANGE_TUNNEL) {
            return relay;
        }
    }
    return RELAY_WAITING;
}
