/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whoever has the fewest exchanges for its weight.
 *
 * The choice says which count it was made by, and the pool takes the backend only while that count
 * stands: as counts only grow while workers choose at once, everyone then got one of the least
 * busy, as if they had chosen one after another. Of several that are equally busy the next in turn
 * is chosen, so that a pool with little to do is served by weight as with round-robin.
 */
#include "backends/balancer.h"
#include "backends/choice.h"

/* Equally busy backends mostly stand close by in the order of turns. */
enum { STEPS_MOST = 64 };

/* How busy: count / weight, compared without dividing. */
struct load {
    uint32_t count;
    uint32_t weight;
};

static bool is_less(struct load one, struct load other)
{
    return (uint64_t)one.count * other.weight < (uint64_t)other.count * one.weight;
}

static struct load load_of(const struct seat *seat)
{
    return (struct load){atomic_load_explicit(seat->active, memory_order_relaxed), seat->weight};
}

struct least {
    struct load load;
    const struct seat *seat; /* the first with that load; NULL: all were tried */
    bool is_shared;          /* another has it, too */
};

static struct least find_least(const struct choice *choice)
{
    const struct sequence *sequence = choice->sequence;
    struct least least = {.seat = NULL};
    for (unsigned i = 0; i < sequence->eligible_count; i++) {
        const struct seat *seat = &sequence->seats[i];
        if (choice->tried_count > 0 && choice_tried(choice, seat->backend))
            continue;
        struct load load = load_of(seat);
        if (!least.seat || is_less(load, least.load))
            least = (struct least){load, seat, false};
        else if (!is_less(least.load, load))
            least.is_shared = true;
    }
    return least;
}

/* Is this one, as it is now, as little busy as the least? Then it is the choice. */
static bool settle(struct choice *choice, const struct seat *seat, const struct least *least)
{
    struct load load = load_of(seat);
    if (choice_tried(choice, seat->backend) || is_less(least->load, load))
        return false;
    choice->seen = load.count;
    return true;
}

/* The steps walked are used up, so that not always the neighbour of a busy one is chosen. */
static int choose_in_turn(struct choice *choice, const struct least *least,
                          atomic_uint_fast64_t *turns)
{
    const struct sequence *sequence = choice->sequence;
    uint64_t turn = atomic_fetch_add_explicit(turns, 1, memory_order_relaxed);
    unsigned at = (unsigned)(turn % sequence->turn_count);
    for (unsigned step = 0; step < sequence->turn_count && step < STEPS_MOST; step++) {
        unsigned backend = sequence->turns[(at + step) % sequence->turn_count];
        if (!settle(choice, &sequence->seats[sequence->seat_of[backend]], least))
            continue;
        if (step > 0)
            atomic_fetch_add_explicit(turns, step, memory_order_relaxed);
        return (int)backend;
    }
    unsigned first = sequence->seat_of[sequence->turns[at]];
    for (unsigned i = 0; i < sequence->eligible_count; i++) {
        const struct seat *seat = &sequence->seats[(first + i) % sequence->eligible_count];
        if (settle(choice, seat, least))
            return seat->backend;
    }
    choice->seen = least->load.count; /* which is over: the pool will ask again */
    return least->seat->backend;
}

static int choose(struct pool *pool, struct choice *choice)
{
    struct least least = find_least(choice);
    if (!least.seat)
        return -1;
    choice->seen = least.load.count;
    if (!least.is_shared)
        return least.seat->backend;
    return choose_in_turn(choice, &least,
                          choice->tried_count > 0 ? &pool->retry_turn : &pool->turn);
}

// clang-format off
const struct balancer balancer_least_connections = {
    .name    = "least-connections",
    .summary = "the backend with the fewest requests in progress for its weight; exact across all workers",
    .choose  = choose,
};
// clang-format on
