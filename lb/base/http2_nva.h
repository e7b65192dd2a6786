/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fields on their way to nghttp2: its array of names and values under construction, which it sends
 * with names in lower case (RFC 9113 8.2.1). One per worker is enough: it is used between two calls
 * into nghttp2.
 */
#ifndef LB_BASE_HTTP2_NVA_H
#define LB_BASE_HTTP2_NVA_H

#include <nghttp2/nghttp2.h>
#include <stdbool.h>
#include <stdint.h>

#include "lb/base/draft.h"
#include "lb/base/limits.h"
#include "lb/base/slice.h"

/** Pseudo fields and what lb adds come on top of a head's own. */
enum { HTTP2_NVA_MOST = HEAD_FIELDS_MOST + HEAD_ADDED_MOST };

struct http2_nva {
    nghttp2_nv rows[HTTP2_NVA_MOST];
    size_t count;
    uint8_t flags;      /* of every row */
    struct draft words; /* names that had capitals, numbers; draft.fits: everything found room */
};

/**
 * Begin an array.
 *
 * room      for names in lower case and numbers, of room_bytes; borrowed
 * flags     NGHTTP2_NV_FLAG_NONE: nghttp2 copies names and values when the array is submitted, and
 *           lowers the names as it does; then all may go, and `room` is for numbers alone (NULL:
 *           there are none). NGHTTP2_NV_FLAG_NO_COPY_NAME with NGHTTP2_NV_FLAG_NO_COPY_VALUE saves
 *           that copy: then `room`, and the names and values given here, must stay until nghttp2
 *           has serialised the frame, which is when nghttp2_session_mem_send has returned its bytes
 *           (the rows themselves are copied by nghttp2 in any case)
 */
void http2_nva_begin(struct http2_nva *nva, char *room, size_t room_bytes, uint8_t flags);

/**
 * Add a field; `name` may have capitals. Neither name nor value is copied, but for a name with
 * capitals that nghttp2 would not copy (into `room`).
 */
void http2_nva_put(struct http2_nva *nva, struct slice name, struct slice value);

/** Add a field whose value is a number, padded with zeros to at least `digits`; `name` in lower
 * case. */
void http2_nva_put_number(struct http2_nva *nva, struct slice name, uint64_t number,
                          unsigned digits);

/** Did everything that was put fit? */
static inline bool http2_nva_fits(const struct http2_nva *nva)
{
    return nva->words.fits;
}

#endif
