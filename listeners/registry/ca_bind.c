/* SPDX-License-Identifier: Apache-2.0 */
/* Which hosts a CA is good for: the names that rules have as their domain. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "lb/base/limits.h"
#include "listeners/registry/ca_change.h"
#include "listeners/registry/ca_snapshot.h"
#include "listeners/registry/certificate_describe.h"
#include "listeners/registry/change.h"

typedef char host_name[CA_HOST_BYTES];

struct binding_change {
    struct ca_changing changing;
    enum ca_binding binding;
    host_name *hosts; /* of this call, normalised, sorted, each once */
    unsigned host_count;
};

static int compare_hosts(const void *one, const void *other)
{
    return strcmp(one, other);
}

static enum change_refusal check_host(const char *host, host_name into, struct error *err)
{
    enum change_refusal refusal = certificate_text_check("a host name", host, strlen(host), err);
    if (refusal != CHANGE_MADE)
        return refusal;
    if (*host == '\0')
        return change_refuse(CHANGE_BAD_INPUT, err,
                             "a host name is empty; \"*\" stands for every host without a rule of "
                             "its own");
    if (ca_host_normalise(host, into) && (*into == '~' || strlen(into) <= DOMAIN_BYTES))
        return CHANGE_MADE;
    return change_refuse(CHANGE_BAD_INPUT, err,
                         "\"%.80s…\" is longer than any host name (%d bytes)", host, DOMAIN_BYTES);
}

static enum change_refusal check_hosts(const char *const *hosts, unsigned count,
                                       bool must_be_served, const struct ca_hosts_known *known,
                                       host_name *into, struct error *err)
{
    for (unsigned i = 0; i < count; i++) {
        struct error why = {{0}};
        enum change_refusal refusal = check_host(hosts[i], into[i], err);
        if (refusal != CHANGE_MADE)
            return refusal;
        if (must_be_served && known && !known->is_served(known->arg, into[i], &why))
            return change_refuse(CHANGE_UNSERVED_HOST, err, "%s",
                                 *why.text ? why.text : "no rule serves this host");
    }
    return CHANGE_MADE;
}

static unsigned sort_hosts(host_name *hosts, unsigned count)
{
    unsigned kept = 0;
    qsort(hosts, count, sizeof *hosts, compare_hosts);
    for (unsigned i = 0; i < count; i++) {
        if (kept && strcmp(hosts[kept - 1], hosts[i]) == 0)
            continue;
        if (kept != i)
            memcpy(hosts[kept], hosts[i], sizeof *hosts);
        kept++;
    }
    return kept;
}

static bool is_named(const struct binding_change *change, const char *host)
{
    return bsearch(host, change->hosts, change->host_count, sizeof *change->hosts, compare_hosts) !=
           NULL;
}

static int compare_texts(const void *one, const void *other)
{
    return strcmp(*(const char *const *)one, *(const char *const *)other);
}

/* The hosts after the change, sorted: those of before that stay, and those of this call. into has
 * room for both. */
static unsigned combine(const struct binding_change *change, const struct ca_record *ca,
                        const char **into)
{
    unsigned count = 0;
    bool keeps = change->binding != CA_BIND_REPLACE;
    bool adds = change->binding != CA_BIND_REMOVE;
    for (unsigned i = 0; keeps && i < ca->host_count; i++)
        if (!is_named(change, ca->hosts[i]))
            into[count++] = ca->hosts[i];
    for (unsigned i = 0; adds && i < change->host_count; i++)
        into[count++] = change->hosts[i];
    qsort(into, count, sizeof *into, compare_texts);
    return count;
}

static bool is_same(const struct ca_record *one, const struct ca_record *other)
{
    if (one->host_count != other->host_count)
        return false;
    for (unsigned i = 0; i < one->host_count; i++)
        if (strcmp(one->hosts[i], other->hosts[i]) != 0)
            return false;
    return true;
}

/* ["a.example","b.example"]; NULL: out of memory. */
static char *hosts_text(const struct ca_record *ca)
{
    json_t *array = json_array();
    for (unsigned i = 0; array && i < ca->host_count; i++)
        if (json_array_append_new(array, json_string(ca->hosts[i])) != 0)
            break;
    bool whole = array && json_array_size(array) == ca->host_count;
    char *text = whole ? json_dumps(array, JSON_COMPACT) : NULL;
    json_decref(array);
    return text;
}

static enum change_refusal put(struct ledger *ledger, struct ca_changing *changing,
                               const struct ca_record *ca, struct ca_record *changed,
                               struct error *err)
{
    enum change_refusal refusal = CHANGE_MADE;
    char *before = hosts_text(ca);
    char *after = hosts_text(changed);
    if (before && after)
        refusal = ca_change_put(ledger, changing, changed, "ca.bind", before, after, err);
    else
        refusal = change_out_of_memory(err);
    free(before);
    free(after);
    return refusal;
}

static enum change_refusal bind_it(struct ledger *ledger, struct ca_changing *changing,
                                   const struct ca_record *ca, struct error *err)
{
    const struct binding_change *change = (const struct binding_change *)changing;
    const char **hosts = calloc((size_t)ca->host_count + change->host_count + 1, sizeof *hosts);
    if (!hosts)
        return change_out_of_memory(err);
    struct ca_record changed = *ca;
    changed.hosts = hosts;
    changed.host_count = combine(change, ca, hosts);
    enum change_refusal refusal = CHANGE_MADE;
    if (changed.host_count > CA_HOSTS_MOST)
        refusal = change_refuse(CHANGE_QUOTA, err,
                                "CA %s would have %u hosts; at most %d can be bound to one CA",
                                ca->name, changed.host_count, CA_HOSTS_MOST);
    else if (!is_same(ca, &changed))
        refusal = put(ledger, changing, ca, &changed, err);
    free(hosts);
    return refusal;
}

enum change_refusal ca_bind(struct ledger *ledger, const char *which, enum ca_binding binding,
                            const char *const *hosts, unsigned host_count,
                            const struct ca_hosts_known *known, const struct actor *actor,
                            struct ca_result *result, struct error *err)
{
    host_name own[CA_HOSTS_A_CALL];
    if (host_count > CA_HOSTS_A_CALL)
        return change_refuse(CHANGE_QUOTA, err,
                             "%u hosts in one call; at most %d are possible, so use several calls",
                             host_count, CA_HOSTS_A_CALL);
    enum change_refusal refusal =
        check_hosts(hosts, host_count, binding != CA_BIND_REMOVE, known, own, err);
    if (refusal != CHANGE_MADE)
        return refusal;
    struct binding_change change = {
        {which, actor, result, bind_it}, binding, own, sort_hosts(own, host_count)};
    return ca_change_run(ledger, &change.changing, err);
}
