/* SPDX-License-Identifier: Apache-2.0 */
/* After 101: bytes both ways, each direction until its sender finishes. */
#include "lb/exchange/exchange.h"
#include "lb/exchange/relay_steps.h"

static enum relay tunnel_in(struct exchange *x)
{
    while (x->request_side == REQUEST_BODY && x->errand.ops->pending(&x->errand) == 0) {
        struct slice data;
        switch (relay_read(x, &data)) {
        case STREAM_DATA:
            relay_sent(x, x->errand.ops->write_body(&x->errand, data));
            break;
        case STREAM_AGAIN:
            return RELAY_WAITING;
        case STREAM_END:
            x->request_side = REQUEST_SENT;
            x->errand.ops->finish(&x->errand);
            break;
        case STREAM_BAD:
        case STREAM_GONE:
            return RELAY_CLIENT_LOST;
        }
    }
    return x->request_side == REQUEST_STUCK ? relay_link_lost(x, "the backend left the tunnel")
                                            : RELAY_WAITING;
}

static enum relay tunnel_out(struct exchange *x)
{
    struct stream *stream = x->stream;
    while (x->answer_side == ANSWER_BODY && !stream->ops->is_full(stream)) {
        struct errand_news news;
        switch (relay_news(x, &news)) {
        case ERRAND_NEWS:
            break;
        case ERRAND_AGAIN:
            return RELAY_WAITING;
        case ERRAND_FAILED:
            return relay_link_lost(x, x->errand.trouble);
        }
        if (news.data.length > 0 &&
            stream->ops->write_body(stream, news.data, false) == STREAM_LOST) {
            return RELAY_CLIENT_LOST;
        }
        if (news.last) {
            x->answer_side = ANSWER_COMPLETE;
            x->errand.moved = true; /* the client has another time from now on */
            stream->ops->finish(stream);
        }
    }
    return RELAY_WAITING;
}

enum relay relay_tunnel(struct exchange *x)
{
    enum relay relay = tunnel_in(x);
    if (relay == RELAY_WAITING) {
        relay = tunnel_out(x);
    }
    bool over = x->answer_side == ANSWER_COMPLETE && x->request_side == REQUEST_SENT;
    return relay == RELAY_WAITING && over ? RELAY_COMPLETE : relay;
}
