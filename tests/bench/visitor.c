/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sockets are registered once, edge-triggered for both directions, so that the load generator costs
 * little next to what it measures: every event leads to an attempt, and every attempt goes on until
 * it would block.
 */
#include "tests/bench/visitor.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
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

/* ---- the steps of a unit ---- */

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

static enum visitor_outcome read_answer(struct visitor_plan *plan, struct visitor *visitor)
{
    char data[16384];
    for (;;) {
        before_tls();
        int bytes = SSL_read(visitor->tls, data, sizeof data);
        if (bytes <= 0 && would_block(visitor, bytes))
            return VISITOR_BUSY;
        if (bytes <= 0)
            return fail_tls(plan, visitor, "reading the answer", bytes);
        switch (answer_take(&visitor->answer, data, (size_t)bytes)) {
        case ANSWER_MORE:
            continue;
        case ANSWER_WHOLE:
            return finish_answer(plan, visitor);
        case ANSWER_REFUSED:
            return fail(plan, visitor, "status", visitor->answer.head);
        case ANSWER_WRONG:
            return fail(plan, visitor, "reading the answer", "not the HTTP that was expected");
        }
    }
}

static enum visitor_outcome send_request(struct visitor_plan *plan, struct visitor *visitor)
{
    visitor->state = VISITOR_SENDING;
    before_tls();
    int sent = SSL_write(visitor->tls, plan->request, plan->request_bytes);
    if (sent <= 0 && would_block(visitor, sent))
        return VISITOR_BUSY;
    if (sent <= 0)
        return fail_tls(plan, visitor, "sending the request", sent);
    answer_begin(&visitor->answer);
    visitor->state = VISITOR_READING;
    /* No attempt to read here: the answer cannot be there yet, and its arrival is an edge. */
    return VISITOR_BUSY;
}

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

static bool prepare_tls(struct visitor_plan *plan, struct visitor *visitor)
{
    visitor->tls = SSL_new(plan->context);
    if (visitor->tls == NULL || SSL_set_fd(visitor->tls, visitor->socket) != 1)
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
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                                .data.ptr = visitor};
    if (epoll_ctl(plan->epoll, EPOLL_CTL_ADD, visitor->socket, &event) != 0)
        return fail(plan, visitor, "waiting for a socket", strerror(errno));
    if (!prepare_tls(plan, visitor))
        return fail(plan, visitor, "preparing TLS", "out of memory");
    visitor->state = VISITOR_CONNECTING;
    const struct sockaddr *address = (const struct sockaddr *)&plan->options->address;
    if (connect(visitor->socket, address, sizeof plan->options->address) == 0)
        return meet(plan, visitor);
    if (errno != EINPROGRESS)
        return fail(plan, visitor, "connecting", strerror(errno));
    return VISITOR_BUSY;
}

enum visitor_outcome visitor_begin(struct visitor_plan *plan, struct visitor *visitor)
{
    visitor->began_ns = visitor_now_ns();
    visitor->fresh = false;
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

/* ---- the plan ---- */

/* TLS 1.3 servers may send several tickets: the newest wins. */
static int on_session(SSL *tls, SSL_SESSION *session)
{
    struct visitor *visitor = SSL_get_app_data(tls);
    SSL_SESSION_free(visitor->session);
    visitor->session = session;
    return 1;
}

static bool load_files(SSL_CTX *context, const struct load_options *options)
{
    if (options->ca != NULL) {
        if (SSL_CTX_load_verify_file(context, options->ca) != 1)
            return false;
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    }
    return options->certificate == NULL ||
           (SSL_CTX_use_certificate_chain_file(context, options->certificate) == 1 &&
            SSL_CTX_use_PrivateKey_file(context, options->key, SSL_FILETYPE_PEM) == 1 &&
            SSL_CTX_check_private_key(context) == 1);
}

static bool make_context(struct visitor_plan *plan)
{
    const struct load_options *options = plan->options;
    plan->context = SSL_CTX_new(TLS_client_method());
    if (plan->context == NULL || !load_files(plan->context, options))
        return false;
    uint64_t mode = SSL_MODE_NO_AUTO_CHAIN;
    if (options->mode == LOAD_IDLE)
        mode |= SSL_MODE_RELEASE_BUFFERS; /* thousands of them shall fit */
    SSL_CTX_set_mode(plan->context, (long)mode);
    SSL_CTX_set_read_ahead(plan->context, 1);
    if (options->mode == LOAD_RESUMED) {
        SSL_CTX_set_session_cache_mode(plan->context,
                                       SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
        SSL_CTX_sess_set_new_cb(plan->context, on_session);
    }
    return SSL_CTX_set_min_proto_version(plan->context, options->tls_version) == 1 &&
           SSL_CTX_set_max_proto_version(plan->context, options->tls_version) == 1 &&
           SSL_CTX_set1_groups_list(plan->context, options->groups) == 1;
}

bool visitor_plan_init(struct visitor_plan *plan, const struct load_options *options)
{
    *plan = (struct visitor_plan){.options = options, .epoll = epoll_create1(EPOLL_CLOEXEC)};
    plan->request_bytes = snprintf(plan->request, sizeof plan->request,
                                   "GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: load/1\r\n"
                                   "Accept: */*\r\n\r\n",
                                   options->path, options->host);
    if (plan->request_bytes >= (int)sizeof plan->request) {
        snprintf(plan->failure, sizeof plan->failure, "path or host is too long");
        return false;
    }
    if (plan->epoll >= 0 && make_context(plan))
        return true;
    const char *reason = ERR_reason_error_string(ERR_peek_error());
    snprintf(plan->failure, sizeof plan->failure, "preparing TLS: %s",
             reason != NULL ? reason : strerror(errno));
    return false;
}

void visitor_plan_done(struct visitor_plan *plan)
{
    SSL_CTX_free(plan->context);
    if (plan->epoll >= 0)
        close(plan->epoll);
}
