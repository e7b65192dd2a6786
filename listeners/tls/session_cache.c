/* SPDX-License-Identifier: Apache-2.0 */
/* Copies go in and copies come out; what is inside never changes, so that no thread ever sees
 * another one write. */
#include "listeners/tls/session_cache.h"

#include <openssl/err.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "lb/base/lru.h"
#include "listeners/tls/session.h"

enum { ID_BYTES = SSL_MAX_SSL_SESSION_ID_LENGTH };

struct session_cache {
    atomic_uint references;
    struct lru *sessions;
    unsigned lifetime_s;
};

static void session_hold(void *session)
{
    SSL_SESSION_up_ref(session);
}

static void session_drop(void *session)
{
    SSL_SESSION_free(session);
}

static const struct lru_values session_values = {session_hold, session_drop};

struct session_cache *session_cache_new(size_t most, unsigned lifetime_s)
{
    struct session_cache *cache = calloc(1, sizeof *cache);
    if (!cache)
        return NULL;
    atomic_init(&cache->references, 1);
    cache->lifetime_s = most ? lifetime_s : 0;
    cache->sessions = lru_new(lifetime_s ? most : 0, ID_BYTES, &session_values);
    if (cache->sessions)
        return cache;
    free(cache);
    return NULL;
}

struct session_cache *session_cache_ref(struct session_cache *cache)
{
    atomic_fetch_add(&cache->references, 1);
    return cache;
}

void session_cache_unref(struct session_cache *cache)
{
    if (!cache || atomic_fetch_sub(&cache->references, 1) != 1)
        return;
    lru_free(cache->sessions);
    free(cache);
}

unsigned session_cache_lifetime_s(const struct session_cache *cache)
{
    return cache->lifetime_s;
}

void session_cache_put(struct session_cache *cache, SSL_SESSION *session)
{
    unsigned length = 0;
    const unsigned char *id = SSL_SESSION_get_id(session, &length);
    if (cache->lifetime_s == 0 || length != ID_BYTES || !session_of(session))
        return;
    ERR_set_mark();
    SSL_SESSION *copy = SSL_SESSION_dup(session);
    ERR_pop_to_mark();
    if (!copy)
        return;
    lru_put(cache->sessions, id, copy);
    SSL_SESSION_free(copy);
}

SSL_SESSION *session_cache_get(struct session_cache *cache, const unsigned char *id, size_t length,
                               time_t now)
{
    if (length != ID_BYTES)
        return NULL;
    SSL_SESSION *kept = lru_get(cache->sessions, id);
    if (!kept)
        return NULL;
    SSL_SESSION *copy = NULL;
    if (now < session_of(kept)->ends) {
        ERR_set_mark();
        copy = SSL_SESSION_dup(kept);
        ERR_pop_to_mark();
    } else {
        lru_remove(cache->sessions, id);
    }
    SSL_SESSION_free(kept);
    return copy;
}

void session_cache_remove(struct session_cache *cache, const unsigned char *id, size_t length)
{
    if (length == ID_BYTES)
        lru_remove(cache->sessions, id);
}

size_t session_cache_count(const struct session_cache *cache)
{
    return lru_count(cache->sessions);
}
