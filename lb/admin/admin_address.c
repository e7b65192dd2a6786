/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/admin/admin_address.h"

#include <string.h>
#include <unistd.h>

#include "lb/base/ini.h"
#include "lb/base/limits.h"
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

/* --- one address --------------------------------------------------------------------------- */

const char *admin_address_path(const char *text)
{
    return strncmp(text, scheme, strlen(scheme)) == 0 ? text + strlen(scheme) : NULL;
}

static bool parse_file(struct admin_address *address, const char *path, const char *folder,
                       struct arena *arena, struct error *err)
{
    if (*path == '\0' || path[strlen(path) - 1] == '/')
        return error_set(
            err, "\"unix:%s\" names no file: write unix:PATH, as in unix:var/admin.sock", path);
    address->path = option_path(folder, path, arena);
    if (strlen(address->path) < UNIX_SOCKET_PATH_BYTES)
        return true;
    return error_set(err,
                     "%s has %zu bytes: the path of a socket may have %d; name a shorter one, as "
                     "in unix:/run/lb/admin.sock",
                     address->path, strlen(address->path), UNIX_SOCKET_PATH_BYTES - 1);
}

static bool parse_tcp(struct admin_address *address, const char *text, struct arena *arena,
                      struct error *err)
{
    bool is_bracketed = *text == '[';
    if (!address_parse(&address->tcp, text, err))
        return false;
    if (address_port(&address->tcp) == 0)
        return error_set(err, "%s: nobody can find port 0; write a number from 1 to 65535", text);
    address->is_tcp = true;
    address->host =
        arena_format(arena, "%.*s", (int)strcspn(text + is_bracketed, is_bracketed ? "]" : ":"),
                     text + is_bracketed);
    return true;
}

bool admin_address_parse(struct admin_address *address, const char *text, const char *folder,
                         struct arena *arena, struct error *err)
{
    const char *path = admin_address_path(text);
    *address = (struct admin_address){.is_off = strcmp(text, "off") == 0};
    if (address->is_off)
        return true;
    if (path)
        return parse_file(address, path, folder, arena, err);
    if (strchr(text, ':') && !strchr(text, '/'))
        return parse_tcp(address, text, arena, err);
    return error_set(err,
                     "\"%s\" is no address for [admin]: write unix:PATH, as in "
                     "unix:var/admin.sock, HOST:PORT, as in 127.0.0.1:9443, or off",
                     text);
}

/* --- the section --------------------------------------------------------------------------- */

struct check {
    struct admin_options *options;
    const char *file;
    const char *folder;
    struct arena *arena;
    struct problems *problems;
    unsigned tcp_line; /* of the first TCP address; 0: there is none */
};

static bool is_repeated(const struct option_list *list, unsigned index)
{
    for (unsigned i = 0; i < index; i++)
        if (strcmp(list->items[i], list->items[index]) == 0)
            return true;
    return false;
}

static void check_address(struct check *check, unsigned index)
{
    struct option_list *list = &check->options->address;
    unsigned line = list->lines[index];
    struct admin_address address;
    struct error err;
    if (!admin_address_parse(&address, list->items[index], check->folder, check->arena, &err)) {
        if (line > 0)
            problems_add(check->problems, check->file, line, "%s", err.text);
        return;
    }
    if (address.path)
        list->items[index] = arena_format(check->arena, "%s%s", scheme, address.path);
    if (address.is_tcp && !check->tcp_line)
        check->tcp_line = line;
    if (address.is_off && list->count > 1)
        problems_add(check->problems, check->file, line,
                     "address = off stands beside other addresses: leave out one or the others");
    else if (is_repeated(list, index))
        problems_add(check->problems, check->file, line, "address = %s stands there twice",
                     list->items[index]);
}

/* As rules may say it: with [admin] it would be a file of that name, which nobody means. */
static void check_client_ca(struct check *check)
{
    const struct option_list *list = &check->options->client_ca;
    const char *meant = option_path(check->folder, "registry", check->arena);
    for (unsigned i = 0; i < list->count; i++)
        if (check->tcp_line && strcmp(list->items[i], meant) == 0 && access(meant, F_OK) != 0)
            problems_add(check->problems, check->file, list->lines[i],
                         "client_ca = registry stands for CAs that are bound to hosts, and [admin] "
                         "has none: say registry:NAME (lb ca list shows the names), builtin or a "
                         "PEM file");
}

static void check_needs(struct check *check)
{
    const struct admin_options *options = check->options;
    const struct {
        const char *key;
        const struct option_list *list;
        const char *what;
    } needs[] = {
        {"certificate", &options->certificate, "lb's own certificate there"},
        {"certificate_key", &options->certificate_key, "its private key"},
        {"client_ca", &options->client_ca, "the CA of those who may speak there"},
    };
    for (size_t i = 0; i < sizeof needs / sizeof *needs; i++) {
        if (check->tcp_line && needs[i].list->count == 0)
            problems_add(check->problems, check->file, check->tcp_line,
                         "only who shows a certificate may steer lb over TCP: [admin] needs %s, %s",
                         needs[i].key, needs[i].what);
        if (!check->tcp_line && needs[i].list->count > 0)
            problems_warn(check->problems, check->file, needs[i].list->lines[0],
                          "%s of [admin] has no effect without a TCP address, as in address = "
                          "127.0.0.1:9443",
                          needs[i].key);
    }
}

void admin_options_check(struct admin_options *options, const char *file, const char *folder,
                         struct arena *arena, struct problems *problems)
{
    struct check check = {options, file, folder, arena, problems, 0};
    if (options->address.count > ADMIN_ADDRESSES_MOST) {
        problems_add(problems, file, options->address.lines[ADMIN_ADDRESSES_MOST],
                     "[admin] may have %d addresses", ADMIN_ADDRESSES_MOST);
        return;
    }
    for (unsigned i = 0; i < options->address.count; i++)
        check_address(&check, i);
    check_client_ca(&check);
    check_needs(&check);
}

bool admin_options_have_tcp(const struct admin_options *options)
{
    for (unsigned i = 0; i < options->address.count; i++)
        if (!admin_address_path(options->address.items[i]) &&
            strcmp(options->address.items[i], "off") != 0)
            return true;
    return false;
}

const char *admin_options_file(const struct admin_options *options)
{
    for (unsigned i = 0; i < options->address.count; i++)
        if (admin_address_path(options->address.items[i]))
            return admin_address_path(options->address.items[i]);
    return NULL;
}

/* --- for those who connect ----------------------------------------------------------------- */

static const char *standard_address(void)
{
    return option_find(&admin_option_table, "address")->standard;
}

static bool is_address(const struct ini_entry *entry)
{
    return entry->key && strcmp(entry->section, admin_option_table.section) == 0 &&
           strcmp(entry->key, "address") == 0 && entry->value[0] != '\0';
}

/* The one that is easiest to use; NULL: none is said. */
static const struct ini_entry *find_address(const struct ini *ini)
{
    const struct ini_entry *first = NULL;
    for (size_t i = 0; i < ini->count; i++) {
        const struct ini_entry *entry = &ini->entries[i];
        if (!is_address(entry))
            continue;
        if (admin_address_path(entry->value))
            return entry;
        if (!first)
            first = entry;
    }
    return first;
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
    const struct ini_entry *said = find_address(&ini);
    struct error wrong;
    if (admin_address_parse(address, said ? said->value : standard_address(),
                            option_folder(file, arena), arena, &wrong))
        return true;
    return said ? error_set(err, "%s:%u: %s", file, said->line, wrong.text)
                : error_set(err, "%s: %s", file, wrong.text);
}
