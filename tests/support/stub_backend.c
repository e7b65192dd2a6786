/* SPDX-License-Identifier: Apache-2.0 */
/* The scripted backend: threads and bytes. What it reads of HTTP is in stub_request.c. */
#include "tests/support/stub_backend.h"

#include <check.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/port.h"
#include "tests/support/stub_tls.h"

static void *link_run(void *argument)
{
    struct stub_link *link = argument;
    if (link->stub->tls == NULL || stub_tls_accept(link))
        link->stub->serve(link);
    stub_tls_end(link);
    pthread_mutex_lock(&link->stub->lock);
    close(link->fd);
    link->fd = -1;
    pthread_mutex_unlock(&link->stub->lock);
    text_done(&link->inbox);
    return NULL;
}

static void link_begin(struct stub_backend *stub, int fd)
{
    struct stub_link *link = calloc(1, sizeof *link);
    link->stub = stub;
    link->fd = fd;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    pthread_mutex_lock(&stub->lock);
    bool has_room = stub->link_count < STUB_LINKS_MOST;
    if (has_room && pthread_create(&link->thread, NULL, link_run, link) == 0) {
        stub->links[stub->link_count++] = link;
    } else {
        close(fd);
        free(link);
    }
    pthread_mutex_unlock(&stub->lock);
}

/* A link whose serve function is done makes room: health checks come for as long as the story
 * lasts. */
static void forget_ended(struct stub_backend *stub)
{
    pthread_mutex_lock(&stub->lock);
    for (unsigned i = 0; i < stub->link_count;) {
        struct stub_link *link = stub->links[i];
        if (link->fd != -1) {
            i++;
            continue;
        }
        pthread_join(link->thread, NULL);
        free(link);
        stub->links[i] = stub->links[--stub->link_count];
    }
    pthread_mutex_unlock(&stub->lock);
}

static void *accept_run(void *argument)
{
    struct stub_backend *stub = argument;
    while (!atomic_load(&stub->is_stopping)) {
        int fd = accept4(stub->listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0 && atomic_load(&stub->is_stopping))
            close(fd);
        else if (fd >= 0)
            link_begin(stub, fd);
        forget_ended(stub);
    }
    return NULL;
}

static void start(struct stub_backend *stub)
{
    signal(SIGPIPE, SIG_IGN);
    pthread_mutex_init(&stub->lock, NULL);
    text_add(&stub->heard, "", 0);
    stub->listener = port_listen(stub->port, 128, 0);
    ck_assert_int_eq(pthread_create(&stub->acceptor, NULL, accept_run, stub), 0);
}

void stub_start(struct stub_backend *stub, const char *name, stub_serve serve)
{
    stub_start_with(stub, name, serve, NULL);
}

void stub_start_with(struct stub_backend *stub, const char *name, stub_serve serve, void *story)
{
    *stub = (struct stub_backend){.name = name, .port = port_reserve(), .serve = serve};
    stub->story = story;
    if (serve == NULL)
        stub->serve = stub_answer_by_name;
    start(stub);
}

void stub_start_secure(struct stub_backend *stub, const char *name, stub_serve serve,
                       struct stub_tls *tls, unsigned port)
{
    *stub = (struct stub_backend){.name = name, .port = port, .serve = serve, .tls = tls};
    if (serve == NULL)
        stub->serve = stub_answer_by_name;
    start(stub);
}

void stub_start_at(struct stub_backend *stub, const char *name, stub_serve serve, unsigned port)
{
    *stub = (struct stub_backend){.name = name, .port = port, .serve = serve};
    if (serve == NULL)
        stub->serve = stub_answer_by_name;
    start(stub);
}

void stub_stop(struct stub_backend *stub)
{
    atomic_store(&stub->is_stopping, true);
    shutdown(stub->listener, SHUT_RDWR);
    pthread_join(stub->acceptor, NULL);
    close(stub->listener);
    pthread_mutex_lock(&stub->lock);
    for (unsigned i = 0; i < stub->link_count; i++)
        if (stub->links[i]->fd >= 0)
            shutdown(stub->links[i]->fd, SHUT_RDWR);
    pthread_mutex_unlock(&stub->lock);
    for (unsigned i = 0; i < stub->link_count; i++) {
        pthread_join(stub->links[i]->thread, NULL);
        free(stub->links[i]);
    }
    text_done(&stub->heard);
    if (stub->tls != NULL)
        stub_tls_done(stub->tls);
    pthread_mutex_destroy(&stub->lock);
}

char *stub_heard(struct stub_backend *stub)
{
    pthread_mutex_lock(&stub->lock);
    char *heard = malloc(stub->heard.length + 1);
    memcpy(heard, stub->heard.bytes, stub->heard.length + 1);
    pthread_mutex_unlock(&stub->lock);
    return heard;
}

bool stub_has_heard(struct stub_backend *stub, const char *text)
{
    char *heard = stub_heard(stub);
    bool is_heard = strstr(heard, text) != NULL;
    free(heard);
    return is_heard;
}

static void note_heard(struct stub_link *link, const char *bytes, size_t length)
{
    struct stub_backend *stub = link->stub;
    enum {
        KEEP_BYTES = 1024 * 1024
    }; /* a story with bodies of many megabytes counts, it does not compare */
    if (!link->was_counted)
        atomic_fetch_add(&stub->connections, 1);
    link->was_counted = true;
    pthread_mutex_lock(&stub->lock);
    if (stub->heard.length < KEEP_BYTES)
        text_add(&stub->heard, bytes, length);
    pthread_mutex_unlock(&stub->lock);
}

bool stub_receive(struct stub_link *link)
{
    char piece[64 * 1024];
    if (link->ended)
        return false;
    ssize_t length = link->ssl != NULL ? stub_tls_receive(link, piece, sizeof piece)
                                       : recv(link->fd, piece, sizeof piece, 0);
    link->ended = length <= 0;
    if (link->ended)
        return false;
    note_heard(link, piece, (size_t)length);
    text_add(&link->inbox, piece, (size_t)length);
    return true;
}

bool stub_send(struct stub_link *link, const void *bytes, size_t length)
{
    const char *at = bytes;
    while (length > 0) {
        ssize_t sent = link->ssl != NULL ? stub_tls_send(link, at, length)
                                         : send(link->fd, at, length, MSG_NOSIGNAL);
        if (sent < 0)
            return false;
        at += sent;
        length -= (size_t)sent;
    }
    return true;
}

bool stub_say(struct stub_link *link, const char *text)
{
    return stub_send(link, text, strlen(text));
}

void stub_wait_for_end(struct stub_link *link)
{
    while (stub_receive(link))
        text_drop(&link->inbox, link->inbox.length);
}

void stub_reset(struct stub_link *link)
{
    struct linger linger = {.l_onoff = 1};
    setsockopt(link->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
}
