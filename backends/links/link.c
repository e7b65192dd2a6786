/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of one link. An idle one stays registered for reading: whatever becomes readable then is
 * the backend closing it or speaking out of turn, and both make it useless. Answers to link_borrow
 * that are known at once (a refused connect, no memory) wait for the loop in `failed` and
 * `unlucky`, so that no borrower is called inside its own call.
 */
#include "backends/links/link.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backends/links/link_parts.h"
#include "lb/base/socket.h"

const char *link_outcome_name(enum link_outcome outcome)
{
    switch (outcome) {
    case LINK_READY:
        return "ready";
    case LINK_REFUSED:
        return "refused";
    case LINK_DECLINED:
        return "declined";
    case LINK_UNVERIFIED:
        return "unverified";
    case LINK_LATE:
        return "late";
    case LINK_NO_ROOM:
        return "no room";
    }
    return "";
}

bool link_outcome_blames(enum link_outcome outcome, const struct pool *pool)
{
    switch (outcome) {
    case LINK_READY:
    case LINK_NO_ROOM:
        return false;
    case LINK_REFUSED:
    case LINK_LATE:
        return true;
    case LINK_DECLINED:
    case LINK_UNVERIFIED:
        return pool->options->backend_name != NULL;
    }
    return true;
}

/* What an errno of socket() or connect() says about the wish. */
static enum link_outcome outcome_of(int failure)
{
    if (socket_is_shortage(failure) || failure == ECANCELED) /* … or the worker is ending */
        return LINK_NO_ROOM;
    return failure == ETIMEDOUT ? LINK_LATE : LINK_REFUSED;
}

static void release(struct link *link)
{
    struct links *links = link->links;
    list_remove(&link->node);
    links->count--;
    link_tls_free(link->tls);
    free(link);
    links_end_when_empty(links);
}

static void on_link_closed(struct connection *connection)
{
    release(LIST_OWNER(connection, struct link, connection));
}

void link_drop(struct link *link)
{
    assert(link->state != LINK_GONE);
    if (link->state == LINK_IDLE)
        links_place(link->links, link->standing)->idle_count--;
    deadline_disarm(&link->deadline);
    link->state = LINK_GONE;
    link->owner = NULL;
    if (link->failure != 0) {
        release(link);
        return;
    }
    list_remove(&link->node);
    list_append(&link->links->others, &link->node);
    if (link->connection.ssl)
        connection_finish(&link->connection);
    connection_close(&link->connection, on_link_closed);
}

void link_refuse(struct link *link, enum link_outcome outcome, const char *reason)
{
    struct link_owner *owner = link->owner;
    link_drop(link);
    owner->on_connected(owner, NULL, outcome, reason);
}

void link_lend(struct link *link)
{
    deadline_disarm(&link->deadline);
    link->state = LINK_LENT;
    link->owner->on_connected(link->owner, link, LINK_READY, "connected");
}

static void on_connect_late(struct deadline *deadline)
{
    struct link *link = LIST_OWNER(deadline, struct link, deadline);
    char reason[64];
    snprintf(reason, sizeof reason, "no %s within %ums",
             link->state == LINK_HANDSHAKE ? "TLS handshake" : "connection",
             link->pool->options->connect_timeout);
    link_refuse(link, LINK_LATE, reason);
}

static void on_connect_decided(struct link *link)
{
    int failure = socket_connect_result(link->connection.fd);
    if (failure != 0) {
        link_refuse(link, outcome_of(failure), strerror(failure));
        return;
    }
    if (link->tls) {
        link_tls_begin(link);
        return;
    }
    connection_flush(&link->connection); /* nothing is pending: ends the wait to write */
    link_lend(link);
}

static void on_link_ready(struct connection *connection, int events)
{
    struct link *link = LIST_OWNER(connection, struct link, connection);
    switch (link->state) {
    case LINK_CONNECTING:
        on_connect_decided(link);
        break;
    case LINK_HANDSHAKE:
        link_tls_shake_hands(link);
        break;
    case LINK_LENT:
        link->owner->on_ready(link->owner, events);
        break;
    case LINK_IDLE:
        if (!link->tls || !link_tls_digest(link))
            link_drop(link);
        break;
    case LINK_GONE:
        break;
    }
}

void link_answer_waiting(struct links *links)
{
    struct list_node failed, unlucky;
    /* Who is refused may wish again at once, and be refused again: that waits for the next turn. */
    list_move(&links->failed, &failed);
    list_move(&links->unlucky, &unlucky);
    while (!list_is_empty(&failed)) {
        struct link *link = LIST_OWNER(failed.next, struct link, node);
        link_refuse(link, outcome_of(link->failure), strerror(link->failure));
    }
    while (!list_is_empty(&unlucky)) {
        struct link_owner *owner = LIST_OWNER(unlucky.next, struct link_owner, unlucky);
        list_remove(&owner->unlucky);
        owner->on_connected(owner, NULL, LINK_NO_ROOM, strerror(ENOMEM));
    }
    links_end_when_empty(links);
}

static void on_soon(uv_timer_t *soon)
{
    link_answer_waiting(soon->data);
}

static void call_soon(struct links *links)
{
    /* 0 would call on_soon again in the same turn when it is on_soon that leads here. */
    uv_timer_start(&links->soon, on_soon, 1, 0);
}

/* Begin to connect. returns 0, or the errno that made it impossible. */
static int connect_link(struct link *link)
{
    /* What is meant for TLS is never sent without, and the other way round. */
    if ((link->pool->tls != NULL) != (link->tls != NULL))
        return EPROTO;
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

/* A link for this wish, not yet begun. NULL: out of memory. */
static struct link *link_new(struct links *links, const struct link_wish *wish)
{
    struct link *link = calloc(1, sizeof *link);
    if (!link)
        return NULL;
    if (wish->tls && !(link->tls = link_tls_new(link, wish))) {
        free(link);
        return NULL;
    }
    link->state = LINK_CONNECTING;
    link->links = links;
    link->pool = wish->pool;
    link->backend = wish->backend;
    link->standing = wish->backend->standing;
    link->owner = wish->owner;
    return link;
}

void link_wish_in_vain(struct links *links, struct link_owner *owner)
{
    list_append(&links->unlucky, &owner->unlucky);
    call_soon(links);
}

static struct link *link_open(struct links *links, const struct link_wish *wish)
{
    struct link *link = link_new(links, wish);
    if (!link) {
        link_wish_in_vain(links, wish->owner);
        return NULL;
    }
    links->count++;
    link->failure = connect_link(link);
    list_append(link->failure == 0 ? &links->others : &links->failed, &link->node);
    if (link->failure != 0)
        call_soon(links);
    return link;
}

static struct link *find_idle(const struct links *links, const struct link_wish *wish)
{
    const struct link_place *place = links_place(links, wish->backend->standing);
    if (wish->fresh || !place || list_is_empty(&place->idle))
        return NULL;
    return wish->tls ? link_tls_find_idle(place, wish)
                     : LIST_OWNER(place->idle.next, struct link, node);
}

struct link *link_borrow(struct links *links, const struct link_wish *wish,
                         struct link **ret_pending)
{
    struct link *link = find_idle(links, wish);
    list_init(&wish->owner->unlucky);
    *ret_pending = NULL;
    if (!link) {
        *ret_pending = link_open(links, wish);
        return NULL;
    }
    list_remove(&link->node);
    links_place(links, link->standing)->idle_count--;
    list_append(&links->others, &link->node);
    link->state = LINK_LENT;
    link->pool = wish->pool;
    link->backend = wish->backend;
    link->owner = wish->owner;
    return link;
}

/* Nothing left over that the next exchange could take for its own. */
static bool is_clean(struct link *link)
{
    const struct connection *connection = &link->connection;
    if (link->tls && connection_has_unread(connection) && !link_tls_digest(link))
        return false;
    return !connection->ended && !connection->failed && !connection_has_unread(connection) &&
           connection_pending(connection) == 0;
}

/* Room for one idle link more? With TLS the one that was not used longest makes it: the others may
 * all be for names that nobody asks for any more. */
static bool make_room(struct link_place *place, const struct link *link)
{
    int64_t most = link->pool->options->idle_links;
    if (link->tls && most > 0 && place->idle_count >= most)
        link_drop(LIST_OWNER(place->idle.prev, struct link, node));
    return place->idle_count < most;
}

void link_return(struct link *link)
{
    assert(link->state == LINK_LENT);
    struct links *links = link->links;
    struct link_place *place = links_place(links, link->standing);
    if (links->closing || !place || !is_clean(link) || !make_room(place, link)) {
        link_drop(link);
        return;
    }
    link->exchanges++;
    link->owner = NULL;
    link->pool = NULL;
    link->backend = NULL;
    link->state = LINK_IDLE;
    list_remove(&link->node);
    list_prepend(&place->idle, &link->node);
    place->idle_count++;
    connection_want_read(&link->connection, true);
}

void link_discard(struct link *link)
{
    link_drop(link);
}

void link_forget(struct link_owner *owner)
{
    if (owner->unlucky.next)
        list_remove(&owner->unlucky);
}
