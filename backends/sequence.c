/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The order in which a pool's backends take turns.
 *
 * Smooth weighted: at each turn every backend gains its weight, the one with the most credit takes
 * the turn and pays the sum of all weights. Weights 5, 1, 1 give a a b a c a a: over one cycle each
 * gets exactly its share, and nobody's turns come in a bunch. Equal credit goes to the backend that
 * stands first in the file.
 */
#include <stdlib.h>

#include "backends/pool.h"

static unsigned greatest_common_divisor(unsigned one, unsigned other)
{
    while (other != 0) {
        unsigned rest = one % other;
        one = other;
        other = rest;
    }
    return one;
}

/* Who takes part: those with a weight that are not down; if that is nobody, perhaps those that are
 * down as well. What an operator took out is never tried. */
static unsigned pick_eligible(const struct pool *pool, bool with_down, unsigned *ret_eligible)
{
    unsigned count = 0;
    for (unsigned i = 0; i < pool->backend_count; i++) {
        const struct backend *backend = &pool->backends[i];
        const struct standing *standing = backend->standing;
        if (backend->weight > 0 && !atomic_load(&standing->is_drained) &&
            (with_down || standing_is_available(standing)))
            ret_eligible[count++] = i;
    }
    return count;
}

static void take_turns(struct sequence *sequence, const struct pool *pool, const unsigned *eligible,
                       int64_t *credit)
{
    int64_t sum = 0;
    for (unsigned i = 0; i < sequence->eligible_count; i++)
        sum += pool->backends[eligible[i]].weight;
    for (unsigned turn = 0; turn < sequence->turn_count; turn++) {
        unsigned richest = 0;
        for (unsigned i = 0; i < sequence->eligible_count; i++) {
            credit[i] += pool->backends[eligible[i]].weight;
            if (credit[i] > credit[richest])
                richest = i;
        }
        credit[richest] -= sum;
        sequence->turns[turn] = (uint16_t)eligible[richest];
    }
}

static unsigned turns_of(const struct pool *pool, const unsigned *eligible, unsigned count)
{
    unsigned sum = 0;
    unsigned divisor = 0;
    for (unsigned i = 0; i < count; i++) {
        unsigned weight = pool->backends[eligible[i]].weight;
        sum += weight;
        divisor = greatest_common_divisor(divisor, weight);
    }
    return divisor ? sum / divisor : 0;
}

uint64_t sequence_turns_needed(const struct backend *backends, unsigned count)
{
    uint64_t sum = 0;
    unsigned divisor = 0;
    for (unsigned i = 0; i < count; i++) {
        sum += backends[i].weight;
        divisor = greatest_common_divisor(divisor, backends[i].weight);
    }
    return divisor ? sum / divisor : 0;
}

struct sequence *sequence_new(const struct pool *pool)
{
    struct sequence *sequence = NULL;
    unsigned *eligible = calloc(pool->backend_count, sizeof *eligible);
    int64_t *credit = calloc(pool->backend_count, sizeof *credit);
    if (!eligible || !credit)
        goto end;
    unsigned count = pick_eligible(pool, false, eligible);
    if (count == 0 && pool->options->all_down == POOL_ALL_DOWN_ANY)
        count = pick_eligible(pool, true, eligible);
    unsigned turn_count = turns_of(pool, eligible, count);
    sequence = calloc(1, sizeof *sequence + turn_count * sizeof sequence->turns[0]);
    if (!sequence)
        goto end;
    atomic_init(&sequence->references, 1);
    sequence->eligible_count = count;
    sequence->turn_count = turn_count;
    take_turns(sequence, pool, eligible, credit);
end:
    free(credit);
    free(eligible);
    return sequence;
}

void sequence_unref(struct sequence *sequence)
{
    if (sequence && atomic_fetch_sub(&sequence->references, 1) == 1)
        free(sequence);
}
