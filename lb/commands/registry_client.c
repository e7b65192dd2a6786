/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/commands/registry_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lb/admin/registry/registry_local.h"
#include "lb/commands/arguments.h"
#include "lb/commands/commands.h"
#include "lb/commands/registry_settings.h"
#include "lb/config/config.h"
#include "lb/config/places.h"
#include "lb/server/privileges.h"

/* A change may wait for other writers, for the CA's key, for a reload; a question does not. */
enum { CHANGE_MS = ADMIN_CLIENT_RELOAD_MS, QUESTION_MS = ADMIN_CLIENT_ASK_MS };

int registry_client_open(struct registry_client *client, const char *verb,
                         const struct arguments *arguments)
{
    *client = (struct registry_client){.verb = verb};
    /* A key that is made here, a password, and where no lb runs the key of the built-in CA. */
    privileges_guard_secrets();
    char process[REGISTRY_WHO_BYTES];
    registry_who((unsigned)getuid(), (long)getpid(), process);
    snprintf(client->who, sizeof client->who, "%.*s, without lb", REGISTRY_WHO_BYTES - 16, process);
    return admin_client_find(&client->admin, verb, arguments);
}

void registry_client_done(struct registry_client *client)
{
    if (client->has_facts)
        registry_facts_done(&client->facts);
    free(client->user);
    config_free(client->config);
    admin_client_done(&client->admin);
}

int registry_client_tell(const struct registry_client *client, const char *text)
{
    fprintf(stderr, "lb %s: %s\n", client->verb, text);
    return COMMAND_FAILED;
}

/* --- the running lb ------------------------------------------------------------------------- */

static enum admin_outcome ask_lb(const struct registry_client *client, const char *method,
                                 const char *path, const json_t *body,
                                 struct admin_reply *ret_reply, struct error *err)
{
    char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
    if (body && !text) {
        error_set(err, "out of memory");
        return ADMIN_FAILED;
    }
    const struct admin_call call = {
        .method = method,
        .path = path,
        .body = text,
        .body_bytes = text ? strlen(text) : 0,
        .timeout_ms = strcmp(method, "GET") == 0 ? QUESTION_MS : CHANGE_MS,
    };
    enum admin_outcome outcome = admin_client_call(&client->admin, &call, ret_reply, err);
    free(text);
    return outcome;
}

/* --- the store ------------------------------------------------------------------------------ */

/* Which hosts are served, and which CAs are named, only the whole file says. */
static bool needs_config(const char *method, const char *path, const json_t *body)
{
    static const char cas[] = "/v1/cas/", hosts[] = "/hosts";
    size_t length = strlen(path);
    bool is_ca = strncmp(path, cas, strlen(cas)) == 0;
    bool is_hosts = length > strlen(hosts) && strcmp(path + length - strlen(hosts), hosts) == 0;
    bool is_delete = strcmp(method, "DELETE") == 0;
    if (is_hosts)
        return is_ca && !is_delete && json_array_size(json_object_get(body, "hosts")) > 0;
    return is_ca && is_delete;
}

static bool load_config(struct registry_client *client, struct error *err)
{
    const char *file = client->admin.file;
    struct problems problems = {0};
    if (!client->config)
        client->config = config_load(file, &problems);
    if (!client->config) {
        const struct problem *first = NULL;
        problems_sort(&problems);
        for (size_t i = 0; i < problems.count && !first; i++)
            if (!problems.items[i].warning)
                first = &problems.items[i];
        error_set(err,
                  "%s has errors, so that nobody knows which hosts and CAs it serves: %.300s; lb "
                  "check -c %s tells all",
                  file, first ? first->text : "it cannot be loaded", file);
    }
    problems_done(&problems);
    return client->config != NULL;
}

static bool find_facts(struct registry_client *client, bool whole, struct error *err)
{
    if (client->has_facts && (!whole || client->config))
        return true;
    if (whole && !load_config(client, err))
        return false;
    if (client->has_facts)
        registry_facts_done(&client->facts);
    client->has_facts = true;
    if (!client->config)
        return registry_settings_read(&client->facts, &client->user, client->admin.file, err);
    const char *user = client->config->options->user;
    if (user && !client->user && !(client->user = strdup(user)))
        return error_set(err, "out of memory");
    return registry_facts_make(&client->facts, client->config) || error_set(err, "out of memory");
}

static bool ask_store(struct registry_client *client, const char *method, const char *path,
                      const json_t *body, struct admin_reply *ret_reply, struct error *err)
{
    struct stand_in stand_in;
    if (!find_facts(client, needs_config(method, path, body), err))
        return false;
    bool makes = strcmp(method, "GET") != 0;
    if (!places_stand_in(client->user, makes ? client->facts.state_dir : NULL,
                         makes ? client->facts.location : NULL, &stand_in, err))
        return false;
    bool is_answered = registry_call_local(method, path, body, &client->facts, client->who,
                                           &ret_reply->status, &ret_reply->json);
    stand_in_end(&stand_in);
    return is_answered || error_set(err, "out of memory");
}

bool registry_client_ask(struct registry_client *client, const char *method, const char *path,
                         const json_t *body, struct admin_reply *ret_reply, struct error *err)
{
    enum admin_outcome outcome = ADMIN_NOBODY;
    if (!client->admin.address.is_off)
        outcome = ask_lb(client, method, path, body, ret_reply, err);
    switch (outcome) {
    case ADMIN_ANSWERED:
        return true;
    case ADMIN_FAILED:
        return false;
    case ADMIN_NOBODY:
        break;
    }
    /* --admin names a socket, but no store. */
    return client->admin.file && ask_store(client, method, path, body, ret_reply, err);
}

/* The API knows no options. */
static void tell_refusal(const struct registry_client *client, const struct admin_reply *reply)
{
    const json_t *error = json_object_get(reply->json, "error");
    const char *reason = json_string_value(json_object_get(error, "reason"));
    const char *text = admin_reply_error(reply);
    if (reason && strcmp(reason, change_refusal_name(CHANGE_AMBIGUOUS)) == 0)
        fprintf(stderr, "lb %s: %s with --ca\n", client->verb, text);
    else
        registry_client_tell(client, text);
}

json_t *registry_client_get(struct registry_client *client, const char *method, const char *path,
                            const json_t *body)
{
    struct admin_reply reply = {0};
    struct error err = {""};
    if (!registry_client_ask(client, method, path, body, &reply, &err)) {
        registry_client_tell(client, err.text);
        return NULL;
    }
    if (reply.status == 200 || reply.status == 201)
        return reply.json;
    tell_refusal(client, &reply);
    json_decref(reply.json);
    return NULL;
}
