/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An INI file as a list of entries with exact line numbers, read by inih.
 *
 * What inih would do silently is refused by name: section names over 49 characters (cut), indented
 * keys (continue the previous one), the same section twice (merge), text behind a header (dropped).
 * So are keys without "=" or outside a section, control characters, NUL and bytes that are not
 * UTF-8. Lines may be INI_LINE_BYTES long, although inih has room for 199. A byte order mark and
 * CRLF are fine. Lines beginning with `;` or `#` are comments; behind a value only ` ;` begins one,
 * so that values may contain `#`.
 */
#ifndef LB_BASE_INI_H
#define LB_BASE_INI_H

#include <stdbool.h>
#include <stddef.h>

#include "lb/base/arena.h"
#include "lb/base/error.h"
#include "lb/base/slice.h"

struct ini_entry {
    const char *section; /* "pool" of [pool app] */
    const char *name;    /* "app"; "" when the section has none */
    unsigned section_line;
    const char *key;   /* NULL: the header itself, so that sections without keys are seen */
    const char *value; /* without blanks around it, may be empty; NULL where key is */
    unsigned line;
};

/** Entries in the file's order; a section's header comes first, then its keys. */
struct ini {
    struct ini_entry *entries;
    size_t count;
};

/**
 * Parse bytes; all problems are added, up to INI_PROBLEMS_MOST. An entry is kept whenever its
 * meaning is clear, even beside a problem, so that the caller finds what else is wrong.
 *
 * ini      overwritten; entries and their texts live in `arena`
 * file     the name that problems carry
 * Thread:  the one that loads the config. Allocates.
 */
void ini_read_bytes(struct ini *ini, const char *file, const char *bytes, size_t length,
                    struct arena *arena, struct problems *problems);

/**
 * Read a file without parsing it.
 *
 * ret_text  in `arena`
 * Fails:    unreadable or over INI_FILE_BYTES: a problem with line 0.
 * Thread:   the one that loads the config. Blocks on the file.
 */
bool ini_file_text(const char *file, struct slice *ret_text, struct arena *arena,
                   struct problems *problems);

/**
 * Read a file and parse it, as ini_read_bytes().
 *
 * Fails:   unreadable or over INI_FILE_BYTES: no entries, a problem with line 0. Problems of its
 *          lines are not a failure.
 * Thread:  the one that loads the config. Blocks on the file.
 */
bool ini_read_file(struct ini *ini, const char *file, struct arena *arena,
                   struct problems *problems);

#endif
