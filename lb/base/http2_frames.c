/* SPDX-License-Identifier: Apache-2.0 */
/* See http2_frames.h. */
#include "lb/base/http2_frames.h"

#include <string.h>

enum { FRAME_HEAD_BYTES = 9 };

static void add(struct http2_frames *frames, const uint8_t *bytes, size_t length)
{
    memcpy(frames->bytes + frames->used, bytes, length);
    frames->used += length;
}

ssize_t http2_frames_put(struct http2_frames *frames, const uint8_t *frame, size_t length)
{
    if (frames->room - frames->used < length)
        return NGHTTP2_ERR_WOULDBLOCK;
    add(frames, frame, length);
    return (ssize_t)length;
}

char *http2_frames_put_data(struct http2_frames *frames, const uint8_t *head, size_t length)
{
    if (frames->room - frames->used < FRAME_HEAD_BYTES + length)
        return NULL;
    add(frames, head, FRAME_HEAD_BYTES);
    char *carried = frames->bytes + frames->used;
    frames->used += length;
    return carried;
}

enum http2_frames_outcome http2_frames_send(struct http2_frames *frames, nghttp2_session *session,
                                            struct connection *connection)
{
    do {
        frames->used = 0;
        if (nghttp2_session_send(session) != 0)
            return HTTP2_FRAMES_NO_MEMORY;
        if (frames->used == 0)
            return HTTP2_FRAMES_SENT;
        const struct iovec all = {.iov_base = frames->bytes, .iov_len = frames->used};
        switch (connection_write(connection, &all, 1)) {
        case IO_DONE:
            break;
        case IO_AGAIN:
            return HTTP2_FRAMES_SENT;
        case IO_END:
        case IO_FAILED:
            return HTTP2_FRAMES_FAILED;
        }
    } while (nghttp2_session_want_write(session));
    return HTTP2_FRAMES_SENT;
}
