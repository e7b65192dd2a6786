/* SPDX-License-Identifier: Apache-2.0 */
/* The beginning of a link that speaks HTTP/2, and those who wait for it. */
#include <stdio.h>
#include <stdlib.h>

#include "backends/http2/h2_link.h"

/* ---- those who wait ---- */

static struct errand *next_waiting(struct h2_link *h2)
{
    struct errand *errand = LIST_OWNER(h2->waiting.next, struct errand, h2.node);
    list_remove(&errand->h2.node);
    h2->waiting_count--;
    errand->ops = NULL;
    errand->link = NULL;
    errand->h2.on = NULL;
    return errand;
}

/* It will not be opened. The reason is kept: who is told may wish anew at once, and its text may be
 * the thread's. */
static void refuse(struct h2_link *h2, enum link_outcome outcome, const char *reason)
{
    h2_link_enter(h2);
    snprintf(h2->trouble, sizeof h2->trouble, "%s", reason);
    h2_link_disconnect(h2);
    while (!list_is_empty(&h2->waiting)) {
        struct errand *errand = next_waiting(h2);
        errand->events->on_connected(errand, outcome, h2->trouble);
    }
    h2_link_leave(h2);
}

static enum link_outcome failed_outcome(const struct h2_link *h2)
{
    if (h2->is_blameless)
        return LINK_NO_ROOM;
    return h2->link->tls ? LINK_DECLINED : LINK_REFUSED;
}

void h2_greeting_fail(struct h2_link *h2, const char *reason)
{
    if (!reason)
        reason = h2->is_greeted ? "the backend closed before it allowed a stream"
                                : "the backend closed before it spoke HTTP/2";
    refuse(h2, failed_outcome(h2), reason);
}

void h2_link_abandon(struct h2_link *h2)
{
    if ((h2->state == H2_CONNECTING || h2->state == H2_GREETING) && h2->waiting_count == 0)
        h2_link_disconnect(h2);
}

void h2_greeting_done(struct h2_link *h2)
{
    if (h2->is_sent_away) { /* right behind the SETTINGS */
        h2_greeting_fail(h2, "the backend allows no streams");
        return;
    }
    if (!h2_link_has_room(h2)) /* later, perhaps */
        return;
    h2->state = H2_OPEN;
    h2->pool = NULL;
    deadline_disarm(&h2->deadline);
    while (!list_is_empty(&h2->waiting)) {
        struct errand *errand = next_waiting(h2);
        if (h2->state == H2_OPEN && h2_link_has_room(h2))
            h2_link_lend(h2, errand);
        else if (!h2_errand_begin(errand, h2->links, &errand->h2.wish))
            continue;
        errand->events->on_connected(errand, LINK_READY, "connected");
    }
    h2_link_rest(h2);
}

/* ---- connecting and greeting ---- */

static void on_greeting_late(struct deadline *deadline)
{
    struct h2_link *h2 = LIST_OWNER(deadline, struct h2_link, deadline);
    char reason[64];
    snprintf(reason, sizeof reason,
             h2->is_greeted ? "the backend allows no streams within %ums"
                            : "no SETTINGS of HTTP/2 within %ums",
             h2->patience_ms);
    refuse(h2, LINK_LATE, reason);
}

/* In the clear, what it speaks shows later. */
static bool may_speak_h2(const struct connection *connection)
{
    return !connection->ssl || connection_chose_h2(connection);
}

static void greet(struct h2_link *h2)
{
    h2->state = H2_GREETING;
    deadline_arm(&h2->links->context->deadlines, &h2->deadline, h2->patience_ms, on_greeting_late);
    h2_output_send(h2);
    h2_link_take_input(h2); /* of what came with the handshake no on_ready tells */
}

static void on_connected(struct link_owner *owner, struct link *link, enum link_outcome outcome,
                         const char *reason)
{
    struct h2_link *h2 = LIST_OWNER(owner, struct h2_link, owner);
    h2_link_enter(h2);
    h2->link = link;
    if (outcome != LINK_READY) {
        refuse(h2, outcome, reason);
    } else if (!may_speak_h2(&link->connection)) {
        refuse(h2, LINK_DECLINED, "the backend does not choose h2 in its TLS handshake (ALPN)");
    } else if (!h2_session_begin(h2)) {
        refuse(h2, LINK_NO_ROOM, "no memory for HTTP/2");
    } else {
        link->pool = NULL; /* it may outlive them */
        link->backend = NULL;
        greet(h2);
    }
    h2_link_leave(h2);
}

struct h2_link *h2_link_new(struct links *links, const struct link_wish *wish)
{
    struct h2_link *h2 = calloc(1, sizeof *h2);
    if (!h2)
        return NULL;
    struct link_place *place = links_place(links, wish->backend->standing);
    struct link_wish own = *wish;
    h2->links = links;
    h2->standing = wish->backend->standing;
    h2->pool = wish->pool;
    h2->scheme = wish->tls ? "https" : "http";
    h2->patience_ms = wish->pool->options->connect_timeout;
    h2->idle_most = wish->pool->options->idle_links;
    list_init(&h2->errands);
    list_init(&h2->waiting);
    list_init(&h2->news);
    h2->owner.on_connected = on_connected;
    h2->owner.on_ready = h2_link_on_ready;
    own.owner = &h2->owner;
    own.fresh = true;
    link_borrow(links, &own, &h2->link);
    h2->is_leaving = !place || links->closing;
    if (!h2->is_leaving)
        list_prepend(&place->shared, &h2->node);
    return h2;
}
