/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/server/sockets.h"

#include <stdlib.h>
#include <unistd.h>

#include "lb/base/error.h"
#include "lb/base/socket.h"

enum {
    LISTEN_BACKLOG = 4096
}; /* a burst of reconnecting devices; the kernel cuts it to somaxconn */

struct sockets {
    unsigned worker_count;
    unsigned address_count; /* of all listeners */
    unsigned *first;        /* by listener: the number of its first address among all */
    int fds[];              /* [worker][address] */
};

static bool has_port(const struct config *config, unsigned port)
{
    for (unsigned i = 0; config && i < config->listener_count; i++)
        for (unsigned k = 0; k < config->listeners[i].address_count; k++)
            if (address_port(&config->listeners[i].addresses[k]) == port)
                return true;
    return false;
}

static struct sockets *sockets_new(const struct config *config, unsigned workers)
{
    unsigned addresses = 0;
    for (unsigned i = 0; i < config->listener_count; i++)
        addresses += config->listeners[i].address_count;
    size_t count = (size_t)workers * addresses;
    struct sockets *sockets = calloc(1, sizeof *sockets + count * sizeof(int));
    if (!sockets)
        return NULL;
    sockets->first = calloc(config->listener_count + 1, sizeof *sockets->first);
    if (!sockets->first) {
        free(sockets);
        return NULL;
    }
    sockets->worker_count = workers;
    sockets->address_count = addresses;
    for (size_t i = 0; i < count; i++)
        sockets->fds[i] = -1;
    for (unsigned i = 0; i < config->listener_count; i++)
        sockets->first[i + 1] = sockets->first[i] + config->listeners[i].address_count;
    return sockets;
}

static bool open_address(struct sockets *sockets, const struct address *address, unsigned number,
                         const struct config *before, struct error *err)
{
    /* A forgotten lb on the same address would go on taking half of the clients, under its old
     * config. (An address of this lb's own on the same port may overlap: 127.0.0.1 and 0.0.0.0.) */
    if (!has_port(before, address_port(address)) && !socket_is_free(address, err))
        return false;
    for (unsigned i = 0; i < sockets->worker_count; i++) {
        int fd = socket_listen(address, LISTEN_BACKLOG, err);
        if (fd < 0)
            return false;
        sockets->fds[i * sockets->address_count + number] = fd;
    }
    return true;
}

struct sockets *sockets_open(const struct config *config, const struct config *before,
                             unsigned workers, struct error *err)
{
    struct sockets *sockets = sockets_new(config, workers);
    if (!sockets) {
        error_set(err, "out of memory");
        return NULL;
    }
    for (unsigned i = 0; i < config->listener_count; i++) {
        const struct listener *listener = &config->listeners[i];
        for (unsigned k = 0; k < listener->address_count; k++) {
            const struct address *address = &listener->addresses[k];
            if (config_has_address(before, address))
                continue;
            if (!open_address(sockets, address, sockets->first[i] + k, before, err)) {
                sockets_close(sockets);
                return NULL;
            }
        }
    }
    return sockets;
}

int sockets_take(struct sockets *sockets, unsigned worker, unsigned listener, unsigned address)
{
    int *place =
        &sockets->fds[worker * sockets->address_count + sockets->first[listener] + address];
    int fd = *place;
    *place = -1;
    return fd;
}

void sockets_close(struct sockets *sockets)
{
    if (!sockets)
        return;
    for (size_t i = 0; i < (size_t)sockets->worker_count * sockets->address_count; i++)
        if (sockets->fds[i] >= 0)
            close(sockets->fds[i]);
    free(sockets->first);
    free(sockets);
}
