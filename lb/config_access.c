/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/config_access.h"

#include <string.h>

#include "listeners/listener.h"
#include "listeners/load/access_section.h"

static void check_listener_names(const struct access_section *section,
                                 const struct config_names *names,
                                 const struct config_source *source)
{
    const struct option_list *list = &section->options->listener;
    for (unsigned i = 0; i < list->count; i++)
        if (!config_names_find(names, list->items[i]))
            config_names_report(names, "listener", list->items[i], list->lines[i], source);
}

struct config_access config_access_read(const struct config_sections *sections,
                                        const struct config_source *source)
{
    unsigned count = sections->access_count;
    struct config_access all = {
        arena_alloc(source->arena, (count + 1) * sizeof(struct access_section)), count};
    for (unsigned i = 0; i < count; i++) {
        const struct config_section *from = &sections->accesses[i];
        struct access_section *section = &all.sections[i];
        section->rule.name = from->name;
        section->rule.line = from->line;
        section->options = from->options;
        section->index = i;
        check_listener_names(section, &sections->listener_names, source);
        access_section_read(section, source->arena, source->file, source->problems);
    }
    return all;
}

static bool holds_on(const struct access_section *section, const struct listener *listener)
{
    const struct option_list *list = &section->options->listener;
    for (unsigned i = 0; i < list->count; i++)
        if (strcmp(list->items[i], listener->name) == 0)
            return true;
    return list->count == 0;
}

void config_access_lend(const struct config_access *all, struct listener *listener,
                        struct arena *arena)
{
    listener->access_sections =
        arena_alloc(arena, (all->count + 1) * sizeof *listener->access_sections);
    for (unsigned i = 0; i < all->count; i++) {
        struct access_section *section = &all->sections[i];
        if (!section->is_wrong && holds_on(section, listener))
            listener->access_sections[listener->access_count++] = section;
    }
}

void config_access_warn(const struct config_access *all, const struct config_source *source)
{
    for (unsigned i = 0; i < all->count; i++) {
        const struct access_section *section = &all->sections[i];
        if (!section->is_met && !section->is_wrong)
            problems_warn(source->problems, source->file, section->options->domain_line,
                          "access %s is for %s, which no rule of its listeners names: it only "
                          "holds where the default domain answers under that name",
                          section->rule.name, section->pattern);
    }
}
