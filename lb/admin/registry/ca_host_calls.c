/* SPDX-License-Identifier: Apache-2.0 */
/* The hosts that a CA is bound to. Whether a rule serves a host is asked of the config before the
 * call goes to a lane: a reload may free that config meanwhile. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lb/admin/registry/ca_answer.h"
#include "lb/admin/registry/record_json.h"
#include "lb/admin/registry/registry_call.h"
#include "listeners/load/client_ca.h"

static const struct call_field host_fields[] = {
    {.name = "hosts", .type = FIELD_TEXTS, .is_needed = true, .most = 256},
    {0},
};

/** What the config says of the hosts of a call. */
struct judged_hosts {
    unsigned count;
    bool are_free; /* they need not be served: they are to be removed */
    struct judged_host {
        const char *host; /* lives in the body */
        bool is_served;
        char *why_not;
        json_t *asked; /* words of client_ca that its rules have; NULL: not asked */
        char *advice;  /* where the CA is not among them */
    } rows[];
};

static const json_t *hosts_of(const struct registry_call *call)
{
    return json_object_get(call->json, "hosts");
}

/* --- before -------------------------------------------------------------------------------- */

static bool ask_rules(struct registry_call *call, struct judged_host *row)
{
    const struct registry_facts *facts = call->facts;
    struct error advice = {""};
    if (!facts->asked_of)
        return true;
    row->asked = json_array();
    if (!row->asked || !facts->asked_of(facts->hosts.arg, row->host, row->asked, &advice))
        return registry_call_refuse_memory(call);
    row->advice = strdup(advice.text);
    return row->advice || registry_call_refuse_memory(call);
}

static bool judge(struct registry_call *call, struct judged_host *row, const char *host)
{
    const struct ca_hosts_known *known = &call->facts->hosts;
    struct error why_not = {""};
    row->host = host;
    row->is_served = known->is_served(known->arg, host, &why_not);
    if (row->is_served)
        return ask_rules(call, row);
    row->why_not = strdup(why_not.text);
    return row->why_not || registry_call_refuse_memory(call);
}

static bool begin_hosts(struct registry_call *call, bool are_free)
{
    const json_t *hosts = hosts_of(call);
    size_t count = json_array_size(hosts);
    struct judged_hosts *judged = calloc(1, sizeof *judged + count * sizeof *judged->rows);
    call->own = judged;
    if (!judged)
        return registry_call_refuse_memory(call);
    judged->are_free = are_free;
    judged->count = (unsigned)count;
    for (size_t i = 0; i < count; i++) {
        const char *host = json_string_value(json_array_get(hosts, i));
        judged->rows[i].host = host;
        /* More than a call may have are refused without a look at each. */
        if (!are_free && count <= CA_HOSTS_A_CALL && !judge(call, &judged->rows[i], host))
            return false;
    }
    return true;
}

static bool begin_served(struct registry_call *call)
{
    return begin_hosts(call, false);
}

static bool begin_free(struct registry_call *call)
{
    return begin_hosts(call, true);
}

static void done(struct registry_call *call)
{
    struct judged_hosts *judged = call->own;
    for (unsigned i = 0; judged && i < judged->count; i++) {
        free(judged->rows[i].why_not);
        json_decref(judged->rows[i].asked);
        free(judged->rows[i].advice);
    }
    free(judged);
}

/* --- with the ledger ----------------------------------------------------------------------- */

static size_t length_of(const char *host)
{
    size_t length = strlen(host);
    return length > 0 && host[length - 1] == '.' ? length - 1 : length;
}

static bool is_served(void *arg, const char *host, struct error *why_not)
{
    const struct judged_hosts *judged = arg;
    if (judged->are_free)
        return true;
    for (unsigned i = 0; i < judged->count; i++) {
        const struct judged_host *row = &judged->rows[i];
        size_t length = length_of(row->host);
        if (length != length_of(host) || strncasecmp(row->host, host, length) != 0)
            continue;
        return row->is_served || error_set(why_not, "%s", row->why_not);
    }
    return error_set(why_not, "no rule serves %.80s", host);
}

static bool word_means(const char *word, const struct ca_record *ca)
{
    const char *name = client_ca_name(word);
    return strcmp(word, CLIENT_CA_REGISTRY) == 0 ||
           (name && (strcmp(name, ca->name) == 0 || strcmp(name, ca->id) == 0));
}

static bool has_effect(const struct judged_host *row, const struct ca_record *ca)
{
    const json_t *word;
    for (size_t i = 0; (word = json_array_get(row->asked, i)); i++)
        if (word_means(json_string_value(word), ca))
            return true;
    return !row->asked;
}

/* Who binds a host believes that it is protected. */
static void warn_of_idle(const struct judged_hosts *judged, const struct ca_record *ca,
                         struct json_writer *answer)
{
    bool has_begun = false;
    for (unsigned i = 0; i < judged->count; i++) {
        const struct judged_host *row = &judged->rows[i];
        char text[2 * ERROR_TEXT_BYTES];
        if (has_effect(row, ca))
            continue;
        if (!has_begun)
            writer_array(answer, "warnings");
        has_begun = true;
        snprintf(
            text, sizeof text,
            "no rule of %.80s asks for certificates of CA %s, so that it is bound there has no "
            "effect: %s",
            row->host, ca->name, row->advice);
        writer_text(answer, NULL, text);
    }
    if (has_begun)
        writer_end(answer);
}

static void answer_bound(struct registry_call *call, const struct ca_result *result,
                         enum ca_binding binding)
{
    struct json_writer *answer = ca_answer_begin(call, 200, result, "changed", result->changed);
    warn_of_idle(call->own, &result->record, answer);
    ca_answer_end(call, result,
                  binding == CA_BIND_REMOVE ? "registry.ca-unbound" : "registry.ca-bound");
}

static void bind_hosts(struct registry_call *call, struct ledger *ledger, enum ca_binding binding)
{
    struct judged_hosts *judged = call->own;
    const struct ca_hosts_known known = {is_served, judged};
    const char **hosts = calloc(judged->count + 1, sizeof *hosts);
    struct ca_result result = {0};
    struct error err = {""};
    if (!hosts) {
        registry_call_refuse_memory(call);
        return;
    }
    for (unsigned i = 0; i < judged->count; i++)
        hosts[i] = judged->rows[i].host;
    enum change_refusal refusal = ca_bind(ledger, call->parts[0], binding, hosts, judged->count,
                                          &known, &call->actor, &result, &err);
    if (refusal == CHANGE_MADE)
        answer_bound(call, &result, binding);
    else
        registry_call_refuse_change(call, refusal, &err);
    ca_result_done(&result);
    free(hosts);
}

static void add(struct registry_call *call, struct ledger *ledger)
{
    bind_hosts(call, ledger, CA_BIND_ADD);
}

static void replace(struct registry_call *call, struct ledger *ledger)
{
    bind_hosts(call, ledger, CA_BIND_REPLACE);
}

static void take_away(struct registry_call *call, struct ledger *ledger)
{
    bind_hosts(call, ledger, CA_BIND_REMOVE);
}

static void show(struct registry_call *call, struct ledger *ledger)
{
    struct ca_result result = {0};
    struct error err = {""};
    enum change_refusal refusal = ca_get(ledger, call->parts[0], &result, &err);
    if (refusal == CHANGE_MADE) {
        record_json_hosts(registry_call_answer(call, 200), &result.record);
        registry_call_end(call);
    } else {
        registry_call_refuse_change(call, refusal, &err);
    }
    ca_result_done(&result);
}

static void nothing(struct registry_call *call)
{
    ca_refuse_unknown(call);
}

const struct call_steps call_ca_hosts = {.work = show, .nothing = nothing};
const struct call_steps call_ca_hosts_add = {
    .fields = host_fields, .begin = begin_served, .work = add, .done = done};
const struct call_steps call_ca_hosts_replace = {
    .fields = host_fields, .begin = begin_served, .work = replace, .done = done};
const struct call_steps call_ca_hosts_remove = {
    .fields = host_fields, .begin = begin_free, .work = take_away, .done = done};
