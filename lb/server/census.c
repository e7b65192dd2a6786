/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/server/census.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "listeners/client.h"

enum {
    SLICE_CLIENTS = 4096, /* looked at in one go; one to two milliseconds */
    SLICE_PAUSE_MS = 1,
};

/** One question, on its way to one worker. */
struct census_visit {
    struct list_node node;
    struct census_inquiry *inquiry;
};

/** One question. */
struct census_inquiry {
    struct list_node node; /* in the desk's `done` */
    struct census_desk *desk;
    unsigned char key[CERTIFICATE_KEY_BYTES];
    census_counted counted;
    void *arg;
    atomic_uint left; /* visits that are not over, and the asking itself */
    uv_mutex_t lock;  /* of the following */
    unsigned client_count;
    unsigned row_count;
    unsigned room;
    struct census_client *rows;
    struct census_visit visits[];
};

/* --- the desk ------------------------------------------------------------------------------ */

void census_desk_init(struct census_desk *desk, uv_async_t *wake)
{
    desk->wake = wake;
    list_init(&desk->done);
    uv_mutex_init(&desk->lock);
}

static void inquiry_free(struct census_inquiry *inquiry)
{
    uv_mutex_destroy(&inquiry->lock);
    free(inquiry->rows);
    free(inquiry);
}

static void inquiry_leave(struct census_inquiry *inquiry)
{
    struct census_desk *desk = inquiry->desk;
    if (atomic_fetch_sub(&inquiry->left, 1) != 1)
        return;
    uv_mutex_lock(&desk->lock);
    list_append(&desk->done, &inquiry->node);
    uv_async_send(desk->wake);
    uv_mutex_unlock(&desk->lock);
}

void census_desk_deliver(struct census_desk *desk)
{
    struct list_node done;
    uv_mutex_lock(&desk->lock);
    list_move(&desk->done, &done);
    uv_mutex_unlock(&desk->lock);
    while (!list_is_empty(&done)) {
        struct census_inquiry *inquiry = LIST_OWNER(done.next, struct census_inquiry, node);
        const struct census census = {
            .client_count = inquiry->client_count,
            .row_count = inquiry->row_count,
            .rows = inquiry->rows,
        };
        list_remove(&inquiry->node);
        inquiry->counted(inquiry->arg, &census);
        inquiry_free(inquiry);
    }
}

void census_desk_done(struct census_desk *desk)
{
    uv_mutex_destroy(&desk->lock);
}

/* --- one worker's clients ------------------------------------------------------------------ */

static bool shows(const struct client *client, const unsigned char key[CERTIFICATE_KEY_BYTES])
{
    const struct identity *identity = client->handshake.identity;
    return client->state == CLIENT_SERVING && identity && identity->has_key &&
           memcmp(identity->key, key, CERTIFICATE_KEY_BYTES) == 0;
}

/* false: they are told already, or out of memory, which costs a row and not the count. */
static bool make_room(struct census_inquiry *inquiry)
{
    if (inquiry->row_count < inquiry->room)
        return true;
    if (inquiry->room >= CENSUS_ROWS_MOST)
        return false;
    unsigned room = inquiry->room ? 2 * inquiry->room : 16;
    if (room > CENSUS_ROWS_MOST)
        room = CENSUS_ROWS_MOST;
    struct census_client *rows = realloc(inquiry->rows, room * sizeof *rows);
    if (!rows)
        return false;
    inquiry->rows = rows;
    inquiry->room = room;
    return true;
}

static void add(struct census_inquiry *inquiry, const struct client *client)
{
    uv_mutex_lock(&inquiry->lock);
    inquiry->client_count++;
    if (make_room(inquiry)) {
        struct census_client *row = &inquiry->rows[inquiry->row_count++];
        const char *sni = client_sni(client);
        *row = (struct census_client){
            .port = client->peer_port, .since_ms = client->since_ms, .requests = client->requests};
        snprintf(row->address, sizeof row->address, "%s", client->peer_host);
        snprintf(row->listener, sizeof row->listener, "%s", client->door->listener->name);
        snprintf(row->sni, sizeof row->sni, "%s", sni ? sni : "");
    }
    uv_mutex_unlock(&inquiry->lock);
}

static struct census_visit *next_visit(struct census_taker *taker)
{
    struct census_visit *visit = NULL;
    uv_mutex_lock(&taker->lock);
    if (!list_is_empty(&taker->waiting)) {
        visit = LIST_OWNER(taker->waiting.next, struct census_visit, node);
        list_remove(&visit->node);
    }
    uv_mutex_unlock(&taker->lock);
    return visit;
}

static void end_visit(struct census_taker *taker)
{
    struct census_inquiry *inquiry = taker->visit->inquiry;
    clients_walk_end(&taker->walk);
    taker->visit = NULL;
    inquiry_leave(inquiry);
}

/* false: there are more than this slice has. */
static bool walk_on(struct census_taker *taker, unsigned *left)
{
    struct census_inquiry *inquiry = taker->visit->inquiry;
    for (; *left > 0; (*left)--) {
        const struct client *client = clients_walk_next(taker->clients, &taker->walk);
        if (!client)
            return true;
        if (shows(client, inquiry->key))
            add(inquiry, client);
    }
    return false;
}

static void on_step(struct deadline *deadline)
{
    census_taker_advance(LIST_OWNER(deadline, struct census_taker, step));
}

void census_taker_advance(struct census_taker *taker)
{
    unsigned left = SLICE_CLIENTS;
    if (taker->step.armed)
        return; /* it has had its slice */
    for (;;) {
        if (!taker->visit) {
            taker->visit = next_visit(taker);
            if (!taker->visit)
                return;
            clients_walk_begin(taker->clients, &taker->walk);
        }
        if (!walk_on(taker, &left))
            break;
        end_visit(taker);
    }
    deadline_arm(&taker->clients->context->deadlines, &taker->step, SLICE_PAUSE_MS, on_step);
}

void census_taker_init(struct census_taker *taker, struct clients *clients, uv_async_t *wake)
{
    *taker = (struct census_taker){.clients = clients, .wake = wake};
    list_init(&taker->waiting);
    uv_mutex_init(&taker->lock);
}

void census_taker_close(struct census_taker *taker)
{
    uv_mutex_lock(&taker->lock);
    taker->is_closed = true;
    uv_mutex_unlock(&taker->lock);
    deadline_disarm(&taker->step);
    if (taker->visit)
        end_visit(taker);
    for (struct census_visit *visit; (visit = next_visit(taker)) != NULL;)
        inquiry_leave(visit->inquiry);
}

void census_taker_done(struct census_taker *taker)
{
    uv_mutex_destroy(&taker->lock);
}

/* --- asking -------------------------------------------------------------------------------- */

static bool send_visit(struct census_taker *taker, struct census_visit *visit)
{
    uv_mutex_lock(&taker->lock);
    bool is_open = !taker->is_closed;
    if (is_open) {
        list_append(&taker->waiting, &visit->node);
        uv_async_send(taker->wake);
    }
    uv_mutex_unlock(&taker->lock);
    return is_open;
}

void census_begin(struct census_desk *desk, struct census_taker *const *takers, unsigned count,
                  const unsigned char key[CERTIFICATE_KEY_BYTES], census_counted counted, void *arg)
{
    struct census_inquiry *inquiry =
        calloc(1, sizeof *inquiry + count * sizeof(struct census_visit));
    if (!inquiry) {
        counted(arg, NULL);
        return;
    }
    inquiry->desk = desk;
    inquiry->counted = counted;
    inquiry->arg = arg;
    memcpy(inquiry->key, key, sizeof inquiry->key);
    atomic_init(&inquiry->left, count + 1);
    uv_mutex_init(&inquiry->lock);
    for (unsigned i = 0; i < count; i++) {
        inquiry->visits[i].inquiry = inquiry;
        if (!send_visit(takers[i], &inquiry->visits[i]))
            inquiry_leave(inquiry);
    }
    inquiry_leave(inquiry);
}
