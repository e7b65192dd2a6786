/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/commands/status.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lb/commands/admin_client.h"
#include "lb/commands/arguments.h"
#include "lb/commands/commands.h"
#include "lb/commands/status_view.h"
#include "lb/commands/table.h"

static const char verb[] = "status";

/* How it is shown. */
struct showing {
    bool json;
    bool watch;
    bool all;
    bool is_terminal;
    bool with_colour;
};

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

/* --- interrupted ---------------------------------------------------------------------------- */

/* To interrupt is the way to end it: that is no failure. */
static void on_interrupt(int signal)
{
    (void)signal;
    _exit(COMMAND_DONE);
}

/* The shell's prompt comes below the page, in its own colours. */
static void on_interrupt_at_terminal(int signal)
{
    static const char tidy[] = "\033[m\n";
    (void)signal;
    ssize_t written = write(STDOUT_FILENO, tidy, sizeof tidy - 1);
    _exit(written < 0 ? COMMAND_FAILED : COMMAND_DONE);
}

/* Started with SIGINT ignored (in the background, by a shell without jobs), it goes on with that.
 */
static void end_when_interrupted(const struct showing *showing)
{
    struct sigaction before;
    struct sigaction action = {.sa_handler =
                                   showing->is_terminal ? on_interrupt_at_terminal : on_interrupt};
    if (sigaction(SIGINT, NULL, &before) == 0 && before.sa_handler != SIG_IGN)
        sigaction(SIGINT, &action, NULL);
}

/* Held while a page is written, which is told whole or not at all. */
static void hold_interrupts(bool hold)
{
    sigset_t interrupts;
    sigemptyset(&interrupts);
    sigaddset(&interrupts, SIGINT);
    sigprocmask(hold ? SIG_BLOCK : SIG_UNBLOCK, &interrupts, NULL);
}

/* Whoever watches may see a restart: only an lb that is not there at the beginning ends it. */
static int watch(const struct admin_client *client, const struct showing *showing, json_t *status)
{
    struct error err;
    end_when_interrupted(showing);
    for (;;) {
        hold_interrupts(true);
        show_page(status, &err, showing);
        json_decref(status);
        bool is_written = fflush(stdout) == 0;
        hold_interrupts(false);
        if (!is_written)
            return COMMAND_FAILED;
        nanosleep(&(struct timespec){.tv_sec = 1}, NULL);
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
        .with_colour = tint_is_wanted(),
    };
    int status = admin_client_open(&client, verb, &arguments);
    if (status == COMMAND_DONE)
        status = run(&client, &showing);
    admin_client_done(&client);
    return status;
}
