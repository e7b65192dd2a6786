/* SPDX-License-Identifier: Apache-2.0 */
/* Filling the table and looking up keys. */
#include "backends/persistence/affinity.h"

#include "backends/backend.h"
#include "backends/choice.h"
#include "lb/base/arena.h"
#include "lb/base/text_map.h"

/* Hashes of one key before all backends are looked at: half of a pool's weight may be gone, and of
 * 65,536 keys one comes so far. */
enum { HASHES_MOST = 16 };

enum { FREE_SLOT = UINT16_MAX };

struct affinity {
    uint16_t slots[AFFINITY_SLOTS];
};

/* The finishing steps of SplitMix64 (S. Vigna): a bijection. */
uint64_t affinity_mix(uint64_t hash)
{
    hash = (hash ^ hash >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    hash = (hash ^ hash >> 27) * UINT64_C(0x94d049bb133111eb);
    return hash ^ hash >> 31;
}

/* One backend on its way through the slots. */
struct walker {
    uint32_t at;
    uint32_t step; /* the number of slots is a prime: every step leads to all of them */
    unsigned credit;
};

static void set_out(struct walker *walker, const struct backend *backend, unsigned price,
                    unsigned sum)
{
    uint64_t hash = affinity_mix(text_hash(slice_of(backend->name)));
    bool is_light = (uint64_t)backend->weight * AFFINITY_SLOTS < sum; /* it deserves not one slot */
    *walker = (struct walker){.at = (uint32_t)(hash >> 32) % AFFINITY_SLOTS,
                              .step = (uint32_t)hash % (AFFINITY_SLOTS - 1) + 1,
                              .credit = is_light ? price - backend->weight : price / 2};
}

static void take_next_free(struct affinity *affinity, struct walker *walker, unsigned backend)
{
    while (affinity->slots[walker->at] != FREE_SLOT)
        walker->at = (walker->at + walker->step) % AFFINITY_SLOTS;
    affinity->slots[walker->at] = (uint16_t)backend;
}

/* In each round everyone gains its weight and buys a slot when it can. */
static void fill(struct affinity *affinity, struct walker *walkers, const struct backend *backends,
                 unsigned count, unsigned price)
{
    unsigned left = AFFINITY_SLOTS;
    for (unsigned i = 0; left > 0; i = i + 1 < count ? i + 1 : 0) {
        if (backends[i].weight == 0)
            continue;
        walkers[i].credit += backends[i].weight;
        if (walkers[i].credit < price)
            continue;
        walkers[i].credit -= price;
        take_next_free(affinity, &walkers[i], i);
        left--;
    }
}

/* No less than the heaviest weight, so that nobody ever can buy two; a power of two, because the
 * order of purchases should stay when the heaviest goes. */
static unsigned price_of_slot(const struct backend *backends, unsigned count, unsigned *ret_sum)
{
    unsigned price = 1;
    *ret_sum = 0;
    for (unsigned i = 0; i < count; i++) {
        *ret_sum += backends[i].weight;
        while (price < backends[i].weight)
            price *= 2;
    }
    return price;
}

const struct affinity *affinity_new(const struct backend *backends, unsigned count,
                                    struct arena *arena)
{
    struct walker walkers[POOL_BACKENDS_MOST];
    unsigned sum;
    unsigned price = price_of_slot(backends, count, &sum);
    if (sum == 0)
        return NULL;
    struct affinity *affinity = arena_alloc(arena, sizeof *affinity);
    for (unsigned i = 0; i < AFFINITY_SLOTS; i++)
        affinity->slots[i] = FREE_SLOT;
    for (unsigned i = 0; i < count; i++)
        set_out(&walkers[i], &backends[i], price, sum);
    fill(affinity, walkers, backends, count, price);
    return affinity;
}

/* Does this key belong to the part of the backend's keys that it may have now? */
static bool share_has(unsigned share, uint64_t hash)
{
    return (hash & UINT32_MAX) * SHARE_WHOLE >> 32 < share;
}

/* So many are gone that hashing on would be a matter of luck: the next in the file that may be had,
 * from where the key points to. */
static int find_any(const struct choice *choice, uint64_t hash)
{
    const struct sequence *sequence = choice->sequence;
    unsigned start =
        sequence->eligible_count ? (unsigned)((hash >> 32) * sequence->eligible_count >> 32) : 0;
    for (unsigned i = 0; i < sequence->eligible_count; i++) {
        unsigned at =
            start + i < sequence->eligible_count ? start + i : start + i - sequence->eligible_count;
        if (choice_may_be(choice, sequence->seats[at].backend))
            return sequence->seats[at].backend;
    }
    return -1;
}

int affinity_find(const struct affinity *affinity, const struct choice *choice)
{
    uint64_t hash = choice->key;
    for (unsigned tries = 0; tries < HASHES_MOST; tries++) {
        hash = affinity_mix(hash + UINT64_C(0x9e3779b97f4a7c15));
        unsigned backend = affinity->slots[(hash >> 32) * AFFINITY_SLOTS >> 32];
        if (choice_may_be(choice, backend) && share_has(choice->sequence->shares[backend], hash))
            return (int)backend;
    }
    return find_any(choice, hash);
}
