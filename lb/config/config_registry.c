/* SPDX-License-Identifier: Apache-2.0 */
/* See config_registry.h. */
#include "lb/config/config_registry.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "listeners/load/client_ca.h"
#include "listeners/registry/registry_options.h"

static void note(unsigned *first, unsigned line)
{
    if (line > 0 && (*first == 0 || line < *first))
        *first = line;
}

static void note_list(struct config_registry_uses *uses, const struct option_list *list)
{
    for (unsigned i = 0; i < list->count; i++) {
        if (client_ca_is_file(list->items[i]))
            continue;
        note(&uses->line, list->lines[i]);
        if (client_ca_is_builtin(list->items[i]))
            note(&uses->builtin_line, list->lines[i]);
    }
}

/* Who registers clients is asked of the registry when they come, but warnings need its CAs. */
static void note_registration(struct config_registry_uses *uses, int registration, unsigned line)
{
    if (registration > REGISTRATION_OFF)
        note(&uses->line, line);
}

static struct config_registry_uses find_uses(const struct config_sections *sections)
{
    struct config_registry_uses uses = {0};
    const struct admin_options *admin = sections->admin.options;
    if (admin_options_have_tcp(admin))
        note_list(&uses, &admin->client_ca);
    for (unsigned i = 0; i < sections->listener_count; i++) {
        const struct listener_options *options = sections->listeners[i].options;
        if (options->protocol != LISTENER_HTTPS)
            continue;
        note_list(&uses, &options->client_ca);
        note_registration(&uses, options->client_registration, options->client_registration_line);
    }
    for (unsigned i = 0; i < sections->rule_count; i++) {
        const struct rule_options *options = sections->rules[i].options;
        note_list(&uses, &options->client_ca);
        note_registration(&uses, options->client_registration, options->client_registration_line);
    }
    return uses;
}

static void check_passphrase_file(const struct registry_options *options,
                                  const struct config_source *source)
{
    const char *path = options->ca_passphrase_file;
    if (path && access(path, F_OK) != 0)
        problems_add(source->problems, source->file, options->ca_passphrase_file_line,
                     "ca_passphrase_file %s: %s", path, strerror(errno));
}

struct config_registry_uses config_registry_build(struct config *config,
                                                  const struct config_sections *sections,
                                                  const struct config_loading *loading,
                                                  const struct config_source *source)
{
    struct lb_options *lb = sections->lb.options;
    struct registry_options *options = sections->registry.options;
    const struct config_registry_uses uses = find_uses(sections);
    struct error err;
    const char *place;
    if (registry_options_place(options, source->folder, lb->state_dir, &place, source->arena, &err))
        options->store = place;
    else
        problems_add(source->problems, source->file, options->store_line, "%s", err.text);
    check_passphrase_file(options, source);
    config->asked_store = place;
    config->asked_state_dir = lb->state_dir;
    if (loading->store)
        options->store = arena_copy(&config->arena, loading->store);
    if (loading->state_dir)
        lb->state_dir = arena_copy(&config->arena, loading->state_dir);
    config->registry = options;
    config->uses_registry = uses.line > 0;
    config->has_store = loading->has_store;
    return uses;
}
