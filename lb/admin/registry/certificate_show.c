/* SPDX-License-Identifier: Apache-2.0 */
/* All there is to know of one certificate. Who is connected with it only the running lb knows, and
 * says at the end. */
#include <string.h>

#include "lb/admin/registry/call_query.h"
#include "lb/admin/registry/certificate_answer.h"
#include "lb/admin/registry/record_json.h"
#include "lb/admin/registry/registry_call.h"
#include "lb/base/certificate.h"

enum { HISTORY_MOST = 100 };

static const char *const keys[] = {"ca", NULL};

static bool check(struct registry_call *call)
{
    const char *ca = NULL;
    return query_text(call, "ca", CERTIFICATE_NAME_BYTES, &ca);
}

static bool write_change(void *arg, const struct change_record *change)
{
    record_json_change(arg, change);
    return true;
}

static bool write_history(struct registry_call *call, struct ledger *ledger)
{
    const struct change_filter filter = {.certificate_key = call->key, .limit = HISTORY_MOST};
    struct error err = {""};
    writer_array(&call->answer, "history");
    enum store_outcome outcome =
        ledger->store->find_changes(ledger, &filter, write_change, &call->answer, &err);
    if (outcome != STORE_DONE && outcome != STORE_NOTHING)
        return registry_call_refuse_store(call, outcome, err.text);
    writer_end(&call->answer);
    return true;
}

static void write_all(struct registry_call *call, struct ledger *ledger,
                      const struct certificate_record *record)
{
    registry_call_answer(call, 200);
    memcpy(call->key, record->key, sizeof call->key);
    if (!certificate_answer_write(call, ledger, record))
        return;
    record_json_pem(&call->answer, "pem", record->der, record->der_bytes);
    record_json_algorithm(&call->answer, record->der, record->der_bytes);
    if (write_history(call, ledger))
        call->wait = CALL_WAITS_FOR_CENSUS;
}

static void show(struct registry_call *call, struct ledger *ledger)
{
    const struct certificate_wanted wanted = {.serial = call->parts[0],
                                              .ca = api_query_value(&call->query, "ca")};
    struct certificate_result result = {0};
    struct error err = {""};
    enum change_refusal refusal = certificate_get(ledger, &wanted, &result, &err);
    if (refusal == CHANGE_MADE)
        write_all(call, ledger, &result.record);
    else
        registry_call_refuse_change(call, refusal, &err);
    certificate_result_done(&result);
}

static void nothing(struct registry_call *call)
{
    registry_call_refuse(call, 404, "unknown",
                         "there is no certificate %.80s: none was registered yet", call->parts[0]);
}

const struct call_steps call_certificate_show = {
    .keys = keys, .begin = check, .work = show, .nothing = nothing};
