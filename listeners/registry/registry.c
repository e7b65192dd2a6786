/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening, closing, and what the lanes do with a job. A job that may change something is told only
 * after the view was brought to what it changed; so is whoever looks at connections (on_worse) or
 * configs (on_cas).
 */
#include <stdlib.h>
#include <string.h>

#include "lb/base/log.h"
#include "lb/base/timestamp.h"
#include "listeners/registry/registry_parts.h"
#include "listeners/registry/view.h"

/* --- lanes --------------------------------------------------------------------------------- */

/* What comes from the lane of bulk work has been run: all that it needs here is the view. */
static void run_change(void *arg, struct registry_job *job)
{
    struct registry *registry = arg;
    struct follower *follower = &registry->follower;
    bool is_run = job->lane == LANE_BULK;
    struct error why = {""};
    enum store_outcome opened = follower_open(follower, is_run ? STORE_WRITE : STORE_MAKE, &why);
    if (!is_run)
        job->run(job, opened == STORE_DONE ? follower->ledger : NULL, opened, why.text);
    follower_follow(follower, registry->seams.monotonic_ms());
    desk_tell(job);
}

static void look(void *arg)
{
    struct registry *registry = arg;
    follower_look(&registry->follower, registry->seams.monotonic_ms());
}

/* With the lane's own ledger, opened where it is not. */
static void run_with(struct registry *registry, struct ledger **ledger, enum store_mode mode,
                     struct registry_job *job)
{
    struct error why = {""};
    enum store_outcome opened = STORE_DONE;
    if (!*ledger)
        opened = registry->seams.open(ledger, registry->location, mode, &why);
    if (opened != STORE_DONE)
        *ledger = NULL;
    job->run(job, *ledger, opened, why.text);
}

/* It comes seldom, and what it has read of the store is no use to the next: nothing stays open. */
static void run_bulk(void *arg, struct registry_job *job)
{
    struct registry *registry = arg;
    struct ledger *ledger = NULL;
    run_with(registry, &ledger, STORE_MAKE, job);
    ledger_close(ledger);
    lane_submit(registry->lanes[LANE_CHANGES], job);
}

static void run_question(void *arg, struct registry_job *job)
{
    struct registry *registry = arg;
    run_with(registry, &registry->questions, STORE_READ, job);
    desk_tell(job);
}

static bool open_lanes(struct registry *registry, struct error *err)
{
    const struct lane_plan plans[LANE_COUNT] = {
        [LANE_CHANGES] = {.name = "lb changes",
                          .run = run_change,
                          .tend = look,
                          .tend_ms = REGISTRY_FOLLOW_MS,
                          .arg = registry},
        [LANE_BULK] = {.name = "lb bulk", .run = run_bulk, .arg = registry},
        [LANE_QUESTIONS] = {.name = "lb questions", .run = run_question, .arg = registry},
    };
    for (int i = 0; i < LANE_COUNT; i++)
        if (!(registry->lanes[i] = lane_open(&plans[i], err)))
            return false;
    return true;
}

/* Bulk work first: it ends on the lane of changes. */
static void close_lanes(struct registry *registry)
{
    lane_close(registry->lanes[LANE_BULK]);
    lane_close(registry->lanes[LANE_CHANGES]);
    lane_close(registry->lanes[LANE_QUESTIONS]);
}

/* --- opening and closing ------------------------------------------------------------------- */

/* What is there becomes the view; nobody is told of it. */
static bool load(struct registry *registry, const struct registry_events *events, struct error *err)
{
    struct follower *follower = &registry->follower;
    int64_t now_ms = registry->seams.monotonic_ms();
    *follower = (struct follower){.location = registry->location,
                                  .open = registry->seams.open,
                                  .view = registry->view,
                                  .next_tidy_ms = now_ms + FOLLOWER_FIRST_TIDY_MS};
    enum store_outcome opened = follower_open(follower, STORE_WRITE, err);
    if (opened != STORE_DONE && opened != STORE_MISSING)
        return false;
    if (opened == STORE_DONE && !follower_catch_up(follower, err))
        return false;
    if (opened == STORE_DONE && !follower->may_write)
        log_say(LOG_LEVEL_WARN, "registry.read-only",
                "%s cannot be written to: nobody signs up, and nothing can be changed",
                registry->location);
    if (events)
        follower->events = *events;
    return true;
}

static void registry_free(struct registry *registry)
{
    follower_close(&registry->follower);
    ledger_close(registry->questions);
    signups_done(&registry->signups);
    view_free(registry->view);
    free(registry->location);
    free(registry);
}

struct registry *registry_open_with(const struct registry_settings *settings,
                                    const struct registry_events *events,
                                    const struct registry_seams *seams, struct error *err)
{
    struct registry *registry = calloc(1, sizeof *registry);
    if (!registry)
        error_out_of_memory();
    registry->seams = *seams;
    registry->location = strdup(settings->location);
    registry->view = view_new();
    if (!signups_init(&registry->signups, settings) || !registry->location || !registry->view)
        error_out_of_memory();
    if (load(registry, events, err) && open_lanes(registry, err))
        return registry;
    close_lanes(registry);
    registry_free(registry);
    return NULL;
}

struct registry *registry_open(const struct registry_settings *settings,
                               const struct registry_events *events, struct error *err)
{
    static const struct registry_seams seams = {
        .open = ledger_open, .enrol = certificate_register, .monotonic_ms = timestamp_monotonic_ms};
    return registry_open_with(settings, events, &seams, err);
}

void registry_set(struct registry *registry, const struct registry_settings *settings)
{
    signups_set(&registry->signups, settings);
}

void registry_close(struct registry *registry)
{
    if (!registry)
        return;
    close_lanes(registry);
    registry_free(registry);
}

const struct view *registry_view(const struct registry *registry)
{
    return registry ? registry->view : NULL;
}

void registry_submit(struct registry *registry, struct registry_job *job)
{
    lane_submit(registry->lanes[job->lane], job);
}
