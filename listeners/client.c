/* SPDX-License-Identifier: Apache-2.0 */
/* One client's life: accepted, shaken hands with, served by its protocol, gone. */
#include "listeners/client.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lb/base/error.h"
#include "lb/base/log.h"

static struct client *client_of(struct connection *connection)
{
    return (struct client *)(void *)connection;
}

void clients_init(struct clients *clients, struct loop_context *context,
                  const struct stream_events *events, void *roof)
{
    clients->context = context;
    clients->events = events;
    clients->roof = roof;
    clients->count = 0;
    clients->draining = false;
    list_init(&clients->all);
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
    list_remove(&client->node);
    clients->count--;
    atomic_fetch_sub_explicit(&client->door->client_count, 1, memory_order_relaxed);
    handshake_done(&client->handshake);
    stop_shaking(client);
    clients->events->gone(clients->roof, client);
    free(client);
}

/** Everything but the connection itself; the state says that nobody may use the client any more. */
static void let_go(struct client *client)
{
    client->state = CLIENT_ENDING;
    deadline_disarm(&client->deadline);
}

void client_end(struct client *client)
{
    let_go(client);
    http1_client_done(client, "the connection ends");
    connection_linger(&client->connection, on_closed);
}

void client_close(struct client *client, bool reset)
{
    let_go(client);
    http1_client_done(client, "the connection is closed");
    if (reset) {
        struct linger now = {.l_onoff = 1, .l_linger = 0};
        setsockopt(client->connection.fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    }
    connection_close(&client->connection, on_closed);
}

bool client_is_leaving(const struct client *client)
{
    return client->is_leaving || client->clients->draining;
}

/** Would the listener that is in force now settle the same with this client? */
static bool still_holds(const struct client *client)
{
    return !client->connection.ssl ||
           handshake_still_holds(&client->handshake, client->connection.ssl,
                                 client->door->listener);
}

static void send_away(struct client *client)
{
    client->is_leaving = true;
    http1_client_drain(client);
}

/* --- the handshake ------------------------------------------------------------------------- */

static void log_handshake_failure(struct client *client, enum refusal refusal)
{
    struct connection *connection = &client->connection;
    bool refused = refusal != REFUSAL_NONE || client->handshake.unknown_name;
    struct log_line line;
    log_begin(&line, refused ? LOG_LEVEL_WARN : LOG_LEVEL_INFO,
              refused ? "client.refused" : "client.handshake-failed");
    log_text(&line, "listener", client->door->listener->name);
    log_text(&line, "client", client->peer_host);
    log_number(&line, "port", client->peer_port);
    if (refusal != REFUSAL_NONE) {
        log_text(&line, "reason", refusal_name(refusal));
    } else if (client->handshake.unknown_name) {
        log_text(&line, "reason", "unknown-name");
    } else {
        log_text(&line, "reason", connection_failure(connection));
    }
    handshake_describe(&client->handshake, connection->ssl, &line);
    log_end(&line);
}

static void handshake_failed(struct client *client)
{
    struct connection *connection = &client->connection;
    enum refusal refusal =
        handshake_refusal(&client->handshake, connection->ssl, connection->tls_failure);
    log_handshake_failure(client, refusal);
    client_end(client);
}

static void start_serving(struct client *client)
{
    client->state = CLIENT_SERVING;
    http1_client_begin(client);
    if (client_is_leaving(client))
        http1_client_drain(client);
}

/** A reload in the middle of the handshake may have changed what it should have settled. */
static void leave_handshake(struct client *client)
{
    if (client->shaking != client->door->hold && !still_holds(client)) {
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
    leave_handshake(client);
    start_serving(client);
    if (connection_has_unread(connection)) {
        http1_client_advance(client, events);
    }
}

/* --- events -------------------------------------------------------------------------------- */

static void on_ready(struct connection *connection, int events)
{
    struct client *client = client_of(connection);
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
        http1_client_advance(client, events);
        return;
    case CLIENT_ENDING:
        return;
    }
}

static void on_late(struct deadline *deadline)
{
    struct client *client = LIST_OWNER(deadline, struct client, deadline);
    if (client->state == CLIENT_SERVING) {
        http1_client_late(client);
        return;
    }
    struct log_line line;
    log_begin(&line, LOG_LEVEL_INFO, "client.handshake-late");
    log_text(&line, "listener", client->door->listener->name);
    log_text(&line, "client", client->peer_host);
    log_end(&line);
    client_close(client, false);
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
    client->deadline.on_passed = on_late;
    client->local_port = (uint16_t)local_port;
    client->peer_port = (uint16_t)address_port(peer);
    address_host(peer, client->peer_host, sizeof client->peer_host);
    return client;
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
    deadline_arm(&client->clients->context->deadlines, &client->deadline,
                 client->door->listener->options->handshake_timeout, on_late);
    return true;
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
    list_append(&clients->all, &client->node);
    clients->count++;
    atomic_fetch_add_explicit(&door->client_count, 1, memory_order_relaxed);
    if (!door->handshake) {
        start_serving(client);
    } else if (!start_tls(client)) {
        client_close(client, false);
        return true; /* `gone` will be told, as for every other client */
    }
    return true;
}

void clients_drain(struct clients *clients)
{
    clients->draining = true;
    struct list_node *node = clients->all.next;
    while (node != &clients->all) {
        struct client *client = LIST_OWNER(node, struct client, node);
        node = node->next;
        if (client->state == CLIENT_SERVING) {
            http1_client_drain(client);
        }
    }
}

void clients_review(struct clients *clients)
{
    struct list_node *node = clients->all.next;
    while (node != &clients->all) {
        struct client *client = LIST_OWNER(node, struct client, node);
        node = node->next;
        if (client->state == CLIENT_SERVING && !still_holds(client)) {
            send_away(client);
        }
    }
}

void clients_leave(struct clients *clients, const struct door *door)
{
    struct list_node *node = clients->all.next;
    while (node != &clients->all) {
        struct client *client = LIST_OWNER(node, struct client, node);
        node = node->next;
        if (client->door != door) {
            continue;
        }
        client->is_leaving = true;
        if (client->state == CLIENT_SERVING) {
            http1_client_drain(client);
        }
    }
}

void clients_close_all(struct clients *clients)
{
    struct list_node *node = clients->all.next;
    while (node != &clients->all) {
        struct client *client = LIST_OWNER(node, struct client, node);
        node = node->next;
        if (!client->connection.closing) {
            client_close(client, false);
        }
    }
}
