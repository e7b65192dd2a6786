/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sockets are registered once, edge-triggered for both directions, so that the load generator costs
 * little next to what it measures: every event leads to an attempt, and every attempt goes on until
 * it would block.
 */
#include "tests/bench/visitor.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    RECORD_BYTES = 16 * 1024,
    TURN_BYTES = 1 << 20,      /* of a body, before others have their turn */
    OUTLET_BYTES = 256 * 1024, /* of a body, collected for one write */
};

uint64_t visitor_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

static bool watch(const struct visitor_plan *plan, struct visitor *visitor, int operation)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                                .data.ptr = visitor};
    return epoll_ctl(plan->epoll, operation, visitor->socket, &event) == 0;
}

/* ---- failing ---- */

static void hang_up(struct visitor *visitor)
{
    SSL_free(visitor->tls);
    visitor->tls = NULL;
    if (visitor->socket >= 0)
        close(visitor->socket);
    visitor->socket = -1;
    visitor->state = VISITOR_RESTING;
}

/* One line, fit for JSON: what a peer sent may be in it. */
static void make_printable(char *text)
{
    text[strcspn(text, "\r\n")] = '\0';
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < ' ' || (unsigned char)*text > '~' ||
            strchr("\"\\", *text) != NULL)
            *text = '?';
}

static enum visitor_outcome fail(struct visitor_plan *plan, struct visitor *visitor,
                                 const char *doing, const char *reason)
{
    snprintf(plan->failure, sizeof plan->failure, "%s: %s", doing, reason);
    make_printable(plan->failure);
    /* A session that did not work out is not tried again. */
    SSL_SESSION_free(visitor->session);
    visitor->session = NULL;
    hang_up(visitor);
    return VISITOR_FAILED;
}

static enum visitor_outcome fail_tls(struct visitor_plan *plan, struct visitor *visitor,
                                     const char *doing, int result)
{
    int why = SSL_get_error(visitor->tls, result);
    unsigned long code = ERR_peek_error();
    const char *reason = code != 0 ? ERR_reason_error_string(code) : NULL;
    if (reason == NULL)
        reason = why == SSL_ERROR_ZERO_RETURN ? "the peer said close_notify"
                 : errno != 0                 ? strerror(errno)
                                              : "the peer closed the connection";
    enum visitor_outcome outcome = fail(plan, visitor, doing, reason);
    ERR_clear_error();
    return outcome;
}

static bool would_block(const struct visitor *visitor, int result)
{
    int why = SSL_get_error(visitor->tls, result);
    return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE;
}

static void before_tls(void)
{
    ERR_clear_error();
    errno = 0;
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
        bytes = recv(visitor->socket, rest, sizeof rest, 0);
    while (bytes > 0);
    if (bytes < 0 && (errno == EAGAIN || errno == EINTR))
        return VISITOR_BUSY;
    hang_up(visitor);
    return VISITOR_DONE;
}

static enum visitor_outcome leave(struct visitor *visitor)
{
    SSL_shutdown(visitor->tls);
    shutdown(visitor->socket, SHUT_WR);
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

/* There is more to do, but others shall not wait for it: registering again is a new edge. */
static enum visitor_outcome go_on_later(struct visitor_plan *plan, struct visitor *visitor)
{
    if (!watch(plan, visitor, EPOLL_CTL_MOD))
        return fail(plan, visitor, "waiting for a socket", strerror(errno));
    return VISITOR_BUSY;
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
    char data[RECORD_BYTES];
    for (size_t taken = 0; taken < TURN_BYTES;) {
        before_tls();
        int bytes = SSL_read(visitor->tls, data, sizeof data);
        if (bytes <= 0 && would_block(visitor, bytes))
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
    before_tls();
    if (visitor->sent_bytes < head_bytes)
        return SSL_write(visitor->tls, plan->request, plan->request_bytes);
    uint64_t offset = visitor->sent_bytes - head_bytes;
    uint64_t left = plan->body_bytes - offset;
    return SSL_write(visitor->tls, pattern_at(&plan->pattern, offset),
                     left < RECORD_BYTES ? (int)left : RECORD_BYTES);
}

/* What is sent does not get on. Only then is it looked whether the peer has said why: an answer to
 * a body that it has not got is no answer to this unit. `problem`: 0 when there is just no room. */
static enum visitor_outcome look_for_early_answer(struct visitor_plan *plan,
                                                  struct visitor *visitor, int problem)
{
    char data[512];
    before_tls();
    int bytes = SSL_read(visitor->tls, data, sizeof data - 1);
    if (bytes > 0) {
        data[bytes] = '\0';
        return fail(plan, visitor, "answered before the whole body was sent", data);
    }
    if (!would_block(visitor, bytes))
        return fail_tls(plan, visitor, "sending the request", bytes);
    if (problem != 0)
        return fail(plan, visitor, "sending the request", strerror(problem));
    return VISITOR_BUSY;
}

static enum visitor_outcome hold_up(struct visitor_plan *plan, struct visitor *visitor, int result)
{
    bool blocks = would_block(visitor, result);
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
    uint64_t turn_ends = visitor->sent_bytes + TURN_BYTES;
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
    BIO *outlet = SSL_get_wbio(visitor->tls);
    errno = 0;
    if (BIO_flush(outlet) > 0)
        return await_answer(plan, visitor);
    return look_for_early_answer(plan, visitor, BIO_should_retry(outlet) ? 0 : errno);
}

/* ---- the steps before ---- */

static enum visitor_outcome shake(struct visitor_plan *plan, struct visitor *visitor)
{
    before_tls();
    int result = SSL_connect(visitor->tls);
    if (result <= 0 && would_block(visitor, result))
        return VISITOR_BUSY;
    if (result <= 0)
        return fail_tls(plan, visitor, "TLS handshake", result);
    visitor->reused = SSL_session_reused(visitor->tls) == 1;
    snprintf(plan->tls_version, sizeof plan->tls_version, "%s", SSL_get_version(visitor->tls));
    snprintf(plan->cipher, sizeof plan->cipher, "%s", SSL_get_cipher_name(visitor->tls));
    return send_request(plan, visitor);
}

static enum visitor_outcome meet(struct visitor_plan *plan, struct visitor *visitor)
{
    int problem = 0;
    socklen_t size = sizeof problem;
    getsockopt(visitor->socket, SOL_SOCKET, SO_ERROR, &problem, &size);
    if (problem != 0)
        return fail(plan, visitor, "connecting", strerror(problem));
    struct sockaddr_in peer;
    size = sizeof peer;
    if (getpeername(visitor->socket, (struct sockaddr *)&peer, &size) != 0)
        return VISITOR_BUSY;
    visitor->state = VISITOR_SHAKING;
    return shake(plan, visitor);
}

static enum visitor_outcome rest(struct visitor *visitor)
{
    char byte;
    if (visitor->tls == NULL)
        return VISITOR_QUIET;
    before_tls();
    int bytes = SSL_read(visitor->tls, &byte, 1);
    if (bytes <= 0 && would_block(visitor, bytes))
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

static bool bind_source(struct visitor_plan *plan, int sock)
{
    if (plan->options->sources == 0)
        return true;
    unsigned turn = plan->next_source++ % plan->options->sources;
    uint32_t host = 0x7f010001U + (turn / 250 << 8) + turn % 250; /* from 127.1.0.1 on */
    struct sockaddr_in source = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(host)};
    int one = 1;
    setsockopt(sock, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
    return bind(sock, (struct sockaddr *)&source, sizeof source) == 0;
}

/* The records of a body leave many at a time: one write for each would hold up the peer. */
static bool collect_records(struct visitor *visitor, uint64_t body_bytes)
{
    BIO *outlet = BIO_new(BIO_f_buffer());
    BIO *out = SSL_get_wbio(visitor->tls);
    long room = body_bytes < OUTLET_BYTES ? (long)body_bytes + RECORD_BYTES : OUTLET_BYTES;
    if (outlet == NULL || BIO_set_write_buffer_size(outlet, room) != 1) {
        BIO_free(outlet);
        return false;
    }
    BIO_up_ref(out);
    SSL_set0_wbio(visitor->tls, BIO_push(outlet, out));
    return true;
}

static bool prepare_tls(struct visitor_plan *plan, struct visitor *visitor)
{
    visitor->tls = SSL_new(plan->context);
    if (visitor->tls == NULL || SSL_set_fd(visitor->tls, visitor->socket) != 1)
        return false;
    if (plan->body_bytes > 0 && !collect_records(visitor, plan->body_bytes))
        return false;
    SSL_set_app_data(visitor->tls, visitor);
    SSL_set_connect_state(visitor->tls);
    if (visitor->session != NULL)
        SSL_set_session(visitor->tls, visitor->session);
    return SSL_set_tlsext_host_name(visitor->tls, plan->options->host) == 1;
}

static enum visitor_outcome open_connection(struct visitor_plan *plan, struct visitor *visitor)
{
    int one = 1;
    visitor->fresh = true;
    visitor->socket = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (visitor->socket < 0)
        return fail(plan, visitor, "opening a socket", strerror(errno));
    setsockopt(visitor->socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (!bind_source(plan, visitor->socket))
        return fail(plan, visitor, "binding to a source address", strerror(errno));
    if (!watch(plan, visitor, EPOLL_CTL_ADD))
        return fail(plan, visitor, "waiting for a socket", strerror(errno));
    if (!prepare_tls(plan, visitor))
        return fail(plan, visitor, "preparing TLS", "out of memory");
    if (plan->options->faces != NULL && !faces_show(&plan->faces, visitor->tls))
        return fail(plan, visitor, "showing a certificate", "none is left that nobody has shown");
    visitor->state = VISITOR_CONNECTING;
    const struct sockaddr *address = (const struct sockaddr *)&plan->options->address;
    if (connect(visitor->socket, address, sizeof plan->options->address) == 0)
        return meet(plan, visitor);
    if (errno != EINPROGRESS)
        return fail(plan, visitor, "connecting", strerror(errno));
    return VISITOR_BUSY;
}

enum visitor_outcome visitor_begin(struct visitor_plan *plan, struct visitor *visitor,
                                   uint64_t due_ns)
{
    visitor->due_ns = due_ns;
    visitor->fresh = false;
    visitor->sent_bytes = 0;
    if (visitor->socket < 0)
        return open_connection(plan, visitor);
    return send_request(plan, visitor);
}

void visitor_end(struct visitor *visitor)
{
    if (visitor->tls != NULL && SSL_is_init_finished(visitor->tls)) {
        before_tls();
        SSL_shutdown(visitor->tls);
    }
    hang_up(visitor);
    SSL_SESSION_free(visitor->session);
    visitor->session = NULL;
}
