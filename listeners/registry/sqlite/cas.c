/* SPDX-License-Identifier: Apache-2.0 */
/* See cas.h. */
#include "listeners/registry/sqlite/cas.h"

#include <stdlib.h>
#include <string.h>

#include "listeners/registry/sqlite/call.h"
#include "listeners/registry/sqlite/ledger.h"

/* --- writing ------------------------------------------------------------------------------- */

static int put_row(struct sqlite_ledger *l, const struct ca_record *ca)
{
    struct call call = call_begin(l, STATEMENT_PUT_CA);
    call_bytes(&call, ca->key, sizeof ca->key);
    call_text(&call, ca->id);
    call_int(&call, l->revision);
    call_text(&call, ca->name);
    call_text(&call, ca->subject);
    call_text(&call, ca->serial);
    call_text(&call, ca->sha256);
    call_int(&call, ca->is_builtin);
    call_int(&call, ca->is_enabled);
    call_int(&call, ca->not_before_s);
    call_int(&call, ca->not_after_s);
    call_int(&call, ca->created_ms);
    call_int(&call, ca->updated_ms);
    call_bytes(&call, ca->der, ca->der_bytes);
    call_text(&call, ca->chain_pem);
    return call_run(&call);
}

static int put_hosts(struct sqlite_ledger *l, const struct ca_record *ca)
{
    struct call drop = call_begin(l, STATEMENT_DROP_HOSTS);
    call_text(&drop, ca->id);
    int code = call_run(&drop);
    for (unsigned i = 0; i < ca->host_count && code == SQLITE_DONE; i++) {
        struct call add = call_begin(l, STATEMENT_ADD_HOST);
        call_text(&add, ca->id);
        call_text(&add, ca->hosts[i]);
        code = call_run(&add);
    }
    return code;
}

enum store_outcome sqlite_put_ca(struct ledger *ledger, const struct ca_record *ca,
                                 struct error *err)
{
    struct sqlite_ledger *l = (struct sqlite_ledger *)ledger;
    enum store_outcome outcome = sqlite_mark(l, err);
    if (outcome != STORE_DONE)
        return outcome;
    int code = put_row(l, ca);
    if (code == SQLITE_CONSTRAINT_UNIQUE)
        return STORE_EXISTS;
    code = code == SQLITE_DONE ? put_hosts(l, ca) : code;
    return code == SQLITE_DONE ? STORE_DONE : sqlite_fail(l, code, err);
}

enum store_outcome sqlite_drop_ca(struct ledger *ledger, const char *id, struct error *err)
{
    struct sqlite_ledger *l = (struct sqlite_ledger *)ledger;
    enum store_outcome outcome = sqlite_mark(l, err);
    if (outcome != STORE_DONE)
        return outcome;
    struct call call = call_begin(l, STATEMENT_DROP_CA);
    call_text(&call, id);
    int code = call_run(&call);
    if (code != SQLITE_DONE)
        return sqlite_fail(l, code, err);
    return sqlite3_changes(l->db) > 0 ? STORE_DONE : STORE_NOTHING;
}

/* --- reading ------------------------------------------------------------------------------- */

/* The hosts of one CA while it is visited. */
struct hosts {
    char **items;
    unsigned count, capacity;
};

static bool hosts_add(struct hosts *hosts, const char *host)
{
    enum { FIRST_CAPACITY = 8 };
    if (hosts->count == hosts->capacity) {
        unsigned capacity = hosts->capacity > 0 ? hosts->capacity * 2 : FIRST_CAPACITY;
        char **items = reallocarray(hosts->items, capacity, sizeof *items);
        if (!items)
            return false;
        hosts->items = items;
        hosts->capacity = capacity;
    }
    hosts->items[hosts->count] = strdup(host);
    return hosts->items[hosts->count] && ++hosts->count > 0;
}

static void hosts_clear(struct hosts *hosts)
{
    while (hosts->count > 0)
        free(hosts->items[--hosts->count]);
}

static enum store_outcome read_hosts(struct sqlite_ledger *l, struct ca_record *ca,
                                     struct hosts *hosts, struct error *err)
{
    struct call call = call_begin(l, STATEMENT_EACH_HOST);
    bool fits = true;
    hosts_clear(hosts);
    call_text(&call, ca->id);
    while (fits && call_row(&call))
        fits = hosts_add(hosts, call_get_text(&call, 0));
    enum store_outcome outcome = call_end(&call, err);
    ca->hosts = (const char *const *)hosts->items;
    ca->host_count = hosts->count;
    return outcome == STORE_DONE && !fits ? sqlite_fail(l, SQLITE_NOMEM, err) : outcome;
}

static void read_row(struct call *call, struct ca_record *ca)
{
    *ca = (struct ca_record){0};
    call_copy_bytes(call, 0, ca->key, sizeof ca->key);
    call_copy_text(call, 1, ca->id, sizeof ca->id);
    ca->name = call_get_text(call, 2);
    ca->subject = call_get_text(call, 3);
    ca->serial = call_get_text(call, 4);
    call_copy_text(call, 5, ca->sha256, sizeof ca->sha256);
    ca->is_builtin = call_get_int(call, 6) != 0;
    ca->is_enabled = call_get_int(call, 7) != 0;
    ca->not_before_s = call_get_int(call, 8);
    ca->not_after_s = call_get_int(call, 9);
    ca->created_ms = call_get_int(call, 10);
    ca->updated_ms = call_get_int(call, 11);
    ca->der = call_get_bytes(call, 12, &ca->der_bytes);
    ca->chain_pem = call_get_text(call, 13);
}

static enum store_outcome visit_all(struct sqlite_ledger *l, ca_visit visit, void *arg,
                                    struct hosts *hosts, struct error *err)
{
    struct call call = call_begin(l, STATEMENT_EACH_CA);
    enum store_outcome outcome = STORE_DONE;
    bool goes_on = true;
    while (goes_on && outcome == STORE_DONE && call_row(&call)) {
        struct ca_record ca;
        read_row(&call, &ca);
        outcome = read_hosts(l, &ca, hosts, err);
        if (outcome == STORE_DONE && !call.is_damaged)
            goes_on = visit(arg, &ca);
    }
    enum store_outcome end = call_end(&call, outcome == STORE_DONE ? err : NULL);
    return outcome == STORE_DONE ? end : outcome;
}

enum store_outcome sqlite_each_ca(struct ledger *ledger, ca_visit visit, void *arg,
                                  struct error *err)
{
    struct sqlite_ledger *l = (struct sqlite_ledger *)ledger;
    struct hosts hosts = {0};
    bool is_mine = false;
    enum store_outcome outcome = sqlite_look(l, &is_mine, err);
    if (outcome != STORE_DONE)
        return outcome;
    outcome = visit_all(l, visit, arg, &hosts, err);
    sqlite_look_end(l, is_mine);
    hosts_clear(&hosts);
    free(hosts.items);
    return outcome;
}
