/* SPDX-License-Identifier: Apache-2.0 */
/* Pools are built by backends/; here is what only the whole file knows: which rules use them. */
#include "lb/config/config_pools.h"

#include <string.h>

#include "backends/pool_idle_keys.h"

/* What the rules that name a pool say of it. */
struct use {
    bool is_used;
    /* The first that stands for one host alone: what a check asks for where health_check_host is
     * unset, because backends that serve by name know this one. */
    const char *exact_domain;
    bool sees_certificates; /* some client may have shown one */
};

/* Is a client asked for a certificate, on any listener of the rule? */
static bool asks_for_certificate(const struct config_sections *sections,
                                 const struct rule_options *rule)
{
    for (unsigned i = 0; i < rule->listener.count; i++) {
        const struct config_section *section =
            config_names_find(&sections->listener_names, rule->listener.items[i]);
        const struct listener_options *listener = section ? section->options : NULL;
        if (!listener) /* that is told already, and who knows what was meant */
            return true;
        int mode = rule->mutual_auth_line ? rule->mutual_auth : listener->mutual_auth;
        if (mode != AUTH_OFF)
            return true;
    }
    return false;
}

static void note_rule(struct use *use, const struct config_sections *sections,
                      const struct rule_options *rule)
{
    use->is_used = true;
    use->sees_certificates = use->sees_certificates || asks_for_certificate(sections, rule);
    if (!use->exact_domain && rule->domain && strcspn(rule->domain, "*~") == strlen(rule->domain))
        use->exact_domain = rule->domain;
}

/* One for each pool section; of two with one name the first has all. */
static struct use *collect(const struct config_sections *sections, struct arena *arena)
{
    struct use *uses = arena_alloc(arena, (sections->pool_count + 1) * sizeof *uses);
    for (unsigned i = 0; i < sections->rule_count; i++) {
        const struct rule_options *rule = sections->rules[i].options;
        const struct config_section *pool =
            rule->pool ? config_names_find(&sections->pool_names, rule->pool) : NULL;
        if (pool)
            note_rule(&uses[pool - sections->pools], sections, rule);
    }
    return uses;
}

static const struct use *use_of(const struct config_sections *sections, const struct use *uses,
                                const char *pool)
{
    return &uses[config_names_find(&sections->pool_names, pool) - sections->pools];
}

/* What was set in vain, as far as rules decide. */
static void check_use(const struct config_section *section, const struct use *use,
                      const struct config_source *source)
{
    const struct pool_options *options = section->options;
    if (!use->is_used)
        problems_warn(source->problems, source->file, section->line,
                      "pool %s is used by no rule: say \"pool = %s\" in one", section->name,
                      section->name);
    else if (options->session_persistence == PERSISTENCE_CLIENT_CERTIFICATE &&
             !use->sees_certificates)
        problems_warn(source->problems, source->file, options->session_persistence_line,
                      "session_persistence = client-certificate has no effect: no rule that uses "
                      "pool %s asks clients for certificates; say mutual_auth = request or require "
                      "there, or session_persistence = cookie here",
                      section->name);
}

static void add(struct config *config, struct pool *pool, const struct config_source *source)
{
    config->pools[config->pool_count++] = pool;
    pool_idle_keys_warn(pool, source->file, source->problems);
}

void config_pools_build(struct config *config, const struct config_sections *sections,
                        const struct config_source *source)
{
    const struct use *uses = collect(sections, source->arena);
    config->pools = arena_alloc(source->arena, (sections->pool_count + 1) * sizeof(struct pool *));
    for (unsigned i = 0; i < sections->pool_count; i++) {
        const struct config_section *section = &sections->pools[i];
        const struct use *use = use_of(sections, uses, section->name);
        struct pool *pool = arena_alloc(source->arena, sizeof *pool);
        pool->index = i;
        pool->check_host = use->exact_domain;
        if (pool_prepare(pool, section->name, section->line, section->options, source->arena,
                         source->file, source->problems))
            add(config, pool, source);
        check_use(section, use, source);
    }
}
