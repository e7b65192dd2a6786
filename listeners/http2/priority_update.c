/* SPDX-License-Identifier: Apache-2.0 */
#include "listeners/http2/priority_update.h"

#include <string.h>

enum { STREAM_BYTES = 4 };

void priority_update_add(struct priority_update *update, const uint8_t *bytes, size_t length)
{
    size_t room = sizeof update->bytes - update->length;
    size_t taken = length < room ? length : room;
    update->is_too_long = update->is_too_long || taken < length;
    memcpy(update->bytes + update->length, bytes, taken);
    update->length = (uint8_t)(update->length + taken);
}

enum priority_update_outcome priority_update_end(struct priority_update *update,
                                                 int32_t *ret_stream, struct slice *ret_value)
{
    const uint8_t *at = update->bytes;
    const size_t length = update->length;
    bool is_too_long = update->is_too_long;
    update->length = 0;
    update->is_too_long = false;
    if (length < STREAM_BYTES)
        return PRIORITY_UPDATE_TOO_SHORT;
    uint32_t stream =
        (uint32_t)(at[0] & 0x7f) << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
    if (stream == 0)
        return PRIORITY_UPDATE_OF_NOTHING;
    if (is_too_long)
        return PRIORITY_UPDATE_IGNORED;
    *ret_stream = (int32_t)stream;
    *ret_value = (struct slice){(const char *)at + STREAM_BYTES, length - STREAM_BYTES};
    return PRIORITY_UPDATE_FINE;
}
