/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/server/server_counts.h"

#include <time.h>

#include "lb/base/log.h"
#include "lb/config/ca_uses_file.h"
#include "lb/server/held_signals.h"
#include "lb/server/server_state.h"
#include "listeners/access/access_tally.h"
#include "listeners/ca/ca_uses.h"
#include "listeners/tally.h"

/* What a start has read stays, whatever later files say. */
static const char *state_dir_of(const struct server *server)
{
    return server->reload.started.state_dir;
}

/* --- keeping ------------------------------------------------------------------------------- */

/* On a thread of the pool, or with no other thread about. Told once until it works again. */
static void save(struct server *server)
{
    struct error err = {""};
    struct server_counts *counts = &server->counts;
    if (!ca_uses_first(server->services.ca_uses))
        return; /* nobody is asked for certificates */
    bool is_saved = ca_uses_file_save(server->services.ca_uses, state_dir_of(server), &err);
    if (!is_saved && !counts->has_failed)
        log_say(LOG_LEVEL_WARN, "ca-uses.not-kept",
                "which client CAs are in use will be forgotten at the next restart: %s", err.text);
    counts->has_failed = !is_saved;
}

static void on_save(uv_work_t *work)
{
    save(work->data);
}

static void on_saved(uv_work_t *work, int status)
{
    struct server *server = work->data;
    (void)status;
    server->counts.is_saving = false;
}

static void begin_save(struct server *server)
{
    struct server_counts *counts = &server->counts;
    if (counts->is_saving)
        return;
    counts->is_saving = true;
    counts->save.data = server;
    held_signals_hold(); /* the first one starts the pool's threads */
    if (uv_queue_work(&server->loop, &counts->save, on_save, on_saved) != 0)
        counts->is_saving = false;
    held_signals_let_in();
}

static void on_tick(uv_timer_t *timer)
{
    struct server *server = timer->data;
    expiry_watch_look(&server->counts.expiry, server->config, time(NULL));
    begin_save(server);
}

/* --- life ---------------------------------------------------------------------------------- */

void server_counts_init(struct server *server)
{
    uv_timer_init(&server->loop, &server->counts.tick);
    server->counts.tick.data = server;
}

bool server_counts_open(struct server *server, struct error *err)
{
    struct error why = {""};
    server->services.tallies = tallies_new();
    server->services.access_tallies = access_tallies_new();
    server->services.ca_uses = ca_uses_new();
    if (!server->services.tallies || !server->services.access_tallies || !server->services.ca_uses)
        return error_set(err, "out of memory");
    if (!ca_uses_file_load(server->services.ca_uses, state_dir_of(server), &why))
        log_say(LOG_LEVEL_WARN, "ca-uses.not-read",
                "which client CAs are in use is counted from now on only: %s", why.text);
    return true;
}

void server_counts_begin(struct server *server)
{
    ca_uses_settle(server->services.ca_uses);
    expiry_watch_look(&server->counts.expiry, server->config, time(NULL));
    uv_timer_start(&server->counts.tick, on_tick, SERVER_COUNTS_TICK_MS, SERVER_COUNTS_TICK_MS);
}

void server_counts_adopt(struct server *server)
{
    expiry_watch_forget(&server->counts.expiry);
    expiry_watch_look(&server->counts.expiry, server->config, time(NULL));
}

void server_counts_hush(struct server *server)
{
    uv_close((uv_handle_t *)&server->counts.tick, NULL);
}

void server_counts_keep(struct server *server)
{
    if (server->services.ca_uses)
        save(server);
}

void server_counts_close(struct server *server)
{
    tallies_free(server->services.tallies);
    access_tallies_free(server->services.access_tallies);
    ca_uses_free(server->services.ca_uses);
}
