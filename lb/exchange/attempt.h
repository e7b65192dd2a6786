/* SPDX-License-Identifier: Apache-2.0 */
/* One try of one backend: choosing it, getting a link, and what happens when it fails. */
#ifndef LB_EXCHANGE_ATTEMPT_H
#define LB_EXCHANGE_ATTEMPT_H

#include <stdbool.h>

#include "backends/links/link.h"

struct exchange;

/** Choose a backend and try it, or wait for a place at one; with none that may be asked, or none
 * that has a place in time, the exchange ends with 503. */
void attempt_choose(struct exchange *exchange);

/**
 * The link died, said no HTTP or kept silent (`late`): try again where that is allowed (retry.h),
 * else tell the client, or cut its answer short. exchange->trouble says why.
 */
void attempt_link_failed(struct exchange *exchange, bool late);

/** No link could be had. outcome: not LINK_READY. */
void attempt_unconnected(struct exchange *exchange, enum link_outcome outcome);

/** The final head of an answer came: the backend is counted as one that serves. */
void attempt_answered(struct exchange *exchange);

/** The answer is complete, or becomes a tunnel: the backend's row of failures ends. Before the
 * client gets the end of it, so that nothing that follows is counted ahead of it. */
void attempt_completed(const struct exchange *exchange);

#endif
