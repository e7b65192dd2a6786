/* SPDX-License-Identifier: Apache-2.0 */
/* Text inside HTML: what would be markup is written so that it is shown instead. */
#ifndef LB_LISTENERS_MARKUP_H
#define LB_LISTENERS_MARKUP_H

#include "lb/base/draft.h"

/** The longest that one byte of text becomes. */
enum { MARKUP_BYTE_MOST = 5 };

/** Append text for an element or a quoted attribute. Any thread. */
static inline void markup_put(struct draft *draft, struct slice text)
{
    static const char special[] = "&<>\"'";
    static const char *const written[] = {"&amp;", "&lt;", "&gt;", "&#34;", "&#39;"};
    for (size_t i = 0; i < text.length; i++) {
        const char *found = text.at[i] ? strchr(special, text.at[i]) : NULL;
        if (found)
            draft_text(draft, written[found - special]);
        else
            draft_put(draft, (struct slice){text.at + i, 1});
    }
}

#endif
