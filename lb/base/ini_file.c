/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes of an INI file. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lb/base/ini.h"
#include "lb/base/limits.h"

/* One byte more than allowed is asked for, to see that a file is too large; what is not used of the
 * memory is never touched. */
static char *file_bytes(FILE *stream, size_t *ret_length, struct error *err)
{
    char *bytes = malloc(INI_FILE_BYTES + 1);
    size_t length = bytes ? fread(bytes, 1, INI_FILE_BYTES + 1, stream) : 0;
    if (!bytes || ferror(stream)) {
        error_set(err, "cannot be read: %s", strerror(errno));
    } else if (length > INI_FILE_BYTES) {
        error_set(err, "is larger than %d MiB: is this the INI file?",
                  INI_FILE_BYTES / 1024 / 1024);
    } else {
        *ret_length = length;
        return bytes;
    }
    free(bytes);
    return NULL;
}

bool ini_file_text(const char *file, struct slice *ret_text, struct arena *arena,
                   struct problems *problems)
{
    struct error err = {""};
    size_t length = 0;
    FILE *stream = fopen(file, "rbe");
    if (!stream) {
        problems_add(problems, file, 0, "cannot be opened: %s", strerror(errno));
        return false;
    }
    char *bytes = file_bytes(stream, &length, &err);
    fclose(stream);
    if (!bytes) {
        problems_add(problems, file, 0, "%s", err.text);
        return false;
    }
    *ret_text = (struct slice){arena_copy_bytes(arena, bytes, length), length};
    free(bytes);
    return true;
}

bool ini_read_file(struct ini *ini, const char *file, struct arena *arena,
                   struct problems *problems)
{
    struct slice text;
    *ini = (struct ini){NULL, 0};
    if (!ini_file_text(file, &text, arena, problems))
        return false;
    ini_read_bytes(ini, file, text.at, text.length, arena, problems);
    return true;
}
