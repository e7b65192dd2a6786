/* SPDX-License-Identifier: Apache-2.0 */
/* So many a second, over a window that slides: never more than `most` in any second, and the next
 * one gets in as soon as the oldest is a second old. Pure: the time is handed in. */
#ifndef LB_LISTENERS_REGISTRY_SIGNUP_LIMIT_H
#define LB_LISTENERS_REGISTRY_SIGNUP_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

enum { SIGNUP_WINDOW_MS = 1000 };

/** Zero-initialised admits nobody. */
struct signup_limit {
    int64_t *taken_ms; /* a ring of `most` */
    unsigned most;
    unsigned first; /* the oldest */
    unsigned count;
};

/** most: at least 1. What was taken stays taken. false: out of memory, and as before. */
bool signup_limit_set(struct signup_limit *limit, unsigned most);
/** One more? now_ms: of a clock that never goes back. */
bool signup_limit_take(struct signup_limit *limit, int64_t now_ms);
void signup_limit_done(struct signup_limit *limit);

#endif
