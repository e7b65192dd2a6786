/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which client a request is from, by the name that backends know it by: what the client itself
 * passes, where its rule trusts that (client_id_header), else what was registered for its
 * certificate, else the certificate's common name.
 *
 * A field that a rule names is lb's own for the rule's whole pool: whatever clients send under that
 * name, by any rule, gets no further than here.
 */
#ifndef LB_LISTENERS_CLIENT_ID_H
#define LB_LISTENERS_CLIENT_ID_H

#include <stdbool.h>
#include <time.h>

#include "lb/base/slice.h"

struct error;
struct http_request;
struct identity;
struct rule;

enum { CLIENT_ID_FIELDS_MOST = 8 }; /* names for one pool: each field of a head meets them all */

/** The fields that tell one pool's backends a client's id. */
struct client_id_fields {
    unsigned count;
    struct slice names[CLIENT_ID_FIELDS_MOST];
};

/* Loading. */

/**
 * Can this be the value of client_id_header? A token, and no name that means something to lb, to
 * HTTP, or that another field of lb's own has; `_` counts as `-`.
 *
 * Fails: err says why not, and what would be right.
 */
bool client_id_header_check(const char *name, struct error *err);
/** Add a name unless it is there in some spelling. false: there is no room. */
bool client_id_fields_add(struct client_id_fields *fields, struct slice name);

/* Any thread. Nothing is allocated. */

/** Is it one of these names, in any case and with any byte but letters and digits for `-`? */
bool client_id_fields_have(const struct client_id_fields *fields, struct slice name);

/** Can an id be this? 1 to CERTIFICATE_TEXT_BYTES of UTF-8, no control characters, no blank at its
 * ends, which a field would lose. */
bool client_id_is_fit(struct slice id);

/**
 * The id of a client, for a request that may pass the rule.
 *
 * identity  NULL: it showed no certificate
 * now       wall clock, seconds
 * ret_id    of length 0: it has none, as everybody whom this rule has not verified; else lent: what
 *           was passed as long as the request, what was registered as long as the registry's view,
 *           a common name as long as the identity
 * returns   false: the client passes more than one, or one that is none; *ret_id is untouched
 */
bool client_id_find(const struct rule *rule, struct identity *identity,
                    const struct http_request *request, time_t now, struct slice *ret_id);

#endif
