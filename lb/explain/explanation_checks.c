/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/explain/explanation_checks.h"

#include <openssl/x509_vfy.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lb/admin/json_writer.h"
#include "lb/base/arena.h"
#include "lb/base/certificate.h"
#include "lb/explain/explanation.h"
#include "listeners/allow/allow_list.h"
#include "listeners/allow/name_pattern.h"
#include "listeners/crl/crl_check.h"
#include "listeners/crl/crls.h"
#include "listeners/identity.h"
#include "listeners/ocsp/ocsp_check.h"
#include "listeners/registry/view.h"

enum { DETAIL_BYTES = 512 };

static const char *result_of(enum explanation_step step, const struct judgement *judgement)
{
    switch (step) {
    case STEP_NOT_ASKED:
        return "not-asked";
    case STEP_NOT_REACHED:
        return "not-reached";
    case STEP_EXEMPT:
        return "exempt";
    case STEP_UNKNOWN:
        return "unknown";
    case STEP_ASKED:
        break;
    }
    if (judgement->refusal != REFUSAL_NONE)
        return refusal_name(judgement->refusal);
    if (judgement->must_ask_ocsp)
        return "to-be-asked";
    return judgement->must_sign_up ? "sign-up" : "good";
}

/* --- certificate ---------------------------------------------------------------------------- */

static void write_name(struct json_writer *writer, const char *key, const X509_NAME *name)
{
    char *text = certificate_name_text(name);
    writer_text(writer, key, text && *text ? text : "(no subject)");
    free(text);
}

static X509 *find_ca(STACK_OF(X509) * certificates, const X509 *below,
                     const unsigned char key[CA_KEY_BYTES])
{
    unsigned char found[CA_KEY_BYTES];
    for (int i = 0; i < sk_X509_num(certificates); i++) {
        X509 *ca = sk_X509_value(certificates, i);
        if (X509_NAME_cmp(X509_get_subject_name(ca), X509_get_issuer_name(below)) == 0 &&
            ca_key_of(ca, found) && memcmp(found, key, CA_KEY_BYTES) == 0)
            return ca;
    }
    return NULL;
}

/* Who vouches for whom, up to the anchor. */
static void write_chain(struct json_writer *writer, const struct client_auth *auth,
                        const struct identity *identity, const struct ca_set_result *result)
{
    const X509 *at = identity->leaf;
    writer_array(writer, "chain");
    write_name(writer, NULL, X509_get_subject_name(at));
    for (unsigned i = 0; at && i < result->ca_count; i++) {
        const X509 *ca = find_ca(auth->ca_set->certificates, at, result->ca_keys[i]);
        at = ca ? ca : find_ca(identity->chain, at, result->ca_keys[i]);
        if (at && at != identity->leaf)
            write_name(writer, NULL, X509_get_subject_name(at));
    }
    writer_end(writer);
    writer_time(writer, "valid_until", (int64_t)result->valid_until * 1000);
}

static void write_fault(struct json_writer *writer, const struct identity *identity,
                        const struct ca_set_result *result)
{
    char detail[DETAIL_BYTES];
    snprintf(detail, sizeof detail, "%s, at depth %d%s",
             X509_verify_cert_error_string(result->x509_error), result->depth,
             result->depth == 0 ? ": its own certificate" : "");
    writer_text(writer, "detail", detail);
    writer_number(writer, "depth", result->depth);
    if (result->depth >= 0 && result->depth < sk_X509_num(identity->chain))
        write_name(writer, "at",
                   X509_get_subject_name(sk_X509_value(identity->chain, result->depth)));
}

static void write_certificate(struct json_writer *writer, const struct explanation *explanation)
{
    const struct client_auth *auth = explanation_auth(explanation);
    const struct identity *identity = explanation->identity;
    if (!identity) {
        writer_text(writer, "detail",
                    explanation->question->chain ? "the handshake does not ask for one"
                                                 : "no certificate is shown");
        return;
    }
    const struct ca_set_result *result = identity_result(identity, auth->ca_set);
    if (!result)
        writer_text(writer, "detail", "the handshake has not verified it for this rule");
    else if (result->refusal != REFUSAL_NONE)
        write_fault(writer, identity, result);
    else
        write_chain(writer, auth, identity, result);
}

/* --- revocation lists ----------------------------------------------------------------------- */

/* Whose lists are asked: those of the CAs in the certificate's chain. */
struct list_writer {
    struct json_writer *writer;
    const struct identity *identity;
    unsigned count;
};

static bool is_about(const struct identity *identity, const struct crl_fact *fact)
{
    if (!fact->issuer || strcmp(fact->issuer, identity->issuer) == 0)
        return true;
    for (int i = 1; i < sk_X509_num(identity->chain); i++) {
        char *issuer =
            certificate_name_text(X509_get_issuer_name(sk_X509_value(identity->chain, i)));
        bool is_its = issuer && strcmp(fact->issuer, issuer) == 0;
        free(issuer);
        if (is_its)
            return true;
    }
    return false;
}

static void write_list(void *arg, const struct crl_fact *fact)
{
    struct list_writer *lists = arg;
    struct json_writer *writer = lists->writer;
    if (!is_about(lists->identity, fact))
        return;
    lists->count++;
    writer_object(writer, NULL);
    writer_text(writer, "file", fact->path);
    if (fact->issuer) {
        writer_text(writer, "issuer", fact->issuer);
        writer_number(writer, "entries", (int64_t)fact->entry_count);
        writer_time(writer, "this_update", (int64_t)fact->this_update * 1000);
    }
    if (fact->issuer && fact->number)
        writer_text(writer, "number", fact->number);
    if (fact->issuer && fact->next_update)
        writer_time(writer, "next_update", (int64_t)fact->next_update * 1000);
    if (fact->failure)
        writer_text(writer, "failure", fact->failure);
    writer_end(writer);
}

static void write_lists(struct json_writer *writer, const struct explanation *explanation)
{
    const struct crl_check *check = explanation_auth(explanation)->crl;
    struct list_writer lists = {.writer = writer, .identity = explanation->identity};
    writer_array(writer, "lists");
    crl_check_each(check, write_list, &lists);
    writer_end(writer);
    writer_text(writer, "policy", crl_check_policy(check) == CRL_HARD ? "hard" : "soft");
    if (lists.count == 0)
        writer_text(writer, "detail", "no list of its CA is in client_crl");
}

/* --- registry ------------------------------------------------------------------------------- */

static const char *registration_name(enum client_registration registration)
{
    switch (registration) {
    case REGISTRATION_OFF:
        return "off";
    case REGISTRATION_MANUAL:
        return "manual";
    case REGISTRATION_AUTO:
        return "auto";
    }
    return "off";
}

static const char *standing_name(enum ca_standing standing)
{
    switch (standing) {
    case CA_UNKNOWN:
        return "not registered";
    case CA_ENABLED:
        return "active";
    case CA_DISABLED:
        return "inactive";
    }
    return "not registered";
}

/* Of the CA that signed it; where that one is not registered, of the first above it that is. */
static enum ca_standing ca_standing_of(const struct view *view, const struct ca_set_result *result)
{
    enum ca_standing standing = CA_UNKNOWN;
    for (unsigned i = 0; i < result->ca_count; i++) {
        enum ca_standing one = view_ca(view, result->ca_keys[i]);
        if (one == CA_DISABLED || standing == CA_UNKNOWN)
            standing = one;
    }
    return standing;
}

static const char *entry_words(const struct view_entry *entry, const struct identity *identity)
{
    if (!entry)
        return "it does not know the certificate";
    if (!view_has_tbs(entry, identity->tbs))
        return "it knows another certificate of this serial";
    if (view_status(entry) == CERTIFICATE_DELETED)
        return view_was_revoked(entry) ? "deleted when it was revoked" : "deleted";
    return certificate_status_name(view_status(entry));
}

static void write_registry(struct json_writer *writer, const struct explanation *explanation)
{
    char detail[DETAIL_BYTES];
    const struct client_auth *auth = explanation_auth(explanation);
    const struct identity *identity = explanation->identity;
    const struct view *view = explanation->question->listener->view;
    const struct ca_set_result *result = identity ? identity_result(identity, auth->ca_set) : NULL;
    if (!view || !identity || !identity->has_key || !result) {
        writer_text(writer, "detail", "there is no registry");
        return;
    }
    const struct view_entry *entry = view_find(view, identity->key);
    snprintf(detail, sizeof detail, "%s; its CA is %s there; client_registration = %s",
             entry_words(entry, identity), standing_name(ca_standing_of(view, result)),
             registration_name(auth->registration));
    writer_text(writer, "detail", detail);
    if (entry && view_has_tbs(entry, identity->tbs)) {
        writer_text(writer, "status", certificate_status_name(view_status(entry)));
        if (view_last_seen_s(entry))
            writer_time(writer, "last_seen", (int64_t)view_last_seen_s(entry) * 1000);
        if (view_client_id(entry))
            writer_text(writer, "client_id", view_client_id(entry));
    }
}

/* --- OCSP ----------------------------------------------------------------------------------- */

static void write_responder(struct json_writer *writer, const struct explanation *explanation)
{
    const struct client_auth *auth = explanation_auth(explanation);
    const struct ocsp_check *check = auth->ocsp;
    writer_text(writer, "policy", check->is_hard ? "hard" : "soft");
    if (check->responder)
        writer_text(writer, "responder", check->responder);
    if (explanation->checks[POLICY_CHECK_OCSP].judgement.must_ask_ocsp)
        writer_text(writer, "detail", "its responder is asked when the client comes");
}

/* --- allow_client --------------------------------------------------------------------------- */

/* Lines that are tried one by one: of a list of thousands nobody waits for the one that fits. */
enum { LINES_TRIED_MOST = 200 };

/* A list of this line alone, asked as the whole one is. */
static bool fits(const char *line, struct identity *identity)
{
    struct arena arena = {0};
    struct name_pattern pattern;
    bool is_on = name_pattern_parse(&pattern, line, &arena, NULL) &&
                 allow_list_has(allow_list_make(&pattern, 1, &arena), identity);
    arena_done(&arena);
    return is_on;
}

static void write_pattern(struct json_writer *writer, const struct explanation *explanation)
{
    const struct option_list *lines = &explanation->decision.rule->options->allow_client;
    bool is_on = explanation->checks[POLICY_CHECK_ALLOW].judgement.refusal == REFUSAL_NONE;
    for (unsigned i = 0; is_on && i < lines->count && i < LINES_TRIED_MOST; i++) {
        if (!fits(lines->items[i], explanation->identity))
            continue;
        writer_text(writer, "pattern", lines->items[i]);
        writer_number(writer, "line", lines->lines[i]);
        return;
    }
    if (!is_on)
        writer_text(writer, "detail", "no pattern of allow_client fits");
}

/* --- all ------------------------------------------------------------------------------------ */

static void write_detail(struct json_writer *writer, const struct explanation *explanation,
                         enum policy_check check)
{
    switch (check) {
    case POLICY_CHECK_CERTIFICATE:
        write_certificate(writer, explanation);
        break;
    case POLICY_CHECK_REGISTRY:
        write_registry(writer, explanation);
        break;
    case POLICY_CHECK_CRL:
        write_lists(writer, explanation);
        break;
    case POLICY_CHECK_OCSP:
        write_responder(writer, explanation);
        break;
    case POLICY_CHECK_ALLOW:
        write_pattern(writer, explanation);
        break;
    case POLICY_CHECK_COUNT:
        break;
    }
}

void explanation_checks_write(struct json_writer *writer, const struct explanation *explanation)
{
    writer_array(writer, "checks");
    for (enum policy_check check = 0; explanation_auth(explanation) && check < POLICY_CHECK_COUNT;
         check++) {
        enum explanation_step step = explanation->checks[check].step;
        writer_object(writer, NULL);
        writer_text(writer, "check", policy_check_name(check));
        writer_text(writer, "result", result_of(step, &explanation->checks[check].judgement));
        if (step == STEP_UNKNOWN)
            writer_text(writer, "detail", explanation->explainer->registry_fault);
        else if (step == STEP_ASKED)
            write_detail(writer, explanation, check);
        else if (step == STEP_EXEMPT)
            writer_text(writer, "detail", "exempt_from has the client's address");
        writer_end(writer);
    }
    writer_end(writer);
}
