/* SPDX-License-Identifier: Apache-2.0 */
/* What a fuzz target holds true of every input. */
#ifndef LB_TESTS_EXPECT_H
#define LB_TESTS_EXPECT_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lb/base/slice.h"

#define EXPECT(condition)                                                                          \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                        \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/** Does the slice lie within the input? Empty ones may point anywhere. */
static inline bool expect_inside(struct slice part, const char *bytes, size_t length)
{
    return part.length == 0 || (part.at >= bytes && part.at + part.length <= bytes + length);
}

/** Is there no control character but HTAB? */
static inline bool expect_clean(struct slice text)
{
    for (size_t i = 0; i < text.length; i++) {
        unsigned char byte = (unsigned char)text.at[i];
        if ((byte < 0x20 && byte != '\t') || byte == 0x7f)
            return false;
    }
    return true;
}

/** The first `length` bytes in memory of exactly that size, so that sanitizers see every byte read
 * too many. */
static inline char *expect_copy(const void *bytes, size_t length)
{
    char *copy = malloc(length > 0 ? length : 1);
    EXPECT(copy != NULL);
    if (length > 0)
        memcpy(copy, bytes, length);
    return copy;
}

#endif
