/* SPDX-License-Identifier: Apache-2.0 */
/* The built-in CA: made by a call or at first use, and what it signs. The running lb has a process
 * of its own do either (lb/keys/signer.h), a command does it itself. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lb/admin/registry/ca_answer.h"
#include "lb/admin/registry/certificate_answer.h"
#include "lb/admin/registry/record_json.h"
#include "lb/admin/registry/registry_call.h"
#include "lb/base/certificate.h"
#include "lb/keys/builtin_ca.h"
#include "lb/keys/signer.h"

static struct issuer_place place_of(const struct registry_call *call)
{
    return (struct issuer_place){call->facts->state_dir, call->facts->passphrase_file};
}

static struct builtin_ca builtin_of(const struct registry_call *call)
{
    return (struct builtin_ca){
        .location = call->facts->location, .place = place_of(call), .is_local = call->is_local};
}

static bool refuse_issuer(struct registry_call *call, const struct error *err)
{
    return registry_call_refuse(call, 503, "not-issued", "%s", err->text);
}

static bool read_key_kind(struct registry_call *call, const char *field, enum key_kind *ret_kind)
{
    const char *name = body_text(call->json, field);
    if (!name || key_kind_parse(name, ret_kind))
        return true;
    return registry_call_refuse(
        call, 400, "bad-input",
        "\"%s\": \"%.40s\" is no kind of key: p256, p384, rsa2048, rsa3072, rsa4096 "
        "or ed25519",
        field, name);
}

/* --- POST /v1/cas/builtin ------------------------------------------------------------------ */

static const struct call_field builtin_fields[] = {
    {.name = "common_name", .type = FIELD_TEXT, .most = CERTIFICATE_TEXT_BYTES},
    {.name = "key", .type = FIELD_TEXT, .most = 40},
    {.name = "days", .type = FIELD_NUMBER, .least = 1, .most = ISSUER_DAYS_MOST},
    {.name = "replace", .type = FIELD_FLAG},
    {0},
};

/** The CA that is to be told to the store. */
struct making {
    struct ca_wish wish;
    struct builtin_draft draft;
};

static bool begin_builtin(struct registry_call *call)
{
    struct making *making = calloc(1, sizeof *making);
    call->own = making;
    if (!making)
        return registry_call_refuse_memory(call);
    making->wish.common_name = body_text(call->json, "common_name");
    making->wish.days = (unsigned)body_number(call->json, "days", ISSUER_CA_DAYS);
    making->wish.key = KEY_P256;
    making->wish.replace = body_flag(call->json, "replace", false);
    return read_key_kind(call, "key", &making->wish.key);
}

static bool make_builtin(struct registry_call *call)
{
    struct making *making = call->own;
    const struct builtin_ca builtin = builtin_of(call);
    struct error err = {""};
    if (builtin_ca_begin(&builtin, &making->wish, true, &making->draft, &err))
        return true;
    return making->draft.is_conflict ? registry_call_refuse(call, 409, "not-issued", "%s", err.text)
                                     : refuse_issuer(call, &err);
}

/* Of certificates that are out there. The answer is open until the change is in force. */
static void warn(struct registry_call *call, const struct builtin_draft *draft)
{
    char text[ERROR_TEXT_BYTES];
    if (draft->origin == CA_ADOPTED)
        snprintf(text, sizeof text,
                 "it was there (%s/ca.crt) and is taken over: certificates it signed before are "
                 "unknown, those that were revoked included",
                 call->facts->state_dir);
    else
        snprintf(text, sizeof text,
                 "certificates of the built-in CA before it (id %s, SHA-256 %s) are of a CA that "
                 "is not there any more; its files, where they were in %s, are ca.crt.old-DATE and "
                 "ca.key.old-DATE now",
                 draft->former_id, draft->former_sha256, call->facts->state_dir);
    writer_array(&call->answer, "warnings");
    writer_text(&call->answer, NULL, text);
    writer_end(&call->answer);
}

static void answer_builtin(struct registry_call *call, const struct ca_result *result)
{
    static const struct {
        const char *flag, *event;
    } words[] = {
        [CA_MADE] = {NULL, "registry.ca-created"},
        [CA_ADOPTED] = {"adopted", "registry.ca-adopted"},
        [CA_RENEWED] = {"renewed", "registry.ca-renewed"},
        [CA_REPLACED] = {"replaced", "registry.ca-replaced"},
    };
    const struct builtin_draft *draft = &((const struct making *)call->own)->draft;
    ca_answer(call, 201, result, words[draft->origin].flag, true, words[draft->origin].event);
    if (draft->origin == CA_ADOPTED || draft->origin == CA_REPLACED)
        warn(call, draft);
}

static void tell_builtin(struct registry_call *call, struct ledger *ledger)
{
    struct making *making = call->own;
    const struct builtin_ca builtin = builtin_of(call);
    struct ca_result result = {0};
    struct error err = {""};
    enum change_refusal refusal =
        builtin_ca_settle(&builtin, &making->draft, ledger, &call->actor, &result, &err);
    if (refusal == CHANGE_MADE && !result.changed) {
        error_set(&err, "there is a built-in CA already: %s; lb ca create --replace makes another",
                  result.record.subject);
        refusal = CHANGE_EXISTS;
    }
    if (refusal == CHANGE_MADE)
        answer_builtin(call, &result);
    else
        registry_call_refuse_change(call, refusal, &err);
    ca_result_done(&result);
}

static void done_builtin(struct registry_call *call)
{
    struct making *making = call->own;
    if (making)
        builtin_draft_done(&making->draft);
    free(making);
}

const struct call_steps call_ca_builtin = {.fields = builtin_fields,
                                           .begin = begin_builtin,
                                           .prepare = make_builtin,
                                           .work = tell_builtin,
                                           .done = done_builtin};

/* --- POST /v1/certificates ----------------------------------------------------------------- */

static const struct call_field issue_fields[] = {
    {.name = "common_name", .type = FIELD_TEXT, .most = CERTIFICATE_TEXT_BYTES},
    {.name = "unit", .type = FIELD_TEXT, .most = CERTIFICATE_TEXT_BYTES},
    {.name = "organization", .type = FIELD_TEXT, .most = CERTIFICATE_TEXT_BYTES},
    {.name = "country", .type = FIELD_TEXT, .most = CERTIFICATE_TEXT_BYTES},
    {.name = "state", .type = FIELD_TEXT, .most = CERTIFICATE_TEXT_BYTES},
    {.name = "locality", .type = FIELD_TEXT, .most = CERTIFICATE_TEXT_BYTES},
    {.name = "names", .type = FIELD_TEXTS, .most = 1024},
    {.name = "days", .type = FIELD_NUMBER, .least = 1, .most = ISSUER_DAYS_MOST},
    {.name = "validity_days", .type = FIELD_NUMBER, .least = 1, .most = ISSUER_DAYS_MOST},
    {.name = "csr", .type = FIELD_TEXT, .most = REQUEST_BYTES},
    {.name = "pkey_type", .type = FIELD_TEXT, .most = 40},
    {.name = "client_id", .type = FIELD_TEXT, .most = CERTIFICATE_TEXT_BYTES},
    {.name = "activate", .type = FIELD_FLAG},
    {0},
};

/** A certificate on its way. */
struct issuing {
    struct issue_wish wish;
    const char *names[ISSUE_NAMES_MOST];
    enum key_kind key;
    struct signer_answer made;
    bool is_new_ca; /* the CAs have changed */
};

static bool read_names(struct registry_call *call, struct issuing *issuing)
{
    const json_t *names = json_object_get(call->json, "names");
    size_t count = json_array_size(names);
    if (count > ISSUE_NAMES_MOST)
        return registry_call_refuse(call, 400, "bad-input", "\"names\" has %zu: at most %d", count,
                                    ISSUE_NAMES_MOST);
    for (size_t i = 0; i < count; i++)
        issuing->names[i] = json_string_value(json_array_get(names, i));
    issuing->wish.names = issuing->names;
    issuing->wish.name_count = (unsigned)count;
    return true;
}

/* One thing is said in one way. */
static bool check_pairs(struct registry_call *call)
{
    const json_t *json = call->json;
    if (json_object_get(json, "days") && json_object_get(json, "validity_days"))
        return registry_call_refuse(call, 400, "bad-input",
                                    "\"days\" and \"validity_days\" are the same: say one");
    if (json_object_get(json, "csr") && json_object_get(json, "pkey_type"))
        return registry_call_refuse(
            call, 400, "bad-input",
            "\"pkey_type\" is of a key that is made here, \"csr\" has one: say one");
    return true;
}

/* What it says is looked at here, so that nothing is started for one that cannot be. */
static bool check_request(struct registry_call *call)
{
    const char *csr = body_text(call->json, "csr");
    struct error err = {""};
    if (!csr && !body_text(call->json, "common_name"))
        return registry_call_refuse(call, 400, "bad-input",
                                    "\"common_name\" is missing (or a \"csr\")");
    if (!csr)
        return true;
    X509_REQ *request = request_read(csr, strlen(csr), &err);
    X509_REQ_free(request);
    return request || registry_call_refuse_input(call, &err);
}

static bool begin_issue(struct registry_call *call)
{
    struct issuing *issuing = calloc(1, sizeof *issuing);
    struct error err = {""};
    call->own = issuing;
    if (!issuing)
        return registry_call_refuse_memory(call);
    const json_t *json = call->json;
    long days = body_number(json, "days", body_number(json, "validity_days", ISSUE_DAYS));
    issuing->wish = (struct issue_wish){
        .common_name = body_text(json, "common_name"),
        .unit = body_text(json, "unit"),
        .organization = body_text(json, "organization"),
        .country = body_text(json, "country"),
        .state = body_text(json, "state"),
        .locality = body_text(json, "locality"),
        .days = (unsigned)days,
    };
    issuing->key = KEY_P256;
    if (!check_pairs(call) || !read_key_kind(call, "pkey_type", &issuing->key) ||
        !read_names(call, issuing) || !check_request(call))
        return false;
    return issue_check(&issuing->wish, &err) || registry_call_refuse_input(call, &err);
}

/* At first use. */
static bool have_ca(struct registry_call *call, bool *ret_is_new)
{
    const struct builtin_ca builtin = builtin_of(call);
    struct error err = {""};
    return builtin_ca_have(&builtin, &call->actor, ret_is_new, &err) || refuse_issuer(call, &err);
}

static bool sign(struct registry_call *call)
{
    struct issuing *issuing = call->own;
    const struct issuer_place place = place_of(call);
    const char *csr = body_text(call->json, "csr");
    const struct signer_order order = {
        .place = &place,
        .csr = csr,
        .csr_bytes = csr ? strlen(csr) : 0,
        .key = issuing->key,
        .wish = &issuing->wish,
    };
    struct error err = {""};
    if (!have_ca(call, &issuing->is_new_ca))
        return false;
    bool is_signed = call->is_local ? signer_sign_here(&order, &issuing->made, &err)
                                    : signer_sign(NULL, &order, &issuing->made, &err);
    return is_signed || registry_call_refuse(call, 422, "not-issued", "%s", err.text);
}

static void write_pem(struct json_writer *answer, const char *key, X509 *certificate)
{
    char *pem = certificate_pem_text(certificate);
    writer_text(answer, key, pem);
    free(pem);
}

static void answer_issued(struct registry_call *call, struct ledger *ledger,
                          const struct certificate_result *result)
{
    const struct issuing *issuing = call->own;
    struct json_writer *answer = &call->answer;
    answer->is_secret = true;
    registry_call_answer(call, 201);
    certificate_answer_log(call, "registry.certificate-issued", &result->record);
    if (!certificate_answer_write(call, ledger, &result->record))
        return;
    write_pem(answer, "pem", issuing->made.certificate);
    write_pem(answer, "chain_pem", issuing->made.ca);
    record_json_algorithm(answer, result->record.der, result->record.der_bytes);
    if (issuing->made.private_key)
        writer_text(answer, "private_key", issuing->made.private_key);
    if (result->warning)
        writer_text(answer, "warning", result->warning);
    if (issuing->is_new_ca)
        call->wait = CALL_WAITS_FOR_IN_FORCE;
    else
        registry_call_end(call);
}

static void register_issued(struct registry_call *call, struct ledger *ledger)
{
    const struct issuing *issuing = call->own;
    const struct registration registration = {
        .certificate = issuing->made.certificate,
        .ca = BUILTIN_CA_NAME,
        .client_id = body_text(call->json, "client_id"),
        .activate = body_flag(call->json, "activate", true),
        .source = SOURCE_ISSUED,
    };
    struct certificate_result result = {0};
    struct error err = {""};
    enum change_refusal refusal =
        certificate_register(ledger, &registration, &call->actor, &result, &err);
    if (refusal == CHANGE_MADE)
        answer_issued(call, ledger, &result);
    else
        registry_call_refuse_change(call, refusal, &err);
    certificate_result_done(&result);
}

static void done_issue(struct registry_call *call)
{
    struct issuing *issuing = call->own;
    if (issuing)
        signer_answer_done(&issuing->made);
    free(issuing);
}

const struct call_steps call_certificate_issue = {.fields = issue_fields,
                                                  .begin = begin_issue,
                                                  .prepare = sign,
                                                  .work = register_issued,
                                                  .done = done_issue};
