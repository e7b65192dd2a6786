/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session_persistence = cookie, as clients meet it: the token in a Cookie field, and the Set-Cookie
 * field that gives a client its token. What a token is, backends/persistence/persistence.h says.
 *
 *   Set-Cookie: LBSESSION=TOKEN; Path=/; Max-Age=319; HttpOnly; SameSite=Lax; Secure
 *
 * Path=/ because a pool may serve many paths of a host; no Domain, so that no other host gets it.
 * Max-Age is as long as the token is good, so that a browser that stays open forgets it as well.
 * SameSite=Lax: a link from elsewhere keeps its visitor at their backend. Secure exactly when the
 * client speaks https. Backends get the cookie like any other, and what they set themselves goes
 * to the client beside it.
 */
#ifndef LB_EXCHANGE_PERSISTENCE_COOKIE_H
#define LB_EXCHANGE_PERSISTENCE_COOKIE_H

#include <stdbool.h>
#include <stdint.h>

#include "lb/base/http1.h"
#include "lb/base/slice.h"

struct backend;
struct exchange;
struct pool;

enum {
    /* "Set-Cookie: ", a name of 64, '=', a token, the attributes with a Max-Age of 4 digits. */
    PERSISTENCE_COOKIE_LINE_BYTES = 256,
    /* Cookies of the right name and form that are looked at in one request; browsers send one or
       two, and each costs a hash. */
    PERSISTENCE_COOKIES_MOST = 16,
};

/**
 * The backend that the request's cookie means: the first good one counts, all else is passed over.
 *
 * pool         one that has `persistence`
 * ret_is_due   the client should get a new cookie all the same; set when a backend is found
 * returns      NULL: there is no good one.   Thread: any worker
 */
const struct backend *persistence_cookie_find(const struct pool *pool,
                                              const struct http_request *request, uint64_t now_ms,
                                              bool *ret_is_due);
/** Write the Set-Cookie line for a client of this backend, with its CRLF. returns: in `line`; empty
 * when memory is short. */
struct slice persistence_cookie_line(const struct pool *pool, const struct backend *backend,
                                     bool is_https, uint64_t now_ms,
                                     char line[PERSISTENCE_COOKIE_LINE_BYTES]);

/** Before the first choice: wish for the backend that the client had. Without cost where the pool
 * sets no cookies. */
void persistence_cookie_wish(struct exchange *exchange, const struct http_request *request);
/** With the head of the backend's answer: the Set-Cookie line, empty where the client has a good
 * one of this backend. line: lives as long as the result. */
struct slice persistence_cookie_give(const struct exchange *exchange,
                                     char line[PERSISTENCE_COOKIE_LINE_BYTES]);

#endif
