/* SPDX-License-Identifier: Apache-2.0 */
#include "listeners/ocsp/ocsp_memory.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "lb/base/lru.h"

/* Immutable once it is kept, and counted. */
struct kept {
    atomic_uint references;
    struct ocsp_note note;
};

struct ocsp {
    struct lru *kept;
    atomic_uint generation;
    _Atomic uint64_t results[OCSP_RESULT_COUNT]; /* relaxed: only sums are read */
    unsigned number_count;
    unsigned char (*numbered)[OCSP_ASKS_BYTES]; /* the first has number 1 */
};

static void kept_ref(void *value)
{
    struct kept *kept = value;
    atomic_fetch_add_explicit(&kept->references, 1, memory_order_relaxed);
}

static void kept_unref(void *value)
{
    struct kept *kept = value;
    if (atomic_fetch_sub_explicit(&kept->references, 1, memory_order_acq_rel) == 1)
        free(kept);
}

static const struct lru_values kept_values = {kept_ref, kept_unref};

struct ocsp *ocsp_new(size_t most)
{
    struct ocsp *ocsp = calloc(1, sizeof *ocsp);
    if (!ocsp)
        return NULL;
    atomic_init(&ocsp->generation, 0);
    ocsp->kept = lru_new(most, OCSP_KEY_BYTES, &kept_values);
    if (ocsp->kept)
        return ocsp;
    ocsp_free(ocsp);
    return NULL;
}

void ocsp_free(struct ocsp *ocsp)
{
    if (!ocsp)
        return;
    lru_free(ocsp->kept);
    free(ocsp->numbered);
    free(ocsp);
}

bool ocsp_recall(struct ocsp *ocsp, const unsigned char *key, struct ocsp_note *ret_note)
{
    struct kept *kept = lru_get(ocsp->kept, key);
    if (!kept)
        return false;
    *ret_note = kept->note;
    kept_unref(kept);
    return true;
}

static void keep(struct ocsp *ocsp, const unsigned char *key, const struct ocsp_note *note)
{
    struct kept *kept = malloc(sizeof *kept);
    if (!kept)
        return;
    atomic_init(&kept->references, 1);
    kept->note = *note;
    lru_put(ocsp->kept, key, kept);
    kept_unref(kept);
}

void ocsp_remember(struct ocsp *ocsp, const unsigned char *key, const struct ocsp_note *note,
                   time_t now)
{
    struct ocsp_note next = *note;
    struct ocsp_note before;
    if (note->word == OCSP_WORD_NONE && ocsp_recall(ocsp, key, &before) &&
        before.word != OCSP_WORD_NONE) {
        if (now < before.until)
            return;
        if (before.word == OCSP_WORD_REVOKED)
            next.word = OCSP_WORD_REVOKED;
    }
    keep(ocsp, key, &next);
    if (next.word == OCSP_WORD_REVOKED)
        atomic_fetch_add_explicit(&ocsp->generation, 1, memory_order_release);
}

void ocsp_forget(struct ocsp *ocsp, const unsigned char *key)
{
    lru_remove(ocsp->kept, key);
}

size_t ocsp_count(const struct ocsp *ocsp)
{
    return lru_count(ocsp->kept);
}

const char *ocsp_result_name(enum ocsp_result result)
{
    static const char *const names[OCSP_RESULT_COUNT] = {
        [OCSP_RESULT_GOOD] = "good",
        [OCSP_RESULT_REVOKED] = "revoked",
        [OCSP_RESULT_UNKNOWN] = "unknown",
        [OCSP_RESULT_FAILED] = "failed",
    };
    return names[result];
}

void ocsp_count_result(struct ocsp *ocsp, enum ocsp_result result)
{
    atomic_fetch_add_explicit(&ocsp->results[result], 1, memory_order_relaxed);
}

uint64_t ocsp_result_count(const struct ocsp *ocsp, enum ocsp_result result)
{
    return atomic_load_explicit(&ocsp->results[result], memory_order_relaxed);
}

unsigned ocsp_generation(const struct ocsp *ocsp)
{
    return atomic_load_explicit(&ocsp->generation, memory_order_acquire);
}

unsigned ocsp_number(struct ocsp *ocsp, const unsigned char asks[OCSP_ASKS_BYTES])
{
    for (unsigned i = 0; i < ocsp->number_count; i++)
        if (memcmp(ocsp->numbered[i], asks, OCSP_ASKS_BYTES) == 0)
            return i + 1;
    if (ocsp->number_count == OCSP_NUMBERS_MOST)
        return 0;
    size_t bytes = (ocsp->number_count + 1) * sizeof *ocsp->numbered;
    unsigned char(*numbered)[OCSP_ASKS_BYTES] = realloc(ocsp->numbered, bytes);
    if (!numbered)
        return 0;
    ocsp->numbered = numbered;
    memcpy(numbered[ocsp->number_count], asks, OCSP_ASKS_BYTES);
    return ++ocsp->number_count;
}
