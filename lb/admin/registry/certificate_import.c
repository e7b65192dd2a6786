/* SPDX-License-Identifier: Apache-2.0 */
/* POST /v1/certificates/import: many certificates at once. Bad ones keep no other from coming in;
 * how many there are is told, and the first of them. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lb/admin/registry/certificate_answer.h"
#include "lb/admin/registry/registry_call.h"

enum { SOURCE_BYTES = 200, WHO_BYTES = 512 };

static const struct call_field item_fields[] = {
    {.name = "pem", .type = FIELD_TEXT, .is_needed = true, .most = CALL_PEM_BYTES},
    {.name = "client_id", .type = FIELD_TEXT, .most = CERTIFICATE_TEXT_BYTES},
    {0},
};

static const struct call_field fields[] = {
    {.name = "certificates", .type = FIELD_OBJECTS, .is_needed = true, .inner = item_fields},
    {.name = "activate", .type = FIELD_FLAG},
    {.name = "source_text", .type = FIELD_TEXT, .most = SOURCE_BYTES},
    {0},
};

static bool begin(struct registry_call *call)
{
    const char *source = body_text(call->json, "source_text");
    if (json_array_size(json_object_get(call->json, "certificates")) == 0)
        return registry_call_refuse(call, 400, "bad-input", "\"certificates\" is empty");
    for (; source && *source; source++)
        if ((unsigned char)*source < 0x20 || *source == 0x7f)
            return registry_call_refuse(call, 400, "bad-input",
                                        "\"source_text\" has a control character: write one line");
    return true;
}

/** An import under way. */
struct importing {
    struct json_writer *answer;
    size_t *places; /* in the body, of those that were handed on */
    size_t handed_on;
    uint64_t unreadable;
    unsigned told;
};

static void tell_fault(struct importing *importing, size_t place, const char *text)
{
    if (importing->told == IMPORT_FAULTS_TOLD)
        return;
    importing->told++;
    writer_object(importing->answer, NULL);
    writer_number(importing->answer, "index", (int64_t)place);
    writer_text(importing->answer, "text", text);
    writer_end(importing->answer);
}

static void on_fault(void *arg, uint64_t index, const char *text)
{
    struct importing *importing = arg;
    tell_fault(importing, index < importing->handed_on ? importing->places[index] : index, text);
}

/* false: the store failed. */
static bool add(struct importing *importing, struct import *import, size_t place,
                const json_t *item, struct error *err)
{
    struct certificate_bundle bundle;
    struct error fault = {""};
    bool good = true;
    if (certificate_bundle_read(&bundle, body_text(item, "pem"), &fault)) {
        importing->places[importing->handed_on++] = place;
        good =
            import_add(import, bundle.certificate, bundle.chain, body_text(item, "client_id"), err);
    } else {
        importing->unreadable++;
        tell_fault(importing, place, fault.text);
    }
    certificate_bundle_done(&bundle);
    return good;
}

static enum change_refusal add_all(struct registry_call *call, struct importing *importing,
                                   struct import *import, struct import_counts *counts,
                                   struct error *err)
{
    const json_t *items = json_object_get(call->json, "certificates");
    struct error ignored;
    bool good = true;
    for (size_t i = 0; good && i < json_array_size(items); i++)
        good = add(importing, import, i, json_array_get(items, i), err);
    enum change_refusal refusal = import_end(import, counts, good ? err : &ignored);
    return good ? refusal : CHANGE_STORE;
}

static void answer(struct registry_call *call, const struct importing *importing,
                   const struct import_counts *counts)
{
    writer_end(&call->answer);
    writer_number(&call->answer, "added", (int64_t)counts->added);
    writer_number(&call->answer, "present", (int64_t)counts->present);
    writer_number(&call->answer, "bad", (int64_t)(counts->bad + importing->unreadable));
    if (counts->added > 0)
        registry_call_log(call, "registry.certificates-imported",
                          "%" PRIu64 " added, %" PRIu64 " there already, %" PRIu64 " bad",
                          counts->added, counts->present, counts->bad + importing->unreadable);
    registry_call_end(call);
}

/* The audit log says from where, too. */
static void write_who(const struct registry_call *call, char who[WHO_BYTES])
{
    const char *source = body_text(call->json, "source_text");
    snprintf(who, WHO_BYTES, "%s%s%s", call->actor.who, source ? ", from " : "",
             source ? source : "");
}

static void work(struct registry_call *call, struct ledger *ledger)
{
    const struct registration like = {.activate = body_flag(call->json, "activate", true),
                                      .source = SOURCE_IMPORTED};
    size_t count = json_array_size(json_object_get(call->json, "certificates"));
    struct importing importing = {&call->answer, calloc(count, sizeof(size_t)), 0, 0, 0};
    struct import_counts counts = {0};
    struct error err = {""};
    char who[WHO_BYTES];
    write_who(call, who);
    const struct actor actor = {who, call->actor.now_ms};
    writer_array(registry_call_answer(call, 200), "faults");
    struct import *import =
        importing.places ? import_begin(ledger, &like, &actor, on_fault, &importing) : NULL;
    enum change_refusal refusal =
        import ? add_all(call, &importing, import, &counts, &err) : CHANGE_STORE;
    if (!import)
        registry_call_refuse_memory(call);
    else if (refusal == CHANGE_MADE)
        answer(call, &importing, &counts);
    else
        registry_call_refuse_change(call, refusal, &err);
    free(importing.places);
}

const struct call_steps call_certificates_import = {.fields = fields, .begin = begin, .work = work};
