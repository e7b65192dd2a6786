/* SPDX-License-Identifier: Apache-2.0 */
/* See connection.h. The socket: readiness, receiving, sending, ending. TLS: connection_tls.c. */
#include "lb/base/connection.h"

#include <ctype.h>
#include <errno.h>
#include <linux/sock_diag.h>
#include <linux/sockios.h>
#include <openssl/err.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lb/base/connection_tls.h"
#include "lb/base/error.h"

void loop_context_init(struct loop_context *context, uv_loop_t *loop)
{
    context->loop = loop;
    deadlines_init(&context->deadlines, loop);
    buffer_pool_init(&context->buffers);
}

void loop_context_close(struct loop_context *context)
{
    deadlines_close(&context->deadlines);
}

void loop_context_done(struct loop_context *context)
{
    buffer_pool_done(&context->buffers);
}

/* ---- readiness ---- */

static void on_poll(uv_poll_t *poll, int status, int events);

static void set_interest(struct connection *connection, int interest)
{
    if (connection->interest == interest || connection->closing)
        return;
    connection->interest = interest;
    if (interest)
        uv_poll_start(&connection->poll, interest, on_poll);
    else
        uv_poll_stop(&connection->poll);
}

/*
 * An error ends libuv's watching. It begins again: a reset may stand behind bytes that are still to
 * be read, and the owner, who meets the error only when those are gone, must be woken for it.
 */
static void watch_again(struct connection *connection)
{
    int interest = connection->interest;
    connection->interest = 0;
    set_interest(connection, interest);
}

static void on_linger_passed(struct deadline *deadline);

static void arm_linger(struct connection *connection)
{
    deadline_arm(&connection->context->deadlines, &connection->linger, LINGER_MS, on_linger_passed);
}

static void on_linger_passed(struct deadline *deadline)
{
    struct connection *connection = LIST_OWNER(deadline, struct connection, linger);
    if (connection_was_taken(connection))
        arm_linger(connection);
    else
        connection_close(connection, connection->on_closed);
}

/* connection_linger's wake-up: send on, drop what comes, close when both directions are over. */
static void drain_lingering(struct connection *connection)
{
    struct loop_context *context = connection->context;
    size_t pending = connection_pending(connection);
    size_t got = 0;
    connection_flush(connection);
    if (connection_pending(connection) < pending)
        arm_linger(connection); /* a slow peer that takes its answer is no dead one */
    connection_receive(connection, context->cipher, sizeof context->cipher, &got);
    connection->lingered_bytes += got;
    if (connection->broken || connection->lingered_bytes > LINGER_BYTES ||
        (connection->ended && connection->finished))
        connection_close(connection, connection->on_closed);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct connection *connection = poll->data;
    int ready = 0;
    if (status < 0) {
        watch_again(connection);
        ready = CONNECTION_READABLE | CONNECTION_WRITABLE;
    } else {
        ready |= events & UV_READABLE ? CONNECTION_READABLE : 0;
        ready |= events & UV_WRITABLE ? CONNECTION_WRITABLE : 0;
    }
    if (ready & CONNECTION_READABLE)
        connection->drained = false;
    if (connection->lingering)
        drain_lingering(connection);
    else
        connection->on_ready(connection, ready);
}

void connection_want_read(struct connection *connection, bool want)
{
    if (want && !connection->ended)
        set_interest(connection, connection->interest | UV_READABLE);
    else
        set_interest(connection, connection->interest & ~UV_READABLE);
}

void connection_await_writable(struct connection *connection)
{
    set_interest(connection, connection->interest | UV_WRITABLE);
}

/* The descriptor stays readable for ever behind an end or error: waiting on would spin. */
void connection_end_reading(struct connection *connection)
{
    connection->ended = true;
    set_interest(connection, connection->interest & ~UV_READABLE);
}

bool connection_open(struct connection *connection, struct loop_context *context, int fd,
                     connection_ready_callback on_ready, struct error *err)
{
    *connection =
        (struct connection){.context = context, .fd = fd, .drained = true, .on_ready = on_ready};
    int status = uv_poll_init(context->loop, &connection->poll, fd);
    if (status < 0) {
        close(fd);
        connection->fd = -1;
        return error_set(err, "descriptor %d cannot be watched: %s", fd, uv_strerror(status));
    }
    connection->poll.data = connection;
    set_interest(connection, UV_READABLE);
    return true;
}

/* ---- failures ---- */

/* The socket is of no use for writing; what waited for it is dropped. */
enum io connection_break(struct connection *connection, int failure)
{
    connection->failed = connection->broken = true;
    if (connection->failure == 0)
        connection->failure = failure;
    buffer_give(&connection->context->buffers, &connection->out);
    set_interest(connection, connection->interest & ~UV_WRITABLE);
    return IO_FAILED;
}

const char *connection_failure(const struct connection *connection)
{
    static _Thread_local char text[96];
    int failure = connection->failure;
    if (connection->tls_failure != 0) {
        const char *reason = ERR_reason_error_string(connection->tls_failure);
        if (reason)
            return reason;
        if (!ERR_SYSTEM_ERROR(connection->tls_failure))
            return "TLS error";
        failure = ERR_GET_REASON(connection->tls_failure);
    }
    if (failure == 0)
        return connection->truncated ? "closed without close_notify" : "no failure";
    snprintf(text, sizeof text, "%s", strerrordesc_np(failure) ? strerrordesc_np(failure) : "?");
    text[0] = (char)tolower((unsigned char)text[0]);
    return text;
}

/* ---- reading ---- */

enum io connection_receive(struct connection *connection, char *into, size_t room, size_t *got)
{
    /* The reset that broke writing can look like an end: what came may be less than was sent. */
    if (connection->ended)
        return connection->broken ? IO_FAILED : IO_END;
    if (connection->drained)
        return IO_AGAIN;
    ssize_t length;
    do {
        length = recv(connection->fd, into, room, 0);
    } while (length < 0 && errno == EINTR);
    if (length > 0) {
        connection->drained = (size_t)length < room;
        *got = (size_t)length;
        return IO_DONE;
    }
    if (length == 0) {
        connection_end_reading(connection);
        return connection->broken ? IO_FAILED : IO_END;
    }
    if (errno == EAGAIN) {
        connection->drained = true;
        return IO_AGAIN;
    }
    int failure = errno;
    set_interest(connection, connection->interest & ~UV_READABLE);
    return connection_break(connection, failure);
}

enum io connection_read(struct connection *connection, char *into, size_t room, size_t *got)
{
    *got = 0;
    return connection->ssl ? connection_tls_read(connection, into, room, got)
                           : connection_receive(connection, into, room, got);
}

/* ---- writing ---- */

size_t connection_pending(const struct connection *connection)
{
    return buffer_length(connection->out);
}

/* One piece is nearly all there ever is, and the system takes it with less ado. */
static ssize_t send_pieces(int fd, struct iovec *pieces, size_t count)
{
    struct msghdr message = {.msg_iov = pieces, .msg_iovlen = count};
    return count == 1 ? send(fd, pieces[0].iov_base, pieces[0].iov_len, MSG_NOSIGNAL)
                      : sendmsg(fd, &message, MSG_NOSIGNAL);
}

/* One system call for `out` and the pieces; what was sent of `out` is consumed. -1: broken. */
static ssize_t send_once(struct connection *connection, const struct iovec *pieces, int count)
{
    struct iovec all[1 + CONNECTION_PIECES_MOST];
    int all_count = 0;
    size_t pending = connection_pending(connection);
    if (pending > 0)
        all[all_count++] = (struct iovec){connection->out->data + connection->out->start, pending};
    for (int i = 0; i < count; i++)
        all[all_count++] = pieces[i];
    ssize_t sent;
    do {
        sent = send_pieces(connection->fd, all, (size_t)all_count);
    } while (sent < 0 && errno == EINTR);
    if (sent < 0 && errno != EAGAIN) {
        connection_break(connection, errno);
        return -1;
    }
    size_t taken = sent > 0 ? (size_t)sent : 0;
    connection->sent_bytes += taken;
    size_t of_out = taken < pending ? taken : pending;
    if (connection->out)
        connection->out->start += of_out;
    if (of_out == pending)
        buffer_give(&connection->context->buffers, &connection->out);
    return (ssize_t)(taken - of_out);
}

bool connection_was_taken(struct connection *connection)
{
    int queued = 0; /* sent, but not acknowledged */
    uint64_t before = connection->taken_bytes;
    if (ioctl(connection->fd, SIOCOUTQ, &queued) != 0 || queued <= 0)
        queued = 0;
    if ((uint64_t)queued <= connection->sent_bytes)
        connection->taken_bytes = connection->sent_bytes - (uint64_t)queued;
    return queued > 0 && connection->taken_bytes > before;
}

size_t connection_room(const struct connection *connection)
{
    uint32_t memory[SK_MEMINFO_VARS] = {0};
    socklen_t length = sizeof memory;
    if (!connection_is_blocked(connection)) /* a failure leaves 0 */
        getsockopt(connection->fd, SOL_SOCKET, SO_MEMINFO, memory, &length);
    uint32_t most = memory[SK_MEMINFO_SNDBUF], used = memory[SK_MEMINFO_WMEM_QUEUED];
    return most > used ? most - used : 0;
}

/* After an attempt to send: wait for room, or do what was due when everything is sent. */
static enum io settle(struct connection *connection)
{
    if (connection_pending(connection) > 0) {
        if (!connection_is_blocked(connection))
            connection_was_taken(connection);
        set_interest(connection, connection->interest | UV_WRITABLE);
        return IO_AGAIN;
    }
    set_interest(connection, connection->interest & ~UV_WRITABLE);
    if (connection->finishing && !connection->finished) {
        connection->finished = true;
        shutdown(connection->fd, SHUT_WR); /* fails only when the peer is gone already */
    }
    return IO_DONE;
}

enum io connection_flush(struct connection *connection)
{
    if (connection->broken)
        return IO_FAILED;
    if (connection_pending(connection) > 0 && send_once(connection, NULL, 0) < 0)
        return IO_FAILED;
    return settle(connection);
}

/* Copy the pieces but their first `skip` bytes, which are sent, behind `out`. */
static bool keep_unsent(struct connection *connection, const struct iovec *pieces, int count,
                        size_t skip)
{
    for (int i = 0; i < count; i++) {
        size_t sent = skip < pieces[i].iov_len ? skip : pieces[i].iov_len;
        skip -= sent;
        if (sent < pieces[i].iov_len &&
            !buffer_append(&connection->context->buffers, &connection->out,
                           (const char *)pieces[i].iov_base + sent, pieces[i].iov_len - sent,
                           WRITE_PENDING_MOST_BYTES))
            return false;
    }
    return true;
}

static enum io write_plain(struct connection *connection, const struct iovec *pieces, int count)
{
    ssize_t sent = connection_is_blocked(connection) ? 0 : send_once(connection, pieces, count);
    if (sent < 0)
        return IO_FAILED;
    if (!keep_unsent(connection, pieces, count, (size_t)sent))
        return connection_break(connection, ENOBUFS);
    return settle(connection);
}

static enum io write_tls(struct connection *connection, const struct iovec *pieces, int count)
{
    if (connection_tls_encrypt(connection, pieces, count) == IO_FAILED)
        return IO_FAILED;
    return connection_is_blocked(connection) ? IO_AGAIN : connection_flush(connection);
}

enum io connection_write(struct connection *connection, const struct iovec *pieces, int count)
{
    if (connection->failed)
        return IO_FAILED;
    if (connection->finishing || count > CONNECTION_PIECES_MOST)
        return connection_break(connection, connection->finishing ? EPIPE : EMSGSIZE);
    return connection->ssl ? write_tls(connection, pieces, count)
                           : write_plain(connection, pieces, count);
}

/* ---- ending ---- */

enum io connection_finish(struct connection *connection)
{
    if (connection->broken)
        return IO_FAILED;
    if (!connection->finishing)
        connection_tls_finish(connection);
    connection->finishing = true;
    return connection_is_blocked(connection) ? IO_AGAIN : connection_flush(connection);
}

static void on_poll_closed(uv_handle_t *handle)
{
    struct connection *connection = handle->data;
    close(connection->fd);
    connection->fd = -1;
    if (connection->on_closed)
        connection->on_closed(connection);
}

void connection_close(struct connection *connection, connection_closed_callback on_closed)
{
    if (connection->closing)
        return;
    deadline_disarm(&connection->linger);
    connection_tls_release(connection);
    buffer_give(&connection->context->buffers, &connection->out);
    connection->closing = true;
    connection->on_closed = on_closed;
    uv_close((uv_handle_t *)&connection->poll, on_poll_closed);
}

void connection_linger(struct connection *connection, connection_closed_callback on_closed)
{
    if (connection->closing || connection->lingering)
        return;
    connection->lingering = true;
    connection->on_closed = on_closed;
    connection_finish(connection);
    connection_tls_release(connection);
    if (connection->broken || (connection->ended && connection->finished)) {
        connection_close(connection, on_closed);
        return;
    }
    connection_was_taken(connection); /* what was taken until now does not count */
    arm_linger(connection);
    connection_want_read(connection, true);
}
