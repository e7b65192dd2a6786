/* SPDX-License-Identifier: Apache-2.0 */
/* A peer's bytes as they are on its connection, below whatever it speaks. For peer_http2.c. */
#ifndef LB_TESTS_PEER_WIRE_H
#define LB_TESTS_PEER_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct peer;

/* false: the other side does not take them any more. */
bool peer_wire_send(struct peer *peer, const void *bytes, size_t length);
/* At most `room` bytes; 0 or less: there will be no more. */
ssize_t peer_wire_read(struct peer *peer, char *into, size_t room);
/* Would a read find something without waiting? */
bool peer_wire_has_more(const struct peer *peer);

#endif
