/* SPDX-License-Identifier: Apache-2.0 */
/* What of a pool's section says how its backends are checked. */
#ifndef LB_BACKENDS_POOL_CHECKS_H
#define LB_BACKENDS_POOL_CHECKS_H

struct pool;
struct problems;

/**
 * Settle pool->check, check_host and check_codes from the pool's options.
 *
 * Reports at file:line: an unknown check (with the nearest known), a timeout that is not less than
 * the interval, a path, host or service that cannot be asked for, words that name no status codes.
 * Warns of a check that speaks another version of HTTP than requests at the same port.
 *
 * pool     name, line and options are set; check_host may be: it counts where health_check_host is
 *          unset
 */
void pool_prepare_checks(struct pool *pool, const char *file, struct problems *problems);

#endif
