/* SPDX-License-Identifier: Apache-2.0 */
/* Each shard is a chained hash table that doubles as it fills, and a list from the newest to the
 * oldest. */
#include "lb/base/lru.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lb/base/list.h"

enum { SHARD_SLOTS_LEAST = 16 };

struct entry {
    struct entry *next; /* in its slot */
    struct list_node age;
    void *value;
    unsigned char key[];
};

struct shard {
    pthread_mutex_t lock;
    size_t most;
    size_t count;
    size_t slot_count; /* a power of two */
    struct entry **slots;
    struct list_node ages; /* newest first */
};

struct lru {
    const struct lru_values *values;
    size_t key_bytes;
    atomic_size_t count;
    struct shard shards[LRU_SHARDS];
};

static bool shard_init(struct shard *shard, size_t most)
{
    shard->most = most;
    shard->slot_count = SHARD_SLOTS_LEAST;
    list_init(&shard->ages);
    shard->slots = calloc(shard->slot_count, sizeof *shard->slots);
    return pthread_mutex_init(&shard->lock, NULL) == 0 && shard->slots;
}

struct lru *lru_new(size_t most, size_t key_bytes, const struct lru_values *values)
{
    assert(key_bytes >= 8 && key_bytes <= LRU_KEY_BYTES);
    struct lru *lru = calloc(1, sizeof *lru);
    if (!lru)
        return NULL;
    lru->values = values;
    lru->key_bytes = key_bytes;
    bool good = true;
    for (size_t i = 0; i < LRU_SHARDS; i++) {
        /* A small bound still keeps something, wherever a key falls. */
        size_t share = (most + LRU_SHARDS - 1) / LRU_SHARDS;
        good = shard_init(&lru->shards[i], share) && good;
    }
    if (good)
        return lru;
    lru_free(lru);
    return NULL;
}

void lru_free(struct lru *lru)
{
    if (!lru)
        return;
    for (size_t i = 0; i < LRU_SHARDS; i++) {
        struct shard *shard = &lru->shards[i];
        while (!list_is_empty(&shard->ages)) {
            struct entry *entry = LIST_OWNER(shard->ages.next, struct entry, age);
            list_remove(&entry->age);
            lru->values->unref(entry->value);
            free(entry);
        }
        free(shard->slots);
        pthread_mutex_destroy(&shard->lock);
    }
    free(lru);
}

static struct shard *shard_of(struct lru *lru, const unsigned char *key)
{
    return &lru->shards[key[0] % LRU_SHARDS];
}

/* The slot's first link for this key. The first byte has chosen the shard already. */
static struct entry **slot_of(const struct shard *shard, const unsigned char *key)
{
    uint64_t hash = 0;
    memcpy(&hash, key + 1, 7);
    return &shard->slots[hash & (shard->slot_count - 1)];
}

/* The link that points to the key's entry, or the NULL at the end. Under the lock. */
static struct entry **find(const struct lru *lru, const struct shard *shard,
                           const unsigned char *key)
{
    struct entry **link = slot_of(shard, key);
    while (*link && memcmp((*link)->key, key, lru->key_bytes) != 0)
        link = &(*link)->next;
    return link;
}

/* Twice the slots; without memory the chains grow instead. Under the lock. */
static void grow(struct shard *shard)
{
    struct entry **slots = calloc(shard->slot_count * 2, sizeof *slots);
    if (!slots)
        return;
    free(shard->slots);
    shard->slots = slots;
    shard->slot_count *= 2;
    for (struct list_node *node = shard->ages.next; node != &shard->ages; node = node->next) {
        struct entry *entry = LIST_OWNER(node, struct entry, age);
        struct entry **slot = slot_of(shard, entry->key);
        entry->next = *slot;
        *slot = entry;
    }
}

/* Take the entry out; the caller frees it once the lock is released. */
static struct entry *unlink_entry(struct lru *lru, struct shard *shard, struct entry **link)
{
    struct entry *entry = *link;
    *link = entry->next;
    list_remove(&entry->age);
    shard->count--;
    atomic_fetch_sub_explicit(&lru->count, 1, memory_order_relaxed);
    return entry;
}

/* Make room for one and link it. Returns the entry that had to go, or NULL. Under the lock. */
static struct entry *insert(struct lru *lru, struct shard *shard, struct entry *entry)
{
    struct entry *gone = NULL;
    struct entry **same = find(lru, shard, entry->key);
    if (*same) {
        gone = unlink_entry(lru, shard, same);
    } else if (shard->count >= shard->most) {
        struct entry *oldest = LIST_OWNER(shard->ages.prev, struct entry, age);
        gone = unlink_entry(lru, shard, find(lru, shard, oldest->key));
    } else if (shard->count >= shard->slot_count) {
        grow(shard);
    }
    struct entry **slot = slot_of(shard, entry->key);
    entry->next = *slot;
    *slot = entry;
    list_prepend(&shard->ages, &entry->age);
    shard->count++;
    atomic_fetch_add_explicit(&lru->count, 1, memory_order_relaxed);
    return gone;
}

static void release(struct lru *lru, struct entry *entry)
{
    if (!entry)
        return;
    lru->values->unref(entry->value);
    free(entry);
}

void lru_put(struct lru *lru, const unsigned char *key, void *value)
{
    struct shard *shard = shard_of(lru, key);
    if (shard->most == 0)
        return;
    struct entry *entry = malloc(sizeof *entry + lru->key_bytes);
    if (!entry)
        return;
    memcpy(entry->key, key, lru->key_bytes);
    entry->value = value;
    lru->values->ref(value);
    pthread_mutex_lock(&shard->lock);
    struct entry *gone = insert(lru, shard, entry);
    pthread_mutex_unlock(&shard->lock);
    release(lru, gone);
}

void *lru_get(struct lru *lru, const unsigned char *key)
{
    struct shard *shard = shard_of(lru, key);
    void *value = NULL;
    pthread_mutex_lock(&shard->lock);
    struct entry *entry = *find(lru, shard, key);
    if (entry) {
        value = entry->value;
        lru->values->ref(value);
        list_remove(&entry->age);
        list_prepend(&shard->ages, &entry->age);
    }
    pthread_mutex_unlock(&shard->lock);
    return value;
}

void lru_remove(struct lru *lru, const unsigned char *key)
{
    struct shard *shard = shard_of(lru, key);
    pthread_mutex_lock(&shard->lock);
    struct entry **link = find(lru, shard, key);
    struct entry *gone = *link ? unlink_entry(lru, shard, link) : NULL;
    pthread_mutex_unlock(&shard->lock);
    release(lru, gone);
}

size_t lru_count(const struct lru *lru)
{
    return atomic_load_explicit(&lru->count, memory_order_relaxed);
}
