/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What lb adds to the head of a backend's answer, and what it takes out.
 *
 * Added: the persistence cookie; where client_headers_to says so, the fields that tell the client
 * who lb knows it to be, and with them "Cache-Control: private": they are right for one client, and
 * a cache on the way must not give them to the next one. (Vary could not say that: what they depend
 * on stands in no field of the request.) Taken out, on the same rules: what the backend says under
 * any name of an identity field, so that a client can believe them.
 *
 * Answers that lb gives itself have none of this: they are for whoever asks, and a refusal says its
 * reason in its own words.
 */
#ifndef LB_EXCHANGE_ANSWER_FIELDS_H
#define LB_EXCHANGE_ANSWER_FIELDS_H

#include <stdbool.h>

#include "lb/base/slice.h"
#include "lb/exchange/persistence_cookie.h"

struct buffer;
struct exchange;
struct http_field;
struct rule;

/** Lines to be added to one head; `lines` lives until answer_fields_done(). */
struct answer_fields {
    struct slice lines; /* for stream_head.extra */
    struct buffer *buffer;
    char cookie[PERSISTENCE_COOKIE_LINE_BYTES];
};

/**
 * Make the lines for the exchange's final answer.
 *
 * returns  false: out of memory; there is nothing to be done away with. Thread: the worker's.
 */
bool answer_fields_make(struct exchange *exchange, struct answer_fields *fields);
void answer_fields_done(struct exchange *exchange, struct answer_fields *fields);

/** Take out what the rule lets no backend tell its clients, of a head or of trailers. returns: how
 * many are left. */
unsigned answer_fields_strip(const struct rule *rule, struct http_field *fields, unsigned count);

#endif
