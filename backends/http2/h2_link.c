/* SPDX-License-Identifier: Apache-2.0 */
/* The life of an open link that speaks HTTP/2: lending places, telling errands, ending. */
#include "backends/http2/h2_link.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- memory ---- */

void h2_link_enter(struct h2_link *h2)
{
    h2->busy++;
}

/* Out of its place: nobody finds it any more. */
static void hide(struct h2_link *h2)
{
    h2->is_leaving = true;
    if (list_is_linked(&h2->node))
        list_remove(&h2->node);
}

void h2_link_leave(struct h2_link *h2)
{
    if (--h2->busy > 0 || h2->state != H2_LOST || h2->errand_count > 0 || h2->waiting_count > 0)
        return;
    nghttp2_session_del(h2->session);
    free(h2);
}

void h2_link_disconnect(struct h2_link *h2)
{
    struct link *link = h2->link;
    h2->state = H2_LOST;
    h2->link = NULL;
    hide(h2);
    if (list_is_linked(&h2->dirty))
        list_remove(&h2->dirty);
    deadline_disarm(&h2->deadline);
    if (link)
        link_discard(link);
    else
        link_forget(&h2->owner);
}

/* ---- news ---- */

void h2_link_note(struct h2_link *h2, struct errand *errand)
{
    if (!list_is_linked(&errand->h2.news))
        list_append(&h2->news, &errand->h2.news);
}

void h2_link_tell(struct h2_link *h2)
{
    struct list_node due;
    h2_link_enter(h2);
    /* Who is told may have news at once again: that waits for the next time. */
    list_move(&h2->news, &due);
    while (!list_is_empty(&due)) {
        struct errand *errand = LIST_OWNER(due.next, struct errand, h2.news);
        list_remove(&errand->h2.news);
        errand->events->on_ready(errand, true);
    }
    h2_link_leave(h2);
}

void h2_link_lose(struct h2_link *h2, const char *trouble)
{
    h2_link_enter(h2);
    if (trouble)
        snprintf(h2->trouble, sizeof h2->trouble, "%s", trouble);
    for (struct list_node *at = h2->errands.next; at != &h2->errands; at = at->next) {
        struct errand *errand = LIST_OWNER(at, struct errand, h2.node);
        errand->link = NULL;
        errand->is_stuck = errand->is_stuck || !errand->h2.is_out_ended || errand->h2.out;
        if (!errand->h2.is_closed) {
            errand->h2.fault = trouble ? h2->trouble : NULL;
            errand->is_blameless = h2->is_blameless;
        }
        errand->h2.is_closed = true;
        h2_link_note(h2, errand);
    }
    h2_link_disconnect(h2);
    h2_link_tell(h2);
    h2_link_leave(h2);
}

/* ---- places ---- */

/* Streams that are open at a time, as the backend and lb have it. */
static unsigned streams_most(const struct h2_link *h2)
{
    uint32_t theirs =
        nghttp2_session_get_remote_settings(h2->session, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
    return theirs < HTTP2_LINK_STREAMS_MOST ? theirs : HTTP2_LINK_STREAMS_MOST;
}

bool h2_link_has_room(const struct h2_link *h2)
{
    return h2->errand_count < streams_most(h2) && h2->held_bytes < HTTP2_LINK_HELD_BYTES &&
           nghttp2_session_check_request_allowed(h2->session);
}

bool h2_link_may_serve(struct h2_link *h2, const struct link_wish *wish)
{
    if (h2->is_leaving || h2->is_mute || !h2->link ||
        (wish->tls && !link_tls_serves(h2->link, wish)))
        return false;
    switch (h2->state) {
    case H2_CONNECTING:
    case H2_GREETING:
        return h2->pool == wish->pool && h2->waiting_count < HTTP2_LINK_WAITING_MOST;
    case H2_OPEN:
        return !wish->fresh && h2_link_has_room(h2);
    case H2_LOST:
        break;
    }
    return false;
}

void h2_link_lend(struct h2_link *h2, struct errand *errand)
{
    errand->ops = &h2_errand_ops;
    errand->link = h2->link;
    errand->was_reused = h2->link->exchanges > 0;
    errand->h2.on = h2;
    errand->h2.link_reads = h2->reads;
    h2->link->exchanges++;
    h2->errand_count++;
    list_append(&h2->errands, &errand->h2.node);
    if (h2->is_leaving)
        return;
    struct link_place *place = links_place(h2->links, h2->standing);
    list_remove(&h2->node);
    list_prepend(&place->shared, &h2->node);
}

/* How many of its place carry nothing? */
static int64_t idle_count(const struct link_place *place)
{
    int64_t count = 0;
    for (const struct list_node *at = place->shared.next; at != &place->shared; at = at->next) {
        const struct h2_link *h2 = LIST_OWNER(at, struct h2_link, node);
        count += h2->state == H2_OPEN && h2->errand_count == 0;
    }
    return count;
}

void h2_link_rest(struct h2_link *h2)
{
    if (h2->state != H2_OPEN || h2->errand_count > 0 || h2->waiting_count > 0)
        return;
    if (!h2->is_leaving) {
        const struct link_place *place = links_place(h2->links, h2->standing);
        if (idle_count(place) <= h2->idle_most)
            return;
    }
    nghttp2_session_terminate_session(h2->session, NGHTTP2_NO_ERROR);
    h2_output_send(h2);
    if (h2->state == H2_OPEN)
        h2_link_disconnect(h2);
}

void h2_links_retire(struct link_place *place)
{
    while (!list_is_empty(&place->shared)) {
        struct h2_link *h2 = LIST_OWNER(place->shared.next, struct h2_link, node);
        h2_link_enter(h2);
        hide(h2);
        h2_link_rest(h2);
        h2_link_leave(h2);
    }
}

/* ---- input ---- */

/* Reads of one wake-up: a backend that sends without end must let the worker's others have a turn.
 */
enum { READS_MOST = 4 };

void h2_link_end(struct h2_link *h2, const char *trouble)
{
    if (h2->state == H2_GREETING)
        h2_greeting_fail(h2, trouble);
    else
        h2_link_lose(h2, trouble);
}

void h2_link_review(struct h2_link *h2)
{
    if (h2->state == H2_LOST || nghttp2_session_want_read(h2->session) ||
        nghttp2_session_want_write(h2->session))
        return;
    h2_link_end(h2, h2->is_greeted ? "the backend does not keep the rules of HTTP/2"
                                   : "the backend does not speak HTTP/2");
}

/* What nghttp2 returned instead of going on. */
static const char *why_not_taken(const struct h2_link *h2, ssize_t error)
{
    if (h2->flood)
        return h2->flood;
    if (error == NGHTTP2_ERR_FLOODED) /* acknowledgements that it has to keep */
        return "the backend floods the link with PING or SETTINGS frames";
    return nghttp2_strerror((int)error);
}

static void digest(struct h2_link *h2, size_t length)
{
    const char *bytes = h2->links->bytes;
    h2->reads++;
    ssize_t taken = nghttp2_session_mem_recv(h2->session, (const uint8_t *)bytes, length);
    if (h2->state == H2_GREETING && h2->is_greeted)
        h2_greeting_done(h2);
    else if (h2->state == H2_OPEN && h2->deadline.armed)
        deadline_disarm(&h2->deadline); /* whatever it says, it is there */
    h2_link_tell(h2);
    if (h2->state == H2_LOST)
        return;
    h2->is_blameless = taken == NGHTTP2_ERR_NOMEM;
    if (taken < 0)
        h2_link_end(h2, why_not_taken(h2, taken));
    else
        h2_output_due(h2); /* and h2_link_review with it */
}

void h2_link_take_input(struct h2_link *h2)
{
    struct links *links = h2->links;
    for (unsigned reads = 0; h2->state != H2_LOST; reads++) {
        struct connection *connection = &h2->link->connection;
        size_t got = 0;
        if (reads >= READS_MOST && !connection_has_unread(connection))
            return; /* what is still in the socket wakes us again */
        switch (connection_read(connection, links->bytes, READ_BYTES + RECORD_BYTES, &got)) {
        case IO_DONE:
            digest(h2, got);
            break;
        case IO_AGAIN:
            return;
        case IO_END:
            h2_link_end(h2, NULL);
            return;
        case IO_FAILED:
            h2_link_end(h2, link_failure(h2->link));
            return;
        }
    }
}

void h2_link_on_ready(struct link_owner *owner, int events)
{
    struct h2_link *h2 = LIST_OWNER(owner, struct h2_link, owner);
    struct connection *connection = &h2->link->connection;
    h2_link_enter(h2);
    if (events & CONNECTION_WRITABLE && connection_pending(connection) > 0) {
        connection_flush(connection); /* what it failed for, reading tells */
        h2_output_due(h2);
    }
    h2_link_take_input(h2);
    h2_link_rest(h2);
    h2_link_leave(h2);
}

void h2_link_release(struct h2_link *h2, size_t bytes)
{
    h2->held_bytes -= bytes;
    if (h2->owed_bytes > 0 && h2->held_bytes <= HTTP2_LINK_HELD_BYTES / 2) {
        nghttp2_session_consume_connection(h2->session, h2->owed_bytes);
        h2->owed_bytes = 0;
    }
}

/* ---- is it there? ---- */

static void on_probe_late(struct deadline *deadline)
{
    struct h2_link *h2 = LIST_OWNER(deadline, struct h2_link, deadline);
    h2_link_lose(h2, "the backend does not answer a PING");
}

void h2_link_probe(struct h2_link *h2)
{
    if (h2->state != H2_OPEN || h2->deadline.armed ||
        nghttp2_submit_ping(h2->session, NGHTTP2_FLAG_NONE, NULL) != 0)
        return;
    deadline_arm(&h2->links->context->deadlines, &h2->deadline, h2->patience_ms, on_probe_late);
    h2_output_due(h2);
}
