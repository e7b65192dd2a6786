/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is certain about a regular expression without matching anything: the literal text that all
 * it matches begins with, and whether it matches everything that begins so. What is not plain to
 * see is not said.
 */
#ifndef LB_LISTENERS_RULE_LITERAL_H
#define LB_LISTENERS_RULE_LITERAL_H

#include <stdbool.h>
#include <stddef.h>

enum { RULE_LITERAL_BYTES = 256 };

struct rule_literal {
    char text[RULE_LITERAL_BYTES]; /* all that matches begins with it; "": nothing is known */
    size_t length;
    bool is_whole;    /* and all that begins with it matches */
    bool takes_paths; /* every path matches, for each begins with "/" */
    bool takes_names; /* every name matches, for none is empty */
};

/** pattern: an expression that PCRE2 takes. any_case: the text is given in lower case. */
void rule_literal_read(struct rule_literal *literal, const char *pattern, bool any_case);

#endif
