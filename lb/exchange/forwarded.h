/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The request's head as a backend gets it: hop-by-hop fields gone, identity fields of the client's
 * making gone, and what lb itself knows of the client in their place.
 */
#ifndef LB_EXCHANGE_FORWARDED_H
#define LB_EXCHANGE_FORWARDED_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "lb/base/http1.h"
#include "lb/base/slice.h"
#include "listeners/identity_headers.h"

struct client;
struct rule;
struct request_ids;

/** What goes into a head, and where the parts that the log wants ended up (slices into the written
 * bytes). */
struct forwarding {
    const struct client *client;
    const struct rule *rule;
    const struct http_request *request;
    struct request_ids *ids;
    time_t now;
    struct slice client_id; /* length 0: none; the rule's client_id_header carries it. Also a
                               result, where it does */
    struct slice method, uri, host, user_agent, referer, request_id; /* results */
    struct identity_headers identity; /* what is told of the client; forwarded_room() finds it */
};

/** Bytes that forwarded_write may need; to be asked before it. What the backend is told of the
 * client is found here, so that exactly its room is counted. */
size_t forwarded_room(struct forwarding *forwarding);

/**
 * Write the head, its empty line included.
 *
 * into      at least forwarded_room() bytes
 * returns   bytes written; 0: it does not fit (never with forwarded_room), or memory for what is
 *           told of the client was short
 * Thread:   the client's worker. Does not allocate.
 */
size_t forwarded_write(struct forwarding *forwarding, char *into, size_t room);

/** Is who the client is told with its present request and answer (client_headers_when)? */
bool forwarded_tells(const struct rule *rule, const struct client *client);

/** Does lb keep this field from the rule's backends when a client sends it, as a field or as a
 * trailer? */
bool forwarded_strips(const struct rule *rule, const struct http_field *field);

/**
 * Is the client's wish to switch protocols passed on? Not for h2c: what followed in that tunnel
 * would be requests that no rule judges.
 */
bool forwarded_upgrades(const struct http_request *request);

#endif
