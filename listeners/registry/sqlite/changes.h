/* SPDX-License-Identifier: Apache-2.0 */
/* The audit log. As in struct store. */
#ifndef LB_LISTENERS_REGISTRY_SQLITE_CHANGES_H
#define LB_LISTENERS_REGISTRY_SQLITE_CHANGES_H

#include "listeners/registry/store.h"

enum store_outcome sqlite_add_change(struct ledger *ledger, const struct change_record *change,
                                     struct error *err);
enum store_outcome sqlite_find_changes(struct ledger *ledger, const struct change_filter *filter,
                                       change_visit visit, void *arg, struct error *err);

#endif
