/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The memory that every nghttp2 session takes at its beginning, 25 KiB, of which 16 are for the
 * frame that it is writing and hardly ever used but for their first bytes. From malloc all of it
 * would be resident: it comes where TLS has just written its records. Laid out in pages of its own,
 * only what is touched is, some 12 KiB.
 *
 *   struct http2_memory memory = {0};
 *   nghttp2_mem calls = http2_memory_open(&memory);
 *   nghttp2_session_server_new3(&session, …, &calls);
 *   … nghttp2_session_del(session);
 *   http2_memory_close(&memory);
 *
 * What comes later or does not fit is malloc's. Thread: that of the session.
 */
#ifndef LB_LISTENERS_HTTP2_MEMORY_H
#define LB_LISTENERS_HTTP2_MEMORY_H

#include <nghttp2/nghttp2.h>
#include <stddef.h>

enum {
    /* What nghttp2 1.52 allocates for a session, in whole pages of 4 KiB; more is malloc's. */
    HTTP2_MEMORY_BYTES = 28 * 1024,
};

struct http2_memory {
    char *pages; /* NULL: none were to be had, or not opened */
    size_t used; /* bytes of them that were handed out; none of them comes back before the end */
};

/**
 * Get the pages; without them everything is malloc's.
 *
 * memory   zeroed; must stay where it is until http2_memory_close
 * returns  for nghttp2_session_server_new3, which copies it
 */
nghttp2_mem http2_memory_open(struct http2_memory *memory);

/** Give the pages back, when the session is gone. Harmless when it was never opened. */
void http2_memory_close(struct http2_memory *memory);

#endif
