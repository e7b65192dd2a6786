/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/errand.h"

#include "backends/pool.h"

static void open_on(struct errand *errand, struct link *link)
{
    errand->link = link;
    errand->was_reused = link->exchanges > 0;
    http1_errand_open(errand);
}

static void on_connected(struct link_owner *owner, struct link *link, enum link_outcome outcome,
                         const char *reason)
{
    struct errand *errand = LIST_OWNER(owner, struct errand, owner);
    errand->link = NULL;
    if (outcome == LINK_READY)
        open_on(errand, link);
    errand->events->on_connected(errand, outcome, reason);
}

void errand_init(struct errand *errand, const struct errand_events *events, enum http_method method)
{
    errand->events = events;
    errand->method = method;
    errand->owner.on_connected = on_connected;
}

bool errand_begin(struct errand *errand, struct links *links, struct link_wish *wish)
{
    struct link *pending = NULL;
    wish->owner = &errand->owner;
    if (pool_speaks_h2(wish->pool))
        return h2_errand_begin(errand, links, wish);
    struct link *link = link_borrow(links, wish, &pending);
    if (link)
        open_on(errand, link);
    else
        errand->link = pending;
    return link != NULL;
}

void errand_end(struct errand *errand, bool whole)
{
    if (errand->ops)
        errand->ops->end(errand, whole);
    else if (errand->link)
        link_discard(errand->link);
    else
        link_forget(&errand->owner);
    errand->ops = NULL;
    errand->link = NULL;
}

bool errand_was_refused(const struct errand *errand)
{
    return errand->is_unprocessed || (errand->link && link_was_refused(errand->link));
}
