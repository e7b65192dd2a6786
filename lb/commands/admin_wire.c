/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/commands/admin_wire.h"

#include <errno.h>
#include <limits.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "lb/base/unix_socket.h"

const char *admin_wire_fault(void)
{
    const char *reason = ERR_reason_error_string(ERR_peek_error());
    return reason ? reason : "TLS failed";
}

/* --- TCP ----------------------------------------------------------------------------------- */

static int connect_tcp(const struct address *address, unsigned timeout_ms)
{
    const struct timeval wait = {.tv_sec = timeout_ms / 1000,
                                 .tv_usec = (suseconds_t)(timeout_ms % 1000) * 1000};
    const int on = 1;
    int fd = socket(address->storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait) == 0 &&
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait) == 0 &&
        connect(fd, (const struct sockaddr *)&address->storage, address->length) == 0)
        return fd;
    int failure = errno == EINPROGRESS ? ETIMEDOUT : errno;
    close(fd);
    errno = failure;
    return -1;
}

/* --- TLS ----------------------------------------------------------------------------------- */

/* OpenSSL has no word for what the system says of a file. */
static bool can_read(const char *option, const char *path, struct error *err)
{
    FILE *file = fopen(path, "rbe");
    bool good = file && (fgetc(file) != EOF || !ferror(file));
    if (!good)
        error_set(err, "%s %s: it cannot be opened: %s", option, path, strerror(errno));
    if (file)
        fclose(file);
    return good;
}

static bool can_read_all(const struct admin_credentials *credentials, struct error *err)
{
    return can_read("--admin-ca", credentials->ca, err) &&
           can_read("--admin-cert", credentials->certificate, err) &&
           can_read("--admin-key", credentials->key, err);
}

static bool load(SSL_CTX *context, const struct admin_credentials *credentials, struct error *err)
{
    if (SSL_CTX_load_verify_file(context, credentials->ca) != 1)
        return error_set(err, "--admin-ca %s: %s", credentials->ca, admin_wire_fault());
    if (SSL_CTX_use_certificate_chain_file(context, credentials->certificate) != 1)
        return error_set(err, "--admin-cert %s: %s", credentials->certificate, admin_wire_fault());
    if (SSL_CTX_use_PrivateKey_file(context, credentials->key, SSL_FILETYPE_PEM) != 1)
        return error_set(err, "--admin-key %s: %s", credentials->key, admin_wire_fault());
    if (SSL_CTX_check_private_key(context) != 1)
        return error_set(err, "the key of %s does not belong to the certificate of %s",
                         credentials->key, credentials->certificate);
    return true;
}

static bool make_tls(struct admin_wire *wire, const struct admin_credentials *credentials,
                     struct error *err)
{
    wire->context = SSL_CTX_new(TLS_client_method());
    if (!wire->context || SSL_CTX_set_min_proto_version(wire->context, TLS1_2_VERSION) != 1)
        return error_set(err, "out of memory");
    SSL_CTX_set_verify(wire->context, SSL_VERIFY_PEER, NULL);
    /* How long the answer is says its head. */
    SSL_CTX_set_options(wire->context, SSL_OP_IGNORE_UNEXPECTED_EOF);
    if (!can_read_all(credentials, err) || !load(wire->context, credentials, err))
        return false;
    wire->tls = SSL_new(wire->context);
    return wire->tls || error_set(err, "out of memory");
}

/* Whose certificate must answer: a name, or a number that the certificate must name. */
static bool expect(SSL *tls, const char *host)
{
    if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls), host) == 1)
        return true;
    ERR_clear_error();
    return X509_VERIFY_PARAM_set1_host(SSL_get0_param(tls), host, 0) == 1 &&
           SSL_set_tlsext_host_name(tls, host) == 1;
}

static bool shake_hands(struct admin_wire *wire, const struct admin_address *address,
                        const struct admin_credentials *credentials, struct error *err)
{
    if (SSL_set_fd(wire->tls, wire->fd) != 1 || !expect(wire->tls, address->host))
        return error_set(err, "out of memory");
    ERR_clear_error();
    if (SSL_connect(wire->tls) == 1)
        return true;
    long verified = SSL_get_verify_result(wire->tls);
    if (verified != X509_V_OK)
        return error_set(err, "the certificate of %s does not come from --admin-ca %s for %s: %s",
                         address->tcp.text, credentials->ca, address->host,
                         X509_verify_cert_error_string(verified));
    return error_set(err, "%s: no TLS connection: %s", address->tcp.text,
                     ERR_peek_error() ? admin_wire_fault() : "nobody answers in TLS");
}

/* --- both ---------------------------------------------------------------------------------- */

static enum admin_wire_outcome open_tls(struct admin_wire *wire,
                                        const struct admin_address *address,
                                        const struct admin_credentials *credentials,
                                        unsigned timeout_ms, struct error *err)
{
    if (!credentials->certificate || !credentials->key || !credentials->ca) {
        error_set(err,
                  "%s is asked over TLS: say --admin-cert FILE, --admin-key FILE and --admin-ca "
                  "FILE",
                  address->tcp.text);
        return ADMIN_WIRE_FAILED;
    }
    if (!make_tls(wire, credentials, err))
        return ADMIN_WIRE_FAILED;
    wire->fd = connect_tcp(&address->tcp, timeout_ms);
    if (wire->fd < 0)
        return ADMIN_WIRE_NOBODY;
    return shake_hands(wire, address, credentials, err) ? ADMIN_WIRE_OPEN : ADMIN_WIRE_FAILED;
}

enum admin_wire_outcome admin_wire_open(struct admin_wire *wire,
                                        const struct admin_address *address,
                                        const struct admin_credentials *credentials,
                                        unsigned timeout_ms, struct error *err)
{
    *wire = (struct admin_wire){.fd = -1};
    if (!address->is_tcp) {
        wire->fd = unix_socket_connect(address->path, timeout_ms);
        return wire->fd >= 0 ? ADMIN_WIRE_OPEN : ADMIN_WIRE_NOBODY;
    }
    enum admin_wire_outcome outcome = open_tls(wire, address, credentials, timeout_ms, err);
    if (outcome == ADMIN_WIRE_OPEN)
        return outcome;
    int failure = errno;
    admin_wire_close(wire);
    errno = failure;
    return outcome;
}

void admin_wire_close(struct admin_wire *wire)
{
    if (wire->tls)
        SSL_shutdown(wire->tls);
    SSL_free(wire->tls);
    SSL_CTX_free(wire->context);
    if (wire->fd >= 0)
        close(wire->fd);
    *wire = (struct admin_wire){.fd = -1};
}

/* A pause that is too long shows as EAGAIN, as without TLS. */
static void set_failure(SSL *tls, int result)
{
    int error = SSL_get_error(tls, result);
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE)
        errno = EAGAIN;
    else if (error != SSL_ERROR_SYSCALL || errno == 0)
        errno = EPROTO;
}

bool admin_wire_send(struct admin_wire *wire, const char *bytes, size_t length)
{
    while (length > 0) {
        size_t piece = length < INT_MAX ? length : INT_MAX;
        ssize_t sent = wire->tls ? SSL_write(wire->tls, bytes, (int)piece)
                                 : send(wire->fd, bytes, piece, MSG_NOSIGNAL);
        if (sent < 0 && !wire->tls && errno == EINTR)
            continue;
        if (sent <= 0) {
            if (wire->tls)
                set_failure(wire->tls, (int)sent);
            return false;
        }
        bytes += sent;
        length -= (size_t)sent;
    }
    return true;
}

ssize_t admin_wire_receive(struct admin_wire *wire, char *into, size_t room)
{
    ssize_t got;
    if (!wire->tls) {
        do
            got = recv(wire->fd, into, room, 0);
        while (got < 0 && errno == EINTR);
        return got;
    }
    ERR_clear_error();
    errno = 0;
    got = SSL_read(wire->tls, into, room < INT_MAX ? (int)room : INT_MAX);
    if (got > 0)
        return got;
    if (SSL_get_error(wire->tls, (int)got) == SSL_ERROR_ZERO_RETURN)
        return 0;
    set_failure(wire->tls, (int)got);
    return -1;
}
