/* SPDX-License-Identifier: Apache-2.0 */
/* See certificates.h. */
#include "listeners/registry/sqlite/certificates.h"

#include <stdio.h>
#include <string.h>

#include "lb/base/hex.h"
#include "listeners/registry/sqlite/call.h"
#include "listeners/registry/sqlite/ledger.h"

enum { SHA256_BYTES = 32 };

int64_t fold_hash(const char *text)
{
    uint32_t hash = 2166136261; /* FNV-1a */
    for (; *text; text++) {
        unsigned char byte = (unsigned char)*text;
        hash = (hash ^ (byte >= 'A' && byte <= 'Z' ? byte + ('a' - 'A') : byte)) * 16777619;
    }
    return (int32_t)hash; /* four bytes in the file; a larger number would take six */
}

/* --- writing ------------------------------------------------------------------------------- */

/* What a cursor could not hold, or what cannot be read again, does not come in. */
static enum store_outcome check(const struct sqlite_ledger *l, const struct certificate_record *c,
                                unsigned char ret_sha256[SHA256_BYTES], struct error *err)
{
    const char *const texts[] = {c->serial, c->common_name, c->unit, c->client_id};
    static const char *const names[] = {"serial", "common name", "unit", "client id"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (strlen(texts[i]) > STORE_TEXT_BYTES) {
            error_set(err, "the registry %s takes no %s of more than %d bytes", l->path, names[i],
                      STORE_TEXT_BYTES);
            return STORE_FAILED;
        }
    if (strlen(c->sha256) == 2 * SHA256_BYTES && hex_read(c->sha256, ret_sha256, SHA256_BYTES))
        return STORE_DONE;
    error_set(err, "the registry %s takes no fingerprint but 64 lower-case hex digits", l->path);
    return STORE_FAILED;
}

static void bind_row(struct call *call, const struct certificate_record *c, int64_t ca)
{
    call_int(call, call->l->revision);
    call_bytes(call, c->tbs, sizeof c->tbs);
    call_int(call, ca);
    call_text(call, c->serial);
    call_text(call, c->common_name);
    call_text(call, c->unit);
    call_int(call, fold_hash(c->unit));
    call_text(call, c->client_id);
    call_int(call, c->status);
    call_int(call, c->was_revoked);
    call_int(call, c->source);
    call_int(call, c->not_before_s);
    call_int(call, c->not_after_s);
    call_int(call, c->created_ms);
    call_int(call, c->updated_ms);
    call_int(call, c->activated_ms);
    call_int(call, c->deactivated_ms);
    call_bytes(call, c->key, sizeof c->key);
}

static void bind_body(struct call *call, const struct certificate_record *c,
                      const unsigned char sha256[SHA256_BYTES])
{
    call_text(call, c->subject);
    call_text(call, c->issuer);
    call_bytes(call, sha256, SHA256_BYTES);
    call_bytes(call, c->der, c->der_bytes);
}

/* Everything that is the same for a new one and one that is changed. */
static enum store_outcome prepare(struct sqlite_ledger *l, const struct certificate_record *c,
                                  unsigned char ret_sha256[SHA256_BYTES], int64_t *ret_ca,
                                  struct error *err)
{
    enum store_outcome outcome = check(l, c, ret_sha256, err);
    if (outcome == STORE_DONE)
        outcome = sqlite_mark(l, err);
    if (outcome == STORE_DONE)
        outcome = ca_number_make(l, c->ca, ret_ca, err);
    return outcome;
}

enum store_outcome sqlite_add_certificate(struct ledger *ledger,
                                          const struct certificate_record *certificate,
                                          struct error *err)
{
    struct sqlite_ledger *l = (struct sqlite_ledger *)ledger;
    unsigned char sha256[SHA256_BYTES];
    int64_t ca = 0;
    enum store_outcome outcome = prepare(l, certificate, sha256, &ca, err);
    if (outcome != STORE_DONE)
        return outcome;
    struct call row = call_begin(l, STATEMENT_ADD_CERTIFICATE);
    bind_row(&row, certificate, ca);
    int code = call_run(&row);
    if (code == SQLITE_CONSTRAINT_UNIQUE)
        return STORE_EXISTS;
    if (code != SQLITE_DONE)
        return sqlite_fail(l, code, err);
    struct call body = call_begin(l, STATEMENT_ADD_BODY);
    bind_body(&body, certificate, sha256);
    call_int(&body, sqlite3_last_insert_rowid(l->db));
    code = call_run(&body);
    return code == SQLITE_DONE ? STORE_DONE : sqlite_fail(l, code, err);
}

enum store_outcome sqlite_put_certificate(struct ledger *ledger,
                                          const struct certificate_record *certificate,
                                          struct error *err)
{
    struct sqlite_ledger *l = (struct sqlite_ledger *)ledger;
    unsigned char sha256[SHA256_BYTES];
    int64_t ca = 0;
    enum store_outcome outcome = prepare(l, certificate, sha256, &ca, err);
    if (outcome != STORE_DONE)
        return outcome;
    struct call row = call_begin(l, STATEMENT_PUT_CERTIFICATE);
    bind_row(&row, certificate, ca);
    int code = call_run(&row);
    if (code != SQLITE_DONE)
        return sqlite_fail(l, code, err);
    if (sqlite3_changes(l->db) == 0)
        return STORE_NOTHING;
    struct call body = call_begin(l, STATEMENT_PUT_BODY);
    bind_body(&body, certificate, sha256);
    call_bytes(&body, certificate->key, sizeof certificate->key);
    code = call_run(&body);
    return code == SQLITE_DONE ? STORE_DONE : sqlite_fail(l, code, err);
}

enum store_outcome sqlite_drop_tombstones(struct ledger *ledger, int64_t now_s, struct error *err)
{
    struct sqlite_ledger *l = (struct sqlite_ledger *)ledger;
    enum store_outcome outcome = sqlite_mark(l, err);
    if (outcome != STORE_DONE)
        return outcome;
    struct call call = call_begin(l, STATEMENT_DROP_TOMBSTONES);
    call_int(&call, now_s);
    int code = call_run(&call);
    return code == SQLITE_DONE ? STORE_DONE : sqlite_fail(l, code, err);
}

/* --- reading ------------------------------------------------------------------------------- */

static enum store_outcome read_ca(struct call *call, int column, char into[CA_ID_LENGTH + 1],
                                  struct error *err)
{
    const char *id = "";
    enum store_outcome outcome = ca_number_id(call->l, call_get_int(call, column), &id, err);
    snprintf(into, CA_ID_LENGTH + 1, "%s", id);
    return outcome;
}

static void read_times(struct call *call, struct certificate_record *c)
{
    c->not_before_s = call_get_int(call, 14);
    c->not_after_s = call_get_int(call, 15);
    c->created_ms = call_get_int(call, 16);
    c->updated_ms = call_get_int(call, 17);
    c->activated_ms = call_get_int(call, 18);
    c->deactivated_ms = call_get_int(call, 19);
}

/* The columns of GET_CERTIFICATE. */
static enum store_outcome read_record(struct call *call, struct certificate_record *c,
                                      struct error *err)
{
    unsigned char sha256[SHA256_BYTES] = {0};
    c->id = call_get_int(call, 0);
    call_copy_bytes(call, 1, c->key, sizeof c->key);
    call_copy_bytes(call, 2, c->tbs, sizeof c->tbs);
    c->serial = call_get_text(call, 4);
    c->subject = call_get_text(call, 5);
    c->issuer = call_get_text(call, 6);
    c->common_name = call_get_text(call, 7);
    c->unit = call_get_text(call, 8);
    c->client_id = call_get_text(call, 9);
    call_copy_bytes(call, 10, sha256, sizeof sha256);
    *hex_write(c->sha256, sha256, sizeof sha256, hex_lower) = '\0';
    c->status = (enum certificate_status)call_get_enum(call, 11, CERTIFICATE_STATUS_COUNT);
    c->was_revoked = call_get_int(call, 12) != 0;
    c->source = (enum certificate_source)call_get_enum(call, 13, CERTIFICATE_SOURCE_COUNT);
    read_times(call, c);
    c->der = call_get_bytes(call, 20, &c->der_bytes);
    return read_ca(call, 3, c->ca, err);
}

/* The one row that the call finds. */
static enum store_outcome visit_one(struct call *call, certificate_visit visit, void *arg,
                                    bool *ret_goes_on, struct error *err)
{
    struct certificate_record record = {0};
    enum store_outcome outcome = STORE_DONE;
    bool is_there = call_row(call);
    if (is_there)
        outcome = read_record(call, &record, err);
    if (is_there && outcome == STORE_DONE && !call->is_damaged)
        *ret_goes_on = visit(arg, &record);
    enum store_outcome end = call_end(call, outcome == STORE_DONE ? err : NULL);
    outcome = outcome == STORE_DONE ? end : outcome;
    return outcome == STORE_DONE && !is_there ? STORE_NOTHING : outcome;
}

enum store_outcome sqlite_get_certificate(struct ledger *ledger,
                                          const unsigned char key[CERTIFICATE_KEY_BYTES],
                                          certificate_visit visit, void *arg, struct error *err)
{
    bool goes_on = true;
    struct call call = call_begin((struct sqlite_ledger *)ledger, STATEMENT_GET_BY_KEY);
    call_bytes(&call, key, CERTIFICATE_KEY_BYTES);
    return visit_one(&call, visit, arg, &goes_on, err);
}

enum store_outcome certificate_visit_id(struct sqlite_ledger *l, int64_t id,
                                        certificate_visit visit, void *arg, bool *ret_goes_on,
                                        struct error *err)
{
    struct call call = call_begin(l, STATEMENT_GET_BY_ID);
    call_int(&call, id);
    return visit_one(&call, visit, arg, ret_goes_on, err);
}

enum store_outcome sqlite_count_since(struct ledger *ledger, int64_t since_ms, unsigned sources,
                                      int64_t *ret_count, struct error *err)
{
    struct call call = call_begin((struct sqlite_ledger *)ledger, STATEMENT_COUNT_SINCE);
    call_int(&call, since_ms);
    call_int(&call, sources);
    int64_t count = call_row(&call) ? call_get_int(&call, 0) : 0;
    enum store_outcome outcome = call_end(&call, err);
    if (outcome == STORE_DONE)
        *ret_count = count;
    return outcome;
}

/* --- following ----------------------------------------------------------------------------- */

static enum store_outcome read_row(struct call *call, struct certificate_row *row,
                                   struct error *err)
{
    call_copy_bytes(call, 0, row->key, sizeof row->key);
    call_copy_bytes(call, 1, row->tbs, sizeof row->tbs);
    row->status = (enum certificate_status)call_get_enum(call, 3, CERTIFICATE_STATUS_COUNT);
    row->was_revoked = call_get_int(call, 4) != 0;
    row->client_id = call_get_text(call, 5);
    row->not_after_s = call_get_int(call, 6);
    return read_ca(call, 2, row->ca, err);
}

static enum store_outcome visit_rows(struct sqlite_ledger *l, int64_t since, row_visit visit,
                                     void *arg, struct error *err)
{
    struct call call = call_begin(l, since > 0 ? STATEMENT_FOLLOW : STATEMENT_FOLLOW_ALL);
    enum store_outcome outcome = STORE_DONE;
    bool goes_on = true;
    if (since > 0)
        call_int(&call, since);
    while (goes_on && outcome == STORE_DONE && call_row(&call)) {
        struct certificate_row row;
        outcome = read_row(&call, &row, err);
        if (outcome == STORE_DONE && !call.is_damaged)
            goes_on = visit(arg, &row);
    }
    enum store_outcome end = call_end(&call, outcome == STORE_DONE ? err : NULL);
    return outcome == STORE_DONE ? end : outcome;
}

enum store_outcome sqlite_follow(struct ledger *ledger, int64_t since_revision, row_visit visit,
                                 void *arg, int64_t *ret_revision, struct error *err)
{
    struct sqlite_ledger *l = (struct sqlite_ledger *)ledger;
    bool is_mine = false;
    int64_t revision = 0;
    int code = SQLITE_OK;
    enum store_outcome outcome = sqlite_look(l, &is_mine, err);
    if (outcome != STORE_DONE)
        return outcome;
    if (!sqlite_number(l, statement_text(STATEMENT_REVISION), &revision, &code))
        outcome = sqlite_fail(l, code, err);
    if (outcome == STORE_DONE)
        outcome = visit_rows(l, since_revision, visit, arg, err);
    sqlite_look_end(l, is_mine);
    if (outcome == STORE_DONE)
        *ret_revision = revision;
    return outcome;
}
