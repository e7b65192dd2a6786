/* SPDX-License-Identifier: Apache-2.0 */
/* Alternative names of a certificate: "dns:…", "uri:…", "email:…", "ip:…". For issue_*.c only. */
#ifndef LB_LISTENERS_REGISTRY_ISSUE_NAMES_H
#define LB_LISTENERS_REGISTRY_ISSUE_NAMES_H

#include <openssl/x509v3.h>
#include <stdbool.h>

#include "lb/base/error.h"
#include "listeners/registry/issuer.h"

enum {
    NAME_DNS_BYTES = 253,   /* RFC 1035 */
    NAME_EMAIL_BYTES = 254, /* RFC 5321 */
    NAME_URI_BYTES = 2048,  /* what SPIFFE allows, and browsers */
};

/** Are the wish's alternative names right? */
bool names_check(const struct issue_wish *wish, struct error *err);

/**
 * Make those of a wish, which is checked.
 *
 * ret_names  owned; NULL: it has none
 * returns    false: err
 */
bool names_of_wish(const struct issue_wish *wish, GENERAL_NAMES **ret_names, struct error *err);

/** Take those that a CSR asks for; of other kinds than the four none is taken, but refused. */
bool names_of_request(X509_REQ *request, GENERAL_NAMES **ret_names, struct error *err);

#endif
