/* SPDX-License-Identifier: Apache-2.0 */
/* What the two directions of an exchange have in common. For relay_request.c, relay_answer.c and
 * relay_tunnel.c only. */
#ifndef LB_RELAY_STEPS_H
#define LB_RELAY_STEPS_H

#include <stdint.h>
#include <sys/uio.h>

#include "lb/base/connection.h"
#include "lb/base/slice.h"
#include "lb/relay.h"
#include "listeners/stream.h"

struct exchange;

static inline struct iovec relay_piece(struct slice bytes)
{
    return (struct iovec){.iov_base = (void *)(uintptr_t)bytes.at, .iov_len = bytes.length};
}

/** Note the trouble (static text) and give RELAY_LINK_LOST. */
enum relay relay_link_lost(struct exchange *exchange, const char *trouble);

/** Send to the backend. A backend that takes no more is REQUEST_STUCK: it may still have answered
 * (413, 401 …), which only the read side can tell. returns RELAY_WAITING */
enum relay relay_send(struct exchange *exchange, const struct iovec *pieces, int count);

/** One read from the client, large while its body flows; *data as stream_ops.read. */
enum stream_read relay_read(struct exchange *exchange, struct slice *data);

/** One read from the link into exchange->input, behind an unfinished head if there is one. */
enum io relay_fill(struct exchange *exchange);

#endif
