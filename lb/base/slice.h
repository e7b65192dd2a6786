/* SPDX-License-Identifier: Apache-2.0 */
/* A view of bytes owned by somebody else. */
#ifndef LB_BASE_SLICE_H
#define LB_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

struct slice {
    const char *at;
    size_t length;
};

/** Of a literal: its length is known to the compiler. */
#define SLICE(literal)                                                                             \
    {                                                                                              \
        literal, sizeof(literal) - 1                                                               \
    }

static inline struct slice slice_of(const char *text)
{
    return (struct slice){text, strlen(text)};
}
static inline bool slice_equal(struct slice one, struct slice other)
{
    return one.length == other.length &&
           (one.length == 0 || memcmp(one.at, other.at, one.length) == 0);
}
static inline bool slice_is(struct slice one, const char *text)
{
    return slice_equal(one, slice_of(text));
}
/** ASCII case is ignored. */
static inline bool slice_is_nocase(struct slice one, const char *text)
{
    return one.length == strlen(text) && strncasecmp(one.at, text, one.length) == 0;
}

#endif
