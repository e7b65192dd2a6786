/* SPDX-License-Identifier: Apache-2.0 */
/* One client's life: accepted, told of by a proxy, shaken hands with, served by its protocol, gone.
 */
#include "listeners/client.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lb/base/error.h"
#include "lb/base/log.h"
#include "lb/base/network.h"
#include "lb/base/timestamp.h"
#include "listeners/client_report.h"
#include "listeners/objection.h"
#include "listeners/registry/registry.h"
#include "listeners/traffic.h"

static struct client *client_of(struct connection *connection)
{
    return (struct client *)(void *)connection;
}

const char *client_sni(const struct client *client)
{
    const SSL *ssl = client->connection.ssl;
    return ssl ? SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name) : NULL;
}

/* --- ending -------------------------------------------------------------------------------- */

/** The handshake needs its context no more; a reload may let go of it. */
static void stop_shaking(struct client *client)
{
    handshake_leave_context(&client->handshake);
    if (client->shaking)
        hold_give(client->shaking);
    client->shaking = NULL;
}

static void on_closed(struct connection *connection)
{
    struct client *client = client_of(connection);
    struct clients *clients = client->clients;
    clients_forget(client);
    atomic_fetch_sub_explicit(&client->door->client_count, 1, memory_order_relaxed);
    handshake_done(&client->handshake);
    if (client->shaking)
        traffic_count_handshake(client->door->traffic, TRAFFIC_FAILED);
    stop_shaking(client);
    clients->events->gone(clients->roof, client);
    free(client->told);
    free(client);
}

/** Everything but the connection itself; the state says that nobody may use the client any more. */
static void let_go(struct client *client)
{
    client->state = CLIENT_ENDING;
    deadline_disarm(&client->deadline);
    client_stop_waiting(client);
    proxy_reader_done(&client->proxy, client->clients->context);
}

void client_end(struct client *client)
{
    let_go(client);
    client->protocol->done(client, "the connection ends");
    connection_linger(&client->connection, on_closed);
}

static void close_now(struct client *client, bool reset, const char *why)
{
    let_go(client);
    client->protocol->done(client, why);
    if (reset) {
        struct linger now = {.l_onoff = 1, .l_linger = 0};
        setsockopt(client->connection.fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    }
    connection_close(&client->connection, on_closed);
}

void client_close(struct client *client, bool reset)
{
    close_now(client, reset, "the connection is closed");
}

bool client_is_leaving(const struct client *client)
{
    return client->is_leaving || client->clients->draining;
}

bool client_still_holds(const struct client *client)
{
    return !client->connection.ssl ||
           handshake_still_holds(&client->handshake, client->connection.ssl,
                                 client->door->listener);
}

/* --- sent away ----------------------------------------------------------------------------- */

/* Nobody waits for an answer, and none is on its way. */
static bool is_at_rest(const struct client *client)
{
    return client->state == CLIENT_SERVING && client->protocol->is_at_rest(client);
}

void client_expel(struct client *client, enum refusal refusal, bool is_told)
{
    client_report_expelled(client, refusal, is_told);
    /* By a reset, what still waits in the socket is not sent either. */
    close_now(client, !is_at_rest(client), "its certificate may not pass any more");
}

/* --- the handshake ------------------------------------------------------------------------- */

static void handshake_failed(struct client *client)
{
    struct connection *connection = &client->connection;
    enum refusal refusal =
        handshake_refusal(&client->handshake, connection->ssl, connection->tls_failure);
    client_report_handshake(client, refusal);
    client_end(client);
}

/** false: it is closed already. */
static bool start_serving(struct client *client)
{
    client->state = CLIENT_SERVING;
    client->protocol = connection_chose_h2(&client->connection) ? &http2_protocol : &http1_protocol;
    inspection_add(&client->clients->inspection, client);
    if (!client->protocol->begin(client)) {
        client_close(client, false);
        return false;
    }
    if (client_is_leaving(client))
        client->protocol->drain(client, false);
    return true;
}

/** What the registry and the CAs' lists say to who was let in a moment ago, where that alerts: they
 * may have changed since, and whoever looked through the clients then has passed over this one.
 * Elsewhere its requests are judged, and a list's word is old news (inspection.h). */
static enum refusal second_thought(struct client *client)
{
    struct identity *identity = client->handshake.identity;
    if (!identity)
        return REFUSAL_NONE;
    enum refusal refusal = identity_objection(client->door->listener, identity, time(NULL));
    if (client->handshake.domain->policy->alerts)
        return refusal;
    client->came_revoked = refusal == REFUSAL_CRL_REVOKED;
    return REFUSAL_NONE;
}

/** One more; and whose client it is, for those who ask which CAs are still needed. */
static void count_handshake(const struct client *client)
{
    const struct handshake *handshake = &client->handshake;
    const struct ca_list *cas = handshake->domain->policy->cas;
    bool is_resumed = SSL_session_reused(client->connection.ssl) == 1;
    traffic_count_handshake(client->door->traffic, is_resumed ? TRAFFIC_RESUMED : TRAFFIC_FULL);
    if (cas)
        ca_roll_count(cas->roll, handshake->identity, is_resumed);
}

/** A reload in the middle of the handshake may have changed what it should have settled. */
static void leave_handshake(struct client *client)
{
    if (client->shaking != client->door->hold && !client_still_holds(client)) {
        client->is_leaving = true;
    }
    stop_shaking(client);
}

static void shake_hands(struct client *client, int events)
{
    struct connection *connection = &client->connection;
    switch (connection_handshake(connection)) {
    case IO_AGAIN:
        return;
    case IO_END:
    case IO_FAILED:
        handshake_failed(client);
        return;
    case IO_DONE:
        break;
    }
    if (!handshake_complete(&client->handshake, connection->ssl)) {
        log_say(LOG_LEVEL_ERROR, "client.policy-mismatch",
                "the handshake settled something else than its policy; the client is sent away");
        client_close(client, false);
        return;
    }
    count_handshake(client);
    enum refusal refusal = second_thought(client);
    leave_handshake(client);
    if (refusal != REFUSAL_NONE) {
        client_expel(client, refusal, true);
        return;
    }
    if (start_serving(client) && connection_has_unread(connection)) {
        client->protocol->advance(client, events);
    }
}

static void arm_handshake(struct client *client)
{
    deadline_arm(&client->clients->context->deadlines, &client->deadline,
                 client->door->listener->options->handshake_timeout, client->deadline.on_passed);
}

static bool start_tls(struct client *client)
{
    SSL *ssl = handshake_begin(client->door->handshake, &client->handshake);
    if (!ssl) {
        return false;
    }
    client->shaking = client->door->hold;
    hold_take(client->shaking);
    connection_start_tls(&client->connection, ssl);
    client->state = CLIENT_HANDSHAKE;
    arm_handshake(client);
    return true;
}

/** Nothing but the client's own bytes comes from here on. */
static void meet(struct client *client)
{
    if (!client->door->handshake) {
        start_serving(client);
    } else if (!start_tls(client)) {
        client_close(client, false); /* `gone` will be told, as for every other client */
    }
}

/* --- the proxy in front -------------------------------------------------------------------- */

static void refuse_proxy_header(struct client *client, enum refusal refusal, const char *fault)
{
    /* Who only looks whether somebody listens is no reason to worry. */
    bool is_glance = client->proxy.has_ended && refusal == REFUSAL_PROXY_HEADER_MISSING;
    client_report_refused(client, is_glance ? LOG_LEVEL_INFO : LOG_LEVEL_WARN, refusal, fault);
    client_close(client, false);
}

static void learn_client(struct client *client, const struct proxy_header *header)
{
    if (!header->has_client)
        return;
    address_host(&header->client, client->peer_host, sizeof client->peer_host);
    client->peer_port = (uint16_t)address_port(&header->client);
    client->local_port = (uint16_t)header->local_port;
}

/** true: whatever the client sent behind it is there already. */
static bool read_proxy_header(struct client *client)
{
    struct loop_context *context = client->clients->context;
    struct proxy_header header;
    switch (proxy_reader_advance(&client->proxy, client->connection.fd, context, &header)) {
    case PROXY_PARTIAL:
        return false;
    case PROXY_MISSING:
        refuse_proxy_header(client, REFUSAL_PROXY_HEADER_MISSING, header.fault);
        return false;
    case PROXY_BAD:
        refuse_proxy_header(client, REFUSAL_PROXY_HEADER_BAD, header.fault);
        return false;
    case PROXY_WHOLE:
        break;
    }
    proxy_reader_done(&client->proxy, context);
    deadline_disarm(&client->deadline);
    learn_client(client, &header);
    meet(client);
    return client->proxy.is_followed;
}

static void await_proxy_header(struct client *client)
{
    client->state = CLIENT_PROXY_HEADER;
    client->proxy.version = (enum proxy_protocol)client->door->listener->options->proxy_protocol;
    arm_handshake(client);
}

/* --- events -------------------------------------------------------------------------------- */

static void on_late(struct deadline *deadline)
{
    struct client *client = LIST_OWNER(deadline, struct client, deadline);
    switch (client->state) {
    case CLIENT_SERVING:
        client->protocol->late(client);
        return;
    case CLIENT_PROXY_HEADER:
        refuse_proxy_header(client, REFUSAL_PROXY_HEADER_LATE,
                            "the header did not come within handshake_timeout");
        return;
    case CLIENT_HANDSHAKE:
        client_report_late(client);
        client_close(client, false);
        return;
    case CLIENT_ENDING:
        return;
    }
}

static void on_ready(struct connection *connection, int events)
{
    struct client *client = client_of(connection);
    if (client->state == CLIENT_PROXY_HEADER && !read_proxy_header(client)) {
        return;
    }
    switch (client->state) {
    case CLIENT_HANDSHAKE:
        if (events & CONNECTION_WRITABLE && connection_pending(connection) > 0 &&
            connection_flush(connection) == IO_FAILED) {
            client_close(client, false);
            return;
        }
        shake_hands(client, events);
        return;
    case CLIENT_SERVING:
        client->protocol->advance(client, events);
        return;
    case CLIENT_PROXY_HEADER:
    case CLIENT_ENDING:
        return;
    }
}

/* --- beginning ----------------------------------------------------------------------------- */

static struct client *client_new(struct clients *clients, struct door *door,
                                 const struct address *peer, unsigned local_port, uint64_t id)
{
    struct client *client = calloc(1, sizeof *client);
    if (!client) {
        return NULL;
    }
    client->clients = clients;
    client->door = door;
    client->id = id;
    client->protocol = &http1_protocol;
    client->since_ms = timestamp_now_ms();
    client->deadline.on_passed = on_late;
    client->local_port = (uint16_t)local_port;
    client->peer_port = (uint16_t)address_port(peer);
    address_host(peer, client->peer_host, sizeof client->peer_host);
    return client;
}

/** Does it come through a proxy that says who the client is? */
static bool has_proxy(const struct door *door, const struct address *peer)
{
    const struct network_set *proxies = door->listener->proxies;
    return proxies && network_set_has(proxies, peer);
}

bool client_accept(struct clients *clients, struct door *door, int fd, const struct address *peer,
                   unsigned local_port, uint64_t id)
{
    struct client *client = client_new(clients, door, peer, local_port, id);
    if (!client) {
        close(fd);
        return false;
    }
    struct error err;
    if (!connection_open(&client->connection, clients->context, fd, on_ready, &err)) {
        log_say(LOG_LEVEL_ERROR, "client.refused", "%s", err.text);
        free(client);
        return false;
    }
    clients_add(client);
    atomic_fetch_add_explicit(&door->client_count, 1, memory_order_relaxed);
    traffic_count_connection(door->traffic);
    if (has_proxy(door, peer)) {
        await_proxy_header(client);
    } else {
        meet(client);
    }
    return true;
}
