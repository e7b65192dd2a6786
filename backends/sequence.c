/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The order in which a pool's backends take turns.
 *
 * Smooth weighted: at each turn every backend gains its weight, the one with the most credit takes
 * the turn and pays the sum of all weights. Weights 5, 1, 1 give a a b a c a a: over one cycle each
 * gets exactly its share, and nobody's turns come in a bunch. Equal credit goes to the backend that
 * stands first in the file.
 *
 * Backends of equal weight gain alike, so they take their turns one after another in the order of
 * the file: they form a row whose first is the only one to look at. There are few distinct weights
 * however large the pool is.
 */
#include "backends/sequence.h"

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

/* --- shares -------------------------------------------------------------------------------- */

static unsigned share_of(const struct backend *backend, uint64_t now_ms, uint32_t *soonest_ms)
{
    uint64_t up_ms = backend->standing->up_ms;
    uint64_t whole_ms = backend->slow_start_ms;
    uint64_t elapsed_ms = now_ms > up_ms ? now_ms - up_ms : 0;
    if (up_ms == 0 || elapsed_ms >= whole_ms)
        return SHARE_WHOLE;
    uint64_t grown = (SHARE_WHOLE - SHARE_AT_FIRST) * elapsed_ms / whole_ms;
    uint64_t wait_ms = (grown + 1) * whole_ms / (SHARE_WHOLE - SHARE_AT_FIRST) + 1 - elapsed_ms;
    if (wait_ms < SHARE_STEP_MS)
        wait_ms = SHARE_STEP_MS;
    if (*soonest_ms == 0 || wait_ms < *soonest_ms)
        *soonest_ms = (uint32_t)wait_ms;
    return SHARE_AT_FIRST + (unsigned)grown;
}

static bool is_eligible(const struct backend *backend, bool even_down)
{
    if (backend->weight == 0)
        return false;
    return even_down ? !atomic_load(&backend->standing->is_drained)
                     : standing_is_available(backend->standing);
}

static unsigned fill_shares(const struct pool *pool, bool even_down, uint64_t now_ms,
                            uint8_t *shares, uint32_t *soonest_ms)
{
    unsigned eligible = 0;
    for (unsigned i = 0; i < pool->backend_count; i++) {
        const struct backend *backend = &pool->backends[i];
        shares[i] = 0;
        if (!is_eligible(backend, even_down))
            continue;
        shares[i] = (uint8_t)share_of(backend, now_ms, soonest_ms);
        eligible++;
    }
    return eligible;
}

uint32_t sequence_shares(const struct pool *pool, uint64_t now_ms, uint8_t *ret_shares,
                         enum pool_state *ret_state)
{
    uint32_t soonest_ms = 0;
    *ret_state = POOL_DOWN;
    if (fill_shares(pool, false, now_ms, ret_shares, &soonest_ms) > 0)
        *ret_state = POOL_UP;
    else if (pool->options->all_down == POOL_ALL_DOWN_ANY &&
             fill_shares(pool, true, now_ms, ret_shares, &soonest_ms) > 0)
        *ret_state = POOL_ALL_DOWN;
    return soonest_ms;
}

/* --- weights ------------------------------------------------------------------------------- */

/* A backend's weight in `scale`ths, of which only its share counts; never nothing. */
static unsigned scaled_weight(const struct backend *backend, unsigned share, unsigned scale)
{
    unsigned whole = backend->weight * scale;
    unsigned counts = (whole * share + SHARE_WHOLE / 2) / SHARE_WHOLE;
    return counts > 0 ? counts : 1;
}

/* Returns the turns that these weights need, after dividing them by their divisor. */
static uint64_t weigh_in(struct sequence *sequence, const struct pool *pool, unsigned scale)
{
    uint64_t sum = 0;
    unsigned divisor = 0;
    for (unsigned i = 0; i < sequence->eligible_count; i++) {
        struct seat *seat = &sequence->seats[i];
        const struct backend *backend = &pool->backends[seat->backend];
        unsigned weight = scaled_weight(backend, sequence->shares[seat->backend], scale);
        seat->weight = (uint16_t)weight;
        sum += weight;
        divisor = greatest_common_divisor(divisor, weight);
    }
    if (divisor == 0)
        return 0;
    for (unsigned i = 0; i < sequence->eligible_count; i++)
        sequence->seats[i].weight = (uint16_t)(sequence->seats[i].weight / divisor);
    return sum / divisor;
}

/* One turn for each is set aside, so that rounding up to one cannot exceed the limit. */
static uint64_t round_weights(struct sequence *sequence, uint64_t sum)
{
    uint64_t left = SEQUENCE_TURNS_MOST - sequence->eligible_count;
    uint64_t rounded = 0;
    for (unsigned i = 0; i < sequence->eligible_count; i++) {
        struct seat *seat = &sequence->seats[i];
        uint64_t weight = seat->weight * left / sum;
        seat->weight = (uint16_t)(weight > 0 ? weight : 1);
        rounded += seat->weight;
    }
    return rounded;
}

static bool someone_starts_slowly(const struct sequence *sequence)
{
    for (unsigned i = 0; i < sequence->eligible_count; i++)
        if (sequence->shares[sequence->seats[i].backend] != SHARE_WHOLE)
            return true;
    return false;
}

/* Hundredths of weights make any share exact; tenths and whole weights come closer to the limit. */
static uint64_t weigh(struct sequence *sequence, const struct pool *pool)
{
    uint64_t turns = SEQUENCE_TURNS_MOST + 1;
    unsigned scale = someone_starts_slowly(sequence) ? 100 : 1;
    for (; scale > 0 && turns > SEQUENCE_TURNS_MOST; scale /= 10)
        turns = weigh_in(sequence, pool, scale);
    return turns > SEQUENCE_TURNS_MOST ? round_weights(sequence, turns) : turns;
}

/* --- turns --------------------------------------------------------------------------------- */

/* Seats of one weight. */
struct row {
    unsigned weight;
    unsigned first; /* of its seats in the order of rows */
    unsigned count;
    unsigned next; /* of its seats to take a turn */
};

struct rows {
    unsigned count;
    struct row *rows;
    uint16_t *seats; /* row by row, each in the order of the file */
    /* Credit of each row's next seat, times RANK, and how early it stands in the file: the highest
     * takes the turn. */
    int64_t *keys;
    int64_t *gains;
};

enum { RANK = 2048 };
_Static_assert((int)RANK > (int)POOL_BACKENDS_MOST, "a rank for every backend");

struct pick {
    uint16_t weight, seat;
};

static int compare_picks(const void *left, const void *right)
{
    const struct pick *one = left, *other = right;
    int by_weight = (one->weight > other->weight) - (one->weight < other->weight);
    return by_weight ? by_weight : (one->seat > other->seat) - (one->seat < other->seat);
}

static void line_up(struct rows *rows, const struct sequence *sequence, struct pick *picks)
{
    for (unsigned i = 0; i < sequence->eligible_count; i++)
        picks[i] = (struct pick){sequence->seats[i].weight, (uint16_t)i};
    qsort(picks, sequence->eligible_count, sizeof *picks, compare_picks);
    for (unsigned i = 0; i < sequence->eligible_count; i++) {
        rows->seats[i] = picks[i].seat;
        if (rows->count == 0 || rows->rows[rows->count - 1].weight != picks[i].weight) {
            rows->rows[rows->count] = (struct row){.weight = picks[i].weight, .first = i};
            rows->keys[rows->count] = RANK - picks[i].seat;
            rows->gains[rows->count] = (int64_t)picks[i].weight * RANK;
            rows->count++;
        }
        rows->rows[rows->count - 1].count++;
    }
}

static unsigned gain_and_find_richest(const struct rows *rows)
{
    int64_t *keys = rows->keys;
    int64_t most = INT64_MIN;
    for (unsigned i = 0; i < rows->count; i++) {
        keys[i] += rows->gains[i];
        most = keys[i] > most ? keys[i] : most;
    }
    unsigned richest = 0;
    while (keys[richest] != most) /* ranks differ, so no two are equal */
        richest++;
    return richest;
}

/* Whoever is next in the row has as much credit as this one before it pays, but for the first: it
 * paid already when the row came round. */
static unsigned take_turn(struct rows *rows, unsigned richest, unsigned sum)
{
    struct row *row = &rows->rows[richest];
    unsigned taker = rows->seats[row->first + row->next];
    if (++row->next == row->count) {
        row->next = 0;
        rows->keys[richest] -= (int64_t)sum * RANK;
    }
    rows->keys[richest] += (int64_t)taker - rows->seats[row->first + row->next];
    return taker;
}

static bool take_turns(struct sequence *sequence)
{
    size_t count = sequence->eligible_count;
    struct pick *picks = calloc(count, sizeof *picks);
    struct rows rows = {.rows = calloc(count, sizeof(struct row)),
                        .seats = calloc(count, sizeof(uint16_t)),
                        .keys = calloc(count, sizeof(int64_t)),
                        .gains = calloc(count, sizeof(int64_t))};
    bool has_room = picks && rows.rows && rows.seats && rows.keys && rows.gains;
    if (has_room) {
        line_up(&rows, sequence, picks);
        for (unsigned turn = 0; turn < sequence->turn_count; turn++) {
            unsigned taker = take_turn(&rows, gain_and_find_richest(&rows), sequence->turn_count);
            sequence->turns[turn] = sequence->seats[taker].backend;
        }
    }
    free(rows.gains);
    free(rows.keys);
    free(rows.seats);
    free(rows.rows);
    free(picks);
    return has_room;
}

/* --- life ---------------------------------------------------------------------------------- */

static void sequence_free(struct sequence *sequence)
{
    free(sequence->turns);
    free(sequence->seat_of);
    free(sequence->shares);
    free(sequence->seats);
    free(sequence);
}

static void sit_down(struct sequence *sequence, const struct pool *pool, const uint8_t *shares)
{
    for (unsigned i = 0; i < pool->backend_count; i++) {
        const struct backend *backend = &pool->backends[i];
        sequence->shares[i] = shares[i];
        if (shares[i] == 0)
            continue;
        sequence->seat_of[i] = (uint16_t)sequence->eligible_count;
        sequence->seats[sequence->eligible_count++] =
            (struct seat){.active = backend->standing->active, .backend = (uint16_t)i};
    }
}

struct sequence *sequence_new(const struct pool *pool, const uint8_t *shares)
{
    struct sequence *sequence = calloc(1, sizeof *sequence);
    if (!sequence)
        return NULL;
    atomic_init(&sequence->references, 1);
    sequence->seats = calloc(pool->backend_count, sizeof *sequence->seats);
    sequence->shares = calloc(pool->backend_count, sizeof *sequence->shares);
    sequence->seat_of = calloc(pool->backend_count, sizeof *sequence->seat_of);
    if (sequence->seats && sequence->shares && sequence->seat_of) {
        sit_down(sequence, pool, shares);
        sequence->turn_count = (unsigned)weigh(sequence, pool);
        if (sequence->turn_count == 0)
            return sequence;
        sequence->turns = calloc(sequence->turn_count, sizeof *sequence->turns);
        if (sequence->turns && take_turns(sequence))
            return sequence;
    }
    sequence_free(sequence);
    return NULL;
}

void sequence_unref(struct sequence *sequence)
{
    if (sequence && atomic_fetch_sub(&sequence->references, 1) == 1)
        sequence_free(sequence);
}
