/* SPDX-License-Identifier: Apache-2.0 */
/* One real server: its address, its weight and, beside what the config says of it, its standing. */
#ifndef LB_BACKENDS_BACKEND_H
#define LB_BACKENDS_BACKEND_H

#include <stdbool.h>
#include <stdint.h>

#include "backends/standing.h"
#include "lb/base/error.h"
#include "lb/base/socket.h"

struct arena;

enum {
    BACKEND_NAME_BYTES = 63, /* a DNS label: what people name machines after */
    BACKEND_WEIGHT_MOST = 100,
    BACKEND_WEIGHT_STANDARD = 10,
    BACKEND_CONNECTIONS_MOST = 1000000, /* more than one machine has ports for: a typing mistake */
    BACKEND_SLOW_START_MOST_MS = 3600 * 1000,
};

struct backend {
    const char *name; /* rs-1 */
    struct address address;
    unsigned weight;
    uint32_t max_connections;  /* exchanges at a time; 0: no limit */
    uint32_t slow_start_ms;    /* from becoming up to its full weight; 0: at once */
    unsigned index;            /* in its pool */
    struct standing *standing; /* NULL before pool_open */
};

/**
 * Parse "NAME HOST:PORT [weight=N] [max_connections=N] [slow_start=DURATION]", settings in any
 * order.
 *
 * backend  zeroed; its name is copied into `arena`
 * Fails:   everything that is wrong with it is added at file:line, with what would be right;
 * backend is then unusable Thread:  the one that loads the config. May resolve a name, so it may
 * block.
 */
bool backend_parse(struct backend *backend, const char *text, struct arena *arena, const char *file,
                   unsigned line, struct problems *problems);

/** The key of a setting behind the address ("weight"), by index from 0 on; NULL: there are no more.
 * Any thread. */
const char *backend_setting(unsigned index);

#endif
