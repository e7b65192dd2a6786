/* SPDX-License-Identifier: Apache-2.0 */
/* Listening, accepting and ending of a demo backend; what is answered is in demo_client.c and
 * demo_page.c. */
#include "lb/commands/demo_backend.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lb/base/error.h"
#include "lb/base/socket.h"
#include "lb/commands/commands.h"
#include "lb/commands/demo_client.h"

enum {
    NAME_BYTES_MOST = 63, /* as a backend's name in the INI file */
    BACKLOG = 511,
    CLIENTS_MOST = 10000,  /* lb keeps 64 idle links per worker; a benchmark opens some thousands */
    ACCEPTS_AT_ONCE = 64,  /* so that many arriving clients do not starve those who are there */
    ACCEPT_PAUSE_MS = 100, /* out of descriptors: until some are free again */
};

struct demo {
    uv_loop_t loop;
    struct loop_context context;
    struct demo_clients clients;
    struct address address;
    int listening;
    uv_poll_t arrivals;
    uv_signal_t signals[2];
    struct deadline pause;
    bool ending;
};

/* ---- accepting ---- */

static void on_arrival(uv_poll_t *arrivals, int status, int events);

static void watch_arrivals(struct demo *demo)
{
    if (!demo->ending)
        uv_poll_start(&demo->arrivals, UV_READABLE, on_arrival);
}

static void on_pause_over(struct deadline *deadline)
{
    watch_arrivals(LIST_OWNER(deadline, struct demo, pause));
}

static void pause_arrivals(struct demo *demo)
{
    uv_poll_stop(&demo->arrivals);
    deadline_arm(&demo->context.deadlines, &demo->pause, ACCEPT_PAUSE_MS, on_pause_over);
}

static void on_arrival(uv_poll_t *arrivals, int status, int events)
{
    struct demo *demo = arrivals->data;
    (void)status;
    (void)events;
    for (unsigned i = 0; i < ACCEPTS_AT_ONCE; i++) {
        if (demo->clients.count >= CLIENTS_MOST) {
            pause_arrivals(demo);
            return;
        }
        int fd = socket_accept(demo->listening, NULL);
        if (fd < 0 && socket_is_shortage(errno))
            pause_arrivals(demo);
        if (fd < 0)
            return;
        demo_client_open(&demo->clients, fd);
    }
}

/* ---- ending ---- */

/* The deadlines' timer closes last: until then clients may still use it. */
static void end_when_alone(struct demo *demo)
{
    if (demo->ending && demo->clients.count == 0)
        loop_context_close(&demo->context);
}

static void on_client_gone(struct demo_clients *clients)
{
    end_when_alone(LIST_OWNER(clients, struct demo, clients));
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct demo *demo = handle->data;
    (void)number;
    if (demo->ending)
        return;
    demo->ending = true;
    deadline_disarm(&demo->pause);
    uv_close((uv_handle_t *)&demo->arrivals, NULL);
    for (unsigned i = 0; i < 2; i++)
        uv_close((uv_handle_t *)&demo->signals[i], NULL);
    demo_clients_close(&demo->clients);
    end_when_alone(demo);
}

/* ---- beginning ---- */

static bool refuse_address(const struct demo *demo, struct error *err)
{
    int failure = errno;
    if (demo->listening >= 0)
        close(demo->listening);
    return error_set(err, "cannot listen on %s: %s", demo->address.text, strerror(failure));
}

/* Not socket_listen: its SO_REUSEPORT would let a second demo backend take half of the first one's
 * clients. */
static bool demo_listen(struct demo *demo, struct error *err)
{
    struct sockaddr *address = (struct sockaddr *)&demo->address.storage;
    demo->listening = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (demo->listening < 0)
        return refuse_address(demo, err);
    int on = 1;
    setsockopt(demo->listening, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(demo->listening, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (bind(demo->listening, address, demo->address.length) != 0 ||
        listen(demo->listening, BACKLOG) != 0)
        return refuse_address(demo, err);
    struct sockaddr_storage bound = {0};
    socklen_t length = sizeof bound;
    if (getsockname(demo->listening, (struct sockaddr *)&bound, &length) == 0)
        address_set(&demo->address, (struct sockaddr *)&bound, length);
    return true;
}

static void watch_signals(struct demo *demo)
{
    static const int numbers[2] = {SIGTERM, SIGINT};
    for (unsigned i = 0; i < 2; i++) {
        uv_signal_init(&demo->loop, &demo->signals[i]);
        demo->signals[i].data = demo;
        uv_signal_start(&demo->signals[i], on_signal, numbers[i]);
    }
}

static void demo_run(struct demo *demo, const char *name)
{
    loop_context_init(&demo->context, &demo->loop);
    demo->clients.name = name;
    demo->clients.context = &demo->context;
    demo->clients.on_gone = on_client_gone;
    list_init(&demo->clients.open);
    uv_poll_init(&demo->loop, &demo->arrivals, demo->listening);
    demo->arrivals.data = demo;
    watch_signals(demo);
    watch_arrivals(demo);
    printf("%s listens on http://%s/\n", name, demo->address.text);
    fflush(stdout);
    uv_run(&demo->loop, UV_RUN_DEFAULT);
    loop_context_done(&demo->context);
    close(demo->listening);
}

static int serve(const char *name, const struct address *address)
{
    struct error err = {0};
    struct demo *demo = calloc(1, sizeof *demo);
    int status = COMMAND_FAILED;
    if (!demo || uv_loop_init(&demo->loop) != 0) {
        fprintf(stderr, "lb demo-backend: out of memory or descriptors\n");
        free(demo);
        return status;
    }
    demo->address = *address;
    if (demo_listen(demo, &err)) {
        demo_run(demo, name);
        status = COMMAND_DONE;
    } else {
        fprintf(stderr, "lb demo-backend: %s\n", err.text);
    }
    uv_loop_close(&demo->loop);
    free(demo);
    return status;
}

/* It goes into a header field and a page. */
static bool is_name(const char *text)
{
    size_t length = strlen(text);
    return length > 0 && length <= NAME_BYTES_MOST &&
           strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") ==
               length;
}

int command_demo_backend(int argc, char **argv)
{
    static const char verb[] = "demo-backend";
    struct address address;
    struct error err = {0};
    if (argc != 3)
        return command_misused(verb, "say a name and an address, as in lb %s rs-1 127.0.0.1:8081",
                               verb);
    if (!is_name(argv[1]))
        return command_misused(verb,
                               "\"%s\" is no name: at most %d letters, digits, \".\", \"_\" and "
                               "\"-\", as in rs-1",
                               argv[1], NAME_BYTES_MOST);
    if (!address_parse(&address, argv[2], &err))
        return command_misused(verb, "%s", err.text);
    return serve(argv[1], &address);
}
