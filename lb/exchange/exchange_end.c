/* SPDX-License-Identifier: Apache-2.0 */
/* Every exchange ends here, however it went: logged once, its link judged, its memory given back.
 */
#include "lb/exchange/exchange_end.h"

#include <stdlib.h>

#include "lb/exchange/exchange.h"
#include "lb/exchange/own_answer.h"
#include "lb/exchange/request_end.h"

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

void exchange_end_with(struct exchange *x, unsigned status, const char *reason,
                       const char *sentence)
{
    x->status = status;
    bool taken = own_answer_instead(x, status, reason, sentence) != STREAM_LOST;
    exchange_end(x, taken);
}
