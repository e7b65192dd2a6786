/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of CAs, with the hosts each is bound to. As in struct store. */
#ifndef LB_LISTENERS_REGISTRY_SQLITE_CAS_H
#define LB_LISTENERS_REGISTRY_SQLITE_CAS_H

#include "listeners/registry/store.h"

enum store_outcome sqlite_put_ca(struct ledger *ledger, const struct ca_record *ca,
                                 struct error *err);
enum store_outcome sqlite_drop_ca(struct ledger *ledger, const char *id, struct error *err);
enum store_outcome sqlite_each_ca(struct ledger *ledger, ca_visit visit, void *arg,
                                  struct error *err);

#endif
