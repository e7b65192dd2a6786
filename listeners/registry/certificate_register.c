/* SPDX-License-Identifier: Apache-2.0 */
/* One more certificate: by hand, by itself at its first use, or just issued. */
#include "listeners/registry/certificate_register.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "listeners/registry/certificate_describe.h"
#include "listeners/registry/certificate_find.h"
#include "listeners/registry/certificate_warn.h"
#include "listeners/registry/change.h"

enum change_refusal certificate_prepare(struct verifier *verifier,
                                        const struct registration *registration, int64_t now_ms,
                                        struct certificate_result *result, struct error *err)
{
    struct verified verified;
    enum change_refusal refusal = client_id_check(registration->client_id, err);
    if (refusal == CHANGE_MADE)
        refusal = verifier_check(verifier, registration->certificate, registration->chain,
                                 registration->ca, now_ms / 1000, &verified, err);
    if (refusal != CHANGE_MADE)
        return refusal;
    struct certificate_record record = {
        .client_id = registration->client_id,
        .status = registration->activate ? CERTIFICATE_ACTIVATED : CERTIFICATE_REGISTERED,
        .source = registration->source,
        .created_ms = now_ms,
        .updated_ms = now_ms,
        .activated_ms = registration->activate ? now_ms : 0,
    };
    memcpy(record.ca, verified.ca->record.id, sizeof record.ca);
    if (!certificate_key_of(verified.issuer_key, registration->certificate, record.key))
        return change_out_of_memory(err);
    return certificate_describe(registration->certificate, &record, result, err);
}

static enum change_refusal refuse_known(const struct certificate_record *known,
                                        const struct certificate_record *record,
                                        enum registered_before *ret_before, struct error *err)
{
    char when[WHEN_BYTES];
    change_when(known->created_ms, when);
    if (memcmp(known->tbs, record->tbs, TBS_BYTES) == 0) {
        *ret_before = BEFORE_THE_SAME;
        return change_refuse(CHANGE_EXISTS, err,
                             "this certificate is registered since %s; it is %s", when,
                             certificate_status_name(known->status));
    }
    return change_refuse(CHANGE_EXISTS, err,
                         "another certificate with serial %.130s of this CA is registered since %s "
                         "(%.150s): their TBSCertificates differ, and no CA may give one serial "
                         "twice",
                         known->serial, when, known->subject);
}

static enum change_refusal judge_tombstone(const struct certificate_record *tombstone,
                                           const struct certificate_record *record,
                                           struct error *err)
{
    char when[WHEN_BYTES];
    change_when(tombstone->updated_ms, when);
    if (tombstone->was_revoked)
        return change_refuse(CHANGE_ILLEGAL, err,
                             "serial %.130s was revoked for good before it was deleted on %s; "
                             "issue or register another certificate",
                             tombstone->serial, when);
    if (record->source == SOURCE_AUTO)
        return change_refuse(CHANGE_ILLEGAL, err,
                             "serial %.130s was deleted on %s: it cannot sign up again; only "
                             "registering it by hand brings it back",
                             tombstone->serial, when);
    return CHANGE_MADE;
}

enum change_refusal certificate_look_before(struct ledger *ledger,
                                            const struct certificate_record *record,
                                            enum registered_before *ret_before, struct error *err)
{
    struct certificate_result known = {0};
    bool found = false;
    *ret_before = BEFORE_NOTHING;
    enum change_refusal refusal = certificate_by_key(ledger, record->key, &known, &found, err);
    if (refusal == CHANGE_MADE && found && known.record.status == CERTIFICATE_DELETED) {
        *ret_before = BEFORE_TOMBSTONE;
        refusal = judge_tombstone(&known.record, record, err);
    } else if (refusal == CHANGE_MADE && found) {
        refusal = refuse_known(&known.record, record, ret_before, err);
    }
    certificate_result_done(&known);
    return refusal;
}

enum change_refusal certificate_put_new(struct ledger *ledger,
                                        const struct certificate_record *record,
                                        enum registered_before before, struct error *err)
{
    const struct store *store = ledger->store;
    return change_of_store(before == BEFORE_TOMBSTONE ? store->put_certificate(ledger, record, err)
                                                      : store->add_certificate(ledger, record, err),
                           err);
}

/* How many were registered in the second before now? What lies more than a second ahead was written
 * by a clock that was set back since then, and does not count. */
static enum change_refusal check_limit(struct ledger *ledger, unsigned per_second, int64_t now_ms,
                                       struct error *err)
{
    enum { SECOND_MS = 1000 };
    unsigned sources = 1U << SOURCE_MANUAL | 1U << SOURCE_AUTO;
    const struct store *store = ledger->store;
    int64_t recent = 0;
    int64_t ahead = 0;
    if (per_second == 0)
        return CHANGE_MADE;
    enum change_refusal refusal = change_of_store(
        store->count_since(ledger, now_ms - SECOND_MS + 1, sources, &recent, err), err);
    if (refusal == CHANGE_MADE)
        refusal = change_of_store(
            store->count_since(ledger, now_ms + SECOND_MS, sources, &ahead, err), err);
    if (refusal == CHANGE_MADE && recent - ahead >= (int64_t)per_second)
        refusal = change_refuse(CHANGE_SIGNUP_LIMIT, err,
                                "%u certificates were registered within this second, as many as "
                                "signups_per_second allows; try again in a second (lb cert import "
                                "takes whole fleets)",
                                per_second);
    return refusal;
}

static const char *action_of(enum certificate_source source)
{
    switch (source) {
    case SOURCE_ISSUED:
        return "certificate.issue";
    case SOURCE_AUTO:
        return "certificate.sign-up";
    case SOURCE_MANUAL:
    case SOURCE_IMPORTED:
    case CERTIFICATE_SOURCE_COUNT:
        break;
    }
    return "certificate.register";
}

static enum change_refusal log_new(struct ledger *ledger, const struct actor *actor,
                                   const struct certificate_record *record,
                                   enum registered_before before, struct error *err)
{
    json_t *after = json_pack("{s:s,s:s}", "status", certificate_status_name(record->status),
                              "source", certificate_source_name(record->source));
    if (after && *record->client_id)
        json_object_set_new(after, "client_id", json_string(record->client_id));
    char *text = after ? json_dumps(after, JSON_COMPACT) : NULL;
    json_decref(after);
    enum change_refusal refusal = CHANGE_MADE;
    if (text)
        refusal = change_log(ledger, actor,
                             &(struct change_record){
                                 .action = action_of(record->source),
                                 .ca = record->ca,
                                 .certificate_key = record->key,
                                 .serial = record->serial,
                                 .subject = record->subject,
                                 .before = before == BEFORE_TOMBSTONE ? "DELETED" : "",
                                 .after = text,
                             },
                             err);
    else
        refusal = change_out_of_memory(err);
    free(text);
    return refusal;
}

/* What registering one certificate is about. */
struct registering {
    const struct registration *registration;
    const struct actor *actor;
    struct certificate_result *result;
};

static enum change_refusal prepare(struct ledger *ledger, const struct registering *registering,
                                   struct error *err)
{
    struct verifier *verifier = verifier_open(ledger, err);
    if (!verifier)
        return CHANGE_STORE;
    enum change_refusal refusal = certificate_prepare(
        verifier, registering->registration, registering->actor->now_ms, registering->result, err);
    verifier_close(verifier);
    return refusal;
}

static enum change_refusal register_one(struct ledger *ledger, void *arg, bool *ret_changed,
                                        struct error *err)
{
    const struct registering *registering = arg;
    const struct registration *registration = registering->registration;
    struct certificate_result *result = registering->result;
    enum registered_before before = BEFORE_NOTHING;
    enum change_refusal refusal = prepare(ledger, registering, err);
    if (refusal == CHANGE_MADE)
        refusal = certificate_look_before(ledger, &result->record, &before, err);
    if (refusal == CHANGE_MADE)
        refusal = check_limit(ledger, registration->per_second, registering->actor->now_ms, err);
    if (refusal == CHANGE_MADE)
        refusal = certificate_put_new(ledger, &result->record, before, err);
    if (refusal == CHANGE_MADE)
        refusal = log_new(ledger, registering->actor, &result->record, before, err);
    if (refusal == CHANGE_MADE)
        refusal = certificate_warn(ledger, registering->actor->now_ms, result, err);
    *ret_changed = refusal == CHANGE_MADE;
    return refusal;
}

enum change_refusal certificate_register(struct ledger *ledger,
                                         const struct registration *registration,
                                         const struct actor *actor,
                                         struct certificate_result *result, struct error *err)
{
    struct registering registering = {registration, actor, result};
    enum change_refusal refusal = change_run(ledger, register_one, &registering, err);
    if (refusal == CHANGE_MADE)
        result->changed = true;
    else
        certificate_result_done(result);
    return refusal;
}
