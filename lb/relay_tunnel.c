/* SPDX-License-Identifier: Apache-2.0 */
/* After 101: bytes both ways, each direction until its sender finishes. */
#include "backends/link.h"
#include "lb/exchange.h"
#include "lb/relay_steps.h"

static enum relay tunnel_in(struct exchange *x)
{
    while (x->request_side == REQUEST_BODY && connection_pending(&x->link->connection) == 0) {
        struct slice data;
        struct iovec whole;
        switch (relay_read(x, &data)) {
        case STREAM_DATA:
            whole = relay_piece(data);
            relay_send(x, &whole, 1);
            break;
        case STREAM_AGAIN:
            return RELAY_WAITING;
        case STREAM_END:
            x->request_side = REQUEST_SENT;
            connection_finish(&x->link->connection);
            break;
        case STREAM_BAD:
        case STREAM_GONE:
            return RELAY_CLIENT_LOST;
        }
    }
    return x->request_side == REQUEST_STUCK ? relay_link_lost(x, "the backend left the tunnel")
                                            : RELAY_WAITING;
}

/** With TLS an end that nobody vouched for must not look like one; whoever was told goodbye before
 * may leave without a word. */
static bool was_cut(const struct exchange *x)
{
    return x->link->connection.truncated && x->request_side != REQUEST_SENT;
}

static enum relay tunnel_out(struct exchange *x)
{
    while (x->answer_side == ANSWER_BODY && !x->stream->ops->is_full(x->stream)) {
        enum stream_write write = STREAM_TAKEN;
        switch (relay_fill(x)) {
        case IO_DONE:
            write = x->stream->ops->write_body(x->stream, x->input, false);
            x->input.length = 0;
            break;
        case IO_AGAIN:
            return RELAY_WAITING;
        case IO_END:
            if (was_cut(x)) {
                return relay_link_lost(x, "the backend left the tunnel without close_notify");
            }
            x->answer_side = ANSWER_COMPLETE;
            x->stream->ops->finish(x->stream);
            break;
        case IO_FAILED:
            return relay_link_lost(x, link_failure(x->link));
        }
        if (write == STREAM_LOST) {
            return RELAY_CLIENT_LOST;
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
