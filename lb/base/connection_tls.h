/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The seam inside a connection: connection.c has the socket (life, readiness, `out`),
 * connection_tls.c what TLS does with it. For these two files only. Thread: the loop's.
 */
#ifndef LB_BASE_CONNECTION_TLS_H
#define LB_BASE_CONNECTION_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/uio.h>

#include "lb/base/connection.h"

/* ---- connection.c, for connection_tls.c ---- */

/** At most one recv; none behind an end or when drained. IO_DONE: *got > 0. */
enum io connection_receive(struct connection *connection, char *into, size_t room, size_t *got);

/** The peer's direction is over: from here on receive says IO_END, and reading is not waited for.
 */
void connection_end_reading(struct connection *connection);

/** The socket is of no use for writing: drop `out`, remember the first errno. Always IO_FAILED. */
enum io connection_break(struct connection *connection, int failure);

/** A send met EAGAIN and CONNECTION_WRITABLE is waited for. */
static inline bool connection_is_blocked(const struct connection *connection)
{
    return connection->interest & UV_WRITABLE;
}

/* ---- connection_tls.c, for connection.c ---- */

/** As connection_read, through SSL. */
enum io connection_tls_read(struct connection *connection, char *into, size_t room, size_t *got);

/** Encrypt all pieces into `out`. IO_DONE or IO_FAILED. */
enum io connection_tls_encrypt(struct connection *connection, const struct iovec *pieces,
                               int count);

/** Put close_notify into `out` if the handshake is complete and nothing failed. */
void connection_tls_finish(struct connection *connection);

/** Free SSL and what it had not read; the session of a good connection stays resumable. */
void connection_tls_release(struct connection *connection);

#endif
