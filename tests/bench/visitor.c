/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/visitor.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

uint64_t visitor_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

/* ---- failing ---- */

static void hang_up(struct visitor *visitor)
{
    line_close(&visitor->line);
    visitor->state = VISITOR_RESTING;
}

/* plan->failure says why. A session that did not work out is not tried again. */
static enum visitor_outcome give_up(struct visitor *visitor)
{
    SSL_SESSION_free(visitor->session);
    visitor->session = NULL;
    hang_up(visitor);
    return VISITOR_FAILED;
}

static enum visitor_outcome fail(struct visitor_plan *plan, struct visitor *visitor,
                                 const char *doing, const char *reason)
{
    line_note(plan, doing, reason);
    return give_up(visitor);
}

static enum visitor_outcome fail_tls(struct visitor_plan *plan, struct visitor *visitor,
                                     const char *doing, int result)
{
    line_note_tls(plan, &visitor->line, doing, result);
    return give_up(visitor);
}

/* ---- leaving ---- */

static bool closes_after_unit(const struct visitor_plan *plan)
{
    return plan->options->mode == LOAD_FULL || plan->options->mode == LOAD_RESUMED;
}

static enum visitor_outcome await_end(struct visitor *visitor)
{
    char rest[4096];
    ssize_t bytes;
    do
        bytes = recv(visitor->line.socket, rest, sizeof rest, 0);
    while (bytes > 0);
    if (bytes < 0 && (errno == EAGAIN || errno == EINTR))
        return VISITOR_BUSY;
    hang_up(visitor);
    return VISITOR_DONE;
}

static enum visitor_outcome leave(struct visitor *visitor)
{
    SSL_shutdown(visitor->line.tls);
    shutdown(visitor->line.socket, SHUT_WR);
    visitor->state = VISITOR_LEAVING;
    return await_end(visitor);
}

static enum visitor_outcome finish_answer(struct visitor_plan *plan, struct visitor *visitor)
{
    visitor->answered_ns = visitor_now_ns();
    if (closes_after_unit(plan))
        return leave(visitor);
    if (visitor->answer.closes)
        hang_up(visitor);
    visitor->state = VISITOR_RESTING;
    return VISITOR_DONE;
}

static enum visitor_outcome go_on_later(struct visitor_plan *plan, struct visitor *visitor)
{
    return line_go_on_later(plan, &visitor->line, visitor) ? VISITOR_BUSY : give_up(visitor);
}

/* ---- reading the answer ---- */

static enum visitor_outcome judge_answer(struct visitor_plan *plan, struct visitor *visitor)
{
    char text[64];
    int64_t expected_bytes = plan->options->expected_bytes;
    if (expected_bytes < 0 || visitor->answer.body_bytes == (uint64_t)expected_bytes)
        return finish_answer(plan, visitor);
    snprintf(text, sizeof text, "%llu bytes instead of %lld",
             (unsigned long long)visitor->answer.body_bytes, (long long)expected_bytes);
    return fail(plan, visitor, "the body of the answer", text);
}

static enum visitor_outcome read_answer(struct visitor_plan *plan, struct visitor *visitor)
{
    char data[LINE_RECORD_BYTES];
    for (size_t taken = 0; taken < LINE_TURN_BYTES;) {
        line_before_tls();
        int bytes = SSL_read(visitor->line.tls, data, sizeof data);
        if (bytes <= 0 && line_would_block(&visitor->line, bytes))
            return VISITOR_BUSY;
        if (bytes <= 0)
            return fail_tls(plan, visitor, "reading the answer", bytes);
        taken += (size_t)bytes;
        plan->moved_bytes += (uint64_t)bytes;
        switch (answer_take(&visitor->answer, data, (size_t)bytes)) {
        case ANSWER_MORE:
            continue;
        case ANSWER_WHOLE:
            return judge_answer(plan, visitor);
        case ANSWER_REFUSED:
            return fail(plan, visitor, "status", visitor->answer.head);
        case ANSWER_WRONG:
            return fail(plan, visitor, "reading the answer", "not the HTTP that was expected");
        }
    }
    return go_on_later(plan, visitor);
}

/* ---- sending the request ---- */

/* The next record of head or body; as SSL_write(), and the same again after it would block. */
static int send_record(struct visitor_plan *plan, struct visitor *visitor)
{
    uint64_t head_bytes = (uint64_t)plan->request_bytes;
    line_before_tls();
    if (visitor->sent_bytes < head_bytes)
        return SSL_write(visitor->line.tls, plan->request, plan->request_bytes);
    uint64_t offset = visitor->sent_bytes - head_bytes;
    uint64_t left = plan->body_bytes - offset;
    return SSL_write(visitor->line.tls, pattern_at(&plan->pattern, offset),
                     left < LINE_RECORD_BYTES ? (int)left : LINE_RECORD_BYTES);
}

/* What is sent does not get on. Only then is it looked whether the peer has said why: an answer to
 * a body that it has not got is no answer to this unit. `problem`: 0 when there is just no room. */
static enum visitor_outcome look_for_early_answer(struct visitor_plan *plan,
                                                  struct visitor *visitor, int problem)
{
    char data[512];
    line_before_tls();
    int bytes = SSL_read(visitor->line.tls, data, sizeof data - 1);
    if (bytes > 0) {
        data[bytes] = '\0';
        return fail(plan, visitor, "answered before the whole body was sent", data);
    }
    if (!line_would_block(&visitor->line, bytes))
        return fail_tls(plan, visitor, "sending the request", bytes);
    if (problem != 0)
        return fail(plan, visitor, "sending the request", strerror(problem));
    return VISITOR_BUSY;
}

static enum visitor_outcome hold_up(struct visitor_plan *plan, struct visitor *visitor, int result)
{
    bool blocks = line_would_block(&visitor->line, result);
    if (plan->body_bytes > 0)
        return look_for_early_answer(plan, visitor, blocks ? 0 : errno);
    return blocks ? VISITOR_BUSY : fail_tls(plan, visitor, "sending the request", result);
}

static enum visitor_outcome await_answer(struct visitor_plan *plan, struct visitor *visitor)
{
    answer_begin(&visitor->answer);
    visitor->state = VISITOR_READING;
    /* A request without a body is sent at once: its answer cannot be there yet, and its arrival is
     * an edge. While a body was on its way, edges of what comes have been passed over. */
    return plan->body_bytes > 0 ? read_answer(plan, visitor) : VISITOR_BUSY;
}

static enum visitor_outcome send_request(struct visitor_plan *plan, struct visitor *visitor)
{
    uint64_t whole = (uint64_t)plan->request_bytes + plan->body_bytes;
    uint64_t turn_ends = visitor->sent_bytes + LINE_TURN_BYTES;
    visitor->state = VISITOR_SENDING;
    while (visitor->sent_bytes < whole) {
        if (visitor->sent_bytes >= turn_ends)
            return go_on_later(plan, visitor);
        int sent = send_record(plan, visitor);
        if (sent <= 0)
            return hold_up(plan, visitor, sent);
        visitor->sent_bytes += (uint64_t)sent;
        plan->moved_bytes += (uint64_t)sent;
    }
    BIO *outlet = SSL_get_wbio(visitor->line.tls);
    errno = 0;
    if (BIO_flush(outlet) > 0)
        return await_answer(plan, visitor);
    return look_for_early_answer(plan, visitor, BIO_should_retry(outlet) ? 0 : errno);
}

/* ---- the steps before ---- */

static enum visitor_outcome shake(struct visitor_plan *plan, struct visitor *visitor)
{
    switch (line_shake(plan, &visitor->line)) {
    case LINE_WAITS:
        return VISITOR_BUSY;
    case LINE_FAILED:
        return give_up(visitor);
    case LINE_DONE:
        break;
    }
    visitor->reused = SSL_session_reused(visitor->line.tls) == 1;
    return send_request(plan, visitor);
}

static enum visitor_outcome meet(struct visitor_plan *plan, struct visitor *visitor)
{
    switch (line_meet(plan, &visitor->line)) {
    case LINE_WAITS:
        return VISITOR_BUSY;
    case LINE_FAILED:
        return give_up(visitor);
    case LINE_DONE:
        break;
    }
    visitor->state = VISITOR_SHAKING;
    return shake(plan, visitor);
}

static enum visitor_outcome rest(struct visitor *visitor)
{
    char byte;
    if (visitor->line.tls == NULL)
        return VISITOR_QUIET;
    line_before_tls();
    int bytes = SSL_read(visitor->line.tls, &byte, 1);
    if (bytes <= 0 && line_would_block(&visitor->line, bytes))
        return VISITOR_QUIET;
    hang_up(visitor);
    return VISITOR_CLOSED;
}

enum visitor_outcome visitor_advance(struct visitor_plan *plan, struct visitor *visitor)
{
    switch (visitor->state) {
    case VISITOR_RESTING:
        return rest(visitor);
    case VISITOR_CONNECTING:
        return meet(plan, visitor);
    case VISITOR_SHAKING:
        return shake(plan, visitor);
    case VISITOR_SENDING:
        return send_request(plan, visitor);
    case VISITOR_READING:
        return read_answer(plan, visitor);
    case VISITOR_LEAVING:
        return await_end(visitor);
    }
    return VISITOR_QUIET;
}

/* ---- opening ---- */

static enum visitor_outcome open_connection(struct visitor_plan *plan, struct visitor *visitor)
{
    visitor->fresh = true;
    visitor->state = VISITOR_CONNECTING;
    switch (line_open(plan, &visitor->line, visitor, visitor->session)) {
    case LINE_WAITS:
        return VISITOR_BUSY;
    case LINE_FAILED:
        return give_up(visitor);
    case LINE_DONE:
        break;
    }
    return meet(plan, visitor);
}

enum visitor_outcome visitor_begin(struct visitor_plan *plan, struct visitor *visitor,
                                   uint64_t due_ns)
{
    visitor->due_ns = due_ns;
    visitor->fresh = false;
    visitor->sent_bytes = 0;
    if (visitor->line.socket < 0)
        return open_connection(plan, visitor);
    return send_request(plan, visitor);
}

void visitor_end(struct visitor *visitor)
{
    if (visitor->line.tls != NULL && SSL_is_init_finished(visitor->line.tls)) {
        line_before_tls();
        SSL_shutdown(visitor->line.tls);
    }
    hang_up(visitor);
    SSL_SESSION_free(visitor->session);
    visitor->session = NULL;
}
