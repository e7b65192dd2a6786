/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/line.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { OUTLET_BYTES = 256 * 1024 }; /* of a body, collected for one write */

/* ---- what went wrong ---- */

static void make_printable(char *text)
{
    text[strcspn(text, "\r\n")] = '\0';
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < ' ' || (unsigned char)*text > '~' ||
            strchr("\"\\", *text) != NULL)
            *text = '?';
}

void line_note(struct visitor_plan *plan, const char *doing, const char *reason)
{
    snprintf(plan->failure, sizeof plan->failure, "%s: %s", doing, reason);
    make_printable(plan->failure);
}

void line_note_tls(struct visitor_plan *plan, const struct line *line, const char *doing,
                   int result)
{
    int why = SSL_get_error(line->tls, result);
    unsigned long code = ERR_peek_error();
    const char *reason = code != 0 ? ERR_reason_error_string(code) : NULL;
    if (reason == NULL)
        reason = why == SSL_ERROR_ZERO_RETURN ? "the peer said close_notify"
                 : errno != 0                 ? strerror(errno)
                                              : "the peer closed the connection";
    line_note(plan, doing, reason);
    ERR_clear_error();
}

bool line_would_block(const struct line *line, int result)
{
    int why = SSL_get_error(line->tls, result);
    return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE;
}

void line_before_tls(void)
{
    ERR_clear_error();
    errno = 0;
}

/* ---- opening ---- */

static bool watch(const struct visitor_plan *plan, struct line *line, void *owner, int operation)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                                .data.ptr = owner};
    return epoll_ctl(plan->epoll, operation, line->socket, &event) == 0;
}

static bool bind_source(struct visitor_plan *plan, int sock)
{
    if (plan->options->sources == 0)
        return true;
    unsigned turn = plan->next_source++ % plan->options->sources;
    uint32_t host = 0x7f010001U + (turn / 250 << 8) + turn % 250; /* from 127.1.0.1 on */
    struct sockaddr_in source = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(host)};
    int one = 1;
    setsockopt(sock, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
    return bind(sock, (struct sockaddr *)&source, sizeof source) == 0;
}

/* The records of a body leave many at a time: one write for each would hold up the peer. */
static bool collect_records(struct line *line, uint64_t body_bytes)
{
    BIO *outlet = BIO_new(BIO_f_buffer());
    BIO *out = SSL_get_wbio(line->tls);
    long room = body_bytes < OUTLET_BYTES ? (long)body_bytes + LINE_RECORD_BYTES : OUTLET_BYTES;
    if (outlet == NULL || BIO_set_write_buffer_size(outlet, room) != 1) {
        BIO_free(outlet);
        return false;
    }
    BIO_up_ref(out);
    SSL_set0_wbio(line->tls, BIO_push(outlet, out));
    return true;
}

static bool prepare_tls(struct visitor_plan *plan, struct line *line, void *owner,
                        SSL_SESSION *session)
{
    line->tls = SSL_new(plan->context);
    if (line->tls == NULL || SSL_set_fd(line->tls, line->socket) != 1)
        return false;
    if (plan->body_bytes > 0 && !collect_records(line, plan->body_bytes))
        return false;
    SSL_set_app_data(line->tls, owner);
    SSL_set_connect_state(line->tls);
    if (session != NULL)
        SSL_set_session(line->tls, session);
    return SSL_set_tlsext_host_name(line->tls, plan->options->host) == 1;
}

static enum line_outcome fail(struct visitor_plan *plan, const char *doing, const char *reason)
{
    line_note(plan, doing, reason);
    return LINE_FAILED;
}

enum line_outcome line_open(struct visitor_plan *plan, struct line *line, void *owner,
                            SSL_SESSION *session)
{
    int one = 1;
    line->socket = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (line->socket < 0)
        return fail(plan, "opening a socket", strerror(errno));
    setsockopt(line->socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (!bind_source(plan, line->socket))
        return fail(plan, "binding to a source address", strerror(errno));
    if (!watch(plan, line, owner, EPOLL_CTL_ADD))
        return fail(plan, "waiting for a socket", strerror(errno));
    if (!prepare_tls(plan, line, owner, session))
        return fail(plan, "preparing TLS", "out of memory");
    if (plan->options->faces != NULL && !faces_show(&plan->faces, line->tls))
        return fail(plan, "showing a certificate", "none is left that nobody has shown");
    const struct sockaddr *address = (const struct sockaddr *)&plan->options->address;
    if (connect(line->socket, address, sizeof plan->options->address) == 0)
        return LINE_DONE;
    return errno == EINPROGRESS ? LINE_WAITS : fail(plan, "connecting", strerror(errno));
}

enum line_outcome line_meet(struct visitor_plan *plan, struct line *line)
{
    int problem = 0;
    socklen_t size = sizeof problem;
    getsockopt(line->socket, SOL_SOCKET, SO_ERROR, &problem, &size);
    if (problem != 0)
        return fail(plan, "connecting", strerror(problem));
    struct sockaddr_in peer;
    size = sizeof peer;
    bool is_there = getpeername(line->socket, (struct sockaddr *)&peer, &size) == 0;
    return is_there ? LINE_DONE : LINE_WAITS;
}

enum line_outcome line_shake(struct visitor_plan *plan, struct line *line)
{
    line_before_tls();
    int result = SSL_connect(line->tls);
    if (result <= 0 && line_would_block(line, result))
        return LINE_WAITS;
    if (result <= 0) {
        line_note_tls(plan, line, "TLS handshake", result);
        return LINE_FAILED;
    }
    snprintf(plan->tls_version, sizeof plan->tls_version, "%s", SSL_get_version(line->tls));
    snprintf(plan->cipher, sizeof plan->cipher, "%s", SSL_get_cipher_name(line->tls));
    return LINE_DONE;
}

bool line_go_on_later(struct visitor_plan *plan, struct line *line, void *owner)
{
    if (watch(plan, line, owner, EPOLL_CTL_MOD)) /* registering again is a new edge */
        return true;
    line_note(plan, "waiting for a socket", strerror(errno));
    return false;
}

void line_close(struct line *line)
{
    SSL_free(line->tls);
    line->tls = NULL;
    if (line->socket >= 0)
        close(line->socket);
    line->socket = -1;
}
