/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A peer's HTTP/2 tongue. Where the environment says LB_TEST_HTTP=2, what a story says over TLS as
 * HTTP/1.1 text goes to lb as HTTP/2, and what comes back stands in the peer's inbox as HTTP/1.1
 * text, so that a story is told once and runs over both.
 *
 *   said                              sent
 *   a head                            HEADERS; Host is :authority, cookies go one by one, fields of
 *                                     the connection stay behind
 *   a body of known length, chunks    DATA, END_STREAM
 *   trailers                          HEADERS, END_STREAM
 *   several requests in one text      several streams; their answers are written in their order
 *   Upgrade: websocket                extended CONNECT (RFC 8441), then all that is said is DATA
 *   a half-close                      END_STREAM of a tunnel; else GOAWAY, and CANCEL of a body
 *                                     that is not whole
 *
 *   received                          read
 *   HEADERS                           a head; without Content-Length its body is chunked
 *   :status 200 of a tunnel           101
 *   RST_STREAM within an answer       the connection ends there (was_reset)
 *   GOAWAY before the last head       Connection: close, in that head
 *
 * Who said Connection: close sees the end behind that answer, as HTTP/1.1 has it.
 */
#ifndef LB_TESTS_PEER_HTTP2_H
#define LB_TESTS_PEER_HTTP2_H

#include <stdbool.h>
#include <stddef.h>

struct peer;

/* Does the environment wish for HTTP/2? */
bool peer_http2_is_wanted(void);

/* Life. */
/* After a handshake that offered h2: fails the test unless h2 was chosen. */
void peer_http2_open(struct peer *peer);
/* Frees it; nothing is sent. Fine without. */
void peer_http2_close(struct peer *peer);

/* As those of peer.h without `http2`. What flow control holds back is sent when the peer receives.
 */
bool peer_http2_send(struct peer *peer, const void *bytes, size_t length);
size_t peer_http2_send_without_waiting(struct peer *peer, const void *bytes, size_t length);
bool peer_http2_receive(struct peer *peer);
void peer_http2_finish(struct peer *peer);
/* What has come goes to the inbox, without waiting. */
void peer_http2_keep_up(struct peer *peer);

#endif
