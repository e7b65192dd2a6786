/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pool as the config would build it, made from keys and values.
 *
 *   struct made_pool made;
 *   made_pool_begin(&made);
 *   made_pool_key(&made, "backend", "rs-1 127.0.0.1:8081 weight=5");
 *   ck_assert(made_pool_prepare(&made));
 *   … made.pool …
 *   made_pool_end(&made);
 */
#ifndef LB_TESTS_MADE_POOL_H
#define LB_TESTS_MADE_POOL_H

#include <stdbool.h>

#include "backends/pool.h"
#include "lb/base/arena.h"
#include "lb/base/error.h"

struct made_pool {
    struct arena arena;
    struct problems problems;
    struct pool_options options;
    struct pool pool;
    struct roster *roster;
    unsigned line; /* of the last key; the section [pool app] is line 1 */
};

void made_pool_begin(struct made_pool *made);
/* The next line of the section. */
void made_pool_key(struct made_pool *made, const char *key, const char *value);
/* One backend per weight: b0, b1, … at ports that nobody is asked on. */
void made_pool_weights(struct made_pool *made, const unsigned *weights, unsigned count);
/* pool_prepare as "app" of lb.ini, then pool_open with a roster of its own; problems are in
 * made->problems. */
bool made_pool_prepare(struct made_pool *made);
/* Set a backend's verdict and publish it, as health does. */
void made_pool_judge(struct made_pool *made, unsigned backend, enum verdict verdict);
/* Is there a problem at this line with these words in it? */
bool made_pool_has_problem(const struct made_pool *made, unsigned line, const char *words);
void made_pool_end(struct made_pool *made);

#endif
