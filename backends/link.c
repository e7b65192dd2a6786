/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The links of one worker. An idle link stays registered for reading: whatever becomes readable
 * then is the backend closing it or speaking out of turn, and both make it useless. Answers to
 * link_borrow that are known at once (a refused connect, no memory) wait for the loop in `failed`
 * and `unlucky`, so that no borrower is called inside its own call.
 */
#include "backends/link.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lb/base/socket.h"

/* The idle links to one backend. */
struct idle_links {
    struct standing *standing; /* whose; NULL: nobody's, none are kept */
    struct list_node links;    /* most recently used first */
    unsigned count;
    unsigned retained; /* which links_retain wanted it last */
};

struct links {
    struct loop_context *context;
    struct idle_links **idle; /* by the standing's slot; NULL: nobody asked for it yet */
    unsigned idle_count;
    unsigned retained;        /* calls of links_retain */
    struct list_node others;  /* connecting, lent, gone */
    struct list_node failed;  /* connecting, but could not even begin */
    struct list_node unlucky; /* owners whose wish found no memory for a link */
    unsigned count;           /* links of any state */
    uv_timer_t soon;          /* calls those who wait in `failed` and `unlucky` */
    bool closing;
    void (*closed)(void *arg);
    void *closed_arg;
};

const char *link_outcome_name(enum link_outcome outcome)
{
    switch (outcome) {
    case LINK_READY:
        return "ready";
    case LINK_REFUSED:
        return "refused";
    case LINK_LATE:
        return "late";
    case LINK_NO_ROOM:
        return "no room";
    }
    return "";
}

/* What an errno of socket() or connect() says about the wish. */
static enum link_outcome outcome_of(int failure)
{
    switch (failure) {
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
    case EADDRNOTAVAIL: /* no free local port */
    case ECANCELED:     /* the worker is ending */
        return LINK_NO_ROOM;
    case ETIMEDOUT:
        return LINK_LATE;
    default:
        return LINK_REFUSED;
    }
}

/* Where idle links to this backend are; NULL: nowhere, none are kept. */
static struct idle_links *idle_of(const struct links *links, const struct standing *standing)
{
    struct idle_links *idle =
        standing->slot < links->idle_count ? links->idle[standing->slot] : NULL;
    return idle && idle->standing == standing ? idle : NULL;
}

static void links_free(struct links *links)
{
    for (unsigned i = 0; i < links->idle_count; i++)
        free(links->idle[i]);
    free(links->idle);
    free(links);
}

static void on_soon_closed(uv_handle_t *soon)
{
    struct links *links = soon->data;
    void (*closed)(void *arg) = links->closed;
    void *arg = links->closed_arg;
    links_free(links);
    closed(arg);
}

static void end_when_empty(struct links *links)
{
    uv_handle_t *soon = (uv_handle_t *)&links->soon;
    if (links->closing && links->count == 0 && list_is_empty(&links->unlucky) &&
        !uv_is_closing(soon))
        uv_close(soon, on_soon_closed);
}

static void release(struct link *link)
{
    struct links *links = link->links;
    list_remove(&link->node);
    links->count--;
    free(link);
    end_when_empty(links);
}

static void on_link_closed(struct connection *connection)
{
    release(LIST_OWNER(connection, struct link, connection));
}

/* Out of whatever list it is in, and closed. */
static void drop(struct link *link)
{
    assert(link->state != LINK_GONE);
    if (link->state == LINK_IDLE)
        idle_of(link->links, link->standing)->count--;
    deadline_disarm(&link->deadline);
    link->state = LINK_GONE;
    link->owner = NULL;
    if (link->failure != 0) {
        release(link);
        return;
    }
    list_remove(&link->node);
    list_append(&link->links->others, &link->node);
    connection_close(&link->connection, on_link_closed);
}

static void refuse_wish(struct link *link, enum link_outcome outcome, const char *reason)
{
    struct link_owner *owner = link->owner;
    drop(link);
    owner->on_connected(owner, NULL, outcome, reason);
}

static void on_connect_late(struct deadline *deadline)
{
    struct link *link = LIST_OWNER(deadline, struct link, deadline);
    char reason[64];
    snprintf(reason, sizeof reason, "no connection within %ums",
             link->pool->options->connect_timeout);
    refuse_wish(link, LINK_LATE, reason);
}

static void on_connect_decided(struct link *link)
{
    int failure = socket_connect_result(link->connection.fd);
    if (failure != 0) {
        refuse_wish(link, outcome_of(failure), strerror(failure));
        return;
    }
    deadline_disarm(&link->deadline);
    connection_flush(&link->connection); /* nothing is pending: ends the wait to write */
    link->state = LINK_LENT;
    link->owner->on_connected(link->owner, link, LINK_READY, "connected");
}

static void on_link_ready(struct connection *connection, int events)
{
    struct link *link = LIST_OWNER(connection, struct link, connection);
    switch (link->state) {
    case LINK_CONNECTING:
        on_connect_decided(link);
        break;
    case LINK_LENT:
        link->owner->on_ready(link->owner, events);
        break;
    case LINK_IDLE:
        drop(link);
        break;
    case LINK_GONE:
        break;
    }
}

static void on_soon(uv_timer_t *soon)
{
    struct links *links = soon->data;
    struct list_node failed, unlucky;
    /* Who is refused may wish again at once, and be refused again: that waits for the next turn. */
    list_move(&links->failed, &failed);
    list_move(&links->unlucky, &unlucky);
    while (!list_is_empty(&failed)) {
        struct link *link = LIST_OWNER(failed.next, struct link, node);
        refuse_wish(link, outcome_of(link->failure), strerror(link->failure));
    }
    while (!list_is_empty(&unlucky)) {
        struct link_owner *owner = LIST_OWNER(unlucky.next, struct link_owner, unlucky);
        list_remove(&owner->unlucky);
        owner->on_connected(owner, NULL, LINK_NO_ROOM, strerror(ENOMEM));
    }
    end_when_empty(links);
}

static void call_soon(struct links *links)
{
    /* 0 would call on_soon again in the same turn when it is on_soon that leads here. */
    uv_timer_start(&links->soon, on_soon, 1, 0);
}

/* Begin to connect. returns 0, or the errno that made it impossible. */
static int connect_link(struct link *link)
{
    if (link->links->closing)
        return ECANCELED;
    int fd = socket_connect(&link->backend->address);
    if (fd < 0)
        return errno ? errno : EIO;
    struct loop_context *context = link->links->context;
    if (!connection_open(&link->connection, context, fd, on_link_ready, NULL))
        return ENOMEM;
    connection_await_writable(&link->connection);
    deadline_arm(&context->deadlines, &link->deadline, link->pool->options->connect_timeout,
                 on_connect_late);
    return 0;
}

static struct link *link_open(struct links *links, struct pool *pool, struct backend *backend,
                              struct link_owner *owner)
{
    struct link *link = calloc(1, sizeof *link);
    if (!link) {
        list_append(&links->unlucky, &owner->unlucky);
        call_soon(links);
        return NULL;
    }
    link->state = LINK_CONNECTING;
    link->links = links;
    link->pool = pool;
    link->backend = backend;
    link->standing = backend->standing;
    link->owner = owner;
    links->count++;
    link->failure = connect_link(link);
    list_append(link->failure == 0 ? &links->others : &links->failed, &link->node);
    if (link->failure != 0)
        call_soon(links);
    return link;
}

struct link *link_borrow(struct links *links, struct pool *pool, struct backend *backend,
                         struct link_owner *owner, bool fresh, struct link **ret_pending)
{
    struct idle_links *idle = idle_of(links, backend->standing);
    list_init(&owner->unlucky);
    *ret_pending = NULL;
    if (fresh || !idle || list_is_empty(&idle->links)) {
        *ret_pending = link_open(links, pool, backend, owner);
        return NULL;
    }
    struct link *link = LIST_OWNER(idle->links.next, struct link, node);
    list_remove(&link->node);
    idle->count--;
    list_append(&links->others, &link->node);
    link->state = LINK_LENT;
    link->pool = pool;
    link->backend = backend;
    link->owner = owner;
    return link;
}

/* Nothing left over that the next exchange could take for its own. */
static bool is_clean(const struct connection *connection)
{
    return !connection->ended && !connection->failed && !connection_has_unread(connection) &&
           connection_pending(connection) == 0;
}

void link_return(struct link *link)
{
    assert(link->state == LINK_LENT);
    struct links *links = link->links;
    struct idle_links *idle = idle_of(links, link->standing);
    if (links->closing || !idle || !is_clean(&link->connection) ||
        idle->count >= link->pool->options->idle_links) {
        drop(link);
        return;
    }
    link->exchanges++;
    link->owner = NULL;
    link->pool = NULL;
    link->backend = NULL;
    link->state = LINK_IDLE;
    list_remove(&link->node);
    list_prepend(&idle->links, &link->node);
    idle->count++;
    connection_want_read(&link->connection, true);
}

void link_discard(struct link *link)
{
    drop(link);
}

void link_forget(struct link_owner *owner)
{
    if (owner->unlucky.next)
        list_remove(&owner->unlucky);
}

unsigned links_idle_count(const struct links *links, const struct backend *backend)
{
    const struct idle_links *idle = idle_of(links, backend->standing);
    return idle ? idle->count : 0;
}

struct links *links_new(struct loop_context *context)
{
    struct links *links = calloc(1, sizeof *links);
    if (!links)
        return NULL;
    links->context = context;
    list_init(&links->others);
    list_init(&links->failed);
    list_init(&links->unlucky);
    if (uv_timer_init(context->loop, &links->soon) != 0) {
        links_free(links);
        return NULL;
    }
    links->soon.data = links;
    return links;
}

static void drop_all(struct idle_links *idle)
{
    while (!list_is_empty(&idle->links))
        drop(LIST_OWNER(idle->links.next, struct link, node));
}

/* The place of a slot, made when it is not there. NULL: out of memory. */
static struct idle_links *make_place(struct links *links, unsigned slot)
{
    if (slot >= links->idle_count) {
        unsigned count = 2 * slot + 16;
        struct idle_links **idle = realloc(links->idle, count * sizeof(struct idle_links *));
        if (!idle)
            return NULL;
        memset(idle + links->idle_count, 0,
               (count - links->idle_count) * sizeof(struct idle_links *));
        links->idle = idle;
        links->idle_count = count;
    }
    struct idle_links *place = links->idle[slot];
    if (!place) {
        place = calloc(1, sizeof *place);
        links->idle[slot] = place;
        if (place)
            list_init(&place->links);
    }
    return place;
}

void links_retain(struct links *links, struct pool *const *pools, unsigned pool_count)
{
    links->retained++;
    for (unsigned i = 0; i < pool_count; i++) {
        for (unsigned k = 0; k < pools[i]->backend_count; k++) {
            struct standing *standing = pools[i]->backends[k].standing;
            struct idle_links *place = make_place(links, standing->slot);
            if (!place)
                continue; /* none are kept */
            if (place->standing != standing)
                drop_all(place);
            place->standing = standing;
            place->retained = links->retained;
        }
    }
    for (unsigned i = 0; i < links->idle_count; i++) {
        struct idle_links *place = links->idle[i];
        if (!place || place->retained == links->retained)
            continue;
        drop_all(place);
        place->standing = NULL;
    }
}

void links_close(struct links *links, void (*closed)(void *arg), void *arg)
{
    links->closing = true;
    links->closed = closed;
    links->closed_arg = arg;
    for (unsigned i = 0; i < links->idle_count; i++)
        if (links->idle[i])
            drop_all(links->idle[i]);
    end_when_empty(links);
}
