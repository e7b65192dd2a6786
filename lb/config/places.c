/* SPDX-License-Identifier: Apache-2.0 */
/* See places.h. What may be done is asked of the system (access), never worked out from modes. */
#include "lb/config/places.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lb/admin/admin_address.h"
#include "lb/keys/persistence_key.h"
#include "lb/server/privileges.h"
#include "listeners/registry/registry_options.h"

static void add(struct places *places, enum handover_kind kind, const char *key, const char *path,
                unsigned line)
{
    places->items[places->count++] =
        (struct place){.key = key, .path = path, .line = line, .kind = kind};
}

/* Whoever did not ask for the socket gets along without it. */
static void add_socket_folder(struct places *places, const struct admin_options *admin)
{
    const char *path = admin_options_file(admin);
    const char *slash = path ? strrchr(path, '/') : NULL;
    if (!slash || *path != '/')
        return;
    size_t length = (size_t)(slash - path);
    if (length == 0 || length >= sizeof places->socket_folder)
        return;
    memcpy(places->socket_folder, path, length);
    add(places, HANDOVER_FOLDER, "the folder of [admin] address", places->socket_folder,
        admin->address_line);
    places->items[places->count - 1].is_optional = admin->address_line == 0;
}

/* An operator may make a built-in CA there at any time. */
static void add_state_dir(struct places *places, const struct config *config)
{
    const struct lb_options *options = config->options;
    add(places, HANDOVER_FOLDER, "state_dir", options->state_dir, options->state_dir_line);
    struct place *place = &places->items[places->count - 1];
    place->holds_key = persistence_key_is_wished(config);
    place->is_optional = !place->holds_key && !config->uses_registry;
}

static bool is_same_folder(const char *one, const char *other)
{
    size_t length = strlen(one), others = strlen(other);
    while (length > 1 && one[length - 1] == '/')
        length--;
    while (others > 1 && other[others - 1] == '/')
        others--;
    return length == others && memcmp(one, other, length) == 0;
}

/* Of "sqlite:/folder/registry.db". false: it is in the root of all, or its name is too long. */
static bool store_folder(const char *location, char *into, size_t room)
{
    const char *path = strchr(location, ':') + 1;
    size_t length = (size_t)(strrchr(path, '/') - path);
    if (length == 0 || length >= room)
        return false;
    memcpy(into, path, length);
    into[length] = '\0';
    return true;
}

/* A store makes files of its own beside it, so that the folder has to be the user's. */
static void add_store_folder(struct places *places, const struct config *config)
{
    const char *path = strchr(config->registry->store, ':') + 1;
    if (!store_folder(config->registry->store, places->store_folder, sizeof places->store_folder))
        return;
    if (!is_same_folder(places->store_folder, config->options->state_dir)) {
        add(places, HANDOVER_FOLDER, "the folder of [registry] store", places->store_folder,
            config->registry->store_line);
        places->items[places->count - 1].is_optional =
            !config->uses_registry && config->registry->store_line == 0;
    }
    if (access(path, F_OK) == 0)
        places->items[places->count - 1].store = path;
}

void places_find(struct places *places, const struct config *config)
{
    const struct lb_options *options = config->options;
    *places = (struct places){0};
    if (*options->log == '/')
        add(places, HANDOVER_FILE, "log", options->log, options->log_line);
    if (*options->access_log == '/')
        add(places, HANDOVER_FILE, "access_log", options->access_log, options->access_log_line);
    add_state_dir(places, config);
    add_store_folder(places, config);
    add_socket_folder(places, config->admin);
}

void places_hand_over(struct places *places, const struct account *account)
{
    for (unsigned i = 0; i < places->count; i++) {
        struct place *place = &places->items[i];
        place->is_given = handover_give(place->kind, place->path, account);
    }
}

bool places_stand_in(const char *user, const char *state_dir, const char *location,
                     struct stand_in *stand_in, struct error *err)
{
    char folder[PLACES_STORE_FOLDER_BYTES];
    struct account account;
    bool is_somebody = user && account_find(user, &account, NULL);
    bool gives = is_somebody && account.uid != 0 && geteuid() == 0;
    if (gives && state_dir)
        handover_give(HANDOVER_FOLDER, state_dir, &account);
    if (gives && location && store_folder(location, folder, sizeof folder))
        handover_give(HANDOVER_FOLDER, folder, &account);
    return stand_in_begin(stand_in, is_somebody ? user : NULL, err);
}

void places_foresee_handover(struct places *places)
{
    for (unsigned i = 0; i < places->count; i++) {
        struct place *place = &places->items[i];
        place->is_given = handover_is_possible(place->kind, place->path);
    }
}

/* --- may we? ------------------------------------------------------------------------------- */

struct report {
    const struct place *place;
    const struct config *config;
    struct problems *problems;
};

/* why: a sentence; remedy: another one. */
static void complain(const struct report *report, const char *remedy, const char *why, ...)
    __attribute__((format(printf, 3, 4)));

static void complain(const struct report *report, const char *remedy, const char *why, ...)
{
    const struct place *place = report->place;
    char reason[ERROR_TEXT_BYTES];
    va_list arguments;
    va_start(arguments, why);
    vsnprintf(reason, sizeof reason, why, arguments);
    va_end(arguments);
    problems_add(report->problems, report->config->file, place->line,
                 "%s = %s cannot be %s: %s; %s", place->key, place->path,
                 place->kind == HANDOVER_FILE ? "written" : "used", reason, remedy);
}

static void complain_of_rights(const struct report *report)
{
    char who[ACCOUNT_NAME_BYTES + 1];
    complain(report, "make it theirs (chown), or name another place",
             "it may not be written to by user %s", account_our_name(who, sizeof who));
}

static void complain_of_store(const struct report *report)
{
    char who[ACCOUNT_NAME_BYTES + 1];
    account_our_name(who, sizeof who);
    problems_add(report->problems, report->config->file, report->config->registry->store_line,
                 "[registry] store: %s may not be read and written by user %s; make it theirs "
                 "(chown), or name another store",
                 report->place->store, who);
}

/* Not that folder is to be theirs: it may be the one with the config, or the system's. */
static void complain_of_folder(const struct report *report, const char *folder)
{
    const struct place *place = report->place;
    char who[ACCOUNT_NAME_BYTES + 1];
    char remedy[PATH_MAX];
    account_our_name(who, sizeof who);
    switch (place->kind) {
    case HANDOVER_FILE:
        snprintf(remedy, sizeof remedy,
                 "name a file in a folder of theirs (install -d -o %s makes one)", who);
        break;
    case HANDOVER_FOLDER:
        snprintf(remedy, sizeof remedy,
                 "make it for them (install -d -m 700 -o %s %s), or name another place", who,
                 place->path);
        break;
    }
    complain(report, remedy, "%s may not be written to by user %s", folder, who);
}

/* It is not there: could it be made? */
static void check_missing(const struct report *report)
{
    char copy[PATH_MAX];
    struct stat status;
    snprintf(copy, sizeof copy, "%s", report->place->path);
    const char *folder = dirname(copy);
    if (stat(folder, &status) != 0)
        complain(report, "make that folder, or name another place", "folder %s: %s", folder,
                 strerror(errno));
    else if (!S_ISDIR(status.st_mode))
        complain(report, "name another place", "%s is no folder", folder);
    else if (access(folder, W_OK | X_OK) != 0)
        complain_of_folder(report, folder);
}

static void check_place(const struct report *report)
{
    const struct place *place = report->place;
    struct stat status;
    struct error err;
    if (stat(place->path, &status) != 0) {
        if (errno == ENOENT)
            check_missing(report);
        else
            complain(report, "let lb reach it, or name another place", "%s", strerror(errno));
        return;
    }
    bool is_folder = S_ISDIR(status.st_mode);
    if (is_folder && place->kind == HANDOVER_FILE)
        complain(report, "name a file in it", "it is a folder");
    else if (!is_folder && place->kind == HANDOVER_FOLDER)
        complain(report, "name another place", "it is no folder");
    else if (access(place->path, W_OK | (is_folder ? X_OK : 0)) != 0)
        complain_of_rights(report);
    else if (place->store && access(place->store, R_OK | W_OK) != 0)
        complain_of_store(report);
    else if (place->holds_key && !persistence_key_check(report->config, &err))
        problems_add(report->problems, report->config->file, place->line, "%s", err.text);
}

void places_check(const struct places *places, const struct config *config,
                  struct problems *problems)
{
    for (unsigned i = 0; i < places->count; i++) {
        const struct report report = {&places->items[i], config, problems};
        if (!places->items[i].is_given && !places->items[i].is_optional)
            check_place(&report);
    }
}
