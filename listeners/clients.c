/* SPDX-License-Identifier: Apache-2.0 */
/* All clients of one worker: what becomes of them when it drains, reloads or ends. */
#include "listeners/client.h"

void clients_init(struct clients *clients, struct loop_context *context,
                  const struct stream_events *events, void *roof)
{
    clients->context = context;
    clients->events = events;
    clients->roof = roof;
    clients->count = 0;
    clients->desk = NULL;
    clients->ocsp = NULL;
    clients->draining = false;
    list_init(&clients->all);
    list_init(&clients->walks);
    inspection_init(&clients->inspection, clients);
    clients->http2.is_open = false;
}

void clients_done(struct clients *clients)
{
    http2_desk_close(&clients->http2);
}

void clients_add(struct client *client)
{
    list_append(&client->clients->all, &client->node);
    client->clients->count++;
}

void clients_forget(struct client *client)
{
    struct list_node *walks = &client->clients->walks;
    for (struct list_node *node = walks->next; node != walks; node = node->next) {
        struct clients_walk *walk = LIST_OWNER(node, struct clients_walk, node);
        if (walk->next == &client->node)
            walk->next = client->node.next;
    }
    list_remove(&client->node);
    client->clients->count--;
}

void clients_walk_begin(struct clients *clients, struct clients_walk *walk)
{
    walk->next = clients->all.next;
    list_append(&clients->walks, &walk->node);
}

struct client *clients_walk_next(struct clients *clients, struct clients_walk *walk)
{
    if (walk->next == &clients->all)
        return NULL;
    struct client *client = LIST_OWNER(walk->next, struct client, node);
    walk->next = client->node.next;
    return client;
}

void clients_walk_end(struct clients_walk *walk)
{
    list_remove(&walk->node);
}

void clients_drain(struct clients *clients)
{
    clients->draining = true;
    struct list_node *node = clients->all.next;
    while (node != &clients->all) {
        struct client *client = LIST_OWNER(node, struct client, node);
        node = node->next;
        if (client->state == CLIENT_SERVING) {
            client->protocol->drain(client, false);
        }
    }
}

void clients_review(struct clients *clients)
{
    struct list_node *node = clients->all.next;
    while (node != &clients->all) {
        struct client *client = LIST_OWNER(node, struct client, node);
        node = node->next;
        if (client->state == CLIENT_SERVING && !client_still_holds(client)) {
            client->is_leaving = true;
            client->protocol->drain(client, true);
        }
    }
}

void clients_leave(struct clients *clients, const struct door *door, bool at_once)
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
            client->protocol->drain(client, at_once);
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
