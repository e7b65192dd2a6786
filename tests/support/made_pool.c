/* SPDX-License-Identifier: Apache-2.0 */
/* Pools for tests. */
#include "tests/support/made_pool.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "lb/base/ini.h"
#include "lb/base/option.h"

void made_pool_begin(struct made_pool *made)
{
    memset(made, 0, sizeof *made);
    made->line = 1;
    option_defaults(&pool_option_table, &made->options, &made->arena);
}

void made_pool_key(struct made_pool *made, const char *key, const char *value)
{
    struct ini_entry entry = {.section = "pool",
                              .name = "app",
                              .section_line = 1,
                              .key = arena_copy(&made->arena, key),
                              .value = arena_copy(&made->arena, value),
                              .line = ++made->line};
    option_set(&pool_option_table, &made->options, &entry, "lb.ini", "/", &made->arena,
               &made->problems);
}

void made_pool_weights(struct made_pool *made, const unsigned *weights, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        char value[64];
        snprintf(value, sizeof value, "b%u 192.0.2.1:%u weight=%u", i, 1 + i, weights[i]);
        made_pool_key(made, "backend", value);
    }
}

bool made_pool_prepare(struct made_pool *made)
{
    if (!pool_prepare(&made->pool, "app", 1, &made->options, &made->arena, "lb.ini",
                      &made->problems))
        return false;
    made->roster = roster_new();
    ck_assert_ptr_nonnull(made->roster);
    ck_assert(pool_open(&made->pool, made->roster, NULL));
    return true;
}

void made_pool_judge(struct made_pool *made, unsigned backend, enum verdict verdict)
{
    ck_assert_uint_lt(backend, made->pool.backend_count);
    atomic_store(&made->pool.backends[backend].standing->verdict, verdict);
    pool_publish(&made->pool, 0);
}

bool made_pool_has_problem(const struct made_pool *made, unsigned line, const char *words)
{
    for (size_t i = 0; i < made->problems.count; i++) {
        const struct problem *problem = &made->problems.items[i];
        if (problem->line == line && strstr(problem->text, words) != NULL &&
            strcmp(problem->file, "lb.ini") == 0)
            return true;
    }
    return false;
}

void made_pool_end(struct made_pool *made)
{
    pool_done(&made->pool);
    roster_free(made->roster);
    problems_done(&made->problems);
    arena_done(&made->arena);
}
