/* SPDX-License-Identifier: Apache-2.0 */
/* Finding a balancer by the name an operator writes. */
#include "backends/balancer.h"

#include <string.h>

#include "lb/base/arena.h"
#include "lb/base/option.h"

const struct balancer *balancer_find(const char *name)
{
    for (const struct balancer *const *at = balancers; *at; at++)
        if (strcmp((*at)->name, name) == 0)
            return *at;
    return NULL;
}

/* The distance is option.c's: the names are lent to it as the keys of a table. */
const char *balancer_nearest(const char *name, struct arena *arena)
{
    size_t count = 0;
    while (balancers[count])
        count++;
    struct option *rows = arena_alloc(arena, (count + 1) * sizeof *rows);
    for (size_t i = 0; i < count; i++)
        rows[i].key = balancers[i]->name;
    struct option_table table = {.section = "balance", .options = rows};
    return option_nearest(&table, name);
}
