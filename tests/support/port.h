/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ports for tests that run side by side: below the range from which the kernel takes ports by
 * itself, and reserved among all test programs of this machine until the process ends. lb listens
 * with SO_REUSEPORT, so that a port that two tests chose would be shared in silence.
 */
#ifndef LB_TESTS_PORT_H
#define LB_TESTS_PORT_H

#include <stdbool.h>

/* A port that nobody listens on, on 127.0.0.1 and on [::1]. */
unsigned port_reserve(void);
/* The same below 1024, where only root and who has the right may listen. Needs root. */
unsigned port_reserve_low(void);

/* Listen at a port of 127.0.0.1, that was reserved. flags: 0 or SOCK_NONBLOCK. */
int port_listen(unsigned port, int backlog, int flags);

/* Does somebody take connections at this port of 127.0.0.1? */
bool port_takes_connections(unsigned port);

#endif
