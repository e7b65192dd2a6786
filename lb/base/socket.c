/* SPDX-License-Identifier: Apache-2.0 */
/* See socket.h. */
#include "lb/base/socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lb/base/error.h"

enum { HOST_BYTES = 256, PORT_MOST = 65535 };

/* "HOST:PORT" cut in two, brackets removed. */
struct written_address {
    char host[HOST_BYTES];
    unsigned port;
    bool bracketed;
};

static bool parse_port(const char *digits, const char *text, unsigned *ret_port, struct error *err)
{
    size_t length = strlen(digits);
    bool number = length > 0 && length <= 5 && strspn(digits, "0123456789") == length;
    unsigned long port = number ? strtoul(digits, NULL, 10) : 0;
    if (!number || port > PORT_MOST)
        return error_set(err, "\"%s\" in \"%s\" is no port: write a number from 1 to 65535", digits,
                         text);
    *ret_port = (unsigned)port;
    return true;
}

static bool copy_host(struct written_address *written, const char *from, size_t length,
                      const char *text, struct error *err)
{
    if (length == 0)
        return error_set(err, "\"%s\" has no host: write 0.0.0.0:PORT or [::]:PORT for all", text);
    if (length >= sizeof written->host)
        return error_set(err, "a host of %zu characters is too long: %d are allowed", length,
                         HOST_BYTES - 1);
    memcpy(written->host, from, length);
    written->host[length] = '\0';
    return true;
}

static bool split_bracketed(struct written_address *written, const char *text, struct error *err)
{
    const char *end = strchr(text, ']');
    if (!end)
        return error_set(err, "\"%s\" lacks the closing bracket: write [::1]:8443", text);
    if (end[1] == '\0')
        return error_set(err, "%s has no port: write %s:8443", text, text);
    if (end[1] != ':')
        return error_set(err, "\"%s\" goes on behind the bracket: write [::1]:8443", text);
    written->bracketed = true;
    return copy_host(written, text + 1, (size_t)(end - text - 1), text, err) &&
           parse_port(end + 2, text, &written->port, err);
}

static bool split(struct written_address *written, const char *text, struct error *err)
{
    if (text[0] == '\0')
        return error_set(err, "an address is missing: write 127.0.0.1:8443");
    if (text[0] == '[')
        return split_bracketed(written, text, err);
    const char *colon = strchr(text, ':');
    if (!colon)
        return error_set(err, "%s has no port: write %s:8443", text, text);
    if (strchr(colon + 1, ':'))
        return error_set(err, "\"%s\" is an IPv6 address without brackets: write [::1]:8443", text);
    return copy_host(written, text, (size_t)(colon - text), text, err) &&
           parse_port(colon + 1, text, &written->port, err);
}

static void set_port(struct sockaddr *address, unsigned port)
{
    if (address->sa_family == AF_INET6)
        ((struct sockaddr_in6 *)(void *)address)->sin6_port = htons((uint16_t)port);
    else
        ((struct sockaddr_in *)(void *)address)->sin_port = htons((uint16_t)port);
}

static bool look_up(struct address *address, const struct written_address *written,
                    struct error *err)
{
    const char *host = strcmp(written->host, "localhost") == 0 ? "127.0.0.1" : written->host;
    struct addrinfo wish = {.ai_family = written->bracketed ? AF_INET6 : AF_UNSPEC,
                            .ai_socktype = SOCK_STREAM,
                            .ai_flags = AI_NUMERICHOST};
    struct addrinfo *found = NULL;
    int status = getaddrinfo(host, NULL, &wish, &found);
    if (status != 0 && written->bracketed)
        return error_set(err, "\"%s\" is no IPv6 address: write [::1]:8443", written->host);
    if (status != 0) {
        wish.ai_flags = 0;
        status = getaddrinfo(host, NULL, &wish, &found);
    }
    if (status != 0)
        return error_set(err, "\"%s\" is neither an address nor a known name (%s)", written->host,
                         gai_strerror(status));
    set_port(found->ai_addr, written->port);
    address_set(address, found->ai_addr, found->ai_addrlen);
    freeaddrinfo(found);
    return true;
}

bool address_parse(struct address *address, const char *text, struct error *err)
{
    struct written_address written = {0};
    return split(&written, text, err) && look_up(address, &written, err);
}

/* An IPv4 client of a dual-stack socket is the same client as through an IPv4 socket. */
static void unmap(struct address *address)
{
    const struct sockaddr_in6 *mapped = (const void *)&address->storage;
    if (address->storage.ss_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&mapped->sin6_addr))
        return;
    struct sockaddr_in plain = {.sin_family = AF_INET, .sin_port = mapped->sin6_port};
    memcpy(&plain.sin_addr, &mapped->sin6_addr.s6_addr[12], sizeof plain.sin_addr);
    memset(&address->storage, 0, sizeof address->storage);
    memcpy(&address->storage, &plain, sizeof plain);
    address->length = sizeof plain;
}

static void write_ipv6(struct address *address)
{
    const struct sockaddr_in6 *ipv6 = (const void *)&address->storage;
    char host[INET6_ADDRSTRLEN];
    inet_ntop(AF_INET6, &ipv6->sin6_addr, host, sizeof host);
    char zone[12] = "";
    if (ipv6->sin6_scope_id != 0)
        snprintf(zone, sizeof zone, "%%%u", (unsigned)ipv6->sin6_scope_id);
    snprintf(address->text, sizeof address->text, "[%.45s%s]:%u", host, zone,
             address_port(address));
}

void address_set(struct address *address, const struct sockaddr *from, socklen_t length)
{
    memset(address, 0, sizeof *address);
    if (length > sizeof address->storage)
        length = sizeof address->storage;
    memcpy(&address->storage, from, length);
    address->length = length;
    unmap(address);
    if (address->storage.ss_family == AF_INET) {
        const struct sockaddr_in *ipv4 = (const void *)&address->storage;
        char host[INET_ADDRSTRLEN];
        inet_ntop(AF_INET, &ipv4->sin_addr, host, sizeof host);
        snprintf(address->text, sizeof address->text, "%s:%u", host, address_port(address));
    } else if (address->storage.ss_family == AF_INET6) {
        write_ipv6(address);
    } else {
        snprintf(address->text, sizeof address->text, "unix");
    }
}

void address_host(const struct address *address, char *into, size_t room)
{
    const char *start = address->text;
    const char *end = strrchr(start, ':');
    size_t length = end ? (size_t)(end - start) : strlen(start);
    if (length >= 2 && start[0] == '[') {
        start++;
        length -= 2;
    }
    snprintf(into, room, "%.*s", (int)length, start);
}

unsigned address_port(const struct address *address)
{
    if (address->storage.ss_family == AF_INET)
        return ntohs(((const struct sockaddr_in *)(const void *)&address->storage)->sin_port);
    if (address->storage.ss_family == AF_INET6)
        return ntohs(((const struct sockaddr_in6 *)(const void *)&address->storage)->sin6_port);
    return 0;
}

static bool equal_ipv6(const struct sockaddr_in6 *one, const struct sockaddr_in6 *other)
{
    return one->sin6_port == other->sin6_port && one->sin6_scope_id == other->sin6_scope_id &&
           memcmp(&one->sin6_addr, &other->sin6_addr, sizeof one->sin6_addr) == 0;
}

bool address_equal(const struct address *one, const struct address *other)
{
    if (one->storage.ss_family != other->storage.ss_family)
        return false;
    if (one->storage.ss_family == AF_INET6)
        return equal_ipv6((const void *)&one->storage, (const void *)&other->storage);
    if (one->storage.ss_family == AF_INET) {
        const struct sockaddr_in *first = (const void *)&one->storage;
        const struct sockaddr_in *second = (const void *)&other->storage;
        return first->sin_port == second->sin_port &&
               first->sin_addr.s_addr == second->sin_addr.s_addr;
    }
    return one->length == other->length && memcmp(&one->storage, &other->storage, one->length) == 0;
}

static bool switch_on(int fd, int level, int option)
{
    int on = 1;
    return setsockopt(fd, level, option, &on, sizeof on) == 0;
}

/* What an operator can do about a bind that failed. */
static const char *bind_advice(int failure)
{
    switch (failure) {
    case EACCES:
        return " (ports below 1024 need root or CAP_NET_BIND_SERVICE)";
    case EADDRINUSE:
        return " (another program listens there)";
    case EADDRNOTAVAIL:
        return " (no interface of this machine has that address)";
    default:
        return "";
    }
}

static int refuse_listening(const struct address *address, int fd, struct error *err)
{
    int failure = errno;
    error_set(err, "cannot listen on %s: %s%s", address->text, strerror(failure),
              bind_advice(failure));
    if (fd >= 0)
        close(fd);
    return -1;
}

bool socket_is_free(const struct address *address, struct error *err)
{
    int family = address->storage.ss_family;
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return refuse_listening(address, fd, err) == 0;
    bool ready = switch_on(fd, SOL_SOCKET, SO_REUSEADDR) &&
                 (family != AF_INET6 || switch_on(fd, IPPROTO_IPV6, IPV6_V6ONLY));
    /* Binding is enough to find out, and whoever came to a listening one would be reset. */
    if (!ready || bind(fd, (const struct sockaddr *)&address->storage, address->length) != 0)
        return refuse_listening(address, fd, err) == 0;
    close(fd);
    return true;
}

int socket_listen(const struct address *address, int backlog, struct error *err)
{
    int family = address->storage.ss_family;
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return refuse_listening(address, fd, err);
    bool ready = switch_on(fd, SOL_SOCKET, SO_REUSEADDR) &&
                 switch_on(fd, SOL_SOCKET, SO_REUSEPORT) &&
                 switch_on(fd, IPPROTO_TCP, TCP_NODELAY) &&
                 (family != AF_INET6 || switch_on(fd, IPPROTO_IPV6, IPV6_V6ONLY));
    if (!ready || bind(fd, (const struct sockaddr *)&address->storage, address->length) != 0 ||
        listen(fd, backlog) != 0)
        return refuse_listening(address, fd, err);
    return fd;
}

int socket_accept(int listening, struct address *peer)
{
    struct sockaddr_storage from = {0};
    socklen_t length = sizeof from;
    int fd;
    do {
        fd = accept4(listening, (struct sockaddr *)&from, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
    } while (fd < 0 && errno == EINTR);
    if (fd >= 0 && peer)
        address_set(peer, (const struct sockaddr *)&from, length);
    return fd;
}

int socket_connect(const struct address *address)
{
    int fd = socket(address->storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (switch_on(fd, IPPROTO_TCP, TCP_NODELAY) &&
        (connect(fd, (const struct sockaddr *)&address->storage, address->length) == 0 ||
         errno == EINPROGRESS))
        return fd;
    int failure = errno;
    close(fd);
    errno = failure;
    return -1;
}

int socket_connect_result(int fd)
{
    int failure = 0;
    socklen_t length = sizeof failure;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &length) != 0)
        return errno;
    return failure;
}

bool socket_is_shortage(int failure)
{
    switch (failure) {
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
    case EADDRNOTAVAIL: /* of connect: no free local port */
        return true;
    default:
        return false;
    }
}
