/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A worker with one pool of HTTP/2, whose backend is the other end of a pair of sockets. A link
 * that has to connect finds no backend: only stage_link gives one its socket.
 */
#ifndef LB_TESTS_H2_STAGE_H
#define LB_TESTS_H2_STAGE_H

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "backends/errand.h"
#include "backends/http2/h2_link.h"
#include "tests/fuzz/expect.h"

struct stage {
    uv_loop_t loop;
    struct loop_context *context;
    struct links *links;
    struct pool_options options;
    struct standing standing;
    struct backend backend; /* without an address */
    struct pool pool;
    uint64_t now_ms;
    int backend_fd; /* the backend's end; -1: it closed */
    bool is_closed; /* links_close is done */
};

static inline uint64_t stage_now_ms(struct deadlines *deadlines)
{
    return ((const struct stage *)deadlines->now_context)->now_ms;
}

static inline void stage_open(struct stage *stage)
{
    struct pool *pools[] = {&stage->pool};
    *stage = (struct stage){.now_ms = 1000, .backend_fd = -1};
    stage->options.protocol = POOL_H2;
    stage->options.connect_timeout = 4000;
    stage->options.idle_links = 1;
    stage->backend.standing = &stage->standing;
    stage->pool.options = &stage->options;
    stage->pool.backends = &stage->backend;
    stage->pool.backend_count = 1;
    EXPECT(uv_loop_init(&stage->loop) == 0);
    stage->context = calloc(1, sizeof *stage->context);
    EXPECT(stage->context != NULL);
    loop_context_init(stage->context, &stage->loop);
    stage->context->deadlines.now_ms = stage_now_ms;
    stage->context->deadlines.now_context = stage;
    stage->links = links_new(stage->context);
    EXPECT(stage->links != NULL);
    links_retain(stage->links, pools, 1);
}

static inline void stage_on_ready(struct connection *connection, int events)
{
    struct link *link = LIST_OWNER(connection, struct link, connection);
    if (link->state == LINK_LENT)
        link->owner->on_ready(link->owner, events);
}

/** The link that could not connect has a backend all the same. */
static inline void stage_link(struct stage *stage, struct link *link)
{
    int ends[2];
    EXPECT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
    stage->backend_fd = ends[1];
    EXPECT(link->state == LINK_CONNECTING && link->failure != 0);
    list_remove(&link->node);
    list_append(&stage->links->others, &link->node);
    link->failure = 0;
    EXPECT(connection_open(&link->connection, stage->context, ends[0], stage_on_ready, NULL));
    link_lend(link);
}

/* What lb says to its backend is read, and nobody looks at it. */
static inline void stage_drain(struct stage *stage)
{
    char bytes[16 * 1024];
    while (stage->backend_fd >= 0 && recv(stage->backend_fd, bytes, sizeof bytes, 0) > 0)
        continue;
}

/** lb reads what came and writes what it has to say. */
static inline void stage_turn(struct stage *stage)
{
    for (unsigned i = 0; i < 2; i++) /* what is read in one turn is answered in the next */
        uv_run(&stage->loop, UV_RUN_NOWAIT);
    stage_drain(stage);
    link_answer_waiting(stage->links); /* the loop's clock would call it a millisecond later */
}

/** The backend says so much, unless lb has closed. */
static inline void stage_say(struct stage *stage, const uint8_t *bytes, size_t length)
{
    while (length > 0 && stage->backend_fd >= 0) {
        ssize_t sent = send(stage->backend_fd, bytes, length, MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN)
            return;
        bytes += sent > 0 ? sent : 0;
        length -= sent > 0 ? (size_t)sent : 0;
        stage_turn(stage);
    }
}

static inline void stage_pass(struct stage *stage, uint64_t ms)
{
    stage->now_ms += ms;
    deadlines_run(&stage->context->deadlines);
}

/** The backend closes. */
static inline void stage_hang_up(struct stage *stage)
{
    close(stage->backend_fd);
    stage->backend_fd = -1;
    stage_turn(stage);
}

static inline void stage_on_closed(void *arg)
{
    ((struct stage *)arg)->is_closed = true;
}

/** Nothing is left behind. */
static inline void stage_close(struct stage *stage)
{
    links_close(stage->links, stage_on_closed, stage);
    for (unsigned i = 0; i < 8 && !stage->is_closed; i++)
        uv_run(&stage->loop, UV_RUN_NOWAIT);
    EXPECT(stage->is_closed);
    EXPECT(stage->context->buffers.lent_count == 0);
    loop_context_close(stage->context);
    uv_run(&stage->loop, UV_RUN_NOWAIT);
    loop_context_done(stage->context);
    free(stage->context);
    EXPECT(uv_loop_close(&stage->loop) == 0);
}

#endif
