/* SPDX-License-Identifier: Apache-2.0 */
/* One real server: its address, its weight, what is known of its health and how busy it is. */
#ifndef LB_BACKENDS_BACKEND_H
#define LB_BACKENDS_BACKEND_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "lb/base/error.h"
#include "lb/base/socket.h"

enum verdict { VERDICT_UNKNOWN, VERDICT_UP, VERDICT_DOWN };

struct backend {
    const char *name; /* rs-1 */
    struct address address;
    unsigned weight;
    unsigned index; /* in its pool */
    /* Shared by all threads. Unknown counts as up: a backend serves until a check says otherwise. */
    _Atomic(enum verdict) verdict;
    atomic_uint active;          /* exchanges now */
    atomic_uint_fast64_t served; /* answers begun */
    atomic_uint_fast64_t failed; /* refused, late, died before an answer */
};

const char *verdict_name(enum verdict verdict);

/** Parse "NAME HOST:PORT [weight=N]". backend zeroed; name lives in arena. Fails with what would be right. May resolve a name. */
struct arena;
bool backend_parse(struct backend *backend, const char *text, struct arena *arena, struct error *err);

#endif
