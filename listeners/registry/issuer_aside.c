/* SPDX-License-Identifier: Apache-2.0 */
/* Moving the files of the built-in CA out of the way of new ones. Nothing is ever overwritten: a
 * key that is lost cannot be made again. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "listeners/registry/issuer_files.h"

enum { NAME_BYTES = 64, TRIES = 100 };

static void old_name(const char *name, const char *suffix, char into[NAME_BYTES])
{
    snprintf(into, NAME_BYTES, "%s%s", name, suffix);
}

static bool move(const struct issuer_folder *folder, const char *from, const char *to)
{
    if (renameat2(folder->fd, from, folder->fd, to, RENAME_NOREPLACE) == 0)
        return true;
    if (errno != EINVAL && errno != ENOSYS)
        return false;
    /* a disk that cannot do that */
    return linkat(folder->fd, from, folder->fd, to, 0) == 0 && unlinkat(folder->fd, from, 0) == 0;
}

static bool is_taken(const struct issuer_folder *folder, const char *name, const char *suffix)
{
    char old[NAME_BYTES];
    old_name(name, suffix, old);
    return faccessat(folder->fd, old, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Twice within a second is possible. */
static void choose_suffix(const struct issuer_folder *folder, struct issuer_aside *aside)
{
    char date[24] = "";
    struct tm calendar;
    time_t now = time(NULL);
    if (gmtime_r(&now, &calendar))
        strftime(date, sizeof date, "%Y%m%dT%H%M%SZ", &calendar);
    snprintf(aside->suffix, sizeof aside->suffix, ".old-%s", date);
    for (unsigned i = 2; i < TRIES && (is_taken(folder, ISSUER_CERTIFICATE_NAME, aside->suffix) ||
                                       is_taken(folder, ISSUER_KEY_NAME, aside->suffix));
         i++)
        snprintf(aside->suffix, sizeof aside->suffix, ".old-%s-%u", date, i);
}

static bool set_aside(const struct issuer_folder *folder, const char *name, const char *suffix,
                      bool *ret_moved, struct error *err)
{
    char old[NAME_BYTES];
    old_name(name, suffix, old);
    *ret_moved = move(folder, name, old);
    return *ret_moved || errno == ENOENT ||
           error_set(err, "%s/%s cannot be moved to %s: %s", folder->path, name, old,
                     strerror(errno));
}

bool issuer_folder_set_aside(const struct issuer_folder *folder, struct issuer_aside *ret_aside,
                             struct error *err)
{
    struct issuer_aside aside = {.has_key = false};
    choose_suffix(folder, &aside);
    /* A key without its certificate gets it again from the registry: a crash between does no harm.
     */
    bool good =
        set_aside(folder, ISSUER_CERTIFICATE_NAME, aside.suffix, &aside.has_certificate, err) &&
        set_aside(folder, ISSUER_KEY_NAME, aside.suffix, &aside.has_key, err);
    if (!good)
        issuer_folder_take_back(folder, &aside);
    *ret_aside = aside;
    return good;
}

static void take_back(const struct issuer_folder *folder, const char *name, const char *suffix)
{
    char old[NAME_BYTES];
    old_name(name, suffix, old);
    move(folder, old, name);
}

void issuer_folder_take_back(const struct issuer_folder *folder, const struct issuer_aside *aside)
{
    if (aside->has_key)
        take_back(folder, ISSUER_KEY_NAME, aside->suffix);
    if (aside->has_certificate)
        take_back(folder, ISSUER_CERTIFICATE_NAME, aside->suffix);
}
