/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The balancer says who, a compare-and-swap on the backend's count says whether. Who has
 * max_connections is treated like one that was tried, and the balancer is asked again, as for a
 * retry: that shifts nobody else's turn.
 */
#include "backends/choice.h"

#include "backends/persistence/affinity.h"
#include "backends/queue.h"
#include "lb/base/text_map.h"

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

bool choice_may_be(const struct choice *choice, unsigned backend)
{
    return choice->sequence->shares[backend] > 0 && !choice_tried(choice, backend);
}

bool choice_has_any_left(const struct choice *choice, const struct sequence *now)
{
    if (choice->tried_count == 0)
        return now->turn_count > 0;
    for (unsigned i = 0; i < now->eligible_count; i++)
        if (!choice_tried(choice, now->seats[i].backend))
            return true;
    return false;
}

/* FNV's upper bits hardly depend on the last bytes, where addresses differ: they are mixed in. */
uint64_t choice_key_of(const char *bytes, size_t length)
{
    return affinity_mix(text_hash((struct slice){bytes, length}));
}

/* --- places -------------------------------------------------------------------------------- */

static bool take_below(atomic_uint *active, unsigned most)
{
    unsigned now = atomic_load(active);
    while (now < most)
        if (atomic_compare_exchange_weak(active, &now, now + 1))
            return true;
    return false;
}

/* The present config's, whoever asks. 0: no limit. Ordered with who says that it waits: either it
 * sees the new limit, or who set that sees it wait. */
static unsigned places_of(const struct backend *backend)
{
    return atomic_load(&backend->standing->max_connections);
}

bool backend_take_place(const struct backend *backend)
{
    atomic_uint *active = backend->standing->active;
    unsigned most = places_of(backend);
    if (most > 0)
        return take_below(active, most);
    atomic_fetch_add(active, 1);
    return true;
}

/* Those who wait for one certain backend get its next place before anyone who may go elsewhere. */
static bool is_full(const struct seat *seat, const struct backend *backend)
{
    unsigned most = places_of(backend);
    return most > 0 &&
           (atomic_load_explicit(seat->active, memory_order_relaxed) >= most ||
            atomic_load_explicit(&backend->standing->bound_count, memory_order_relaxed) > 0);
}

enum taking { TAKING_DONE, TAKING_FULL, TAKING_MOVED };

static enum taking take(const struct backend *backend, uint32_t seen)
{
    unsigned expected = seen, most = places_of(backend);
    if (most > 0 && atomic_load(&backend->standing->bound_count) > 0)
        return TAKING_FULL;
    if (seen == CHOICE_UNSEEN)
        return backend_take_place(backend) ? TAKING_DONE : TAKING_FULL;
    if (most > 0 && seen >= most)
        return TAKING_FULL;
    return atomic_compare_exchange_strong(backend->standing->active, &expected, seen + 1)
               ? TAKING_DONE
               : TAKING_MOVED;
}

static void pass_over_full(const struct pool *pool, struct choice *choice)
{
    const struct sequence *sequence = choice->sequence;
    for (unsigned i = 0; i < sequence->eligible_count; i++) {
        const struct seat *seat = &sequence->seats[i];
        if (is_full(seat, &pool->backends[seat->backend]))
            choice_add_tried(choice, seat->backend);
    }
}

/* --- choosing ------------------------------------------------------------------------------ */

int choice_bound_to(const struct pool *pool, const struct choice *choice)
{
    if (choice->wanted && choice_may_be(choice, choice->wanted->index))
        return (int)choice->wanted->index;
    if (choice->is_bound && pool->affinity)
        return affinity_find(pool->affinity, choice);
    return -1;
}

int choice_take(struct pool *pool, struct choice *choice)
{
    struct choice open;
    struct choice *asked = choice;
    if (choice->sequence->turn_count == 0)
        return POOL_NONE;
    int bound = choice_bound_to(pool, choice);
    if (bound >= 0)
        return backend_take_place(&pool->backends[bound]) ? bound : POOL_FULL;
    for (;;) {
        asked->seen = CHOICE_UNSEEN;
        int index = pool->balancer->choose(pool, asked);
        if (index < 0)
            return asked == choice ? POOL_NONE : POOL_FULL;
        switch (take(&pool->backends[index], asked->seen)) {
        case TAKING_DONE:
            return index;
        case TAKING_MOVED:
            break;
        case TAKING_FULL:
            open = *choice;
            asked = &open;
            choice_add_tried(asked, (unsigned)index);
            pass_over_full(pool, asked);
            break;
        }
    }
}

/* Is it left out for nothing but passive failures? What checks and operators say holds. */
static bool is_only_blocked(const struct choice *choice, const struct backend *backend)
{
    const struct standing *standing = backend->standing;
    return choice->sequence->shares[backend->index] == 0 && backend->weight > 0 &&
           !choice_tried(choice, backend->index) && !atomic_load(&standing->is_drained) &&
           atomic_load(&standing->verdict) != VERDICT_DOWN;
}

/* All others have failed this request: for it that is as if all were down. */
static int take_blocked(struct pool *pool, const struct choice *choice)
{
    unsigned count = pool->backend_count;
    if (choice->tried_count == 0 || pool->options->all_down != POOL_ALL_DOWN_ANY)
        return POOL_NONE;
    uint_fast64_t start = atomic_fetch_add_explicit(&pool->retry_turn, 1, memory_order_relaxed);
    for (unsigned i = 0; i < count; i++) {
        const struct backend *backend = &pool->backends[(start + i) % count];
        if (is_only_blocked(choice, backend) && backend_take_place(backend))
            return (int)backend->index;
    }
    return POOL_NONE;
}

int pool_take(struct pool *pool, struct pool_view *view, struct choice *choice)
{
    int found;
    choice->sequence = pool_view_sequence(pool, view);
    if (pool->is_limited && queue_is_used(pool->queue))
        found = choice_has_any_left(choice, choice->sequence) ? POOL_FULL : POOL_NONE;
    else
        found = choice_take(pool, choice);
    return found == POOL_NONE ? take_blocked(pool, choice) : found;
}

void pool_leave(struct pool *pool, unsigned backend)
{
    atomic_fetch_sub(pool->backends[backend].standing->active, 1);
    if (queue_is_used(pool->queue))
        queue_serve(pool, backend);
}
