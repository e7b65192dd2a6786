/* SPDX-License-Identifier: Apache-2.0 */
/* Where a page ended: the order, and in it the value and the id of its last row. The next page
 * begins behind that place, whatever has come and gone since. */
#ifndef LB_LISTENERS_REGISTRY_SQLITE_CURSOR_H
#define LB_LISTENERS_REGISTRY_SQLITE_CURSOR_H

#include <stdbool.h>
#include <stdint.h>

#include "listeners/registry/store.h"

struct cursor {
    int64_t id;
    bool is_text;
    int64_t number;                  /* the value, unless it is text */
    char text[STORE_TEXT_BYTES + 1]; /* the value, if it is */
};

/** Write what cursor_read reads. into: STORE_CURSOR_BYTES. */
void cursor_write(const struct cursor *cursor, enum certificate_order order, bool descending,
                  char *into);
/** false: it is none, or of another order. is_text: what the values of the order are. */
bool cursor_read(const char *text, enum certificate_order order, bool descending, bool is_text,
                 struct cursor *ret_cursor);

#endif
