/* SPDX-License-Identifier: Apache-2.0 */
#include "listeners/http2/priority_shelf.h"

#include <stddef.h>

/* stream: 0: a free row. NULL: there is none. */
static struct priority_shelf_row *find(struct priority_shelf *shelf, int32_t stream)
{
    for (unsigned i = 0; i < HTTP2_PRIORITIES_KEPT_MOST; i++)
        if (shelf->rows[i].stream == stream)
            return &shelf->rows[i];
    return NULL;
}

/* None is free. */
static struct priority_shelf_row *free_lowest(struct priority_shelf *shelf)
{
    struct priority_shelf_row *lowest = &shelf->rows[0];
    for (unsigned i = 1; i < HTTP2_PRIORITIES_KEPT_MOST; i++)
        if (shelf->rows[i].stream < lowest->stream)
            lowest = &shelf->rows[i];
    shelf->count--;
    return lowest;
}

void priority_shelf_put(struct priority_shelf *shelf, int32_t stream, struct priority priority)
{
    struct priority_shelf_row *row = find(shelf, stream);
    bool is_known = row != NULL;
    if (!is_known)
        row = find(shelf, 0);
    if (!row)
        row = free_lowest(shelf);
    *row = (struct priority_shelf_row){stream, (uint8_t)priority.urgency, priority.is_incremental};
    shelf->count = (uint8_t)(shelf->count + !is_known);
}

bool priority_shelf_take(struct priority_shelf *shelf, int32_t stream,
                         struct priority *ret_priority)
{
    bool is_known = false;
    for (unsigned i = 0; shelf->count > 0 && i < HTTP2_PRIORITIES_KEPT_MOST; i++) {
        struct priority_shelf_row *row = &shelf->rows[i];
        if (row->stream == 0 || row->stream > stream)
            continue;
        if (row->stream == stream) {
            *ret_priority = (struct priority){row->urgency, row->is_incremental};
            is_known = true;
        }
        row->stream = 0;
        shelf->count--;
    }
    return is_known;
}
