/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A strict reader for logs of JSON lines: one flat object of strings and whole numbers, RFC 8259 to
 * the letter, no key twice, nothing before or behind it.
 */
#ifndef LB_TESTS_JSON_LINE_H
#define LB_TESTS_JSON_LINE_H

#include <stdbool.h>
#include <stddef.h>

#include "tests/support/text.h"

enum { JSON_MEMBERS_MOST = 32 };

struct json_line {
    unsigned count;
    struct json_member {
        char key[32];
        bool is_number;
        struct text value; /* decoded, UTF-8 */
    } members[JSON_MEMBERS_MOST];
};

/* false: it is no such object. json_line_done after true and false alike. */
bool json_line_read(struct json_line *object, const char *bytes, size_t length);
void json_line_done(struct json_line *object);
/* The string, or the number's digits; NULL when there is no such member. */
const char *json_line_get(const struct json_line *object, const char *key);

/*
 * Read every line of a log, which ends with a newline unless it is empty, and hand it to `visit`
 * (NULL: only read it). Fails the test when one is no such object. returns their number.
 */
unsigned json_lines_visit(const char *log,
                          void (*visit)(const struct json_line *object, void *story), void *story);

#endif
