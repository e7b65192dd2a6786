/* SPDX-License-Identifier: Apache-2.0 */
/* Asks for the reload and tells problems as lb check does. */
#include "lb/commands/reload.h"

#include <stdio.h>

#include "lb/commands/admin_client.h"
#include "lb/commands/arguments.h"
#include "lb/commands/check.h"
#include "lb/commands/commands.h"

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static void write_problems(const json_t *list)
{
    struct problems problems = {0};
    size_t i;
    const json_t *item;
    for (i = 0; (item = json_array_get(list, i)); i++) {
        const char *file = text_of(item, "file");
        unsigned line = (unsigned)json_integer_value(json_object_get(item, "line"));
        if (*text_of(item, "severity") == 'w')
            problems_warn(&problems, file, line, "%s", text_of(item, "text"));
        else
            problems_add(&problems, file, line, "%s", text_of(item, "text"));
    }
    check_write_problems(&problems, stderr);
    problems_done(&problems);
}

static int tell(const struct admin_reply *reply)
{
    switch (reply->status) {
    case 200:
        write_problems(json_object_get(reply->json, "warnings"));
        puts("reloaded: the new config is in force");
        return COMMAND_DONE;
    case 422:
        write_problems(json_object_get(reply->json, "problems"));
        fputs("lb reload: nothing was changed: the config that was in force stays in force\n",
              stderr);
        return COMMAND_FAILED;
    default:
        fprintf(stderr, "lb reload: %s\n", admin_reply_error(reply));
        return COMMAND_FAILED;
    }
}

static int ask(const struct admin_client *client)
{
    struct admin_reply reply;
    struct error err;
    if (!admin_client_ask(client, "POST", "/v1/reload", ADMIN_CLIENT_RELOAD_MS, &reply, &err)) {
        fprintf(stderr, "lb reload: %s\n", err.text);
        return COMMAND_FAILED;
    }
    int status = tell(&reply);
    json_decref(reply.json);
    return status;
}

int command_reload(int argc, char **argv)
{
    struct arguments arguments;
    struct admin_client client;
    if (!arguments_read(&arguments, ARGUMENT_CONFIG | ARGUMENT_ADMIN, 0, argc, argv))
        return COMMAND_MISUSED;
    int status = admin_client_open(&client, "reload", &arguments);
    if (status == COMMAND_DONE)
        status = ask(&client);
    admin_client_done(&client);
    return status;
}
