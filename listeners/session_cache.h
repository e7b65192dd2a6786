/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLS sessions kept by the server: by id, sharded by its first byte, bounded, least recently used first out.
 * Each is bound to the policy, domain and listener it was made under and to the time of its first handshake.
 */
#ifndef LB_LISTENERS_SESSION_CACHE_H
#define LB_LISTENERS_SESSION_CACHE_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <time.h>

struct session_cache;

/** most: sessions kept; 0 keeps none. lifetime_s: from the first handshake. NULL: out of memory. */
struct session_cache *session_cache_new(size_t most, unsigned lifetime_s);
void session_cache_free(struct session_cache *cache);
/** Keep a session (a reference is taken). Replaces one of the same id. Any thread. */
void session_cache_put(struct session_cache *cache, SSL_SESSION *session);
/** A duplicate of the session for one connection (caller owns), or NULL. Any thread: OpenSSL changes resumed
 *  TLS 1.3 sessions, so a kept one is never handed out itself. */
SSL_SESSION *session_cache_get(struct session_cache *cache, const unsigned char *id, size_t length, time_t now);
void session_cache_remove(struct session_cache *cache, const unsigned char *id, size_t length);
size_t session_cache_count(const struct session_cache *cache);

#endif
