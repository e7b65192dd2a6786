/* SPDX-License-Identifier: Apache-2.0 */
#include "listeners/inspection.h"

#include "lb/base/log.h"
#include "listeners/client.h"
#include "listeners/identity.h"
#include "listeners/objection.h"

enum {
    /* A slice: so many clients are looked at, or the sixteenth part closed. Measured: 0.5 µs and
     * 20 µs for each, so 1 to 3 ms. */
    SLICE_COST = 2048,
    CLOSE_COST = 16,
    SLICE_PAUSE_MS = 1,
    /* Closed clients told one by one: whose CA was disabled may be a hundred thousand. */
    TOLD_MOST = 1000,
};

static time_t wall_clock(void *argument)
{
    (void)argument;
    return time(NULL);
}

static struct deadlines *deadlines_of(struct inspection *inspection)
{
    return &inspection->clients->context->deadlines;
}

/* --- ends ---------------------------------------------------------------------------------- */

time_t inspection_end_of(const struct identity *identity)
{
    time_t earliest = 0;
    for (unsigned i = 0; i < identity->result_count; i++) {
        const struct ca_set_result *result = &identity->results[i];
        if (result->refusal == REFUSAL_NONE && (!earliest || result->valid_until < earliest))
            earliest = result->valid_until;
    }
    return earliest;
}

static void on_tick(struct deadline *deadline)
{
    struct inspection *inspection = LIST_OWNER(deadline, struct inspection, tick);
    if (inspection->earliest_end == 0)
        return;
    if (inspection->now(inspection->now_argument) >= inspection->earliest_end)
        inspection_ask(inspection);
    if (inspection->earliest_end != 0 && !deadline->armed)
        deadline_arm(deadlines_of(inspection), deadline, INSPECTION_TICK_MS, on_tick);
}

static void expect_end(struct inspection *inspection, time_t end)
{
    if (end == 0)
        return;
    if (inspection->earliest_end == 0 || end < inspection->earliest_end)
        inspection->earliest_end = end;
    if (!inspection->tick.armed)
        deadline_arm(deadlines_of(inspection), &inspection->tick, INSPECTION_TICK_MS, on_tick);
}

void inspection_add(struct inspection *inspection, const struct client *client)
{
    if (client->handshake.identity)
        expect_end(inspection, inspection_end_of(client->handshake.identity));
}

/* --- walking ------------------------------------------------------------------------------- */

/* Whoever came although a CA's list names it was let in all the same, by rules that do not ask for
 * a certificate or not for lists: it stays, however often lists change. */
static enum refusal news_of(struct client *client, time_t now)
{
    enum refusal refusal =
        identity_objection(client->door->listener, client->handshake.identity, now);
    if (refusal == REFUSAL_CRL_REVOKED && client->came_revoked)
        return REFUSAL_NONE;
    client->came_revoked = false;
    return refusal;
}

/* Why this one may not stay. Who is still in the handshake is judged there; who signs up, when his
 * request is taken up again: he is to get an answer. */
static enum refusal objection(struct inspection *inspection, struct client *client, time_t now)
{
    struct identity *identity = client->handshake.identity;
    if (!identity || client->shaking || client->signup || client->connection.closing)
        return REFUSAL_NONE;
    enum refusal refusal = news_of(client, now);
    if (refusal != REFUSAL_NONE)
        return refusal;
    time_t end = inspection_end_of(identity);
    if (end != 0 && now >= end)
        return REFUSAL_EXPIRED;
    expect_end(inspection, end);
    return REFUSAL_NONE;
}

static void log_untold(const struct inspection *inspection)
{
    if (inspection->closed_count > TOLD_MOST)
        log_say(LOG_LEVEL_WARN, "client.closed", "%u more for the same reasons",
                inspection->closed_count - TOLD_MOST);
}

static void on_step(struct deadline *deadline);

static void finish(struct inspection *inspection)
{
    clients_walk_end(&inspection->walk);
    inspection->is_walking = false;
    log_untold(inspection);
    if (inspection->is_wanted_again) {
        inspection->is_wanted_again = false;
        inspection_ask(inspection);
    }
}

static void walk_on(struct inspection *inspection)
{
    time_t now = inspection->now(inspection->now_argument);
    int left = SLICE_COST;
    while (left > 0) {
        struct client *client = clients_walk_next(inspection->clients, &inspection->walk);
        if (!client) {
            finish(inspection);
            return;
        }
        enum refusal refusal = objection(inspection, client, now);
        left--;
        if (refusal != REFUSAL_NONE) {
            client_expel(client, refusal, inspection->closed_count++ < TOLD_MOST);
            left -= CLOSE_COST;
        }
    }
    deadline_arm(deadlines_of(inspection), &inspection->step, SLICE_PAUSE_MS, on_step);
}

static void begin(struct inspection *inspection)
{
    struct deadlines *deadlines = deadlines_of(inspection);
    inspection->begun_ms = deadlines->now_ms(deadlines);
    inspection->has_walked = true;
    inspection->is_walking = true;
    inspection->closed_count = 0;
    inspection->earliest_end = 0; /* found anew on the way */
    clients_walk_begin(inspection->clients, &inspection->walk);
    walk_on(inspection);
}

static void on_step(struct deadline *deadline)
{
    struct inspection *inspection = LIST_OWNER(deadline, struct inspection, step);
    if (inspection->is_walking)
        walk_on(inspection);
    else
        begin(inspection);
}

void inspection_ask(struct inspection *inspection)
{
    struct deadlines *deadlines = deadlines_of(inspection);
    if (inspection->is_walking)
        inspection->is_wanted_again = true;
    else if (inspection->step.armed)
        return;
    else if (inspection->has_walked &&
             deadlines->now_ms(deadlines) < inspection->begun_ms + INSPECTION_PAUSE_MS)
        deadline_arm(deadlines, &inspection->step, INSPECTION_PAUSE_MS, on_step);
    else
        begin(inspection);
}

void inspection_init(struct inspection *inspection, struct clients *clients)
{
    *inspection = (struct inspection){.clients = clients, .now = wall_clock};
}
