/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Waiting in order of arrival.
 *
 * While a waiter of a pool that has tried nobody waits for any backend, no place that it could have
 * is free: whoever gives one back serves the queue before anyone else gets the lock. So those who
 * come behind it need not even look.
 */
#include "backends/queue.h"

#include <stdlib.h>
#include <string.h>

#include "backends/choice.h"
#include "lb/base/text_map.h"

/* --- desks --------------------------------------------------------------------------------- */

static struct waiter *next_called(struct queue_desk *desk)
{
    struct waiter *waiter = NULL;
    pthread_mutex_lock(&desk->lock);
    if (!list_is_empty(&desk->called)) {
        waiter = LIST_OWNER(desk->called.next, struct waiter, node);
        list_remove(&waiter->node);
        waiter->state = WAITER_AWAY;
        waiter->pool = NULL;
    }
    pthread_mutex_unlock(&desk->lock);
    return waiter;
}

static void on_wake(uv_async_t *wake)
{
    struct queue_desk *desk = wake->data;
    struct waiter *waiter;
    while ((waiter = next_called(desk)))
        waiter->on_called(waiter, waiter->found);
}

bool queue_desk_open(struct queue_desk *desk, uv_loop_t *loop)
{
    if (uv_async_init(loop, &desk->wake, on_wake) != 0)
        return false;
    desk->wake.data = desk;
    pthread_mutex_init(&desk->lock, NULL);
    list_init(&desk->called);
    desk->is_open = true;
    return true;
}

static void on_desk_closed(uv_handle_t *wake)
{
    struct queue_desk *desk = wake->data;
    pthread_mutex_destroy(&desk->lock);
}

void queue_desk_close(struct queue_desk *desk)
{
    if (!desk->is_open)
        return;
    desk->is_open = false;
    uv_close((uv_handle_t *)&desk->wake, on_desk_closed);
}

/* Called with the queue's lock held, so that the waiter cannot leave, nor its desk go, before the
 * loop was woken. The waiter is in no list. */
static void call(struct queue *queue, struct waiter *waiter, int found)
{
    struct queue_desk *desk = waiter->desk;
    atomic_fetch_sub(&queue->waiting, 1);
    pthread_mutex_lock(&desk->lock);
    waiter->found = found;
    waiter->state = WAITER_CALLED;
    list_append(&desk->called, &waiter->node);
    uv_async_send(&desk->wake);
    pthread_mutex_unlock(&desk->lock);
}

/* --- the queue ----------------------------------------------------------------------------- */

struct queue *queues_join(struct queues *queues, const char *pool)
{
    size_t length = strlen(pool);
    uint64_t hash = text_hash((struct slice){pool, length});
    for (struct queue *at = queues->first; at; at = at->next) {
        if (at->hash != hash || strcmp(at->pool, pool) != 0)
            continue;
        at->references++;
        return at;
    }
    struct queue *queue = calloc(1, sizeof *queue + length + 1);
    if (!queue)
        return NULL;
    pthread_mutex_init(&queue->lock, NULL);
    list_init(&queue->open);
    queue->references = 1;
    queue->hash = hash;
    memcpy(queue->pool, pool, length);
    queue->next = queues->first;
    queues->first = queue;
    return queue;
}

void queues_leave(struct queues *queues, struct queue *queue)
{
    if (!queue || --queue->references > 0)
        return;
    struct queue **at = &queues->first;
    while (*at != queue)
        at = &(*at)->next;
    *at = queue->next;
    pthread_mutex_destroy(&queue->lock);
    free(queue);
}

static struct waiter *first_in(const struct list_node *list)
{
    return list_is_empty(list) ? NULL : LIST_OWNER(list->next, struct waiter, node);
}

static struct standing *standing_of(const struct waiter *waiter)
{
    return waiter->pool->backends[waiter->bound].standing;
}

static void remove_waiter(struct waiter *waiter)
{
    list_remove(&waiter->node);
    if (waiter->bound >= 0)
        atomic_fetch_sub(&standing_of(waiter)->bound_count, 1);
}

static void append_waiter(struct queue *queue, struct waiter *waiter)
{
    waiter->state = WAITER_WAITING;
    waiter->ticket = queue->next_ticket++;
    if (waiter->bound < 0) {
        list_append(&queue->open, &waiter->node);
        return;
    }
    list_append(&standing_of(waiter)->bound, &waiter->node);
    atomic_fetch_add(&standing_of(waiter)->bound_count, 1);
}

/* --- serving ------------------------------------------------------------------------------- */

/* A place, as one pool after another names it: waiters may be of a former config's pool. */
struct place {
    const struct backend *freed;
    const struct pool *pool;
    int backend; /* of `pool`; -1: it has none with this standing, or it is not eligible there */
};

static int backend_with(const struct pool *pool, const struct standing *standing)
{
    for (unsigned i = 0; i < pool->backend_count; i++)
        if (pool->backends[i].standing == standing)
            return (int)i;
    return -1;
}

static void see_as(struct place *place, struct pool *pool)
{
    if (place->pool == pool)
        return;
    place->pool = pool;
    place->backend = backend_with(pool, place->freed->standing);
    if (place->backend >= 0 && !pool_is_eligible(pool, (unsigned)place->backend))
        place->backend = -1;
}

static bool may_have(const struct waiter *waiter, struct place *place)
{
    see_as(place, waiter->pool);
    return place->backend >= 0 && !choice_tried(waiter->choice, (unsigned)place->backend);
}

static struct waiter *first_for(const struct queue *queue, struct place *place)
{
    struct waiter *bound = first_in(&place->freed->standing->bound);
    if (bound && !may_have(bound, place))
        bound = NULL; /* queue_review sends it away */
    for (struct list_node *at = queue->open.next; at != &queue->open; at = at->next) {
        struct waiter *waiter = LIST_OWNER(at, struct waiter, node);
        if (bound && bound->ticket < waiter->ticket)
            return bound;
        if (may_have(waiter, place))
            return waiter;
    }
    return bound;
}

/* All places of one backend, to those who came first. */
static void serve(struct queue *queue, struct place place)
{
    struct waiter *waiter;
    while ((waiter = first_for(queue, &place))) {
        see_as(&place, waiter->pool);
        if (!backend_take_place(place.freed))
            return;
        remove_waiter(waiter);
        call(queue, waiter, place.backend);
    }
}

void queue_serve(struct pool *pool, unsigned backend)
{
    pthread_mutex_lock(&pool->queue->lock);
    serve(pool->queue, (struct place){.freed = &pool->backends[backend]});
    pthread_mutex_unlock(&pool->queue->lock);
}

static void call_bound(struct queue *queue, struct standing *standing, const struct pool *pool)
{
    struct list_node *next;
    for (struct list_node *at = standing->bound.next; at != &standing->bound; at = next) {
        struct waiter *waiter = LIST_OWNER(at, struct waiter, node);
        next = at->next;
        if (waiter->pool != pool)
            continue;
        remove_waiter(waiter);
        call(queue, waiter, QUEUE_AGAIN);
    }
}

/* Whoever has tried all that are left now. The control thread is the only one to replace the
 * sequence, so that it may look without the pool's lock. */
static void call_hopeless(struct queue *queue, const struct pool *pool)
{
    struct list_node *next;
    for (struct list_node *at = queue->open.next; at != &queue->open; at = next) {
        struct waiter *waiter = LIST_OWNER(at, struct waiter, node);
        next = at->next;
        if (waiter->pool != pool || choice_has_any_left(waiter->choice, pool->sequence))
            continue;
        remove_waiter(waiter);
        call(queue, waiter, POOL_NONE);
    }
}

void queue_review(struct pool *pool)
{
    struct queue *queue = pool->queue;
    pthread_mutex_lock(&queue->lock);
    for (unsigned i = 0; i < pool->backend_count; i++) {
        struct standing *standing = pool->backends[i].standing;
        if (pool_is_eligible(pool, i))
            serve(queue, (struct place){.freed = &pool->backends[i]});
        else
            call_bound(queue, standing, pool);
    }
    call_hopeless(queue, pool);
    pthread_mutex_unlock(&queue->lock);
}

/* --- joining and leaving ------------------------------------------------------------------- */

/* Is there somebody before it who would have had whatever it could get? */
static bool others_come_first(const struct queue *queue, const struct waiter *waiter)
{
    const struct list_node *list = waiter->bound < 0 ? &queue->open : &standing_of(waiter)->bound;
    if (list_is_empty(list))
        return false;
    const struct waiter *last = LIST_OWNER(list->prev, struct waiter, node);
    return last->pool == waiter->pool && (waiter->bound >= 0 || last->choice->tried_count == 0);
}

int queue_join(struct pool *pool, struct pool_view *view, struct choice *choice,
               struct waiter *waiter)
{
    struct queue *queue = pool->queue;
    int found = POOL_FULL;
    pthread_mutex_lock(&queue->lock);
    unsigned before = atomic_fetch_add(&queue->waiting, 1); /* says so, then looks */
    choice->sequence = pool_view_sequence(pool, view);
    waiter->pool = pool;
    waiter->choice = choice;
    waiter->bound = choice_bound_to(pool, choice);
    if (!choice_has_any_left(choice, choice->sequence))
        found = POOL_NONE;
    else if (!others_come_first(queue, waiter))
        found = choice_take(pool, choice);
    if (found == POOL_FULL && before < (uint64_t)pool->options->max_queue) {
        append_waiter(queue, waiter);
        found = QUEUE_WAITS;
    } else {
        atomic_fetch_sub(&queue->waiting, 1);
        waiter->pool = NULL;
    }
    pthread_mutex_unlock(&queue->lock);
    return found;
}

static void give_up_call(struct waiter *waiter)
{
    struct queue_desk *desk = waiter->desk;
    pthread_mutex_lock(&desk->lock);
    list_remove(&waiter->node);
    pthread_mutex_unlock(&desk->lock);
    if (waiter->found >= 0)
        pool_leave(waiter->pool, (unsigned)waiter->found);
}

void queue_leave(struct waiter *waiter)
{
    if (!waiter->pool)
        return;
    struct queue *queue = waiter->pool->queue;
    pthread_mutex_lock(&queue->lock);
    enum waiter_state state = waiter->state;
    waiter->state = WAITER_AWAY;
    if (state == WAITER_WAITING) {
        remove_waiter(waiter);
        atomic_fetch_sub(&queue->waiting, 1);
    }
    pthread_mutex_unlock(&queue->lock);
    if (state == WAITER_CALLED)
        give_up_call(waiter);
    waiter->pool = NULL;
}
