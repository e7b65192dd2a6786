/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/commands/registry_settings.h"

#include <string.h>

#include "lb/base/ini.h"
#include "lb/base/option.h"
#include "lb/config/config.h"
#include "listeners/registry/registry_options.h"

/* What was read. All in the arena. */
struct settings {
    struct arena arena;
    const char *file;
    const char *folder;
    struct lb_options lb;
    struct registry_options registry;
    struct problems problems;
};

static bool is_of_lb(const struct ini_entry *entry)
{
    return entry->key && strcmp(entry->section, lb_option_table.section) == 0 &&
           (strcmp(entry->key, "state_dir") == 0 || strcmp(entry->key, "user") == 0);
}

/* Of [registry] every key: one that is misspelt could name another store. */
static void set_entry(struct settings *settings, const struct ini_entry *entry)
{
    const struct option_table *table = NULL;
    void *values = NULL;
    if (is_of_lb(entry)) {
        table = &lb_option_table;
        values = &settings->lb;
    } else if (strcmp(entry->section, registry_option_table.section) == 0) {
        table = &registry_option_table;
        values = &settings->registry;
    }
    if (table)
        option_set(table, values, entry, settings->file, settings->folder, &settings->arena,
                   &settings->problems);
}

static bool tell(const struct settings *settings, struct error *err)
{
    for (size_t i = 0; i < settings->problems.count; i++) {
        const struct problem *problem = &settings->problems.items[i];
        if (problem->warning)
            continue;
        if (problem->line == 0)
            return error_set(err, "%s: %s", settings->file, problem->text);
        return error_set(err, "%s:%u: %s", settings->file, problem->line, problem->text);
    }
    return error_set(err, "%s: cannot be read", settings->file);
}

static bool read_keys(struct settings *settings, struct error *err)
{
    struct problems elsewhere = {0}; /* of lines and other sections: not ours to tell */
    struct ini ini = {0};
    if (!ini_read_file(&ini, settings->file, &settings->arena, &elsewhere)) {
        problems_done(&settings->problems);
        settings->problems = elsewhere;
        return tell(settings, err);
    }
    problems_done(&elsewhere);
    option_defaults(&lb_option_table, &settings->lb, &settings->arena);
    option_defaults(&registry_option_table, &settings->registry, &settings->arena);
    for (size_t i = 0; i < ini.count; i++)
        set_entry(settings, &ini.entries[i]);
    option_anchor(&lb_option_table, &settings->lb, settings->folder, &settings->arena);
    option_anchor(&registry_option_table, &settings->registry, settings->folder, &settings->arena);
    return settings->problems.error_count == 0 || tell(settings, err);
}

static bool fill(struct registry_facts *facts, struct settings *settings, struct error *err)
{
    const struct registry_options *registry = &settings->registry;
    const char *place, *passphrase_file = registry->ca_passphrase_file;
    struct error wrong;
    if (!registry_options_place(registry, settings->folder, settings->lb.state_dir, &place,
                                &settings->arena, &wrong))
        return error_set(err, "%s:%u: %s", settings->file, registry->store_line, wrong.text);
    *facts = (struct registry_facts){
        .location = strdup(place),
        .state_dir = strdup(settings->lb.state_dir),
        .passphrase_file = passphrase_file ? strdup(passphrase_file) : NULL,
        .max_cas = (unsigned)registry->max_cas,
        .signups_per_second = (unsigned)registry->signups_per_second,
        .expiring_within_s = registry->expiring_within / 1000,
    };
    if (!facts->location || !facts->state_dir || (passphrase_file && !facts->passphrase_file))
        return error_set(err, "out of memory");
    return true;
}

bool registry_settings_read(struct registry_facts *facts, char **ret_user, const char *file,
                            struct error *err)
{
    struct settings settings = {.file = file};
    *facts = (struct registry_facts){0};
    settings.folder = option_folder(file, &settings.arena);
    bool good = read_keys(&settings, err) && fill(facts, &settings, err);
    *ret_user = good && settings.lb.user ? strdup(settings.lb.user) : NULL;
    if (good && settings.lb.user && !*ret_user)
        good = error_set(err, "out of memory");
    problems_done(&settings.problems);
    arena_done(&settings.arena);
    return good;
}
