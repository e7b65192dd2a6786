/* SPDX-License-Identifier: Apache-2.0 */
/* What holds for every head, a request's or an answer's. */
#ifndef LB_TESTS_HTTP1_HEAD_H
#define LB_TESTS_HTTP1_HEAD_H

#include "lb/base/http1.h"
#include "tests/fuzz/expect.h"

/** A verdict on the first bytes of a head. */
struct verdict {
    enum http_parse parse;
    enum http_fault fault;
    size_t bytes;
};

typedef struct verdict (*judge_function)(const char *bytes, size_t length, size_t most);

/** A beginning is undecided or decided as the whole is, and stays so. Cuts at most 64 times. */
static inline void expect_same_when_cut(judge_function judge, const void *bytes, size_t length,
                                        size_t most)
{
    struct verdict whole = judge(bytes, length, most);
    bool decided = false;
    for (size_t cut = 0; cut < length; cut += 1 + length / 64) {
        char *copy = expect_copy(bytes, cut);
        struct verdict part = judge(copy, cut, most);
        free(copy);
        if (part.parse == HTTP_PARTIAL) {
            EXPECT(!decided);
            continue;
        }
        decided = true;
        EXPECT(part.parse == whole.parse && part.fault == whole.fault && part.bytes == whole.bytes);
    }
    EXPECT(whole.parse == HTTP_INVALID || whole.fault == HTTP_FINE);
    EXPECT(whole.parse != HTTP_INVALID || whole.fault != HTTP_FINE);
    EXPECT(whole.parse != HTTP_PARTIAL || length < most);
    EXPECT(whole.bytes <= length && whole.bytes <= most);
}

static inline void expect_fields(const struct http_field *fields, unsigned count, const char *bytes,
                                 size_t length)
{
    EXPECT(count <= HEAD_FIELDS_MOST);
    for (unsigned i = 0; i < count; i++) {
        struct slice name = fields[i].name;
        struct slice value = fields[i].value;
        EXPECT(name.length > 0 && http_is_token(name) && expect_inside(name, bytes, length));
        EXPECT(expect_clean(value) && expect_inside(value, bytes, length));
        EXPECT(value.length == 0 ||
               (!strchr(" \t", value.at[0]) && !strchr(" \t", value.at[value.length - 1])));
        EXPECT(fields[i].known == http_name_of(name));
    }
}

/** How many fields are of that name? */
static inline unsigned expect_count(const struct http_field *fields, unsigned count,
                                    enum http_name name)
{
    unsigned found = 0;
    for (unsigned i = 0; i < count; i++)
        found += fields[i].known == name;
    return found;
}

#endif
