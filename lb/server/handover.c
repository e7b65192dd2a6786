/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See handover.h. The way is walked folder by folder by descriptors, so that what was looked at is
 * what is used.
 */
#include "lb/server/handover.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The last name of a path and the folder it is in. */
struct place {
    int folder; /* -1: there is a link on the way, or somebody beside root may write there */
    char name[256];
};

static bool is_roots_alone(int folder)
{
    struct stat status;
    return fstat(folder, &status) == 0 && status.st_uid == 0 &&
           (status.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

static int step(int folder, const char *name)
{
    int next = openat(folder, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    close(folder);
    if (next >= 0 && is_roots_alone(next))
        return next;
    if (next >= 0)
        close(next);
    return -1;
}

/* The next name of a path, without the slashes around it. false: there is none, or it is no plain
 * one. */
static bool take_name(const char **path, char *name, size_t room)
{
    *path += strspn(*path, "/");
    size_t length = strcspn(*path, "/");
    if (length == 0 || length >= room)
        return false;
    memcpy(name, *path, length);
    name[length] = '\0';
    *path += length;
    *path += strspn(*path, "/");
    return strcmp(name, "..") != 0;
}

static struct place find(const char *path)
{
    struct place place = {.folder = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC)};
    if (place.folder < 0)
        return place;
    bool is_plain = *path == '/' && is_roots_alone(place.folder) &&
                    take_name(&path, place.name, sizeof place.name);
    while (is_plain && *path && place.folder >= 0) {
        place.folder = step(place.folder, place.name);
        is_plain = take_name(&path, place.name, sizeof place.name);
    }
    if (!is_plain && place.folder >= 0) {
        close(place.folder);
        place.folder = -1;
    }
    return place;
}

/* Another name of the file would stay behind with whoever made it. */
static bool is_roots_file(const struct stat *status)
{
    return S_ISREG(status->st_mode) && status->st_uid == 0 && status->st_nlink == 1;
}

static bool give_file(const struct place *place, const struct account *account)
{
    /* O_NONBLOCK: a pipe that nobody reads must not hold us up. */
    int file = openat(
        place->folder, place->name,
        O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0640);
    struct stat status;
    bool given = file >= 0 && fstat(file, &status) == 0 && is_roots_file(&status) &&
                 fchown(file, account->uid, account->gid) == 0;
    if (file >= 0)
        close(file);
    return given;
}

static bool give_folder(const struct place *place, const struct account *account)
{
    if (mkdirat(place->folder, place->name, 0700) != 0)
        return false;
    return fchownat(place->folder, place->name, account->uid, account->gid, AT_SYMLINK_NOFOLLOW) ==
           0;
}

bool handover_give(enum handover_kind kind, const char *path, const struct account *account)
{
    struct place place = find(path);
    bool given = false;
    if (place.folder < 0)
        return false;
    switch (kind) {
    case HANDOVER_FILE:
        given = give_file(&place, account);
        break;
    case HANDOVER_FOLDER:
        given = give_folder(&place, account);
        break;
    }
    close(place.folder);
    return given;
}

bool handover_is_possible(enum handover_kind kind, const char *path)
{
    struct place place = find(path);
    struct stat status;
    if (place.folder < 0)
        return false;
    bool is_there = fstatat(place.folder, place.name, &status, AT_SYMLINK_NOFOLLOW) == 0;
    bool is_missing = !is_there && errno == ENOENT;
    close(place.folder);
    return is_missing || (is_there && kind == HANDOVER_FILE && is_roots_file(&status));
}
