/* SPDX-License-Identifier: Apache-2.0 */
/* What came of a run: counted while it goes on, printed as one line of JSON. */
#ifndef LB_BENCH_RESULT_H
#define LB_BENCH_RESULT_H

#include <stdint.h>

#include "tests/bench/latency.h"
#include "tests/bench/load_options.h"
#include "tests/bench/visitor.h"

struct result {
    uint64_t done;     /* units of the measured part that ended well */
    uint64_t failures; /* of units, of the warming up, too, and of the whole run */
    uint64_t unserved; /* units that were due and neither ended well nor failed */
    uint64_t resumed;
    uint64_t reopened;     /* keep-alive: connections opened in the measured part */
    uint64_t closed;       /* resting connections that the peer closed */
    uint64_t answer_bytes; /* in the bodies of the answers to all done */
    uint64_t body_bytes;   /* in the bodies of their requests */
    uint64_t began_ns;
    uint64_t ended_ns;
    struct latency latency; /* from when a unit was due to the last byte of its answer */
    struct latency late;    /* from when a unit was due to its begin */
    char first_failure[256];
};

/** A unit of the measured part ended well. */
void result_note_done(struct result *result, const struct visitor_plan *plan,
                      const struct visitor *visitor);

/** Something failed. why: fit for JSON. */
void result_note_failure(struct result *result, const char *why);

/** Print it on standard output. */
void result_print(const struct result *result, const struct visitor_plan *plan);

#endif
