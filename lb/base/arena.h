/* SPDX-License-Identifier: Apache-2.0 */
/* Memory that lives and dies together: a config's, never freed piece by piece. */
#ifndef LB_BASE_ARENA_H
#define LB_BASE_ARENA_H

#include <stddef.h>

struct arena_chunk;
struct arena {
    struct arena_chunk *chunks;
};

/** Zeroed memory, aligned for anything, valid until arena_done. Out of memory ends the process:
 * only start-up and reload use arenas, and a config is small. A zero-initialised arena is empty. */
void *arena_alloc(struct arena *arena, size_t bytes);
char *arena_copy(struct arena *arena, const char *text);
char *arena_copy_bytes(struct arena *arena, const char *text, size_t length);
char *arena_format(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void arena_done(struct arena *arena);

#endif
