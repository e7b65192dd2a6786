/* SPDX-License-Identifier: Apache-2.0 */
/* Two SHA-256 values make the key: what the client sent, and what it was verified against. */
#include "listeners/tls/chain_cache.h"

#include <stdlib.h>
#include <string.h>

#include "lb/base/lru.h"
#include "listeners/identity.h"
#include "listeners/policy.h"

enum { CHAIN_HASH_BYTES = 32, CHAIN_KEY_BYTES = CHAIN_HASH_BYTES + POLICY_ID_BYTES };

struct chain_cache {
    struct lru *identities;
};

static void identity_hold(void *identity)
{
    identity_ref(identity);
}

static void identity_drop(void *identity)
{
    identity_unref(identity);
}

static const struct lru_values identity_values = {identity_hold, identity_drop};

struct chain_cache *chain_cache_new(size_t most)
{
    struct chain_cache *cache = calloc(1, sizeof *cache);
    if (!cache)
        return NULL;
    cache->identities = lru_new(most, CHAIN_KEY_BYTES, &identity_values);
    if (cache->identities)
        return cache;
    free(cache);
    return NULL;
}

void chain_cache_free(struct chain_cache *cache)
{
    if (!cache)
        return;
    lru_free(cache->identities);
    free(cache);
}

static void make_key(unsigned char key[CHAIN_KEY_BYTES],
                     const unsigned char chain_hash[CHAIN_HASH_BYTES], const struct policy *policy)
{
    memcpy(key, chain_hash, CHAIN_HASH_BYTES);
    memcpy(key + CHAIN_HASH_BYTES, policy->id, POLICY_ID_BYTES);
}

struct identity *chain_cache_get(struct chain_cache *cache, const unsigned char chain_hash[32],
                                 const struct policy *policy, time_t now)
{
    unsigned char key[CHAIN_KEY_BYTES];
    if (!cache)
        return NULL;
    make_key(key, chain_hash, policy);
    struct identity *identity = lru_get(cache->identities, key);
    if (!identity || now < identity_valid_until(identity))
        return identity;
    lru_remove(cache->identities, key);
    identity_unref(identity);
    return NULL;
}

void chain_cache_put(struct chain_cache *cache, const struct policy *policy,
                     struct identity *identity)
{
    if (!cache || !identity_is_verified(identity) || !identity_may_be_kept(identity) ||
        identity_valid_until(identity) == 0)
        return;
    unsigned char key[CHAIN_KEY_BYTES];
    make_key(key, identity->chain_hash, policy);
    lru_put(cache->identities, key, identity);
}

size_t chain_cache_count(const struct chain_cache *cache)
{
    return lru_count(cache->identities);
}
