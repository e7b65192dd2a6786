/* SPDX-License-Identifier: Apache-2.0 */
/* Listeners are built by listeners/; here is what only the whole file knows: who belongs to whom.
 */
#include "lb/config_listeners.h"

#include "listeners/tls/handshake.h"
#include <string.h>

static const char *or_nothing(const char *text)
{
    return text ? text : "";
}

/* Rules. */

static void check_pool(const struct config_sections *sections, const struct config_section *rule,
                       const struct config_source *source)
{
    const struct rule_options *options = rule->options;
    if (!options->pool) {
        problems_add(source->problems, source->file, rule->line,
                     "rule %s has no pool: say which one serves it, as in \"pool = %s\"",
                     rule->name, sections->pool_count > 0 ? sections->pools[0].name : "app");
        return;
    }
    if (config_sections_find(sections->pools, sections->pool_count, options->pool) >= 0)
        return;
    const char *nearest =
        config_sections_nearest(sections->pools, sections->pool_count, options->pool);
    problems_add(source->problems, source->file, options->pool_line, "there is no pool %s: %s%s%s",
                 options->pool, nearest ? "did you mean " : "add a section [pool ",
                 nearest ? nearest : options->pool, nearest ? "?" : "]");
}

static bool is_repeated(const struct option_list *list, unsigned index)
{
    for (unsigned i = 0; i < index; i++)
        if (strcmp(list->items[i], list->items[index]) == 0)
            return true;
    return false;
}

static void check_listener_names(const struct config_sections *sections,
                                 const struct config_section *rule,
                                 const struct config_source *source)
{
    const struct option_list *names = &((const struct rule_options *)rule->options)->listener;
    if (names->count == 0)
        problems_add(source->problems, source->file, rule->line,
                     "rule %s has no listener: say where it holds, as in \"listener = %s\"",
                     rule->name,
                     sections->listener_count > 0 ? sections->listeners[0].name : "web");
    for (unsigned i = 0; i < names->count; i++) {
        if (is_repeated(names, i))
            problems_add(source->problems, source->file, names->lines[i],
                         "rule %s names listener %s twice: once is enough", rule->name,
                         names->items[i]);
        if (config_sections_find(sections->listeners, sections->listener_count, names->items[i]) >=
            0)
            continue;
        const char *nearest =
            config_sections_nearest(sections->listeners, sections->listener_count, names->items[i]);
        problems_add(source->problems, source->file, names->lines[i],
                     "there is no listener %s: %s%s%s", names->items[i],
                     nearest ? "did you mean " : "add a section [listener ",
                     nearest ? nearest : names->items[i], nearest ? "?" : "]");
    }
}

/* Keys that do nothing when every listener of the rule speaks http; mutual_auth is an error there.
 */
static void warn_of_tls_keys(const struct config_sections *sections,
                             const struct config_section *rule, const struct config_source *source)
{
    const struct rule_options *options = rule->options;
    for (unsigned i = 0; i < options->listener.count; i++) {
        int index = config_sections_find(sections->listeners, sections->listener_count,
                                         options->listener.items[i]);
        const struct listener_options *listener =
            index < 0 ? NULL : sections->listeners[index].options;
        if (!listener || listener->protocol != LISTENER_HTTP)
            return;
    }
    const struct {
        const char *key;
        unsigned line;
    } keys[] = {
        {"certificate", options->certificate_line},
        {"certificate_key", options->certificate_key_line},
        {"client_ca", options->client_ca_line},
        {"refuse_with", options->refuse_with_line},
    };
    for (size_t i = 0; i < sizeof keys / sizeof *keys && options->listener.count > 0; i++)
        if (keys[i].line)
            problems_warn(source->problems, source->file, keys[i].line,
                          "%s has no effect: rule %s is on no listener with protocol = https",
                          keys[i].key, rule->name);
}

static void check_rule(const struct config_sections *sections, const struct config_section *rule,
                       const struct config_source *source)
{
    const struct rule_options *options = rule->options;
    struct error err = {0};
    unsigned presets;
    check_listener_names(sections, rule, source);
    check_pool(sections, rule, source);
    warn_of_tls_keys(sections, rule, source);
    if (!rule_client_headers(options, &presets, &err))
        problems_add(source->problems, source->file, options->client_headers_line, "%s", err.text);
}

static bool is_on(const struct config_section *rule, const char *listener)
{
    const struct option_list *names = &((const struct rule_options *)rule->options)->listener;
    for (unsigned i = 0; i < names->count; i++)
        if (strcmp(names->items[i], listener) == 0)
            return true;
    return false;
}

/* Listeners. */

static unsigned rules_of(const struct config_sections *sections, const char *listener,
                         struct rule_section *rules)
{
    unsigned count = 0;
    for (unsigned i = 0; i < sections->rule_count; i++) {
        const struct config_section *section = &sections->rules[i];
        const struct rule_options *options = section->options;
        if (!is_on(section, listener))
            continue;
        int pool =
            config_sections_find(sections->pools, sections->pool_count, or_nothing(options->pool));
        rules[count++] = (struct rule_section){section->name, section->line, options,
                                               pool < 0 ? 0 : (unsigned)pool};
    }
    return count;
}

static const struct listener *same_address(const struct config *config, unsigned most,
                                           const struct address *address)
{
    for (unsigned i = 0; i < most; i++)
        for (unsigned k = 0; k < config->listeners[i].address_count; k++)
            if (address_equal(&config->listeners[i].addresses[k], address))
                return &config->listeners[i];
    return NULL;
}

/* Two sockets of one address would both be bound (SO_REUSEPORT), and clients fall to either. */
static void check_addresses(const struct config *config, unsigned index,
                            const struct config_source *source)
{
    const struct listener *listener = &config->listeners[index];
    for (unsigned i = 0; i < listener->address_count; i++) {
        if (address_port(&listener->addresses[i]) == 0)
            continue; /* the system chooses a free port for each */
        const struct listener *other = same_address(config, index, &listener->addresses[i]);
        for (unsigned k = 0; k < i && !other; k++)
            if (address_equal(&listener->addresses[k], &listener->addresses[i]))
                other = listener;
        if (other)
            problems_add(source->problems, source->file, listener->address_lines[i],
                         "listener %s has the address %s, which listener %s (line %u) has already: "
                         "give it another port or address",
                         listener->name, listener->addresses[i].text, other->name, other->line);
    }
}

void config_listeners_build(struct config *config, const struct config_sections *sections,
                            const struct config_source *source)
{
    for (unsigned i = 0; i < sections->rule_count; i++)
        check_rule(sections, &sections->rules[i], source);
    if (sections->listener_count == 0 && !sections->has_strays)
        problems_add(source->problems, source->file, 0,
                     "no listener: add a section [listener NAME] with an address");
    config->listeners =
        arena_alloc(source->arena, (sections->listener_count + 1) * sizeof *config->listeners);
    struct rule_section *rules =
        arena_alloc(source->arena, (sections->rule_count + 1) * sizeof *rules);
    for (unsigned i = 0; i < sections->listener_count; i++) {
        const struct config_section *section = &sections->listeners[i];
        struct listener *listener = &config->listeners[i];
        unsigned count = rules_of(sections, section->name, rules);
        *listener = (struct listener){
            .name = section->name, .line = section->line, .index = i, .options = section->options};
        config->listener_count++;
        listener_prepare(listener, rules, count, source->arena, source->file, source->problems);
        check_addresses(config, i, source);
    }
}

void config_listeners_try(const struct config *config, const struct config_source *source)
{
    for (unsigned i = 0; i < config->listener_count; i++) {
        const struct listener *listener = &config->listeners[i];
        struct error err = {{0}};
        if (listener->options->protocol != LISTENER_HTTPS)
            continue;
        struct handshake_context *context = handshake_context_new(listener, NULL, &err);
        if (!context)
            problems_add(source->problems, source->file, listener->line, "listener %s: %s",
                         listener->name, err.text);
        handshake_context_free(context);
    }
}
