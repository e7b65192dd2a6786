/* SPDX-License-Identifier: Apache-2.0 */
#include "listeners/crl/crls.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "lb/base/list.h"
#include "lb/base/thread.h"
#include "listeners/crl/crl_check_parts.h"
#include "listeners/crl/crl_source.h"

struct crl_reader {
    const struct crls *crls;
    atomic_uint_fast64_t rested; /* the epoch when it was last at rest */
    struct list_node node;
};

struct crls {
    /* The control thread's. */
    struct list_node checks;
    struct list_node retired; /* editions that may still be read */
    struct list_node readers;
    uint64_t last_number; /* of an edition */
    atomic_uint_fast64_t epoch;
    atomic_bool has_retired;
    /* Under the lock. */
    pthread_mutex_t lock;
    pthread_cond_t changed; /* there are sources to look at, or it ends */
    struct crl_source **sources;
    size_t source_count;
    size_t source_room;
    bool is_ending;
    /* The watcher's. */
    pthread_t thread;
    bool is_watching;
    void (*on_news)(void *arg);
    void *arg;
};

/* --- life ------------------------------------------------------------------------------------ */

struct crls *crls_new(void)
{
    struct crls *crls = calloc(1, sizeof *crls);
    pthread_condattr_t attributes;
    if (!crls)
        return NULL;
    list_init(&crls->checks);
    list_init(&crls->retired);
    list_init(&crls->readers);
    atomic_init(&crls->epoch, 1);
    atomic_init(&crls->has_retired, false);
    pthread_mutex_init(&crls->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&crls->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    return crls;
}

void crls_end_watch(struct crls *crls)
{
    if (!crls || !crls->is_watching)
        return;
    pthread_mutex_lock(&crls->lock);
    crls->is_ending = true;
    pthread_cond_signal(&crls->changed);
    pthread_mutex_unlock(&crls->lock);
    pthread_join(crls->thread, NULL);
    crls->is_watching = false;
}

static void free_retired(struct crls *crls, uint64_t epoch)
{
    while (!list_is_empty(&crls->retired)) {
        struct crl_edition *edition = LIST_OWNER(crls->retired.next, struct crl_edition, node);
        if (edition->epoch > epoch)
            return;
        list_remove(&edition->node);
        crl_edition_free(edition);
    }
    atomic_store(&crls->has_retired, false);
}

void crls_free(struct crls *crls)
{
    if (!crls)
        return;
    crls_end_watch(crls);
    free_retired(crls, UINT64_MAX);
    while (!list_is_empty(&crls->readers)) {
        struct crl_reader *reader = LIST_OWNER(crls->readers.next, struct crl_reader, node);
        list_remove(&reader->node);
        free(reader);
    }
    for (size_t i = 0; i < crls->source_count; i++)
        crl_source_unref(crls->sources[i]);
    free(crls->sources);
    pthread_cond_destroy(&crls->changed);
    pthread_mutex_destroy(&crls->lock);
    free(crls);
}

/* --- sources; under the lock ----------------------------------------------------------------- */

/* Where this path stands, or would: they are sorted. */
static size_t place_of(const struct crls *crls, const char *path, bool *ret_is_there)
{
    size_t low = 0;
    size_t high = crls->source_count;
    *ret_is_there = false;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(crl_source_path(crls->sources[middle]), path);
        *ret_is_there |= order == 0;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void watch(struct crls *crls, struct crl_source *source)
{
    bool is_there;
    size_t at = place_of(crls, crl_source_path(source), &is_there);
    if (is_there && crls->sources[at] == source)
        return;
    if (is_there) { /* two loads have met; what the config has is what counts */
        crl_source_unref(crls->sources[at]);
        crls->sources[at] = crl_source_ref(source);
        return;
    }
    if (crls->source_count == crls->source_room) {
        crls->source_room = crls->source_room * 2 + 8;
        crls->sources = realloc(crls->sources, crls->source_room * sizeof(struct crl_source *));
        if (!crls->sources)
            error_out_of_memory();
    }
    memmove(&crls->sources[at + 1], &crls->sources[at],
            (crls->source_count - at) * sizeof(struct crl_source *));
    crls->sources[at] = crl_source_ref(source);
    crls->source_count++;
}

static void forget_unused(struct crls *crls)
{
    size_t kept = 0;
    for (size_t i = 0; i < crls->source_count; i++) {
        if (crl_source_is_used(crls->sources[i], 1))
            crls->sources[kept++] = crls->sources[i];
        else
            crl_source_unref(crls->sources[i]);
    }
    crls->source_count = kept;
}

/* References to all, so that nobody waits while a disk does. NULL: none, or out of memory. */
static struct crl_source **copy_sources(struct crls *crls, size_t *ret_count)
{
    pthread_mutex_lock(&crls->lock);
    struct crl_source **copy = malloc((crls->source_count + 1) * sizeof(struct crl_source *));
    *ret_count = copy ? crls->source_count : 0;
    for (size_t i = 0; i < *ret_count; i++)
        copy[i] = crl_source_ref(crls->sources[i]);
    pthread_mutex_unlock(&crls->lock);
    return copy;
}

struct crl_source *crls_find(struct crls *crls, const char *path)
{
    bool is_there;
    pthread_mutex_lock(&crls->lock);
    size_t at = place_of(crls, path, &is_there);
    struct crl_source *source = is_there ? crl_source_ref(crls->sources[at]) : NULL;
    pthread_mutex_unlock(&crls->lock);
    return source;
}

/* --- configs --------------------------------------------------------------------------------- */

/* Who judges by an edition may go on with it until he is at rest. */
static void retire(struct crls *crls, struct crl_edition *edition)
{
    if (!edition)
        return;
    edition->epoch = atomic_fetch_add(&crls->epoch, 1) + 1;
    list_append(&crls->retired, &edition->node);
    atomic_store(&crls->has_retired, true);
}

void crls_adopt(struct crls *crls, struct crl_check *check)
{
    pthread_mutex_lock(&crls->lock);
    for (unsigned i = 0; i < check->files->count; i++)
        watch(crls, check->sources[i]);
    pthread_cond_signal(&crls->changed);
    pthread_mutex_unlock(&crls->lock);
    list_append(&crls->checks, &check->node);
    check->book = crls;
    retire(crls, crl_check_renew(check, ++crls->last_number));
}

void crls_drop(struct crls *crls, struct crl_check *check)
{
    (void)crls;
    list_remove(&check->node);
    check->book = NULL;
}

/* --- changes --------------------------------------------------------------------------------- */

bool crls_look(struct crls *crls, time_t now)
{
    size_t count;
    struct crl_source **sources = copy_sources(crls, &count);
    bool has_news = atomic_load(&crls->has_retired);
    for (size_t i = 0; i < count; i++) {
        has_news |= crl_source_look(sources[i], now) || !crl_source_is_used(sources[i], 2);
        crl_source_unref(sources[i]);
    }
    free(sources);
    return has_news;
}

bool crls_deliver(struct crls *crls)
{
    bool has_changed = false;
    pthread_mutex_lock(&crls->lock);
    forget_unused(crls);
    for (size_t i = 0; i < crls->source_count; i++)
        crl_source_deliver(crls->sources[i]);
    pthread_mutex_unlock(&crls->lock);
    for (struct list_node *node = crls->checks.next; node != &crls->checks; node = node->next) {
        struct crl_check *check = LIST_OWNER(node, struct crl_check, node);
        if (!crl_check_is_behind(check))
            continue;
        retire(crls, crl_check_renew(check, ++crls->last_number));
        has_changed = true;
    }
    return has_changed;
}

void crls_sweep(struct crls *crls)
{
    uint64_t earliest = UINT64_MAX;
    for (struct list_node *node = crls->readers.next; node != &crls->readers; node = node->next) {
        struct crl_reader *reader = LIST_OWNER(node, struct crl_reader, node);
        uint64_t rested = atomic_load_explicit(&reader->rested, memory_order_acquire);
        if (rested < earliest)
            earliest = rested;
    }
    free_retired(crls, earliest);
}

struct crl_reader *crl_reader_new(struct crls *crls)
{
    struct crl_reader *reader = calloc(1, sizeof *reader);
    if (!reader)
        return NULL;
    reader->crls = crls;
    atomic_init(&reader->rested, atomic_load(&crls->epoch));
    list_append(&crls->readers, &reader->node);
    return reader;
}

void crl_reader_rest(struct crl_reader *reader)
{
    if (reader)
        atomic_store_explicit(&reader->rested, atomic_load(&reader->crls->epoch),
                              memory_order_release);
}

void crls_each(struct crls *crls, void (*visit)(void *arg, const struct crl_fact *fact), void *arg)
{
    size_t count;
    struct crl_source **sources = crls ? copy_sources(crls, &count) : NULL;
    for (size_t i = 0; sources && i < count; i++) {
        crl_source_each(sources[i], visit, arg);
        crl_source_unref(sources[i]);
    }
    free(sources);
}

/* --- the watcher ----------------------------------------------------------------------------- */

static struct timespec look_again_at(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_nsec += CRLS_LOOK_MS * 1000000L;
    at.tv_sec += at.tv_nsec / 1000000000L;
    at.tv_nsec %= 1000000000L;
    return at;
}

/* false: it is to end. */
static bool await_next_look(struct crls *crls)
{
    struct timespec at = look_again_at();
    int passed = 0;
    pthread_mutex_lock(&crls->lock);
    while (!crls->is_ending && crls->source_count == 0)
        pthread_cond_wait(&crls->changed, &crls->lock);
    while (!crls->is_ending && passed == 0)
        passed = pthread_cond_timedwait(&crls->changed, &crls->lock, &at);
    bool goes_on = !crls->is_ending;
    pthread_mutex_unlock(&crls->lock);
    return goes_on;
}

static void *run(void *arg)
{
    struct crls *crls = arg;
    pthread_setname_np(pthread_self(), "lb-crls");
    while (await_next_look(crls))
        if (crls_look(crls, time(NULL)))
            crls->on_news(crls->arg);
    return NULL;
}

bool crls_watch(struct crls *crls, void (*on_news)(void *arg), void *arg, struct error *err)
{
    crls->on_news = on_news;
    crls->arg = arg;
    int failure = thread_start(&crls->thread, run, crls);
    crls->is_watching = failure == 0;
    return crls->is_watching ||
           error_set(err, "no thread to watch revocation lists: %s", strerror(failure));
}
