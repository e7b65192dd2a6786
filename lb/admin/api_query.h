/* SPDX-License-Identifier: Apache-2.0 */
/* What stands behind the '?' of a call: keys and values, decoded. */
#ifndef LB_ADMIN_API_QUERY_H
#define LB_ADMIN_API_QUERY_H

#include <stdbool.h>
#include <stdint.h>

struct api_request;
struct error;

enum { API_QUERY_PAIRS_MOST = 32 };

struct api_query {
    char *text; /* owned; keys and values lie in it */
    unsigned count;
    struct {
        const char *key;
        const char *value; /* NULL: there is no '=' */
    } pairs[API_QUERY_PAIRS_MOST];
};

/**
 * Read "ca=abc&expiring": %XX is decoded, '+' stands for itself, empty pairs are passed over.
 *
 * Fails:   an escape that is none or means NUL, too many pairs, a key twice, out of memory; err
 * says which. api_query_done after true and false alike. Thread:  any.
 */
bool api_query_read(struct api_query *query, const char *text, struct error *err);
void api_query_done(struct api_query *query);

/** Is the key there, with a value or without? */
bool api_query_has(const struct api_query *query, const char *key);
/** NULL: the key is not there, or has no value. */
const char *api_query_value(const struct api_query *query, const char *key);

/**
 * Are these all the keys that a call takes?
 *
 * keys     closed by NULL; NULL: none
 * Fails:   another one is there; err says which, and what it might have meant
 */
bool api_query_allows(const struct api_query *query, const char *const *keys, struct error *err);

/** The same of a request, by the keys of its route; where those are its handler's, all do. Fails,
 * too, when the query cannot be read. */
bool api_query_fits(const struct api_request *request, struct error *err);

/**
 * A whole number from 0 of the query, as in "?rules=20".
 *
 * ret      left as it is where the key is not there
 * Fails:   it is no such number, or the query cannot be read; err says why
 */
bool api_query_number(const struct api_request *request, const char *key, int64_t *ret,
                      struct error *err);

/** Decode %XX in place. false: an escape that is none, or means NUL. */
bool api_decode(char *text);

#endif
