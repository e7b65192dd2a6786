/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/admin/registry/registry_call.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lb/admin/registry/record_json.h"
#include "lb/admin/reload_order.h"

static const struct call_kind kinds[] = {
#define CALL(method, path, body_bytes, lane, steps) {method, path, lane, &steps},
#include "lb/admin/registry/registry_calls.def"
#undef CALL
};

const struct call_kind *registry_call_kind(const struct api_route *route)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (kinds[i].method == route->method && strcmp(kinds[i].path, route->path) == 0)
            return &kinds[i];
    return NULL;
}

/* --- answering ----------------------------------------------------------------------------- */

struct json_writer *registry_call_answer(struct registry_call *call, unsigned status)
{
    call->status = status;
    writer_object(&call->answer, NULL);
    return &call->answer;
}

void registry_call_end(struct registry_call *call)
{
    writer_end(&call->answer);
    call->wait = CALL_WAITS_FOR_NOTHING;
}

bool registry_call_refuse(struct registry_call *call, unsigned status, const char *reason,
                          const char *format, ...)
{
    char text[ERROR_TEXT_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    writer_done(&call->answer);
    registry_call_answer(call, status);
    writer_object(&call->answer, "error");
    writer_text(&call->answer, "reason", reason);
    writer_text(&call->answer, "text", text);
    writer_end(&call->answer);
    registry_call_end(call);
    return false;
}

bool registry_call_refuse_input(struct registry_call *call, const struct error *err)
{
    return registry_call_refuse_change(call, CHANGE_BAD_INPUT, err);
}

bool registry_call_refuse_memory(struct registry_call *call)
{
    return registry_call_refuse(call, 503, "out-of-memory", "out of memory");
}

bool registry_call_refuse_store(struct registry_call *call, enum store_outcome outcome,
                                const char *why)
{
    if (outcome == STORE_NOTHING)
        return registry_call_refuse(call, 404, "unknown", "%s", why);
    return registry_call_refuse(call, 503, change_refusal_name(CHANGE_STORE), "%s", why);
}

static unsigned status_of(enum change_refusal refusal)
{
    switch (refusal) {
    case CHANGE_MADE:
        return 200;
    case CHANGE_BAD_INPUT:
        return 400;
    case CHANGE_UNKNOWN:
        return 404;
    case CHANGE_AMBIGUOUS:
    case CHANGE_EXISTS:
    case CHANGE_ILLEGAL:
    case CHANGE_CA_DISABLED:
    case CHANGE_QUOTA:
    case CHANGE_BOUND:
    case CHANGE_IN_USE:
        return 409;
    case CHANGE_CA_UNREGISTERED:
    case CHANGE_NOT_OF_CA:
    case CHANGE_UNSERVED_HOST:
        return 422;
    case CHANGE_SIGNUP_LIMIT:
        return 429;
    case CHANGE_STORE:
        return 503;
    }
    return 503;
}

bool registry_call_refuse_change(struct registry_call *call, enum change_refusal refusal,
                                 const struct error *err)
{
    call->retry_after_s = refusal == CHANGE_SIGNUP_LIMIT ? 1 : 0;
    return registry_call_refuse(call, status_of(refusal), change_refusal_name(refusal), "%s",
                                err->text);
}

void registry_call_log(struct registry_call *call, const char *event, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(call->subject, sizeof call->subject, format, arguments);
    va_end(arguments);
    call->event = event;
}

/* --- beginning ----------------------------------------------------------------------------- */

bool registry_call_begin(struct registry_call *call, const char *query)
{
    const struct call_steps *steps = call->kind->steps;
    struct error err;
    if (!api_query_read(&call->query, query, &err) ||
        !api_query_allows(&call->query, steps->keys, &err))
        return registry_call_refuse_input(call, &err);
    if (!call_body_check(steps->fields, call->json, &err))
        return registry_call_refuse_input(call, &err);
    return !steps->begin || steps->begin(call);
}

/* --- the other steps ----------------------------------------------------------------------- */

bool registry_call_has_prepare(const struct registry_call *call)
{
    return call->kind->steps->prepare != NULL;
}

bool registry_call_prepare(struct registry_call *call)
{
    return call->kind->steps->prepare(call);
}

void registry_call_work(struct registry_call *call, struct ledger *ledger,
                        enum store_outcome opened, const char *why)
{
    const struct call_steps *steps = call->kind->steps;
    if (ledger)
        steps->work(call, ledger);
    else if (opened == STORE_MISSING && steps->nothing)
        steps->nothing(call);
    else
        registry_call_refuse_store(call, opened == STORE_NOTHING ? STORE_FAILED : opened, why);
    assert(call->status != 0);
}

void registry_call_tell_census(struct registry_call *call, const struct census *census,
                               int64_t last_seen_ms)
{
    assert(call->wait == CALL_WAITS_FOR_CENSUS);
    record_json_census(&call->answer, census, last_seen_ms);
    registry_call_end(call);
}

void registry_call_tell_in_force(struct registry_call *call, bool is_in_force,
                                 const struct problems *problems)
{
    assert(call->wait == CALL_WAITS_FOR_IN_FORCE);
    if (problems)
        writer_flag(&call->answer, "in_force", is_in_force);
    if (problems && !is_in_force)
        reload_order_write(&call->answer, false, problems);
    registry_call_end(call);
}

void registry_call_done(struct registry_call *call)
{
    if (call->kind && call->kind->steps->done)
        call->kind->steps->done(call);
    api_query_done(&call->query);
    writer_done(&call->answer);
}
