/* SPDX-License-Identifier: Apache-2.0 */
/* Finds a backend by the id that stands for it in persistence cookies, however large its pool is.
 */
#ifndef LB_BACKENDS_PERSISTENCE_BACKEND_IDS_H
#define LB_BACKENDS_PERSISTENCE_BACKEND_IDS_H

#include <stdint.h>

/** Immutable once it is filled; any thread may ask. */
struct backend_ids;

/** An empty table for `count` backends, at most POOL_BACKENDS_MOST. NULL: out of memory. */
struct backend_ids *backend_ids_new(unsigned count);
/** NULL is fine. */
void backend_ids_free(struct backend_ids *ids);

/** The id of the backend with this index, less than `count`; once for each. Of two with one id,
 * which 64 bits of a hash make a matter of theory, the first is found. */
void backend_ids_set(struct backend_ids *ids, unsigned index, uint64_t id);
/** What was set. */
uint64_t backend_ids_get(const struct backend_ids *ids, unsigned index);
/** The index of the backend with this id; -1: there is none. */
int backend_ids_find(const struct backend_ids *ids, uint64_t id);

#endif
