/* SPDX-License-Identifier: Apache-2.0 */
#include "listeners/registry/lane.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lb/base/thread.h"

struct lane {
    struct lane_plan plan;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t has_news;
    struct list_node jobs;
    bool is_closing;
};

static struct timespec in_ms(int ms)
{
    struct timespec then;
    clock_gettime(CLOCK_MONOTONIC, &then);
    then.tv_nsec += (long)(ms % 1000) * 1000000;
    then.tv_sec += ms / 1000 + then.tv_nsec / 1000000000;
    then.tv_nsec %= 1000000000;
    return then;
}

/* The next job, or NULL: it is time to tend, or over. Locked. */
static struct registry_job *wait_for_job(struct lane *lane)
{
    struct timespec until = in_ms(lane->plan.tend_ms);
    int late = 0;
    while (list_is_empty(&lane->jobs) && !lane->is_closing && late == 0)
        late = lane->plan.tend ? pthread_cond_timedwait(&lane->has_news, &lane->lock, &until)
                               : pthread_cond_wait(&lane->has_news, &lane->lock);
    if (list_is_empty(&lane->jobs))
        return NULL;
    struct registry_job *job = LIST_OWNER(lane->jobs.next, struct registry_job, node);
    list_remove(&job->node);
    return job;
}

static void *run_lane(void *argument)
{
    struct lane *lane = argument;
    bool is_over = false;
    pthread_setname_np(pthread_self(), lane->plan.name);
    while (!is_over) {
        pthread_mutex_lock(&lane->lock);
        struct registry_job *job = wait_for_job(lane);
        is_over = !job && lane->is_closing;
        pthread_mutex_unlock(&lane->lock);
        if (job)
            lane->plan.run(lane->plan.arg, job);
        else if (!is_over && lane->plan.tend)
            lane->plan.tend(lane->plan.arg);
    }
    return NULL;
}

static void lane_free(struct lane *lane)
{
    pthread_cond_destroy(&lane->has_news);
    pthread_mutex_destroy(&lane->lock);
    free(lane);
}

struct lane *lane_open(const struct lane_plan *plan, struct error *err)
{
    struct lane *lane = calloc(1, sizeof *lane);
    pthread_condattr_t attributes;
    if (!lane) {
        error_set(err, "out of memory for the registry's threads");
        return NULL;
    }
    lane->plan = *plan;
    list_init(&lane->jobs);
    pthread_mutex_init(&lane->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&lane->has_news, &attributes);
    pthread_condattr_destroy(&attributes);
    int failure = thread_start(&lane->thread, run_lane, lane);
    if (failure == 0)
        return lane;
    error_set(err, "no thread for the registry: %s", strerror(failure));
    lane_free(lane);
    return NULL;
}

void lane_submit(struct lane *lane, struct registry_job *job)
{
    pthread_mutex_lock(&lane->lock);
    list_append(&lane->jobs, &job->node);
    pthread_cond_signal(&lane->has_news);
    pthread_mutex_unlock(&lane->lock);
}

void lane_close(struct lane *lane)
{
    if (!lane)
        return;
    pthread_mutex_lock(&lane->lock);
    lane->is_closing = true;
    pthread_cond_signal(&lane->has_news);
    pthread_mutex_unlock(&lane->lock);
    pthread_join(lane->thread, NULL);
    lane_free(lane);
}
