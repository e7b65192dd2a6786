/* SPDX-License-Identifier: Apache-2.0 */
/* Pools are built by backends/; here is what only the whole file knows: whether a rule uses them.
 */
#include "lb/config_pools.h"

#include <string.h>

static bool is_used(const struct config_sections *sections, const char *pool)
{
    for (unsigned i = 0; i < sections->rule_count; i++) {
        const struct rule_options *rule = sections->rules[i].options;
        if (rule->pool && strcmp(rule->pool, pool) == 0)
            return true;
    }
    return false;
}

/* What a check asks for where health_check_host is unset: backends that serve by name know this
 * one. */
static const char *first_exact_domain(const struct config_sections *sections, const char *pool)
{
    for (unsigned i = 0; i < sections->rule_count; i++) {
        const struct rule_options *rule = sections->rules[i].options;
        if (rule->pool && strcmp(rule->pool, pool) == 0 && rule->domain &&
            strcspn(rule->domain, "*~") == strlen(rule->domain))
            return rule->domain;
    }
    return NULL;
}

void config_pools_build(struct config *config, const struct config_sections *sections,
                        const struct config_source *source)
{
    config->pools = arena_alloc(source->arena, (sections->pool_count + 1) * sizeof(struct pool *));
    for (unsigned i = 0; i < sections->pool_count; i++) {
        const struct config_section *section = &sections->pools[i];
        struct pool *pool = arena_alloc(source->arena, sizeof *pool);
        pool->index = i;
        pool->check_host = first_exact_domain(sections, section->name);
        if (pool_prepare(pool, section->name, section->line, section->options, source->arena,
                         source->file, source->problems))
            config->pools[config->pool_count++] = pool;
        if (!is_used(sections, section->name))
            problems_warn(source->problems, source->file, section->line,
                          "pool %s is used by no rule: say \"pool = %s\" in one", section->name,
                          section->name);
    }
}
