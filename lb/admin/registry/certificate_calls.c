/* SPDX-License-Identifier: Apache-2.0 */
/* The calls of one certificate: what it may become, its client id. */
#include <string.h>

#include "lb/admin/registry/call_query.h"
#include "lb/admin/registry/certificate_answer.h"
#include "lb/admin/registry/registry_call.h"
#include "lb/base/certificate.h"

static const char *const keys[] = {"ca", NULL};

static struct certificate_wanted wanted_by(const struct registry_call *call)
{
    return (struct certificate_wanted){.serial = call->parts[0],
                                       .ca = api_query_value(&call->query, "ca")};
}

static bool check_ca(struct registry_call *call)
{
    const char *ca = NULL;
    return query_text(call, "ca", CERTIFICATE_NAME_BYTES, &ca);
}

static void answer(struct registry_call *call, struct ledger *ledger,
                   const struct certificate_result *result, const char *event)
{
    registry_call_answer(call, 200);
    if (result->changed)
        certificate_answer_log(call, event, &result->record);
    if (!certificate_answer_write(call, ledger, &result->record))
        return;
    writer_flag(&call->answer, "changed", result->changed);
    if (result->warning)
        writer_text(&call->answer, "warning", result->warning);
    registry_call_end(call);
}

static void change(struct registry_call *call, struct ledger *ledger,
                   enum certificate_status status, const char *event)
{
    const struct certificate_wanted wanted = wanted_by(call);
    struct certificate_result result = {0};
    struct error err = {""};
    enum change_refusal refusal =
        certificate_change(ledger, &wanted, status, &call->actor, &result, &err);
    if (refusal == CHANGE_MADE)
        answer(call, ledger, &result, event);
    else
        registry_call_refuse_change(call, refusal, &err);
    certificate_result_done(&result);
}

static void activate(struct registry_call *call, struct ledger *ledger)
{
    change(call, ledger, CERTIFICATE_ACTIVATED, "registry.certificate-activated");
}

static void deactivate(struct registry_call *call, struct ledger *ledger)
{
    change(call, ledger, CERTIFICATE_NOT_ACTIVATED, "registry.certificate-deactivated");
}

static void revoke_it(struct registry_call *call, struct ledger *ledger)
{
    change(call, ledger, CERTIFICATE_REVOKED, "registry.certificate-revoked");
}

static void remove_it(struct registry_call *call, struct ledger *ledger)
{
    change(call, ledger, CERTIFICATE_DELETED, "registry.certificate-deleted");
}

static bool check_confirmed(struct registry_call *call)
{
    if (!body_flag(call->json, "confirm", false))
        return registry_call_refuse(
            call, 400, "bad-input",
            "a revoked certificate stays revoked for good: say {\"confirm\": true} "
            "if that is meant, or deactivate it");
    return check_ca(call);
}

static const struct call_field confirm_fields[] = {
    {.name = "confirm", .type = FIELD_FLAG},
    {0},
};

const struct call_steps call_certificate_activate = {
    .keys = keys, .begin = check_ca, .work = activate};
const struct call_steps call_certificate_deactivate = {
    .keys = keys, .begin = check_ca, .work = deactivate};
const struct call_steps call_certificate_revoke = {
    .fields = confirm_fields, .keys = keys, .begin = check_confirmed, .work = revoke_it};
const struct call_steps call_certificate_delete = {
    .keys = keys, .begin = check_ca, .work = remove_it};

/* --- client id ----------------------------------------------------------------------------- */

static const struct call_field client_id_fields[] = {
    {.name = "client_id", .type = FIELD_TEXT, .is_needed = true, .most = CERTIFICATE_TEXT_BYTES},
    {0},
};

static void set_client_id(struct registry_call *call, struct ledger *ledger)
{
    const struct certificate_wanted wanted = wanted_by(call);
    struct certificate_result result = {0};
    struct error err = {""};
    enum change_refusal refusal = certificate_set_client_id(
        ledger, &wanted, body_text(call->json, "client_id"), &call->actor, &result, &err);
    if (refusal == CHANGE_MADE)
        answer(call, ledger, &result, "registry.certificate-client-id");
    else
        registry_call_refuse_change(call, refusal, &err);
    certificate_result_done(&result);
}

const struct call_steps call_certificate_client_id = {
    .fields = client_id_fields, .keys = keys, .begin = check_ca, .work = set_client_id};
