/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One TCP connection of one loop, plain or TLS, client side or backend side.
 *
 * Readiness wakes the owner (`on_ready`), which then reads, works and writes until something would
 * block, and returns: nothing here ever calls the owner from inside the owner's call.
 *
 *   socket ── recv ──> loop-wide bytes ──(BIO)──> SSL ──> caller's buffer        one recv per wake-up
 *   socket <── send ── `out` <──(BIO)── SSL <── caller's bytes                   one send per write
 *
 * The descriptor is registered once, for reading; interest in writing is added only after EAGAIN.
 * An idle connection owns no buffer: `in` (unread ciphertext) and `out` (unsent bytes) go back to the
 * loop's pool when empty.
 */
#ifndef LB_BASE_CONNECTION_H
#define LB_BASE_CONNECTION_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>
#include <uv.h>

#include "lb/base/buffer.h"
#include "lb/base/deadline.h"
#include "lb/base/limits.h"

struct error;

/** What all connections of one loop share. One per worker; used by its thread only. */
struct loop_context {
    uv_loop_t *loop;
    struct deadlines deadlines;
    struct buffer_pool buffers;
    char cipher[READ_BYTES];            /* the recv of this wake-up, before TLS */
    char plain[READ_BYTES];             /* free for the owner of the running callback to read into */
    char gather[16 * 1024];             /* joins a head and the first body bytes into one record */
};

void loop_context_init(struct loop_context *context, uv_loop_t *loop);
/** All connections must be closed; run the loop once more afterwards. */
void loop_context_close(struct loop_context *context);
void loop_context_done(struct loop_context *context);

enum io {
    IO_DONE,   /* something was read, or everything was taken */
    IO_AGAIN,  /* nothing now; on_ready will come */
    IO_END,    /* the peer finished its direction (close_notify, FIN) */
    IO_FAILED, /* reset, TLS error; see connection_failure() */
};

enum connection_ready { CONNECTION_READABLE = 1, CONNECTION_WRITABLE = 2 };

struct connection;
/** events: set of enum connection_ready. The connection may be closed inside. */
typedef void (*connection_ready_callback)(struct connection *connection, int events);
/** Called once, from the loop, when the descriptor is gone and the memory may be freed. */
typedef void (*connection_closed_callback)(struct connection *connection);

struct connection {
    uv_poll_t poll;
    struct loop_context *context;
    int fd;
    int interest;  /* what poll is registered for */
    SSL *ssl;      /* NULL: plain */
    struct buffer *in;
    struct buffer *out;
    /* the part of context->cipher the BIO may read during this call */
    const char *arrived;
    size_t arrived_length;
    bool drained;  /* the last recv was short: EAGAIN is certain until the next on_ready */
    bool ended;    /* recv said 0 */
    bool failed;
    bool closing;
    int failure;   /* errno, or 0 */
    unsigned long tls_failure; /* ERR code of the first TLS error, or 0 */
    connection_ready_callback on_ready;
    connection_closed_callback on_closed;
    struct deadline linger;
    size_t lingered_bytes;
};

/**
 * Take over a connected (or connecting) non-blocking descriptor and wait for readability.
 *
 * fd       taken, also on failure (then closed)
 * Fails:   descriptor cannot be watched.   Thread: the loop's.
 */
bool connection_open(struct connection *connection, struct loop_context *context, int fd,
                     connection_ready_callback on_ready, struct error *err);

/** Speak TLS from now on; ssl taken. Its BIOs are set here, its role (accept/connect state) by the caller. */
void connection_start_tls(struct connection *connection, SSL *ssl);

/** Go on with the handshake. IO_DONE: complete (what came behind it is kept). Alerts are flushed also on failure. */
enum io connection_handshake(struct connection *connection);

/** Read up to `room` bytes of plaintext. IO_DONE: *got > 0. At most one recv per call, none when drained. */
enum io connection_read(struct connection *connection, char *into, size_t room, size_t *got);

/**
 * Take all bytes, send what the socket accepts with one system call, keep the rest in `out`.
 * TLS: small pieces share records; plain: no copy of what is sent at once.
 *
 * returns  IO_DONE (all sent), IO_AGAIN (kept: connection_pending() > 0, CONNECTION_WRITABLE will come),
 *          IO_FAILED
 */
enum io connection_write(struct connection *connection, const struct iovec *pieces, int count);

/** Send on what `out` keeps; call on CONNECTION_WRITABLE. IO_DONE: nothing pending any more. */
enum io connection_flush(struct connection *connection);

/** Bytes taken but not yet sent. The owner stops feeding while this is over 0. */
size_t connection_pending(const struct connection *connection);

/** Stop or resume waiting for readability (back-pressure; half-closed peers). No call when unchanged. */
void connection_want_read(struct connection *connection, bool want);

/** Wait for writability although nothing is pending: only for a connect that is not decided yet. A decided connect, good or
 *  bad, gives CONNECTION_WRITABLE; then stop wanting. */
void connection_want_write(struct connection *connection, bool want);

/** Bytes already received and decrypted-or-not wait inside: a read will give something without on_ready. */
bool connection_has_unread(const struct connection *connection);

/** TLS: queue close_notify; then (both) shut down writing once `out` is sent. The read side stays. */
enum io connection_finish(struct connection *connection);

/** Words for why the last call failed: "connection reset by peer", "bad record mac". Static or per-thread text. */
const char *connection_failure(const struct connection *connection);

/** Close now; on_closed comes from the loop. SSL and buffers are released at once. */
void connection_close(struct connection *connection, connection_closed_callback on_closed);

/**
 * End politely: send what is pending and close_notify or alert, shut down writing, read and drop what the
 * peer still sends (at most LINGER_BYTES and LINGER_MS), then close. on_ready is not called any more.
 * Why: an alert or early answer followed by close() is lost behind a reset when client data is queued.
 */
void connection_linger(struct connection *connection, connection_closed_callback on_closed);

#endif
