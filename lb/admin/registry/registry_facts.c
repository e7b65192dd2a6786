/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/admin/registry/registry_facts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lb/config/config_hosts.h"
#include "listeners/load/client_ca.h"
#include "listeners/registry/registry_options.h"

static bool is_served(void *arg, const char *host, struct error *why_not)
{
    return config_serves_host(arg, host, why_not);
}

struct words {
    json_t *array;
    bool has_failed;
};

static void add_word(void *arg, const char *word)
{
    struct words *words = arg;
    const json_t *known;
    for (size_t i = 0; (known = json_array_get(words->array, i)); i++)
        if (strcmp(json_string_value(known), word) == 0)
            return;
    words->has_failed |= json_array_append_new(words->array, json_string(word)) != 0;
}

static bool asked_of(void *arg, const char *host, json_t *words, struct error *advice)
{
    struct words adding = {words, false};
    config_host_asks(arg, host, add_word, &adding, advice);
    return !adding.has_failed;
}

/* --- the CAs that the INI file names ------------------------------------------------------- */

static unsigned count_values(const struct config *config)
{
    unsigned count = 0;
    for (unsigned i = 0; i < config->listener_count; i++) {
        const struct listener *listener = &config->listeners[i];
        count += listener->options->client_ca.count;
        for (unsigned k = 0; k < listener->rule_count; k++)
            count += listener->rules[k].options->client_ca.count;
    }
    return count;
}

static bool is_there(const struct registry_facts *facts, const char *name)
{
    for (unsigned i = 0; i < facts->named_ca_count; i++)
        if (strcmp(facts->named_cas[i], name) == 0)
            return true;
    return false;
}

static bool add_names(struct registry_facts *facts, const struct option_list *values)
{
    for (unsigned i = 0; i < values->count; i++) {
        const char *name = client_ca_name(values->items[i]);
        if (!name || is_there(facts, name))
            continue;
        char *copy = strdup(name);
        if (!copy)
            return false;
        facts->named_cas[facts->named_ca_count++] = copy;
    }
    return true;
}

static bool name_cas(struct registry_facts *facts, const struct config *config)
{
    bool good = true;
    facts->named_cas = calloc(count_values(config) + 1, sizeof *facts->named_cas);
    if (!facts->named_cas)
        return false;
    for (unsigned i = 0; i < config->listener_count && good; i++) {
        const struct listener *listener = &config->listeners[i];
        good = add_names(facts, &listener->options->client_ca);
        for (unsigned k = 0; k < listener->rule_count && good; k++)
            good = add_names(facts, &listener->rules[k].options->client_ca);
    }
    return good;
}

/* --- all of it ----------------------------------------------------------------------------- */

bool registry_facts_make(struct registry_facts *facts, const struct config *config)
{
    const struct registry_options *options = config->registry;
    const char *passphrase = options->ca_passphrase_file;
    *facts = (struct registry_facts){
        .location = strdup(options->store),
        .state_dir = strdup(config->options->state_dir),
        .passphrase_file = passphrase ? strdup(passphrase) : NULL,
        .max_cas = (unsigned)options->max_cas,
        .signups_per_second = (unsigned)options->signups_per_second,
        .expiring_within_s = options->expiring_within / 1000,
        .hosts = {is_served, (void *)config},
        .asked_of = asked_of,
    };
    return facts->location && facts->state_dir && (!passphrase || facts->passphrase_file) &&
           name_cas(facts, config);
}

void registry_facts_done(struct registry_facts *facts)
{
    for (unsigned i = 0; i < facts->named_ca_count; i++)
        free(facts->named_cas[i]);
    free(facts->named_cas);
    free(facts->location);
    free(facts->state_dir);
    free(facts->passphrase_file);
    *facts = (struct registry_facts){0};
}

void registry_who(unsigned uid, long pid, char ret_who[REGISTRY_WHO_BYTES])
{
    snprintf(ret_who, REGISTRY_WHO_BYTES, "uid %u (pid %ld)", uid, pid);
}
