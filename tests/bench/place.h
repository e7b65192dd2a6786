/* SPDX-License-Identifier: Apache-2.0 */
/* Where a program of the benchmark runs: how long at most, on which processor, with how many
 * descriptors. */
#ifndef LB_BENCH_PLACE_H
#define LB_BENCH_PLACE_H

#include <stdbool.h>

/** End with whoever started this program, and after `longest_s` seconds whatever happens: a
 * forgotten one ends by itself. A peer that went away is an error of send(), not a signal. */
void place_settle(unsigned longest_s);

/** Run on this processor only; says on stderr when that cannot be. program: its name. */
void place_pin(const char *program, unsigned long processor);

/** Allow so many descriptors; 0: as many as there may be. false: they are not allowed. */
bool place_allow_descriptors(unsigned long count);

#endif
