/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/admin/registry/registry_local.h"

#include <stdlib.h>
#include <string.h>

#include "lb/admin/registry/registry_call.h"
#include "lb/base/timestamp.h"

static enum http_method method_of(const char *name)
{
    static const struct {
        const char *name;
        enum http_method method;
    } methods[] = {
        {"GET", HTTP_GET}, {"POST", HTTP_POST}, {"PUT", HTTP_PUT}, {"DELETE", HTTP_DELETE}};
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        if (strcmp(methods[i].name, name) == 0)
            return methods[i].method;
    return HTTP_OTHER_METHOD;
}

/* What an api_request holds while lb runs. */
struct target {
    struct api_path path;
    const char *parts[API_PARTS_MOST];
    const char *query;
};

/* NULL: it means no call. */
static const struct call_kind *find(struct target *target, const char *method, const char *text)
{
    char allow[64];
    size_t length = strcspn(text, "?");
    target->query = text[length] == '?' ? text + length + 1 : "";
    if (!api_path_read(&target->path, (struct slice){text, length}))
        return NULL;
    const struct api_route *route = api_route_find(api_routes, method_of(method), &target->path,
                                                   target->parts, allow, sizeof allow);
    return route ? registry_call_kind(route) : NULL;
}

static void work(struct registry_call *call)
{
    enum store_mode mode = call->kind->lane == LANE_QUESTIONS ? STORE_READ : STORE_MAKE;
    struct ledger *ledger = NULL;
    struct error why = {""};
    enum store_outcome opened = ledger_open(&ledger, call->facts->location, mode, &why);
    registry_call_work(call, opened == STORE_DONE ? ledger : NULL, opened, why.text);
    ledger_close(ledger);
}

static void make(struct registry_call *call, const char *query)
{
    if (!registry_call_begin(call, query))
        return;
    if (registry_call_has_prepare(call) && !registry_call_prepare(call))
        return;
    work(call);
    switch (call->wait) {
    case CALL_WAITS_FOR_NOTHING:
        break;
    case CALL_WAITS_FOR_CENSUS:
        registry_call_tell_census(call, NULL, 0);
        break;
    case CALL_WAITS_FOR_IN_FORCE:
        registry_call_tell_in_force(call, false, NULL);
        break;
    }
}

static bool answer(struct registry_call *call, unsigned *ret_status, json_t **ret_json)
{
    if (call->answer.has_failed)
        return false;
    *ret_status = call->status;
    *ret_json = json_loadb(call->answer.bytes, call->answer.length, 0, NULL);
    return *ret_json != NULL;
}

bool registry_call_local(const char *method, const char *target, const json_t *body,
                         const struct registry_facts *facts, const char *who, unsigned *ret_status,
                         json_t **ret_json)
{
    struct target found = {0};
    const struct call_kind *kind = find(&found, method, target);
    struct registry_call call = {
        .kind = kind,
        .facts = facts,
        .parts = found.parts,
        .json = body,
        .actor = {who, timestamp_now_ms()},
        .is_local = true,
    };
    if (kind)
        make(&call, found.query);
    else
        registry_call_refuse(&call, 404, "no-such-path", "there is no call %s %.200s", method,
                             target);
    bool good = answer(&call, ret_status, ret_json);
    registry_call_done(&call);
    api_path_done(&found.path);
    return good;
}
