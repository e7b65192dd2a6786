/* SPDX-License-Identifier: Apache-2.0 */
/* Two lists hold each session: its backend's, to be found, and everybody's, to know the oldest. */
#include "backends/links/link_sessions.h"

#include <stdlib.h>
#include <string.h>

#include "lb/base/limits.h"

void link_sessions_init(struct link_sessions *sessions)
{
    list_init(&sessions->all);
    sessions->count = 0;
}

static void drop(struct link_sessions *sessions, struct link_session *kept)
{
    list_remove(&kept->node);
    list_remove(&kept->all_node);
    sessions->count--;
    SSL_SESSION_free(kept->session);
    free(kept);
}

static struct link_session *find(const struct list_node *of_backend, const char *name)
{
    for (struct list_node *at = of_backend->next; at != of_backend; at = at->next) {
        struct link_session *kept = LIST_OWNER(at, struct link_session, node);
        if (strcmp(kept->name, name) == 0)
            return kept;
    }
    return NULL;
}

const struct link_session *link_sessions_find(const struct list_node *of_backend, const char *name,
                                              time_t now)
{
    const struct link_session *kept = find(of_backend, name);
    return kept && now < kept->good_until ? kept : NULL;
}

void link_sessions_forget(struct link_sessions *sessions, struct list_node *of_backend,
                          const char *name)
{
    struct link_session *kept = find(of_backend, name);
    if (kept)
        drop(sessions, kept);
}

void link_sessions_forget_all(struct link_sessions *sessions, struct list_node *of_backend)
{
    while (!list_is_empty(of_backend))
        drop(sessions, LIST_OWNER(of_backend->next, struct link_session, node));
}

static void make_room(struct link_sessions *sessions, struct list_node *of_backend)
{
    unsigned names = 0;
    for (struct list_node *at = of_backend->next; at != of_backend; at = at->next)
        names++;
    if (names >= LINK_SESSION_NAMES_MOST)
        drop(sessions, LIST_OWNER(of_backend->prev, struct link_session, node));
    if (sessions->count >= LINK_SESSIONS_MOST)
        drop(sessions, LIST_OWNER(sessions->all.prev, struct link_session, all_node));
}

bool link_sessions_keep(struct link_sessions *sessions, struct list_node *of_backend,
                        const char *name, SSL_SESSION *session, time_t good_until)
{
    size_t bytes = strlen(name) + 1;
    struct link_session *kept = malloc(sizeof *kept + bytes);
    if (!kept)
        return false;
    link_sessions_forget(sessions, of_backend, name);
    make_room(sessions, of_backend);
    memcpy(kept->name, name, bytes);
    kept->session = session;
    kept->good_until = good_until;
    list_prepend(of_backend, &kept->node);
    list_prepend(&sessions->all, &kept->all_node);
    sessions->count++;
    return true;
}
