/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A body of any length: the alphabet over and over, of which only the first MiB is ever in memory.
 *
 *   send(socket, pattern_at(&pattern, sent), pattern_part(left), 0);
 */
#ifndef LB_BENCH_PATTERN_H
#define LB_BENCH_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PATTERN_PART_BYTES = 1 << 20 };

struct pattern {
    char *bytes;
};

/** false: out of memory. */
bool pattern_init(struct pattern *pattern);
void pattern_done(struct pattern *pattern);

/** The body from this offset on; PATTERN_PART_BYTES are there. */
const char *pattern_at(const struct pattern *pattern, uint64_t offset);

/** How many of the bytes left are there at once. */
size_t pattern_part(uint64_t left_bytes);

#endif
