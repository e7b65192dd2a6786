/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A store of the registry in memory, for tests of what uses one: as much of a store as the view
 * needs, and switches for what a disk may do. Several ledgers may have it open, as processes may
 * have a file. Thread: any.
 */
#ifndef LB_TESTS_MEMORY_STORE_H
#define LB_TESTS_MEMORY_STORE_H

#include <pthread.h>
#include <stdbool.h>

#include "listeners/registry/store.h"

enum { MEMORY_ROWS_MOST = 1000, MEMORY_CAS_MOST = 8, MEMORY_LOCATION_BYTES = 40 };

struct memory_row {
    struct certificate_row row;
    int64_t revision;
};

struct memory_store {
    pthread_mutex_t lock;
    pthread_cond_t changed; /* any of the counts below */
    char location[MEMORY_LOCATION_BYTES];
    /* What it is like. */
    bool is_missing;
    bool is_read_only;
    enum store_outcome open_outcome; /* DONE, or how opening fails */
    enum store_outcome read_outcome; /* DONE, or how reading fails */
    struct memory_row rows[MEMORY_ROWS_MOST];
    unsigned row_count;
    struct ca_record cas[MEMORY_CAS_MOST];
    unsigned ca_count;
    int64_t revision;
    uint64_t commits;
    /* What was done with it. */
    unsigned opened, made, followed, failed, dropped, asked_for_news;
};

/* There, and empty. */
void memory_store_init(struct memory_store *store);
void memory_store_done(struct memory_store *store);
/* A ledger_opener. */
enum store_outcome memory_store_open(struct ledger **ret_ledger, const char *location,
                                     enum store_mode mode, struct error *err);

/* As another process (ledger NULL) or through a ledger. Texts of rows and CAs stay the caller's. */
void memory_store_put(struct memory_store *store, struct ledger *ledger,
                      const struct certificate_row *row);
void memory_store_put_ca(struct memory_store *store, struct ledger *ledger,
                         const struct ca_record *ca);
void memory_store_drop_cas(struct memory_store *store);
/* Nothing is in it, as if an old backup had been restored. */
void memory_store_restore(struct memory_store *store);
void memory_store_set(struct memory_store *store, enum store_outcome *what,
                      enum store_outcome outcome);

/* Wait until one of the counts is at least so much; the test's own time is the bound. */
void memory_store_wait(struct memory_store *store, const unsigned *count, unsigned least);
unsigned memory_store_count(struct memory_store *store, const unsigned *count);

#endif
