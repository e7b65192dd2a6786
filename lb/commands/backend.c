/* SPDX-License-Identifier: Apache-2.0 */
/* Gives the order, and with --wait asks until nothing runs there any more. */
#include "lb/commands/backend.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "lb/base/nearest.h"
#include "lb/commands/admin_client.h"
#include "lb/commands/arguments.h"
#include "lb/commands/commands.h"
#include "lb/config/config_sections.h"

static const char verb[] = "backend";

enum { PATH_BYTES = 256, ASK_AGAIN_MS = 200 };

static const struct {
    const char *name;
    const char *done; /* as in "app/rs-1 is drained" */
    bool may_wait;
} orders[] = {
    {"drain", "drained", true},
    {"disable", "disabled", true},
    {"enable", "enabled", false},
};

enum { ORDER_COUNT = sizeof orders / sizeof *orders };

static int find_order(const char *word)
{
    struct nearest nearest = nearest_to(word);
    for (int i = 0; i < ORDER_COUNT; i++) {
        if (strcmp(orders[i].name, word) == 0)
            return i;
        nearest_offer(&nearest, orders[i].name);
    }
    if (nearest.best)
        command_misused(verb, "\"%s\" is nothing to do with a backend: did you mean %s?", word,
                        nearest.best);
    else
        command_misused(verb, "\"%s\" is nothing to do with a backend: drain, disable or enable it",
                        word);
    return -1;
}

/* POOL/NAME, of letters that names have: it becomes a part of a path. */
static bool is_backend(const char *word)
{
    const char *slash = strchr(word, '/');
    size_t length = strlen(word);
    if (slash && slash != word && slash[1] != '\0' && !strchr(slash + 1, '/') &&
        length <= 2 * CONFIG_NAME_BYTES + 1 &&
        strspn(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-/") ==
            length)
        return true;
    command_misused(verb, "\"%s\" is no backend: write POOL/NAME, as in app/rs-1", word);
    return false;
}

static long long active_of(const json_t *reply)
{
    return (long long)json_integer_value(
        json_object_get(json_object_get(reply, "backend"), "active"));
}

static const char *state_of(const json_t *reply)
{
    const char *state =
        json_string_value(json_object_get(json_object_get(reply, "backend"), "state"));
    return state ? state : "unknown";
}

static void tell(const json_t *reply, const char *backend, int order)
{
    bool changed = json_is_true(json_object_get(reply, "changed"));
    long long active = active_of(reply);
    printf("%s is %s%s", backend, orders[order].done, changed ? "" : " already");
    if (!orders[order].may_wait)
        printf("; its state: %s", state_of(reply));
    else if (active > 0)
        printf("; %lld request%s still there", active, active == 1 ? " is" : "s are");
    else
        printf("; no request is there");
    putchar('\n');
    fflush(stdout);
}

static void pause_a_little(void)
{
    nanosleep(&(struct timespec){.tv_nsec = ASK_AGAIN_MS * 1000000L}, NULL);
}

static int wait_until_empty(const struct admin_client *client, const char *backend)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "/v1/backends/%s", backend);
    for (;;) {
        json_t *reply = admin_client_get(client, verb, "GET", path);
        if (!reply)
            return COMMAND_FAILED;
        bool is_out =
            strcmp(state_of(reply), "drained") == 0 || strcmp(state_of(reply), "disabled") == 0;
        long long active = active_of(reply);
        json_decref(reply);
        if (!is_out) {
            fprintf(stderr, "lb %s: %s was enabled meanwhile\n", verb, backend);
            return COMMAND_FAILED;
        }
        if (active == 0) {
            printf("%s: the last request has ended\n", backend);
            return COMMAND_DONE;
        }
        pause_a_little();
    }
}

static int give_order(const struct admin_client *client, int order, const char *backend, bool wait)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "/v1/backends/%s/%s", backend, orders[order].name);
    json_t *reply = admin_client_get(client, verb, "POST", path);
    if (!reply)
        return COMMAND_FAILED;
    tell(reply, backend, order);
    bool is_busy = active_of(reply) > 0;
    json_decref(reply);
    return wait && is_busy ? wait_until_empty(client, backend) : COMMAND_DONE;
}

int command_backend(int argc, char **argv)
{
    struct arguments arguments;
    struct admin_client client;
    if (!arguments_read(&arguments, ARGUMENT_CONFIG | ARGUMENT_ADMIN | ARGUMENT_WAIT, 2, argc,
                        argv))
        return COMMAND_MISUSED;
    if (arguments.word_count < 2)
        return command_misused(
            verb, "say what to do with which backend, as in lb %s drain app/rs-1", verb);
    int order = find_order(arguments.words[0]);
    if (order < 0 || !is_backend(arguments.words[1]))
        return COMMAND_MISUSED;
    bool wait = (arguments.on & ARGUMENT_WAIT) != 0;
    if (wait && !orders[order].may_wait)
        return command_misused(verb, "--wait waits for a backend to be empty: drain or disable it");
    int status = admin_client_open(&client, verb, &arguments);
    if (status == COMMAND_DONE)
        status = give_order(&client, order, arguments.words[1], wait);
    admin_client_done(&client);
    return status;
}
