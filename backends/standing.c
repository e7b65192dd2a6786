/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The roster: a hash table of standings by identity. Counts of active exchanges lie in blocks of
 * their own, by slot: the backends of one pool join one after another, so that a balancer that
 * reads all their counts reads a few cache lines.
 */
#include "backends/standing.h"

#include <stdlib.h>
#include <string.h>

#include "backends/queue.h"
#include "lb/base/slice.h"
#include "lb/base/text_map.h"

enum { COUNTS_PER_BLOCK = 1024, BUCKETS_AT_FIRST = 64 };

struct member {
    struct standing standing; /* first: the roster gives it out */
    struct member *next;      /* in its bucket */
    uint64_t hash;
    char identity[];
};

struct roster {
    struct member **buckets;
    size_t bucket_count; /* a power of two */
    size_t member_count;
    atomic_uint **blocks;
    unsigned block_count;
    unsigned slot_count; /* ever given */
    unsigned *free_slots;
    unsigned free_count;
    struct queues queues;
};

const char *verdict_name(enum verdict verdict)
{
    switch (verdict) {
    case VERDICT_UNKNOWN:
        return "unknown";
    case VERDICT_UP:
        return "up";
    case VERDICT_DOWN:
        return "down";
    }
    return "unknown";
}

bool standing_is_available(const struct standing *standing)
{
    return atomic_load(&standing->verdict) != VERDICT_DOWN && !atomic_load(&standing->is_drained) &&
           !atomic_load(&standing->is_blocked);
}

struct roster *roster_new(void)
{
    struct roster *roster = calloc(1, sizeof *roster);
    if (!roster)
        return NULL;
    roster->bucket_count = BUCKETS_AT_FIRST;
    roster->buckets = calloc(roster->bucket_count, sizeof(struct member *));
    if (roster->buckets)
        return roster;
    free(roster);
    return NULL;
}

void roster_free(struct roster *roster)
{
    if (!roster)
        return;
    for (unsigned i = 0; i < roster->block_count; i++)
        free(roster->blocks[i]);
    free(roster->blocks);
    free(roster->free_slots);
    free(roster->buckets);
    free(roster);
}

static struct member **bucket_of(const struct roster *roster, uint64_t hash)
{
    return &roster->buckets[(hash ^ hash >> 32) & (roster->bucket_count - 1)];
}

/* Out of memory only makes buckets longer. */
static void grow_buckets(struct roster *roster)
{
    struct member **old = roster->buckets;
    size_t old_count = roster->bucket_count;
    struct member **buckets = calloc(2 * old_count, sizeof(struct member *));
    if (!buckets)
        return;
    roster->buckets = buckets;
    roster->bucket_count = 2 * old_count;
    for (size_t i = 0; i < old_count; i++) {
        while (old[i]) {
            struct member *member = old[i];
            struct member **bucket = bucket_of(roster, member->hash);
            old[i] = member->next;
            member->next = *bucket;
            *bucket = member;
        }
    }
    free(old);
}

/* Room for one slot more, for its count and for the day it is free again. */
static bool grow_slots(struct roster *roster)
{
    if (roster->slot_count < roster->block_count * COUNTS_PER_BLOCK)
        return true;
    unsigned count = roster->block_count + 1;
    atomic_uint **blocks = realloc(roster->blocks, count * sizeof(atomic_uint *));
    if (blocks)
        roster->blocks = blocks;
    unsigned *free_slots =
        realloc(roster->free_slots, (size_t)count * COUNTS_PER_BLOCK * sizeof *free_slots);
    if (free_slots)
        roster->free_slots = free_slots;
    atomic_uint *block = calloc(COUNTS_PER_BLOCK, sizeof *block);
    if (!blocks || !free_slots || !block) {
        free(block);
        return false;
    }
    roster->blocks[roster->block_count++] = block;
    return true;
}

static bool take_slot(struct roster *roster, struct standing *standing)
{
    if (roster->free_count > 0)
        standing->slot = roster->free_slots[--roster->free_count];
    else if (grow_slots(roster))
        standing->slot = roster->slot_count++;
    else
        return false;
    standing->active =
        &roster->blocks[standing->slot / COUNTS_PER_BLOCK][standing->slot % COUNTS_PER_BLOCK];
    atomic_store(standing->active, 0);
    return true;
}

static struct member *member_new(size_t identity_length)
{
    size_t line = _Alignof(struct member);
    size_t bytes = (sizeof(struct member) + identity_length + 1 + line - 1) / line * line;
    struct member *member = aligned_alloc(line, bytes);
    if (member)
        memset(member, 0, bytes);
    return member;
}

struct standing *roster_join(struct roster *roster, const char *identity)
{
    size_t length = strlen(identity);
    uint64_t hash = text_hash((struct slice){identity, length});
    for (struct member *at = *bucket_of(roster, hash); at; at = at->next) {
        if (at->hash != hash || strcmp(at->identity, identity) != 0)
            continue;
        at->standing.references++;
        return &at->standing;
    }
    struct member *member = member_new(length);
    if (!member || !take_slot(roster, &member->standing)) {
        free(member);
        return NULL;
    }
    member->standing.references = 1;
    list_init(&member->standing.bound);
    member->hash = hash;
    memcpy(member->identity, identity, length);
    if (++roster->member_count > roster->bucket_count)
        grow_buckets(roster);
    struct member **bucket = bucket_of(roster, hash);
    member->next = *bucket;
    *bucket = member;
    return &member->standing;
}

void roster_leave(struct roster *roster, struct standing *standing)
{
    struct member *member = (struct member *)(void *)standing;
    if (--standing->references > 0)
        return;
    struct member **at = bucket_of(roster, member->hash);
    while (*at != member)
        at = &(*at)->next;
    *at = member->next;
    roster->member_count--;
    roster->free_slots[roster->free_count++] = standing->slot;
    free(member);
}

struct queues *roster_queues(struct roster *roster)
{
    return &roster->queues;
}

unsigned roster_slot_count(const struct roster *roster)
{
    return roster->slot_count;
}

uint64_t standing_answers(const struct standing *standing, unsigned hundred)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < STANDING_LANES; i++)
        sum += atomic_load_explicit(&standing->lanes[i].answers[hundred - 1], memory_order_relaxed);
    return sum;
}

uint64_t standing_served(const struct standing *standing)
{
    uint64_t sum = 0;
    for (unsigned hundred = 1; hundred <= STANDING_KINDS; hundred++)
        sum += standing_answers(standing, hundred);
    return sum;
}
