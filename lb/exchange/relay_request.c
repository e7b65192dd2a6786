/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The request on its way to the backend. While that is full nothing more is read from the client,
 * so that an exchange holds at most one read's worth of bytes however slow a backend is.
 */
#include "backends/pool.h"
#include "lb/exchange/exchange.h"
#include "lb/exchange/forwarded.h"
#include "lb/exchange/relay_steps.h"

/* The client's trailers, less those that only lb may set. returns: how many */
static unsigned passed_on(const struct exchange *x, const struct http_field *fields, unsigned count,
                          struct http_field into[HEAD_FIELDS_MOST])
{
    unsigned left = 0;
    for (unsigned i = 0; i < count; i++) {
        if (!fields[i].hop_by_hop && !forwarded_strips(x->rule, &fields[i])) {
            into[left++] = fields[i];
        }
    }
    return left;
}

static enum relay send_end(struct exchange *x)
{
    struct http_field trailers[HEAD_FIELDS_MOST];
    unsigned count = 0;
    x->request_side = REQUEST_SENT;
    if (x->request_framing == HTTP_CHUNKED) {
        const struct http_field *fields = NULL;
        count = x->stream->ops->trailers(x->stream, &fields);
        count = passed_on(x, fields, count, trailers);
    }
    relay_sent(x, x->errand.ops->write_end(&x->errand, trailers, count));
    return x->request_side == REQUEST_STUCK ? RELAY_WAITING : RELAY_COMPLETE;
}

static enum relay read_failed(enum stream_read read)
{
    return read == STREAM_BAD ? RELAY_CLIENT_BAD : RELAY_CLIENT_LOST;
}

/* HTTP/2 has backends turn away requests that have begun (GOAWAY, REFUSED_STREAM), of gRPC with
 * their bodies: what is small goes again. The beginning of what is large would be of no use. */
static void keep(struct exchange *x, struct slice data)
{
    struct buffer_pool *buffers = &x->all->context->buffers;
    size_t kept = buffer_length(x->request_body);
    if (!pool_speaks_h2(x->pool) || kept + data.length != x->stream->request_body_bytes) {
        return;
    }
    if (x->answer_side != ANSWER_AWAITED ||
        !buffer_append(buffers, &x->request_body, data.at, data.length, RESENT_BODY_BYTES)) {
        buffer_give(buffers, &x->request_body);
    }
}

/* The first bytes of the body: what was kept of an earlier attempt, or what is there. false: the
 * body is at fault, *read says how. */
static bool first_bytes(struct exchange *x, struct slice *data, enum stream_read *read)
{
    const struct buffer *kept = x->request_body;
    if (buffer_length(kept) > 0) {
        *data = (struct slice){kept->data + kept->start, buffer_length(kept)};
        return true;
    }
    *read = relay_read(x, data);
    if (*read == STREAM_BAD || *read == STREAM_GONE) {
        return false;
    }
    if (*read == STREAM_DATA) {
        keep(x, *data);
    } else {
        data->length = 0;
    }
    return true;
}

enum relay relay_head(struct exchange *x)
{
    struct slice data = {NULL, 0};
    struct errand *errand = &x->errand;
    const struct buffer *kept = x->request_head;
    const struct slice head = {kept->data + kept->start, buffer_length(kept)};
    if (x->request_framing == HTTP_NO_BODY) {
        x->request_side = REQUEST_SENT;
    } else {
        x->request_side = REQUEST_BODY;
        enum stream_read read;
        if (!first_bytes(x, &data, &read)) {
            return read_failed(read);
        }
    }
    relay_sent(x, errand->ops->write_head(errand, head, x->request_framing, data));
    return RELAY_WAITING;
}

enum relay relay_request(struct exchange *x)
{
    while (x->request_side == REQUEST_BODY) {
        struct slice data;
        if (x->errand.ops->pending(&x->errand) > 0) {
            return RELAY_WAITING;
        }
        enum stream_read read = relay_read(x, &data);
        switch (read) {
        case STREAM_DATA:
            keep(x, data);
            relay_sent(x, x->errand.ops->write_body(&x->errand, data));
            break;
        case STREAM_AGAIN:
            return RELAY_WAITING;
        case STREAM_END:
            return send_end(x);
        case STREAM_BAD:
        case STREAM_GONE:
            return read_failed(read);
        }
    }
    return x->request_side == REQUEST_SENT ? RELAY_COMPLETE : RELAY_WAITING;
}
