/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contract of a way to choose a backend. One file in backends/balancers/ defines one
 * `const struct balancer balancer_<file>`; the folder is the registry.
 *
 * A balancer only says who. The pool filters beforehand by weight and health (whoever has a seat in
 * choice->sequence may be chosen) and by what this request has tried, and takes the backend
 * afterwards; it asks again, with more backends marked as tried, when the chosen one is full.
 */
#ifndef LB_BACKENDS_BALANCER_H
#define LB_BACKENDS_BALANCER_H

#include <stdbool.h>
#include <stddef.h>

struct pool;
struct choice;

struct balancer {
    const char *name;    /* as in `balance = round-robin` */
    const char *summary; /* one line for lb help */
    bool wants_key;      /* choose reads choice->key: the client's address */
    /**
     * Choose the backend for one request.
     *
     * choice   its sequence has at least one turn. Who goes by a backend's count of exchanges sets
     *          `seen` to it: when it is another by the time the backend is taken, choose is called
     *          again
     * returns  its index in the pool, or -1 when `choice` leaves none
     * Thread:  any worker. Never blocks, never locks.
     */
    int (*choose)(struct pool *pool, struct choice *choice);
};

/** Written by cmake from the folder; sorted, NULL at its end. */
extern const struct balancer *const balancers[];

/** The balancer of this name, or NULL. */
const struct balancer *balancer_find(const char *name);

/** All known names with commas between, cut to room bytes. Returns into. */
const char *balancer_names(char *into, size_t room);

/** The known name an operator probably meant, or NULL. */
const char *balancer_nearest(const char *name);

#endif
