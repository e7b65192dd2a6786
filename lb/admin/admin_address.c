/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/admin/admin_address.h"

#include <string.h>

#include "lb/base/ini.h"
#include "lb/base/unix_socket.h"

static const struct option rows[] = {
#define OPTION(...) OPTION_ROW(struct admin_options, __VA_ARGS__)
#include "lb/admin/admin_options.def"
#undef OPTION
    {0},
};

const struct option_table admin_option_table = {
    .section = "admin",
    .named = false,
    .summary = "how the running lb is asked and told: lb status, lb reload, lb backend",
    .bytes = sizeof(struct admin_options),
    .options = rows,
};

static const char scheme[] = "unix:";

bool admin_address_parse(struct admin_address *address, const char *text, const char *folder,
                         struct arena *arena, struct error *err)
{
    *address = (struct admin_address){.is_off = strcmp(text, "off") == 0};
    if (address->is_off)
        return true;
    if (strncmp(text, scheme, strlen(scheme)) != 0)
        return error_set(err,
                         "\"%s\" is no address for [admin]: write unix:PATH, as in "
                         "unix:var/admin.sock, or off (a TCP address is not possible: whoever "
                         "reached it could change lb)",
                         text);
    const char *path = text + strlen(scheme);
    if (*path == '\0' || path[strlen(path) - 1] == '/')
        return error_set(err, "\"%s\" names no file: write unix:PATH, as in unix:var/admin.sock",
                         text);
    address->path = option_path(folder, path, arena);
    if (strlen(address->path) >= UNIX_SOCKET_PATH_BYTES)
        return error_set(err,
                         "%s has %zu bytes: the path of a socket may have %d; name a shorter one, "
                         "as in unix:/run/lb/admin.sock",
                         address->path, strlen(address->path), UNIX_SOCKET_PATH_BYTES - 1);
    return true;
}

static const char *standard_address(void)
{
    return option_find(&admin_option_table, "address")->standard;
}

static bool is_address(const struct ini_entry *entry)
{
    return entry->key && strcmp(entry->section, admin_option_table.section) == 0 &&
           strcmp(entry->key, "address") == 0 && entry->value[0] != '\0';
}

bool admin_address_of_file(struct admin_address *address, const char *file, struct arena *arena,
                           struct error *err)
{
    struct problems problems = {0};
    struct ini ini = {0};
    bool is_read = ini_read_file(&ini, file, arena, &problems);
    if (!is_read)
        error_set(err, "%s: %s", file, problems.count ? problems.items[0].text : "cannot be read");
    problems_done(&problems);
    if (!is_read)
        return false;
    const struct ini_entry *said = NULL;
    for (size_t i = 0; i < ini.count && !said; i++)
        if (is_address(&ini.entries[i]))
            said = &ini.entries[i];
    struct error wrong;
    if (admin_address_parse(address, said ? said->value : standard_address(),
                            option_folder(file, arena), arena, &wrong))
        return true;
    return said ? error_set(err, "%s:%u: %s", file, said->line, wrong.text)
                : error_set(err, "%s: %s", file, wrong.text);
}
