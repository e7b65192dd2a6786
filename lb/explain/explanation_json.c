/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/explain/explanation_json.h"

#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "lb/admin/json_writer.h"
#include "lb/base/certificate.h"
#include "lb/base/error.h"
#include "lb/config/config.h"
#include "lb/explain/explanation.h"
#include "lb/explain/explanation_advice.h"
#include "lb/explain/explanation_checks.h"
#include "lb/explain/explanation_end.h"
#include "listeners/identity.h"
#include "listeners/load/rule_url.h"

static void write_slice(struct json_writer *writer, const char *key, struct slice text)
{
    char *copy = strndup(text.at ? text.at : "", text.length);
    writer->has_failed |= !copy;
    writer_text(writer, key, copy ? copy : "");
    free(copy);
}

/* What OpenSSL or the certificate module allocates; NULL: out of memory. */
static void write_owned(struct json_writer *writer, const char *key, char *text)
{
    writer->has_failed |= !text;
    writer_text(writer, key, text ? text : "");
    free(text);
}

/* --- the question --------------------------------------------------------------------------- */

static void write_request(struct json_writer *writer, const struct question *question)
{
    const struct http_request *request = &question->request;
    writer_object(writer, "request");
    write_slice(writer, "method", request->method_text);
    write_slice(writer, "host", request->authority);
    write_slice(writer, "url", request->target);
    if (question->has_name)
        writer_text(writer, "sni", question->name);
    if (*question->from)
        writer_text(writer, "from", question->from);
    writer_end(writer);
}

static void write_certificate(struct json_writer *writer, const struct explanation *explanation)
{
    STACK_OF(X509) *chain = explanation->question->chain;
    if (!chain)
        return;
    X509 *leaf = sk_X509_value(chain, 0);
    writer_object(writer, "certificate");
    write_owned(writer, "subject", certificate_name_text(X509_get_subject_name(leaf)));
    write_owned(writer, "issuer", certificate_name_text(X509_get_issuer_name(leaf)));
    write_owned(writer, "serial", certificate_serial_text(leaf));
    write_owned(writer, "sha256", certificate_sha256_text(leaf));
    writer_time(writer, "not_before", certificate_time(X509_get0_notBefore(leaf)) * 1000);
    writer_time(writer, "not_after", certificate_time(X509_get0_notAfter(leaf)) * 1000);
    writer_number(writer, "sent", sk_X509_num(chain));
    writer_flag(writer, "is_shown", explanation->identity != NULL);
    writer_end(writer);
}

/* --- the handshake -------------------------------------------------------------------------- */

static void write_listener(struct json_writer *writer, const struct question *question)
{
    const struct listener *listener = question->listener;
    writer_object(writer, "listener");
    writer_text(writer, "name", listener->name);
    writer_text(writer, "protocol",
                listener->options->protocol == LISTENER_HTTPS ? "https" : "http");
    writer_flag(writer, "sni", listener->options->sni);
    writer_array(writer, "addresses");
    for (unsigned i = 0; i < listener->address_count; i++)
        writer_text(writer, NULL, listener->addresses[i].text);
    writer_end(writer);
    writer_flag(writer, "was_named", question->is_listener_said);
    writer_array(writer, "also");
    for (unsigned i = 0; i < question->also_count; i++)
        writer_text(writer, NULL, question->also[i]->name);
    writer_end(writer);
    writer_end(writer);
}

/* "*" for rules without a domain, as everywhere where one is written. */
static const char *pattern_of(const struct domain *domain)
{
    return *domain->pattern ? domain->pattern : "*";
}

static const char *chosen_by(const struct explanation *explanation)
{
    const struct question *question = explanation->question;
    if (!question->listener->options->sni)
        return "sni-off";
    if (!question->has_name)
        return "no-sni";
    return explanation->is_name_known ? "sni" : "unknown-sni";
}

static void write_ca_names(struct json_writer *writer, const struct policy *policy)
{
    writer_array(writer, "ca_names");
    for (int i = 0; i < sk_X509_NAME_num(policy->names); i++)
        write_owned(writer, NULL, certificate_name_text(sk_X509_NAME_value(policy->names, i)));
    writer_end(writer);
}

static void write_handshake(struct json_writer *writer, const struct explanation *explanation)
{
    const struct domain *domain = explanation->settled;
    if (explanation->question->listener->options->protocol != LISTENER_HTTPS)
        return;
    writer_object(writer, "handshake");
    writer_text(writer, "chosen_by", chosen_by(explanation));
    if (domain) {
        writer_text(writer, "domain", pattern_of(domain));
        writer_flag(writer, "asks", domain->policy->asks);
        writer_flag(writer, "alerts", domain->policy->alerts);
        write_ca_names(writer, domain->policy);
    }
    writer_text(writer, "result",
                explanation->handshake_refusal == REFUSAL_NONE
                    ? "good"
                    : refusal_name(explanation->handshake_refusal));
    writer_end(writer);
}

/* --- the rule ------------------------------------------------------------------------------- */

static const char *match_of(const struct rule *rule)
{
    switch (rule_url_split(rule->options->url).kind) {
    case RULE_URL_PREFIX:
        return "prefix";
    case RULE_URL_FINAL:
        return "final-prefix";
    case RULE_URL_EXACT:
        return "exact";
    case RULE_URL_REGEX:
    case RULE_URL_REGEX_ANY_CASE:
        return "regex";
    }
    return "prefix";
}

static void write_rule(struct json_writer *writer, const struct explanation *explanation)
{
    const struct rule *rule = explanation->decision.rule;
    if (!rule)
        return;
    writer_object(writer, "rule");
    writer_text(writer, "name", rule->name);
    writer_text(writer, "file", explanation->explainer->config->file);
    writer_number(writer, "line", rule->line);
    writer_text(writer, "domain", pattern_of(rule->domain));
    writer_text(writer, "url", rule->options->url);
    writer_text(writer, "match", match_of(rule));
    writer_text(writer, "mutual_auth", auth_mode_name(rule->auth.mode));
    writer_flag(writer, "is_exempt", explanation->is_exempt);
    writer_end(writer);
}

static void write_host(struct json_writer *writer, const struct explanation *explanation)
{
    const struct domain *domain = explanation->decision.domain;
    if (!domain)
        return;
    writer_object(writer, "host");
    writer_text(writer, "domain", pattern_of(domain));
    writer_flag(writer, "is_settled", explanation->decision.outcome != DECISION_MISDIRECTED);
    writer_end(writer);
}

/* --- all ------------------------------------------------------------------------------------ */

static const char *result_name(enum explanation_result result)
{
    switch (result) {
    case EXPLANATION_PASSES:
        return "passes";
    case EXPLANATION_REFUSED:
        return "refused";
    case EXPLANATION_UNDECIDED:
        return "undecided";
    }
    return "undecided";
}

static void write_result(struct json_writer *writer, const struct explanation *explanation)
{
    char advice[EXPLANATION_ADVICE_BYTES];
    writer_text(writer, "result", result_name(explanation->result));
    if (explanation->reason)
        writer_text(writer, "reason", explanation->reason);
    if (explanation->result == EXPLANATION_REFUSED)
        explanation_told_write(writer, explanation);
    if (explanation_advice(explanation, advice, sizeof advice))
        writer_text(writer, "operator", advice);
    writer_flag(writer, "signs_up", explanation->decision.outcome == DECISION_SIGN_UP);
    writer_flag(writer, "live", explanation->explainer->is_live);
    writer_time(writer, "now", (int64_t)explanation->explainer->now * 1000);
}

void explanation_write(struct json_writer *writer, const struct explanation *explanation)
{
    writer_object(writer, NULL);
    write_result(writer, explanation);
    write_request(writer, explanation->question);
    write_certificate(writer, explanation);
    write_listener(writer, explanation->question);
    write_handshake(writer, explanation);
    write_host(writer, explanation);
    write_rule(writer, explanation);
    explanation_checks_write(writer, explanation);
    explanation_end_write(writer, explanation);
    writer_end(writer);
}

enum explanation_outcome explanation_answer(const struct explainer *explainer, const json_t *json,
                                            struct json_writer *writer, struct error *err)
{
    struct question question;
    struct explanation explanation = {0};
    enum explanation_outcome outcome = EXPLANATION_NO_MEMORY;
    if (!question_read(&question, json, explainer->config, err)) {
        outcome = EXPLANATION_BAD_QUESTION;
    } else if (explanation_make(&explanation, explainer, &question)) {
        explanation_write(writer, &explanation);
        outcome = writer->has_failed ? EXPLANATION_NO_MEMORY : EXPLANATION_GIVEN;
    }
    explanation_done(&explanation);
    question_done(&question);
    return outcome;
}
