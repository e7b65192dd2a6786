/* SPDX-License-Identifier: Apache-2.0 */
/* Accepting must go on whatever happens: a full process refuses clients, it does not spin or stop
 * for good. */
#include "lb/server/acceptor.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lb/base/error.h"
#include "lb/base/log.h"
#include "lb/base/socket.h"

enum {
    ACCEPT_TURN = 16,        /* clients accepted per wake-up, so that a flood starves nobody */
    ACCEPT_LAST_MOST = 4096, /* … and before closing: what the kernel's queue may hold */
    ACCEPT_PAUSE_MS = 100,   /* out of descriptors: a later try is the only cure */
};

static void on_readable(uv_poll_t *poll, int status, int events);

static void on_pause_over(struct deadline *deadline)
{
    struct acceptor *acceptor = LIST_OWNER(deadline, struct acceptor, pause);
    uv_poll_start(&acceptor->poll, UV_READABLE, on_readable);
}

static void pause_accepting(struct acceptor *acceptor, int error)
{
    log_say(LOG_LEVEL_ERROR, "listener.full", "%s cannot accept: %s; trying again in %d ms",
            acceptor->door->listener->name, strerror(error), ACCEPT_PAUSE_MS);
    uv_poll_stop(&acceptor->poll);
    deadline_arm(&acceptor->context->deadlines, &acceptor->pause, ACCEPT_PAUSE_MS, on_pause_over);
}

/** false: nobody waits, or nobody can be taken. */
static bool accept_one(struct acceptor *acceptor)
{
    struct address peer;
    int fd = socket_accept(acceptor->fd, &peer);
    if (fd >= 0) {
        acceptor->on_accepted(acceptor, fd, &peer);
        return true;
    }
    int error = errno;
    if (socket_is_shortage(error)) {
        pause_accepting(acceptor, error);
        return false;
    }
    /* The client may have left again (ECONNABORTED): the next one is not to blame. */
    return error == ECONNABORTED || error == EINTR;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct acceptor *acceptor = poll->data;
    (void)status;
    (void)events;
    for (int i = 0; i < ACCEPT_TURN && accept_one(acceptor); i++) {
    }
}

bool acceptor_open(struct acceptor *acceptor, struct loop_context *context, int fd,
                   struct error *err)
{
    acceptor->context = context;
    acceptor->fd = fd;
    acceptor->poll.data = acceptor;
    int result = uv_poll_init(context->loop, &acceptor->poll, fd);
    if (result != 0) {
        close(fd);
        return error_set(err, "listener %s: %s", acceptor->door->listener->name,
                         uv_strerror(result));
    }
    uv_poll_start(&acceptor->poll, UV_READABLE, on_readable); /* fails only while it closes */
    return true;
}

static void on_poll_closed(uv_handle_t *handle)
{
    struct acceptor *acceptor = handle->data;
    close(acceptor->fd);
    acceptor->on_closed(acceptor);
}

void acceptor_close(struct acceptor *acceptor, acceptor_closed on_closed)
{
    for (int i = 0; i < ACCEPT_LAST_MOST && accept_one(acceptor); i++) {
    }
    acceptor->on_closed = on_closed;
    deadline_disarm(&acceptor->pause);
    uv_poll_stop(&acceptor->poll);
    uv_close((uv_handle_t *)&acceptor->poll, on_poll_closed);
}
