/* SPDX-License-Identifier: Apache-2.0 */
/* Values that strangers chose, written so that a line stays one line and quotes stay closed. */
#ifndef LB_BASE_ESCAPE_H
#define LB_BASE_ESCAPE_H

#include <stdbool.h>
#include <stddef.h>

#include "lb/base/draft.h"
#include "lb/base/slice.h"

/** How a format writes bytes that may not stand for themselves: two hex digits behind a prefix. */
struct notation {
    struct slice prefix;
    bool keeps_utf8;
};
extern const struct notation notation_json;     /* \u00e9; UTF-8 stays but for C1 controls */
extern const struct notation notation_combined; /* \xe9, for everything that is not ASCII */

/** Append `value`, cut where it would take more than `most` bytes with its escapes; a character is
 * never cut in two. */
void escape_put(struct draft *draft, struct slice value, const struct notation *notation,
                size_t most);

/** Append `before`, then the value so, then '"'. What needs no escape is copied eight bytes a step.
 */
void escape_put_quoted(struct draft *draft, struct slice before, struct slice value,
                       const struct notation *notation, size_t most);

#endif
