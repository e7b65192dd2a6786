/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Certificates as nobody should make them: what RFC 5280 says of each, and the name of the refusal.
 *
 *   for (unsigned i = 0; i < strange_count; i++) {
 *       struct made *guest = strange_client(&strange_ones[i], ca);
 *       … strange_ones[i].refusal …
 *
 * One table for verification, for handshakes and for the corpus of the fuzz target.
 */
#ifndef LB_TESTS_STRANGE_H
#define LB_TESTS_STRANGE_H

#include "listeners/refusal.h"
#include "tests/support/certificates.h"

struct strange {
    const char *name;       /* a file's, too: letters, digits, `-` */
    enum refusal refusal;   /* of a client's own certificate like this */
    enum refusal as_issuer; /* of a good client behind an intermediate CA like this */
    enum refusal ends_with; /* the handshake ends, whatever the rule says; NONE: it does not */
    struct certificate_wish wish; /* but for the issuer and, as an intermediate, what makes a CA */
};

extern const struct strange strange_ones[];
extern const unsigned strange_count;

/** A client's certificate of this kind. */
struct made *strange_client(const struct strange *strange, const struct made *ca);
/** A good client's, behind an intermediate CA of this kind. */
struct made *strange_descendant(const struct strange *strange, const struct made *ca);
/** Those that no reader takes for certificates, but that OpenSSL's client sends. They cannot be
 * written to a file. */
extern const struct strange undecodable_ones[];
extern const unsigned undecodable_count;

#endif
