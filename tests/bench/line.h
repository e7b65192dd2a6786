/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One TLS connection to the server, non-blocking and registered once with the plan's epoll,
 * edge-triggered for both directions: every event leads to an attempt, and every attempt goes on
 * until it would block.
 *
 * What fails says why in plan->failure; the line stays as it is until line_close().
 */
#ifndef LB_BENCH_LINE_H
#define LB_BENCH_LINE_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>

#include "tests/bench/visitor_plan.h"

enum {
    LINE_RECORD_BYTES = 16 * 1024,
    LINE_TURN_BYTES = 1 << 20, /* of a body, before others have their turn */
};

enum line_outcome {
    LINE_DONE,
    LINE_WAITS, /* for news of the socket */
    LINE_FAILED,
};

struct line {
    int socket; /* -1: none */
    SSL *tls;
};

/**
 * Begin to connect. Events of the socket carry `owner`, which is also the app data of line->tls.
 *
 * session  to resume, or NULL
 * returns  LINE_DONE when it is connected already
 */
enum line_outcome line_open(struct visitor_plan *plan, struct line *line, void *owner,
                            SSL_SESSION *session);

/** Is it connected by now? */
enum line_outcome line_meet(struct visitor_plan *plan, struct line *line);

/** Go on with the TLS handshake. */
enum line_outcome line_shake(struct visitor_plan *plan, struct line *line);

/** More is to be done, but others shall not wait for it: an event comes soon. false: failed. */
bool line_go_on_later(struct visitor_plan *plan, struct line *line, void *owner);

/** End it at once; a line that is not there stays so. */
void line_close(struct line *line);

/** To be called before any call of OpenSSL whose failure is looked at. */
void line_before_tls(void);

/** Did this call of OpenSSL only want news of the socket? */
bool line_would_block(const struct line *line, int result);

/** Note in plan->failure what went wrong: one line, fit for JSON, whatever a peer sent. */
void line_note(struct visitor_plan *plan, const char *doing, const char *reason);

/** The same for a call of OpenSSL with this result. */
void line_note_tls(struct visitor_plan *plan, const struct line *line, const char *doing,
                   int result);

#endif
