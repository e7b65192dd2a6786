/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/commands/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lb/commands/admin_client.h"
#include "lb/commands/arguments.h"
#include "lb/commands/commands.h"
#include "lb/commands/status_view.h"

static const char verb[] = "status";

/* How it is shown. */
struct showing {
    bool json;
    bool watch;
    bool all;
    bool is_terminal;
    bool with_colour;
};

/* https://no-color.org: any value that is not empty. */
static bool wants_colour(void)
{
    const char *no_color = getenv("NO_COLOR");
    const char *term = getenv("TERM");
    return isatty(STDOUT_FILENO) && (!no_color || !*no_color) && term && strcmp(term, "dumb") != 0;
}

/* NULL: err says why there is no answer. */
static json_t *ask(const struct admin_client *client, const struct showing *showing,
                   struct error *err)
{
    struct admin_reply reply;
    char path[64];
    if (showing->all || showing->json)
        snprintf(path, sizeof path, "/v1/status");
    else
        snprintf(path, sizeof path, "/v1/status?rules=%d", STATUS_VIEW_ROWS);
    if (!admin_client_ask(client, "GET", path, ADMIN_CLIENT_ASK_MS, &reply, err))
        return NULL;
    if (reply.status == 200)
        return reply.json;
    error_set(err, "%s", admin_reply_error(&reply));
    json_decref(reply.json);
    return NULL;
}

static void show(const json_t *status, const struct showing *showing)
{
    if (!showing->json) {
        status_view_write(status, showing->all, showing->with_colour, stdout);
        return;
    }
    json_dumpf(status, stdout, showing->watch ? JSON_COMPACT : JSON_INDENT(2));
    putchar('\n');
}

/* A page takes the place of the one before it. */
static void begin_page(const struct showing *showing)
{
    static const char home[] = "\033[H\033[J";
    if (showing->is_terminal && !showing->json)
        fputs(home, stdout);
}

static void show_page(const json_t *status, const struct error *err, const struct showing *showing)
{
    begin_page(showing);
    if (status)
        show(status, showing);
    else
        fprintf(showing->json ? stderr : stdout, "lb %s: %s\n", verb, err->text);
    if (!showing->is_terminal && !showing->json)
        putchar('\n');
}

static bool wait_a_second(void)
{
    bool is_written = fflush(stdout) == 0;
    nanosleep(&(struct timespec){.tv_sec = 1}, NULL);
    return is_written;
}

/* Whoever watches may see a restart: only an lb that is not there at the beginning ends it. */
static int watch(const struct admin_client *client, const struct showing *showing, json_t *status)
{
    struct error err;
    for (;;) {
        show_page(status, &err, showing);
        json_decref(status);
        if (!wait_a_second())
            return COMMAND_FAILED;
        status = ask(client, showing, &err);
    }
}

static int run(const struct admin_client *client, const struct showing *showing)
{
    struct error err;
    json_t *status = ask(client, showing, &err);
    if (!status) {
        fprintf(stderr, "lb %s: %s\n", verb, err.text);
        return COMMAND_FAILED;
    }
    if (showing->watch)
        return watch(client, showing, status);
    show(status, showing);
    json_decref(status);
    return COMMAND_DONE;
}

int command_status(int argc, char **argv)
{
    struct arguments arguments;
    struct admin_client client;
    unsigned takes =
        ARGUMENT_CONFIG | ARGUMENT_ADMIN | ARGUMENT_JSON | ARGUMENT_WATCH | ARGUMENT_ALL;
    if (!arguments_read(&arguments, takes, 0, argc, argv))
        return COMMAND_MISUSED;
    const struct showing showing = {
        .json = (arguments.on & ARGUMENT_JSON) != 0,
        .watch = (arguments.on & ARGUMENT_WATCH) != 0,
        .all = (arguments.on & ARGUMENT_ALL) != 0,
        .is_terminal = isatty(STDOUT_FILENO) != 0,
        .with_colour = wants_colour(),
    };
    int status = admin_client_open(&client, verb, &arguments);
    if (status == COMMAND_DONE)
        status = run(&client, &showing);
    admin_client_done(&client);
    return status;
}
