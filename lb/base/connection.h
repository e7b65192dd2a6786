/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One TCP connection of one loop, plain or TLS, client side or backend side.
 *
 * Readiness wakes the owner (`on_ready`), which then reads, works and writes until something would
 * block, and returns: nothing here ever calls the owner from inside the owner's call.
 *
 *   socket ── recv ──> loop-wide bytes ──(BIO)──> SSL ──> caller's buffer    one recv a wake-up
 *   socket <── send ── `out` <──(BIO)── SSL <── caller's bytes               one send a write
 *
 * The descriptor is registered once, for reading; interest in writing is added only after EAGAIN.
 * An idle connection owns no buffer: `in` (unread ciphertext) and `out` (unsent bytes) go back to
 * the loop's pool when empty.
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
    char cipher[FLOW_BYTES]; /* the recv of this wake-up, before TLS */
    /* free for the owner of the running callback to read into; a record that was begun before fits,
       too */
    char plain[FLOW_BYTES + RECORD_BYTES];
    char gather[RECORD_BYTES]; /* joins a head and the first body bytes into one record */
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
    int interest; /* what poll is registered for */
    SSL *ssl;     /* NULL: plain */
    struct buffer *in;
    struct buffer *out;
    /* the part of context->cipher the BIO may read during this call */
    const char *arrived;
    size_t arrived_length;
    bool drained;    /* the last recv was short: EAGAIN is certain until the next on_ready */
    bool ended;      /* the peer finished its direction: FIN or close_notify */
    bool truncated;  /* TLS: by FIN alone; HTTP's framing says whether something is missing */
    bool held;       /* TLS: SSL can give more without another byte from the socket */
    bool untold;     /* an end or failure found behind returned bytes; the next read tells */
    bool failed;     /* nothing can be written any more, because … */
    bool tls_failed; /* … TLS failed: an alert may still be in `out`, or … */
    bool broken;     /* … the socket did */
    bool finishing;  /* connection_finish was called: shut down writing once `out` is sent … */
    bool finished;   /* … which is done */
    bool lingering;  /* the owner is gone; readiness serves connection_linger */
    bool closing;
    int failure; /* errno of the first socket failure, or 0 */
    /* ERR code of the first TLS error, in TLS's own words if there is one; or 0 */
    unsigned long tls_failure;
    connection_ready_callback on_ready;
    connection_closed_callback on_closed;
    uint64_t sent_bytes;  /* given to the socket */
    uint64_t taken_bytes; /* of these, what the peer had when connection_was_taken looked last */
    struct deadline linger;
    size_t lingered_bytes;
};

/**
 * Take over a connected (or connecting) non-blocking descriptor and wait for readability. Nothing
 * is read before the first on_ready. What is written while connecting waits in `out`.
 *
 * connection  every field is set here; must not move until on_closed
 * fd          taken, also on failure (then closed, and the memory may be freed at once)
 * Fails:      descriptor cannot be watched.   Thread: the loop's.
 */
bool connection_open(struct connection *connection, struct loop_context *context, int fd,
                     connection_ready_callback on_ready, struct error *err);

/**
 * Ask for one CONNECTION_WRITABLE without writing: a started connect is decided then
 * (socket_connect_result). Interest ends with the next connection_flush that leaves nothing
 * pending.
 */
void connection_await_writable(struct connection *connection);

/**
 * Speak TLS from now on; ssl taken. Its BIO, modes and "no renegotiation" are set here, its role
 * (accept/connect state) by the caller. Out of memory shows as IO_FAILED of the handshake.
 */
void connection_start_tls(struct connection *connection, SSL *ssl);

/**
 * Go on with the handshake, with at most one recv; then send what it produced, alerts of a failure
 * too.
 *
 * returns  IO_DONE: complete; application data that came with it is kept (connection_has_unread).
 *          IO_AGAIN: on_ready will come, unless a callback of the SSL's owner paused the handshake:
 * then the owner calls again. IO_END: the peer left. IO_FAILED: connection_linger delivers the
 * alert.
 */
enum io connection_handshake(struct connection *connection);

/** Did its TLS handshake settle on HTTP/2 (ALPN "h2", RFC 9113 3.2)? A plain one has settled
 * nothing. */
bool connection_chose_h2(const struct connection *connection);

/**
 * Read up to `room` (over 0) bytes of plaintext. IO_DONE: *got > 0. At most one recv per call, none
 * when drained; with TLS all that is received fits if `room` is READ_BYTES + RECORD_BYTES or more.
 * Also after a failed write: what the peer said before it closed can still be read.
 *
 * IO_DONE may leave bytes inside: read on until IO_AGAIN, or ask connection_has_unread before
 * waiting. IO_END: see `truncated`; interest in reading is dropped by itself.
 */
enum io connection_read(struct connection *connection, char *into, size_t room, size_t *got);

/* More pieces in one connection_write fail with EMSGSIZE. */
enum { CONNECTION_PIECES_MOST = 16 };

/**
 * Take all bytes, send what the socket accepts with one system call, keep the rest in `out`.
 * TLS: small pieces share records; plain: no copy of what is sent at once.
 *
 * returns  IO_DONE (all sent), IO_AGAIN (kept: connection_pending() > 0, CONNECTION_WRITABLE will
 * come), IO_FAILED (also after connection_finish; ENOBUFS: over WRITE_PENDING_MOST_BYTES) pieces
 * borrowed; must not lie in context->gather; at most CONNECTION_PIECES_MOST
 */
enum io connection_write(struct connection *connection, const struct iovec *pieces, int count);

/** Send on what `out` keeps; call on CONNECTION_WRITABLE. IO_DONE: nothing pending any more. */
enum io connection_flush(struct connection *connection);

/** Bytes taken but not yet sent. The owner stops feeding while this is over 0. */
size_t connection_pending(const struct connection *connection);

/** How many bytes the socket would take now, about; 0: it is blocked or nobody knows. One system
 * call, or none. */
size_t connection_room(const struct connection *connection);

/**
 * Did the peer take bytes since the last call, or since writing last began to block? The socket's
 * own buffer may hold megabytes and hides for long that a slow peer reads. One system call.
 *
 * returns  false also when nothing is on its way
 */
bool connection_was_taken(struct connection *connection);

/**
 * Stop or resume waiting for readability (back-pressure). No call when unchanged; nothing to wait
 * for, and nothing done, after IO_END. When resuming, ask connection_has_unread first: for those
 * bytes no on_ready comes.
 */
void connection_want_read(struct connection *connection, bool want);

/**
 * Something that no on_ready will announce waits inside: ciphertext that did not fit the last
 * read's room, decrypted bytes, or an end or failure found behind returned bytes. Read then; the
 * answer may be IO_AGAIN (half a record). Bytes still in the kernel do not count: on_ready comes
 * for them.
 */
bool connection_has_unread(const struct connection *connection);

/**
 * TLS: queue close_notify; then (both) shut down writing once `out` is sent, maybe in a later
 * connection_flush. The read side stays. Nothing can be written any more. Results as
 * connection_flush.
 */
enum io connection_finish(struct connection *connection);

/** Words for why the last call failed: "connection reset by peer", "bad record mac". Static or
 * per-thread text. */
const char *connection_failure(const struct connection *connection);

/**
 * Close now; on_closed (may be NULL) comes from the loop. SSL and buffers are released at once; the
 * session of a handshake that succeeded stays resumable. A second call changes nothing. Not from
 * inside an SSL callback.
 */
void connection_close(struct connection *connection, connection_closed_callback on_closed);

/**
 * End politely: send what is pending and close_notify or alert, shut down writing, read and drop
 * what the peer still sends (at most LINGER_BYTES), then close. It waits LINGER_MS for the peer,
 * anew as long as it takes some of what was written, which is bounded. on_ready is not
 * called any more, SSL is released at once; connection_close may cut it short.
 * Why: an alert or early answer followed by close() is lost behind a reset when client data is
 * queued.
 */
void connection_linger(struct connection *connection, connection_closed_callback on_closed);

#endif
