/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What all HTTP/2 clients of one worker share: nghttp2's settings, and the end of each turn of the
 * loop, at which what all their streams gave is sent with one write for each connection.
 */
#ifndef LB_LISTENERS_HTTP2_DESK_H
#define LB_LISTENERS_HTTP2_DESK_H

#include <nghttp2/nghttp2.h>
#include <stdbool.h>
#include <uv.h>

#include "lb/base/http2_frames.h"
#include "lb/base/http2_nva.h"
#include "lb/base/list.h"

/** Embedded in struct clients; zeroed is fine, and opened by the first client that speaks HTTP/2.
 */
struct http2_desk {
    bool is_open;
    uv_prepare_t turn; /* before the loop waits; runs while somebody is dirty */
    struct list_node dirty;
    nghttp2_session_callbacks *callbacks;
    nghttp2_option *option;
    struct http2_nva nva; /* of the head that is being written */
    struct http2_frames frames;
};

/**
 * frames   the worker's, lent until the desk is closed: at least a frame of 16 KiB, better a read's
 *          worth of them
 * returns  false: out of memory; it may be tried again
 */
bool http2_desk_open(struct http2_desk *desk, uv_loop_t *loop, char *frames, size_t frames_room);
/** Whose list node this is has something to do when the turn ends (http2_finish_turn). */
void http2_desk_mark(struct http2_desk *desk, struct list_node *node);
/** All clients are gone; the loop must run once more. Harmless when it was never opened. */
void http2_desk_close(struct http2_desk *desk);

#endif
