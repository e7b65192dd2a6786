/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fields that tell a backend, or a client, who the client is. Every known name, in any case and
 * with `_` for `-`, is stripped from what clients send, on every rule and in trailers; only lb
 * itself says who a client is.
 *
 * What a preset (identity_headers/identity_preset.h) says of a verified client is the same in each
 * of its requests: it is rendered once and shared by all connections of its identity. Only a
 * client that is not verified has its Verify fields written anew, and nothing else: a name that
 * nobody has verified must not reach a backend that forgets to look.
 */
#ifndef LB_LISTENERS_IDENTITY_HEADERS_H
#define LB_LISTENERS_IDENTITY_HEADERS_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "lb/base/limits.h"
#include "lb/base/slice.h"
#include "listeners/identity_headers/identity_preset.h"
#include "listeners/rules/rule.h"

struct identity;
struct identity_header_values;

/**
 * Is this the name of an identity field of any preset (rfc9440, cloudflare, x-cert, nginx, aws,
 * xfcc, …-Too-Large), or of another proxy's that means the same? Whatever begins like one is: a
 * preset's names may grow. Any case; every byte that is neither letter nor digit equals `-`.
 * Thread: any. Pure, made to be asked for every field of every request.
 */
bool identity_header_is_known(struct slice name);

/** What is told of one client at one time: found once, then measured and written. A value; good as
 * long as the identity. */
struct identity_headers {
    unsigned presets;
    enum refusal verdict; /* NONE: verified */
    size_t bytes;         /* that identity_headers_put() may need */
    bool is_lost;         /* out of memory: it must not be told, for half of it would be */
    struct slice texts[IDENTITY_PRESETS_MOST]; /* of a verified client */
    unsigned text_count;
};

/**
 * Find what `presets` tell of a client.
 *
 * presets   bits, as of struct client_headers
 * rule      whose CAs, CRLs and OCSP decide: policy_verdict()
 * identity  NULL: no certificate was shown
 * Thread:   any. Takes no lock; allocates when an identity meets a preset for the first time.
 */
struct identity_headers identity_headers_find(unsigned presets, const struct client_auth *rule,
                                              struct identity *identity, time_t now);
/** Write it ("Name: value\r\n" each) into `into`, of headers->bytes. returns: bytes written. */
size_t identity_headers_put(const struct identity_headers *headers, char *into);

/**
 * Both at once, for a rule's backends.
 *
 * returns   bytes written; 0: the rule tells its backends nothing, or not all of it fits
 *           (IDENTITY_HEADERS_MOST_BYTES always do)
 */
size_t identity_headers_write(const struct rule *rule, struct identity *identity, time_t now,
                              char *into, size_t room);

/** For identity.c: NULL is fine. */
void identity_header_values_free(struct identity_header_values *values);

#endif
