/* SPDX-License-Identifier: Apache-2.0 */
/* From lines to options structs. */
#include "lb/config/config_sections.h"

#include <string.h>

#include "lb/base/ini.h"
#include "lb/base/nearest.h"
#include "lb/config/config.h"
#include "listeners/access/access.h"
#include "listeners/registry/registry_options.h"

/* To look for the nearest name costs a walk over all; who misspelt thousands needs no more help. */
enum { SUGGESTIONS_MOST = 100 };

static const struct option_table *find_table(const char *section)
{
    for (const struct option_table *const *at = option_tables; *at; at++)
        if (strcmp((*at)->section, section) == 0)
            return *at;
    return NULL;
}

static void report_unknown(const struct ini_entry *entry, const struct config_source *source)
{
    struct nearest meant = nearest_to(entry->section);
    for (const struct option_table *const *at = option_tables; *at; at++)
        nearest_offer(&meant, (*at)->section);
    const char *nearest = meant.best;
    if (nearest)
        problems_add(source->problems, source->file, entry->line,
                     "unknown section [%s]: did you mean [%s%s]?", entry->section, nearest,
                     find_table(nearest)->named ? " NAME" : "");
    else
        problems_add(source->problems, source->file, entry->line,
                     "unknown section [%s]: there are [lb], [admin], [registry], [listener "
                     "NAME], [rule NAME], [access NAME] and [pool NAME]",
                     entry->section);
}

static bool is_name(const char *name)
{
    size_t length = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                 "0123456789._-");
    return length > 0 && length <= CONFIG_NAME_BYTES && name[length] == '\0';
}

static void check_name(const struct ini_entry *entry, const struct option_table *table,
                       const struct config_source *source)
{
    if (!table->named) {
        if (*entry->name)
            problems_add(source->problems, source->file, entry->line,
                         "section [%s] takes no name: write [%s] instead of [%s %s]",
                         table->section, table->section, table->section, entry->name);
        return;
    }
    if (!*entry->name)
        problems_add(source->problems, source->file, entry->line,
                     "section [%s] needs a name, as in [%s www]", table->section, table->section);
    else if (!is_name(entry->name))
        problems_add(source->problems, source->file, entry->line,
                     "\"%s\" is no name for a %s: 1 to %d letters, digits, \".\", \"_\" and \"-\" "
                     "make one",
                     entry->name, table->section, CONFIG_NAME_BYTES);
}

static struct config_section section_begin(const struct option_table *table, const char *name,
                                           unsigned line, struct arena *arena)
{
    struct config_section section = {table, name, line, arena_alloc(arena, table->bytes)};
    option_defaults(table, section.options, arena);
    return section;
}

/* The place of the next section of a kind; `stray` when it needs a name and has none. */
static struct config_section *section_place(struct config_sections *sections,
                                            const struct option_table *table, const char *name,
                                            struct config_section *stray)
{
    if (table == &lb_option_table)
        return &sections->lb;
    if (table == &admin_option_table)
        return &sections->admin;
    if (table == &registry_option_table)
        return &sections->registry;
    if (!*name)
        return stray;
    if (table == &listener_option_table)
        return &sections->listeners[sections->listener_count++];
    if (table == &rule_option_table)
        return &sections->rules[sections->rule_count++];
    if (table == &access_option_table)
        return &sections->accesses[sections->access_count++];
    return &sections->pools[sections->pool_count++];
}

static size_t count_headers(const struct ini *ini)
{
    size_t count = 0;
    for (size_t i = 0; i < ini->count; i++)
        count += ini->entries[i].key == NULL;
    return count;
}

/* Defaults that are paths are relative to the file, too. */
static void anchor(const struct config_section *sections, unsigned count,
                   const struct config_source *source)
{
    for (unsigned i = 0; i < count; i++)
        option_anchor(sections[i].table, sections[i].options, source->folder, source->arena);
}

static void names_collect(struct config_names *names, const struct config_section *sections,
                          unsigned count, struct arena *arena)
{
    names->sections = sections;
    names->count = count;
    text_map_init(&names->map, count, arena);
    for (unsigned i = 0; i < count; i++) {
        struct slice name = slice_of(sections[i].name);
        text_map_add(&names->map, text_hash(name), name, &sections[i]);
    }
}

static void read_entries(struct config_sections *sections, const struct ini *ini,
                         const struct config_source *source)
{
    struct arena *arena = source->arena;
    struct config_section *section = NULL, stray;
    for (size_t i = 0; i < ini->count; i++) {
        const struct ini_entry *entry = &ini->entries[i];
        if (entry->key) {
            if (section)
                option_set(section->table, section->options, entry, source->file, source->folder,
                           arena, source->problems);
            continue;
        }
        const struct option_table *table = find_table(entry->section);
        section = NULL;
        if (table) {
            check_name(entry, table, source);
            section = section_place(sections, table, entry->name, &stray);
            *section = section_begin(table, entry->name, entry->line, arena);
        } else {
            report_unknown(entry, source);
        }
        sections->has_strays |= !section || section == &stray;
    }
    anchor(&sections->lb, 1, source);
    anchor(&sections->admin, 1, source);
    anchor(&sections->registry, 1, source);
    anchor(sections->listeners, sections->listener_count, source);
    anchor(sections->rules, sections->rule_count, source);
    anchor(sections->accesses, sections->access_count, source);
    anchor(sections->pools, sections->pool_count, source);
}

void config_sections_read(struct config_sections *sections, const struct ini *ini,
                          const struct config_source *source)
{
    struct arena *arena = source->arena;
    size_t most = count_headers(ini) + 1;
    *sections = (struct config_sections){0};
    sections->lb = section_begin(&lb_option_table, "", 0, arena);
    sections->admin = section_begin(&admin_option_table, "", 0, arena);
    sections->registry = section_begin(&registry_option_table, "", 0, arena);
    sections->listeners = arena_alloc(arena, most * sizeof(struct config_section));
    sections->rules = arena_alloc(arena, most * sizeof(struct config_section));
    sections->accesses = arena_alloc(arena, most * sizeof(struct config_section));
    sections->pools = arena_alloc(arena, most * sizeof(struct config_section));
    read_entries(sections, ini, source);
    names_collect(&sections->listener_names, sections->listeners, sections->listener_count, arena);
    names_collect(&sections->pool_names, sections->pools, sections->pool_count, arena);
}

const struct config_section *config_names_find(const struct config_names *names, const char *name)
{
    struct slice text = slice_of(name);
    return text_map_get(&names->map, text_hash(text), text);
}

const char *config_names_nearest(const struct config_names *names, const char *name)
{
    struct nearest nearest = nearest_to(name);
    for (unsigned i = 0; i < names->count; i++)
        nearest_offer(&nearest, names->sections[i].name);
    return nearest.best;
}

void config_names_report(const struct config_names *names, const char *kind, const char *name,
                         unsigned line, const struct config_source *source)
{
    const char *nearest =
        source->problems->error_count < SUGGESTIONS_MOST ? config_names_nearest(names, name) : NULL;
    problems_add(source->problems, source->file, line, "there is no %s %s: %s%s%s%s", kind, name,
                 nearest ? "did you mean " : "add a section [", nearest ? nearest : kind,
                 nearest ? "?" : " ", nearest ? "" : arena_format(source->arena, "%s]", name));
}
