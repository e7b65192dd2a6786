/* SPDX-License-Identifier: Apache-2.0 */
/* Read, check, build, freeze: each step reports all it finds and the next one goes on with the
 * rest. */
#include "lb/config/config.h"

#include <stdlib.h>
#include <string.h>

#include "lb/admin/admin_listener.h"
#include "lb/base/credential_shelf.h"
#include "lb/base/ini.h"
#include "lb/config/config_bindings.h"
#include "lb/config/config_cas.h"
#include "lb/config/config_cookies.h"
#include "lb/config/config_crls.h"
#include "lb/config/config_lb.h"
#include "lb/config/config_listeners.h"
#include "lb/config/config_pools.h"
#include "lb/config/config_registry.h"
#include "lb/config/config_sections.h"
#include "listeners/access/access.h"
#include "listeners/registry/registry_options.h"

static const struct option rows[] = {
#define OPTION(...) OPTION_ROW(struct lb_options, __VA_ARGS__)
#include "lb/config/lb_options.def"
#undef OPTION
    {0},
};

const struct option_table lb_option_table = {
    .section = "lb",
    .named = false,
    .summary = "the program as a whole: threads, logs, how it ends",
    .bytes = sizeof(struct lb_options),
    .options = rows,
};

const struct option_table *const option_tables[] = {
    &lb_option_table,   &admin_option_table,  &registry_option_table, &listener_option_table,
    &rule_option_table, &access_option_table, &pool_option_table,     NULL,
};

static void build_admin(struct config *config, const struct config_section *section,
                        const struct config_cas *cas, const struct config_source *source)
{
    struct admin_options *options = section->options;
    size_t errors_before = source->problems->error_count;
    config->admin = options;
    admin_options_check(options, source->file, source->folder, source->arena, source->problems);
    if (source->problems->error_count == errors_before)
        config->admin_listener =
            admin_listener_new(options, section->line, cas->is_read ? &cas->all : NULL,
                               source->file, source->problems);
}

static bool read_text(struct config *config, const struct config_loading *loading,
                      struct problems *problems)
{
    struct slice text;
    if (loading->again)
        text = (struct slice){
            arena_copy_bytes(&config->arena, loading->again->text, loading->again->text_bytes),
            loading->again->text_bytes};
    else if (!ini_file_text(config->file, &text, &config->arena, problems))
        return false;
    config->text = text.at;
    config->text_bytes = text.length;
    return true;
}

/* As many as listeners may ask for: each has those of its rules. */
static size_t count_certificates(const struct config_sections *sections)
{
    size_t count = 0;
    for (unsigned i = 0; i < sections->listener_count; i++)
        count +=
            ((const struct listener_options *)sections->listeners[i].options)->certificate.count;
    for (unsigned i = 0; i < sections->rule_count; i++)
        count += ((const struct rule_options *)sections->rules[i].options)->certificate.count;
    return count;
}

/* From lines to what is served from; `cas` is what it may lean on meanwhile. */
static void build(struct config *config, const struct config_loading *loading,
                  struct config_cas *cas, const struct config_source *source)
{
    struct config_sections sections;
    struct ini ini;
    size_t errors_before = source->problems->error_count;
    ini_read_bytes(&ini, config->file, config->text, config->text_bytes, &config->arena,
                   source->problems);
    config_sections_read(&sections, &ini, source);
    config_lb_build(config, sections.lb.options, source);
    const struct config_registry_uses uses =
        config_registry_build(config, &sections, loading, source);
    config_cas_read(cas, config, &uses, loading, source);
    build_admin(config, &sections.admin, cas, source);
    config->rule_count = sections.rule_count;
    config->credentials = credential_shelf_new(
        count_certificates(&sections), loading->before ? loading->before->credentials : NULL);
    config_listeners_build(config, &sections, cas->is_read ? &cas->all : NULL, source);
    credential_shelf_settle(config->credentials);
    config_crls_read(config, loading, source);
    config_pools_build(config, &sections, source);
    config_cookies_check(&sections, source);
    if (source->problems->error_count > errors_before)
        return;
    config_bindings_check(config, cas->stored, source);
    config_listeners_try(config, source);
}

static struct config *load(const struct config_loading *loading, struct problems *problems)
{
    size_t errors_before = problems->error_count;
    struct config *config = calloc(1, sizeof *config);
    if (!config)
        error_out_of_memory();
    config->file = arena_copy(&config->arena, loading->file);
    config->folder = loading->again ? arena_copy(&config->arena, loading->again->folder)
                                    : option_folder(loading->file, &config->arena);
    const struct config_source source = {config->file, config->folder, &config->arena, problems};
    struct config_cas cas = {.is_read = false};
    if (read_text(config, loading, problems))
        build(config, loading, &cas, &source);
    config_cas_done(&cas);
    problems_sort(problems);
    if (problems->error_count == errors_before)
        return config;
    config_free(config);
    return NULL;
}

struct config *config_load(const char *file, struct problems *problems)
{
    return load(&(struct config_loading){.file = file}, problems);
}

/* Only now, because a file that is no good shall leave nothing behind. */
static struct config *make_builtin(struct config *config, const struct config_loading *loading,
                                   struct problems *problems)
{
    struct error err = {""};
    struct config *whole = NULL;
    struct config_loading again = *loading;
    again.again = again.before = config;
    if (config_cas_make_builtin(config, loading, &err))
        whole = load(&again, problems);
    else
        problems_add(problems, config->file, 0, "the built-in CA cannot be made: %s", err.text);
    config_free(config);
    return whole;
}

/* It serves all the same: only issuing fails. */
static void warn_of_key(struct config *config, const struct config_loading *loading,
                        struct problems *problems)
{
    struct error err = {""};
    if (!config_cas_try_key(config, loading, &err))
        problems_warn(problems, config->file, config->registry->ca_passphrase_file_line,
                      "the built-in CA cannot issue certificates: %s", err.text);
}

struct config *config_load_as(const struct config_loading *loading, struct problems *problems)
{
    struct problems found = {0};
    struct config *config = load(loading, &found);
    if (config && config->is_builtin_due && loading->signer)
        config = make_builtin(config, loading, problems);
    else
        problems_join(problems, &found);
    problems_done(&found);
    if (config && loading->signer && !loading->again)
        warn_of_key(config, loading, problems);
    return config;
}

/* Asked in the file's order, which files mostly keep: so the search goes on where the last one
 * ended, and thousands of pools are found in as many steps. */
static const struct pool *pool_named(const struct config *config, const char *name, unsigned *at)
{
    unsigned count = config ? config->pool_count : 0;
    for (unsigned i = 0; i < count; i++) {
        const struct pool *pool = config->pools[(*at + i) % count];
        if (strcmp(pool->name, name) != 0)
            continue;
        *at = (*at + i + 1) % count;
        return pool;
    }
    return NULL;
}

static const struct listener *listener_named(const struct config *config, const char *name)
{
    for (unsigned i = 0; i < config->listener_count; i++)
        if (strcmp(config->listeners[i].name, name) == 0)
            return &config->listeners[i];
    return NULL;
}

static void take_sessions(struct config *config, const struct config *before)
{
    for (unsigned i = 0; i < config->listener_count; i++) {
        struct listener *listener = &config->listeners[i];
        const struct listener *known = listener_named(before, listener->name);
        if (known)
            listener_take_sessions(listener, known);
    }
}

bool config_has_address(const struct config *config, const struct address *address)
{
    for (unsigned i = 0; config && i < config->listener_count; i++)
        for (unsigned k = 0; k < config->listeners[i].address_count; k++)
            if (address_equal(&config->listeners[i].addresses[k], address))
                return true;
    return false;
}

bool config_settles_alike(const struct config *config, const struct config *before)
{
    for (unsigned i = 0; i < config->listener_count; i++) {
        const struct listener *known = listener_named(before, config->listeners[i].name);
        if (known && !listener_settles_alike(&config->listeners[i], known))
            return false;
    }
    return true;
}

bool config_open(struct config *config, struct roster *roster,
                 const struct listener_services *services, const struct config *before)
{
    for (unsigned i = 0; i < config->listener_count; i++)
        listener_open(&config->listeners[i], services);
    unsigned at = 0; /* in the pools before */
    for (unsigned i = 0; i < config->pool_count; i++) {
        struct pool *pool = config->pools[i];
        if (!pool_open(pool, roster, pool_named(before, pool->name, &at)))
            return false;
    }
    if (before)
        take_sessions(config, before);
    return true;
}

void config_free(struct config *config)
{
    if (!config)
        return;
    for (unsigned i = 0; i < config->listener_count; i++)
        listener_done(&config->listeners[i]);
    for (unsigned i = 0; i < config->pool_count; i++)
        pool_done(config->pools[i]);
    credential_shelf_free(config->credentials);
    admin_listener_leave(config->admin_listener);
    arena_done(&config->arena);
    free(config);
}
