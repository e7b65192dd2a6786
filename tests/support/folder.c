/* SPDX-License-Identifier: Apache-2.0 */
/* Temporary folders. */
#include "tests/support/folder.h"

#include <check.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/text.h"

void folder_make(struct folder *folder)
{
    snprintf(folder->path, sizeof folder->path, "/tmp/lb-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder->path));
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *where)
{
    (void)status;
    (void)kind;
    (void)where;
    return remove(path);
}

void folder_remove(struct folder *folder)
{
    nftw(folder->path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

const char *folder_file(const struct folder *folder, const char *name)
{
    static _Thread_local char paths[4][256];
    static _Thread_local unsigned turn;
    char *path = paths[turn++ % 4];
    int length = snprintf(path, sizeof paths[0], "%s/%s", folder->path, name);
    ck_assert_int_lt(length, (int)sizeof paths[0]);
    return path;
}

void folder_write(const struct folder *folder, const char *name, const char *text)
{
    FILE *file = fopen(folder_file(folder, name), "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_ge(fputs(text, file), 0);
    ck_assert_int_eq(fclose(file), 0);
}

char *folder_read(const struct folder *folder, const char *name)
{
    struct text text = {0};
    text_add(&text, "", 0);
    FILE *file = fopen(folder_file(folder, name), "r");
    if (file != NULL) {
        char piece[8192];
        size_t length;
        while ((length = fread(piece, 1, sizeof piece, file)) > 0)
            text_add(&text, piece, length);
        fclose(file);
    }
    return text.bytes;
}
