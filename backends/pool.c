/* SPDX-License-Identifier: Apache-2.0 */
/* Building a pool from its section, publishing its sequence to the workers. */
#include "backends/pool.h"

#include <stdio.h>
#include <string.h>
#include <uv.h>

#include "backends/persistence/affinity.h"
#include "backends/persistence/pool_persistence.h"
#include "backends/pool_checks.h"
#include "backends/pool_place.h"
#include "backends/queue.h"
#include "backends/tls/backend_tls.h"
#include "lb/base/arena.h"
#include "lb/base/log.h"

/* Pool and backend names, an address and a digest. */
enum { POOL_IDENTITY_BYTES = 512 };

static void check_name(const struct pool *pool, unsigned index, unsigned line,
                       const struct pool_place *place)
{
    const char *name = pool->backends[index].name;
    for (unsigned i = 0; i < index; i++) {
        if (!pool->backends[i].name || strcmp(pool->backends[i].name, name) != 0)
            continue;
        problems_add(
            place->problems, place->file, line,
            "pool %s has two backends named %s (the other is in line %u): names must differ",
            pool->name, name, pool->options->backend.lines[i]);
        return;
    }
}

static void prepare_backends(struct pool *pool, struct arena *arena, const struct pool_place *place)
{
    const struct option_list *list = &pool->options->backend;
    if (list->count == 0)
        problems_add(place->problems, place->file, place->line,
                     "pool %s has no backend: at least one is needed, as in \"backend = rs-1 "
                     "192.0.2.10:8080 weight=10\"",
                     pool->name);
    if (list->count > POOL_BACKENDS_MOST) {
        problems_add(place->problems, place->file, list->lines[POOL_BACKENDS_MOST],
                     "pool %s has %u backends: at most %d are possible", pool->name, list->count,
                     POOL_BACKENDS_MOST);
        return;
    }
    pool->backend_count = list->count;
    pool->backends = arena_alloc(arena, (list->count + 1) * sizeof *pool->backends);
    for (unsigned i = 0; i < list->count; i++) {
        struct backend *backend = &pool->backends[i];
        backend->index = i;
        backend_parse(backend, list->items[i], arena, place->file, list->lines[i], place->problems);
        if (backend->name)
            check_name(pool, i, list->lines[i], place);
        pool->is_limited |= backend->max_connections > 0;
    }
}

static void prepare_balancer(struct pool *pool, const struct pool_place *place)
{
    const char *name = pool->options->balance;
    pool->balancer = balancer_find(name);
    if (pool->balancer)
        return;
    char names[256];
    const char *nearest = balancer_nearest(name);
    problems_add(place->problems, place->file, pool_place_line(place, pool->options->balance_line),
                 "\"%s\" is no known way to choose a backend: %s%s%s", name,
                 nearest ? "did you mean " : "there are ",
                 nearest ? nearest : balancer_names(names, sizeof names), nearest ? "?" : "");
}

/* Who is looked up by a hash, and where: with the balancer, or by the client's certificate. */
static void prepare_affinity(struct pool *pool, struct arena *arena)
{
    bool is_bound = pool->options->session_persistence == PERSISTENCE_CLIENT_CERTIFICATE;
    if (is_bound || (pool->balancer && pool->balancer->wants_key))
        pool->affinity = affinity_new(pool->backends, pool->backend_count, arena);
}

bool pool_prepare(struct pool *pool, const char *name, unsigned line,
                  const struct pool_options *options, struct arena *arena, const char *file,
                  struct problems *problems)
{
    struct pool_place place = {file, line, problems};
    size_t errors_before = problems->error_count;
    pool->name = name;
    pool->line = line;
    pool->options = options;
    prepare_backends(pool, arena, &place);
    prepare_balancer(pool, &place);
    pool_prepare_checks(pool, file, problems);
    pool_persistence_check(pool, file, problems);
    backend_tls_load(pool, arena, file, problems);
    if (problems->error_count == errors_before) {
        prepare_affinity(pool, arena);
        return true;
    }
    backend_tls_free(pool->tls);
    pool->tls = NULL;
    return false;
}

static bool join(struct pool *pool, struct backend *backend)
{
    char identity[POOL_IDENTITY_BYTES];
    snprintf(identity, sizeof identity, "%s\n%s\n%s\n%s", pool->name, backend->name,
             backend->address.text, pool->link_identity);
    backend->standing = roster_join(pool->roster, identity);
    if (!backend->standing)
        return false;
    if (backend->standing->references == 1)
        atomic_store(&backend->standing->max_connections, backend->max_connections);
    return true;
}

void pool_enforce(struct pool *pool)
{
    for (unsigned i = 0; i < pool->backend_count; i++)
        atomic_store(&pool->backends[i].standing->max_connections,
                     pool->backends[i].max_connections);
}

bool pool_open(struct pool *pool, struct roster *roster, const struct pool *before)
{
    pool->roster = roster;
    pthread_mutex_init(&pool->publish, NULL);
    if (before) {
        atomic_store(&pool->turn, atomic_load(&before->turn));
        atomic_store(&pool->retry_turn, atomic_load(&before->retry_turn));
        pool->told_state = before->told_state;
    }
    pool->queue = queues_join(roster_queues(roster), pool->name);
    if (!pool->queue)
        return false;
    for (unsigned i = 0; i < pool->backend_count; i++)
        if (!join(pool, &pool->backends[i]))
            return false;
    uint8_t shares[POOL_BACKENDS_MOST];
    uint64_t now_ms = uv_hrtime() / 1000000; /* the base of every loop's time */
    sequence_shares(pool, now_ms, shares, &pool->state);
    pool->sequence = sequence_new(pool, shares);
    return pool->sequence != NULL;
}

void pool_done(struct pool *pool)
{
    pool_persistence_done(pool);
    backend_tls_free(pool->tls);
    pool->tls = NULL;
    if (!pool->roster)
        return;
    sequence_unref(pool->sequence);
    pool->sequence = NULL;
    for (unsigned i = 0; i < pool->backend_count; i++)
        if (pool->backends[i].standing)
            roster_leave(pool->roster, pool->backends[i].standing);
    queues_leave(roster_queues(pool->roster), pool->queue);
    pool->queue = NULL;
    pool->roster = NULL;
    pthread_mutex_destroy(&pool->publish);
}

const char *pool_state_name(enum pool_state state)
{
    switch (state) {
    case POOL_UP:
        return "up";
    case POOL_ALL_DOWN:
        return "all-down";
    case POOL_DOWN:
        return "down";
    }
    return "up";
}

/* Not for each request: when it becomes so. */
static void tell_state(struct pool *pool)
{
    static const char *const events[] = {"pool.up", "pool.all-down", "pool.down"};
    static const char *const then[] = {"backends that are up get the requests",
                                       "all backends that are not drained are tried",
                                       "requests get 503"};
    struct log_line line;
    if (pool->state == pool->told_state)
        return;
    pool->told_state = pool->state;
    log_begin(&line, pool->state == POOL_UP ? LOG_LEVEL_INFO : LOG_LEVEL_WARN, events[pool->state]);
    log_text(&line, "pool", pool->name);
    log_text(&line, "then", then[pool->state]);
    log_end(&line);
}

/* Out of memory keeps the old one. */
static bool replace_sequence(struct pool *pool, const uint8_t *shares)
{
    struct sequence *old = pool->sequence;
    if (memcmp(shares, old->shares, pool->backend_count) == 0)
        return true;
    struct sequence *sequence = sequence_new(pool, shares);
    if (!sequence) {
        log_say(LOG_LEVEL_ERROR, "pool.publish", "out of memory: pool %s keeps its old turns",
                pool->name);
        return false;
    }
    pthread_mutex_lock(&pool->publish);
    pool->sequence = sequence;
    atomic_fetch_add(&pool->generation, 1);
    pthread_mutex_unlock(&pool->publish);
    sequence_unref(old);
    if (queue_is_used(pool->queue))
        queue_review(pool);
    return true;
}

uint32_t pool_publish(struct pool *pool, uint64_t now_ms)
{
    uint8_t shares[POOL_BACKENDS_MOST];
    enum pool_state state;
    uint32_t again_ms = sequence_shares(pool, now_ms, shares, &state);
    if (replace_sequence(pool, shares)) {
        pool->state = state;
        tell_state(pool);
    }
    return again_ms;
}

const struct sequence *pool_view_sequence(struct pool *pool, struct pool_view *view)
{
    unsigned generation = atomic_load(&pool->generation);
    if (view->sequence && view->generation == generation)
        return view->sequence;
    struct sequence *old = view->sequence;
    pthread_mutex_lock(&pool->publish);
    view->sequence = pool->sequence;
    view->generation = atomic_load(&pool->generation);
    atomic_fetch_add(&view->sequence->references, 1);
    pthread_mutex_unlock(&pool->publish);
    sequence_unref(old);
    return view->sequence;
}

void pool_view_done(struct pool *pool, struct pool_view *view)
{
    (void)pool; /* whose view it is matters once a pool counts its readers */
    sequence_unref(view->sequence);
    *view = (struct pool_view){0};
}

bool pool_is_eligible(struct pool *pool, unsigned backend)
{
    pthread_mutex_lock(&pool->publish);
    bool is_eligible = pool->sequence->shares[backend] > 0;
    pthread_mutex_unlock(&pool->publish);
    return is_eligible;
}

void pool_note_failure(struct pool *pool, const struct backend *backend)
{
    struct standing *standing = backend->standing;
    uint64_t most = (uint64_t)pool->options->passive_failures;
    uint64_t in_row = (uint64_t)atomic_fetch_add(&standing->failures_in_row, 1) + 1;
    bool is_open = false;
    if (!pool->bell || most == 0 || in_row < most)
        return;
    if (atomic_load(&standing->is_blocked))
        return;
    atomic_store(&standing->blocked_after, (unsigned)in_row);
    if (!atomic_compare_exchange_strong(&standing->is_blocked, &is_open, true))
        return;
    atomic_store(&pool->wants_attention, true);
    pool->bell->ring(pool->bell);
}

void pool_note_answer(const struct backend *backend)
{
    atomic_uint *failures = &backend->standing->failures_in_row;
    if (atomic_load_explicit(failures, memory_order_relaxed) != 0)
        atomic_store_explicit(failures, 0, memory_order_relaxed);
}
