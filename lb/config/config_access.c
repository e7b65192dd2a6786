/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/config/config_access.h"

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

/* Rules have judged a client before a section is asked. */
static const char *why_nobody(const struct access_section *section)
{
    if (!(section->clients_met & (ACCESS_OF_VERIFIED | ACCESS_OF_INVALID)))
        return "no rule that it is for asks for one; say mutual_auth = request there (or require)";
    if (!(section->clients_met & ACCESS_OF_MISSING))
        return "every rule that it is for requires a good one of everybody, and refuses others "
               "before; say mutual_auth = request there, or see refuse_with";
    return "those rules that it is for that ask for one require a good one, and refuse others "
           "before; say mutual_auth = request there, or see refuse_with";
}

/* To block whom every rule refuses is a second lock: it holds when a rule is loosened. */
static bool is_second_lock(const struct access_section *section)
{
    return section->rule.action == ACCESS_BLOCK && section->clients_met == ACCESS_OF_VERIFIED;
}

static void warn_of_condition(const struct access_section *section,
                              const struct config_source *source)
{
    char word[16];
    const struct option *option = option_find(&access_option_table, "client_certificate");
    unsigned line = section->options->client_certificate_line;
    if (!(access_section_wants(section) & section->clients_met) && !is_second_lock(section))
        problems_warn(source->problems, source->file, line ? line : section->rule.line,
                      "access %s never decides: nobody's certificate is %s where it is asked: %s",
                      section->rule.name,
                      option_choice_word(option, (int)section->rule.condition, word, sizeof word),
                      why_nobody(section));
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
        if (section->is_met && !section->is_wrong)
            warn_of_condition(section, source);
    }
}
