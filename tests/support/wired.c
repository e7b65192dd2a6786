/* SPDX-License-Identifier: Apache-2.0 */
/* See wired.h. */
#include "tests/support/wired.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lb/base/error.h"
#include "lb/base/socket.h"

static void on_ready(struct connection *connection, int events)
{
    struct wired *wired = LIST_OWNER(connection, struct wired, connection);
    wired->ready_count++;
    wired->events |= events;
    if (wired->on_ready)
        wired->on_ready(wired, events);
}

static void on_closed(struct connection *connection)
{
    LIST_OWNER(connection, struct wired, connection)->closed = true;
}

static void connect_over_tcp(int fds[2])
{
    struct address address;
    struct error err = {""};
    struct sockaddr_storage name;
    socklen_t length = sizeof name;
    ck_assert(address_parse(&address, "127.0.0.1:0", &err));
    int listening = socket_listen(&address, 1, &err);
    ck_assert_msg(listening >= 0, "%s", err.text);
    ck_assert_int_eq(getsockname(listening, (struct sockaddr *)&name, &length), 0);
    address_set(&address, (struct sockaddr *)&name, length);
    fds[1] = socket_connect(&address);
    struct pollfd ready = {.fd = listening, .events = POLLIN};
    ck_assert_int_eq(poll(&ready, 1, EVENTUALLY_MS), 1);
    fds[0] = socket_accept(listening, NULL);
    ck_assert_int_ge(fds[0], 0);
    ready = (struct pollfd){.fd = fds[1], .events = POLLOUT};
    ck_assert_int_eq(poll(&ready, 1, EVENTUALLY_MS), 1);
    close(listening);
}

void wired_open(struct wired *wired, bool tcp)
{
    struct error err = {""};
    int fds[2];
    memset(wired, 0, sizeof *wired);
    ck_assert_int_eq(uv_loop_init(&wired->loop), 0);
    loop_context_init(&wired->context, &wired->loop);
    if (tcp)
        connect_over_tcp(fds);
    else
        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds),
                         0);
    wired->peer_fd = fds[1];
    ck_assert_msg(connection_open(&wired->connection, &wired->context, fds[0], on_ready, &err),
                  "%s", err.text);
}

static SSL_CTX *make_context(const struct wired_tls *wish, const struct wired *wired, bool accepts)
{
    SSL_CTX *context = SSL_CTX_new(accepts ? TLS_server_method() : TLS_client_method());
    ck_assert_ptr_nonnull(context);
    SSL_CTX_set_min_proto_version(context, wish->version);
    SSL_CTX_set_max_proto_version(context, wish->version);
    if (!accepts)
        return context;
    ck_assert_int_eq(SSL_CTX_use_certificate(context, wired->certificate->certificate), 1);
    ck_assert_int_eq(SSL_CTX_use_PrivateKey(context, wired->certificate->key), 1);
    if (wish->ask_client)
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    if (wish->keep_session) {
        SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
        SSL_CTX_set_num_tickets(context, 1);
        SSL_CTX_set_session_id_context(context, (const unsigned char *)"wired", 5);
    }
    return context;
}

void wired_start_tls(struct wired *wired, const struct wired_tls *wish)
{
    signal(SIGPIPE, SIG_IGN); /* the peer's: OpenSSL writes with write() */
    wired->ca = made_ca("Test CA");
    wired->certificate = made_server(wired->ca, "localhost");
    wired->own_context = make_context(wish, wired, !wish->own_client);
    wired->peer_context = make_context(wish, wired, wish->own_client);
    SSL *own = SSL_new(wired->own_context);
    wired->peer = SSL_new(wired->peer_context);
    ck_assert(own && wired->peer);
    SSL_set_fd(wired->peer, wired->peer_fd);
    if (wish->own_client) {
        SSL_set_connect_state(own);
        SSL_set_accept_state(wired->peer);
    } else {
        SSL_set_accept_state(own);
        SSL_set_connect_state(wired->peer);
    }
    connection_start_tls(&wired->connection, own);
    wired->shaken = IO_AGAIN;
}

static void shake_ours(struct wired *wired, int events)
{
    (void)events;
    if (wired->shaken == IO_AGAIN)
        wired->shaken = connection_handshake(&wired->connection);
}

void wired_shake(struct wired *wired)
{
    void (*before)(struct wired *, int) = wired->on_ready;
    wired->on_ready = shake_ours;
    shake_ours(wired, 0);
    wired_until(wired, (ERR_clear_error(), SSL_do_handshake(wired->peer)) == 1 &&
                           wired->shaken != IO_AGAIN);
    ck_assert_int_eq(wired->shaken, IO_DONE);
    wired->on_ready = before;
    wired->ready_count = 0;
    wired->events = 0;
}

void wired_open_tls(struct wired *wired, bool tcp, int version)
{
    wired_open(wired, tcp);
    if (version == 0)
        return;
    wired_start_tls(wired, &(struct wired_tls){.version = version});
    wired_shake(wired);
}

void wired_turn(struct wired *wired)
{
    uv_run(&wired->loop, UV_RUN_NOWAIT);
}

static uint64_t fake_now_ms(struct deadlines *deadlines)
{
    return ((struct wired *)deadlines->now_context)->now_ms;
}

void wired_fake_time(struct wired *wired)
{
    wired->now_ms = 1000;
    wired->context.deadlines.now_ms = fake_now_ms;
    wired->context.deadlines.now_context = wired;
}

static ssize_t peer_outcome(struct wired *wired, int result)
{
    switch (SSL_get_error(wired->peer, result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        return PEER_AGAIN;
    case SSL_ERROR_ZERO_RETURN:
        return PEER_END;
    default:
        return PEER_FAILED;
    }
}

ssize_t wired_peer_read(struct wired *wired, void *into, size_t room)
{
    size_t got = 0;
    ERR_clear_error();
    if (wired->peer) {
        int result = SSL_read_ex(wired->peer, into, room, &got);
        return result == 1 ? (ssize_t)got : peer_outcome(wired, result);
    }
    ssize_t length = recv(wired->peer_fd, into, room, MSG_DONTWAIT);
    if (length == 0)
        return PEER_END;
    if (length < 0)
        return errno == EAGAIN ? PEER_AGAIN : PEER_FAILED;
    return length;
}

ssize_t wired_peer_write(struct wired *wired, const void *bytes, size_t length)
{
    size_t written = 0;
    ERR_clear_error();
    if (wired->peer) {
        SSL_set_mode(wired->peer,
                     SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
        int result = SSL_write_ex(wired->peer, bytes, length, &written);
        return result == 1 ? (ssize_t)written : peer_outcome(wired, result);
    }
    ssize_t sent = send(wired->peer_fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0)
        return errno == EAGAIN ? PEER_AGAIN : PEER_FAILED;
    return sent;
}

void wired_peer_send(struct wired *wired, const void *bytes, size_t length)
{
    for (size_t sent = 0; sent < length;) {
        ssize_t moved = wired_peer_write(wired, (const char *)bytes + sent, length - sent);
        ck_assert_int_gt(moved, 0);
        sent += (size_t)moved;
    }
}

void wired_peer_receive(struct wired *wired, void *into, size_t length)
{
    size_t got = 0;
    long long until_ms = eventually_now_ms() + EVENTUALLY_MS;
    while (got < length) {
        ssize_t moved = wired_peer_read(wired, (char *)into + got, length - got);
        ck_assert_int_ge(moved, 0);
        got += (size_t)moved;
        wired_turn(wired);
        ck_assert_msg(eventually_now_ms() < until_ms, "%zu of %zu bytes came", got, length);
    }
}

void wired_peer_leave(struct wired *wired, bool reset)
{
    struct linger now = {.l_onoff = 1};
    if (reset)
        setsockopt(wired->peer_fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close(wired->peer_fd);
    wired->peer_fd = -1;
}

void wired_linger(struct wired *wired)
{
    connection_linger(&wired->connection, on_closed);
}

void wired_end(struct wired *wired)
{
    connection_close(&wired->connection, on_closed);
}

void wired_close(struct wired *wired)
{
    if (!wired->closed)
        wired_end(wired);
    SSL_free(wired->peer);
    if (wired->peer_fd >= 0)
        close(wired->peer_fd);
    ck_assert_uint_eq(wired->context.buffers.lent_count, 0);
    loop_context_close(&wired->context);
    wired_until(wired, wired->closed && !uv_loop_alive(&wired->loop));
    ck_assert_int_eq(uv_loop_close(&wired->loop), 0);
    loop_context_done(&wired->context);
    SSL_CTX_free(wired->own_context);
    SSL_CTX_free(wired->peer_context);
    made_free(wired->certificate);
    made_free(wired->ca);
}
