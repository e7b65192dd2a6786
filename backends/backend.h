/* SPDX-License-Identifier: Apache-2.0 */
/* One real server: its address, its weight, what is known of its health and how busy it is. */
#ifndef LB_BACKENDS_BACKEND_H
#define LB_BACKENDS_BACKEND_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "lb/base/error.h"
#include "lb/base/socket.h"

struct arena;

enum verdict { VERDICT_UNKNOWN, VERDICT_UP, VERDICT_DOWN };

enum {
    BACKEND_NAME_BYTES = 63, /* a DNS label: what people name machines after */
    BACKEND_WEIGHT_MOST = 100,
    BACKEND_WEIGHT_STANDARD = 10,
};

struct backend {
    const char *name; /* rs-1 */
    struct address address;
    unsigned weight;
    unsigned index; /* in its pool */
    /* Shared by all threads. Unknown counts as up: a backend serves until a check says otherwise.
     */
    _Atomic(enum verdict) verdict;
    atomic_uint active;          /* exchanges now */
    atomic_uint_fast64_t served; /* answers begun */
    atomic_uint_fast64_t failed; /* refused, late, died before an answer */
};

/** "unknown", "up" or "down". Static. */
const char *verdict_name(enum verdict verdict);

/**
 * Parse "NAME HOST:PORT [weight=N]".
 *
 * backend  zeroed; its name is copied into `arena`
 * Fails:   err says what is wrong and what would be right; backend is then unusable
 * Thread:  the one that loads the config. May resolve a name, so it may block.
 */
bool backend_parse(struct backend *backend, const char *text, struct arena *arena,
                   struct error *err);

#endif
