/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Regular expressions (PCRE2) over bytes, with bounded patience: what takes more steps or memory
 * than lb/base/limits.h allows is REGEX_UNDECIDED, never a guess.
 */
#ifndef LB_BASE_REGEX_H
#define LB_BASE_REGEX_H

#include <stdbool.h>

#include "lb/base/slice.h"

struct error;

/** One compiled expression. Immutable: any thread may match with it. */
struct regex;

/** What matching writes into, for all expressions that one caller asks in turn. Zeroed is ready. */
struct regex_room {
    unsigned share;            /* 2 and more: that part of the patience is enough */
    struct regex_parts *parts; /* owned; made by the first match */
};

enum regex_case { REGEX_AS_WRITTEN, REGEX_ANY_CASE /* of ASCII letters */ };

enum regex_outcome {
    REGEX_MATCHES,
    REGEX_DIFFERS,
    REGEX_UNDECIDED, /* it took more than its limits, or memory is short */
};

/**
 * Compile. "$" is the very end; bytes are bytes, so "." is one byte of a UTF-8 letter.
 *
 * returns  owned, see regex_free
 * Fails:   NULL; err says what is wrong with the pattern, and where
 * Thread:  loader. Allocates.
 */
struct regex *regex_new(const char *pattern, enum regex_case letters, struct error *err);

/** Would regex_new take it? Cheaper than to try. Thread: loader. */
bool regex_check(const char *pattern, enum regex_case letters, struct error *err);

/** NULL is fine. */
void regex_free(struct regex *regex);

/**
 * Does the expression match anywhere in `text`?
 *
 * room     the caller's, see regex_room_done
 * Thread:  any, with a room of its own. Allocates.
 */
enum regex_outcome regex_match(const struct regex *regex, struct slice text,
                               struct regex_room *room);

/** Release what matching took; the room is ready again. */
void regex_room_done(struct regex_room *room);

#endif
