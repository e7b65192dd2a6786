/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A fleet at once. Signatures are verified and records made before a transaction begins, so that
 * other writers wait for the store's work only. Each transaction brings its own line of the audit
 * log: whatever ends an import, the log tells what came in.
 *
 * The line is found from each certificate by its time, which is that of the certificate's
 * registering to the millisecond. So no two of these lines may have one time: a transaction that
 * finds its own taken has the next one.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "listeners/registry/ca_snapshot.h"
#include "listeners/registry/certificate_register.h"
#include "listeners/registry/change.h"

/* One that is checked and waits for the transaction. */
struct prepared {
    struct certificate_result result;
    uint64_t index;
};

struct import {
    struct ledger *ledger;
    struct registration like;
    int64_t now_ms; /* of the next batch */
    char *who;
    import_fault on_fault;
    void *arg;
    uint64_t next_index;
    unsigned faults_told;
    struct import_counts done;  /* what is committed, and what was never to be */
    struct import_counts batch; /* what this batch adds to it */
    int64_t batch_ms;           /* the time of its transaction */
    struct verifier *verifier;  /* of this batch */
    size_t waiting_count;
    bool failed;          /* the store; nothing more is taken */
    struct error failure; /* why */
    struct prepared waiting[IMPORT_BATCH];
};

struct import *import_begin(struct ledger *ledger, const struct registration *like,
                            const struct actor *actor, import_fault on_fault, void *arg)
{
    struct import *import = calloc(1, sizeof *import);
    if (!import)
        return NULL;
    import->ledger = ledger;
    import->like = *like;
    import->now_ms = actor->now_ms;
    import->who = strdup(actor->who ? actor->who : "");
    import->on_fault = on_fault;
    import->arg = arg;
    if (import->who)
        return import;
    free(import);
    return NULL;
}

static void tell_fault(struct import *import, uint64_t index, const char *text)
{
    import->batch.bad++;
    if (!import->on_fault || import->faults_told == IMPORT_FAULTS_TOLD)
        return;
    import->faults_told++;
    import->on_fault(import->arg, index, text);
}

static enum change_refusal log_batch(struct import *import, struct error *err)
{
    char subject[64];
    char after[128];
    const struct import_counts *batch = &import->batch;
    struct actor actor = {import->who, import->batch_ms};
    snprintf(subject, sizeof subject, "%llu certificate%s", (unsigned long long)batch->added,
             batch->added == 1 ? "" : "s");
    snprintf(after, sizeof after,
             "{\"added\":%llu,\"present\":%llu,\"bad\":%llu,\"status\":\"%s\"}",
             (unsigned long long)batch->added, (unsigned long long)batch->present,
             (unsigned long long)batch->bad,
             certificate_status_name(import->like.activate ? CERTIFICATE_ACTIVATED
                                                           : CERTIFICATE_REGISTERED));
    return change_log(
        import->ledger, &actor,
        &(struct change_record){.action = CHANGE_OF_IMPORT, .subject = subject, .after = after},
        err);
}

/* Others may have changed the CAs since the certificate was verified. */
static enum change_refusal check_ca(const struct cas *cas, const char *id, struct error *err)
{
    const struct cas_item *item = NULL;
    enum change_refusal refusal = cas_pick(cas, id, &item, err);
    if (refusal != CHANGE_MADE)
        return CHANGE_CA_UNREGISTERED;
    if (!item->record.is_enabled)
        return change_refuse(CHANGE_CA_DISABLED, err, "its CA %s is disabled", item->record.name);
    return CHANGE_MADE;
}

static bool on_line(void *arg, const struct change_record *line)
{
    (void)line;
    *(bool *)arg = true;
    return false;
}

/* Within the transaction: nobody else takes it meanwhile. Others are rare, and one beside another
 * only where several import at once. */
static enum change_refusal take_time(struct import *import, struct error *err)
{
    struct change_filter filter = {.import_at_ms = import->now_ms, .limit = 1};
    enum store_outcome outcome;
    for (bool is_taken = true; is_taken; filter.import_at_ms++) {
        is_taken = false;
        outcome =
            import->ledger->store->find_changes(import->ledger, &filter, on_line, &is_taken, err);
        if (outcome != STORE_DONE && outcome != STORE_NOTHING)
            return change_of_store(outcome, err);
        import->batch_ms = filter.import_at_ms;
    }
    import->now_ms = import->batch_ms + 1;
    return CHANGE_MADE;
}

/* MADE: it is in the transaction, or it counts as present or bad. */
static enum change_refusal put_one(struct import *import, const struct cas *cas,
                                   struct prepared *prepared, struct error *err)
{
    struct certificate_record *record = &prepared->result.record;
    enum registered_before before = BEFORE_NOTHING;
    enum change_refusal refusal = check_ca(cas, record->ca, err);
    record->created_ms = record->updated_ms = import->batch_ms;
    record->activated_ms = record->activated_ms ? import->batch_ms : 0;
    if (refusal == CHANGE_MADE)
        refusal = certificate_look_before(import->ledger, record, &before, err);
    if (refusal == CHANGE_MADE)
        refusal = certificate_put_new(import->ledger, record, before, err);
    if (refusal == CHANGE_STORE)
        return refusal;
    if (refusal == CHANGE_MADE)
        import->batch.added++;
    else if (before == BEFORE_THE_SAME)
        import->batch.present++;
    else
        tell_fault(import, prepared->index, err->text);
    return CHANGE_MADE;
}

static enum change_refusal put_batch(struct ledger *ledger, void *arg, bool *ret_changed,
                                     struct error *err)
{
    struct import *import = arg;
    struct cas *cas = cas_of(ledger, err);
    enum change_refusal refusal = cas ? take_time(import, err) : CHANGE_STORE;
    for (size_t i = 0; refusal == CHANGE_MADE && i < import->waiting_count; i++)
        refusal = put_one(import, cas, &import->waiting[i], err);
    cas_free(cas);
    *ret_changed = import->batch.added > 0;
    if (refusal == CHANGE_MADE && *ret_changed)
        refusal = log_batch(import, err);
    return refusal;
}

static void batch_done(struct import *import)
{
    for (size_t i = 0; i < import->waiting_count; i++)
        certificate_result_done(&import->waiting[i].result);
    import->waiting_count = 0;
    verifier_close(import->verifier);
    import->verifier = NULL;
    import->batch = (struct import_counts){0};
}

/* The store says no: what is committed stays, and no more is taken. */
static bool fail(struct import *import, const struct error *why)
{
    import->failed = true;
    error_set(&import->failure, "%s; imported before that, and kept: %llu certificates", why->text,
              (unsigned long long)import->done.added);
    return false;
}

static bool flush(struct import *import)
{
    struct error own = {{0}};
    bool good = import->waiting_count == 0 ||
                change_run(import->ledger, put_batch, import, &own) == CHANGE_MADE;
    if (good) {
        import->done.added += import->batch.added;
        import->done.present += import->batch.present;
        import->done.bad += import->batch.bad;
    } else {
        fail(import, &own);
    }
    batch_done(import);
    return good;
}

/* Into the batch. false: the store failed. */
static bool prepare(struct import *import, const struct registration *one)
{
    struct error own = {{0}};
    uint64_t index = import->next_index++;
    if (!import->verifier && !(import->verifier = verifier_open(import->ledger, &own)))
        return fail(import, &own);
    struct prepared *next = &import->waiting[import->waiting_count];
    next->index = index;
    switch (certificate_prepare(import->verifier, one, import->now_ms, &next->result, &own)) {
    case CHANGE_MADE:
        import->waiting_count++;
        return true;
    case CHANGE_STORE:
        return fail(import, &own);
    case CHANGE_BAD_INPUT:
    case CHANGE_UNKNOWN:
    case CHANGE_AMBIGUOUS:
    case CHANGE_EXISTS:
    case CHANGE_ILLEGAL:
    case CHANGE_CA_UNREGISTERED:
    case CHANGE_CA_DISABLED:
    case CHANGE_NOT_OF_CA:
    case CHANGE_SIGNUP_LIMIT:
    case CHANGE_QUOTA:
    case CHANGE_BOUND:
    case CHANGE_IN_USE:
    case CHANGE_UNSERVED_HOST:
        break;
    }
    certificate_result_done(&next->result);
    tell_fault(import, index, own.text);
    return true;
}

bool import_add(struct import *import, X509 *certificate, STACK_OF(X509) * chain,
                const char *client_id, struct error *err)
{
    struct registration one = import->like;
    one.certificate = certificate;
    one.chain = chain;
    one.client_id = client_id;
    bool good = !import->failed && prepare(import, &one) &&
                (import->waiting_count < IMPORT_BATCH || flush(import));
    if (!good)
        error_set(err, "%s", import->failure.text);
    return good;
}

enum change_refusal import_end(struct import *import, struct import_counts *ret_counts,
                               struct error *err)
{
    bool good = !import->failed;
    if (good && import->waiting_count)
        good = flush(import);
    else if (good)
        import->done.bad += import->batch.bad;
    if (!good)
        error_set(err, "%s", import->failure.text);
    *ret_counts = import->done;
    batch_done(import);
    free(import->who);
    free(import);
    return good ? CHANGE_MADE : CHANGE_STORE;
}
