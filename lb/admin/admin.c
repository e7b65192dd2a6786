/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The admin's own little listener: one acceptor, one door, clients whose roof is the API. It ends
 * by running out: the acceptor closes, the last client goes, the last request is answered.
 */
#include "lb/admin/admin.h"

#include <stdlib.h>
#include <unistd.h>

#include "lb/acceptor.h"
#include "lb/admin/api.h"
#include "lb/base/limits.h"
#include "lb/base/log.h"
#include "lb/base/unix_socket.h"
#include "listeners/client.h"

struct admin {
    struct api api;
    struct arena arena; /* of the listener's options */
    struct listener_options options;
    struct listener listener;
    struct hold hold;
    struct door door;
    struct unix_socket socket;
    struct acceptor acceptor;
    struct clients clients;
    uint64_t next_client_id;
    bool is_accepting;
    bool is_closing;
    void (*closed)(void *arg);
    void *closed_arg;
};

/* --- ending -------------------------------------------------------------------------------- */

static void admin_free(struct admin *admin)
{
    arena_done(&admin->arena);
    free(admin);
}

static void end_when_empty(struct admin *admin)
{
    if (!admin->is_closing || admin->is_accepting || admin->clients.count > 0 ||
        admin->api.request_count > 0)
        return;
    void (*closed)(void *arg) = admin->closed;
    void *arg = admin->closed_arg;
    admin_free(admin);
    closed(arg);
}

static void on_gone(void *arg)
{
    end_when_empty(arg);
}

static void on_acceptor_closed(struct acceptor *acceptor)
{
    struct admin *admin = acceptor->owner;
    admin->is_accepting = false;
    end_when_empty(admin);
}

void admin_close(struct admin *admin, void (*closed)(void *arg), void *arg)
{
    admin->is_closing = true;
    admin->closed = closed;
    admin->closed_arg = arg;
    unix_socket_remove(&admin->socket);
    acceptor_close(&admin->acceptor, on_acceptor_closed);
    clients_close_all(&admin->clients);
}

/* --- clients ------------------------------------------------------------------------------- */

static void on_accepted(struct acceptor *acceptor, int fd, const struct address *peer)
{
    struct admin *admin = acceptor->owner;
    if (admin->is_closing || admin->clients.count >= ADMIN_CLIENTS_MOST) {
        if (!admin->is_closing)
            log_say(LOG_LEVEL_WARN, "admin.full", "%u connections are open: one more is refused",
                    admin->clients.count);
        close(fd);
        return;
    }
    client_accept(&admin->clients, &admin->door, fd, peer, 0, admin->next_client_id++);
}

/* --- beginning ----------------------------------------------------------------------------- */

static void on_unused(struct hold *hold)
{
    (void)hold; /* it is a part of the admin */
}

static void make_door(struct admin *admin)
{
    option_defaults(&listener_option_table, &admin->options, &admin->arena);
    admin->options.protocol = LISTENER_HTTP;
    admin->listener = (struct listener){.name = "admin", .options = &admin->options};
    admin->hold = (struct hold){.users = 1, .on_unused = on_unused};
    admin->door.listener = &admin->listener;
    admin->door.hold = &admin->hold;
}

static struct admin *admin_new(struct admin_host *host, struct loop_context *context)
{
    struct admin *admin = calloc(1, sizeof *admin);
    if (!admin)
        return NULL;
    admin->api = (struct api){
        .host = host, .buffers = &context->buffers, .admin = admin, .on_gone = on_gone};
    make_door(admin);
    clients_init(&admin->clients, context, &api_events, &admin->api);
    admin->acceptor.door = &admin->door;
    admin->acceptor.on_accepted = on_accepted;
    admin->acceptor.owner = admin;
    return admin;
}

static bool listen_at(struct admin *admin, const char *path, struct loop_context *context,
                      struct error *err)
{
    if (!unix_socket_open(&admin->socket, path, err))
        return false;
    admin->is_accepting = acceptor_open(&admin->acceptor, context, admin->socket.fd, err);
    if (!admin->is_accepting)
        unix_socket_remove(&admin->socket);
    return admin->is_accepting;
}

static struct admin *open_at(const char *path, struct admin_host *host,
                             struct loop_context *context, struct error *err)
{
    struct admin *admin = admin_new(host, context);
    if (!admin) {
        error_set(err, "out of memory");
        return NULL;
    }
    if (listen_at(admin, path, context, err))
        return admin;
    admin_free(admin);
    return NULL;
}

static void log_open_at(const char *path)
{
    struct log_line line;
    log_begin(&line, LOG_LEVEL_INFO, "admin.open");
    log_text(&line, "path", path);
    log_end(&line);
}

bool admin_open(struct admin **ret_admin, struct admin_host *host,
                const struct admin_options *options, struct loop_context *context,
                struct error *err)
{
    struct admin_address address;
    struct arena arena = {0};
    *ret_admin = NULL;
    bool good = admin_address_parse(&address, options->address, "", &arena, err);
    if (good && !address.is_off) {
        *ret_admin = open_at(address.path, host, context, err);
        good = *ret_admin != NULL;
    }
    if (*ret_admin)
        log_open_at(address.path);
    arena_done(&arena);
    if (good || options->address_line > 0)
        return good;
    log_say(LOG_LEVEL_WARN, "admin.not-open",
            "lb status, lb backend and lb reload find nobody: %s ([admin] address says where else)",
            err->text);
    return true;
}
