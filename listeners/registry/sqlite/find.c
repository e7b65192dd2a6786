/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See find.h. A page is found in one of these ways, tried in this order:
 *
 *   pick   if some filter leaves a handful of rows, read those by its own index, and sort
 *   look   read the index of the order from where the page begins, for a bounded while: if what is
 *          looked for is frequent, the page is soon full
 *   pick   the same again, if some filter leaves not too many rows
 *   sweep  else read one index to its end: that of a text that is looked for, and sort; or that of
 *          the order, where all other filters are in it
 *
 * None of them reads more than one index from end to end, and none goes to the table for rows that
 * numbers rule out.
 */
#include "listeners/registry/sqlite/find.h"

#include <stdlib.h>

#include "listeners/registry/sqlite/certificates.h"
#include "listeners/registry/sqlite/ledger.h"
#include "listeners/registry/sqlite/search.h"

enum {
    /* Rows that are at once read and sorted. */
    PICK_FEW = 200,
    /* To go to the table for each takes as long as a look. */
    PICK_MOST = 10 * 1000,
    /* A look: some 4,000 rows that the table is asked for. */
    LOOK_STEPS = 1000,
    LOOK_TURNS = 60,
};

/* The ids of a page, and the place of its last row. */
struct page {
    int64_t *ids;
    unsigned count; /* limit + 1: another page follows */
    struct cursor last;
};

/* --- one question -------------------------------------------------------------------------- */

static int on_progress(void *arg)
{
    unsigned *turns = arg;
    return (*turns)-- == 0;
}

static void keep_place(struct page *page, struct call *call, const struct search *search)
{
    struct cursor *last = &page->last;
    last->id = page->ids[page->count - 1];
    last->is_text = search_order_is_text(search);
    if (last->is_text)
        call_copy_text(call, 1, last->text, sizeof last->text);
    else
        last->number = call_get_int(call, 1);
}

/* turns: 0: to the end. ret_is_whole: it came to its end. */
static enum store_outcome ask_page(struct sqlite_ledger *l, const struct search *search,
                                   enum search_way way, unsigned turns, struct page *page,
                                   bool *ret_is_whole, struct error *err)
{
    char question[SEARCH_QUESTION_BYTES];
    search_write_page(search, way, question);
    struct call call = call_text_begin(l, question);
    search_bind(search, &call, (int64_t)search->limit + 1);
    page->count = 0;
    if (turns > 0)
        sqlite3_progress_handler(l->db, LOOK_STEPS, on_progress, &turns);
    while (call_row(&call) && page->count <= search->limit) {
        page->ids[page->count++] = call_get_int(&call, 0);
        if (page->count == search->limit)
            keep_place(page, &call, search);
    }
    sqlite3_progress_handler(l->db, 0, NULL, NULL);
    *ret_is_whole = call.code != SQLITE_INTERRUPT;
    if (!*ret_is_whole)
        call.code = SQLITE_DONE;
    return call_end(&call, err);
}

static enum store_outcome ask_number(struct sqlite_ledger *l, const struct search *search,
                                     const char *question, int64_t limit, int64_t *ret_number,
                                     struct error *err)
{
    struct call call = call_text_begin(l, question);
    search_bind(search, &call, limit);
    int64_t number = call_row(&call) ? call_get_int(&call, 0) : 0;
    enum store_outcome outcome = call_end(&call, err);
    if (outcome == STORE_DONE)
        *ret_number = number;
    return outcome;
}

/* --- which way ----------------------------------------------------------------------------- */

/* The way with the fewest rows; WAY_ALL: all have `most` or more. */
static enum store_outcome find_pick(struct sqlite_ledger *l, const struct search *search,
                                    int64_t most, enum search_way *ret_way, struct error *err)
{
    char question[SEARCH_QUESTION_BYTES];
    *ret_way = WAY_ALL;
    for (enum search_way way = 0; way < WAY_ALL && most > 0; way++) {
        int64_t count = 0;
        if (!search_narrows(search, way))
            continue;
        search_write_probe(search, way, question);
        enum store_outcome outcome = ask_number(l, search, question, most, &count, err);
        if (outcome != STORE_DONE)
            return outcome;
        if (count < most) {
            most = count;
            *ret_way = way;
        }
    }
    return STORE_DONE;
}

/* The text that says most; one that every index tells (a whole unit, as its hash) is none. */
static enum search_field find_text(const struct search *search)
{
    static const enum search_match matches[] = {MATCH_WHOLE, MATCH_BEGIN, MATCH_PART};
    static const enum search_field fields[] = {FIELD_COMMON_NAME, FIELD_CLIENT_ID, FIELD_UNIT,
                                               FIELD_SERIAL};
    for (size_t i = 0; i < sizeof matches / sizeof *matches; i++)
        for (size_t j = 0; j < FIELD_COUNT; j++)
            if (search->texts[fields[j]].match == matches[i] &&
                !(fields[j] == FIELD_UNIT && matches[i] == MATCH_WHOLE))
                return fields[j];
    return FIELD_COUNT;
}

static enum search_way find_sweep(const struct search *search)
{
    enum search_field field = find_text(search);
    if (field < FIELD_COUNT && !search_order_is_of(search, field))
        return (enum search_way)field;
    /* The index of serials holds nothing to filter by. */
    if (field == FIELD_COUNT && search_order_is_of(search, FIELD_SERIAL))
        return WAY_ALL;
    return WAY_ORDER;
}

static enum store_outcome find_page(struct sqlite_ledger *l, const struct search *search,
                                    struct page *page, struct error *err)
{
    enum search_way way = WAY_ALL;
    bool is_whole = false;
    enum store_outcome outcome = find_pick(l, search, PICK_FEW, &way, err);
    if (outcome == STORE_DONE && way == WAY_ALL)
        outcome = ask_page(l, search, WAY_ORDER, LOOK_TURNS, page, &is_whole, err);
    if (outcome != STORE_DONE || is_whole)
        return outcome;
    if (way == WAY_ALL)
        outcome = find_pick(l, search, PICK_MOST, &way, err);
    if (outcome != STORE_DONE)
        return outcome;
    if (way == WAY_ALL)
        way = find_sweep(search);
    return ask_page(l, search, way, 0, page, &is_whole, err);
}

/* --- pages --------------------------------------------------------------------------------- */

static enum store_outcome visit_page(struct sqlite_ledger *l, const struct search *search,
                                     const struct page *page, certificate_visit visit, void *arg,
                                     struct error *err)
{
    enum store_outcome outcome = STORE_DONE;
    bool goes_on = true;
    for (unsigned i = 0; i < page->count && i < search->limit && goes_on; i++) {
        outcome = certificate_visit_id(l, page->ids[i], visit, arg, &goes_on, err);
        if (outcome == STORE_NOTHING) /* an index names a row that the table does not have */
            outcome = sqlite_damaged(l, "a certificate of a list is not there", err);
        if (outcome != STORE_DONE)
            return outcome;
    }
    return outcome;
}

static enum store_outcome show_page(struct sqlite_ledger *l, const struct search *search,
                                    certificate_visit visit, void *arg, char *ret_cursor,
                                    struct error *err)
{
    struct page page = {.ids = reallocarray(NULL, (size_t)search->limit + 1, sizeof *page.ids)};
    if (!page.ids)
        return sqlite_fail(l, SQLITE_NOMEM, err);
    enum store_outcome outcome = find_page(l, search, &page, err);
    if (outcome == STORE_DONE)
        outcome = visit_page(l, search, &page, visit, arg, err);
    if (outcome == STORE_DONE && page.count > search->limit)
        cursor_write(&page.last, search->filter->order, search->filter->descending, ret_cursor);
    free(page.ids);
    return outcome;
}

enum store_outcome sqlite_find_certificates(struct ledger *ledger,
                                            const struct certificate_filter *filter,
                                            certificate_visit visit, void *arg, char *ret_cursor,
                                            struct error *err)
{
    struct sqlite_ledger *l = (struct sqlite_ledger *)ledger;
    struct search search;
    bool is_mine = false;
    *ret_cursor = '\0';
    enum store_outcome outcome = sqlite_look(l, &is_mine, err);
    if (outcome != STORE_DONE)
        return outcome;
    outcome = search_init(&search, l, filter, err);
    if (outcome == STORE_DONE && !search.is_hopeless)
        outcome = show_page(l, &search, visit, arg, ret_cursor, err);
    search_done(&search);
    sqlite_look_end(l, is_mine);
    return outcome;
}

/* --- counting ------------------------------------------------------------------------------ */

static enum store_outcome count(struct sqlite_ledger *l, const struct search *search,
                                int64_t *ret_count, struct error *err)
{
    char question[SEARCH_QUESTION_BYTES];
    enum search_way way = WAY_ALL;
    enum store_outcome outcome = find_pick(l, search, PICK_MOST, &way, err);
    if (outcome != STORE_DONE)
        return outcome;
    enum search_field field = find_text(search);
    if (way == WAY_ALL && field < FIELD_COUNT)
        way = (enum search_way)field;
    else if (way == WAY_ALL && search->texts[FIELD_UNIT].match == MATCH_WHOLE)
        way = WAY_UNIT;
    search_write_count(search, way, question);
    return ask_number(l, search, question, 1, ret_count, err);
}

enum store_outcome sqlite_count_certificates(struct ledger *ledger,
                                             const struct certificate_filter *filter,
                                             int64_t *ret_count, struct error *err)
{
    struct sqlite_ledger *l = (struct sqlite_ledger *)ledger;
    struct certificate_filter whole = *filter;
    struct search search;
    bool is_mine = false;
    int64_t found = 0;
    whole.after = NULL;
    enum store_outcome outcome = sqlite_look(l, &is_mine, err);
    if (outcome != STORE_DONE)
        return outcome;
    outcome = search_init(&search, l, &whole, err);
    if (outcome == STORE_DONE && !search.is_hopeless)
        outcome = count(l, &search, &found, err);
    search_done(&search);
    sqlite_look_end(l, is_mine);
    if (outcome == STORE_DONE)
        *ret_count = found;
    return outcome;
}
