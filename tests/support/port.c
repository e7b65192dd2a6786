/* SPDX-License-Identifier: Apache-2.0 */
/* Reserved ports: a locked file for each, in a folder that all test programs know. */
#include "tests/support/port.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FIRST_PORT = 12000, PORT_COUNT = 20000, FIRST_LOW_PORT = 600, LOW_PORT_COUNT = 400 };

/* Locks the port's file; the descriptor stays open, and the lock with it, until the process ends.
 */
static bool is_ours(unsigned port)
{
    char path[64];
    snprintf(path, sizeof path, "/tmp/lb-test-ports-%u", (unsigned)getuid());
    mkdir(path, 0700);
    snprintf(path, sizeof path, "/tmp/lb-test-ports-%u/%u", (unsigned)getuid(), port);
    int lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    ck_assert_msg(lock >= 0, "cannot open %s", path);
    if (flock(lock, LOCK_EX | LOCK_NB) == 0)
        return true;
    close(lock);
    return false;
}

static bool is_free(unsigned port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((in_port_t)port)};
    int socket_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(socket_fd, 0);
    /* As lb does: without it, connections of the last test that linger in TIME_WAIT would count. */
    setsockopt(socket_fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    bool bound = bind(socket_fd, (struct sockaddr *)&address, sizeof address) == 0;
    close(socket_fd);
    return bound;
}

static unsigned reserve(unsigned first, unsigned count)
{
    /* Where to begin differs from process to process, so that few meet at the same file. */
    static unsigned turn;
    unsigned start = (unsigned)getpid() * 61;
    for (unsigned tries = 0; tries < count; tries++) {
        unsigned port = first + (start + turn++) % count;
        if (is_ours(port) && is_free(port))
            return port;
    }
    ck_abort_msg("no port is free");
}

unsigned port_reserve(void)
{
    return reserve(FIRST_PORT, PORT_COUNT);
}

unsigned port_reserve_low(void)
{
    return reserve(FIRST_LOW_PORT, LOW_PORT_COUNT);
}

static struct sockaddr_in address_of(unsigned port)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons((in_port_t)port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

int port_listen(unsigned port, int backlog, int flags)
{
    struct sockaddr_in address = address_of(port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
    ck_assert_int_ge(fd, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    int bound = bind(fd, (struct sockaddr *)&address, sizeof address);
    ck_assert_msg(bound == 0, "port %u: %s", port, strerror(errno));
    ck_assert_int_eq(listen(fd, backlog), 0);
    return fd;
}

bool port_takes_connections(unsigned port)
{
    struct sockaddr_in address = address_of(port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(fd, 0);
    bool taken = connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
    close(fd);
    return taken;
}
