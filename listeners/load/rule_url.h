/* SPDX-License-Identifier: Apache-2.0 */
/* A rule's `url`: which paths it is for. */
#ifndef LB_LISTENERS_RULE_URL_H
#define LB_LISTENERS_RULE_URL_H

#include <stdbool.h>

#include "lb/base/slice.h"

struct error;

enum rule_url_kind {
    RULE_URL_PREFIX, /* the path itself and all below it; "/abc/" only what is below */
    RULE_URL_FINAL,  /* the same; where it is the longest, no regular expression is asked */
    RULE_URL_EXACT,
    RULE_URL_REGEX,
    RULE_URL_REGEX_ANY_CASE,
};

struct rule_url {
    enum rule_url_kind kind;
    struct slice text; /* path or pattern: a view of the option's text, up to its end */
};

/**
 * Check and split "/prefix", "^~/prefix", "=/exact", "~regex" or "~*regex".
 *
 * Fails: what no decoded, normalised path can hold, and regular expressions that are none; err says
 *        what would be right.
 */
bool rule_url_parse(struct rule_url *url, const char *text, struct error *err);

/** Split a text that rule_url_parse() took once; nothing is checked again. */
struct rule_url rule_url_split(const char *text);

/** What stands before the text: "", "^~", "=", "~" or "~*". */
const char *rule_url_mark(enum rule_url_kind kind);

static inline bool rule_url_is_regex(enum rule_url_kind kind)
{
    return kind == RULE_URL_REGEX || kind == RULE_URL_REGEX_ANY_CASE;
}

static inline bool rule_url_is_prefix(enum rule_url_kind kind)
{
    return kind == RULE_URL_PREFIX || kind == RULE_URL_FINAL;
}

#endif
