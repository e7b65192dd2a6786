/* SPDX-License-Identifier: Apache-2.0 */
/* Every exchange ends here, however it went: logged once, its link judged, its memory given back.
 */
#include "lb/exchange/exchange_end.h"

#include <stdlib.h>

#include "lb/exchange/exchange.h"
#include "lb/exchange/own_answer.h"
#include "lb/exchange/request_end.h"
#include "listeners/answer/answer_grpc.h"

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

/* What lb would have answered, had the answer not begun. gRPC's status for both is UNAVAILABLE: the
 * call may be tried again. DEADLINE_EXCEEDED would say that the client's own time is over. */
static struct answer_words words_of(enum exchange_cut cut)
{
    switch (cut) {
    case EXCHANGE_BROKEN:
        break;
    case EXCHANGE_LATE:
        return (struct answer_words){.status = 504,
                                     .reason = "backend-late",
                                     .sentence = "The backend kept silent for too long."};
    case EXCHANGE_SILENT:
        return (struct answer_words){.status = 504,
                                     .reason = "stream-silent",
                                     .sentence = "The stream was silent for tunnel_timeout."};
    }
    return (struct answer_words){.status = 502,
                                 .reason = "backend-failed",
                                 .sentence = "The backend did not finish its answer."};
}

/* What a client of gRPC waits for is its status: with that the answer has an end, as a reset has
 * not. A message that is cut before it is an error to every client. false: it cannot be told. */
static bool tell_grpc(struct exchange *x, enum exchange_cut cut)
{
    const struct stream_ops *ops = x->stream->ops;
    bool is_open = x->grpc.is_open_ended && x->answer_side == ANSWER_BODY;
    if (!is_open || !ops->trailers_can_say_why)
        return false;
    const struct answer_words words = words_of(cut);
    char number[4], text[ANSWER_GRPC_MESSAGE_BYTES];
    struct draft status = draft_in(number, sizeof number);
    struct draft message = draft_in(text, sizeof text);
    grpc_outcome_tell(&x->grpc, answer_grpc_status(words.status));
    draft_number(&status, x->grpc.status, 1);
    answer_grpc_message(&words, &message);
    const struct http_field fields[] = {
        {.name = SLICE("grpc-status"), .value = {number, status.used}},
        {.name = SLICE("grpc-message"), .value = {text, message.used}},
    };
    return ops->write_trailers(x->stream, fields, sizeof fields / sizeof *fields) != STREAM_LOST;
}

void exchange_cut(struct exchange *x, enum exchange_cut cut)
{
    x->stream->is_given_up = cut != EXCHANGE_BROKEN;
    exchange_end(x, tell_grpc(x, cut));
}

void exchange_end_with(struct exchange *x, unsigned status, const char *reason,
                       const char *sentence)
{
    x->status = status;
    bool taken = own_answer_instead(x, status, reason, sentence) != STREAM_LOST;
    exchange_end(x, taken);
}
