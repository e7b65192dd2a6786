/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The memory that every nghttp2 session takes at its beginning, 25 KiB, of which 16 are for the
 * frame that it is writing and hardly ever used but for their first bytes. From malloc all of it
 * would be resident: it comes where TLS has just written its records. Laid out in pages of its own,
 * only what is touched is:
 *
 *   page 0   a table of 4 KiB that is all zeros while no stream is open: http2_memory_rest gives
 *            the page back
 *   page 1   the session and the beginning of the frame's bytes, in which small frames and most
 *            heads find room
 *   …        the rest of the frame's bytes
 *
 *   struct http2_memory memory = {0};
 *   nghttp2_mem calls = http2_memory_open(&memory);
 *   nghttp2_session_server_new3(&session, …, &calls);
 *   … http2_memory_rest(&memory), when it has rested for a while
 *   … nghttp2_session_del(session);
 *   http2_memory_close(&memory);
 *
 * What comes later or does not fit is malloc's. Thread: that of the session.
 */
#ifndef LB_LISTENERS_HTTP2_MEMORY_H
#define LB_LISTENERS_HTTP2_MEMORY_H

#include <nghttp2/nghttp2.h>
#include <stdbool.h>
#include <stddef.h>

enum {
    /* nghttp2 1.52's table of a session's streams; newer ones begin with a small one of malloc's.
     */
    HTTP2_MEMORY_TABLE_BYTES = 4 * 1024,
    /* … and the session with the bytes of its frame, in whole pages; more is malloc's. */
    HTTP2_MEMORY_BYTES = HTTP2_MEMORY_TABLE_BYTES + 20 * 1024,
};

struct http2_memory {
    char *pages;    /* NULL: none were to be had, or not opened */
    size_t used;    /* bytes of them that were handed out; none of them comes back before the end */
    bool has_table; /* the first page was handed out */
};

/**
 * Get the pages; without them everything is malloc's.
 *
 * memory   zeroed; must stay where it is until http2_memory_close
 * returns  for nghttp2_session_server_new3, which copies it
 */
nghttp2_mem http2_memory_open(struct http2_memory *memory);

/**
 * Give the table's page back to the system while it is all zeros, as it is when no stream is open.
 * Nothing changes for whoever reads or writes it. It costs a system call, and a page fault when the
 * next stream is opened: for those that rest.
 */
void http2_memory_rest(struct http2_memory *memory);

/** Give the pages back, when the session is gone. Harmless when it was never opened. */
void http2_memory_close(struct http2_memory *memory);

#endif
