/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nginx as a backend: a real one beside our own scripted ones. It runs with a config of its own in
 * a folder of its own, and says in requests.log what it was asked.
 *
 *   if (nginx_is_here()) tcase_add_test(tcase, …);        // in add_tests, or CHECK_MAIN_WHERE
 *
 *   struct nginx_backend nginx;
 *   nginx_start(&nginx, &(struct nginx_plan){.name = "rs-1"});
 *   scene_set_port(&scene, "rs-1", nginx.port);
 *   … nginx_requests(&nginx, "GET /") …
 *   nginx_stop(&nginx);
 */
#ifndef LB_TESTS_NGINX_BACKEND_H
#define LB_TESTS_NGINX_BACKEND_H

#include <stdbool.h>
#include <sys/types.h>

#include "tests/support/folder.h"

/* Everything is borrowed until nginx_stop; NULL: left out. */
struct nginx_plan {
    const char *name;            /* every path that `server` does not name is answered with it */
    const char *certificate;     /* path of a PEM file; NULL: plain HTTP */
    const char *certificate_key; /* path */
    bool speaks_http2;           /* without TLS: nothing else */
    const char *client_ca; /* path; who shows no certificate of these CAs is answered with 400 */
    const char *server;    /* more lines of the server block, such as keepalive_requests 5; */
};

struct nginx_backend {
    struct nginx_plan plan;
    struct folder folder; /* what is in its folder `files` can be served: root files; */
    unsigned port;        /* on 127.0.0.1; stays the same until nginx_stop */
    pid_t pid;            /* of the master; 0: not running */
};

/*
 * Is there an nginx on this machine? Where not, says so on stderr: tests with it are skipped. Ends
 * the program as failed where the environment has CI, because there they must not be skipped.
 */
bool nginx_is_here(void);

/* Start with two workers; returns when it takes connections. */
void nginx_start(struct nginx_backend *nginx, const struct nginx_plan *plan);
/* Fast shutdown, if it runs, and remove the folder. Fails the test if it did not end well. */
void nginx_stop(struct nginx_backend *nginx);

/* SIGKILL to all its processes: no connection is closed in order. */
void nginx_kill(struct nginx_backend *nginx);
/* Start again on the same port, with the same folder, after nginx_kill or nginx_quit. */
void nginx_restart(struct nginx_backend *nginx);
/* Graceful shutdown: returns when the requests in flight are answered and nothing runs. */
void nginx_quit(struct nginx_backend *nginx);
/*
 * Graceful reload with another plan (NULL: the same); returns when workers with the new config
 * serve and the old ones have answered what they had and ended.
 */
void nginx_reload(struct nginx_backend *nginx, const struct nginx_plan *plan);

/*
 * How many of the requests so far have this text in their line of requests.log?
 *   METHOD URI STATUS body=BYTES link=NUMBER sni=NAME reused=r|. client=SUBJECT
 * nginx writes it when the answer is sent, so ask eventually.
 * link: a number for each connection; the last three of TLS only, reused=r: a session was resumed.
 */
unsigned nginx_requests(const struct nginx_backend *nginx, const char *with);

#endif
