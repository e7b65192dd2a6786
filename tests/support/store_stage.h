/* SPDX-License-Identifier: Apache-2.0 */
/* A store of its own for one test, and certificates and CAs to put into it: values only, nothing is
 * signed. */
#ifndef LB_TESTS_STORE_STAGE_H
#define LB_TESTS_STORE_STAGE_H

#include "listeners/registry/store.h"
#include "tests/support/folder.h"

struct store_stage {
    struct folder folder;
    char location[128]; /* "sqlite:FOLDER/registry.db" */
    struct ledger *ledger;
    const struct store *store;
    struct error err; /* of the last call that was given it */
};

/* An empty store, open for writing. */
void store_stage_begin(struct store_stage *stage, const struct store *store);
void store_stage_end(struct store_stage *stage);
/* Close the ledger and open another one. */
void store_stage_open_again(struct store_stage *stage, enum store_mode mode);
/* One more ledger of the same store. */
struct ledger *store_stage_another(struct store_stage *stage, enum store_mode mode);

/* Fails the test, with what err says, unless the outcome is that. */
void store_expect(enum store_outcome outcome, enum store_outcome expected, const struct error *err);

/* A record with its texts. Change what the test is about. */
struct made_record {
    struct certificate_record record;
    char serial[40], common_name[64], client_id[64];
    unsigned char der[64];
};
/* Another key, serial and name for each number. */
void made_record(struct made_record *made, unsigned number);
/* name: its id and key are made of it. Its texts are lent. */
struct ca_record made_ca_record(const char *name);

/* Each in a transaction of its own. */
void store_add(struct store_stage *stage, const struct certificate_record *record);
void store_put(struct store_stage *stage, const struct certificate_record *record);
void store_put_ca(struct store_stage *stage, const struct ca_record *ca);
/* How many certificates there are. */
int64_t store_count(struct ledger *ledger);
/* Is that certificate there? */
bool store_has(struct ledger *ledger, unsigned number);

#endif
