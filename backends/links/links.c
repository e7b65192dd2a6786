/* SPDX-License-Identifier: Apache-2.0 */
/* All links of one worker: where idle ones and sessions are kept, for whom, and until when. */
#include <stdlib.h>
#include <string.h>

#include "backends/links/link_parts.h"

struct link_place *links_place(const struct links *links, const struct standing *standing)
{
    struct link_place *place =
        standing->slot < links->place_count ? links->places[standing->slot] : NULL;
    return place && place->standing == standing ? place : NULL;
}

static void links_free(struct links *links)
{
    for (unsigned i = 0; i < links->place_count; i++)
        free(links->places[i]);
    free(links->places);
    free(links);
}

static void on_turn_closed(uv_handle_t *turn)
{
    struct links *links = turn->data;
    void (*closed)(void *arg) = links->closed;
    void *arg = links->closed_arg;
    links_free(links);
    closed(arg);
}

static void on_soon_closed(uv_handle_t *soon)
{
    struct links *links = soon->data;
    uv_close((uv_handle_t *)&links->h2_turn, on_turn_closed);
}

void links_end_when_empty(struct links *links)
{
    uv_handle_t *soon = (uv_handle_t *)&links->soon;
    if (links->closing && links->count == 0 && list_is_empty(&links->unlucky) &&
        !uv_is_closing(soon))
        uv_close(soon, on_soon_closed);
}

unsigned links_idle_count(const struct links *links, const struct backend *backend)
{
    const struct link_place *place = links_place(links, backend->standing);
    return place ? place->idle_count : 0;
}

struct links *links_new(struct loop_context *context)
{
    struct links *links = calloc(1, sizeof *links);
    if (!links)
        return NULL;
    links->context = context;
    link_sessions_init(&links->sessions);
    list_init(&links->others);
    list_init(&links->failed);
    list_init(&links->unlucky);
    list_init(&links->h2_dirty);
    links->h2_frames = (struct http2_frames){.bytes = links->bytes, .room = sizeof links->bytes};
    if (uv_timer_init(context->loop, &links->soon) != 0) {
        links_free(links);
        return NULL;
    }
    links->soon.data = links;
    uv_idle_init(context->loop, &links->h2_turn); /* which cannot fail */
    uv_unref((uv_handle_t *)&links->h2_turn);
    links->h2_turn.data = links;
    return links;
}

/* Nothing of this place is wanted any more. */
static void clear(struct links *links, struct link_place *place)
{
    while (!list_is_empty(&place->idle))
        link_drop(LIST_OWNER(place->idle.next, struct link, node));
    h2_links_retire(place);
    link_sessions_forget_all(&links->sessions, &place->sessions);
}

/* The place of a slot, made when it is not there. NULL: out of memory. */
static struct link_place *make_place(struct links *links, unsigned slot)
{
    if (slot >= links->place_count) {
        unsigned count = 2 * slot + 16;
        struct link_place **places = realloc(links->places, count * sizeof(struct link_place *));
        if (!places)
            return NULL;
        memset(places + links->place_count, 0,
               (count - links->place_count) * sizeof(struct link_place *));
        links->places = places;
        links->place_count = count;
    }
    struct link_place *place = links->places[slot];
    if (!place) {
        place = calloc(1, sizeof *place);
        links->places[slot] = place;
        if (place) {
            list_init(&place->idle);
            list_init(&place->shared);
            list_init(&place->sessions);
        }
    }
    return place;
}

void links_retain(struct links *links, struct pool *const *pools, unsigned pool_count)
{
    links->retained++;
    for (unsigned i = 0; i < pool_count; i++) {
        for (unsigned k = 0; k < pools[i]->backend_count; k++) {
            struct standing *standing = pools[i]->backends[k].standing;
            struct link_place *place = make_place(links, standing->slot);
            if (!place)
                continue; /* nothing is kept */
            if (place->standing != standing)
                clear(links, place);
            place->standing = standing;
            place->retained = links->retained;
        }
    }
    for (unsigned i = 0; i < links->place_count; i++) {
        struct link_place *place = links->places[i];
        if (!place || place->retained == links->retained)
            continue;
        clear(links, place);
        place->standing = NULL;
    }
}

void links_close(struct links *links, void (*closed)(void *arg), void *arg)
{
    links->closing = true;
    links->closed = closed;
    links->closed_arg = arg;
    for (unsigned i = 0; i < links->place_count; i++)
        if (links->places[i])
            clear(links, links->places[i]);
    links_end_when_empty(links);
}
