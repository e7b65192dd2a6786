/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The names in a client's certificate, one by one, as allow_client compares them. Each is looked
 * for in its own place only: a host name in a common name is no dns name.
 */
#ifndef LB_LISTENERS_IDENTITY_NAMES_H
#define LB_LISTENERS_IDENTITY_NAMES_H

#include <stdbool.h>

#include "lb/base/slice.h"
#include "listeners/allow/name_pattern.h"

struct identity;

/** Is this the one that is looked for? name: as name_normalise() has it; lent for the call. */
typedef bool (*identity_name_test)(const void *asker, enum name_kind kind, struct slice name);

enum identity_names_outcome {
    IDENTITY_NAMES_TAKEN,  /* one was taken */
    IDENTITY_NAMES_NONE,   /* all were looked at */
    IDENTITY_NAMES_UNSURE, /* memory was short: there may be names that were not looked at */
};

/**
 * Offer all names of some kinds until one is taken: cn and ou of the subject (each, however many),
 * dns, uri and email of subjectAltName, issuer as logs write it, sha256 and spki (of the
 * certificate and of its SubjectPublicKeyInfo, DER).
 *
 * What is written in another encoding than UTF8String, PrintableString, IA5String, NumericString
 * or VisibleString, and what name_normalise() does not take, is passed over; so is what stands
 * behind the first ALLOWED_NAMES_MOST names of these kinds, and an issuer too long for the log.
 *
 * kinds    a set of bits, 1 << enum name_kind; client-id is none of the certificate's
 * Thread:  any. Allocates where subjectAltName or spki is asked.
 */
enum identity_names_outcome identity_names_find(const struct identity *identity, unsigned kinds,
                                                identity_name_test test, const void *asker);

/** The client id of who is not registered under one: the common name, if it is written as above;
 * else of length 0. Lent as long as the identity. Does not allocate. */
struct slice identity_common_name(const struct identity *identity);

#endif
