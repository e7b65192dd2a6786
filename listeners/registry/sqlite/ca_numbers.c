/* SPDX-License-Identifier: Apache-2.0 */
/* See ca_numbers.h. */
#include "listeners/registry/sqlite/ca_numbers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "listeners/registry/sqlite/call.h"
#include "listeners/registry/sqlite/ledger.h"

struct ca_number {
    int64_t number;
    char id[CA_ID_LENGTH + 1];
};

static bool is_it(const struct ca_number *item, const char *id, int64_t number)
{
    return id ? strcmp(item->id, id) == 0 : item->number == number;
}

/* By id, or by number if id is NULL. There are as many as CAs were ever used: dozens. */
static const struct ca_number *known(struct ca_numbers *numbers, const char *id, int64_t number)
{
    if (numbers->last < numbers->count && is_it(&numbers->items[numbers->last], id, number))
        return &numbers->items[numbers->last];
    for (size_t i = 0; i < numbers->count; i++)
        if (is_it(&numbers->items[i], id, number)) {
            numbers->last = i;
            return &numbers->items[i];
        }
    return NULL;
}

static enum store_outcome learn(struct sqlite_ledger *l, const char *id, int64_t number,
                                struct error *err)
{
    enum { FIRST_CAPACITY = 32 };
    struct ca_numbers *numbers = &l->numbers;
    if (numbers->count == numbers->capacity) {
        size_t capacity = numbers->capacity > 0 ? numbers->capacity * 2 : FIRST_CAPACITY;
        struct ca_number *items = reallocarray(numbers->items, capacity, sizeof *items);
        if (!items)
            return sqlite_fail(l, SQLITE_NOMEM, err);
        numbers->items = items;
        numbers->capacity = capacity;
    }
    struct ca_number *item = &numbers->items[numbers->count];
    item->number = number;
    snprintf(item->id, sizeof item->id, "%s", id);
    numbers->last = numbers->count++;
    return STORE_DONE;
}

enum store_outcome ca_number_find(struct sqlite_ledger *l, const char *id, int64_t *ret_number,
                                  struct error *err)
{
    const struct ca_number *item = known(&l->numbers, id, 0);
    if (item) {
        *ret_number = item->number;
        return STORE_DONE;
    }
    struct call call = call_begin(l, STATEMENT_CA_NUMBER);
    call_text(&call, id);
    bool is_there = call_row(&call);
    int64_t number = is_there ? call_get_int(&call, 0) : 0;
    enum store_outcome outcome = call_end(&call, err);
    if (outcome != STORE_DONE || !is_there)
        return outcome == STORE_DONE ? STORE_NOTHING : outcome;
    *ret_number = number;
    return learn(l, id, number, err);
}

enum store_outcome ca_number_make(struct sqlite_ledger *l, const char *id, int64_t *ret_number,
                                  struct error *err)
{
    enum store_outcome outcome = ca_number_find(l, id, ret_number, err);
    if (outcome != STORE_NOTHING)
        return outcome;
    struct call call = call_begin(l, STATEMENT_ADD_CA_NUMBER);
    call_text(&call, id);
    int code = call_run(&call);
    if (code != SQLITE_DONE)
        return sqlite_fail(l, code, err);
    *ret_number = sqlite3_last_insert_rowid(l->db);
    return learn(l, id, *ret_number, err);
}

enum store_outcome ca_number_id(struct sqlite_ledger *l, int64_t number, const char **ret_id,
                                struct error *err)
{
    const struct ca_number *item = known(&l->numbers, NULL, number);
    if (item) {
        *ret_id = item->id;
        return STORE_DONE;
    }
    char id[CA_ID_LENGTH + 1] = "";
    struct call call = call_begin(l, STATEMENT_CA_OF_NUMBER);
    call_int(&call, number);
    bool is_there = call_row(&call);
    if (is_there)
        call_copy_text(&call, 0, id, sizeof id);
    enum store_outcome outcome = call_end(&call, err);
    if (outcome == STORE_DONE)
        outcome = is_there
                      ? learn(l, id, number, err)
                      : sqlite_damaged(l, "a certificate is of a CA that was never there", err);
    if (outcome == STORE_DONE)
        *ret_id = l->numbers.items[l->numbers.last].id;
    return outcome;
}

void ca_numbers_forget(struct ca_numbers *numbers)
{
    numbers->count = 0;
    numbers->last = 0;
}
