/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How often a line of one kind may be logged, where the same thing can go wrong for every request:
 * some lines at once, so that the first failures are told each with what it was about, then one
 * now and then that says how many were left out.
 *
 *   if (log_ration_take(&ration, 20, 5000, now_ms, &left_out)) { log_begin … log_end }
 */
#ifndef LB_BASE_LOG_RATION_H
#define LB_BASE_LOG_RATION_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/** Zero-initialised nothing was logged yet. */
struct log_ration {
    atomic_uint_fast64_t paid_ms; /* each line costs its time; so far it is paid for */
    atomic_uint left_out;         /* lines since the last one that was logged */
};

/**
 * May a line be logged now? If not, it is counted as left out.
 *
 * at_once   lines that may follow each other without a pause; at least 1
 * every_ms  after those one line in this time
 * now_ms    of a clock that never goes back, the same for all callers
 * returns   true: log it. *ret_left_out: how many were left out since the last one
 * Thread:   any; never blocks.
 */
bool log_ration_take(struct log_ration *ration, unsigned at_once, uint32_t every_ms,
                     uint64_t now_ms, unsigned *ret_left_out);

#endif
