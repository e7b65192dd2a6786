/* SPDX-License-Identifier: Apache-2.0 */
/* A whole copy. As in struct store. */
#ifndef LB_LISTENERS_REGISTRY_SQLITE_BACKUP_H
#define LB_LISTENERS_REGISTRY_SQLITE_BACKUP_H

#include "listeners/registry/store.h"

enum store_outcome sqlite_back_up(struct ledger *ledger, const char *path, struct error *err);

#endif
