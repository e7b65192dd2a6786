/* SPDX-License-Identifier: Apache-2.0 */
/* Where a pool's options, its backends' ids and the tokens of its cookies meet. */
#include "backends/persistence/pool_persistence.h"

#include <stdlib.h>

#include "backends/persistence/backend_ids.h"
#include "backends/persistence/persistence.h"
#include "backends/pool.h"
#include "lb/base/error.h"
#include "lb/base/http1.h"

struct pool_persistence {
    struct persistence *tokens;
    struct backend_ids *ids;
};

bool pool_persistence_is_wished(const struct pool *pool)
{
    return pool->options->session_persistence == PERSISTENCE_COOKIE;
}

static void warn_idle(const struct pool *pool, const char *key, unsigned line, const char *file,
                      struct problems *problems)
{
    if (line > 0 && !pool_persistence_is_wished(pool))
        problems_warn(problems, file, line,
                      "%s means nothing in pool %s: say \"session_persistence = cookie\" as well, "
                      "or leave it out",
                      key, pool->name);
}

void pool_persistence_check(const struct pool *pool, const char *file, struct problems *problems)
{
    const struct pool_options *options = pool->options;
    unsigned line = options->persistence_cookie_line;
    if (!http_is_token(slice_of(options->persistence_cookie)))
        problems_add(problems, file, line ? line : pool->line,
                     "\"%s\" cannot be the name of a cookie: use letters, digits, '-' and '_', as "
                     "in \"persistence_cookie = LBSESSION\"",
                     options->persistence_cookie);
    warn_idle(pool, "persistence_cookie", line, file, problems);
    warn_idle(pool, "session_persistence_timeout", options->session_persistence_timeout_line, file,
              problems);
}

static bool fill(struct pool_persistence *persistence, const struct pool *pool)
{
    for (unsigned i = 0; i < pool->backend_count; i++) {
        uint64_t id = 0;
        if (!persistence_id(persistence->tokens, pool->backends[i].name, &id))
            return false;
        backend_ids_set(persistence->ids, i, id);
    }
    return true;
}

bool pool_persistence_open(struct pool *pool, const unsigned char *key)
{
    if (!pool_persistence_is_wished(pool))
        return true;
    pool->persistence = calloc(1, sizeof *pool->persistence);
    if (!pool->persistence)
        return false;
    pool->persistence->tokens = persistence_new(key, pool->name);
    pool->persistence->ids = backend_ids_new(pool->backend_count);
    if (pool->persistence->tokens && pool->persistence->ids && fill(pool->persistence, pool))
        return true;
    pool_persistence_done(pool);
    return false;
}

void pool_persistence_done(struct pool *pool)
{
    if (!pool->persistence)
        return;
    persistence_free(pool->persistence->tokens);
    backend_ids_free(pool->persistence->ids);
    free(pool->persistence);
    pool->persistence = NULL;
}

const struct backend *pool_persistence_find(const struct pool *pool, struct slice token,
                                            uint64_t now_ms, bool *ret_is_due)
{
    struct persistence_claim claim;
    if (!persistence_open(pool->persistence->tokens, token, &claim))
        return NULL;
    enum persistence_age age =
        persistence_age(claim.issued_ms, now_ms, pool->options->session_persistence_timeout);
    int index = backend_ids_find(pool->persistence->ids, claim.id);
    if (age == PERSISTENCE_OVER || index < 0)
        return NULL;
    *ret_is_due = age == PERSISTENCE_DUE;
    return &pool->backends[index];
}

bool pool_persistence_token(const struct pool *pool, const struct backend *backend, uint64_t now_ms,
                            char *token)
{
    const struct persistence_claim claim = {
        .id = backend_ids_get(pool->persistence->ids, backend->index),
        .issued_ms = now_ms,
    };
    return persistence_seal(pool->persistence->tokens, &claim, token);
}
