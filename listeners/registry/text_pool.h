/* SPDX-License-Identifier: Apache-2.0 */
/* Short texts that stay: one behind the other in blocks, without an allocator's share for each.
 * Freed all at once. One thread at a time; texts once kept may be read by all. */
#ifndef LB_LISTENERS_REGISTRY_TEXT_POOL_H
#define LB_LISTENERS_REGISTRY_TEXT_POOL_H

#include <stddef.h>

struct text_block;

/** Zero-initialised is empty. */
struct text_pool {
    struct text_block *newest;
    size_t free_bytes; /* of the newest */
    size_t bytes;      /* of all blocks */
};

/** A copy that lives as long as the pool. NULL: out of memory. */
const char *text_pool_keep(struct text_pool *pool, const char *text);
void text_pool_done(struct text_pool *pool);

#endif
