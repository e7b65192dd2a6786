/* SPDX-License-Identifier: Apache-2.0 */
/* The audit log, and a whole copy of the store. */
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lb/admin/registry/ca_names.h"
#include "lb/admin/registry/call_query.h"
#include "lb/admin/registry/record_json.h"
#include "lb/admin/registry/registry_call.h"

/* --- GET /v1/audit ------------------------------------------------------------------------- */

enum { CHANGES = 100, CHANGES_MOST = 1000, SERIAL_BYTES = 3 * CERTIFICATE_SERIAL_BYTES };

static const char *const audit_keys[] = {"limit", "before", "ca", "serial", NULL};

/** Which changes, and what was found. */
struct looking {
    struct change_filter filter;
    const char *ca; /* id or name */
    char serial[SERIAL_TEXT_BYTES];
    char ca_id[CA_ID_LENGTH + 1];
    struct json_writer *answer;
    unsigned limit; /* one more is asked for: is there a next page? */
    unsigned count;
    int64_t last_id;
};

/* Whether there is a certificate of this serial does not matter: the log outlives it. */
static bool read_serial(struct registry_call *call, struct looking *looking)
{
    const char *said = NULL;
    struct error err = {""};
    if (!query_text(call, "serial", SERIAL_BYTES, &said))
        return false;
    if (!said)
        return true;
    looking->filter.serial = looking->serial;
    return serial_normalise(said, looking->serial, &err) || registry_call_refuse_input(call, &err);
}

static bool begin_audit(struct registry_call *call)
{
    struct looking *looking = calloc(1, sizeof *looking);
    int64_t limit = CHANGES;
    call->own = looking;
    if (!looking)
        return registry_call_refuse_memory(call);
    if (!query_number(call, "limit", 1, CHANGES_MOST, &limit) ||
        !query_number(call, "before", 1, INT64_MAX, &looking->filter.before_id) ||
        !query_text(call, "ca", CA_NAME_BYTES, &looking->ca) || !read_serial(call, looking))
        return false;
    looking->answer = &call->answer;
    looking->limit = (unsigned)limit;
    looking->filter.limit = (unsigned)limit + 1;
    return true;
}

static void done_audit(struct registry_call *call)
{
    free(call->own);
}

static bool find_ca(struct registry_call *call, struct ledger *ledger, struct looking *looking)
{
    struct ca_names names = {0};
    struct error err = {""};
    if (!looking->ca)
        return true;
    enum store_outcome outcome = ca_names_read(&names, ledger, &err);
    bool good = outcome == STORE_DONE || outcome == STORE_NOTHING;
    if (!good)
        registry_call_refuse_store(call, outcome, err.text);
    else if (!ca_names_resolve(&names, looking->ca, looking->ca_id))
        good = registry_call_refuse(call, 404, "unknown", "there is no CA \"%.80s\"", looking->ca);
    ca_names_done(&names);
    looking->filter.ca = looking->ca_id;
    return good;
}

static bool write_change(void *arg, const struct change_record *change)
{
    struct looking *looking = arg;
    if (++looking->count > looking->limit)
        return false;
    looking->last_id = change->id;
    record_json_change(looking->answer, change);
    return true;
}

static void end_audit(struct registry_call *call, const struct looking *looking)
{
    writer_end(&call->answer);
    if (looking->count > looking->limit)
        writer_number(&call->answer, "next", looking->last_id);
    else
        writer_text(&call->answer, "next", NULL);
    registry_call_end(call);
}

static void audit(struct registry_call *call, struct ledger *ledger)
{
    struct looking *looking = call->own;
    struct error err = {""};
    if (!find_ca(call, ledger, looking))
        return;
    writer_array(registry_call_answer(call, 200), "changes");
    enum store_outcome outcome =
        ledger->store->find_changes(ledger, &looking->filter, write_change, looking, &err);
    if (outcome == STORE_DONE || outcome == STORE_NOTHING)
        end_audit(call, looking);
    else
        registry_call_refuse_store(call, outcome, err.text);
}

static void audit_nothing(struct registry_call *call)
{
    writer_array(registry_call_answer(call, 200), "changes");
    end_audit(call, call->own);
}

const struct call_steps call_audit_list = {.keys = audit_keys,
                                           .begin = begin_audit,
                                           .work = audit,
                                           .nothing = audit_nothing,
                                           .done = done_audit};

/* --- POST /v1/registry/backup -------------------------------------------------------------- */

static const struct call_field backup_fields[] = {
    {.name = "path", .type = FIELD_TEXT, .is_needed = true, .most = PATH_MAX - 1},
    {0},
};

static bool begin_backup(struct registry_call *call)
{
    const char *path = body_text(call->json, "path");
    if (path[0] == '/' && path[strlen(path) - 1] != '/')
        return true;
    return registry_call_refuse(
        call, 400, "bad-input",
        "\"path\" must name a file from the root on, as in "
        "/var/backups/lb-registry.db: lb has another working folder than you");
}

static void back_up(struct registry_call *call, struct ledger *ledger)
{
    const char *path = body_text(call->json, "path");
    struct error err = {""};
    struct stat file = {0};
    enum store_outcome outcome = ledger->store->back_up(ledger, path, &err);
    if (outcome == STORE_EXISTS) {
        registry_call_refuse(call, 409, change_refusal_name(CHANGE_EXISTS),
                             "%.400s is there already", path);
        return;
    }
    if (outcome != STORE_DONE) {
        registry_call_refuse_store(call, outcome, err.text);
        return;
    }
    stat(path, &file);
    struct json_writer *answer = registry_call_answer(call, 200);
    writer_text(answer, "path", path);
    writer_number(answer, "bytes", file.st_size);
    registry_call_log(call, "registry.backed-up", "%.400s", path);
    registry_call_end(call);
}

static void back_up_nothing(struct registry_call *call)
{
    registry_call_refuse(
        call, 404, change_refusal_name(CHANGE_UNKNOWN),
        "there is nothing to back up: no CA and no certificate was registered yet");
}

const struct call_steps call_registry_backup = {
    .fields = backup_fields, .begin = begin_backup, .work = back_up, .nothing = back_up_nothing};
