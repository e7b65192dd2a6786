/* SPDX-License-Identifier: Apache-2.0 */
/* Keys of a pool that mean nothing beside what the others say. */
#ifndef LB_BACKENDS_POOL_IDLE_KEYS_H
#define LB_BACKENDS_POOL_IDLE_KEYS_H

struct pool;
struct problems;

/**
 * Warn of each key that was set and has no effect, at its line: those of a queue where nobody
 * waits, of checks that are off or ask for less, of a block that never comes. Keys of TLS and of
 * cookies are told by backend_tls_load and pool_persistence_check.
 *
 * pool     prepared
 * Thread:  the one that loads the config
 */
void pool_idle_keys_warn(const struct pool *pool, const char *file, struct problems *problems);

#endif
