/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ids of CAs as small numbers: each row of a certificate, and each index of it, holds one. A number
 * stands for the same id for good, so what was read once need not be read again.
 */
#ifndef LB_LISTENERS_REGISTRY_SQLITE_CA_NUMBERS_H
#define LB_LISTENERS_REGISTRY_SQLITE_CA_NUMBERS_H

#include <stddef.h>
#include <stdint.h>

#include "listeners/registry/store.h"

struct sqlite_ledger;

struct ca_numbers {
    struct ca_number *items;
    size_t count, capacity;
    size_t last; /* where the last one was found: neighbours in the store are often of one CA */
};

/** NOTHING: no certificate was ever of this CA. */
enum store_outcome ca_number_find(struct sqlite_ledger *l, const char *id, int64_t *ret_number,
                                  struct error *err);
/** The same, and a new one gets a number. Within a transaction. */
enum store_outcome ca_number_make(struct sqlite_ledger *l, const char *id, int64_t *ret_number,
                                  struct error *err);
/** A number nobody gave is STORE_CORRUPT. ret_id: lent until the next call of any of these. */
enum store_outcome ca_number_id(struct sqlite_ledger *l, int64_t number, const char **ret_id,
                                struct error *err);
/** Numbers given since the beginning of the transaction are void. */
void ca_numbers_forget(struct ca_numbers *numbers);

#endif
