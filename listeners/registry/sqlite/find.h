/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates that are looked for. As in struct store. */
#ifndef LB_LISTENERS_REGISTRY_SQLITE_FIND_H
#define LB_LISTENERS_REGISTRY_SQLITE_FIND_H

#include "listeners/registry/store.h"

enum store_outcome sqlite_find_certificates(struct ledger *ledger,
                                            const struct certificate_filter *filter,
                                            certificate_visit visit, void *arg, char *ret_cursor,
                                            struct error *err);
enum store_outcome sqlite_count_certificates(struct ledger *ledger,
                                             const struct certificate_filter *filter,
                                             int64_t *ret_count, struct error *err);

#endif
