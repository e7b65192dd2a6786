/* SPDX-License-Identifier: Apache-2.0 */
/* Every exchange ends here, however it went: logged once, its link judged, its memory given back.
 */
#include "lb/exchange/exchange_end.h"

#include <stdlib.h>

#include "lb/exchange/exchange.h"
#include "lb/exchange/own_answer.h"
#include "lb/exchange/request_end.h"
#include "listeners/traffic.h"

static void leave_backend(struct exchange *x)
{
    queue_leave(&x->waiter);
    if (x->backend) {
        errand_end(&x->errand,
                   x->answer_side == ANSWER_COMPLETE && x->request_side == REQUEST_SENT);
        pool_leave(x->pool, x->backend->index);
    }
}

static void tell(const struct exchange *x)
{
    const struct access_entry entry = {
        .client = x->stream->client,
        .protocol = x->stream->protocol,
        .facts = &x->facts,
        .rule = x->rule,
        .access = x->access,
        .pool = x->pool,
        .backend = x->backend,
        .status = x->status,
        .grpc = &x->grpc,
        .answer_bytes = x->stream->answer_bytes,
        .request_bytes = x->stream->request_body_bytes,
        .duration_ms = uv_now(x->all->context->loop) - x->began_ms,
        .attempts = x->attempts,
        .reason = x->trouble,
    };
    request_end(x->all->access_log, &entry);
}

void exchange_over(struct exchange *x)
{
    struct exchanges *all = x->all;
    x->state = EXCHANGE_OVER;
    deadline_disarm(&x->deadline);
    tell(x);
    leave_backend(x);
    buffer_give(&all->context->buffers, &x->request_head);
    buffer_give(&all->context->buffers, &x->request_body);
    x->stream->exchange = NULL;
    all->count--;
    hold_give(&x->edition->hold);
    free(x);
}

void exchange_end(struct exchange *x, bool clean)
{
    struct stream *stream = x->stream;
    exchange_over(x);
    stream->ops->end(stream, clean);
}

/* --- unfinished answers -------------------------------------------------------------------- */

/* gRPC's numbers ("Status codes and their use in gRPC"): who waits for a call that hangs is told
 * what it is told when its own time is over, and one that was lost may be tried again. */
enum { GRPC_DEADLINE_EXCEEDED = 4, GRPC_UNAVAILABLE = 14 };

#define GRPC_FIELD(key, text)                                                                      \
    {                                                                                              \
        .name = SLICE(key), .value = SLICE(text)                                                   \
    }

/* What a client of gRPC waits for is its status: with that the answer has an end, as a reset has
 * not. A message that is cut before it is an error to every client. HTTP/1 has no streams of gRPC:
 * there a chunked body that ends well would look whole. false: it cannot be told. */
static bool tell_grpc(struct exchange *x, bool is_late)
{
    static const struct http_field late[] = {
        GRPC_FIELD("grpc-status", "4"),
        GRPC_FIELD("grpc-message", "504 backend-late: The backend kept silent for too long.")};
    static const struct http_field lost[] = {
        GRPC_FIELD("grpc-status", "14"),
        GRPC_FIELD("grpc-message", "502 backend-failed: The backend did not finish its answer.")};
    bool is_open = x->grpc.is_open_ended && x->answer_side == ANSWER_BODY;
    if (!is_open || traffic_version_of(x->stream->protocol) != TRAFFIC_HTTP_2)
        return false;
    grpc_outcome_tell(&x->grpc, is_late ? GRPC_DEADLINE_EXCEEDED : GRPC_UNAVAILABLE);
    return x->stream->ops->write_trailers(x->stream, is_late ? late : lost, 2) != STREAM_LOST;
}

void exchange_cut(struct exchange *x, bool is_late)
{
    x->stream->is_given_up = is_late;
    exchange_end(x, tell_grpc(x, is_late));
}

void exchange_end_with(struct exchange *x, unsigned status, const char *reason,
                       const char *sentence)
{
    x->status = status;
    bool taken = own_answer_instead(x, status, reason, sentence) != STREAM_LOST;
    exchange_end(x, taken);
}
