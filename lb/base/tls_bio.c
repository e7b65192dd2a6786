/* SPDX-License-Identifier: Apache-2.0 */
/* See tls_bio.h. */
#include "lb/base/tls_bio.h"

#include <errno.h>
#include <string.h>

#include "lb/base/buffer.h"
#include "lb/base/connection.h"
#include "lb/base/limits.h"

enum {
    /* Records add at most some 350 bytes to 16 KiB (TLS 1.2 with CBC), alerts and tickets a little
       more. */
    OUT_MOST_BYTES = WRITE_PENDING_MOST_BYTES + WRITE_PENDING_MOST_BYTES / 8,
};

static int bio_read(BIO *bio, char *into, size_t room, size_t *got)
{
    struct connection *connection = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    size_t length = connection->arrived_length < room ? connection->arrived_length : room;
    *got = length;
    if (length == 0) {
        BIO_set_retry_read(bio);
        return 0;
    }
    memcpy(into, connection->arrived, length);
    connection->arrived += length;
    connection->arrived_length -= length;
    return 1;
}

static int bio_write(BIO *bio, const char *bytes, size_t length, size_t *written)
{
    struct connection *connection = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    *written = length;
    /* Nobody will get it; SSL must not stumble over that, for what arrived may still be read. */
    if (connection->broken || connection->finished)
        return 1;
    if (buffer_append(&connection->context->buffers, &connection->out, bytes, length,
                      OUT_MOST_BYTES))
        return 1;
    if (connection->failure == 0)
        connection->failure = ENOBUFS;
    *written = 0;
    return 0;
}

static long bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
    (void)bio;
    (void)number;
    (void)pointer;
    return command ==
           BIO_CTRL_FLUSH; /* what is written is with the connection at once; no EOF, no depth */
}

/*
 * OpenSSL wants one method object for all BIOs of a kind; it is made once, never changed and shared
 * by all threads, like a constant that only OpenSSL can build. NULL stays: every tls_bio_new fails
 * then.
 */
static BIO_METHOD *method;
static CRYPTO_ONCE method_once = CRYPTO_ONCE_STATIC_INIT;

static void make_method(void)
{
    BIO_METHOD *made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "connection");
    if (!made)
        return;
    if (!BIO_meth_set_read_ex(made, bio_read) || !BIO_meth_set_write_ex(made, bio_write) ||
        !BIO_meth_set_ctrl(made, bio_ctrl)) {
        BIO_meth_free(made);
        return;
    }
    method = made; /* as long as the process: OpenSSL 4 has no hook to free it by */
}

BIO *tls_bio_new(struct connection *connection)
{
    if (!CRYPTO_THREAD_run_once(&method_once, make_method) || !method)
        return NULL;
    BIO *bio = BIO_new(method);
    if (!bio)
        return NULL;
    BIO_set_data(bio, connection);
    BIO_set_init(bio, 1);
    return bio;
}
