/* SPDX-License-Identifier: Apache-2.0 */
/* A rule's `url`: which paths it is for. */
#ifndef LB_LISTENERS_RULE_URL_H
#define LB_LISTENERS_RULE_URL_H

#include <stdbool.h>

#include "lb/base/slice.h"

struct error;

enum rule_url_kind {
    RULE_URL_PREFIX, /* the path itself and everything below it; "/abc/" only what is below */
    RULE_URL_EXACT,
};

struct rule_url {
    enum rule_url_kind kind;
    struct slice path; /* a view of the option's text */
};

/**
 * Check and split "/prefix" or "=/exact".
 *
 * Fails: regular expressions and what no decoded, normalised path can hold; err says what would be
 *        right.
 */
bool rule_url_parse(struct rule_url *url, const char *text, struct error *err);

#endif
