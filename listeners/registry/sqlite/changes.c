/* SPDX-License-Identifier: Apache-2.0 */
/* See changes.h. */
#include "listeners/registry/sqlite/changes.h"

#include "lb/base/draft.h"
#include "listeners/registry/sqlite/call.h"
#include "listeners/registry/sqlite/ledger.h"

enum store_outcome sqlite_add_change(struct ledger *ledger, const struct change_record *change,
                                     struct error *err)
{
    struct sqlite_ledger *l = (struct sqlite_ledger *)ledger;
    enum store_outcome outcome = sqlite_mark(l, err);
    if (outcome != STORE_DONE)
        return outcome;
    struct call call = call_begin(l, STATEMENT_ADD_CHANGE);
    call_int(&call, change->at_ms);
    call_text(&call, change->who);
    call_text(&call, change->action);
    call_text(&call, change->ca);
    if (change->certificate_key)
        call_bytes(&call, change->certificate_key, CERTIFICATE_KEY_BYTES);
    else
        call_nothing(&call);
    call_text(&call, change->serial);
    call_text(&call, change->subject);
    call_text(&call, change->before);
    call_text(&call, change->after);
    int code = call_run(&call);
    return code == SQLITE_DONE ? STORE_DONE : sqlite_fail(l, code, err);
}

enum { QUESTION_BYTES = 1024 };

#define COLUMNS                                                                                    \
    "id, at_ms, who, action, ca, certificate_key, serial, subject, state_before, state_after"
#define IS_IMPORT " AND action = '" CHANGE_OF_IMPORT "' AND at_ms "

/* The index of the narrowest filter; without any, the log from its end. */
static const char *index_for(const struct change_filter *filter)
{
    if (filter->import_at_ms)
        return "INDEXED BY change_by_import";
    if (filter->certificate_key)
        return "INDEXED BY change_by_certificate";
    if (filter->serial)
        return "INDEXED BY change_by_serial";
    return filter->ca ? "INDEXED BY change_by_ca" : "NOT INDEXED";
}

static void put_lines(struct draft *draft, const struct change_filter *filter)
{
    draft_text(draft, "SELECT " COLUMNS " FROM change ");
    draft_text(draft, index_for(filter));
    draft_text(draft, " WHERE id < ?1");
    if (filter->certificate_key)
        draft_text(draft, " AND certificate_key = ?2");
    if (filter->ca)
        draft_text(draft, " AND ca = ?3 AND ca <> ''");
    if (filter->serial)
        draft_text(draft, " AND serial = ?5 AND serial <> ''");
    if (filter->import_at_ms)
        draft_text(draft, IS_IMPORT "= ?6");
}

/* A line for each certificate of a fleet would be a second fleet. */
static void put_imports(struct draft *draft, const struct change_filter *filter)
{
    draft_text(draft, " UNION ALL SELECT " COLUMNS " FROM change INDEXED BY change_by_import"
                      " WHERE id < ?1" IS_IMPORT "IN (SELECT created_ms FROM certificate"
                      " INDEXED BY ");
    draft_text(draft, filter->certificate_key ? "certificate_key" : "certificate_by_serial");
    draft_text(draft, " WHERE source = ");
    draft_number(draft, SOURCE_IMPORTED, 1);
    if (filter->certificate_key)
        draft_text(draft, " AND key = ?2");
    if (filter->ca)
        draft_text(draft, " AND ca = (SELECT number FROM ca_number WHERE id = ?3)");
    if (filter->serial)
        draft_text(draft, " AND serial = ?5");
    draft_text(draft, ")");
}

static void write_question(const struct change_filter *filter, char *into, size_t room)
{
    struct draft draft = draft_in(into, room - 1);
    put_lines(&draft, filter);
    if ((filter->certificate_key || filter->serial) && !filter->import_at_ms)
        put_imports(&draft, filter);
    draft_text(&draft, " ORDER BY id DESC LIMIT ?4");
    into[draft.used] = '\0';
}

static void bind(struct call *call, const struct change_filter *filter)
{
    call_int_at(call, 1, filter->before_id > 0 ? filter->before_id : INT64_MAX);
    if (filter->certificate_key)
        call_bytes_at(call, 2, filter->certificate_key, CERTIFICATE_KEY_BYTES);
    if (filter->ca)
        call_text_at(call, 3, filter->ca);
    call_int_at(call, 4, filter->limit);
    if (filter->serial)
        call_text_at(call, 5, filter->serial);
    if (filter->import_at_ms)
        call_int_at(call, 6, filter->import_at_ms);
}

static void read_change(struct call *call, struct change_record *change)
{
    size_t key_bytes = 0;
    *change = (struct change_record){.id = call_get_int(call, 0), .at_ms = call_get_int(call, 1)};
    change->who = call_get_text(call, 2);
    change->action = call_get_text(call, 3);
    change->ca = call_get_text(call, 4);
    if (!call_is_nothing(call, 5)) {
        change->certificate_key = call_get_bytes(call, 5, &key_bytes);
        if (key_bytes != CERTIFICATE_KEY_BYTES)
            call->is_damaged = true;
    }
    change->serial = call_get_text(call, 6);
    change->subject = call_get_text(call, 7);
    change->before = call_get_text(call, 8);
    change->after = call_get_text(call, 9);
}

enum store_outcome sqlite_find_changes(struct ledger *ledger, const struct change_filter *filter,
                                       change_visit visit, void *arg, struct error *err)
{
    char question[QUESTION_BYTES];
    bool goes_on = true;
    write_question(filter, question, sizeof question);
    struct call call = call_text_begin((struct sqlite_ledger *)ledger, question);
    bind(&call, filter);
    while (goes_on && call_row(&call)) {
        struct change_record change;
        read_change(&call, &change);
        if (!call.is_damaged)
            goes_on = visit(arg, &change);
    }
    return call_end(&call, err);
}
