/* SPDX-License-Identifier: Apache-2.0 */
/* See http2_nva.h. */
#include "lb/base/http2_nva.h"

#include "lb/base/http1_wide.h"

void http2_nva_begin(struct http2_nva *nva, char *room, size_t room_bytes, uint8_t flags)
{
    nva->count = 0;
    nva->flags = flags;
    nva->words = draft_in(room, room_bytes);
}

/* nghttp2 never writes through these, but it wants them so. */
static uint8_t *bytes_of(struct slice text)
{
    return (uint8_t *)(uintptr_t)text.at;
}

static void put_row(struct http2_nva *nva, struct slice name, struct slice value)
{
    if (nva->count == HTTP2_NVA_MOST) {
        nva->words.fits = false;
        return;
    }
    nva->rows[nva->count++] = (nghttp2_nv){
        .name = bytes_of(name),
        .value = bytes_of(value),
        .namelen = name.length,
        .valuelen = value.length,
        .flags = nva->flags,
    };
}

static bool has_capitals(struct slice name)
{
    for (size_t i = 0; i < name.length; i++) {
        if (name.at[i] >= 'A' && name.at[i] <= 'Z')
            return true;
    }
    return false;
}

/* Eight bytes at a time, the rest one by one. */
static void lower(char *to, struct slice name)
{
    size_t i = 0;
    for (uint64_t word; i + sizeof word <= name.length; i += sizeof word) {
        memcpy(&word, name.at + i, sizeof word);
        word = word_lower(word);
        memcpy(to + i, &word, sizeof word);
    }
    for (; i < name.length; i++)
        to[i] = byte_lower(name.at[i]);
}

void http2_nva_put(struct http2_nva *nva, struct slice name, struct slice value)
{
    bool is_lowered_later = !(nva->flags & NGHTTP2_NV_FLAG_NO_COPY_NAME); /* while it is copied */
    if (!is_lowered_later && has_capitals(name)) {
        struct draft *words = &nva->words;
        if (name.length > words->room - words->used) {
            words->fits = false;
            return;
        }
        char *to = words->at + words->used;
        lower(to, name);
        words->used += name.length;
        name.at = to;
    }
    put_row(nva, name, value);
}

void http2_nva_put_number(struct http2_nva *nva, struct slice name, uint64_t number,
                          unsigned digits)
{
    size_t start = nva->words.used;
    draft_number(&nva->words, number, digits);
    put_row(nva, name, (struct slice){nva->words.at + start, nva->words.used - start});
}
