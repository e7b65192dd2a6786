/* SPDX-License-Identifier: Apache-2.0 */
/* The raw client: connections, TLS and bytes. */
#include "tests/support/peer.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/certificates.h"
#include "tests/support/folder.h"
#include "tests/support/hello.h"
#include "tests/support/peer_http2.h"
#include "tests/support/peer_wire.h"
#include "tests/support/secured.h"

static void be_patient(int fd)
{
    struct timeval patience = {.tv_sec = PEER_PATIENCE_S};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    /* Segments must leave as the test cut them. */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
}

void peer_reach(struct peer *peer, const char *address, unsigned port)
{
    *peer = (struct peer){.alert = PEER_NO_ALERT};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons((in_port_t)port)};
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons((in_port_t)port)};
    bool is_six = inet_pton(AF_INET6, address, &six.sin6_addr) == 1;
    ck_assert(is_six || inet_pton(AF_INET, address, &four.sin_addr) == 1);
    peer->fd = socket(is_six ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(peer->fd, 0);
    be_patient(peer->fd);
    const struct sockaddr *to = is_six ? (struct sockaddr *)&six : (struct sockaddr *)&four;
    int result = connect(peer->fd, to, is_six ? sizeof six : sizeof four);
    ck_assert_msg(result == 0, "connect to %s port %u: %s", address, port, strerror(errno));
}

void peer_greet(struct peer *peer, unsigned port)
{
    if (secured_has(port))
        peer->ended = !peer_handshake(peer, &(struct tls_wish){0});
}

void peer_connect_to(struct peer *peer, const char *address, unsigned port)
{
    peer_reach(peer, address, port);
    peer_greet(peer, port);
}

void peer_connect(struct peer *peer, unsigned port)
{
    peer_connect_to(peer, "127.0.0.1", port);
}

static void on_info(const SSL *tls, int where, int value)
{
    struct peer *peer = SSL_get_app_data(tls);
    bool is_close = (value & 0xff) == SSL_AD_CLOSE_NOTIFY;
    if ((where & SSL_CB_READ_ALERT) == SSL_CB_READ_ALERT && !is_close)
        peer->alert = value & 0xff;
}

static int on_session(SSL *tls, SSL_SESSION *session)
{
    struct peer *peer = SSL_get_app_data(tls);
    SSL_SESSION_free(peer->session);
    peer->session = session;
    return 1;
}

static const char *file_of(const struct tls_wish *wish, const char *name, const char *end)
{
    struct folder folder;
    char file[64];
    snprintf(folder.path, sizeof folder.path, "%s", wish->folder);
    snprintf(file, sizeof file, "%s.%s", name, end);
    return folder_file(&folder, file);
}

static void use_certificate(SSL_CTX *context, const struct tls_wish *wish)
{
    const struct made *made = wish->shows;
    if (made != NULL) {
        SSL_CTX_set_max_cert_list(context, 1024 * 1024);
        ck_assert_int_eq(
            SSL_CTX_use_cert_and_key(context, made->certificate, made->key, made->chain, 1), 1);
        return;
    }
    if (wish->who == NULL)
        return;
    const char *certificate = file_of(wish, wish->who, "crt");
    const char *key = file_of(wish, wish->who, "key");
    ck_assert_msg(SSL_CTX_use_certificate_chain_file(context, certificate) == 1, "%s", certificate);
    ck_assert_msg(SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) == 1, "%s", key);
}

static void offer(SSL_CTX *context, const char *protocol)
{
    char list[32];
    int length = snprintf(list, sizeof list, "%c%s", (char)strlen(protocol), protocol);
    ck_assert_int_lt(length, (int)sizeof list);
    ck_assert_int_eq(
        SSL_CTX_set_alpn_protos(context, (const unsigned char *)list, (unsigned)length), 0);
}

static SSL_CTX *make_context(const struct tls_wish *wish)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    ck_assert_ptr_nonnull(context);
    /* A test may show a weak certificate; it is the server that must not like it. */
    SSL_CTX_set_security_level(context, 0);
    if (wish->version != 0) {
        SSL_CTX_set_min_proto_version(context, wish->version);
        SSL_CTX_set_max_proto_version(context, wish->version);
    }
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, on_session);
    SSL_CTX_set_info_callback(context, on_info);
    use_certificate(context, wish);
    if (wish->sigalgs != NULL)
        ck_assert_int_eq(SSL_CTX_set1_sigalgs_list(context, wish->sigalgs), 1);
    if (wish->ciphers != NULL)
        ck_assert_int_eq(SSL_CTX_set_cipher_list(context, wish->ciphers), 1);
    if (wish->suites != NULL)
        ck_assert_int_eq(SSL_CTX_set_ciphersuites(context, wish->suites), 1);
    if (wish->groups != NULL)
        ck_assert_int_eq(SSL_CTX_set1_groups_list(context, wish->groups), 1);
    if (wish->alpn != NULL)
        offer(context, wish->alpn);
    if (wish->trust != NULL) {
        ck_assert_int_eq(SSL_CTX_load_verify_file(context, file_of(wish, wish->trust, "crt")), 1);
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    }
    return context;
}

static bool shake(struct peer *peer, const struct tls_wish *wish)
{
    if (wish->cut != NULL)
        return hello_shake(peer->tls, peer->fd, wish->cut);
    SSL_set_fd(peer->tls, peer->fd);
    ERR_clear_error();
    return SSL_connect(peer->tls) == 1;
}

bool peer_handshake(struct peer *peer, const struct tls_wish *wish)
{
    bool is_http2 = peer_http2_is_wanted() && !wish->is_http1 && wish->alpn == NULL;
    peer->context = make_context(wish);
    peer->tls = SSL_new(peer->context);
    ck_assert_ptr_nonnull(peer->tls);
    SSL_set_app_data(peer->tls, peer);
    if (wish->sni != NULL)
        ck_assert_int_eq(SSL_set_tlsext_host_name(peer->tls, wish->sni), 1);
    if (wish->session != NULL)
        ck_assert_int_eq(SSL_set_session(peer->tls, wish->session), 1);
    if (is_http2)
        ck_assert_int_eq(SSL_set_alpn_protos(peer->tls, (const unsigned char *)"\2h2", 3), 0);
    if (!shake(peer, wish))
        return false;
    if (is_http2)
        peer_http2_open(peer);
    return true;
}

bool peer_connect_tls(struct peer *peer, unsigned port, const struct tls_wish *wish)
{
    peer_connect(peer, port);
    return peer_handshake(peer, wish);
}

SSL_SESSION *peer_take_session(struct peer *peer)
{
    if (peer->session == NULL)
        return SSL_get1_session(peer->tls);
    SSL_SESSION *session = peer->session;
    peer->session = NULL;
    return session;
}

bool peer_was_resumed(const struct peer *peer)
{
    return SSL_session_reused(peer->tls) == 1;
}

void peer_close(struct peer *peer)
{
    if (peer->tls != NULL && !peer->ended && SSL_is_init_finished(peer->tls))
        SSL_shutdown(peer->tls);
    peer_http2_close(peer);
    SSL_free(peer->tls);
    SSL_CTX_free(peer->context);
    SSL_SESSION_free(peer->session);
    close(peer->fd);
    text_done(&peer->inbox);
    *peer = (struct peer){.fd = -1};
}

void peer_reset(struct peer *peer)
{
    struct linger linger = {.l_onoff = 1};
    setsockopt(peer->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    peer->ended = true;
    peer_close(peer);
}

void peer_finish(struct peer *peer)
{
    if (peer->http2 != NULL) {
        peer_http2_finish(peer);
        return;
    }
    if (peer->tls != NULL)
        SSL_shutdown(peer->tls);
    shutdown(peer->fd, SHUT_WR);
}

static bool send_plain(struct peer *peer, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t sent = send(peer->fd, bytes, length, MSG_NOSIGNAL);
        ck_assert_msg(sent >= 0 || errno != EAGAIN, "the other side takes nothing");
        if (sent < 0)
            return false;
        bytes += sent;
        length -= (size_t)sent;
    }
    return true;
}

bool peer_wire_send(struct peer *peer, const void *bytes, size_t length)
{
    if (peer->tls == NULL)
        return send_plain(peer, bytes, length);
    ERR_clear_error();
    return length == 0 || SSL_write(peer->tls, bytes, (int)length) == (int)length;
}

bool peer_send(struct peer *peer, const void *bytes, size_t length)
{
    return peer->http2 != NULL ? peer_http2_send(peer, bytes, length)
                               : peer_wire_send(peer, bytes, length);
}

bool peer_say(struct peer *peer, const char *text)
{
    return peer_send(peer, text, strlen(text));
}

size_t peer_send_without_waiting(struct peer *peer, const void *bytes, size_t length)
{
    if (peer->http2 != NULL)
        return peer_http2_send_without_waiting(peer, bytes, length);
    ssize_t sent = send(peer->fd, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);
    return sent > 0 ? (size_t)sent : 0;
}

static ssize_t read_plain(struct peer *peer, char *into, size_t room)
{
    ssize_t length = recv(peer->fd, into, room, 0);
    ck_assert_msg(length >= 0 || errno != EAGAIN, "nothing came in %d s", PEER_PATIENCE_S);
    peer->was_reset = peer->was_reset || (length < 0 && errno == ECONNRESET);
    return length;
}

static ssize_t read_tls(struct peer *peer, char *into, size_t room)
{
    ERR_clear_error();
    errno = 0;
    int length = SSL_read(peer->tls, into, (int)room);
    if (length > 0)
        return length;
    bool is_late = SSL_get_error(peer->tls, length) == SSL_ERROR_WANT_READ;
    ck_assert_msg(!is_late, "nothing came in %d s", PEER_PATIENCE_S);
    peer->was_reset = peer->was_reset || errno == ECONNRESET;
    return 0;
}

ssize_t peer_wire_read(struct peer *peer, char *into, size_t room)
{
    return peer->tls == NULL ? read_plain(peer, into, room) : read_tls(peer, into, room);
}

bool peer_wire_has_more(const struct peer *peer)
{
    struct pollfd fd = {.fd = peer->fd, .events = POLLIN};
    return (peer->tls != NULL && SSL_pending(peer->tls) > 0) || poll(&fd, 1, 0) > 0;
}

bool peer_receive(struct peer *peer)
{
    char piece[16 * 1024];
    if (peer->ended)
        return false;
    if (peer->http2 != NULL)
        return peer_http2_receive(peer);
    ssize_t length = peer_wire_read(peer, piece, sizeof piece);
    peer->ended = length <= 0;
    if (length > 0)
        text_add(&peer->inbox, piece, (size_t)length);
    return !peer->ended;
}

bool peer_receive_until(struct peer *peer, const char *text)
{
    text_add(&peer->inbox, "", 0);
    while (memmem(peer->inbox.bytes, peer->inbox.length, text, strlen(text)) == NULL)
        if (!peer_receive(peer))
            return false;
    return true;
}

bool peer_receive_bytes(struct peer *peer, size_t length)
{
    text_add(&peer->inbox, "", 0);
    while (peer->inbox.length < length)
        if (!peer_receive(peer))
            return false;
    return true;
}

void peer_receive_all(struct peer *peer)
{
    text_add(&peer->inbox, "", 0);
    while (peer_receive(peer))
        ;
}

bool peer_has_more(struct peer *peer)
{
    if (peer->http2 != NULL)
        peer_http2_keep_up(peer);
    return peer->inbox.length > 0 || (peer->http2 == NULL && peer_wire_has_more(peer));
}

bool peer_ends_here(struct peer *peer)
{
    return peer->http2 != NULL || !peer_receive(peer);
}

const char *peer_protocol(void)
{
    return peer_http2_is_wanted() ? "HTTP/2" : "HTTP/1.1";
}
