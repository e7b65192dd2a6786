/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening, closing, and what the two lanes do with a job. A job of changes is told only after the
 * view was brought to what it changed; so is whoever looks at connections (on_worse) or configs
 * (on_cas).
 */
#include <stdlib.h>
#include <string.h>

#include "lb/base/log.h"
#include "lb/base/timestamp.h"
#include "listeners/registry/registry_parts.h"
#include "listeners/registry/view.h"

/* --- lanes --------------------------------------------------------------------------------- */

static void run_change(void *arg, struct registry_job *job)
{
    struct registry *registry = arg;
    struct follower *follower = &registry->follower;
    struct error why = {""};
    enum store_outcome opened = follower_open(follower, STORE_MAKE, &why);
    job->run(job, opened == STORE_DONE ? follower->ledger : NULL, opened, why.text);
    follower_follow(follower, registry->seams.monotonic_ms());
    desk_tell(job);
}

static void look(void *arg)
{
    struct registry *registry = arg;
    follower_look(&registry->follower, registry->seams.monotonic_ms());
}

static void run_question(void *arg, struct registry_job *job)
{
    struct registry *registry = arg;
    struct error why = {""};
    enum store_outcome opened = STORE_DONE;
    if (!registry->questions)
        opened = registry->seams.open(&registry->questions, registry->location, STORE_READ, &why);
    if (opened != STORE_DONE)
        registry->questions = NULL;
    job->run(job, registry->questions, opened, why.text);
    desk_tell(job);
}

static bool open_lanes(struct registry *registry, struct error *err)
{
    const struct lane_plan changes = {.name = "lb changes",
                                      .run = run_change,
                                      .tend = look,
                                      .tend_ms = REGISTRY_FOLLOW_MS,
                                      .arg = registry};
    const struct lane_plan questions = {
        .name = "lb questions", .run = run_question, .arg = registry};
    registry->lanes[LANE_CHANGES] = lane_open(&changes, err);
    registry->lanes[LANE_QUESTIONS] =
        registry->lanes[LANE_CHANGES] ? lane_open(&questions, err) : NULL;
    return registry->lanes[LANE_QUESTIONS] != NULL;
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
    lane_close(registry->lanes[LANE_CHANGES]);
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
    lane_close(registry->lanes[LANE_CHANGES]);
    lane_close(registry->lanes[LANE_QUESTIONS]);
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
