/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/admin/registry/registry_api.h"

#include <stdlib.h>
#include <uv.h>

#include "lb/admin/admin.h"
#include "lb/admin/api.h"
#include "lb/admin/api_desk.h"
#include "lb/admin/registry/registry_call.h"
#include "lb/base/list.h"
#include "lb/base/log.h"
#include "lb/base/timestamp.h"
#include "lb/server/held_signals.h"
#include "listeners/registry/view.h"

/** A call and whom it is for. Freed with the answer. */
struct api_call {
    struct registry_call call;
    struct registry_facts facts;
    struct registry_job job;
    uv_work_t preparing;
    struct api_request *request;
    struct registry *registry;
    char who[API_WHO_BYTES];
};

/* --- the end ------------------------------------------------------------------------------- */

static void log_change(const struct api_call *self)
{
    struct log_line line;
    if (!self->call.event)
        return;
    api_audit(self->request, &line, self->call.event);
    log_text(&line, "subject", self->call.subject);
    if (self->call.serial[0]) {
        log_text(&line, "serial", self->call.serial);
        log_text(&line, "ca", self->call.ca);
    }
    log_end(&line);
}

static void answer(struct api_call *self)
{
    struct api_request *request = self->request;
    struct json_writer writer = self->call.answer;
    unsigned status = self->call.status;
    request->retry_after_s = self->call.retry_after_s;
    self->call.answer = (struct json_writer){0};
    registry_call_done(&self->call);
    registry_facts_done(&self->facts);
    free(self);
    api_answer(request, status, &writer);
}

static int64_t last_seen_ms(const struct api_call *self)
{
    const struct view *view = registry_view(self->registry);
    const struct view_entry *entry = view ? view_find(view, self->call.key) : NULL;
    return entry ? (int64_t)view_last_seen_s(entry) * 1000 : 0;
}

static void on_counted(void *arg, const struct census *census)
{
    struct api_call *self = arg;
    registry_call_tell_census(&self->call, census, last_seen_ms(self));
    answer(self);
}

static void on_applied(void *arg, bool is_in_force, const struct problems *problems)
{
    struct api_call *self = arg;
    registry_call_tell_in_force(&self->call, is_in_force, problems);
    answer(self);
}

/* What only the running lb knows. */
static void tell(struct api_call *self)
{
    struct admin_host *host = self->request->api->host;
    switch (self->call.wait) {
    case CALL_WAITS_FOR_NOTHING:
        answer(self);
        break;
    case CALL_WAITS_FOR_CENSUS:
        host->census(host, self->call.key, on_counted, self);
        break;
    case CALL_WAITS_FOR_IN_FORCE:
        host->apply(host, on_applied, self);
        break;
    }
}

/* --- on other threads ---------------------------------------------------------------------- */

static void run(struct registry_job *job, struct ledger *ledger, enum store_outcome opened,
                const char *why)
{
    struct api_call *self = LIST_OWNER(job, struct api_call, job);
    registry_call_work(&self->call, ledger, opened, why);
}

static void on_run(struct registry_job *job)
{
    struct api_call *self = LIST_OWNER(job, struct api_call, job);
    log_change(self);
    tell(self);
}

static void submit(struct api_call *self)
{
    struct registry_desk *desk = api_desk_of(self->request->api);
    if (!desk) {
        registry_call_refuse_memory(&self->call);
        answer(self);
        return;
    }
    self->job.lane = self->call.kind->lane;
    self->job.desk = desk;
    self->job.run = run;
    self->job.done = on_run;
    registry_submit(self->registry, &self->job);
}

static void prepare(uv_work_t *work)
{
    struct api_call *self = work->data;
    registry_call_prepare(&self->call);
}

static void on_prepared(uv_work_t *work, int status)
{
    struct api_call *self = work->data;
    (void)status; /* it is never cancelled */
    if (self->call.status != 0)
        answer(self); /* a refusal */
    else
        submit(self);
}

/* --- the beginning ------------------------------------------------------------------------- */

static void start(struct api_call *self)
{
    struct api_request *request = self->request;
    if (!registry_call_begin(&self->call, request->query)) {
        answer(self);
    } else if (registry_call_has_prepare(&self->call)) {
        self->preparing.data = self;
        held_signals_hold(); /* the first one starts the pool's threads */
        uv_queue_work(request->api->loop, &self->preparing, prepare, on_prepared);
        held_signals_let_in();
    } else {
        submit(self);
    }
}

static void init_call(struct api_call *self, struct api_request *request)
{
    self->request = request;
    api_who(request, self->who);
    self->call = (struct registry_call){
        .kind = registry_call_kind(request->route),
        .facts = &self->facts,
        .parts = request->parts,
        .json = request->json,
        .actor = {self->who, timestamp_now_ms()},
    };
}

void registry_api_handle(struct api_request *request)
{
    struct admin_host *host = request->api->host;
    struct registry *registry = host->registry ? host->registry(host) : NULL;
    if (!registry) {
        api_refuse(request, 503, "store", "this lb has no registry");
        return;
    }
    struct api_call *self = calloc(1, sizeof *self);
    if (!self) {
        api_refuse(request, 503, "out-of-memory", "out of memory");
        return;
    }
    init_call(self, request);
    self->registry = registry;
    if (registry_facts_make(&self->facts, host->config(host))) {
        start(self);
    } else {
        registry_call_refuse_memory(&self->call);
        answer(self);
    }
}
