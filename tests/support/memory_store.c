/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/memory_store.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct memory_ledger {
    struct ledger ledger;
    struct memory_store *store;
    uint64_t seen_commits;
};

static const struct store memory;

static struct memory_ledger *mine(struct ledger *ledger)
{
    return (struct memory_ledger *)(void *)ledger;
}

static void add_one(struct memory_store *store, unsigned *count)
{
    ++*count;
    pthread_cond_broadcast(&store->changed);
}

void memory_store_init(struct memory_store *store)
{
    memset(store, 0, sizeof *store);
    pthread_mutex_init(&store->lock, NULL);
    pthread_cond_init(&store->changed, NULL);
    snprintf(store->location, sizeof store->location, "memory:%p", (void *)store);
}

void memory_store_done(struct memory_store *store)
{
    pthread_cond_destroy(&store->changed);
    pthread_mutex_destroy(&store->lock);
}

static enum store_outcome may_open(struct memory_store *store, enum store_mode mode,
                                   struct error *err)
{
    if (store->open_outcome != STORE_DONE) {
        error_set(err, "%s: it cannot be opened", store->location);
        return store->open_outcome;
    }
    if (store->is_missing && mode != STORE_MAKE)
        return STORE_MISSING;
    if (store->is_read_only && mode != STORE_READ) {
        error_set(err, "%s: it may not be written to", store->location);
        return STORE_READ_ONLY;
    }
    return STORE_DONE;
}

enum store_outcome memory_store_open(struct ledger **ret_ledger, const char *location,
                                     enum store_mode mode, struct error *err)
{
    void *place = NULL;
    ck_assert_int_eq(sscanf(location, "memory:%p", &place), 1);
    struct memory_store *store = place;
    pthread_mutex_lock(&store->lock);
    enum store_outcome outcome = may_open(store, mode, err);
    if (outcome == STORE_DONE) {
        struct memory_ledger *ledger = calloc(1, sizeof *ledger);
        ledger->ledger.store = &memory;
        ledger->store = store;
        ledger->seen_commits = store->commits;
        *ret_ledger = &ledger->ledger;
        add_one(store, &store->opened);
        if (store->is_missing)
            add_one(store, &store->made);
        store->is_missing = false;
    }
    pthread_mutex_unlock(&store->lock);
    return outcome;
}

static void close_ledger(struct ledger *ledger)
{
    free(mine(ledger));
}

/* What is put is there at once: the tests' changes are of one step. */
static enum store_outcome begin(struct ledger *ledger, struct error *err)
{
    (void)ledger;
    (void)err;
    return STORE_DONE;
}

static void roll_back(struct ledger *ledger)
{
    (void)ledger;
}

static bool may_read(struct memory_store *store, struct error *err)
{
    if (store->read_outcome == STORE_DONE)
        return true;
    error_set(err, "%s: it cannot be read", store->location);
    add_one(store, &store->failed);
    return false;
}

static enum store_outcome each_ca(struct ledger *ledger, ca_visit visit, void *arg,
                                  struct error *err)
{
    struct memory_store *store = mine(ledger)->store;
    pthread_mutex_lock(&store->lock);
    enum store_outcome outcome = may_read(store, err) ? STORE_DONE : store->read_outcome;
    for (unsigned i = 0; outcome == STORE_DONE && i < store->ca_count; i++)
        if (!visit(arg, &store->cas[i]))
            break;
    pthread_mutex_unlock(&store->lock);
    return outcome;
}

static enum store_outcome follow(struct ledger *ledger, int64_t since, row_visit visit, void *arg,
                                 int64_t *ret_revision, struct error *err)
{
    struct memory_store *store = mine(ledger)->store;
    pthread_mutex_lock(&store->lock);
    enum store_outcome outcome = may_read(store, err) ? STORE_DONE : store->read_outcome;
    for (unsigned i = 0; outcome == STORE_DONE && i < store->row_count; i++)
        if (store->rows[i].revision > since && !visit(arg, &store->rows[i].row))
            break;
    if (outcome == STORE_DONE) {
        *ret_revision = store->revision;
        add_one(store, &store->followed);
    }
    pthread_mutex_unlock(&store->lock);
    return outcome;
}

static bool has_news(struct ledger *ledger)
{
    struct memory_ledger *own = mine(ledger);
    pthread_mutex_lock(&own->store->lock);
    bool has = own->seen_commits != own->store->commits;
    own->seen_commits = own->store->commits;
    add_one(own->store, &own->store->asked_for_news);
    pthread_mutex_unlock(&own->store->lock);
    return has;
}

static enum store_outcome drop_tombstones(struct ledger *ledger, int64_t now_s, struct error *err)
{
    struct memory_store *store = mine(ledger)->store;
    (void)now_s;
    (void)err;
    pthread_mutex_lock(&store->lock);
    add_one(store, &store->dropped);
    pthread_mutex_unlock(&store->lock);
    return STORE_DONE;
}

static const struct store memory = {
    .name = "memory",
    .summary = "for tests",
    .close = close_ledger,
    .begin = begin,
    .commit = begin,
    .rollback = roll_back,
    .each_ca = each_ca,
    .drop_tombstones = drop_tombstones,
    .follow = follow,
    .has_news = has_news,
};

/* --- changes ------------------------------------------------------------------------------- */

/* Locked. Its own commits are no news to a ledger. */
static void commit(struct memory_store *store, struct ledger *ledger)
{
    store->revision++;
    store->commits++;
    if (ledger)
        mine(ledger)->seen_commits++;
}

void memory_store_put(struct memory_store *store, struct ledger *ledger,
                      const struct certificate_row *row)
{
    unsigned at = 0;
    pthread_mutex_lock(&store->lock);
    while (at < store->row_count &&
           memcmp(store->rows[at].row.key, row->key, CERTIFICATE_KEY_BYTES) != 0)
        at++;
    ck_assert_uint_lt(at, MEMORY_ROWS_MOST);
    commit(store, ledger);
    store->rows[at] = (struct memory_row){.row = *row, .revision = store->revision};
    if (at == store->row_count)
        store->row_count++;
    pthread_mutex_unlock(&store->lock);
}

void memory_store_put_ca(struct memory_store *store, struct ledger *ledger,
                         const struct ca_record *ca)
{
    unsigned at = 0;
    pthread_mutex_lock(&store->lock);
    while (at < store->ca_count && memcmp(store->cas[at].key, ca->key, CA_KEY_BYTES) != 0)
        at++;
    ck_assert_uint_lt(at, MEMORY_CAS_MOST);
    commit(store, ledger);
    store->cas[at] = *ca;
    if (at == store->ca_count)
        store->ca_count++;
    pthread_mutex_unlock(&store->lock);
}

void memory_store_drop_cas(struct memory_store *store)
{
    pthread_mutex_lock(&store->lock);
    store->ca_count = 0;
    commit(store, NULL);
    pthread_mutex_unlock(&store->lock);
}

void memory_store_restore(struct memory_store *store)
{
    pthread_mutex_lock(&store->lock);
    store->row_count = 0;
    store->revision = 0;
    store->commits++;
    pthread_mutex_unlock(&store->lock);
}

void memory_store_set(struct memory_store *store, enum store_outcome *what,
                      enum store_outcome outcome)
{
    pthread_mutex_lock(&store->lock);
    *what = outcome;
    pthread_mutex_unlock(&store->lock);
}

void memory_store_wait(struct memory_store *store, const unsigned *count, unsigned least)
{
    pthread_mutex_lock(&store->lock);
    while (*count < least)
        pthread_cond_wait(&store->changed, &store->lock);
    pthread_mutex_unlock(&store->lock);
}

unsigned memory_store_count(struct memory_store *store, const unsigned *count)
{
    pthread_mutex_lock(&store->lock);
    unsigned now = *count;
    pthread_mutex_unlock(&store->lock);
    return now;
}
