/* SPDX-License-Identifier: Apache-2.0 */
#include "listeners/ocsp/ocsp_call.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "listeners/ocsp/ocsp_url.h"

/* --- the end -----------------------------------------------------------------------------------
 */

static bool is_over(const struct ocsp_call *call)
{
    return !call->is_resolving && !call->is_open;
}

static void fail(struct ocsp_call *call)
{
    call->on_heard(call, NULL);
}

static void on_closed(struct connection *connection)
{
    struct ocsp_call *call = LIST_OWNER(connection, struct ocsp_call, connection);
    call->is_open = false;
    if (is_over(call))
        call->on_over(call);
}

bool ocsp_call_end(struct ocsp_call *call)
{
    if (call->state == OCSP_CALL_ENDED)
        return is_over(call);
    call->state = OCSP_CALL_ENDED;
    free(call->request);
    call->request = NULL;
    ocsp_hearing_done(&call->hearing);
    if (call->is_resolving)
        uv_cancel((uv_req_t *)&call->resolver);
    if (call->is_open)
        connection_close(&call->connection, on_closed);
    return is_over(call);
}

/* --- hearing -----------------------------------------------------------------------------------
 */

/* One read, and what it means. */
static enum ocsp_heard hear_some(struct ocsp_call *call, bool *ret_is_drained)
{
    struct loop_context *context = call->context;
    size_t got = 0;
    switch (connection_read(&call->connection, context->plain, READ_BYTES, &got)) {
    case IO_DONE:
        return ocsp_hearing_take(&call->hearing, context->plain, got);
    case IO_AGAIN:
        *ret_is_drained = true;
        return OCSP_HEARD_SOME;
    case IO_END:
        return ocsp_hearing_end(&call->hearing);
    case IO_FAILED:
        break;
    }
    error_set(&call->hearing.fault, "%s", connection_failure(&call->connection));
    return OCSP_HEARD_BAD;
}

static void hear(struct ocsp_call *call)
{
    enum ocsp_heard heard = OCSP_HEARD_SOME;
    bool is_drained = false;
    do {
        heard = hear_some(call, &is_drained);
    } while (heard == OCSP_HEARD_SOME && !is_drained && connection_has_unread(&call->connection));
    struct slice body;
    switch (heard) {
    case OCSP_HEARD_SOME:
        return;
    case OCSP_HEARD_WHOLE:
        body = ocsp_hearing_body(&call->hearing);
        call->on_heard(call, &body);
        return;
    case OCSP_HEARD_BAD:
        call->why = call->hearing.fault;
        fail(call);
        return;
    }
}

/* --- connecting --------------------------------------------------------------------------------
 */

static void on_ready(struct connection *connection, int events);

static bool send_request(struct ocsp_call *call)
{
    const struct iovec piece = {call->request, call->request_bytes};
    if (connection_write(&call->connection, &piece, 1) == IO_FAILED)
        return error_set(&call->why, "%s", connection_failure(&call->connection));
    connection_await_writable(&call->connection);
    return true;
}

static bool connect_to(struct ocsp_call *call, const struct address *address)
{
    int fd = socket_connect(address);
    if (fd < 0)
        return error_set(&call->why, "%s: %s", address->text, strerror(errno));
    if (!connection_open(&call->connection, call->context, fd, on_ready, &call->why))
        return false;
    call->is_open = true;
    return true;
}

/* false: none is left; `why` tells of the last. */
static bool connect_next(struct ocsp_call *call)
{
    call->state = OCSP_CALL_CONNECTING;
    while (call->next_address < call->address_count)
        if (connect_to(call, &call->addresses[call->next_address++])) {
            connection_await_writable(&call->connection);
            return true;
        }
    return false;
}

static void on_refused(struct connection *connection)
{
    struct ocsp_call *call = LIST_OWNER(connection, struct ocsp_call, connection);
    call->is_open = false;
    if (call->state == OCSP_CALL_ENDED)
        call->on_over(call);
    else if (!connect_next(call))
        fail(call);
}

static void on_connected(struct ocsp_call *call)
{
    int failure = socket_connect_result(call->connection.fd);
    if (failure != 0) {
        error_set(&call->why, "%s: %s", call->addresses[call->next_address - 1].text,
                  strerror(failure));
        connection_close(&call->connection, on_refused);
        return;
    }
    call->state = OCSP_CALL_HEARING;
    connection_flush(&call->connection); /* nothing is pending: ends the wait to write */
    if (!send_request(call))
        fail(call);
}

static void on_ready(struct connection *connection, int events)
{
    struct ocsp_call *call = LIST_OWNER(connection, struct ocsp_call, connection);
    switch (call->state) {
    case OCSP_CALL_CONNECTING:
        if (!connection->closing)
            on_connected(call);
        return;
    case OCSP_CALL_HEARING:
        if (events & CONNECTION_WRITABLE)
            connection_flush(connection);
        if (events & CONNECTION_READABLE)
            hear(call);
        return;
    case OCSP_CALL_RESOLVING:
    case OCSP_CALL_ENDED:
        return;
    }
}

/* --- resolving ---------------------------------------------------------------------------------
 */

static void keep_addresses(struct ocsp_call *call, const struct addrinfo *found)
{
    for (; found && call->address_count < OCSP_ADDRESSES_MOST; found = found->ai_next)
        address_set(&call->addresses[call->address_count++], found->ai_addr, found->ai_addrlen);
}

static void on_resolved(uv_getaddrinfo_t *resolver, int status, struct addrinfo *found)
{
    struct ocsp_call *call = LIST_OWNER(resolver, struct ocsp_call, resolver);
    call->is_resolving = false;
    if (call->state != OCSP_CALL_ENDED && status == 0)
        keep_addresses(call, found);
    uv_freeaddrinfo(found);
    if (call->state == OCSP_CALL_ENDED) {
        call->on_over(call);
        return;
    }
    error_set(&call->why, "its name is not known: %s",
              status == 0 ? "no address" : uv_strerror(status));
    if (!connect_next(call))
        fail(call);
}

static bool resolve(struct ocsp_call *call, const char *host)
{
    const struct addrinfo wish = {.ai_family = AF_UNSPEC,
                                  .ai_socktype = SOCK_STREAM,
                                  .ai_flags = AI_ADDRCONFIG | AI_NUMERICSERV};
    char port[8];
    snprintf(port, sizeof port, "%u", call->port);
    int status =
        uv_getaddrinfo(call->context->loop, &call->resolver, on_resolved, host, port, &wish);
    if (status != 0)
        return error_set(&call->why, "its name cannot be looked up: %s", uv_strerror(status));
    call->state = OCSP_CALL_RESOLVING;
    call->is_resolving = true;
    return true;
}

/* A number needs no look-up. */
static bool is_number(struct ocsp_call *call, const char *host)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)call->port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)call->port)};
    if (inet_pton(AF_INET, host, &v4.sin_addr) == 1)
        address_set(&call->addresses[0], (const struct sockaddr *)&v4, sizeof v4);
    else if (inet_pton(AF_INET6, host, &v6.sin6_addr) == 1)
        address_set(&call->addresses[0], (const struct sockaddr *)&v6, sizeof v6);
    else
        return false;
    call->address_count = 1;
    return true;
}

/* --- beginning ---------------------------------------------------------------------------------
 */

static bool write_request(struct ocsp_call *call, const struct ocsp_url *url, struct slice question)
{
    char head[2 * OCSP_URL_BYTES + 256];
    int length = snprintf(head, sizeof head,
                          "POST %s HTTP/1.1\r\nHost: %s\r\n"
                          "Content-Type: application/ocsp-request\r\n"
                          "Accept: application/ocsp-response\r\n"
                          "Content-Length: %zu\r\nConnection: close\r\n\r\n",
                          url->path, url->authority, question.length);
    call->request_bytes = (size_t)length + question.length;
    call->request = malloc(call->request_bytes);
    if (!call->request)
        return error_set(&call->why, "out of memory");
    memcpy(call->request, head, (size_t)length);
    memcpy(call->request + length, question.at, question.length);
    return true;
}

bool ocsp_call_begin(struct ocsp_call *call, struct loop_context *context,
                     const struct ocsp_url *url, struct slice question)
{
    call->context = context;
    call->port = url->port;
    ocsp_hearing_init(&call->hearing, &context->buffers);
    if (!write_request(call, url, question))
        return false;
    bool good = is_number(call, url->host) ? connect_next(call) : resolve(call, url->host);
    if (!good)
        ocsp_call_end(call);
    return good;
}
