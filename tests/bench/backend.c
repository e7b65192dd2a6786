/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The backend of the benchmark: answers every HTTP/1.1 request on kept connections, from one epoll
 * in one thread, so cheaply that it is never what holds up whatever is in front of it.
 *
 * It also guards the comparison: a request without the fields named by --require is answered 400,
 * so that a proxy that is told wrongly cannot look fast.
 */
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/bench/argument.h"
#include "tests/bench/backend_link.h"
#include "tests/bench/place.h"

enum {
    EVENTS_AT_ONCE = 256,
    LONGEST_S = 7200,
};

struct backend {
    struct backend_manners manners;
    int epoll; /* links, and `doors` as the one without a link */
    int doors; /* an epoll of the sockets that listen */
    unsigned door_count;
};

static const char usage[] =
    "usage: backend --listen 127.0.0.1:PORT … [--bytes N] [--require FIELD …] [--cpu N]\n"
    "  --listen A   address to answer on; repeatable\n"
    "  --bytes N    length of the answers' body (1024) where the path is not /bytes/N\n"
    "               nor /hold, whose answer begins and does not end\n"
    "  --require F  answer 400 to requests without this field; repeatable\n"
    "  --cpu N      run on this processor only\n"
    "Bodies, of requests and answers, have a Content-Length; answers have at most 1 GiB.\n";

static bool watch(int epoll, int socket, uint32_t what, struct backend_link *link)
{
    struct epoll_event event = {.events = what, .data.ptr = link};
    if (link == NULL)
        event.data.fd = socket;
    return epoll_ctl(epoll, EPOLL_CTL_ADD, socket, &event) == 0;
}

static void receive_link(struct backend *backend)
{
    struct epoll_event door;
    if (epoll_wait(backend->doors, &door, 1, 0) != 1)
        return;
    int socket = accept4(door.data.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    struct backend_link *link = socket >= 0 ? backend_link_new(socket) : NULL;
    if (link != NULL && !watch(backend->epoll, socket, EPOLLIN | EPOLLOUT | EPOLLET, link))
        backend_link_free(link);
}

static void turn(struct backend *backend)
{
    struct epoll_event events[EVENTS_AT_ONCE];
    int count = epoll_wait(backend->epoll, events, EVENTS_AT_ONCE, -1);
    for (int i = 0; i < count; i++) {
        struct backend_link *link = events[i].data.ptr;
        if (link == NULL)
            receive_link(backend);
        else if (!backend_link_serve(&backend->manners, link))
            backend_link_free(link);
    }
}

__attribute__((noreturn)) static void give_up(const char *what)
{
    fprintf(stderr, "backend: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void listen_on(struct backend *backend, const char *text)
{
    struct sockaddr_in address = argument_address("--listen", text);
    int one = 1;
    int door = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    setsockopt(door, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(door, (struct sockaddr *)&address, sizeof address) != 0 || listen(door, 1024) != 0 ||
        !watch(backend->doors, door, EPOLLIN, NULL))
        give_up(text);
    backend->door_count++;
}

static void read_option(struct backend *backend, int key, const char *text)
{
    struct backend_manners *manners = &backend->manners;
    if (key == 'l') {
        listen_on(backend, text);
    } else if (key == 'b') {
        manners->body_bytes = argument_number("--bytes", text, 0, BACKEND_BODY_MOST);
    } else if (key == 'r' && manners->required_count < BACKEND_REQUIRED_MOST) {
        manners->required[manners->required_count++] = text;
    } else if (key == 'c') {
        place_pin("backend", argument_number("--cpu", text, 0, 1023));
    } else {
        fputs(usage, stderr);
        exit(2);
    }
}

static void prepare(struct backend *backend)
{
    place_settle(LONGEST_S);
    place_allow_descriptors(0);
    backend->epoll = epoll_create1(EPOLL_CLOEXEC);
    backend->doors = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    if (epoll_ctl(backend->epoll, EPOLL_CTL_ADD, backend->doors, &event) != 0 ||
        !pattern_init(&backend->manners.pattern))
        give_up("starting");
}

int main(int argc, char **argv)
{
    static const struct option long_options[] = {{"listen", required_argument, NULL, 'l'},
                                                 {"bytes", required_argument, NULL, 'b'},
                                                 {"require", required_argument, NULL, 'r'},
                                                 {"cpu", required_argument, NULL, 'c'},
                                                 {NULL, 0, NULL, 0}};
    struct backend backend = {.manners = {.body_bytes = 1024}};
    prepare(&backend);
    int key;
    while ((key = getopt_long(argc, argv, "", long_options, NULL)) != -1)
        read_option(&backend, key, optarg);
    if (optind < argc || backend.door_count == 0) {
        fputs(usage, stderr);
        return 2;
    }
    for (;;)
        turn(&backend);
}
