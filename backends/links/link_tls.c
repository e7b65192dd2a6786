/* SPDX-License-Identifier: Apache-2.0 */
/* Links with TLS: the handshake, the name that was verified, the session for the next one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backends/links/link_parts.h"
#include "backends/tls/backend_tls.h"
#include "lb/base/limits.h"

struct link_tls {
    struct backend_tls_user user;
    struct link *link;
    struct backend_tls_context *context; /* while connecting */
    time_t good_until;                   /* of the session that was offered */
    char name[];                         /* that is asked for and verified */
};

/* Idle links that are looked at for one of the right name: they are sorted by use, so that a host
 * that is asked for often has its link in front. */
enum { IDLE_LOOKED_AT = 64 };

/* ---- names ---- */

static const char *name_of(const struct link_wish *wish, char into[BACKEND_TLS_NAME_BYTES])
{
    return backend_tls_name(wish->tls, wish->backend, wish->host, into);
}

struct link *link_tls_find_idle(const struct link_place *place, const struct link_wish *wish)
{
    char text[BACKEND_TLS_NAME_BYTES];
    const char *name = name_of(wish, text);
    unsigned looked_at = 0;
    for (struct list_node *at = place->idle.next; at != &place->idle && looked_at < IDLE_LOOKED_AT;
         at = at->next, looked_at++) {
        struct link *link = LIST_OWNER(at, struct link, node);
        if (strcmp(link->tls->name, name) == 0)
            return link;
    }
    return NULL;
}

bool link_tls_serves(const struct link *link, const struct link_wish *wish)
{
    char text[BACKEND_TLS_NAME_BYTES];
    return strcmp(link->tls->name, name_of(wish, text)) == 0;
}

/* ---- sessions ---- */

/* From inside SSL_do_handshake (TLS 1.2) or SSL_read (TLS 1.3). */
static bool on_session(struct backend_tls_user *user, SSL *ssl, SSL_SESSION *session)
{
    struct link_tls *tls = LIST_OWNER(user, struct link_tls, user);
    struct links *links = tls->link->links;
    struct link_place *place = links_place(links, tls->link->standing);
    time_t good_until = tls->good_until;
    if (!place || links->closing)
        return false;
    if (!SSL_session_reused(ssl)) {
        time_t certificates_end = backend_tls_good_until(ssl);
        good_until = time(NULL) + LINK_SESSION_S;
        good_until = certificates_end < good_until ? certificates_end : good_until;
    }
    return link_sessions_keep(&links->sessions, &place->sessions, tls->name, session, good_until);
}

static SSL *make_ssl(struct link_tls *tls)
{
    const struct link_place *place = links_place(tls->link->links, tls->link->standing);
    const struct link_session *kept =
        place ? link_sessions_find(&place->sessions, tls->name, time(NULL)) : NULL;
    tls->good_until = kept ? kept->good_until : 0;
    return backend_tls_ssl_new(tls->context, tls->name, kept ? kept->session : NULL, &tls->user);
}

/* A backend that stumbles over its own session must not do so for ever. */
static void forget_session(struct link *link)
{
    struct link_place *place = links_place(link->links, link->standing);
    if (place)
        link_sessions_forget(&link->links->sessions, &place->sessions, link->tls->name);
}

/* ---- life ---- */

struct link_tls *link_tls_new(struct link *link, const struct link_wish *wish)
{
    char text[BACKEND_TLS_NAME_BYTES];
    const char *name = name_of(wish, text);
    size_t bytes = strlen(name) + 1;
    struct link_tls *tls = calloc(1, sizeof *tls + bytes);
    if (!tls)
        return NULL;
    tls->user.on_session = on_session;
    tls->link = link;
    tls->context = wish->tls;
    memcpy(tls->name, name, bytes);
    return tls;
}

void link_tls_free(struct link_tls *tls)
{
    free(tls);
}

void link_tls_begin(struct link *link)
{
    SSL *ssl = make_ssl(link->tls);
    link->tls->context = NULL;
    if (!ssl) {
        link_refuse(link, LINK_NO_ROOM, "no memory for TLS");
        return;
    }
    link->state = LINK_HANDSHAKE;
    connection_start_tls(&link->connection, ssl);
    link_tls_shake_hands(link);
}

void link_tls_shake_hands(struct link *link)
{
    char reason[LINK_REASON_BYTES];
    switch (connection_handshake(&link->connection)) {
    case IO_DONE:
        link_lend(link);
        return;
    case IO_AGAIN:
        return;
    case IO_END:
    case IO_FAILED:
        break;
    }
    forget_session(link);
    bool unverified =
        backend_tls_explain(&link->connection, link->tls->name, reason, sizeof reason);
    link_refuse(link, unverified ? LINK_UNVERIFIED : LINK_DECLINED, reason);
}

bool link_tls_digest(struct link *link)
{
    char byte;
    size_t got = 0;
    return connection_read(&link->connection, &byte, sizeof byte, &got) == IO_AGAIN;
}

/* A backend that has answered on this link does not mind. */
static bool may_mind_nothing_shown(const struct link *link)
{
    return link->tls && link->exchanges == 0 && link->tls->user.showed_nothing;
}

const char *link_failure(const struct link *link)
{
    static _Thread_local char text[LINK_REASON_BYTES];
    if (!link->tls || !link->connection.ssl)
        return connection_failure(&link->connection);
    backend_tls_explain(&link->connection, link->tls->name, text, sizeof text);
    size_t length = strlen(text);
    if (may_mind_nothing_shown(link) && !link_was_refused(link))
        snprintf(text + length, sizeof text - length, " (" BACKEND_TLS_SHOWED_NOTHING ")");
    return text;
}

const char *link_silence(const struct link *link)
{
    return may_mind_nothing_shown(link)
               ? "the backend closed before it answered (" BACKEND_TLS_SHOWED_NOTHING ")"
               : "the backend closed before it answered";
}

bool link_was_refused(const struct link *link)
{
    return link->tls && link->exchanges == 0 && backend_tls_was_refused(&link->connection);
}
