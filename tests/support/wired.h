/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection of ours wired to a peer that is nothing of ours: a plain socket or OpenSSL on it.
 * Both live in one thread; the test turns the loop and moves the peer step by step.
 *
 *   struct connection in our loop ── socket pair or TCP on 127.0.0.1 ── peer_fd, SSL *peer
 */
#ifndef LB_TESTS_WIRED_H
#define LB_TESTS_WIRED_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>

#include "lb/base/connection.h"
#include "tests/support/certificates.h"
#include "tests/support/eventually.h"

struct wired {
    uv_loop_t loop;
    struct loop_context context;
    struct connection connection;
    void (*on_ready)(struct wired *wired, int events); /* NULL: it is only counted */
    unsigned ready_count;
    int events; /* of all wake-ups since the test cleared them */
    bool closed;
    uint64_t now_ms; /* of the deadlines, once wired_fake_time was called */
    int peer_fd;     /* non-blocking; -1: closed */
    SSL *peer;       /* NULL: plain */
    SSL_CTX *own_context;
    SSL_CTX *peer_context;
    struct made *ca;
    struct made *certificate;
    enum io shaken; /* what our last connection_handshake said */
};

struct wired_tls {
    int version;       /* TLS1_2_VERSION or TLS1_3_VERSION */
    bool own_client;   /* our side connects, the peer accepts */
    bool ask_client;   /* the accepting side demands a certificate, which the other does not have */
    bool keep_session; /* stateful sessions in the accepting side's cache */
};

/* What a peer's step gave, when it is not a count of bytes. */
enum { PEER_AGAIN = 0, PEER_END = -1, PEER_FAILED = -2 };

/* Both ends connected, ours open and waiting. tcp: over 127.0.0.1, else a socket pair. */
void wired_open(struct wired *wired, bool tcp);
/* Make contexts and SSLs with a certificate of a fresh CA; nothing is sent yet. */
void wired_start_tls(struct wired *wired, const struct wired_tls *wish);
/* Both handshakes until ours and the peer's are complete. */
void wired_shake(struct wired *wired);
/* wired_open, wired_start_tls unless version is 0, wired_shake. */
void wired_open_tls(struct wired *wired, bool tcp, int version);
/* connection_linger and connection_close with a callback that sets `closed`. */
void wired_linger(struct wired *wired);
void wired_end(struct wired *wired);
/* Close what is open, and prove that no buffer is lent and no handle left. */
void wired_close(struct wired *wired);

/* One turn of our loop that does not wait. */
void wired_turn(struct wired *wired);
/* Deadlines follow now_ms from here on. */
void wired_fake_time(struct wired *wired);

/* One attempt of the peer: bytes moved, or one of the enum above. */
ssize_t wired_peer_read(struct wired *wired, void *into, size_t room);
ssize_t wired_peer_write(struct wired *wired, const void *bytes, size_t length);
/* All of it; our side is not turned, so it must fit the socket. */
void wired_peer_send(struct wired *wired, const void *bytes, size_t length);
/* Our loop turns until the peer has got exactly `length` bytes. */
void wired_peer_receive(struct wired *wired, void *into, size_t length);
/* The peer's descriptor is closed; reset: so that we see a reset. */
void wired_peer_leave(struct wired *wired, bool reset);

/* Our loop turns until the condition is true; bounded like eventually(). */
#define wired_until(wired, condition)                                                              \
    do {                                                                                           \
        long long until_ms = eventually_now_ms() + EVENTUALLY_MS;                                  \
        while (!(condition)) {                                                                     \
            wired_turn(wired);                                                                     \
            ck_assert_msg(eventually_now_ms() < until_ms, "never came true: %s", #condition);      \
        }                                                                                          \
    } while (0)

#endif
