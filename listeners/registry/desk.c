/* SPDX-License-Identifier: Apache-2.0 */
/* Where a loop's jobs come back to it. */
#include "listeners/registry/registry_parts.h"

static struct registry_job *next_done(struct registry_desk *desk)
{
    struct registry_job *job = NULL;
    pthread_mutex_lock(&desk->lock);
    if (!list_is_empty(&desk->done)) {
        job = LIST_OWNER(desk->done.next, struct registry_job, node);
        list_remove(&job->node);
    }
    pthread_mutex_unlock(&desk->lock);
    return job;
}

static void on_wake(uv_async_t *wake)
{
    struct registry_desk *desk = wake->data;
    struct registry_job *job;
    while ((job = next_done(desk)))
        job->done(job);
}

bool registry_desk_open(struct registry_desk *desk, uv_loop_t *loop)
{
    if (uv_async_init(loop, &desk->wake, on_wake) != 0)
        return false;
    desk->wake.data = desk;
    pthread_mutex_init(&desk->lock, NULL);
    list_init(&desk->done);
    desk->is_open = true;
    return true;
}

static void on_desk_closed(uv_handle_t *wake)
{
    struct registry_desk *desk = wake->data;
    pthread_mutex_destroy(&desk->lock);
}

void registry_desk_close(struct registry_desk *desk)
{
    if (!desk->is_open)
        return;
    desk->is_open = false;
    uv_close((uv_handle_t *)&desk->wake, on_desk_closed);
}

void desk_tell(struct registry_job *job)
{
    struct registry_desk *desk = job->desk;
    if (!desk) {
        job->done(job);
        return;
    }
    /* The loop is woken under the lock: who has the job may close the desk. */
    pthread_mutex_lock(&desk->lock);
    list_append(&desk->done, &job->node);
    uv_async_send(&desk->wake);
    pthread_mutex_unlock(&desk->lock);
}

void desk_withdraw(struct registry_job *job)
{
    pthread_mutex_lock(&job->desk->lock);
    list_remove(&job->node);
    pthread_mutex_unlock(&job->desk->lock);
}
