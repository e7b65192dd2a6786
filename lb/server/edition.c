/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/server/edition.h"

#include <stdlib.h>

#include "backends/tls/backend_tls.h"
#include "lb/base/error.h"
#include "listeners/tls/handshake.h"

static bool make_handshakes(struct edition *edition, struct chain_cache *chains, struct error *err)
{
    const struct config *config = edition->config;
    for (unsigned i = 0; i < config->listener_count; i++) {
        const struct listener *listener = &config->listeners[i];
        if (listener->options->protocol != LISTENER_HTTPS)
            continue;
        edition->handshakes[i] = handshake_context_new(listener, chains, err);
        if (!edition->handshakes[i])
            return false;
    }
    return true;
}

static bool make_backend_tls(struct edition *edition, struct error *err)
{
    const struct config *config = edition->config;
    for (unsigned i = 0; i < config->pool_count; i++) {
        if (!config->pools[i]->tls)
            continue;
        edition->backend_tls[i] = backend_tls_context_new(config->pools[i], err);
        if (!edition->backend_tls[i])
            return false;
    }
    return true;
}

struct edition *edition_new(struct config *config, struct chain_cache *chains, struct error *err)
{
    struct edition *edition = calloc(1, sizeof *edition);
    if (!edition) {
        error_set(err, "out of memory");
        return NULL;
    }
    edition->hold.users = 1;
    edition->config = config;
    edition->handshakes = calloc(config->listener_count + 1, sizeof(struct handshake_context *));
    edition->views = calloc(config->pool_count + 1, sizeof *edition->views);
    edition->backend_tls = calloc(config->pool_count + 1, sizeof(struct backend_tls_context *));
    if (!edition->handshakes || !edition->views || !edition->backend_tls)
        error_set(err, "out of memory");
    else if (make_handshakes(edition, chains, err) && make_backend_tls(edition, err))
        return edition;
    edition_free(edition);
    return NULL;
}

void edition_free(struct edition *edition)
{
    if (!edition)
        return;
    const struct config *config = edition->config;
    for (unsigned i = 0; edition->handshakes && i < config->listener_count; i++)
        handshake_context_free(edition->handshakes[i]);
    for (unsigned i = 0; edition->views && i < config->pool_count; i++)
        pool_view_done(config->pools[i], &edition->views[i]);
    for (unsigned i = 0; edition->backend_tls && i < config->pool_count; i++)
        backend_tls_context_free(edition->backend_tls[i]);
    free(edition->handshakes);
    free(edition->views);
    free(edition->backend_tls);
    free(edition);
}

struct edition *edition_of_door(const struct door *door)
{
    return LIST_OWNER(door->hold, struct edition, hold);
}
