/* SPDX-License-Identifier: Apache-2.0 */
/* Building a pool from its section, publishing its sequence to the workers, choosing for a request.
 */
#include "backends/pool.h"

#include <stdio.h>
#include <string.h>

#include "backends/backend_tls.h"
#include "backends/pool_checks.h"
#include "backends/pool_persistence.h"
#include "lb/base/arena.h"
#include "lb/base/log.h"

/* Pool and backend names, an address and a digest. */
enum { POOL_IDENTITY_BYTES = 512 };

bool choice_tried(const struct choice *choice, unsigned backend)
{
    return backend < POOL_BACKENDS_MOST && (choice->tried[backend / 64] >> backend % 64 & 1) != 0;
}

void choice_add_tried(struct choice *choice, unsigned backend)
{
    if (backend >= POOL_BACKENDS_MOST || choice_tried(choice, backend))
        return;
    choice->tried[backend / 64] |= UINT64_C(1) << backend % 64;
    choice->tried_count++;
}

/* Where problems of one pool are reported. */
struct place {
    const char *file;
    unsigned line; /* of the section */
    struct problems *problems;
};

/* The line of a key; of the section where the key was left out. */
static unsigned line_of(const struct place *place, unsigned key_line)
{
    return key_line ? key_line : place->line;
}

static void check_name(const struct pool *pool, unsigned index, unsigned line,
                       const struct place *place)
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

static void prepare_backends(struct pool *pool, struct arena *arena, const struct place *place)
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
        struct error err = {0};
        backend->index = i;
        if (!backend_parse(backend, list->items[i], arena, &err))
            problems_add(place->problems, place->file, list->lines[i], "%s", err.text);
        if (backend->name)
            check_name(pool, i, list->lines[i], place);
    }
}

static void prepare_balancer(struct pool *pool, const struct place *place)
{
    const char *name = pool->options->balance;
    pool->balancer = balancer_find(name);
    if (pool->balancer)
        return;
    const char *nearest = balancer_nearest(name);
    problems_add(place->problems, place->file, line_of(place, pool->options->balance_line),
                 "\"%s\" is no known way to choose a backend: %s%s%s", name,
                 nearest ? "did you mean " : "one that is known is ",
                 nearest ? nearest : balancers[0]->name, nearest ? "?" : "");
}

static void check_turns(const struct pool *pool, const struct place *place)
{
    uint64_t turns = sequence_turns_needed(pool->backends, pool->backend_count);
    if (turns > SEQUENCE_TURNS_MOST)
        problems_add(
            place->problems, place->file, place->line,
            "the weights of pool %s need %llu turns for one round: at most %d are possible; "
            "use weights with a common divisor, such as 10, 20, 30",
            pool->name, (unsigned long long)turns, SEQUENCE_TURNS_MOST);
}

bool pool_prepare(struct pool *pool, const char *name, unsigned line,
                  const struct pool_options *options, struct arena *arena, const char *file,
                  struct problems *problems)
{
    struct place place = {file, line, problems};
    size_t errors_before = problems->error_count;
    pool->name = name;
    pool->line = line;
    pool->options = options;
    prepare_backends(pool, arena, &place);
    prepare_balancer(pool, &place);
    pool_prepare_checks(pool, file, problems);
    pool_persistence_check(pool, file, problems);
    check_turns(pool, &place);
    backend_tls_load(pool, arena, file, problems);
    if (problems->error_count == errors_before)
        return true;
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
    return backend->standing != NULL;
}

bool pool_open(struct pool *pool, struct roster *roster, const struct pool *before)
{
    pool->roster = roster;
    pthread_mutex_init(&pool->publish, NULL);
    if (before) {
        atomic_store(&pool->turn, atomic_load(&before->turn));
        atomic_store(&pool->retry_turn, atomic_load(&before->retry_turn));
    }
    for (unsigned i = 0; i < pool->backend_count; i++)
        if (!join(pool, &pool->backends[i]))
            return false;
    pool->sequence = sequence_new(pool);
    return pool->sequence != NULL;
}

void pool_done(struct pool *pool)
{
    pool_persistence_done(pool);
    if (!pool->roster)
        return;
    sequence_unref(pool->sequence);
    pool->sequence = NULL;
    for (unsigned i = 0; i < pool->backend_count; i++)
        if (pool->backends[i].standing)
            roster_leave(pool->roster, pool->backends[i].standing);
    pool->roster = NULL;
    pthread_mutex_destroy(&pool->publish);
}

uint32_t pool_publish(struct pool *pool, uint64_t now_ms)
{
    struct sequence *sequence = sequence_new(pool);
    (void)now_ms;
    if (!sequence) {
        log_say(LOG_LEVEL_ERROR, "pool.publish", "out of memory: pool %s keeps its old turns",
                pool->name);
        return 0;
    }
    pthread_mutex_lock(&pool->publish);
    struct sequence *old = pool->sequence;
    pool->sequence = sequence;
    atomic_fetch_add(&pool->generation, 1);
    pthread_mutex_unlock(&pool->publish);
    sequence_unref(old);
    return 0;
}

const struct sequence *pool_view_sequence(struct pool *pool, struct pool_view *view)
{
    unsigned generation = atomic_load_explicit(&pool->generation, memory_order_acquire);
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

int pool_choose(struct pool *pool, struct pool_view *view, struct choice *choice)
{
    const struct backend *wanted = choice->wanted;
    choice->sequence = pool_view_sequence(pool, view);
    if (choice->sequence->turn_count == 0)
        return -1;
    if (wanted && standing_is_available(wanted->standing) && !choice_tried(choice, wanted->index))
        return (int)wanted->index;
    return pool->balancer->choose(pool, choice);
}
