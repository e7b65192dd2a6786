/* SPDX-License-Identifier: Apache-2.0 */
/* The calls of client CAs: list, show, upload, delete, enable, disable. */
#include <string.h>
#include <strings.h>

#include "lb/admin/registry/ca_answer.h"
#include "lb/admin/registry/record_json.h"
#include "lb/admin/registry/registry_call.h"

struct json_writer *ca_answer_begin(struct registry_call *call, unsigned status,
                                    const struct ca_result *result, const char *flag, bool is_set)
{
    struct json_writer *answer = registry_call_answer(call, status);
    record_json_ca(answer, "ca", &result->record);
    if (flag)
        writer_flag(answer, flag, is_set);
    return answer;
}

void ca_answer_end(struct registry_call *call, const struct ca_result *result, const char *event)
{
    if (!result->changed) {
        registry_call_end(call);
        return;
    }
    registry_call_log(call, event, "%s (%s)", result->record.name, result->record.id);
    call->wait = CALL_WAITS_FOR_IN_FORCE;
}

void ca_answer(struct registry_call *call, unsigned status, const struct ca_result *result,
               const char *flag, bool is_set, const char *event)
{
    struct json_writer *answer = ca_answer_begin(call, status, result, flag, is_set);
    if (*result->warning) {
        writer_array(answer, "warnings");
        writer_text(answer, NULL, result->warning);
        writer_end(answer);
    }
    ca_answer_end(call, result, event);
}

bool ca_refuse_unknown(struct registry_call *call)
{
    struct error err;
    error_set(&err, "there is no CA \"%.80s\": lb ca list shows those there are", call->parts[0]);
    return registry_call_refuse_change(call, CHANGE_UNKNOWN, &err);
}

static void refuse_unknown(struct registry_call *call)
{
    ca_refuse_unknown(call);
}

/* --- questions ----------------------------------------------------------------------------- */

static bool write_ca(void *arg, const struct ca_record *ca)
{
    record_json_ca(arg, NULL, ca);
    return true;
}

static void list_nothing(struct registry_call *call)
{
    writer_array(registry_call_answer(call, 200), "cas");
    writer_end(&call->answer);
    registry_call_end(call);
}

static void list(struct registry_call *call, struct ledger *ledger)
{
    struct error err = {""};
    writer_array(registry_call_answer(call, 200), "cas");
    enum store_outcome outcome = ledger->store->each_ca(ledger, write_ca, &call->answer, &err);
    if (outcome != STORE_DONE && outcome != STORE_NOTHING) {
        registry_call_refuse_store(call, outcome, err.text);
        return;
    }
    writer_end(&call->answer);
    registry_call_end(call);
}

const struct call_steps call_cas_list = {.work = list, .nothing = list_nothing};

static void show(struct registry_call *call, struct ledger *ledger)
{
    struct ca_result result = {0};
    struct error err = {""};
    enum change_refusal refusal = ca_get(ledger, call->parts[0], &result, &err);
    if (refusal == CHANGE_MADE) {
        record_json_ca(registry_call_answer(call, 200), "ca", &result.record);
        registry_call_end(call);
    } else {
        registry_call_refuse_change(call, refusal, &err);
    }
    ca_result_done(&result);
}

const struct call_steps call_ca_show = {.work = show, .nothing = refuse_unknown};

/* --- changes ------------------------------------------------------------------------------- */

static const struct call_field upload_fields[] = {
    {.name = "name", .type = FIELD_TEXT, .is_needed = true, .most = CA_NAME_BYTES},
    {.name = "pem", .type = FIELD_TEXT, .is_needed = true, .most = CA_UPLOAD_BYTES},
    {0},
};

static void upload(struct registry_call *call, struct ledger *ledger)
{
    struct ca_result result = {0};
    struct error err = {""};
    const char *pem = body_text(call->json, "pem");
    enum change_refusal refusal = ca_upload(ledger, body_text(call->json, "name"), pem, strlen(pem),
                                            call->facts->max_cas, &call->actor, &result, &err);
    if (refusal == CHANGE_MADE)
        ca_answer(call, 201, &result, "renewed", result.renewed,
                  result.renewed ? "registry.ca-renewed" : "registry.ca-uploaded");
    else
        registry_call_refuse_change(call, refusal, &err);
    ca_result_done(&result);
}

const struct call_steps call_ca_upload = {.fields = upload_fields, .work = upload};

static void enable(struct registry_call *call, struct ledger *ledger, bool on)
{
    struct ca_result result = {0};
    struct error err = {""};
    enum change_refusal refusal =
        ca_enable(ledger, call->parts[0], on, &call->actor, &result, &err);
    if (refusal == CHANGE_MADE)
        ca_answer(call, 200, &result, "changed", result.changed,
                  on ? "registry.ca-enabled" : "registry.ca-disabled");
    else
        registry_call_refuse_change(call, refusal, &err);
    ca_result_done(&result);
}

static void enable_it(struct registry_call *call, struct ledger *ledger)
{
    enable(call, ledger, true);
}

static void disable_it(struct registry_call *call, struct ledger *ledger)
{
    enable(call, ledger, false);
}

const struct call_steps call_ca_enable = {.work = enable_it};
const struct call_steps call_ca_disable = {.work = disable_it};

static bool is_named(const struct registry_facts *facts, const struct ca_record *ca)
{
    for (unsigned i = 0; i < facts->named_ca_count; i++)
        if (strcmp(facts->named_cas[i], ca->name) == 0 ||
            strcasecmp(facts->named_cas[i], ca->id) == 0)
            return true;
    return false;
}

/* The INI file could not be loaded any more. */
static enum change_refusal look_for_use(struct registry_call *call, struct ledger *ledger,
                                        struct error *err)
{
    struct ca_result result = {0};
    enum change_refusal refusal = ca_get(ledger, call->parts[0], &result, err);
    if (refusal == CHANGE_MADE && !result.record.is_builtin &&
        is_named(call->facts, &result.record)) {
        error_set(err,
                  "client_ca of the INI file names CA %s (%s): take registry:… away there and "
                  "reload first",
                  result.record.name, result.record.id);
        refusal = CHANGE_IN_USE;
    }
    ca_result_done(&result);
    return refusal;
}

static void remove_it(struct registry_call *call, struct ledger *ledger)
{
    struct ca_result result = {0};
    struct error err = {""};
    enum change_refusal refusal = look_for_use(call, ledger, &err);
    if (refusal == CHANGE_MADE)
        refusal = ca_delete(ledger, call->parts[0], &call->actor, &result, &err);
    if (refusal == CHANGE_MADE)
        ca_answer(call, 200, &result, NULL, false, "registry.ca-deleted");
    else
        registry_call_refuse_change(call, refusal, &err);
    ca_result_done(&result);
}

const struct call_steps call_ca_delete = {.work = remove_it};
