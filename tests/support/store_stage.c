/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/store_stage.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

void store_expect(enum store_outcome outcome, enum store_outcome expected, const struct error *err)
{
    ck_assert_msg(outcome == expected, "outcome %d instead of %d: %s", (int)outcome, (int)expected,
                  err->text);
}

void store_stage_begin(struct store_stage *stage, const struct store *store)
{
    *stage = (struct store_stage){.store = store};
    folder_make(&stage->folder);
    snprintf(stage->location, sizeof stage->location, "%s:%s/registry.db", store->name,
             stage->folder.path);
    store_stage_open_again(stage, STORE_MAKE);
}

void store_stage_end(struct store_stage *stage)
{
    ledger_close(stage->ledger);
    folder_remove(&stage->folder);
}

struct ledger *store_stage_another(struct store_stage *stage, enum store_mode mode)
{
    struct ledger *ledger = NULL;
    store_expect(ledger_open(&ledger, stage->location, mode, &stage->err), STORE_DONE, &stage->err);
    ck_assert_ptr_eq(ledger->store, stage->store);
    return ledger;
}

void store_stage_open_again(struct store_stage *stage, enum store_mode mode)
{
    ledger_close(stage->ledger);
    stage->ledger = store_stage_another(stage, mode);
}

void made_record(struct made_record *made, unsigned number)
{
    struct certificate_record *record = &made->record;
    *made = (struct made_record){0};
    memset(record->key, 0x5a, sizeof record->key);
    memset(record->tbs, 0xa5, sizeof record->tbs);
    /* Neighbours in number are none in the store. */
    unsigned mixed = number * 2654435761u;
    memcpy(record->key, &mixed, sizeof mixed);
    memcpy(record->tbs, &number, sizeof number);
    memset(made->der, (int)(number & 0xff), sizeof made->der);
    snprintf(made->serial, sizeof made->serial, "%08X%08X", mixed, number);
    snprintf(made->common_name, sizeof made->common_name, "SN%06u", number);
    snprintf(record->ca, sizeof record->ca, "%s", "00112233445566aa");
    snprintf(record->sha256, sizeof record->sha256, "%064x", number);
    record->serial = made->serial;
    record->common_name = made->common_name;
    record->client_id = made->client_id;
    record->unit = "";
    record->subject = "CN=somebody";
    record->issuer = "CN=Test CA";
    record->status = CERTIFICATE_ACTIVATED;
    record->source = SOURCE_MANUAL;
    record->not_before_s = 1700000000 + number;
    record->not_after_s = 1800000000 + number;
    record->created_ms = 1750000000000 + number;
    record->updated_ms = record->created_ms;
    record->activated_ms = record->created_ms;
    record->der = made->der;
    record->der_bytes = sizeof made->der;
}

struct ca_record made_ca_record(const char *name)
{
    struct ca_record ca = {.name = name,
                           .subject = "CN=Test CA",
                           .serial = "0A",
                           .is_enabled = true,
                           .not_before_s = 1700000000,
                           .not_after_s = 2000000000,
                           .created_ms = 1750000000001,
                           .updated_ms = 1750000000002,
                           .der = (const unsigned char *)"a certificate",
                           .der_bytes = 13,
                           .chain_pem = ""};
    memcpy(ca.key, name, strlen(name) < sizeof ca.key ? strlen(name) : sizeof ca.key);
    ca_id_of(ca.key, ca.id);
    snprintf(ca.sha256, sizeof ca.sha256, "%064x", (unsigned)ca.key[0]);
    return ca;
}

typedef enum store_outcome (*put_one)(struct ledger *, const struct certificate_record *,
                                      struct error *);

static void in_transaction(struct store_stage *stage, put_one put,
                           const struct certificate_record *record)
{
    const struct store *store = stage->store;
    store_expect(store->begin(stage->ledger, &stage->err), STORE_DONE, &stage->err);
    store_expect(put(stage->ledger, record, &stage->err), STORE_DONE, &stage->err);
    store_expect(store->commit(stage->ledger, &stage->err), STORE_DONE, &stage->err);
}

void store_add(struct store_stage *stage, const struct certificate_record *record)
{
    in_transaction(stage, stage->store->add_certificate, record);
}

void store_put(struct store_stage *stage, const struct certificate_record *record)
{
    in_transaction(stage, stage->store->put_certificate, record);
}

void store_put_ca(struct store_stage *stage, const struct ca_record *ca)
{
    const struct store *store = stage->store;
    store_expect(store->begin(stage->ledger, &stage->err), STORE_DONE, &stage->err);
    store_expect(store->put_ca(stage->ledger, ca, &stage->err), STORE_DONE, &stage->err);
    store_expect(store->commit(stage->ledger, &stage->err), STORE_DONE, &stage->err);
}

int64_t store_count(struct ledger *ledger)
{
    struct certificate_filter filter = {.limit = 1};
    struct error err = {0};
    int64_t count = -1;
    store_expect(ledger->store->count_certificates(ledger, &filter, &count, &err), STORE_DONE,
                 &err);
    return count;
}

static bool on_certificate(void *arg, const struct certificate_record *record)
{
    (void)arg;
    (void)record;
    return true;
}

bool store_has(struct ledger *ledger, unsigned number)
{
    struct made_record made;
    struct error err = {0};
    made_record(&made, number);
    enum store_outcome outcome =
        ledger->store->get_certificate(ledger, made.record.key, on_certificate, NULL, &err);
    if (outcome != STORE_NOTHING)
        store_expect(outcome, STORE_DONE, &err);
    return outcome == STORE_DONE;
}
