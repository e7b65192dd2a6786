/* SPDX-License-Identifier: Apache-2.0 */
/* Frames of all streams are collected in the worker's array and go out together. */
#include <string.h>

#include "listeners/client.h"
#include "listeners/http2/http2_client.h"
#include "listeners/http2/http2_desk.h"

void http2_mark(struct http2_client *http2)
{
    if (http2->is_dirty)
        return;
    http2->is_dirty = true;
    http2_desk_mark(&http2->client->clients->http2, &http2->dirty);
}

ssize_t http2_on_frame(nghttp2_session *session, const uint8_t *bytes, size_t length, int flags,
                       void *argument)
{
    struct http2_client *http2 = argument;
    struct http2_desk *desk = &http2->client->clients->http2;
    (void)session;
    (void)flags;
    if (desk->frames_room - desk->frames_used < length)
        return NGHTTP2_ERR_WOULDBLOCK;
    memcpy(desk->frames + desk->frames_used, bytes, length);
    desk->frames_used += length;
    return (ssize_t)length;
}

/* Hand over what was collected. false: no more now. */
static bool write_frames(struct http2_client *http2)
{
    const struct http2_desk *desk = &http2->client->clients->http2;
    const struct iovec frames = {.iov_base = desk->frames, .iov_len = desk->frames_used};
    switch (connection_write(&http2->client->connection, &frames, 1)) {
    case IO_DONE:
        return true;
    case IO_AGAIN:
        return false;
    case IO_END:
    case IO_FAILED:
        break;
    }
    http2->is_lost = true;
    return false;
}

/* When nothing is in its way, not before: a request that came behind the one it names would be
 * begun, and the client told that it never was (RFC 9113 6.8). */
static void submit_goaway(struct http2_client *http2)
{
    http2->owes_goaway = false;
    nghttp2_submit_goaway(http2->session, NGHTTP2_FLAG_NONE,
                          nghttp2_session_get_last_proc_stream_id(http2->session), NGHTTP2_NO_ERROR,
                          NULL, 0);
}

void http2_send(struct http2_client *http2)
{
    struct http2_desk *desk = &http2->client->clients->http2;
    bool go_on = !http2->is_lost && connection_pending(&http2->client->connection) == 0;
    if (go_on && http2->owes_goaway)
        submit_goaway(http2);
    while (go_on) {
        desk->frames_used = 0;
        if (nghttp2_session_send(http2->session) != 0) { /* out of memory */
            http2->is_lost = true;
            return;
        }
        go_on = desk->frames_used > 0 && write_frames(http2) &&
                nghttp2_session_want_write(http2->session);
    }
    http2->is_blocked = nghttp2_session_get_remote_window_size(http2->session) <= 0;
}
