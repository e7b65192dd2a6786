/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLS sessions kept by the server: by id, sharded by its first byte, bounded, least recently used
 * first out. Each is bound to the policy, domain and listener it was made under and to the time of
 * its first handshake (session.h).
 */
#ifndef LB_LISTENERS_SESSION_CACHE_H
#define LB_LISTENERS_SESSION_CACHE_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <time.h>

struct session_cache;

/** most: sessions kept; 0 keeps none. lifetime_s: from the first handshake; 0: none are kept. NULL:
 * out of memory. */
struct session_cache *session_cache_new(size_t most, unsigned lifetime_s);
/** One reference more: a config that takes the place of another goes on with its sessions. Any
 * thread.
 */
struct session_cache *session_cache_ref(struct session_cache *cache);
/** One less; the last one frees. NULL is fine. Any thread. */
void session_cache_unref(struct session_cache *cache);
/** Seconds a session may be resumed, counted from its first handshake; 0: no sessions are kept
 * here. */
unsigned session_cache_lifetime_s(const struct session_cache *cache);

/**
 * Keep a copy of a session that session_tie() has tied, in place of one of the same id; others are
 * not kept. A copy, because OpenSSL goes on writing to the session of an open connection (it marks
 * it when that ends badly). Thread: any; `session` is the caller's.
 */
void session_cache_put(struct session_cache *cache, SSL_SESSION *session);

/**
 * A copy of the session for one connection (caller owns), or NULL: unknown, or at its end (then it
 * is forgotten). Whether it fits the connection is the caller's question. A kept one is never
 * handed out itself: OpenSSL writes to resumed sessions. Thread: any.
 */
SSL_SESSION *session_cache_get(struct session_cache *cache, const unsigned char *id, size_t length,
                               time_t now);
/** Forget one; any length and content of id is fine. Any thread. */
void session_cache_remove(struct session_cache *cache, const unsigned char *id, size_t length);
/** Sessions kept now. Any thread. */
size_t session_cache_count(const struct session_cache *cache);

#endif
