/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A backend that does exactly what a story says: a thread for each connection runs the story's own
 * function, which reads what it likes and sends the very bytes it likes. What was received is kept,
 * byte by byte, and counted.
 */
#ifndef LB_TESTS_STUB_BACKEND_H
#define LB_TESTS_STUB_BACKEND_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "tests/support/text.h"

struct ssl_st;
struct stub_link;
struct stub_tls;
typedef void (*stub_serve)(struct stub_link *link);

enum { STUB_LINKS_MOST = 512 };

struct stub_backend {
    const char *name;
    unsigned port;
    stub_serve serve;
    void *story;             /* the story's own */
    struct stub_tls *tls;    /* NULL: plain; see stub_tls.h */
    atomic_uint connections; /* that sent at least one byte: tcp checks only connect */
    atomic_uint requests;    /* read by stub_read, but for … */
    atomic_uint checks;      /* … those of http checks */
    atomic_bool is_stopping;
    int listener;
    pthread_t acceptor;
    pthread_mutex_t lock; /* guards what follows */
    struct text heard;    /* of all connections, in the order of arrival */
    struct stub_link *links[STUB_LINKS_MOST];
    unsigned link_count;
};

/* One connection, as its serve function sees it. */
struct stub_link {
    struct stub_backend *stub;
    pthread_t thread;
    int fd;
    struct ssl_st *ssl; /* NULL: plain */
    bool ended;
    bool was_counted;
    struct text inbox;
};

struct stub_request {
    struct text head;     /* with its empty line */
    struct text body;     /* decoded */
    struct text trailers; /* lines that begin with CRLF */
};

/* Life. serve NULL: stub_answer_by_name. Fails the test when no socket is to be had. */
void stub_start(struct stub_backend *stub, const char *name, stub_serve serve);
/* The same with something of the story's own, for its serve function. */
void stub_start_with(struct stub_backend *stub, const char *name, stub_serve serve, void *story);
/* The same on a certain port, for a backend that comes back. */
void stub_start_at(struct stub_backend *stub, const char *name, stub_serve serve, unsigned port);
/* The same with TLS; tls taken. For stub_tls.c. */
void stub_start_secure(struct stub_backend *stub, const char *name, stub_serve serve,
                       struct stub_tls *tls, unsigned port);
/* Close everything and wait for the threads. */
void stub_stop(struct stub_backend *stub);
/* All bytes received so far; the caller frees them. */
char *stub_heard(struct stub_backend *stub);
/* Is this among them? */
bool stub_has_heard(struct stub_backend *stub, const char *text);

/* For serve functions. */
/* Answers every request: 200, the backend's name as text, keep-alive. The request's head goes back
 * on path /echo. */
void stub_answer_by_name(struct stub_link *link);
/* The next request, decoded; whoever expects 100 gets it. false: the connection ended.
 * stub_request_done after true and false alike. */
bool stub_read(struct stub_link *link, struct stub_request *request);
/* Only its head; its body stays in the connection. */
bool stub_read_head(struct stub_link *link, struct stub_request *request);
void stub_request_done(struct stub_request *request);
/* Exactly these bytes; false: they are not taken any more. */
bool stub_send(struct stub_link *link, const void *bytes, size_t length);
bool stub_say(struct stub_link *link, const char *text);
/* Read more into the inbox; false: the connection ended. */
bool stub_receive(struct stub_link *link);
/* Read and drop until the other side closes. */
void stub_wait_for_end(struct stub_link *link);
/*
 * 101 to a request for a WebSocket, with what follows it at once. Sec-WebSocket-Accept proves that
 * the key was read, if there is one (RFC 6455 section 4.2.2): over HTTP/2 lb asks for that proof.
 */
bool stub_switch(struct stub_link *link, const struct stub_request *request, const char *text);

enum { STUB_ACCEPT_BYTES = 32 };
/* The Sec-WebSocket-Accept that answers the key of a head (RFC 6455 1.3). false: it has none. */
bool stub_websocket_accept(const char *head, char ret_accept[STUB_ACCEPT_BYTES]);
/* The connection ends with a reset when serve returns. */
void stub_reset(struct stub_link *link);

#endif
