/* SPDX-License-Identifier: Apache-2.0 */
/* Which certificate is meant? Private to this folder. */
#ifndef LB_LISTENERS_REGISTRY_CERTIFICATE_FIND_H
#define LB_LISTENERS_REGISTRY_CERTIFICATE_FIND_H

#include "listeners/registry/cas.h"

/** The one that is meant, tombstones left out. Fails: BAD_INPUT, UNKNOWN, AMBIGUOUS, STORE. */
enum change_refusal certificate_find(struct ledger *ledger, const struct certificate_wanted *wanted,
                                     struct certificate_result *result, struct error *err);

/** The record of this key, tombstones too; *ret_found false: there is none. */
enum change_refusal certificate_by_key(struct ledger *ledger,
                                       const unsigned char key[CERTIFICATE_KEY_BYTES],
                                       struct certificate_result *result, bool *ret_found,
                                       struct error *err);

#endif
