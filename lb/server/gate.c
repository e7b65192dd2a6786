/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/server/gate.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lb/base/error.h"
#include "lb/base/socket.h"
#include "lb/server/acceptor.h"
#include "lb/server/edition.h"
#include "lb/server/sockets.h"
#include "listeners/traffic.h"

struct gate_door {
    struct door door; /* first: clients and acceptors point to it */
    struct list_node node;
    unsigned adopted; /* the last edition that had its listener; less than the gate's: its clients
                         are the last ones */
    bool
        is_replaced; /* another listener has an address of its: its clients are met otherwise now */
};

struct gate_acceptor {
    struct acceptor acceptor; /* first */
    struct list_node node;
    struct address address;
    struct gate *gate;
    unsigned adopted; /* the last edition that had its address */
    bool is_closing;
};

void gate_init(struct gate *gate, struct loop_context *context, struct clients *clients,
               struct gate_owner *owner)
{
    *gate = (struct gate){.context = context, .clients = clients, .owner = owner};
    list_init(&gate->doors);
    list_init(&gate->acceptors);
    uv_mutex_init(&gate->doors_lock);
}

/* Doors. */

static struct gate_door *find_door(struct gate *gate, const struct listener *listener)
{
    for (struct list_node *node = gate->doors.next; node != &gate->doors; node = node->next) {
        struct gate_door *door = LIST_OWNER(node, struct gate_door, node);
        const struct listener *known = door->door.listener;
        if (door->adopted + 1 == gate->adopted && strcmp(known->name, listener->name) == 0 &&
            known->options->protocol == listener->options->protocol)
            return door;
    }
    return NULL;
}

static struct gate_door *make_door(struct gate *gate)
{
    struct gate_door *door = calloc(1, sizeof *door);
    if (!door)
        return NULL;
    uv_mutex_lock(&gate->doors_lock);
    list_append(&gate->doors, &door->node);
    uv_mutex_unlock(&gate->doors_lock);
    return door;
}

static void put_behind(struct gate *gate, struct door *door, struct edition *edition,
                       const struct listener *listener, unsigned worker)
{
    struct hold *before = door->hold;
    uv_mutex_lock(&gate->doors_lock);
    door->listener = listener;
    uv_mutex_unlock(&gate->doors_lock);
    door->handshake = edition->handshakes[listener->index];
    door->traffic = traffic_of(listener->tally, worker);
    door->hold = &edition->hold;
    hold_take(door->hold);
    if (before)
        hold_give(before);
}

static void free_door(struct gate *gate, struct gate_door *door)
{
    uv_mutex_lock(&gate->doors_lock);
    list_remove(&door->node);
    uv_mutex_unlock(&gate->doors_lock);
    hold_give(door->door.hold);
    free(door);
}

/* A door without a listener waits for its last client. */
static void leave_doors(struct gate *gate)
{
    struct list_node *node = gate->doors.next;
    while (node != &gate->doors) {
        struct gate_door *door = LIST_OWNER(node, struct gate_door, node);
        node = node->next;
        if (door->adopted == gate->adopted)
            door->is_replaced = false; /* it gave an address away, and has others */
        if (door->adopted + 1 != gate->adopted)
            continue; /* it stays, or was left before */
        clients_leave(gate->clients, &door->door, door->is_replaced);
        if (atomic_load(&door->door.client_count) == 0)
            free_door(gate, door);
    }
}

void gate_client_gone(struct gate *gate, struct door *door)
{
    struct gate_door *left = (struct gate_door *)(void *)door;
    if (left->adopted != gate->adopted && atomic_load(&door->client_count) == 0)
        free_door(gate, left);
}

unsigned gate_client_count(struct gate *gate, const char *listener)
{
    unsigned count = 0;
    uv_mutex_lock(&gate->doors_lock);
    for (struct list_node *node = gate->doors.next; node != &gate->doors; node = node->next) {
        struct gate_door *at = LIST_OWNER(node, struct gate_door, node);
        if (at->door.listener && strcmp(at->door.listener->name, listener) == 0)
            count += atomic_load_explicit(&at->door.client_count, memory_order_relaxed);
    }
    uv_mutex_unlock(&gate->doors_lock);
    return count;
}

/* Acceptors. */

static void on_accepted(struct acceptor *acceptor, int fd, const struct address *peer)
{
    struct gate *gate = acceptor->owner;
    gate->owner->on_accepted(gate->owner, acceptor->door, fd, peer, acceptor->port);
}

static void on_acceptor_closed(struct acceptor *acceptor)
{
    struct gate_acceptor *closed = (struct gate_acceptor *)(void *)acceptor;
    struct gate *gate = closed->gate;
    list_remove(&closed->node);
    free(closed);
    if (gate_is_closed(gate))
        gate->owner->on_closed(gate->owner);
}

static struct gate_acceptor *find_acceptor(struct gate *gate, const struct address *address)
{
    for (struct list_node *node = gate->acceptors.next; node != &gate->acceptors;
         node = node->next) {
        struct gate_acceptor *at = LIST_OWNER(node, struct gate_acceptor, node);
        if (at->adopted + 1 == gate->adopted && address_equal(&at->address, address))
            return at;
    }
    return NULL;
}

static bool open_acceptor(struct gate *gate, struct door *door, const struct address *address,
                          int fd, struct error *err)
{
    struct gate_acceptor *made = calloc(1, sizeof *made);
    if (!made) {
        close(fd);
        return error_set(err, "out of memory");
    }
    made->gate = gate;
    made->address = *address;
    made->adopted = gate->adopted;
    made->acceptor.door = door;
    made->acceptor.port = address_port(address);
    made->acceptor.on_accepted = on_accepted;
    made->acceptor.owner = gate;
    if (!acceptor_open(&made->acceptor, gate->context, fd, err)) {
        free(made);
        return false;
    }
    list_append(&gate->acceptors, &made->node);
    return true;
}

static void close_acceptor(struct gate_acceptor *acceptor)
{
    if (acceptor->is_closing)
        return;
    acceptor->is_closing = true;
    acceptor_close(&acceptor->acceptor, on_acceptor_closed);
}

static void leave_acceptors(struct gate *gate)
{
    struct list_node *node = gate->acceptors.next;
    while (node != &gate->acceptors) {
        struct gate_acceptor *at = LIST_OWNER(node, struct gate_acceptor, node);
        node = node->next;
        if (at->adopted != gate->adopted)
            close_acceptor(at);
    }
}

/* An edition. */

static void move_acceptor(struct gate_acceptor *acceptor, struct gate_door *door)
{
    struct gate_door *before = (struct gate_door *)(void *)acceptor->acceptor.door;
    before->is_replaced |= before != door;
    acceptor->acceptor.door = &door->door;
}

static bool adopt_listener(struct gate *gate, struct edition *edition,
                           const struct listener *listener, struct sockets *sockets,
                           unsigned worker, struct error *err)
{
    struct gate_door *door = find_door(gate, listener);
    if (!door)
        door = make_door(gate);
    if (!door)
        return error_set(err, "listener %s: out of memory", listener->name);
    door->adopted = gate->adopted;
    put_behind(gate, &door->door, edition, listener, worker);
    bool good = true;
    for (unsigned k = 0; k < listener->address_count; k++) {
        struct gate_acceptor *known = find_acceptor(gate, &listener->addresses[k]);
        int fd = known ? -1 : sockets_take(sockets, worker, listener->index, k);
        if (known) {
            known->adopted = gate->adopted;
            move_acceptor(known, door);
        } else if (fd >= 0) {
            good &= open_acceptor(gate, &door->door, &listener->addresses[k], fd, err);
        }
    }
    return good;
}

bool gate_adopt(struct gate *gate, struct edition *edition, struct sockets *sockets,
                unsigned worker, struct error *err)
{
    const struct config *config = edition->config;
    bool good = true;
    gate->adopted++;
    for (unsigned i = 0; i < config->listener_count; i++)
        good &= adopt_listener(gate, edition, &config->listeners[i], sockets, worker, err);
    leave_acceptors(gate);
    leave_doors(gate);
    return good;
}

void gate_close(struct gate *gate)
{
    gate->closing = true;
    struct list_node *node = gate->acceptors.next;
    while (node != &gate->acceptors) {
        struct gate_acceptor *at = LIST_OWNER(node, struct gate_acceptor, node);
        node = node->next;
        close_acceptor(at);
    }
    if (gate_is_closed(gate))
        gate->owner->on_closed(gate->owner);
}

bool gate_is_closed(const struct gate *gate)
{
    return gate->closing && list_is_empty(&gate->acceptors);
}

void gate_done(struct gate *gate)
{
    while (!list_is_empty(&gate->doors))
        free_door(gate, LIST_OWNER(gate->doors.next, struct gate_door, node));
    uv_mutex_destroy(&gate->doors_lock);
}
