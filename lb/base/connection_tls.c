/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLS over a connection: what is received is offered to SSL through `arrived`, what SSL makes is
 * gathered in `out` (tls_bio.c) and sent once per call.
 */
#include "lb/base/connection_tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <string.h>

#include "lb/base/tls_bio.h"

void connection_start_tls(struct connection *connection, SSL *ssl)
{
    connection->ssl = ssl;
    SSL_clear_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE);
    SSL_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                          SSL_MODE_AUTO_RETRY);
    /* Renegotiation would make writing wait for reading. */
    SSL_set_options(ssl, SSL_OP_NO_RENEGOTIATION);
    /* A record's head and body in one read of the BIO; what SSL holds then, `held` says. */
    SSL_set_read_ahead(ssl, 1);
    BIO *bio = tls_bio_new(connection);
    if (bio)
        SSL_set_bio(ssl, bio, bio);
    else
        connection_break(connection, ENOMEM);
}

/* ---- what arrived ---- */

/* What SSL left over of an earlier call is what it reads first. */
static void offer_unread(struct connection *connection)
{
    const struct buffer *in = connection->in;
    connection->arrived = in ? in->data + in->start : NULL;
    connection->arrived_length = buffer_length(in);
}

/* As much as fits `room` when it is decrypted, together with a record that was begun before: what
 * does not fit is copied for the next read. */
static size_t most_to_receive(size_t room)
{
    size_t most = room > RECORD_BYTES ? room - RECORD_BYTES : 0;
    if (most < READ_BYTES)
        return READ_BYTES;
    return most < FLOW_BYTES ? most : FLOW_BYTES;
}

/* Everything offered is consumed: receive anew into the loop's bytes. */
static enum io offer_received(struct connection *connection, size_t room)
{
    struct loop_context *context = connection->context;
    buffer_give(&context->buffers, &connection->in);
    connection->arrived = context->cipher;
    enum io outcome = connection_receive(connection, context->cipher, most_to_receive(room),
                                         &connection->arrived_length);
    if (outcome == IO_END)
        connection->truncated = !(SSL_get_shutdown(connection->ssl) & SSL_RECEIVED_SHUTDOWN);
    return outcome;
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
                             FLOW_BYTES);
    connection->arrived = NULL;
    connection->arrived_length = 0;
    return kept;
}

/* ---- what SSL said ---- */

/* Clearing walks the whole queue, which is nearly always empty already. */
static void forget_errors(void)
{
    if (ERR_peek_error() != 0)
        ERR_clear_error();
}

/* The first error in TLS's own words ("bad record mac"), else in a lower layer's. Empties the
 * queue. */
static unsigned long cause_of_failure(void)
{
    unsigned long cause = ERR_get_error();
    for (unsigned long next = cause; next != 0; next = ERR_get_error()) {
        if (ERR_GET_LIB(next) == ERR_LIB_SSL && ERR_GET_LIB(cause) != ERR_LIB_SSL)
            cause = next;
    }
    return cause;
}

static enum io fail(struct connection *connection)
{
    unsigned long cause = cause_of_failure();
    connection->failed = connection->tls_failed = true;
    if (connection->tls_failure == 0)
        connection->tls_failure = cause;
    if (connection->tls_failure == 0 && connection->failure == 0)
        connection->failure = EPROTO;
    connection->arrived_length = 0;
    connection->held = false;
    connection_want_read(connection, false);
    return IO_FAILED;
}

/* What an SSL call that did not succeed means. */
static enum io outcome_of(struct connection *connection, int result)
{
    switch (SSL_get_error(connection->ssl, result)) {
    case SSL_ERROR_ZERO_RETURN:
        connection->arrived_length = 0; /* nothing counts behind close_notify */
        connection_end_reading(connection);
        return IO_END;
    case SSL_ERROR_SSL:
    case SSL_ERROR_SYSCALL:
        return fail(connection);
    default:
        return IO_AGAIN;
    }
}

enum io connection_handshake(struct connection *connection)
{
    if (connection->failed)
        return IO_FAILED;
    offer_unread(connection);
    enum io outcome = IO_AGAIN;
    for (bool received = false;; received = true) {
        forget_errors();
        int result = SSL_do_handshake(connection->ssl);
        outcome = result == 1 ? IO_DONE : outcome_of(connection, result);
        connection->held = result == 1 && SSL_has_pending(connection->ssl);
        if (outcome != IO_AGAIN || received || !SSL_want_read(connection->ssl))
            break;
        outcome = offer_received(connection, READ_BYTES);
        if (outcome != IO_DONE)
            break;
    }
    if (!keep_unread(connection))
        return connection_break(connection, ENOMEM);
    if (connection_flush(connection) == IO_FAILED)
        return IO_FAILED;
    return outcome;
}

/* ---- reading ---- */

/* Decrypt until `room` is full or SSL stops, whose reason is returned. Then all that SSL holds is
 * part of a record. */
static enum io decrypt(struct connection *connection, char *into, size_t room, size_t *got)
{
    connection->held = false;
    while (*got < room) {
        size_t length = 0;
        forget_errors();
        int result = SSL_read_ex(connection->ssl, into + *got, room - *got, &length);
        if (result != 1)
            return outcome_of(connection, result);
        *got += length;
        /* Another call would only say that it wants to read, at the price of a tenth of a request.
         */
        if (connection->arrived_length == 0 && !SSL_has_pending(connection->ssl))
            return IO_AGAIN;
    }
    connection->held = SSL_has_pending(connection->ssl);
    return IO_DONE;
}

static enum io decrypt_one_receive(struct connection *connection, char *into, size_t room,
                                   size_t *got)
{
    offer_unread(connection);
    enum io outcome = IO_AGAIN;
    if (connection_has_unread(connection))
        outcome = decrypt(connection, into, room, got);
    if (outcome != IO_AGAIN || *got > 0 || connection->arrived_length > 0)
        return outcome;
    outcome = offer_received(connection, room);
    if (outcome == IO_DONE)
        outcome = decrypt(connection, into, room, got);
    return outcome;
}

enum io connection_tls_read(struct connection *connection, char *into, size_t room, size_t *got)
{
    if (connection->tls_failed) {
        connection->untold = false;
        return IO_FAILED;
    }
    enum io outcome = decrypt_one_receive(connection, into, room, got);
    bool kept = keep_unread(connection);
    /* SSL may have answered (KeyUpdate, an alert); a socket that fails here tells at the next call.
     */
    if (connection->out && !connection_is_blocked(connection))
        connection_flush(connection);
    if (!kept)
        return connection_break(connection, ENOMEM);
    connection->untold = *got > 0 && (outcome == IO_END || outcome == IO_FAILED);
    return *got > 0 ? IO_DONE : outcome;
}

bool connection_has_unread(const struct connection *connection)
{
    return connection->untold || connection->held || buffer_length(connection->in) > 0;
}

/* ---- writing ---- */

static bool encrypt(struct connection *connection, const char *bytes, size_t length)
{
    size_t written = 0;
    if (length == 0)
        return true;
    /* Whatever others left in OpenSSL's queue: a write that fails has failed. To look there first
     * costs 200 instructions. */
    if (SSL_write_ex(connection->ssl, bytes, length, &written) == 1)
        return true;
    fail(connection);
    return false;
}

/* Join bytes in `gather`; it is encrypted when it holds a whole record. */
static bool encrypt_small(struct connection *connection, const char *bytes, size_t length,
                          size_t *gathered)
{
    char *gather = connection->context->gather;
    while (length > 0) {
        size_t room = RECORD_BYTES - *gathered;
        size_t taken = length < room ? length : room;
        memcpy(gather + *gathered, bytes, taken);
        *gathered += taken;
        bytes += taken;
        length -= taken;
        if (*gathered < RECORD_BYTES)
            break;
        *gathered = 0;
        if (!encrypt(connection, gather, RECORD_BYTES))
            return false;
    }
    return true;
}

/* Fill up the record that is begun, encrypt whole records from where they lie, begin another. */
static bool encrypt_piece(struct connection *connection, const struct iovec *piece,
                          size_t *gathered)
{
    const char *bytes = piece->iov_base;
    size_t left = piece->iov_len;
    if (*gathered > 0) {
        size_t room = RECORD_BYTES - *gathered;
        size_t joined = left < room ? left : room;
        if (!encrypt_small(connection, bytes, joined, gathered))
            return false;
        bytes += joined;
        left -= joined;
    }
    size_t whole = left / RECORD_BYTES * RECORD_BYTES;
    return encrypt(connection, bytes, whole) &&
           encrypt_small(connection, bytes + whole, left - whole, gathered);
}

enum io connection_tls_encrypt(struct connection *connection, const struct iovec *pieces, int count)
{
    enum { RECORD_OVERHEAD_BYTES = 64 }; /* a guess that spares growing; more is no harm */
    size_t total = 0;
    for (int i = 0; i < count; i++)
        total += pieces[i].iov_len;
    if (total == 0)
        return IO_DONE;
    size_t room = total + (total / RECORD_BYTES + 1) * RECORD_OVERHEAD_BYTES;
    if (total > WRITE_PENDING_MOST_BYTES ||
        connection_pending(connection) > WRITE_PENDING_MOST_BYTES - total)
        return connection_break(connection, ENOBUFS);
    if (!buffer_reserve(&connection->context->buffers, &connection->out, room, SIZE_MAX))
        return connection_break(connection, ENOMEM);
    size_t gathered = 0;
    for (int i = 0; i < count; i++) {
        if (pieces[i].iov_len > 0 && !encrypt_piece(connection, &pieces[i], &gathered))
            return IO_FAILED;
    }
    return encrypt(connection, connection->context->gather, gathered) ? IO_DONE : IO_FAILED;
}

/* ---- what was settled ---- */

bool connection_chose_h2(const struct connection *connection)
{
    const unsigned char *name = NULL;
    unsigned length = 0;
    if (connection->ssl)
        SSL_get0_alpn_selected(connection->ssl, &name, &length);
    return length == 2 && memcmp(name, "h2", 2) == 0;
}

/* ---- ending ---- */

void connection_tls_finish(struct connection *connection)
{
    SSL *ssl = connection->ssl;
    if (!ssl || connection->tls_failed || !SSL_is_init_finished(ssl))
        return;
    forget_errors();
    SSL_shutdown(ssl); /* the peer's close_notify is the reader's business */
    forget_errors();
}

void connection_tls_release(struct connection *connection)
{
    SSL *ssl = connection->ssl;
    if (!ssl)
        return;
    /* Freed without this, OpenSSL takes the session for broken and forgets it. */
    if (SSL_is_init_finished(ssl) && !connection->tls_failed)
        SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(ssl);
    connection->ssl = NULL;
    connection->untold = connection->held = false;
    buffer_give(&connection->context->buffers, &connection->in);
}
