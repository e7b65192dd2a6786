/* SPDX-License-Identifier: Apache-2.0 */
/* See config_files.h. Which keys name files is what their option tables say. */
#include "lb/config/config_files.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lb/base/text_map.h"
#include "listeners/answer/refusal_page.h"
#include "listeners/registry/registry_options.h"
#include "listeners/rules/rule.h"

/* Called for every path, also for those named twice; arg is a struct listing. */
typedef void (*visit_path)(const struct config_file *file, void *arg);

struct listing {
    struct arena *arena;
    struct text_map known;
    struct config_file *files;
    unsigned count;
};

static void visit_value(const struct option *option, const char *options, visit_path visit,
                        void *arg)
{
    const void *value = options + option->offset;
    if (option->kind == OPTION_PATH) {
        unsigned line = *(const unsigned *)(const void *)(options + option->line_offset);
        const char *path = *(const char *const *)value;
        if (path)
            visit(&(struct config_file){path, option->key, line}, arg);
    } else if (option->kind == OPTION_PATHS || option->kind == OPTION_PATHS_OR_WORDS) {
        const struct option_list *list = value;
        for (unsigned i = 0; i < list->count; i++)
            if (option->kind == OPTION_PATHS || !option_is_word(option, list->items[i]))
                visit(&(struct config_file){list->items[i], option->key, list->lines[i]}, arg);
    }
}

static void visit_section(const struct option_table *table, const void *options, visit_path visit,
                          void *arg)
{
    for (const struct option *option = table->options; option->key; option++)
        visit_value(option, options, visit, arg);
}

/* refuse_with = page:FILE is no path as a whole. */
static void visit_page(const struct config *config, const char *refuse_with, unsigned line,
                       visit_path visit, struct listing *listing)
{
    const char *file = refusal_page_file(refuse_with);
    if (file)
        visit(&(struct config_file){option_path(config->folder, file, listing->arena),
                                    "refuse_with", line},
              listing);
}

static void visit_rule(const struct config *config, const struct rule *rule, visit_path visit,
                       void *arg)
{
    const struct rule_options *options = rule->options;
    visit_section(&rule_option_table, options, visit, arg);
    visit_page(config, options->refuse_with, options->refuse_with_line, visit, arg);
}

static void visit_all(const struct config *config, visit_path visit, void *arg)
{
    visit(&(struct config_file){config->file, NULL, 0}, arg);
    visit_section(&admin_option_table, config->admin, visit, arg);
    visit_section(&registry_option_table, config->registry, visit, arg);
    for (unsigned i = 0; i < config->listener_count; i++) {
        const struct listener *listener = &config->listeners[i];
        visit_section(&listener_option_table, listener->options, visit, arg);
        visit_page(config, listener->options->refuse_with, listener->options->refuse_with_line,
                   visit, arg);
        for (unsigned k = 0; k < listener->rule_count; k++)
            visit_rule(config, &listener->rules[k], visit, arg);
    }
    for (unsigned i = 0; i < config->pool_count; i++)
        visit_section(&pool_option_table, config->pools[i]->options, visit, arg);
}

static void count_one(const struct config_file *file, void *arg)
{
    struct listing *listing = arg;
    (void)file;
    listing->count++;
}

static void list_one(const struct config_file *file, void *arg)
{
    struct listing *listing = arg;
    struct slice path = {file->path, strlen(file->path)};
    if (!text_map_add(&listing->known, text_hash(path), path, file->path))
        listing->files[listing->count++] = *file;
}

unsigned config_files_list(const struct config *config, struct arena *arena,
                           struct config_file **ret_files)
{
    struct listing listing = {.arena = arena};
    visit_all(config, count_one, &listing);
    text_map_init(&listing.known, listing.count, arena);
    listing.files = arena_alloc(arena, listing.count * sizeof *listing.files);
    listing.count = 0;
    visit_all(config, list_one, &listing);
    *ret_files = listing.files;
    return listing.count;
}

/* --- may we? ------------------------------------------------------------------------------- */

/* The first folder on the way that is closed to us; false: all are open. */
static bool find_closed_folder(const char *path, char *folder, size_t room)
{
    for (const char *at = strchr(path, '/'); at; at = strchr(at + 1, '/')) {
        size_t length = at == path ? 1 : (size_t)(at - path);
        if (length >= room)
            return false;
        memcpy(folder, path, length);
        folder[length] = '\0';
        if (access(folder, X_OK) != 0)
            return true;
    }
    return false;
}

static void group_name(const struct account *account, char *into, size_t room)
{
    const struct group *group = getgrgid(account->gid);
    if (group)
        snprintf(into, room, "%s", group->gr_name);
    else
        snprintf(into, room, "%u", (unsigned)account->gid);
}

/* A change of client CAs loads the text in force again, and with it the files it names. */
static const char *what_fails(const struct config *config)
{
    return config->uses_registry ? "a reload, and every change of client CAs, will fail"
                                 : "a reload will fail";
}

static void warn_of(const struct config_file *file, const struct config *config,
                    const struct account *account, struct problems *problems)
{
    char group[64];
    char folder[PATH_MAX];
    group_name(account, group, sizeof group);
    bool is_closed = find_closed_folder(file->path, folder, sizeof folder);
    const char *opened = is_closed ? folder : file->path;
    problems_warn(problems, config->file, file->line,
                  "%s: user %s may not %s %s; let its group do so: chgrp %s %s && chmod g+%c %s",
                  what_fails(config), account->name, is_closed ? "enter the folder" : "read",
                  opened, group, opened, is_closed ? 'x' : 'r', opened);
}

void config_files_check(const struct config *config, const struct account *account,
                        struct problems *problems)
{
    struct arena arena = {0};
    struct config_file *files;
    unsigned count = config_files_list(config, &arena, &files);
    unsigned unreadable = 0;
    for (unsigned i = 0; i < count; i++) {
        if (access(files[i].path, R_OK) == 0 || errno != EACCES)
            continue;
        if (unreadable++ < CONFIG_FILES_TOLD_MOST)
            warn_of(&files[i], config, account, problems);
    }
    if (unreadable > CONFIG_FILES_TOLD_MOST)
        problems_warn(problems, config->file, 0, "%s: user %s may not read %u more files",
                      what_fails(config), account->name, unreadable - CONFIG_FILES_TOLD_MOST);
    arena_done(&arena);
}
