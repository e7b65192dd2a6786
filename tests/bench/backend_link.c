/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One read and one send for a small request. What is large is never copied: a request's body is
 * taken out of the socket unread, an answer's is sent from the one pattern.
 */
#include "tests/bench/backend_link.h"

#include <ctype.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum { SKIP_AT_ONCE_BYTES = 1 << 20 };

static const char refusal[] =
    "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

/* nginx keeps what came back until there is more, unless it is told that nobody may wait. */
static const char at_once[] = "X-Accel-Buffering: no\r\n";

struct backend_link *backend_link_new(int socket)
{
    struct backend_link *link = calloc(1, sizeof *link);
    int one = 1;
    if (link == NULL) {
        close(socket);
        return NULL;
    }
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    link->socket = socket;
    link->told_bytes = UINT64_MAX;
    return link;
}

void backend_link_free(struct backend_link *link)
{
    close(link->socket);
    free(link);
}

/* ---- answering ---- */

static bool is_sending(const struct backend_link *link)
{
    return link->unsent_head > 0 || link->unsent_body > 0;
}

static void note_sent(struct backend_link *link, size_t bytes)
{
    size_t of_head = bytes < link->unsent_head ? bytes : link->unsent_head;
    link->unsent_head -= of_head;
    link->unsent_body -= bytes - of_head;
}

/* false: the connection is lost. */
static bool send_answer(const struct backend_manners *manners, struct backend_link *link)
{
    while (is_sending(link)) {
        const char *head = link->answer_head + link->answer_head_bytes - link->unsent_head;
        const char *body = pattern_at(&manners->pattern, link->asked_bytes - link->unsent_body);
        struct iovec parts[2] = {
            {.iov_base = (void *)(uintptr_t)head, .iov_len = link->unsent_head},
            {.iov_base = (void *)(uintptr_t)body, .iov_len = pattern_part(link->unsent_body)}};
        struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
        ssize_t sent = sendmsg(link->socket, &message, MSG_NOSIGNAL);
        if (sent < 0)
            return errno == EAGAIN || errno == EINTR;
        note_sent(link, (size_t)sent);
    }
    return true;
}

static bool begin_answer(const struct backend_manners *manners, struct backend_link *link)
{
    if (link->told_bytes != link->asked_bytes || link->told_held != link->holds) {
        link->answer_head_bytes =
            (size_t)snprintf(link->answer_head, sizeof link->answer_head,
                             "HTTP/1.1 200 OK\r\nServer: backend\r\nContent-Type: text/plain\r\n"
                             "Content-Length: %llu\r\n%s\r\n",
                             (unsigned long long)link->asked_bytes, link->holds ? at_once : "");
        link->told_bytes = link->asked_bytes;
        link->told_held = link->holds;
    }
    link->owes = false;
    link->unsent_head = link->answer_head_bytes;
    link->unsent_body = link->asked_bytes - (link->holds ? 1 : 0);
    return send_answer(manners, link);
}

/* ---- reading heads ---- */

static bool has_required(const struct backend_manners *manners, const char *head)
{
    for (unsigned i = 0; i < manners->required_count; i++) {
        const char *found = strcasestr(head, manners->required[i]);
        if (found == NULL || found[strlen(manners->required[i])] != ':')
            return false;
    }
    return true;
}

/* A decimal number that ends where `ends` say; false: it is none, or above `most`. */
static bool read_number(const char *text, const char *ends, uint64_t most, uint64_t *ret_number)
{
    char *end = NULL;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    if (!isdigit((unsigned char)text[0]) || errno != 0 || number > most ||
        strchr(ends, *end) == NULL)
        return false;
    *ret_number = number;
    return true;
}

static bool read_path(const struct backend_manners *manners, struct backend_link *link)
{
    static const char asks[] = "/bytes/", holds[] = "/hold ";
    size_t line_bytes = strcspn(link->held, "\r");
    link->holds = memmem(link->held, line_bytes, holds, sizeof holds - 1) != NULL;
    const char *found = memmem(link->held, line_bytes, asks, sizeof asks - 1);
    link->asked_bytes = manners->body_bytes;
    if (link->holds)
        link->asked_bytes = 2; /* of which one comes */
    return found == NULL ||
           read_number(found + sizeof asks - 1, " ?/", BACKEND_BODY_MOST, &link->asked_bytes);
}

/* Only bodies of a known length can be skipped unread. */
static bool read_length(struct backend_link *link)
{
    static const char field[] = "\r\nContent-Length:";
    link->skipped_bytes = 0;
    if (strcasestr(link->held, "\r\nTransfer-Encoding:") != NULL)
        return false;
    const char *found = strcasestr(link->held, field);
    if (found == NULL)
        return true;
    found += sizeof field - 1;
    return read_number(found + strspn(found, " \t"), " \t\r", UINT64_MAX, &link->skipped_bytes);
}

static void forget_held(struct backend_link *link, size_t bytes)
{
    link->held_bytes -= bytes;
    memmove(link->held, link->held + bytes, link->held_bytes);
}

/* The head of a request ends at `bytes`. false: it is refused. */
static bool take_head(const struct backend_manners *manners, struct backend_link *link,
                      size_t bytes)
{
    char after = link->held[bytes];
    link->held[bytes] = '\0';
    link->owes = has_required(manners, link->held) && read_path(manners, link) && read_length(link);
    link->held[bytes] = after;
    forget_held(link, bytes);
    if (link->owes)
        return true;
    ssize_t sent = send(link->socket, refusal, sizeof refusal - 1, MSG_NOSIGNAL);
    (void)sent; /* it is closed either way */
    return false;
}

/* ---- taking what came ---- */

static void skip_held(struct backend_link *link)
{
    size_t skipped =
        link->skipped_bytes < link->held_bytes ? (size_t)link->skipped_bytes : link->held_bytes;
    link->skipped_bytes -= skipped;
    forget_held(link, skipped);
}

/* Do with the held bytes what can be done. false: the link must end. */
static bool take_held(const struct backend_manners *manners, struct backend_link *link)
{
    while (!is_sending(link)) {
        if (link->owes)
            skip_held(link);
        if (link->owes && link->skipped_bytes > 0)
            return true;
        if (link->owes && !begin_answer(manners, link))
            return false;
        const char *end = memmem(link->held, link->held_bytes, "\r\n\r\n", 4);
        if (end == NULL || (link->holds && !is_sending(link)))
            return link->held_bytes < BACKEND_HEAD_BYTES;
        if (!is_sending(link) && !take_head(manners, link, (size_t)(end - link->held) + 4))
            return false;
    }
    return true;
}

/* A body is thrown away inside the kernel (MSG_TRUNC, see tcp(7)): 64 MiB cost as little as their
 * wake-ups do. */
static ssize_t receive(struct backend_link *link, size_t *ret_room)
{
    if (link->skipped_bytes > 0) {
        *ret_room = link->skipped_bytes < SKIP_AT_ONCE_BYTES ? (size_t)link->skipped_bytes
                                                             : SKIP_AT_ONCE_BYTES;
        ssize_t skipped = recv(link->socket, NULL, *ret_room, MSG_TRUNC);
        link->skipped_bytes -= skipped > 0 ? (uint64_t)skipped : 0;
        return skipped;
    }
    *ret_room = BACKEND_HEAD_BYTES - link->held_bytes;
    ssize_t bytes = recv(link->socket, link->held + link->held_bytes, *ret_room, 0);
    link->held_bytes += bytes > 0 ? (size_t)bytes : 0;
    return bytes;
}

bool backend_link_serve(const struct backend_manners *manners, struct backend_link *link)
{
    if (!send_answer(manners, link))
        return false;
    for (;;) {
        if (!take_held(manners, link))
            return false;
        if (is_sending(link))
            return true; /* room to send is a new edge */
        size_t room;
        ssize_t bytes = receive(link, &room);
        if (bytes <= 0)
            return bytes < 0 && (errno == EAGAIN || errno == EINTR);
        if ((size_t)bytes < room) /* drained: more is a new edge */
            return take_held(manners, link);
    }
}
