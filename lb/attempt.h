/* SPDX-License-Identifier: Apache-2.0 */
/* One try of one backend: choosing it, getting a link, and what happens when it fails. */
#ifndef LB_ATTEMPT_H
#define LB_ATTEMPT_H

#include <stdbool.h>

struct exchange;
struct link_owner;
struct link;

/** Choose a backend and try it; with none that may be asked the exchange ends with 503. */
void attempt_choose(struct exchange *exchange);

/**
 * The link died, said no HTTP or kept silent (`late`): try again where that is allowed (retry.h),
 * else tell the client, or cut its answer short. exchange->trouble says why.
 */
void attempt_link_failed(struct exchange *exchange, bool late);

/** No link could be had. late: connect_timeout passed. */
void attempt_unconnected(struct exchange *exchange, bool late);

#endif
