/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which open clients show this certificate? Each worker looks through its own clients, on its own
 * thread and a slice at a time; the last one tells the control thread.
 *
 *   control ── census_begin ──> taker of each worker ── walk ──> desk ── counted ──> control
 */
#ifndef LB_SERVER_CENSUS_H
#define LB_SERVER_CENSUS_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "lb/base/deadline.h"
#include "lb/base/limits.h"
#include "lb/base/list.h"
#include "listeners/inspection.h"
#include "listeners/registry/record.h"

struct census_visit;
struct clients;

/** One open connection. */
struct census_client {
    char address[46]; /* numeric, without brackets */
    uint16_t port;
    char listener[INI_SECTION_BYTES + 1];
    char sni[DOMAIN_BYTES + 1]; /* "": it asked for no name */
    int64_t since_ms;           /* accepted; wall clock, ms since 1970 */
    uint32_t requests;
};

struct census {
    unsigned client_count; /* exact … */
    unsigned row_count;    /* … and so many of them are told: CENSUS_ROWS_MOST at most */
    const struct census_client *rows;
};

/** census: lent for the call; NULL: out of memory. */
typedef void (*census_counted)(void *arg, const struct census *census);

/** Where the results arrive: the control thread's. */
struct census_desk {
    uv_mutex_t lock;
    struct list_node done;
    uv_async_t *wake; /* its callback calls census_desk_deliver */
};

/** wake: borrowed. Thread: control, as for the desk's other functions. */
void census_desk_init(struct census_desk *desk, uv_async_t *wake);
void census_desk_deliver(struct census_desk *desk);
/** Nothing is under way. */
void census_desk_done(struct census_desk *desk);

/** One worker's side. Embedded in it. */
struct census_taker {
    struct clients *clients;
    uv_async_t *wake; /* its callback calls census_taker_advance */
    uv_mutex_t lock;  /* of the following two */
    struct list_node waiting;
    bool is_closed;
    struct census_visit *visit; /* under way; NULL: none */
    struct clients_walk walk;
    struct deadline step;
};

/** Both borrowed until census_taker_close. Thread: the worker's or, before that runs, its maker's.
 */
void census_taker_init(struct census_taker *taker, struct clients *clients, uv_async_t *wake);
/** Somebody may have come. Thread: the worker's. */
void census_taker_advance(struct census_taker *taker);
/** Tell what is known of what was asked; who asks from now on is told that there is nobody. Before
 * `wake` is closed. Thread: the worker's. */
void census_taker_close(struct census_taker *taker);
/** The thread is gone; it is closed. */
void census_taker_done(struct census_taker *taker);

/**
 * Ask every taker. `counted` comes from census_desk_deliver exactly once, or within this call with
 * NULL.
 *
 * takers  borrowed for the call; each lives until `counted`
 * key     copied
 */
void census_begin(struct census_desk *desk, struct census_taker *const *takers, unsigned count,
                  const unsigned char key[CERTIFICATE_KEY_BYTES], census_counted counted,
                  void *arg);

#endif
