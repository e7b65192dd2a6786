/* SPDX-License-Identifier: Apache-2.0 */
/* Which status codes a check takes for health, as an operator writes them: 200, 2xx, 1xx-4xx. */
#ifndef LB_BACKENDS_HEALTH_CHECK_CODES_H
#define LB_BACKENDS_HEALTH_CHECK_CODES_H

#include <stdbool.h>
#include <stdint.h>

struct error;

enum { CHECK_CODE_LEAST = 100, CHECK_CODE_MOST = 599 };

/** A set of status codes. Zero-initialised is empty. */
struct check_codes {
    uint64_t bits[CHECK_CODE_MOST / 64 + 1];
};

/**
 * Add what one word names: a code (204), a class (2xx), or a range of either (200-299, 1xx-4xx).
 *
 * Fails: anything else; err says what would be right, and the set is as before
 */
bool check_codes_add(struct check_codes *codes, const char *word, struct error *err);

/** Codes out of 100 … 599 are never in it. */
bool check_codes_has(const struct check_codes *codes, unsigned status);

#endif
