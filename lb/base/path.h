/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the path of a request may be read, pure: bytes in, bytes out.
 *
 * Rules are matched against the path decoded once and with dot segments removed. A backend may read
 * the same bytes in other ways: it may take "%2F" for a slash, or leave dot segments alone. Where
 * another way of reading could choose another rule, the request is refused (400), so that nobody
 * reaches with one rule's rights what another rule guards. The router does this:
 *
 *   path_is_plain(path)?   the path is its own and only reading; match it as it came    (nearly
 * always) path_decode(path)      the reading that chooses the rule; every outcome but PATH_FINE is
 * a 400 path_doubts(path)      the set of ways in which other readers may differ here; 0: none
 *   path_read(path, ways)  for every subset of the doubts: it must choose the same rule
 *
 *       for (unsigned ways = doubts; ways != 0; ways = (ways - 1) & doubts)
 *
 * A reading is never longer than the path itself.
 */
#ifndef LB_BASE_PATH_H
#define LB_BASE_PATH_H

#include <stdbool.h>
#include <stddef.h>

#include "lb/base/slice.h"

/** Ways in which a reader may differ from path_decode; a set of them is a reading. */
enum path_way {
    PATH_SLASHES = 1,     /* %2F is a slash */
    PATH_BACKSLASHES = 2, /* \ and %5C are slashes */
    PATH_MERGED = 4,      /* several slashes are one */
    PATH_BARE = 8,        /* ";parameters" of a segment are not part of it, "..;x" is ".." */
    PATH_DOTS = 16,       /* dot segments are left alone */
    /* The reading that sees the most: what path_collapse gives. */
    PATH_EAGER = PATH_SLASHES | PATH_BACKSLASHES | PATH_MERGED | PATH_BARE,
};

enum path_outcome {
    PATH_FINE,
    PATH_BAD_ESCAPE, /* a '%' without two hex digits, or an overlong spelling of an ASCII character
                        (%C0%AF) */
    PATH_BAD_BYTE,   /* a control character, NUL among them, raw or escaped */
    PATH_TOO_LONG,   /* longer than the room given */
};

/** Do all readers agree on this path as it stands? True: path_decode would return the same bytes.
 */
bool path_is_plain(struct slice path);

/** The ways in which a reading of `path` could differ from path_decode's; a set of enum path_way,
 * maybe too large. */
unsigned path_doubts(struct slice path);

/**
 * Read a path in the given ways.
 *
 * Escapes are decoded once; "%2F" stays as it is unless it is a slash. Dot segments are removed,
 * those that appear by decoding, too; ".." above the root stays at the root. Paths that do not
 * begin with a slash
 * ("*", "") have one reading: themselves.
 *
 * ways        a set of enum path_way
 * into, room  where the reading is written; path.length bytes are always enough
 * ret_path    points into `into`
 */
enum path_outcome path_read(struct slice path, unsigned ways, char *into, size_t room,
                            struct slice *ret_path);

/** The reading that chooses the rule: path_read with no ways. */
enum path_outcome path_decode(struct slice path, char *into, size_t room, struct slice *ret_path);
/** The most eager reading: path_read with PATH_EAGER. */
enum path_outcome path_collapse(struct slice path, char *into, size_t room, struct slice *ret_path);

/** "a percent sign without two hex digits": for the log and the 400 page. Static. */
const char *path_outcome_text(enum path_outcome outcome);

#endif
