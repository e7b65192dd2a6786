/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a client is spoken with, once its connection stands: HTTP/1 (http1_client.h) or HTTP/2
 * (http2/http2_client.h). client.c knows no other difference between them.
 *
 * Thread: the client's worker, for all of it.
 */
#ifndef LB_LISTENERS_CLIENT_PROTOCOL_H
#define LB_LISTENERS_CLIENT_PROTOCOL_H

#include <stdbool.h>

struct client;

struct client_protocol {
    /** Ready for the first request. false: out of memory; the caller closes the client. */
    bool (*begin)(struct client *client);
    /** The connection is ready (enum connection_ready), or has unread bytes. */
    void (*advance)(struct client *client, int events);
    /** Something that requests are held for is known (client_wait.c). */
    void (*resume)(struct client *client);
    /** The client's deadline passed. */
    void (*late)(struct client *client);
    /** Send a client away that client_is_leaving: a busy one after its answers; an idle one now
     * (`at_once`), or after what it may ask for within a second. */
    void (*drain)(struct client *client, bool at_once);
    /** Does nobody wait for an answer, and is none on its way? */
    bool (*is_at_rest)(const struct client *client);
    /** Give back everything; exchanges are abandoned with `why`. Also where begin was never called
     * or failed. */
    void (*done)(struct client *client, const char *why);
};

extern const struct client_protocol http1_protocol;
extern const struct client_protocol http2_protocol;

#endif
