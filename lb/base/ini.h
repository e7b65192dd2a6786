/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An INI file as a list of entries with exact line numbers, read by inih through a line-counting reader.
 * What inih would do silently is refused by name: lines over 199 characters (split), section names over 49
 * (cut), indented keys (continue the previous one), the same section twice (merge), a key outside a section,
 * NUL bytes, bytes that are not UTF-8. A UTF-8 BOM and CRLF are fine. ` ;` and ` #`… only ` ;` starts a comment.
 */
#ifndef LB_BASE_INI_H
#define LB_BASE_INI_H

#include <stddef.h>

#include "lb/base/arena.h"
#include "lb/base/error.h"

struct ini_entry {
    const char *section; /* "pool" of [pool app] */
    const char *name;    /* "app"; "" when the section has none */
    unsigned section_line;
    const char *key;     /* NULL: the section header itself (so that sections without keys are seen) */
    const char *value;
    unsigned line;
};

struct ini {
    struct ini_entry *entries;
    size_t count;
};

/** Parse `bytes`; entries live in `arena`, problems are added with `file` as their name. For tests and fuzzing. */
void ini_read_bytes(struct ini *ini, const char *file, const char *bytes, size_t length,
                    struct arena *arena, struct problems *problems);

/** Read and parse a file. Fails: unreadable or over INI_FILE_BYTES — a problem with line 0. */
bool ini_read_file(struct ini *ini, const char *file, struct arena *arena, struct problems *problems);

#endif
