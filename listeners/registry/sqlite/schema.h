/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tables look like, and how they came to: version N is made by the first N steps. Older
 * files go through the steps they lack, each whole or not at all. A step is never changed once a
 * version of lb has been given away with it.
 */
#ifndef LB_LISTENERS_REGISTRY_SQLITE_SCHEMA_H
#define LB_LISTENERS_REGISTRY_SQLITE_SCHEMA_H

#include "listeners/registry/store.h"

struct sqlite_ledger;

enum { SCHEMA_APPLICATION_ID = 0x6c625267 }; /* "lbRg": whose file this is */

struct schema {
    const char *const *steps; /* SQL */
    int version;              /* how many there are */
};
extern const struct schema sqlite_schema;

/** Fill an empty file. */
enum store_outcome sqlite_schema_make(struct sqlite_ledger *l, const struct schema *schema,
                                      struct error *err);
/**
 * Is it a registry, whole as far as can be seen quickly, and of this schema? With STORE_WRITE an
 * older one is brought up to date.
 *
 * Fails: STORE_CORRUPT, STORE_NEWER; nothing was written then
 */
enum store_outcome sqlite_schema_check(struct sqlite_ledger *l, const struct schema *schema,
                                       enum store_mode mode, struct error *err);

#endif
