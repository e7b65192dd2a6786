/* SPDX-License-Identifier: Apache-2.0 */
/* See changes.h. */
#include "listeners/registry/sqlite/changes.h"

#include <stdio.h>

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

/* The index of the narrower filter; without any, the log from its end. */
static void write_question(const struct change_filter *filter, char *into, size_t room)
{
    const char *index = "NOT INDEXED";
    if (filter->certificate_key)
        index = "INDEXED BY change_by_certificate";
    else if (filter->ca)
        index = "INDEXED BY change_by_ca";
    snprintf(into, room,
             "SELECT id, at_ms, who, action, ca, certificate_key, serial, subject, state_before,"
             " state_after FROM change %s WHERE id < ?1%s%s ORDER BY id DESC LIMIT ?4",
             index, filter->certificate_key ? " AND certificate_key = ?2" : "",
             filter->ca ? " AND ca = ?3 AND ca <> ''" : "");
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
    char question[512];
    bool goes_on = true;
    write_question(filter, question, sizeof question);
    struct call call = call_text_begin((struct sqlite_ledger *)ledger, question);
    call_int_at(&call, 1, filter->before_id > 0 ? filter->before_id : INT64_MAX);
    if (filter->certificate_key)
        call_bytes_at(&call, 2, filter->certificate_key, CERTIFICATE_KEY_BYTES);
    if (filter->ca)
        call_text_at(&call, 3, filter->ca);
    call_int_at(&call, 4, filter->limit);
    while (goes_on && call_row(&call)) {
        struct change_record change;
        read_change(&call, &change);
        if (!call.is_damaged)
            goes_on = visit(arg, &change);
    }
    return call_end(&call, err);
}
