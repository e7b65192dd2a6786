/* SPDX-License-Identifier: Apache-2.0 */
/* What the two directions of an exchange have in common. For relay_request.c, relay_answer.c and
 * relay_tunnel.c only. */
#ifndef LB_EXCHANGE_RELAY_STEPS_H
#define LB_EXCHANGE_RELAY_STEPS_H

#include <stdbool.h>

#include "backends/errand.h"
#include "lb/base/slice.h"
#include "lb/exchange/relay.h"
#include "listeners/stream.h"

struct exchange;

/** Note the trouble (static text) and give RELAY_LINK_LOST. */
enum relay relay_link_lost(struct exchange *exchange, const char *trouble);

/** The backend was written to; one that took nothing (`is_taken` false) is REQUEST_STUCK: it may
 * still have answered (413, 401 …), which only the read side can tell. */
void relay_sent(struct exchange *exchange, bool is_taken);

/** One read from the client, large while its body flows; *data as stream_ops.read. */
enum stream_read relay_read(struct exchange *exchange, struct slice *data);

/** One read from the backend, large while the body flows; as errand_ops.read. */
enum errand_read relay_news(struct exchange *exchange, struct errand_news *news);

#endif
