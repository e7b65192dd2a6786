/* SPDX-License-Identifier: Apache-2.0 */
/* See connection.h. Life, readiness, reading and writing; the bytes between SSL and here:
 * tls_bio.c. */
#include "lb/base/connection.h"

#include <ctype.h>
#include <errno.h>
#include <openssl/err.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lb/base/error.h"
#include "lb/base/tls_bio.h"

enum { RECORD_BYTES = sizeof((struct loop_context *)NULL)->gather };

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

static void drain_lingering(struct connection *connection);

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct connection *connection = poll->data;
    int ready = 0;
    if (status < 0) {
        /* libuv stopped watching: reading and writing will meet the error. */
        connection->interest = 0;
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
static void end_reading(struct connection *connection)
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
static enum io fail_socket(struct connection *connection, int failure)
{
    connection->failed = connection->broken = true;
    if (connection->failure == 0)
        connection->failure = failure;
    buffer_give(&connection->context->buffers, &connection->out);
    set_interest(connection, connection->interest & ~UV_WRITABLE);
    return IO_FAILED;
}

static enum io fail_tls(struct connection *connection)
{
    connection->failed = true;
    if (connection->tls_failure == 0)
        connection->tls_failure = ERR_peek_error();
    if (connection->tls_failure == 0 && connection->failure == 0)
        connection->failure = EPROTO;
    ERR_clear_error();
    set_interest(connection, connection->interest & ~UV_READABLE);
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

static enum io receive(struct connection *connection, char *into, size_t room, size_t *got)
{
    if (connection->ended)
        return IO_END;
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
        end_reading(connection);
        connection->truncated = connection->ssl != NULL;
        return IO_END;
    }
    if (errno == EAGAIN) {
        connection->drained = true;
        return IO_AGAIN;
    }
    int failure = errno;
    set_interest(connection, connection->interest & ~UV_READABLE);
    return fail_socket(connection, failure);
}

/* What SSL left over of an earlier call is what it reads first. */
static void offer_unread(struct connection *connection)
{
    const struct buffer *in = connection->in;
    connection->arrived = in ? in->data + in->start : NULL;
    connection->arrived_length = buffer_length(in);
}

/* Everything offered is consumed: receive anew into the loop's bytes. */
static enum io offer_received(struct connection *connection)
{
    struct loop_context *context = connection->context;
    buffer_give(&context->buffers, &connection->in);
    connection->arrived = context->cipher;
    return receive(connection, context->cipher, sizeof context->cipher,
                   &connection->arrived_length);
}

/* Keep what SSL did not consume: the loop's bytes belong to the next connection after this call. */
static bool keep_unread(struct connection *connection)
{
    struct buffer_pool *pool = &connection->context->buffers;
    bool kept = true;
    if (connection->arrived_length == 0)
        buffer_give(pool, &connection->in);
    else if (connection->in)
        connection->in->start = connection->in->end - connection->arrived_length;
    else
        kept = buffer_append(pool, &connection->in, connection->arrived, connection->arrived_length,
                             READ_BYTES);
    connection->arrived = NULL;
    connection->arrived_length = 0;
    return kept;
}

/* What an SSL call that did not succeed means. */
static enum io tls_outcome(struct connection *connection, int result)
{
    switch (SSL_get_error(connection->ssl, result)) {
    case SSL_ERROR_ZERO_RETURN:
        connection->arrived_length = 0; /* nothing counts behind close_notify */
        end_reading(connection);
        return IO_END;
    case SSL_ERROR_SSL:
    case SSL_ERROR_SYSCALL:
        connection->arrived_length = 0;
        return fail_tls(connection);
    default:
        return IO_AGAIN;
    }
}

/* Decrypt until `room` is full or SSL stops, whose reason is returned. */
static enum io decrypt(struct connection *connection, char *into, size_t room, size_t *got)
{
    while (*got < room) {
        size_t length = 0;
        ERR_clear_error();
        int result = SSL_read_ex(connection->ssl, into + *got, room - *got, &length);
        if (result != 1)
            return tls_outcome(connection, result);
        *got += length;
    }
    return IO_DONE;
}

static enum io read_tls(struct connection *connection, char *into, size_t room, size_t *got)
{
    offer_unread(connection);
    enum io outcome = IO_AGAIN;
    if (connection->arrived_length > 0 || SSL_pending(connection->ssl) > 0 || connection->untold)
        outcome = decrypt(connection, into, room, got);
    if (outcome == IO_AGAIN && *got == 0) {
        outcome = offer_received(connection);
        if (outcome == IO_DONE)
            outcome = decrypt(connection, into, room, got);
    }
    bool kept = keep_unread(connection);
    /* SSL may have answered (KeyUpdate, an alert); a socket that fails here tells at the next call.
     */
    if (connection->out && !(connection->interest & UV_WRITABLE))
        connection_flush(connection);
    if (!kept)
        return fail_socket(connection, ENOMEM);
    if (*got == 0)
        return outcome;
    connection->untold = outcome == IO_END || outcome == IO_FAILED;
    return IO_DONE;
}

enum io connection_read(struct connection *connection, char *into, size_t room, size_t *got)
{
    *got = 0;
    if (!connection->ssl)
        return receive(connection, into, room, got);
    if (connection->tls_failure != 0) {
        connection->untold = false;
        return IO_FAILED;
    }
    enum io outcome = read_tls(connection, into, room, got);
    if (outcome != IO_DONE)
        connection->untold = false;
    return outcome;
}

bool connection_has_unread(const struct connection *connection)
{
    return connection->untold || buffer_length(connection->in) > 0 ||
           (connection->ssl && SSL_pending(connection->ssl) > 0);
}

/* ---- TLS's beginning ---- */

void connection_start_tls(struct connection *connection, SSL *ssl)
{
    connection->ssl = ssl;
    SSL_clear_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE);
    SSL_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                          SSL_MODE_AUTO_RETRY);
    /* Renegotiation would make writing wait for reading. */
    SSL_set_options(ssl, SSL_OP_NO_RENEGOTIATION);
    /* Reading ahead would hide ciphertext in SSL, unseen by connection_has_unread. */
    SSL_set_read_ahead(ssl, 0);
    BIO *bio = tls_bio_new(connection);
    if (bio)
        SSL_set_bio(ssl, bio, bio);
    else
        fail_socket(connection, ENOMEM);
}

enum io connection_handshake(struct connection *connection)
{
    if (connection->failed)
        return IO_FAILED;
    offer_unread(connection);
    enum io outcome = IO_AGAIN;
    for (bool received = false;; received = true) {
        ERR_clear_error();
        int result = SSL_do_handshake(connection->ssl);
        outcome = result == 1 ? IO_DONE : tls_outcome(connection, result);
        if (outcome != IO_AGAIN || received || !SSL_want_read(connection->ssl))
            break;
        outcome = offer_received(connection);
        if (outcome != IO_DONE)
            break;
    }
    if (!keep_unread(connection))
        return fail_socket(connection, ENOMEM);
    if (connection_flush(connection) == IO_FAILED)
        return IO_FAILED;
    return outcome;
}

/* ---- writing ---- */

size_t connection_pending(const struct connection *connection)
{
    return buffer_length(connection->out);
}

static bool is_blocked(const struct connection *connection)
{
    return connection->interest & UV_WRITABLE;
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
    struct msghdr message = {.msg_iov = all, .msg_iovlen = (size_t)all_count};
    ssize_t sent;
    do {
        sent = sendmsg(connection->fd, &message, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    if (sent < 0 && errno != EAGAIN) {
        fail_socket(connection, errno);
        return -1;
    }
    size_t taken = sent > 0 ? (size_t)sent : 0;
    size_t of_out = taken < pending ? taken : pending;
    if (connection->out)
        connection->out->start += of_out;
    if (of_out == pending)
        buffer_give(&connection->context->buffers, &connection->out);
    return (ssize_t)(taken - of_out);
}

/* After an attempt to send: wait for room, or do what was due when everything is sent. */
static enum io settle(struct connection *connection)
{
    if (connection_pending(connection) > 0) {
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
    ssize_t sent = is_blocked(connection) ? 0 : send_once(connection, pieces, count);
    if (sent < 0)
        return IO_FAILED;
    if (!keep_unsent(connection, pieces, count, (size_t)sent))
        return fail_socket(connection, ENOBUFS);
    return settle(connection);
}

static bool encrypt(struct connection *connection, const char *bytes, size_t length)
{
    size_t written = 0;
    if (length == 0)
        return true;
    ERR_clear_error();
    if (SSL_write_ex(connection->ssl, bytes, length, &written) == 1)
        return true;
    fail_tls(connection);
    return false;
}

/* Whole records go straight from the caller's bytes, what is less shares one through `gather`. */
static bool encrypt_all(struct connection *connection, const struct iovec *pieces, int count)
{
    char *gather = connection->context->gather;
    size_t gathered = 0;
    for (int i = 0; i < count; i++) {
        const char *bytes = pieces[i].iov_base;
        size_t left = pieces[i].iov_len;
        while (left > 0) {
            size_t whole = gathered == 0 ? left / RECORD_BYTES * RECORD_BYTES : 0;
            size_t room = RECORD_BYTES - gathered;
            size_t taken = whole > 0 ? whole : left < room ? left : room;
            if (whole == 0) {
                memcpy(gather + gathered, bytes, taken);
                gathered += taken;
            } else if (!encrypt(connection, bytes, whole)) {
                return false;
            }
            bytes += taken;
            left -= taken;
            if (gathered == RECORD_BYTES) {
                if (!encrypt(connection, gather, gathered))
                    return false;
                gathered = 0;
            }
        }
    }
    return encrypt(connection, gather, gathered);
}

static size_t total_length(const struct iovec *pieces, int count)
{
    size_t total = 0;
    for (int i = 0; i < count; i++)
        total += pieces[i].iov_len;
    return total;
}

static enum io write_tls(struct connection *connection, const struct iovec *pieces, int count)
{
    enum { RECORD_OVERHEAD_BYTES = 64 }; /* a guess that spares growing; more is no harm */
    size_t total = total_length(pieces, count);
    size_t room = total + (total / RECORD_BYTES + 1) * RECORD_OVERHEAD_BYTES;
    if (connection_pending(connection) + total > WRITE_PENDING_MOST_BYTES ||
        !buffer_reserve(&connection->context->buffers, &connection->out, room, SIZE_MAX))
        return fail_socket(connection, ENOBUFS);
    if (!encrypt_all(connection, pieces, count))
        return IO_FAILED;
    return is_blocked(connection) ? IO_AGAIN : connection_flush(connection);
}

enum io connection_write(struct connection *connection, const struct iovec *pieces, int count)
{
    if (connection->failed)
        return IO_FAILED;
    if (connection->finishing || count > CONNECTION_PIECES_MOST)
        return fail_socket(connection, connection->finishing ? EPIPE : EMSGSIZE);
    return connection->ssl ? write_tls(connection, pieces, count)
                           : write_plain(connection, pieces, count);
}

/* ---- ending ---- */

enum io connection_finish(struct connection *connection)
{
    if (connection->broken)
        return IO_FAILED;
    if (!connection->finishing && connection->ssl && connection->tls_failure == 0 &&
        SSL_is_init_finished(connection->ssl)) {
        ERR_clear_error();
        SSL_shutdown(
            connection->ssl); /* into `out`; the peer's close_notify is the reader's business */
        ERR_clear_error();
    }
    connection->finishing = true;
    return is_blocked(connection) ? IO_AGAIN : connection_flush(connection);
}

static void release_tls(struct connection *connection)
{
    SSL *ssl = connection->ssl;
    if (!ssl)
        return;
    /* Freed without this, OpenSSL takes the session for broken and forgets it. */
    if (SSL_is_init_finished(ssl) && connection->tls_failure == 0)
        SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(ssl);
    connection->ssl = NULL;
    buffer_give(&connection->context->buffers, &connection->in);
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
    release_tls(connection);
    buffer_give(&connection->context->buffers, &connection->out);
    connection->closing = true;
    connection->on_closed = on_closed;
    uv_close((uv_handle_t *)&connection->poll, on_poll_closed);
}

static void on_linger_passed(struct deadline *deadline)
{
    struct connection *connection = LIST_OWNER(deadline, struct connection, linger);
    connection_close(connection, connection->on_closed);
}

static void drain_lingering(struct connection *connection)
{
    struct loop_context *context = connection->context;
    size_t got = 0;
    connection_flush(connection);
    receive(connection, context->cipher, sizeof context->cipher, &got);
    connection->lingered_bytes += got;
    if (connection->broken || connection->lingered_bytes > LINGER_BYTES ||
        (connection->ended && connection->finished))
        connection_close(connection, connection->on_closed);
}

void connection_linger(struct connection *connection, connection_closed_callback on_closed)
{
    if (connection->closing || connection->lingering)
        return;
    connection->lingering = true;
    connection->on_closed = on_closed;
    connection_finish(connection);
    release_tls(connection);
    if (connection->broken || (connection->ended && connection->finished)) {
        connection_close(connection, on_closed);
        return;
    }
    deadline_arm(&connection->context->deadlines, &connection->linger, LINGER_MS, on_linger_passed);
    connection_want_read(connection, true);
}
