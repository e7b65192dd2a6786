/* SPDX-License-Identifier: Apache-2.0 */
/* How a check is made and kept up to date; for this folder and listeners/load. */
#ifndef LB_LISTENERS_CRL_CHECK_PARTS_H
#define LB_LISTENERS_CRL_CHECK_PARTS_H

#include <stdatomic.h>
#include <stdint.h>

#include "lb/base/list.h"
#include "lb/base/option.h"
#include "listeners/crl/crl_check.h"
#include "listeners/registry/record.h"

struct crl;
struct crl_file;
struct crl_source;
struct crls;

/** The lists of one check, as they are in force together. Immutable. */
struct crl_edition {
    struct list_node node; /* in the book, once it was replaced … */
    uint64_t epoch;        /* … in this epoch */
    uint64_t number;       /* of all editions of the book; 0: of no book, nothing is kept of it */
    /* When all of its lists are in their time: who has passed then passes still. */
    time_t from;
    time_t until;
    unsigned count;
    struct crl *lists[]; /* counted; sorted by the key of their CA */
};

/** In the config's arena, but for what crl_check_done releases. */
struct crl_check {
    enum crl_policy policy;
    enum crl_reach reach;
    const struct ca_set *ca_set;     /* borrowed */
    bool has_registry_cas;           /* what client_ca stands for may change */
    const struct option_list *files; /* borrowed: paths and their lines */
    struct crl_source **sources;     /* one for each file; NULL before they are read */
    struct crl_file **taken;         /* what the edition was made of, counted */
    _Atomic(struct crl_edition *) edition;
    struct crls *book;     /* NULL: not adopted */
    struct list_node node; /* in the book */
};

/** Is what its sources have in force something else than what its edition was made of? */
bool crl_check_is_behind(const struct crl_check *check);
/**
 * Go by what its sources have in force from now on.
 *
 * returns  the edition before, which may still be read; NULL: there was none. Out of memory ends
 *          the process before it judges by too little
 */
struct crl_edition *crl_check_renew(struct crl_check *check, uint64_t number);
void crl_edition_free(struct crl_edition *edition);

/** Nobody asks it any more: drop it from its book, release everything. Half-built ones are fine. */
void crl_check_done(struct crl_check *check);

/** Is there a list of this CA? */
bool crl_check_has(const struct crl_check *check, const unsigned char ca_key[CA_KEY_BYTES]);

#endif
