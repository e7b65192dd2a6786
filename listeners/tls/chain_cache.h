/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Verified chains remembered, so that the same client's next full handshake does not verify the
 * same signatures again. Key: SHA-256 of all certificates as sent, length-prefixed, and the
 * policy's id (whose content includes the CA sets, purpose and depth). An entry ends at the
 * earliest notAfter of chain and anchor. Sharded, bounded, shared by all workers.
 *
 * The certificates that clients send along with their own are remembered, too, decoded: a fleet of
 * one intermediate CA holds one copy of it, not one each (5 KB).
 */
#ifndef LB_LISTENERS_CHAIN_CACHE_H
#define LB_LISTENERS_CHAIN_CACHE_H

#include <openssl/x509.h>
#include <stddef.h>
#include <time.h>

struct identity;
struct policy;
struct chain_cache;

/** most: chains kept (VERIFIED_CHAINS_MOST in the program). NULL: out of memory. */
struct chain_cache *chain_cache_new(size_t most);
/** NULL is fine. No other thread may use it any more. */
void chain_cache_free(struct chain_cache *cache);
/** A reference to the remembered identity (caller owns), or NULL. A cache that is NULL remembers
 * nothing, here and below. Any thread. */
struct identity *chain_cache_get(struct chain_cache *cache, const unsigned char chain_hash[32],
                                 const struct policy *policy, time_t now);
/**
 * Remember; only identities that at least one set verified are kept, and only where no result
 * depends on the clock (identity_valid_until). Takes its own reference. Any thread.
 */
void chain_cache_put(struct chain_cache *cache, const struct policy *policy,
                     struct identity *identity);
/** In a chain (leaf first) that is not remembered: put those of its certificates that remembered
 * chains hold decoded, byte for byte the same, in the place of these copies. Not the leaf's. Any
 * thread. */
void chain_cache_share(struct chain_cache *cache, STACK_OF(X509) * chain);
/** Chains kept now. Any thread. */
size_t chain_cache_count(const struct chain_cache *cache);

#endif
