/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is known of a backend while lb runs: its verdict, what it is doing, how it failed. A config
 * is frozen and goes with the next reload; a standing stays for as long as some config has the
 * backend (same pool, name, address and TLS identity). The roster is the list of all of them.
 */
#ifndef LB_BACKENDS_STANDING_H
#define LB_BACKENDS_STANDING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "lb/base/list.h"
#include "lb/base/log_ration.h"

struct watch;

enum verdict { VERDICT_UNKNOWN, VERDICT_UP, VERDICT_DOWN };

/** "unknown", "up" or "down". Static. */
const char *verdict_name(enum verdict verdict);

enum { STANDING_REASON_BYTES = 256 };

/** Results in a row, of one backend. Zero-initialised is the beginning. */
struct health_count {
    unsigned passed_in_row;
    unsigned failed_in_row;
};

enum {
    STANDING_KINDS = 5, /* of answers: 1xx to 5xx */
    STANDING_LANES = 8, /* so many workers count on a cache line of their own; more share them */
};

/* Answers begun, by workers of one lane. On one line for all, two workers would wait for each other
 * at every request, and for who only reads the verdict. */
struct standing_lane {
    _Alignas(64) atomic_uint_fast64_t answers[STANDING_KINDS];
};

struct standing {
    /* Shared by all threads. */
    atomic_uint *active; /* exchanges now; lies beside those of its neighbours, so that many are
                            read quickly */
    atomic_uint max_connections; /* of the present config, for exchanges of former ones, too; 0: no
                                    limit */
    _Atomic(enum verdict) verdict; /* of the checks. Unknown counts as up */
    atomic_bool is_drained;        /* an operator said so: nothing new */
    atomic_bool is_disabled;       /* … and no checks either; then it is drained, too */
    atomic_bool is_blocked;        /* it failed passive_failures exchanges in a row */
    atomic_uint failures_in_row;   /* exchanges that failed since the last complete answer */
    atomic_uint blocked_after;     /* so many failed in a row when it was blocked last */
    atomic_uint_fast64_t failed;   /* refused, late, died before the end of an answer */
    struct log_ration told;        /* lines about these */

    struct list_node bound; /* waiters that want this backend and no other; the lock of their pool's
                               queue guards it */
    atomic_uint bound_count; /* how many; others leave its places to them */

    unsigned slot; /* its number in the roster: small, and nobody else's while it lives */

    /* The control thread's alone. Times are those of its loop, ms; 0: never. */
    unsigned references;
    struct watch *watch; /* health's; NULL: nobody asks it */
    struct health_count count;
    uint64_t asked_ms;         /* the last check began */
    uint64_t took_ms;          /* it took so long */
    uint64_t up_ms;            /* it became up: slow_start counts from here */
    uint64_t blocked_until_ms; /* while is_blocked */
    bool is_untold;            /* its block began or ended, and the log does not know yet */
    int64_t ordered_s;         /* wall clock: an operator changed is_drained or is_disabled */
    int64_t since_s;           /* wall clock: the verdict is this old; 0: there is none yet */
    char reason[STANDING_REASON_BYTES]; /* of the last result; "" before the first */

    struct standing_lane lanes[STANDING_LANES];
};

/** An answer of this status (100 to 599) has begun. lane: the worker's number; relaxed. Any thread.
 */
static inline void standing_count_answer(struct standing *standing, unsigned lane, unsigned status)
{
    unsigned kind = status / 100 - 1 < STANDING_KINDS ? status / 100 - 1 : STANDING_KINDS - 1;
    atomic_fetch_add_explicit(&standing->lanes[lane % STANDING_LANES].answers[kind], 1,
                              memory_order_relaxed);
}

/** Answers begun by now with a status of this hundred: 1 to 5. Any thread. */
uint64_t standing_answers(const struct standing *standing, unsigned hundred);
/** All of them. Any thread. */
uint64_t standing_served(const struct standing *standing);

/** May it get something new, as far as its health and operators go? Any thread. */
bool standing_is_available(const struct standing *standing);

struct roster;
struct backend;
struct queues;

/** NULL: out of memory. Thread: control, as for all of the roster. */
struct roster *roster_new(void);
/** All standings must be left. NULL is fine. */
void roster_free(struct roster *roster);
/**
 * The standing of a backend: the one that another config's backend of the same identity has, or a
 * fresh one.
 *
 * identity  text that is equal exactly for backends whose standing and links may be shared
 * returns   one reference for the caller; NULL: out of memory
 */
struct standing *roster_join(struct roster *roster, const char *identity);
/** Give one reference back; the last one frees. */
void roster_leave(struct roster *roster, struct standing *standing);
/** The queues of pools whose backends have standings here. */
struct queues *roster_queues(struct roster *roster);
/** Slots are less than this. */
unsigned roster_slot_count(const struct roster *roster);

#endif
