/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLS sessions to resume with: the last one of each backend and name, of one worker. Bounded:
 * LINK_SESSIONS_MOST in all, LINK_SESSION_NAMES_MOST of one backend; who was not renewed longest
 * goes first.
 */
#ifndef LB_BACKENDS_LINKS_LINK_SESSIONS_H
#define LB_BACKENDS_LINKS_LINK_SESSIONS_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <time.h>

#include "lb/base/list.h"

struct link_sessions {
    struct list_node all; /* the newest first */
    unsigned count;
};

struct link_session {
    struct list_node node;     /* among those of its backend, the newest first */
    struct list_node all_node; /* among all */
    SSL_SESSION *session;      /* owned */
    /* A resumed handshake verifies nothing: so long counts what the full one verified. */
    time_t good_until;
    char name[];
};

void link_sessions_init(struct link_sessions *sessions);

/**
 * The session of this name that is still good.
 *
 * of_backend  the list of a backend's sessions
 * returns     borrowed until the next call with this list; NULL: none
 */
const struct link_session *link_sessions_find(const struct list_node *of_backend, const char *name,
                                              time_t now);

/**
 * Keep a session in the place of the one with the same name.
 *
 * session  taken when the result is true
 * returns  false: out of memory
 */
bool link_sessions_keep(struct link_sessions *sessions, struct list_node *of_backend,
                        const char *name, SSL_SESSION *session, time_t good_until);

/** Drop the session of this name, if there is one. */
void link_sessions_forget(struct link_sessions *sessions, struct list_node *of_backend,
                          const char *name);
/** Drop all sessions of a backend. */
void link_sessions_forget_all(struct link_sessions *sessions, struct list_node *of_backend);

#endif
