/* SPDX-License-Identifier: Apache-2.0 */
/* Frames of all streams go out together: when, and what becomes of the client. */
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
    (void)session;
    (void)flags;
    return http2_frames_put(&http2->client->clients->http2.frames, bytes, length);
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
    struct http2_frames *frames = &http2->client->clients->http2.frames;
    struct connection *connection = &http2->client->connection;
    bool may_send = !http2->is_lost && connection_pending(connection) == 0;
    if (may_send && http2->owes_goaway)
        submit_goaway(http2);
    if (may_send && http2_frames_send(frames, http2->session, connection) != HTTP2_FRAMES_SENT)
        http2->is_lost = true;
    http2->is_blocked = nghttp2_session_get_remote_window_size(http2->session) <= 0;
}
