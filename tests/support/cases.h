/* SPDX-License-Identifier: Apache-2.0 */
/* Text tables of tests/cases: "== TITLE" begins a case, its lines are joined and their escapes
 * turned into bytes. */
#ifndef LB_TESTS_CASES_H
#define LB_TESTS_CASES_H

#include "tests/support/text.h"

struct test_case {
    char title[128];
    struct text bytes;
};

struct cases {
    unsigned count;
    struct test_case *list;
};

/* file: below tests/cases of the source tree, which LB_SOURCE names. Fails the test when it holds
 * no case. */
void cases_read(struct cases *cases, const char *file);
void cases_done(struct cases *cases);

#endif
