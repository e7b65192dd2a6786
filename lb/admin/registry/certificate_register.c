/* SPDX-License-Identifier: Apache-2.0 */
/* POST /v1/certificates/register: a certificate that a registered CA has signed elsewhere. */
#include <stdlib.h>

#include "lb/admin/registry/certificate_answer.h"
#include "lb/admin/registry/registry_call.h"

static const struct call_field fields[] = {
    {.name = "pem", .type = FIELD_TEXT, .is_needed = true, .most = CALL_PEM_BYTES},
    {.name = "ca", .type = FIELD_TEXT, .most = CA_NAME_BYTES},
    {.name = "client_id", .type = FIELD_TEXT, .most = CERTIFICATE_TEXT_BYTES},
    {.name = "activate", .type = FIELD_FLAG},
    {0},
};

static bool begin(struct registry_call *call)
{
    struct certificate_bundle *bundle = calloc(1, sizeof *bundle);
    struct error err = {""};
    call->own = bundle;
    if (!bundle)
        return registry_call_refuse_memory(call);
    return certificate_bundle_read(bundle, body_text(call->json, "pem"), &err) ||
           registry_call_refuse_input(call, &err);
}

static void answer(struct registry_call *call, struct ledger *ledger,
                   const struct certificate_result *result)
{
    registry_call_answer(call, 201);
    certificate_answer_log(call, "registry.certificate-registered", &result->record);
    if (!certificate_answer_write(call, ledger, &result->record))
        return;
    if (result->warning)
        writer_text(&call->answer, "warning", result->warning);
    registry_call_end(call);
}

static void work(struct registry_call *call, struct ledger *ledger)
{
    const struct certificate_bundle *bundle = call->own;
    const struct registration registration = {
        .certificate = bundle->certificate,
        .chain = bundle->chain,
        .ca = body_text(call->json, "ca"),
        .client_id = body_text(call->json, "client_id"),
        .activate = body_flag(call->json, "activate", true),
        .source = SOURCE_MANUAL,
        .per_second = call->facts->signups_per_second,
    };
    struct certificate_result result = {0};
    struct error err = {""};
    enum change_refusal refusal =
        certificate_register(ledger, &registration, &call->actor, &result, &err);
    if (refusal == CHANGE_MADE)
        answer(call, ledger, &result);
    else
        registry_call_refuse_change(call, refusal, &err);
    certificate_result_done(&result);
}

static void done(struct registry_call *call)
{
    struct certificate_bundle *bundle = call->own;
    if (bundle)
        certificate_bundle_done(bundle);
    free(bundle);
}

const struct call_steps call_certificate_register = {
    .fields = fields, .begin = begin, .work = work, .done = done};
