/* SPDX-License-Identifier: Apache-2.0 */
/* All CAs of an open ledger. For the registry's own files; others call cas_read. */
#ifndef LB_LISTENERS_REGISTRY_CA_SNAPSHOT_H
#define LB_LISTENERS_REGISTRY_CA_SNAPSHOT_H

#include "listeners/registry/cas.h"

/** As the ledger has them now, within its transaction if there is one. NULL: err. */
struct cas *cas_of(struct ledger *ledger, struct error *err);

/** cas_find, and words where there is none. */
enum change_refusal cas_pick(const struct cas *cas, const char *which,
                             const struct cas_item **ret_item, struct error *err);

#endif
