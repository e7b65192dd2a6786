/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A rule that asks for certificates of one CA, and what lb would tell of those who show one.
 *
 *   teller_open(&teller);
 *   struct made *alice = made_client(teller.ca, "alice");
 *   struct identity *identity = teller_meets(&teller, alice);
 *   char *text = teller_tells(&teller, "nginx", identity, time(NULL));
 */
#ifndef LB_TESTS_TELLER_H
#define LB_TESTS_TELLER_H

#include "listeners/identity.h"
#include "listeners/identity_headers.h"
#include "listeners/rules/policy.h"
#include "tests/support/certificates.h"
#include "tests/support/tls_stage.h"

struct teller {
    struct stage stage; /* for its CA sets */
    struct made *ca;
    struct policy policy;
    struct client_auth auth; /* requests certificates of `ca` */
};

void teller_open(struct teller *teller);
void teller_close(struct teller *teller);

/** The identity of who shows this certificate and its chain, for identity_unref. */
struct identity *teller_meets(const struct teller *teller, const struct made *made);

/** All presets that this build has. */
unsigned teller_all_presets(void);
/** The bit of one; NULL: all. */
unsigned teller_preset(const char *name);

/** The fields as one text, freed by the caller. The room they are written into is exact, so that a
 * sanitizer sees a byte too many. preset: NULL means all. */
char *teller_tells(const struct teller *teller, const char *preset, struct identity *identity,
                   time_t now);

/** The value of a field of such a text, "" when it is missing; kept until the next call. */
const char *teller_value(const char *text, const char *field);

/** What a certificate that no CA tool would make says of itself. NULL: nothing. */
struct odd_names {
    const char *common_name; /* may have any byte */
    size_t common_name_bytes;
    const char *uri;
    size_t uri_bytes;
    const char *dns;
    size_t dns_bytes;
    unsigned dns_count; /* so many of the same; 0: one */
};
/** `made`, with these names instead, signed anew by `issuer`. */
void odd_names_give(struct made *made, const struct made *issuer, const struct odd_names *names);

#endif
