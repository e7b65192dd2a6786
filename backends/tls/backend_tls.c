/* SPDX-License-Identifier: Apache-2.0 */
/* The SSL_CTX towards the backends of a pool and the SSLs it makes. */
#include "backends/tls/backend_tls.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "backends/pool.h"
#include "backends/tls/backend_tls_parts.h"
#include "lb/base/certificate.h"
#include "lb/base/error.h"

/* RSA of 2048 bits, EC of 224 and SHA-2 are the least, as with clients, also where the system's
 * OpenSSL would take less. */
enum { SECURITY_LEVEL_LEAST = 2 };

struct backend_tls_context {
    SSL_CTX *tls;
    const char *name; /* backend_name; NULL: the host asked for */
};

/* ---- contexts ---- */

static int on_session(SSL *ssl, SSL_SESSION *session)
{
    struct backend_tls_user *user = SSL_get_app_data(ssl);
    return user && user->on_session && user->on_session(user, ssl, session);
}

/* Called where a certificate is asked for and there is none to show. */
static int on_nothing_to_show(SSL *ssl, X509 **certificate, EVP_PKEY **key)
{
    struct backend_tls_user *user = SSL_get_app_data(ssl);
    (void)certificate;
    (void)key;
    if (user)
        user->showed_nothing = true;
    return 0; /* the handshake goes on without */
}

static const char *reason(void)
{
    const char *text = ERR_reason_error_string(ERR_peek_last_error());
    return text ? text : "out of memory";
}

/*
 * What is named in backend_ca is believed as it stands: a root, an intermediate, or the very
 * certificate of a backend. The system's roots are looked up by OpenSSL when they are needed.
 */
static bool set_anchors(SSL_CTX *tls, const struct backend_tls *settings, struct error *err)
{
    if (!settings->anchors) {
        if (SSL_CTX_set_default_verify_paths(tls) == 1)
            return true;
        return error_set(err, "the system's CA certificates: %s", reason());
    }
    X509_STORE *store = SSL_CTX_get_cert_store(tls);
    X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(tls), X509_V_FLAG_PARTIAL_CHAIN);
    for (int i = 0; i < sk_X509_num(settings->anchors); i++)
        if (X509_STORE_add_cert(store, sk_X509_value(settings->anchors, i)) != 1)
            return error_set(err, "backend_ca: %s", reason());
    return true;
}

/* What would be right, where OpenSSL says only what is wrong. */
static const char *advice_on_own_certificate(void)
{
    switch (ERR_GET_REASON(ERR_peek_last_error())) {
    case SSL_R_EE_KEY_TOO_SMALL:
    case SSL_R_CA_KEY_TOO_SMALL:
        return "; use RSA of at least 2048 bits or EC of at least 224";
    case SSL_R_CA_MD_TOO_WEAK:
        return "; have it signed with SHA-256";
    default:
        return "";
    }
}

static bool set_credential(SSL_CTX *tls, const struct credential *credential, struct error *err)
{
    if (!credential || SSL_CTX_use_cert_and_key(tls, credential->certificate, credential->key,
                                                credential->chain, 1) == 1)
        return true;
    return error_set(err, "certificate %s: %s%s", credential->certificate_path, reason(),
                     advice_on_own_certificate());
}

static bool configure(SSL_CTX *tls, const struct backend_tls *settings, struct error *err)
{
    static const unsigned char http1[] = "\x08http/1.1", h2[] = "\x02h2";
    const unsigned char *protocols = settings->speaks_h2 ? h2 : http1;
    unsigned length = settings->speaks_h2 ? sizeof h2 - 1 : sizeof http1 - 1;
    if (SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION) != 1 ||
        SSL_CTX_set_max_proto_version(tls, TLS1_3_VERSION) != 1 ||
        SSL_CTX_set_alpn_protos(tls, protocols, length) != 0)
        return error_set(err, "TLS towards backends: %s", reason());
    if (SSL_CTX_get_security_level(tls) < SECURITY_LEVEL_LEAST)
        SSL_CTX_set_security_level(tls, SECURITY_LEVEL_LEAST);
    SSL_CTX_set_options(tls, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    /* A body until close that is cut must not look whole. */
    SSL_CTX_clear_options(tls, SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(tls, SSL_MODE_NO_AUTO_CHAIN);
    SSL_CTX_set_verify(tls, SSL_VERIFY_PEER, NULL);
    /* Sessions belong to a backend and a name, of which a context knows nothing. */
    SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(tls, on_session);
    SSL_CTX_set_client_cert_cb(tls, on_nothing_to_show);
    return set_anchors(tls, settings, err) && set_credential(tls, settings->credential, err);
}

struct backend_tls_context *backend_tls_context_of(const struct backend_tls *settings,
                                                   struct error *err)
{
    struct backend_tls_context *context = calloc(1, sizeof *context);
    ERR_set_mark();
    SSL_CTX *tls = context ? SSL_CTX_new(TLS_client_method()) : NULL;
    if (!tls)
        error_set(err, "TLS towards backends: out of memory");
    bool good = tls && configure(tls, settings, err);
    ERR_pop_to_mark();
    if (!good) {
        SSL_CTX_free(tls);
        free(context);
        return NULL;
    }
    context->tls = tls;
    context->name = settings->name;
    return context;
}

struct backend_tls_context *backend_tls_context_new(const struct pool *pool, struct error *err)
{
    struct error why = {""};
    struct backend_tls_context *context = backend_tls_context_of(pool->tls, &why);
    if (!context)
        error_set(err, "pool %s: %s", pool->name, why.text);
    return context;
}

void backend_tls_context_free(struct backend_tls_context *context)
{
    if (!context)
        return;
    SSL_CTX_free(context->tls);
    free(context);
}

/* ---- names ---- */

/* The host without its port and brackets. What it may look like was settled by the HTTP grammar. */
static struct slice bare_host(struct slice host)
{
    const char *end = NULL;
    if (host.length > 0 && host.at[0] == '[') {
        host = (struct slice){host.at + 1, host.length - 1};
        end = memchr(host.at, ']', host.length);
    } else if (host.length > 0) {
        end = memchr(host.at, ':', host.length);
    }
    if (end)
        host.length = (size_t)(end - host.at);
    if (host.length > 1 && host.at[host.length - 1] == '.')
        host.length--;
    return host;
}

const char *backend_tls_name(const struct backend_tls_context *context,
                             const struct backend *backend, struct slice host,
                             char into[BACKEND_TLS_NAME_BYTES])
{
    if (context->name)
        return context->name;
    host = bare_host(host);
    if (host.length == 0 || host.length >= BACKEND_TLS_NAME_BYTES) {
        address_host(&backend->address, into, BACKEND_TLS_NAME_BYTES);
        return into;
    }
    for (size_t i = 0; i < host.length; i++) {
        char byte = host.at[i];
        into[i] = (char)(byte >= 'A' && byte <= 'Z' ? byte - 'A' + 'a' : byte);
    }
    into[host.length] = '\0';
    return into;
}

bool backend_tls_is_address(const char *name)
{
    unsigned char bytes[sizeof(struct in6_addr)];
    return inet_pton(AF_INET, name, bytes) == 1 || inet_pton(AF_INET6, name, bytes) == 1;
}

/* ---- connections ---- */

static bool set_name(SSL *ssl, const char *name)
{
    X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
    if (backend_tls_is_address(name))
        return X509_VERIFY_PARAM_set1_ip_asc(param, name) == 1;
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return X509_VERIFY_PARAM_set1_host(param, name, 0) == 1 &&
           SSL_set_tlsext_host_name(ssl, name) == 1;
}

SSL *backend_tls_ssl_new(struct backend_tls_context *context, const char *name,
                         SSL_SESSION *session, struct backend_tls_user *user)
{
    SSL *ssl = SSL_new(context->tls);
    /* An empty name would be verified against nothing. */
    if (!ssl || *name == '\0' || !set_name(ssl, name)) {
        SSL_free(ssl);
        return NULL;
    }
    SSL_set_connect_state(ssl);
    SSL_set_app_data(ssl, user);
    if (session)
        SSL_set_session(ssl, session); /* refused: a full handshake */
    return ssl;
}

time_t backend_tls_good_until(const SSL *ssl)
{
    STACK_OF(X509) *chain = SSL_get0_verified_chain(ssl);
    time_t until = (time_t)-1;
    for (int i = 0; i < sk_X509_num(chain); i++) {
        time_t end = certificate_time(X509_get0_notAfter(sk_X509_value(chain, i)));
        if (i == 0 || end < until)
            until = end;
    }
    return until;
}
