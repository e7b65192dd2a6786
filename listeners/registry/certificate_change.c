/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a registered certificate may become. Time does not count here: an expired certificate may be
 * activated, and is refused all the same.
 *
 * A change to the status it has already is made, and changes nothing: who repeats a command that
 * was cut off gets the answer he missed.
 */
#include <stdio.h>
#include <string.h>

#include "listeners/registry/certificate_describe.h"
#include "listeners/registry/certificate_find.h"
#include "listeners/registry/certificate_warn.h"
#include "listeners/registry/change.h"

#define FOR_GOOD "it is revoked for good; issue or register another certificate"

/* Why not from here to there? NULL: it may. */
// clang-format off
static const char *const why_not[CERTIFICATE_STATUS_COUNT][CERTIFICATE_STATUS_COUNT] = {
    [CERTIFICATE_ACTIVATED] = {
        [CERTIFICATE_REGISTERED] = "only what is registered with activate = no is REGISTERED",
        [CERTIFICATE_DELETED] = "it is ACTIVATED; deactivate or revoke it first",
    },
    [CERTIFICATE_NOT_ACTIVATED] = {
        [CERTIFICATE_REGISTERED] = "only what is registered with activate = no is REGISTERED",
    },
    [CERTIFICATE_REGISTERED] = {
        [CERTIFICATE_NOT_ACTIVATED] = "it is REGISTERED and was never activated: there is nothing to deactivate",
        [CERTIFICATE_DELETED] = "it is REGISTERED; activate it and deactivate it again, or revoke it first",
    },
    [CERTIFICATE_REVOKED] = {
        [CERTIFICATE_ACTIVATED] = FOR_GOOD,
        [CERTIFICATE_NOT_ACTIVATED] = FOR_GOOD,
        [CERTIFICATE_REGISTERED] = FOR_GOOD,
    },
    /* certificate_find() gives none of these. */
    [CERTIFICATE_DELETED] = {
        [CERTIFICATE_ACTIVATED] = "it was deleted",
        [CERTIFICATE_NOT_ACTIVATED] = "it was deleted",
        [CERTIFICATE_REGISTERED] = "it was deleted",
        [CERTIFICATE_REVOKED] = "it was deleted",
    },
};

static const char *const actions[CERTIFICATE_STATUS_COUNT] = {
    [CERTIFICATE_ACTIVATED] = "certificate.activate",
    [CERTIFICATE_NOT_ACTIVATED] = "certificate.deactivate",
    [CERTIFICATE_REGISTERED] = "certificate.register",
    [CERTIFICATE_REVOKED] = "certificate.revoke",
    [CERTIFICATE_DELETED] = "certificate.delete",
};
// clang-format on

/* What changing one certificate is about. */
struct changing {
    const struct certificate_wanted *wanted;
    const struct actor *actor;
    struct certificate_result *result;
    enum certificate_status status;
    const char *client_id;
};

/* Put result->record, changed, into the store with its line. */
static enum change_refusal put(struct ledger *ledger, const struct changing *changing,
                               struct certificate_record *record, const struct change_record *line,
                               struct error *err)
{
    record->updated_ms = changing->actor->now_ms;
    enum change_refusal refusal =
        change_of_store(ledger->store->put_certificate(ledger, record, err), err);
    if (refusal == CHANGE_MADE) {
        struct change_record whole = *line;
        whole.ca = record->ca;
        whole.certificate_key = record->key;
        whole.serial = record->serial;
        whole.subject = record->subject;
        refusal = change_log(ledger, changing->actor, &whole, err);
    }
    if (refusal == CHANGE_MADE && !certificate_result_set(changing->result, record))
        refusal = change_out_of_memory(err);
    return refusal;
}

static enum change_refusal change_status(struct ledger *ledger, void *arg, bool *ret_changed,
                                         struct error *err)
{
    const struct changing *changing = arg;
    int64_t now_ms = changing->actor->now_ms;
    enum change_refusal refusal = certificate_find(ledger, changing->wanted, changing->result, err);
    if (refusal != CHANGE_MADE)
        return refusal;
    struct certificate_record record = changing->result->record;
    enum certificate_status before = record.status;
    *ret_changed = changing->result->changed = before != changing->status;
    if (!*ret_changed)
        return CHANGE_MADE;
    if (why_not[before][changing->status])
        return change_refuse(CHANGE_ILLEGAL, err, "serial %.130s: %s", record.serial,
                             why_not[before][changing->status]);
    record.status = changing->status;
    record.was_revoked = changing->status == CERTIFICATE_DELETED && before == CERTIFICATE_REVOKED;
    if (changing->status == CERTIFICATE_ACTIVATED)
        record.activated_ms = now_ms;
    if (changing->status == CERTIFICATE_NOT_ACTIVATED)
        record.deactivated_ms = now_ms;
    refusal = put(ledger, changing, &record,
                  &(struct change_record){.action = actions[changing->status],
                                          .before = certificate_status_name(before),
                                          .after = certificate_status_name(changing->status)},
                  err);
    if (refusal == CHANGE_MADE && changing->status == CERTIFICATE_ACTIVATED)
        refusal = certificate_warn(ledger, now_ms, changing->result, err);
    return refusal;
}

static enum change_refusal change_client_id(struct ledger *ledger, void *arg, bool *ret_changed,
                                            struct error *err)
{
    const struct changing *changing = arg;
    enum change_refusal refusal = certificate_find(ledger, changing->wanted, changing->result, err);
    if (refusal != CHANGE_MADE)
        return refusal;
    struct certificate_record record = changing->result->record;
    const char *before = record.client_id;
    *ret_changed = changing->result->changed = strcmp(before, changing->client_id) != 0;
    if (!*ret_changed)
        return CHANGE_MADE;
    record.client_id = changing->client_id;
    refusal =
        put(ledger, changing, &record,
            &(struct change_record){
                .action = "certificate.client-id", .before = before, .after = changing->client_id},
            err);
    if (refusal == CHANGE_MADE)
        refusal = certificate_warn(ledger, changing->actor->now_ms, changing->result, err);
    return refusal;
}

static enum change_refusal run(struct ledger *ledger, change_work work, struct changing *changing,
                               struct error *err)
{
    enum change_refusal refusal = change_run(ledger, work, changing, err);
    if (refusal != CHANGE_MADE)
        certificate_result_done(changing->result);
    return refusal;
}

enum change_refusal certificate_change(struct ledger *ledger,
                                       const struct certificate_wanted *wanted,
                                       enum certificate_status status, const struct actor *actor,
                                       struct certificate_result *result, struct error *err)
{
    struct changing changing = {wanted, actor, result, status, NULL};
    return run(ledger, change_status, &changing, err);
}

enum change_refusal certificate_set_client_id(struct ledger *ledger,
                                              const struct certificate_wanted *wanted,
                                              const char *client_id, const struct actor *actor,
                                              struct certificate_result *result, struct error *err)
{
    struct changing changing = {wanted, actor, result, CERTIFICATE_STATUS_COUNT,
                                client_id ? client_id : ""};
    enum change_refusal refusal = client_id_check(changing.client_id, err);
    if (refusal != CHANGE_MADE)
        return refusal;
    return run(ledger, change_client_id, &changing, err);
}
