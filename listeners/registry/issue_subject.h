/* SPDX-License-Identifier: Apache-2.0 */
/* The subject of a certificate: of a wish, of a CSR, of both. For issuer*.c and issue_*.c only. */
#ifndef LB_LISTENERS_REGISTRY_ISSUE_SUBJECT_H
#define LB_LISTENERS_REGISTRY_ISSUE_SUBJECT_H

#include <openssl/x509.h>
#include <stdbool.h>

#include "lb/base/error.h"
#include "listeners/registry/issuer.h"

enum {
    SUBJECT_TEXT_CHARACTERS = 64, /* ub-common-name and its like, RFC 5280 appendix A.1 */
    SUBJECT_PLACE_CHARACTERS = 128,
    SUBJECT_FIELDS_MOST = 32, /* of a CSR: what a person or a device is called has a handful */
};

/** Can the wish's texts stand in a subject? No common name is fine. */
bool subject_check(const struct issue_wish *wish, struct error *err);

/**
 * Make it; wish is checked.
 *
 * own      of a CSR: its fields stay, but for those that the wish has, too; NULL: none
 * returns  owned; NULL: err: a field of the CSR that cannot be taken, no common name
 */
X509_NAME *subject_make(const struct issue_wish *wish, const X509_NAME *own, struct error *err);

#endif
