/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How often clients were refused: by listener, by where it happened and for which reason; and how
 * many requests were at fault by themselves, and connections ended by floods. Counted where the log
 * is told, so that every such line counts once. Process-wide and known by the listener's name: a
 * reload, which makes new listeners, does not begin anew.
 */
#ifndef LB_LISTENERS_TALLY_H
#define LB_LISTENERS_TALLY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "listeners/http2/flood.h"
#include "listeners/refusal.h"

struct traffic;

enum tally_place {
    TALLY_HANDSHAKE, /* before any request: PROXY header, TLS handshake, no room */
    TALLY_REQUEST,   /* a request was answered so */
    TALLY_CLOSED,    /* an open connection was closed */
    TALLY_PLACE_COUNT,
};

/** "handshake", "request", "closed": the metric's label. Static. */
const char *tally_place_name(enum tally_place place);

/** Can it happen there? Of the rest no counter is told that is 0 for ever. */
bool tally_can_have(enum tally_place place, enum refusal refusal);

/** What is wrong with a request, whoever sends it. */
enum tally_fault {
    TALLY_NO_RULE,
    TALLY_AMBIGUOUS_PATH,
    TALLY_REGEX_LIMIT,
    TALLY_NO_HOST,
    TALLY_BAD_CLIENT_ID,
    TALLY_NOT_REGISTRABLE, /* its client should have signed up, and nobody could register it */
    TALLY_BAD_REQUEST,     /* its head cannot be read, or did not come */
    TALLY_FAULT_COUNT,
};

/** "no-rule", …: as in the log, and the metric's label. Static. */
const char *tally_fault_name(enum tally_fault fault);

/** One listener's. Lives as long as its tallies. */
struct tally {
    struct tally *next;
    char *listener; /* its name; "": of those that there was no room for */
    _Atomic uint64_t counts[TALLY_PLACE_COUNT][REFUSAL_COUNT];
    _Atomic uint64_t faults[TALLY_FAULT_COUNT];
    _Atomic uint64_t floods[HTTP2_FLOOD_COUNT];
    _Atomic(struct traffic *) traffic; /* what its workers count; see there */
};

/** One more. NULL: nobody counts there. Any thread; relaxed: only sums are read. */
static inline void tally_count(struct tally *tally, enum tally_place place, enum refusal refusal)
{
    if (tally)
        atomic_fetch_add_explicit(&tally->counts[place][refusal], 1, memory_order_relaxed);
}

/** The same for a request that is at fault by itself. */
static inline void tally_count_fault(struct tally *tally, enum tally_fault fault)
{
    if (tally)
        atomic_fetch_add_explicit(&tally->faults[fault], 1, memory_order_relaxed);
}

/** The same for a connection that was ended because its client flooded. */
static inline void tally_count_flood(struct tally *tally, enum http2_flood flood)
{
    if (tally)
        atomic_fetch_add_explicit(&tally->floods[flood], 1, memory_order_relaxed);
}

/** So many by now. Any thread. */
static inline uint64_t tally_read(const struct tally *tally, enum tally_place place,
                                  enum refusal refusal)
{
    return atomic_load_explicit(&tally->counts[place][refusal], memory_order_relaxed);
}

/** The same of faults. Any thread. */
static inline uint64_t tally_read_fault(const struct tally *tally, enum tally_fault fault)
{
    return atomic_load_explicit(&tally->faults[fault], memory_order_relaxed);
}

/** The same of floods. Any thread. */
static inline uint64_t tally_read_flood(const struct tally *tally, enum http2_flood flood)
{
    return atomic_load_explicit(&tally->floods[flood], memory_order_relaxed);
}

struct tallies;

/** NULL: out of memory. Thread: control, as for all that follows. */
struct tallies *tallies_new(void);
/** No thread counts any more. NULL is fine. */
void tallies_free(struct tallies *tallies);

/**
 * The tally of the listener of this name, a fresh one if it had none. Of TALLIES_MOST names (see
 * limits.h) each has its own; later ones, and those that there is no memory for, share one.
 *
 * returns  lent as long as `tallies`, which may be NULL: then NULL
 */
struct tally *tallies_of(struct tallies *tallies, const char *listener);

/** All of them, in the order they were asked for, by `next`; the shared one, if anybody uses it,
 * comes last. NULL: there are none. */
const struct tally *tallies_first(const struct tallies *tallies);

#endif
