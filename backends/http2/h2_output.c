/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What goes out on links that speak HTTP/2: collected from all their errands and written once a
 * turn of the loop. The handle is idle's, so that the loop does not sleep before it was called.
 */
#include <string.h>
#include <uv.h>

#include "backends/http2/h2_fields.h"
#include "backends/http2/h2_link.h"
#include "lb/base/http1.h"

/* ---- when ---- */

static void on_turn(uv_idle_t *turn)
{
    struct links *links = turn->data;
    struct list_node due;
    list_move(&links->h2_dirty, &due);
    while (!list_is_empty(&due)) {
        struct h2_link *h2 = LIST_OWNER(due.next, struct h2_link, dirty);
        list_remove(&h2->dirty);
        h2_link_enter(h2);
        h2_output_send(h2);
        h2_link_tell(h2);
        h2_link_review(h2);
        h2_link_rest(h2);
        h2_link_leave(h2);
    }
    if (list_is_empty(&links->h2_dirty))
        uv_idle_stop(turn);
}

void h2_output_due(struct h2_link *h2)
{
    struct links *links = h2->links;
    if (h2->state == H2_LOST || list_is_linked(&h2->dirty))
        return;
    if (list_is_empty(&links->h2_dirty))
        uv_idle_start(&links->h2_turn, on_turn);
    list_append(&links->h2_dirty, &h2->dirty);
}

/* ---- what ---- */

ssize_t h2_output_frame(nghttp2_session *session, const uint8_t *bytes, size_t length, int flags,
                        void *user)
{
    struct h2_link *h2 = user;
    (void)session, (void)flags;
    return http2_frames_put(&h2->links->h2_frames, bytes, length);
}

int h2_output_data(nghttp2_session *session, nghttp2_frame *frame, const uint8_t *head,
                   size_t length, nghttp2_data_source *source, void *user)
{
    struct h2_link *h2 = user;
    struct errand *errand = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
    (void)source;
    if (!errand)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    char *into = http2_frames_put_data(&h2->links->h2_frames, head, length);
    if (!into)
        return NGHTTP2_ERR_WOULDBLOCK;
    struct buffer *out = errand->h2.out;
    if (length > 0) {
        memcpy(into, out->data + out->start, length);
        out->start += length;
        errand->h2.sent_bytes += length;
        errand->moved = true;
    }
    if (buffer_length(out) == 0 && out) {
        buffer_give(&h2->links->context->buffers, &errand->h2.out);
        h2_link_note(h2, errand); /* there is room for more */
    }
    return 0;
}

/* Nothing can be written any more; what the backend said before can still be read. */
static void fall_mute(struct h2_link *h2)
{
    h2->is_mute = true;
    for (struct list_node *at = h2->errands.next; at != &h2->errands; at = at->next) {
        struct errand *errand = LIST_OWNER(at, struct errand, h2.node);
        if (!errand->h2.is_out_ended || errand->h2.out) {
            errand->is_stuck = true;
            h2_link_note(h2, errand);
        }
    }
}

void h2_output_send(struct h2_link *h2)
{
    h2->sends++;
    if (h2->state == H2_LOST || h2->is_mute || connection_pending(&h2->link->connection) > 0)
        return;
    switch (http2_frames_send(&h2->links->h2_frames, h2->session, &h2->link->connection)) {
    case HTTP2_FRAMES_SENT:
        return;
    case HTTP2_FRAMES_FAILED:
        fall_mute(h2);
        return;
    case HTTP2_FRAMES_NO_MEMORY:
        h2->is_blameless = true;
        h2_link_end(h2, "HTTP/2 towards the backend is out of memory");
        return;
    }
}
