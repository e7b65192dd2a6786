/* SPDX-License-Identifier: Apache-2.0 */
#include "listeners/registry/text_pool.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* With an allocator's own 16 bytes, two pages: what is lost at a block's end is below a percent
 * even of long texts. */
enum { BLOCK_BYTES = 8192 - 16 };

struct text_block {
    struct text_block *older;
    size_t bytes; /* of `texts` */
    char texts[];
};

static bool add_block(struct text_pool *pool, size_t least)
{
    size_t bytes = BLOCK_BYTES - sizeof(struct text_block);
    if (bytes < least)
        bytes = least;
    struct text_block *block = malloc(sizeof *block + bytes);
    if (!block)
        return false;
    block->older = pool->newest;
    block->bytes = bytes;
    pool->newest = block;
    pool->free_bytes = bytes;
    pool->bytes += sizeof *block + bytes;
    return true;
}

const char *text_pool_keep(struct text_pool *pool, const char *text)
{
    size_t bytes = strlen(text) + 1;
    if (pool->free_bytes < bytes && !add_block(pool, bytes))
        return NULL;
    char *kept = pool->newest->texts + pool->newest->bytes - pool->free_bytes;
    pool->free_bytes -= bytes;
    return memcpy(kept, text, bytes);
}

void text_pool_done(struct text_pool *pool)
{
    while (pool->newest) {
        struct text_block *block = pool->newest;
        pool->newest = block->older;
        free(block);
    }
    *pool = (struct text_pool){0};
}
