/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The admin's own little gate: an acceptor for each address, a door for socket files and one for
 * TLS, clients whose roof is the API. It ends by running out: acceptors close, the last client
 * goes, the last request is answered.
 */
#include "lb/admin/admin.h"

#include <stdlib.h>
#include <unistd.h>

#include "lb/admin/admin_listener.h"
#include "lb/admin/api.h"
#include "lb/admin/api_desk.h"
#include "lb/base/limits.h"
#include "lb/base/log.h"
#include "lb/base/unix_socket.h"
#include "lb/server/acceptor.h"
#include "listeners/client.h"

enum { LISTEN_BACKLOG = 64 };

/** One address. */
struct admin_way {
    struct acceptor acceptor;
    struct unix_socket socket;
    bool is_file;
    bool is_open;
};

struct admin {
    struct api api;
    struct arena arena; /* of the options for socket files */
    struct listener_options options;
    struct listener listener;
    struct hold hold;
    struct door file_door;
    struct door tls_door;
    struct admin_listener *tls; /* behind the tls_door; NULL: there is no TCP address */
    struct admin_way ways[ADMIN_ADDRESSES_MOST];
    unsigned way_count;
    unsigned open_count;
    struct clients clients;
    uint64_t next_client_id;
    bool is_closing;
    bool is_empty;
    void (*closed)(void *arg);
    void *closed_arg;
};

/* --- ending -------------------------------------------------------------------------------- */

static void admin_free(struct admin *admin)
{
    admin_listener_leave(admin->tls);
    arena_done(&admin->arena);
    free(admin);
}

static void end(void *arg)
{
    struct admin *admin = arg;
    void (*closed)(void *arg) = admin->closed;
    void *closed_arg = admin->closed_arg;
    admin_free(admin);
    closed(closed_arg);
}

static void end_when_empty(struct admin *admin)
{
    if (!admin->is_closing || admin->open_count > 0 || admin->clients.count > 0 ||
        admin->api.request_count > 0 || admin->is_empty)
        return;
    admin->is_empty = true;
    if (admin->api.desk)
        api_desk_close(admin->api.desk, end, admin);
    else
        end(admin);
}

static void on_gone(void *arg)
{
    end_when_empty(arg);
}

static void on_acceptor_closed(struct acceptor *acceptor)
{
    struct admin *admin = acceptor->owner;
    admin->open_count--;
    end_when_empty(admin);
}

void admin_close(struct admin *admin, void (*closed)(void *arg), void *arg)
{
    admin->is_closing = true;
    admin->closed = closed;
    admin->closed_arg = arg;
    for (unsigned i = 0; i < admin->way_count; i++) {
        struct admin_way *way = &admin->ways[i];
        if (way->is_open && way->is_file)
            unix_socket_remove(&way->socket);
        if (way->is_open)
            acceptor_close(&way->acceptor, on_acceptor_closed);
    }
    clients_close_all(&admin->clients);
    end_when_empty(admin); /* where nothing was open */
}

/* --- clients ------------------------------------------------------------------------------- */

/* Each door by itself: who only reaches the port must not keep root from the socket file. */
static void on_accepted(struct acceptor *acceptor, int fd, const struct address *peer)
{
    struct admin *admin = acceptor->owner;
    unsigned count = atomic_load_explicit(&acceptor->door->client_count, memory_order_relaxed);
    if (admin->is_closing || count >= ADMIN_CLIENTS_MOST) {
        if (!admin->is_closing)
            log_say(LOG_LEVEL_WARN, "admin.full", "%u connections are open: one more is refused",
                    count);
        close(fd);
        return;
    }
    client_accept(&admin->clients, acceptor->door, fd, peer, acceptor->port,
                  admin->next_client_id++);
}

void admin_review_identities(struct admin *admin)
{
    inspection_ask(&admin->clients.inspection);
}

/* --- doors --------------------------------------------------------------------------------- */

static void on_unused(struct hold *hold)
{
    (void)hold; /* it is a part of the admin */
}

static void make_file_door(struct admin *admin)
{
    option_defaults(&listener_option_table, &admin->options, &admin->arena);
    admin->options.protocol = LISTENER_HTTP;
    admin->listener = (struct listener){.name = "admin", .options = &admin->options};
    admin->hold = (struct hold){.users = 1, .on_unused = on_unused};
    admin->file_door.listener = &admin->listener;
    admin->file_door.hold = &admin->hold;
}

static void put_behind(struct admin *admin, struct admin_listener *listener)
{
    struct admin_listener *before = admin->tls;
    admin->tls = listener;
    admin->tls_door.listener = &listener->listener;
    admin->tls_door.handshake = listener->handshake;
    admin->tls_door.hold = &listener->hold;
    admin_listener_leave(before);
}

/* listener: taken. */
static bool open_tls(struct admin *admin, struct admin_listener *listener, struct error *err)
{
    struct admin_host *host = admin->api.host;
    if (!admin_listener_open(listener, host->registry(host), err)) {
        admin_listener_leave(listener);
        return false;
    }
    put_behind(admin, listener);
    return true;
}

bool admin_adopt(struct admin *admin, struct admin_listener *listener, struct error *err)
{
    if (!admin->tls) { /* it has no such address, which takes a restart */
        admin_listener_leave(listener);
        return true;
    }
    if (listener && !open_tls(admin, listener, err))
        return false;
    clients_review(&admin->clients);
    return true;
}

/* --- beginning ----------------------------------------------------------------------------- */

static struct admin *admin_new(struct admin_host *host, struct loop_context *context)
{
    struct admin *admin = calloc(1, sizeof *admin);
    if (!admin)
        return NULL;
    admin->api = (struct api){.host = host,
                              .buffers = &context->buffers,
                              .loop = context->loop,
                              .admin = admin,
                              .on_gone = on_gone};
    make_file_door(admin);
    clients_init(&admin->clients, context, &api_events, &admin->api);
    return admin;
}

static bool listen_at(struct admin_way *way, const struct admin_address *address, int *ret_fd,
                      struct error *err)
{
    way->is_file = address->path != NULL;
    if (way->is_file) {
        bool is_open = unix_socket_open(&way->socket, address->path, err);
        *ret_fd = is_open ? way->socket.fd : -1;
        return is_open;
    }
    /* Two programs could share the address without a word. */
    *ret_fd =
        socket_is_free(&address->tcp, err) ? socket_listen(&address->tcp, LISTEN_BACKLOG, err) : -1;
    return *ret_fd >= 0;
}

static void log_open_at(const struct admin_address *address)
{
    struct log_line line;
    log_begin(&line, LOG_LEVEL_INFO, "admin.open");
    if (address->path)
        log_text(&line, "path", address->path);
    else
        log_text(&line, "address", address->tcp.text);
    log_end(&line);
}

static bool open_way(struct admin *admin, const struct admin_address *address, struct error *err)
{
    struct admin_way *way = &admin->ways[admin->way_count++];
    int fd;
    if (!listen_at(way, address, &fd, err))
        return false;
    way->acceptor = (struct acceptor){
        .door = way->is_file ? &admin->file_door : &admin->tls_door,
        .port = way->is_file ? 0 : address_port(&address->tcp),
        .on_accepted = on_accepted,
        .owner = admin,
    };
    way->is_open = acceptor_open(&way->acceptor, admin->clients.context, fd, err);
    admin->open_count += way->is_open;
    if (!way->is_open && way->is_file)
        unix_socket_remove(&way->socket);
    if (way->is_open)
        log_open_at(address);
    return way->is_open;
}

static bool open_ways(struct admin *admin, const struct admin_options *options, bool *ret_is_off,
                      struct error *err)
{
    struct arena arena = {0};
    bool good = true;
    for (unsigned i = 0; good && i < options->address.count; i++) {
        struct admin_address address;
        good = admin_address_parse(&address, options->address.items[i], "", &arena, err);
        *ret_is_off = good && address.is_off;
        good = good && (address.is_off || open_way(admin, &address, err));
    }
    arena_done(&arena);
    return good;
}

static void on_given_up(void *arg)
{
    (void)arg;
}

bool admin_open(struct admin **ret_admin, struct admin_host *host,
                const struct admin_options *options, struct admin_listener *listener,
                struct loop_context *context, struct error *err)
{
    struct admin *admin = admin_new(host, context);
    bool is_off = false;
    *ret_admin = NULL;
    if (!admin) {
        admin_listener_leave(listener);
        return error_set(err, "out of memory");
    }
    bool good =
        (!listener || open_tls(admin, listener, err)) && open_ways(admin, options, &is_off, err);
    if (good && !is_off)
        *ret_admin = admin;
    else
        admin_close(admin, on_given_up, NULL);
    if (good || options->address_line > 0)
        return good;
    log_say(LOG_LEVEL_WARN, "admin.not-open",
            "lb status, lb backend and lb reload find nobody: %s ([admin] address says where else)",
            err->text);
    return true;
}
