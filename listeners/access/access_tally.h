/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How often [access] sections decided. Counted where that is acted upon, so that every line of the
 * log counts once. Process-wide and known by the section's name: a reload does not begin anew.
 */
#ifndef LB_LISTENERS_ACCESS_TALLY_H
#define LB_LISTENERS_ACCESS_TALLY_H

#include <stdatomic.h>
#include <stdint.h>

#include "listeners/access/access.h"

enum { ACCESS_ACTION_COUNT = ACCESS_REDIRECT + 1 };

/** "block", "log", "redirect": the metric's label. Static. */
const char *access_action_name(enum access_action action);

/** One section's. Lives as long as its tallies. */
struct access_tally {
    struct access_tally *next;      /* in the order they were asked for */
    struct access_tally *in_bucket; /* by name */
    char *name;                     /* of the section; "": of those that there was no room for */
    _Atomic uint64_t counts[ACCESS_ACTION_COUNT];
};

/** One more. NULL: nobody counts there. Any thread; relaxed: only sums are read. */
static inline void access_tally_count(struct access_tally *tally, enum access_action action)
{
    if (tally)
        atomic_fetch_add_explicit(&tally->counts[action], 1, memory_order_relaxed);
}

/** So many by now. Any thread. */
static inline uint64_t access_tally_read(const struct access_tally *tally,
                                         enum access_action action)
{
    return atomic_load_explicit(&tally->counts[action], memory_order_relaxed);
}

struct access_tallies;

/** NULL: out of memory. Thread: control, as for all that follows. */
struct access_tallies *access_tallies_new(void);
/** No thread counts any more. NULL is fine. */
void access_tallies_free(struct access_tallies *tallies);

/**
 * The tally of the section of this name, a fresh one if it had none. Of ACCESS_TALLIES_MOST names
 * (see limits.h) each has its own; later ones, and those that there is no memory for, share one.
 *
 * returns  lent as long as `tallies`, which may be NULL: then NULL
 */
struct access_tally *access_tallies_of(struct access_tallies *tallies, const char *name);

/** All of them, by `next`; the shared one, if anybody uses it, comes last. NULL: there are none. */
const struct access_tally *access_tallies_first(const struct access_tallies *tallies);

#endif
