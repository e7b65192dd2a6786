/* SPDX-License-Identifier: Apache-2.0 */
#include "listeners/http2/http2_desk.h"

#include "lb/base/http2_glitches.h"
#include "listeners/http2/http2_client.h"

static void on_turn(uv_prepare_t *turn)
{
    struct http2_desk *desk = turn->data;
    while (!list_is_empty(&desk->dirty)) {
        struct http2_client *http2 = LIST_OWNER(desk->dirty.next, struct http2_client, dirty);
        list_remove(&http2->dirty);
        http2->is_dirty = false;
        http2_finish_turn(http2);
    }
    uv_prepare_stop(turn);
}

static void set_callbacks(nghttp2_session_callbacks *callbacks)
{
    http2_session_set_callbacks(callbacks);
    nghttp2_session_callbacks_set_send_callback(callbacks, http2_on_frame);
    nghttp2_session_callbacks_set_send_data_callback(callbacks, http2_on_data_sent);
}

/* nghttp2's limits know nothing of what was answered meanwhile, and nothing of max_head: they are
 * set so high that the meter's come first. */
static void set_limits(nghttp2_option *option)
{
    enum { FAR_MORE = 1000 * 1000 };
    http2_glitches_allow(option);
#if LB_HAS_RESET_LIMIT
    nghttp2_option_set_stream_reset_rate_limit(option, FAR_MORE, FAR_MORE);
#endif
#if LB_HAS_CONTINUATION_LIMIT
    nghttp2_option_set_max_continuations(option, FAR_MORE);
#endif
}

/* What a message may say is judged by lb itself (head.h), so that it can be told; windows are given
 * back as exchanges take bytes. Why nghttp2 does not read PRIORITY_UPDATE: priority_update.h. */
static void set_options(nghttp2_option *option)
{
    nghttp2_option_set_no_http_messaging(option, 1);
    nghttp2_option_set_no_auto_window_update(option, 1);
    nghttp2_option_set_no_closed_streams(option, 1);
    nghttp2_option_set_max_reserved_remote_streams(option, 0);
    nghttp2_option_set_max_send_header_block_length(option, HTTP2_HEAD_SENT_BYTES);
    nghttp2_option_set_user_recv_extension_type(option, NGHTTP2_PRIORITY_UPDATE);
    set_limits(option);
}

static void free_settings(struct http2_desk *desk)
{
    nghttp2_session_callbacks_del(desk->callbacks);
    nghttp2_option_del(desk->option);
    desk->callbacks = NULL;
    desk->option = NULL;
}

bool http2_desk_open(struct http2_desk *desk, uv_loop_t *loop, char *frames, size_t frames_room)
{
    if (desk->is_open)
        return true;
    bool good = nghttp2_session_callbacks_new(&desk->callbacks) == 0 &&
                nghttp2_option_new(&desk->option) == 0;
    if (!good) {
        free_settings(desk);
        return false;
    }
    set_callbacks(desk->callbacks);
    set_options(desk->option);
    list_init(&desk->dirty);
    uv_prepare_init(loop, &desk->turn);
    desk->turn.data = desk;
    uv_unref((uv_handle_t *)&desk->turn);
    desk->frames = (struct http2_frames){.bytes = frames, .room = frames_room};
    desk->is_open = true;
    return true;
}

void http2_desk_mark(struct http2_desk *desk, struct list_node *node)
{
    if (list_is_empty(&desk->dirty))
        uv_prepare_start(&desk->turn, on_turn);
    list_append(&desk->dirty, node);
}

void http2_desk_close(struct http2_desk *desk)
{
    if (!desk->is_open)
        return;
    desk->is_open = false;
    free_settings(desk);
    uv_close((uv_handle_t *)&desk->turn, NULL);
}
