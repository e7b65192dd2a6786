/* SPDX-License-Identifier: Apache-2.0 */
/* Two SHA-256 values make the key: what the client sent, and what it was verified against. */
#include "listeners/tls/chain_cache.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "lb/base/limits.h"
#include "lb/base/lru.h"
#include "listeners/identity.h"
#include "listeners/rules/policy.h"

enum { CHAIN_HASH_BYTES = 32, CHAIN_KEY_BYTES = CHAIN_HASH_BYTES + POLICY_ID_BYTES };

struct chain_cache {
    struct lru *identities;
    struct lru *issuers; /* the X509 of each, by its SHA-256 */
    EVP_MD *sha256;
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

static void certificate_hold(void *certificate)
{
    X509_up_ref(certificate);
}

static void certificate_drop(void *certificate)
{
    X509_free(certificate);
}

static const struct lru_values certificate_values = {certificate_hold, certificate_drop};

struct chain_cache *chain_cache_new(size_t most)
{
    struct chain_cache *cache = calloc(1, sizeof *cache);
    if (!cache)
        return NULL;
    cache->identities = lru_new(most, CHAIN_KEY_BYTES, &identity_values);
    cache->issuers = lru_new(most ? SHARED_ISSUERS_MOST : 0, CHAIN_HASH_BYTES, &certificate_values);
    cache->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    if (cache->identities && cache->issuers && cache->sha256)
        return cache;
    chain_cache_free(cache);
    return NULL;
}

void chain_cache_free(struct chain_cache *cache)
{
    if (!cache)
        return;
    lru_free(cache->identities);
    lru_free(cache->issuers);
    EVP_MD_free(cache->sha256);
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

static bool hash_certificate(const struct chain_cache *cache, const X509 *certificate,
                             unsigned char hash[CHAIN_HASH_BYTES])
{
    ERR_set_mark();
    bool good = X509_digest(certificate, cache->sha256, hash, NULL) == 1;
    ERR_pop_to_mark();
    return good;
}

void chain_cache_share(struct chain_cache *cache, STACK_OF(X509) * chain)
{
    unsigned char hash[CHAIN_HASH_BYTES];
    for (int i = 1; cache && i < sk_X509_num(chain); i++) {
        X509 *copy = sk_X509_value(chain, i);
        X509 *shared = hash_certificate(cache, copy, hash) ? lru_get(cache->issuers, hash) : NULL;
        if (!shared)
            continue;
        sk_X509_set(chain, i, shared);
        X509_free(copy);
    }
}

static void keep_issuers(struct chain_cache *cache, const struct identity *identity)
{
    unsigned char hash[CHAIN_HASH_BYTES];
    for (int i = 1; i < sk_X509_num(identity->chain); i++) {
        X509 *issuer = sk_X509_value(identity->chain, i);
        if (hash_certificate(cache, issuer, hash))
            lru_put(cache->issuers, hash, issuer);
    }
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
    keep_issuers(cache, identity);
}

size_t chain_cache_count(const struct chain_cache *cache)
{
    return lru_count(cache->identities);
}
