/* SPDX-License-Identifier: Apache-2.0 */
/* OpenSSL writes into memory until the handshake is done; what it wrote is cut and sent. */
#include "tests/support/hello.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <poll.h>
#include <sys/socket.h>

#include "tests/support/peer.h"
#include "tests/support/text.h"

enum { RECORD_HEAD_BYTES = 5, MESSAGE_HEAD_BYTES = 4, TYPE_HANDSHAKE = 22, CLIENT_HELLO = 1 };

/* false: the other side has had enough, and says so by an alert. */
static bool send_all(int fd, const char *bytes, size_t length)
{
    while (length > 0) {
        struct pollfd ready = {.fd = fd, .events = POLLOUT};
        ck_assert_int_gt(poll(&ready, 1, PEER_PATIENCE_S * 1000), 0);
        ssize_t sent = send(fd, bytes, length, MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN)
            return false;
        bytes += sent > 0 ? sent : 0;
        length -= sent > 0 ? (size_t)sent : 0;
    }
    return true;
}

static void add_record(struct text *into, const unsigned char *head, const char *bytes,
                       size_t length)
{
    const unsigned char again[RECORD_HEAD_BYTES] = {
        head[0], head[1], head[2], (unsigned char)(length >> 8), (unsigned char)length};
    text_add(into, again, sizeof again);
    text_add(into, bytes, length);
}

static void send_hello(int fd, const char *record, size_t length, struct hello_cut *cut)
{
    struct text wire = {0};
    const char *message = record + RECORD_HEAD_BYTES;
    size_t bytes = length - RECORD_HEAD_BYTES;
    size_t step = cut->record_bytes ? cut->record_bytes : cut->record_at;
    if (cut->hellos++ == 0)
        cut->message_bytes = bytes;
    for (size_t at = 0; at < bytes;) {
        size_t piece = step && step < bytes - at ? step : bytes - at;
        add_record(&wire, (const unsigned char *)record, message + at, piece);
        at += piece;
        step = cut->record_bytes;
        if (!cut->in_segments)
            continue;
        send_all(fd, wire.bytes, wire.length);
        text_drop(&wire, wire.length);
    }
    size_t first = cut->segment_at < wire.length ? cut->segment_at : wire.length;
    if (send_all(fd, wire.bytes, first))
        send_all(fd, wire.bytes + first, wire.length - first);
    text_done(&wire);
}

/* Its message fills the record; an encrypted one may begin with the same byte. */
static bool is_hello(const unsigned char *record, long length)
{
    const unsigned char *message = record + RECORD_HEAD_BYTES;
    return length > RECORD_HEAD_BYTES + MESSAGE_HEAD_BYTES && record[0] == TYPE_HANDSHAKE &&
           message[0] == CLIENT_HELLO &&
           ((long)message[1] << 16 | message[2] << 8 | message[3]) ==
               length - RECORD_HEAD_BYTES - MESSAGE_HEAD_BYTES;
}

/* All that OpenSSL has written since, record by record. */
static void flush(BIO *written, int fd, struct hello_cut *cut)
{
    char *at = NULL;
    long left = BIO_get_mem_data(written, &at);
    while (left > 0) {
        ck_assert_int_ge(left, RECORD_HEAD_BYTES);
        const unsigned char *head = (const unsigned char *)at;
        long length = RECORD_HEAD_BYTES + ((long)head[3] << 8 | head[4]);
        if (is_hello(head, length))
            send_hello(fd, at, (size_t)length, cut);
        else
            send_all(fd, at, (size_t)length);
        at += length;
        left -= length;
    }
    ck_assert_int_eq(BIO_reset(written), 1);
}

static void await_bytes(int fd)
{
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    ck_assert_msg(poll(&ready, 1, PEER_PATIENCE_S * 1000) > 0, "no answer to a hello");
}

bool hello_shake(SSL *tls, int fd, struct hello_cut *cut)
{
    BIO *socket = BIO_new_socket(fd, BIO_NOCLOSE);
    BIO *written = BIO_new(BIO_s_mem());
    int flags = fcntl(fd, F_GETFL);
    ck_assert(socket && written && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0);
    SSL_set_bio(tls, socket, written);
    int result = 0;
    for (bool again = true; again;) {
        ERR_clear_error();
        result = SSL_connect(tls);
        again = SSL_get_error(tls, result) == SSL_ERROR_WANT_READ;
        flush(written, fd, cut);
        if (cut->second_name)
            SSL_set_tlsext_host_name(tls, cut->second_name);
        if (again)
            await_bytes(fd);
    }
    ck_assert_int_eq(BIO_up_ref(socket), 1);
    SSL_set0_wbio(tls, socket);
    ck_assert_int_eq(fcntl(fd, F_SETFL, flags), 0);
    return result == 1;
}
