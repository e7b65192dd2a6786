/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The listening sockets a config needs and the one before it did not have: one for each address and
 * worker, opened all together before anybody uses one, so that a config that cannot have its
 * addresses changes nothing.
 */
#ifndef LB_SERVER_SOCKETS_H
#define LB_SERVER_SOCKETS_H

#include "lb/config/config.h"

struct error;
struct sockets;

/**
 * Bind and listen.
 *
 * before   the config that is in force; NULL: none. Its addresses are not opened anew.
 * Fails:   an address cannot be had; err names it. Nothing is open then.   Thread: control.
 */
struct sockets *sockets_open(const struct config *config, const struct config *before,
                             unsigned workers, struct error *err);

/**
 * The socket of an address for one worker: the `address`th of the `listener`th listener.
 *
 * returns  a descriptor that is the caller's from now on; -1: the worker has one already
 * Thread:  any, for different workers at the same time.
 */
int sockets_take(struct sockets *sockets, unsigned worker, unsigned listener, unsigned address);

/** Close those that nobody took. NULL is fine. */
void sockets_close(struct sockets *sockets);

#endif
