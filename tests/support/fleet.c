/* SPDX-License-Identifier: Apache-2.0 */
/* See fleet.h. */
#include "tests/support/fleet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lb/base/certificate.h"
#include "tests/support/certificates.h"
#include "tests/support/check_main.h"

static void copy(char *into, const char *word)
{
    int length = snprintf(into, FLEET_WORD_BYTES, "%s", word);
    ck_assert_int_lt(length, FLEET_WORD_BYTES);
}

static bool is(const char *one, const char *other)
{
    return strcmp(one, other) == 0;
}

/* --- making them --------------------------------------------------------------------------- */

static void make_device(struct device *device, unsigned number, const struct made *ca,
                        const char *folder)
{
    snprintf(device->name, sizeof device->name, "device-%u", number);
    device->stays = number % 2 == 0;
    struct made *made = made_client(ca, device->name);
    char *serial = certificate_serial_text(made->certificate);
    ck_assert_ptr_nonnull(serial);
    snprintf(device->serial, sizeof device->serial, "%s", serial);
    device->pem = made_certificate_pem(made);
    made_write(made, folder, device->name);
    free(serial);
    made_free(made);
}

void fleet_make(struct fleet *fleet, unsigned count, const char *folder)
{
    ck_assert_uint_le(count, FLEET_MOST);
    *fleet = (struct fleet){.count = count};
    struct made *ca = made_ca("Fleet CA");
    fleet->ca_pem = made_certificate_pem(ca);
    made_write(ca, folder, "fleet-ca");
    for (unsigned i = 0; i < count; i++)
        make_device(&fleet->devices[i], i, ca, folder);
    made_free(ca);
}

void fleet_done(struct fleet *fleet)
{
    for (unsigned i = 0; i < fleet->count; i++)
        free(fleet->devices[i].pem);
    free(fleet->ca_pem);
}

json_t *fleet_ca_body(const struct fleet *fleet)
{
    return json_pack("{s:s, s:s}", "name", "fleet", "pem", fleet->ca_pem);
}

/* --- what may become of them --------------------------------------------------------------- */

unsigned fleet_random(unsigned *seed, unsigned below)
{
    return (unsigned)rand_r(seed) % below;
}

static void turn(const struct device *device, struct device_change *change, const char *method,
                 const char *verb, const char *status)
{
    change->method = method;
    snprintf(change->target, sizeof change->target, "/v1/certificates/%s%s", device->serial, verb);
    copy(change->status, status);
    copy(change->client_id, device->client_id);
}

static void enter(struct device_change *change, unsigned number, const char *status)
{
    change->method = "POST";
    snprintf(change->target, sizeof change->target, "/v1/certificates/register");
    copy(change->status, status);
    snprintf(change->client_id, sizeof change->client_id, "id-%u", number);
}

static void rename_it(const struct device *device, struct device_change *change, unsigned number)
{
    turn(device, change, "PUT", "/client-id", device->status);
    do
        snprintf(change->client_id, sizeof change->client_id, "id-%u", number++);
    while (is(change->client_id, device->client_id));
}

static bool is_out(const struct device *device)
{
    return is(device->status, "") || is(device->status, "DELETED");
}

/* Few are revoked, so that there is always somebody left who may become much. */
bool fleet_choose(const struct device *device, unsigned *seed, struct device_change *change)
{
    unsigned way = fleet_random(seed, 40);
    unsigned number = fleet_random(seed, 100000);
    bool is_revoked = is(device->status, "REVOKED");
    *change = (struct device_change){0};
    if (is_out(device) && device->was_revoked)
        return false;
    if (is_out(device))
        enter(change, number, way < 30 ? "ACTIVATED" : "REGISTERED");
    else if (way < 10 || (is_revoked && (way > 10 || device->stays)))
        rename_it(device, change, number);
    else if (is_revoked)
        turn(device, change, "DELETE", "", "DELETED");
    else if (way == 10)
        turn(device, change, "POST", "/revoke", "REVOKED");
    else if (way < 16 && is(device->status, "NOT_ACTIVATED"))
        turn(device, change, "DELETE", "", "DELETED");
    else if (is(device->status, "ACTIVATED"))
        turn(device, change, "POST", "/deactivate", "NOT_ACTIVATED");
    else
        turn(device, change, "POST", "/activate", "ACTIVATED");
    return true;
}

json_t *fleet_body(const struct device *device, const struct device_change *change)
{
    if (strstr(change->target, "/register"))
        return json_pack("{s:s, s:s, s:b}", "pem", device->pem, "client_id", change->client_id,
                         "activate", is(change->status, "ACTIVATED"));
    if (strstr(change->target, "/client-id"))
        return json_pack("{s:s}", "client_id", change->client_id);
    if (strstr(change->target, "/revoke"))
        return json_pack("{s:b}", "confirm", 1);
    return NULL;
}

void fleet_took(struct device *device, const struct device_change *change)
{
    device->was_revoked = device->was_revoked || is(change->status, "REVOKED");
    copy(device->status, change->status);
    copy(device->client_id, is(change->status, "DELETED") ? "" : change->client_id);
    device->changes++;
}

void fleet_was_imported(struct fleet *fleet)
{
    for (unsigned i = 0; i < fleet->count; i++) {
        copy(fleet->devices[i].status, "ACTIVATED");
        copy(fleet->devices[i].told_status, "ACTIVATED");
    }
}

bool fleet_may_pass(const struct device *device)
{
    return is(device->status, "ACTIVATED");
}

/* --- are they as they have to be? ---------------------------------------------------------- */

static const char *text_of(const json_t *object, const char *member)
{
    const char *text = json_string_value(json_object_get(object, member));
    return text ? text : "";
}

/* What the registry says: "" where it knows no such certificate, or only that it was deleted. */
static void look(const struct device *device, fleet_ask ask, void *arg, char *ret_status,
                 char *ret_client_id)
{
    char path[96];
    json_t *json = NULL;
    snprintf(path, sizeof path, "/v1/certificates/%s", device->serial);
    unsigned status = ask(arg, path, &json);
    ck_assert_msg(status == 200 || status == 404, "%s: %u", path, status);
    const json_t *certificate = json_object_get(json, "certificate");
    copy(ret_status, text_of(certificate, "status"));
    copy(ret_client_id, text_of(certificate, "client_id"));
    if (status == 200) {
        ck_assert_str_eq(text_of(json, "pem"), device->pem);
        ck_assert_str_eq(text_of(certificate, "common_name"), device->name);
        ck_assert_str_eq(text_of(certificate, "ca_name"), "fleet");
    }
    json_decref(json);
}

static bool matches(const char *status, const char *client_id, const char *wanted_status,
                    const char *wanted_client_id)
{
    if (is(wanted_status, "DELETED") || is(wanted_status, ""))
        return is(status, "");
    return is(status, wanted_status) && is(client_id, wanted_client_id);
}

static void check_state(struct device *device, fleet_ask ask, void *arg)
{
    char status[FLEET_WORD_BYTES];
    char client_id[FLEET_WORD_BYTES];
    const struct device_change pending = device->pending;
    device->pending = (struct device_change){0};
    look(device, ask, arg, status, client_id);
    if (matches(status, client_id, device->status, device->client_id))
        return;
    ck_assert_msg(pending.method && matches(status, client_id, pending.status, pending.client_id),
                  "%s is %s with client id \"%s\": %s with \"%s\" was acknowledged%s%s",
                  device->name, status, client_id, device->status, device->client_id,
                  pending.method ? ", asked for was " : "", pending.status);
    fleet_took(device, &pending);
}

static struct device *find(struct fleet *fleet, const char *serial)
{
    for (unsigned i = 0; i < fleet->count; i++)
        if (is(fleet->devices[i].serial, serial))
            return &fleet->devices[i];
    return NULL;
}

static void follow_new(struct device *device, const json_t *change)
{
    ck_assert_str_eq(text_of(change, "before"), device->told_status);
    json_t *after = json_loads(text_of(change, "after"), 0, NULL);
    ck_assert_ptr_nonnull(after);
    copy(device->told_status, text_of(after, "status"));
    copy(device->told_client_id, text_of(after, "client_id"));
    json_decref(after);
}

/* One line of the audit log: it goes on from where the one before it ended. */
static void follow(struct fleet *fleet, const json_t *change)
{
    struct device *device = find(fleet, text_of(change, "serial"));
    const char *action = text_of(change, "action");
    const char *after = text_of(change, "after");
    if (!device)
        return;
    device->told++;
    if (is(action, "certificate.register")) {
        follow_new(device, change);
        return;
    }
    bool is_name = is(action, "certificate.client-id");
    char *told = is_name ? device->told_client_id : device->told_status;
    ck_assert_msg(is(text_of(change, "before"), told), "%s: %s from \"%s\", but it was \"%s\"",
                  device->name, action, text_of(change, "before"), told);
    copy(told, after);
    if (is(after, "DELETED"))
        copy(device->told_client_id, "");
}

/* All that is newer than what was looked at before, the newest first. */
static json_t *read_changes(struct fleet *fleet, fleet_ask ask, void *arg)
{
    json_t *all = json_array();
    long long before = 0;
    do {
        char path[96];
        json_t *json = NULL;
        if (before > 0)
            snprintf(path, sizeof path, "/v1/audit?limit=200&before=%lld", before);
        else
            snprintf(path, sizeof path, "/v1/audit?limit=200");
        ck_assert_uint_eq(ask(arg, path, &json), 200);
        json_array_extend(all, json_object_get(json, "changes"));
        before = json_integer_value(json_object_get(json, "next"));
        json_decref(json);
    } while (before > fleet->last_change);
    return all;
}

static void check_changes(struct fleet *fleet, fleet_ask ask, void *arg)
{
    json_t *changes = read_changes(fleet, ask, arg);
    for (size_t i = json_array_size(changes); i-- > 0;) {
        const json_t *change = json_array_get(changes, i);
        long long id = json_integer_value(json_object_get(change, "id"));
        if (id <= fleet->last_change)
            continue;
        fleet->last_change = id;
        follow(fleet, change);
    }
    json_decref(changes);
}

void fleet_check(struct fleet *fleet, fleet_ask ask, void *arg)
{
    for (unsigned i = 0; i < fleet->count; i++)
        check_state(&fleet->devices[i], ask, arg);
    check_changes(fleet, ask, arg);
    for (unsigned i = 0; i < fleet->count; i++) {
        struct device *device = &fleet->devices[i];
        ck_assert_msg(device->told == device->changes, "%s: %u changes, the audit log tells of %u",
                      device->name, device->changes, device->told);
        ck_assert_str_eq(device->told_status, device->status);
        ck_assert_str_eq(device->told_client_id, device->client_id);
        device->told = device->changes = 0;
    }
}
