/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The backend of the benchmark: answers every HTTP/1.1 request on kept connections with the same
 * bytes, from one epoll, with one read and one send each. A request body is skipped by its
 * Content-Length.
 *
 * It also guards the comparison: a request without the fields named by --require is answered 400,
 * so that a proxy that is told wrongly cannot look fast.
 */
#include <errno.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/bench/argument.h"

enum {
    HEAD_BYTES = 8192,
    MOST_REQUIRED = 16,
    MOST_LISTENING = 1024,
    EVENTS_AT_ONCE = 256,
    LONGEST_SECONDS = 7200, /* a forgotten backend ends by itself */
};

struct backend {
    int epoll;
    char *answer;
    size_t answer_bytes;
    const char *required[MOST_REQUIRED];
    unsigned required_count;
    unsigned listening_count;
};

struct connection {
    int socket;
    bool listens;
    size_t held_bytes;    /* of a head that is not complete */
    size_t skipped_bytes; /* of a body that is still to come */
    size_t unsent_bytes;  /* of the answer on its way */
    char held[HEAD_BYTES + 1];
};

static const char refusal[] =
    "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

static const char usage[] =
    "usage: backend --listen 127.0.0.1:PORT … [--bytes N] [--require FIELD …] [--cpu N]\n"
    "  --listen A   address to answer on; repeatable\n"
    "  --bytes N    length of the answers' body (1024)\n"
    "  --require F  answer 400 to requests without this field; repeatable\n"
    "  --cpu N      run on this processor only\n";

static bool watch(struct backend *backend, struct connection *connection)
{
    uint32_t events = connection->listens ? EPOLLIN : EPOLLIN | EPOLLOUT | EPOLLET;
    struct epoll_event event = {.events = events, .data.ptr = connection};
    return epoll_ctl(backend->epoll, EPOLL_CTL_ADD, connection->socket, &event) == 0;
}

static void end(struct connection *connection)
{
    close(connection->socket);
    free(connection);
}

static void receive_connection(struct backend *backend, int listening)
{
    int socket = accept4(listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (socket < 0)
        return;
    int one = 1;
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    struct connection *connection = calloc(1, sizeof *connection);
    if (connection == NULL) {
        close(socket);
        return;
    }
    connection->socket = socket;
    if (!watch(backend, connection))
        end(connection);
}

/* false: the connection is lost. */
static bool send_answer(const struct backend *backend, struct connection *connection)
{
    while (connection->unsent_bytes > 0) {
        const char *from = backend->answer + backend->answer_bytes - connection->unsent_bytes;
        ssize_t sent = send(connection->socket, from, connection->unsent_bytes, MSG_NOSIGNAL);
        if (sent < 0)
            return errno == EAGAIN || errno == EINTR;
        connection->unsent_bytes -= (size_t)sent;
    }
    return true;
}

static bool has_required(const struct backend *backend, const char *head)
{
    for (unsigned i = 0; i < backend->required_count; i++) {
        const char *found = strcasestr(head, backend->required[i]);
        if (found == NULL || found[strlen(backend->required[i])] != ':')
            return false;
    }
    return true;
}

/* The head of a request ends at `bytes`. false: the connection must end. */
static bool answer_head(const struct backend *backend, struct connection *connection, size_t bytes)
{
    char after = connection->held[bytes];
    connection->held[bytes] = '\0';
    const char *length = strcasestr(connection->held, "\r\nContent-Length:");
    connection->skipped_bytes = length != NULL ? strtoul(length + 17, NULL, 10) : 0;
    bool good = has_required(backend, connection->held);
    connection->held[bytes] = after;
    if (!good) {
        ssize_t sent = send(connection->socket, refusal, sizeof refusal - 1, MSG_NOSIGNAL);
        (void)sent; /* it is closed either way */
        return false;
    }
    connection->unsent_bytes = backend->answer_bytes;
    return send_answer(backend, connection);
}

static void skip_body(struct connection *connection)
{
    size_t skipped = connection->skipped_bytes < connection->held_bytes ? connection->skipped_bytes
                                                                        : connection->held_bytes;
    connection->skipped_bytes -= skipped;
    connection->held_bytes -= skipped;
    memmove(connection->held, connection->held + skipped, connection->held_bytes);
}

static bool answer_held(const struct backend *backend, struct connection *connection)
{
    while (connection->held_bytes > 0 && connection->unsent_bytes == 0) {
        skip_body(connection);
        const char *end_of_head = memmem(connection->held, connection->held_bytes, "\r\n\r\n", 4);
        if (end_of_head == NULL)
            return connection->held_bytes < HEAD_BYTES;
        size_t head_bytes = (size_t)(end_of_head - connection->held) + 4;
        if (!answer_head(backend, connection, head_bytes))
            return false;
        connection->held_bytes -= head_bytes;
        memmove(connection->held, connection->held + head_bytes, connection->held_bytes);
    }
    return true;
}

static bool serve(const struct backend *backend, struct connection *connection)
{
    if (!send_answer(backend, connection))
        return false;
    for (;;) {
        if (!answer_held(backend, connection))
            return false;
        size_t room = HEAD_BYTES - connection->held_bytes;
        ssize_t bytes =
            recv(connection->socket, connection->held + connection->held_bytes, room, 0);
        if (bytes <= 0)
            return bytes < 0 && (errno == EAGAIN || errno == EINTR);
        connection->held_bytes += (size_t)bytes;
        if ((size_t)bytes < room) /* drained: more is a new edge */
            return answer_held(backend, connection);
    }
}

static void turn(struct backend *backend)
{
    struct epoll_event events[EVENTS_AT_ONCE];
    int count = epoll_wait(backend->epoll, events, EVENTS_AT_ONCE, -1);
    for (int i = 0; i < count; i++) {
        struct connection *connection = events[i].data.ptr;
        if (connection->listens)
            receive_connection(backend, connection->socket);
        else if (!serve(backend, connection))
            end(connection);
    }
}

static void listen_on(struct backend *backend, const char *text)
{
    struct sockaddr_in address = argument_address("--listen", text);
    struct connection *connection = calloc(1, sizeof *connection);
    int one = 1;
    if (connection == NULL)
        exit(1);
    connection->listens = true;
    connection->socket = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    setsockopt(connection->socket, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(connection->socket, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(connection->socket, 1024) != 0 || !watch(backend, connection)) {
        fprintf(stderr, "backend: %s: %s\n", text, strerror(errno));
        exit(1);
    }
    backend->listening_count++;
}

static void make_answer(struct backend *backend, size_t body_bytes)
{
    char head[256];
    int head_bytes = snprintf(head, sizeof head,
                              "HTTP/1.1 200 OK\r\nServer: backend\r\nContent-Type: text/plain\r\n"
                              "Content-Length: %zu\r\n\r\n",
                              body_bytes);
    backend->answer_bytes = (size_t)head_bytes + body_bytes;
    backend->answer = malloc(backend->answer_bytes);
    if (backend->answer == NULL)
        exit(1);
    memcpy(backend->answer, head, (size_t)head_bytes);
    for (size_t i = 0; i < body_bytes; i++)
        backend->answer[(size_t)head_bytes + i] = (char)('a' + i % 26);
}

static void pin(unsigned long cpu)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    if (sched_setaffinity(0, sizeof set, &set) != 0)
        fprintf(stderr, "backend: processor %lu: %s\n", cpu, strerror(errno));
}

static void read_option(struct backend *backend, int key, const char *text)
{
    if (key == 'l' && backend->listening_count < MOST_LISTENING) {
        listen_on(backend, text);
    } else if (key == 'b') {
        free(backend->answer);
        make_answer(backend, argument_number("--bytes", text, 0, 1UL << 30));
    } else if (key == 'r' && backend->required_count < MOST_REQUIRED) {
        backend->required[backend->required_count++] = text;
    } else if (key == 'c') {
        pin(argument_number("--cpu", text, 0, 1023));
    } else {
        fputs(usage, stderr);
        exit(2);
    }
}

int main(int argc, char **argv)
{
    static const struct option long_options[] = {{"listen", required_argument, NULL, 'l'},
                                                 {"bytes", required_argument, NULL, 'b'},
                                                 {"require", required_argument, NULL, 'r'},
                                                 {"cpu", required_argument, NULL, 'c'},
                                                 {NULL, 0, NULL, 0}};
    struct backend backend = {.epoll = epoll_create1(EPOLL_CLOEXEC)};
    make_answer(&backend, 1024);
    signal(SIGPIPE, SIG_IGN);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    alarm(LONGEST_SECONDS);
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    int key;
    while ((key = getopt_long(argc, argv, "", long_options, NULL)) != -1)
        read_option(&backend, key, optarg);
    if (optind < argc || backend.listening_count == 0) {
        fputs(usage, stderr);
        return 2;
    }
    for (;;)
        turn(&backend);
}
