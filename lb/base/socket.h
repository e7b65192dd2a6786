/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses and descriptors: the few socket calls lb needs, non-blocking and close-on-exec. */
#ifndef LB_BASE_SOCKET_H
#define LB_BASE_SOCKET_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

struct error;

/** A numeric address with its port, and its text for logs: "127.0.0.1:8081", "[::1]:8081". */
struct address {
    struct sockaddr_storage storage;
    socklen_t length;
    char text[64];
};

/**
 * Parse "HOST:PORT" or "[IPV6]:PORT"; `HOST` is a number, or "localhost" (always 127.0.0.1), or a
 * name that is resolved now. Port 0 is taken: for listening it means any free one.
 *
 * Fails:   with what is wrong and an example of what would be right.
 * Thread:  any; may block (name lookup): start-up only.
 */
bool address_parse(struct address *address, const char *text, struct error *err);
/** From a socket address, as accept gives it; fills text (IPv4-mapped IPv6 is written as IPv4). */
void address_set(struct address *address, const struct sockaddr *from, socklen_t length);
/** The host part of text without port and brackets, into `into` (at least 48 bytes). */
void address_host(const struct address *address, char *into, size_t room);
unsigned address_port(const struct address *address);
bool address_equal(const struct address *one, const struct address *other);

/**
 * Does nobody listen on this address yet? socket_listen cannot tell: with SO_REUSEPORT a second
 * program of the same user shares the address in silence, and with it the clients. The address is
 * free again when this returns.
 *
 * Fails: somebody does, or it cannot be listened on at all; err says which.   Thread: any; start-up
 * only.
 */
bool socket_is_free(const struct address *address, struct error *err);

/** Listen with SO_REUSEADDR, SO_REUSEPORT, IPV6_V6ONLY and TCP_NODELAY. -1: err says why. */
int socket_listen(const struct address *address, int backlog, struct error *err);
/** Accept one; -1 with errno. TCP_NODELAY is inherited from the listening one. peer may be NULL. */
int socket_accept(int listening, struct address *peer);
/** Connect with TCP_NODELAY; the descriptor becomes writable when it is decided. -1 with errno. */
int socket_connect(const struct address *address);
/** Outcome of a connect that became writable: 0 or an errno. */
int socket_connect_result(int fd);

/** Is this failure (errno) a shortage of this machine's: of descriptors, memory, or local ports to
 * connect from? It says nothing of the peer. */
bool socket_is_shortage(int failure);

#endif
