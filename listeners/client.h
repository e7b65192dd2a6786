/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One accepted connection: PROXY header -> handshake -> requests, one after another -> gone. The
 * first is for those who come through a proxy, the second for those who speak TLS.
 *
 *   client ─┬─ connection   the socket, TLS
 *           ├─ handshake    which domain, which policy, who
 *           └─ protocol     HTTP/1 or HTTP/2: heads, bodies, answers; lends streams to exchanges
 */
#ifndef LB_LISTENERS_CLIENT_H
#define LB_LISTENERS_CLIENT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "lb/base/connection.h"
#include "lb/base/list.h"
#include "listeners/ca/ca_uses.h"
#include "listeners/client_protocol.h"
#include "listeners/door.h"
#include "listeners/http1/http1_client.h"
#include "listeners/http2/http2_desk.h"
#include "listeners/inspection.h"
#include "listeners/listener.h"
#include "listeners/proxy/proxy_reader.h"
#include "listeners/stream.h"
#include "listeners/tls/handshake.h"

struct client_auth;
struct http2_client;
struct ocsp_desk;
struct ocsp_wait;
struct registry_desk;
struct signup;

enum client_state {
    CLIENT_PROXY_HEADER, /* waits for the PROXY header of the proxy it came through */
    CLIENT_HANDSHAKE,    /* waits for the TLS handshake to complete */
    CLIENT_SERVING,      /* waits for what its protocol waits for */
    CLIENT_ENDING,       /* waits until last bytes are taken and the connection is closed */
};

/** Text of the roof's that is the same as long as the client is there. */
struct client_told {
    size_t length;
    char text[];
};

/** All clients of one worker. Embedded in the worker. */
struct clients {
    struct loop_context *context;
    const struct stream_events *events;
    void *roof; /* handed to events->begin, answered and gone */
    struct list_node all;
    struct list_node walks; /* struct clients_walk */
    unsigned count;
    struct inspection inspection;
    struct registry_desk *desk; /* where those who sign up are told; NULL: nobody can */
    struct ocsp_desk *ocsp;     /* asks OCSP responders; NULL: nobody does */
    struct http2_desk http2;
    bool draining; /* answers say Connection: close, idle clients are sent away */
    /* An answer's head while it is written, with what lb adds; or frames of HTTP/2. */
    char head[ANSWER_HEAD_BYTES + IDENTITY_HEADERS_MOST_BYTES + 32 * 1024];
    struct http_request request; /* the head that is being begun */
};

struct client {
    struct connection connection; /* first: callbacks get it and mean the client */
    enum client_state state;
    struct clients *clients;
    struct list_node node;
    struct door *door;    /* where it came in */
    struct hold *shaking; /* of the listener it shakes hands with; NULL when that is over */
    struct proxy_reader proxy;
    struct handshake handshake;
    struct ca_sighting sighting; /* of the CAs that have verified it */
    struct deadline deadline;
    bool is_leaving;   /* its answer in flight is the last one */
    bool came_revoked; /* when it came, a CA's list named it already */
    uint64_t id;       /* for logs: unique in the worker */
    int64_t since_ms;  /* accepted; wall clock, ms since 1970 */
    uint32_t requests;
    /* Its certificate is being registered; its requests are held until then. NULL: it is not. */
    struct signup *signup;
    /* An OCSP responder is being asked about it; the same. NULL: none is. */
    struct ocsp_wait *ocsp;
    enum client_signup signup_result; /* how the last one ended */
    /* Of the socket; from a PROXY header on that tells them: the client's, and the port it came to.
     */
    uint16_t peer_port;
    uint16_t local_port;
    char peer_host[46]; /* numeric, without brackets */
    /* What every line of an access log says of it, made with the first one; NULL: none was. Freed
     * with it. */
    struct client_told *told;
    const struct client_protocol *protocol;
    struct http2_client *http2; /* NULL: it speaks HTTP/1 */
    struct http1_client http1;
};

/** events, roof, context: borrowed until clients_done. */
void clients_init(struct clients *clients, struct loop_context *context,
                  const struct stream_events *events, void *roof);
/** All of them are gone: let go of the loop, which must run once more. */
void clients_done(struct clients *clients);

/**
 * Meet a new client on an accepted descriptor.
 *
 * door     borrowed until `gone`
 * fd       taken
 * returns    false: out of memory or descriptors; the descriptor is closed
 */
bool client_accept(struct clients *clients, struct door *door, int fd, const struct address *peer,
                   unsigned local_port, uint64_t id);

/**
 * To be called within stream_events.begin and then nothing else of the stream: the client's
 * certificate has to be registered before the request can be decided. The protocol keeps the
 * request and calls begin anew when it is known what came of it (stream->signup_result).
 *
 * returns  false: out of memory, or nobody registers anything here; the request is not kept
 */
bool client_sign_up(struct stream *stream);

/**
 * The same where an OCSP responder has to be asked about the client's certificate; begin comes anew
 * when its answer is known, or that there is none (stream->was_ocsp_asked).
 *
 * auth     of the rule, which asks; lent for the call
 * returns  false: out of memory, or nobody asks here; the request is not kept
 */
bool client_ask_ocsp(struct stream *stream, const struct client_auth *auth);

/** Answers in flight are the last ones; idle clients have a second to send a request that may be on
 * its way. */
void clients_drain(struct clients *clients);
/**
 * The listeners behind the doors were replaced: whoever could not have settled with the new one
 * what was settled is sent away, idle ones now, busy ones after their answer.
 */
void clients_review(struct clients *clients);
/** Send those away who came in by this door: busy ones after their answer; idle ones now
 * (`at_once`), or after the next answer, which they may ask for within a second. */
void clients_leave(struct clients *clients, const struct door *door, bool at_once);
/** Close everyone now; exchanges are abandoned. */
void clients_close_all(struct clients *clients);

/** Begin a way through all clients. walk: filled; must be walked to its end, or ended. */
void clients_walk_begin(struct clients *clients, struct clients_walk *walk);
/** The next one; NULL: that was the last. Who came meanwhile is met, too, but for those who come
 * after the last one was met. */
struct client *clients_walk_next(struct clients *clients, struct clients_walk *walk);
void clients_walk_end(struct clients_walk *walk);

/* For client.c. */

/** It is met from now on. */
void clients_add(struct client *client);
/** It is about to be freed: nobody meets it any more. */
void clients_forget(struct client *client);

/* For clients.c and inspection.c. */

/** Its certificate may pass nowhere any more: close now, whatever it is doing, and abandon its
 * exchange. is_told: say so in the log. */
void client_expel(struct client *client, enum refusal refusal, bool is_told);

/** Would the listener that is in force now settle with this client what was settled? */
bool client_still_holds(const struct client *client);

/* For the protocols. */

/** End politely after what is pending (connection_linger). The exchange must be over. */
void client_end(struct client *client);
/** Close at once. `reset`: the peer must see that something is missing (RST). The exchange must be
 * over. */
void client_close(struct client *client, bool reset);

/** Is the present request the last one of this connection, for reasons of the listener's? */
bool client_is_leaving(const struct client *client);

/** Is a request, which waits, to be begun again? Then it is told what came of what it waited for,
 * and waits no more. */
bool client_wait_is_over(struct stream *stream);
/** How long a request may wait that does; 0: what it waits for ends by itself. */
uint32_t client_wait_most_ms(const struct stream *stream);
/** Whatever it waits for, it does no more. */
void client_stop_waiting(struct client *client);

/** The name SNI gave, or NULL. Lent until the client ends. */
const char *client_sni(const struct client *client);

#endif
