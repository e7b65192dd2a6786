/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A filter, ready to be asked: its texts as SQLite compares them, its cursor read. And the
 * questions that can be made of it: which index they read is said in each, so that no statistics
 * and no planner can choose another.
 *
 * Questions are put together from fixed pieces; whatever a person wrote is bound.
 */
#ifndef LB_LISTENERS_REGISTRY_SQLITE_SEARCH_H
#define LB_LISTENERS_REGISTRY_SQLITE_SEARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "listeners/registry/sqlite/call.h"
#include "listeners/registry/sqlite/cursor.h"
#include "listeners/registry/store.h"

struct sqlite_ledger;

enum search_match {
    MATCH_ANY,
    MATCH_WHOLE,
    MATCH_BEGIN, /* "abc*" */
    MATCH_PART,  /* "*abc*" */
};

enum search_field { FIELD_SERIAL, FIELD_COMMON_NAME, FIELD_UNIT, FIELD_CLIENT_ID, FIELD_COUNT };

struct search_text {
    enum search_match match;
    char *low;  /* the text; of a beginning the first that has it; of a part a pattern */
    char *high; /* of a beginning: behind all that have it */
};

struct search {
    const struct certificate_filter *filter;
    struct search_text texts[FIELD_COUNT];
    int64_t ca;
    bool has_cursor;
    bool is_hopeless; /* nothing can match */
    struct cursor cursor;
    unsigned limit;
};

/** What an index can be read by. */
enum search_way {
    WAY_SERIAL, /* in the order of enum search_field */
    WAY_COMMON_NAME,
    WAY_UNIT,
    WAY_CLIENT_ID,
    WAY_CA,
    WAY_STATUS,
    WAY_NOT_BEFORE,
    WAY_NOT_AFTER,
    WAY_ALL,   /* all rows, in no useful order */
    WAY_ORDER, /* in the order that is asked for: nothing needs to be sorted */
    WAY_COUNT,
};

/** Fails: a cursor that is none (STORE_FAILED), out of memory. search_done in any case. */
enum store_outcome search_init(struct search *search, struct sqlite_ledger *l,
                               const struct certificate_filter *filter, struct error *err);
void search_done(struct search *search);

/** Does the filter say which part of this way's index is to be read? */
bool search_narrows(const struct search *search, enum search_way way);

bool search_order_is_text(const struct search *search);
/** Is it the order of this field? */
bool search_order_is_of(const struct search *search, enum search_field field);

enum { SEARCH_QUESTION_BYTES = 3072 };
/** Gives id and value of the order, limit + 1 rows at most. */
void search_write_page(const struct search *search, enum search_way way, char *into);
/** Gives how many match. */
void search_write_count(const struct search *search, enum search_way way, char *into);
/** Gives how many rows there are this way, `limit` at most. */
void search_write_probe(const struct search *search, enum search_way way, char *into);
/** Bind what any of these ask for. */
void search_bind(const struct search *search, struct call *call, int64_t limit);

#endif
