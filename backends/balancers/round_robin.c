/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everyone in turn, by weight.
 *
 * All workers take their turns from one counter per pool, so the sequence is kept exactly whoever
 * serves the request. A retry takes no such turn: it would push all later requests one place on,
 * and of two backends the dead one would meet every first try again. Retries take turns among
 * themselves from a counter of their own and walk on from there to the first backend this request
 * has not tried; the steps walked are used up as well, so that the load of a backend that fails is
 * spread over the others by weight instead of falling on its neighbour.
 */
#include "backends/balancer.h"
#include "backends/choice.h"
#include "backends/persistence/affinity.h"

/* A request that has tried so many neighbours looks at all seats instead. */
enum { STEPS_MOST = 256 };

/* By weight among all that are left, at random: few are, and they may stand far apart. */
static int choose_anywhere(const struct choice *choice, uint64_t turn)
{
    const struct sequence *sequence = choice->sequence;
    unsigned sum = 0;
    for (unsigned i = 0; i < sequence->eligible_count; i++)
        if (!choice_tried(choice, sequence->seats[i].backend))
            sum += sequence->seats[i].weight;
    if (sum == 0)
        return -1;
    unsigned left = (unsigned)(affinity_mix(turn) % sum);
    for (unsigned i = 0;; i++) {
        const struct seat *seat = &sequence->seats[i];
        if (choice_tried(choice, seat->backend))
            continue;
        if (left < seat->weight)
            return seat->backend;
        left -= seat->weight;
    }
}

static int choose_again(struct pool *pool, const struct choice *choice)
{
    const struct sequence *sequence = choice->sequence;
    uint_fast64_t start = atomic_fetch_add_explicit(&pool->retry_turn, 1, memory_order_relaxed);
    for (unsigned step = 0; step < sequence->turn_count && step < STEPS_MOST; step++) {
        unsigned backend = sequence->turns[(start + step) % sequence->turn_count];
        if (choice_tried(choice, backend))
            continue;
        if (step > 0)
            atomic_fetch_add_explicit(&pool->retry_turn, step, memory_order_relaxed);
        return (int)backend;
    }
    return choose_anywhere(choice, start);
}

static int choose(struct pool *pool, struct choice *choice)
{
    if (choice->tried_count > 0)
        return choose_again(pool, choice);
    uint_fast64_t turn = atomic_fetch_add_explicit(&pool->turn, 1, memory_order_relaxed);
    return choice->sequence->turns[turn % choice->sequence->turn_count];
}

// clang-format off
const struct balancer balancer_round_robin = {
    .name    = "round-robin",
    .summary = "each backend in turn, as often as its weight says; exact across all workers",
    .choose  = choose,
};
// clang-format on
