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
    clients->draining = false;
    list_init(&clients->all);
}

void clients_drain(struct clients *clients)
{
    clients->draining = true;
    struct list_node *node = clients->all.next;
    while (node != &clients->all) {
        struct client *client = LIST_OWNER(node, struct client, node);
        node = node->next;
        if (client->state == CLIENT_SERVING) {
            http1_client_drain(client, false);
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
            http1_client_drain(client, true);
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
            http1_client_drain(client, at_once);
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
