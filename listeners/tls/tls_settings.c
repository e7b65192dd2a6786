/* SPDX-License-Identifier: Apache-2.0 */
/* OpenSSL's setters, with words for what they refuse. */
#include "listeners/tls/tls_settings.h"

#include <openssl/err.h>
#include <string.h>

#include "lb/base/certificate.h"
#include "lb/base/error.h"
#include "lb/base/limits.h"
#include "listeners/listener.h"
#include "listeners/tls/sm2.h"

/* RSA-2048 and P-224 are the least, SHA-1 signatures are out; `ciphers = …@SECLEVEL=…` may say
 * otherwise for the server's own certificates. What clients' certificates need is fixed by the CA
 * set. */
enum { SECURITY_LEVEL = 2 };

static const char forward_secret_ciphers[] = "ECDHE+AESGCM:ECDHE+CHACHA20:!aNULL";
#define STANDARD_GROUPS "X25519:P-256:P-384"

static const char *standard_groups(const struct listener *listener)
{
    return listener->speaks_sm2 ? STANDARD_GROUPS ":" SM2_GROUPS : STANDARD_GROUPS;
}

/* NULL: OpenSSL's own. */
static const char *standard_ciphersuites(const struct listener *listener)
{
    return listener->speaks_sm2 ? TLS_DEFAULT_CIPHERSUITES ":" SM2_CIPHERSUITES : NULL;
}

/* The reason OpenSSL left behind, in words. */
static const char *reason(void)
{
    const char *text = ERR_reason_error_string(ERR_peek_last_error());
    return text ? text : "OpenSSL refuses it";
}

static bool set_versions(SSL_CTX *tls, const struct option_list *versions, struct error *err)
{
    bool has_12 = versions->count == 0;
    bool has_13 = versions->count == 0;
    for (unsigned i = 0; i < versions->count; i++) {
        if (strcmp(versions->items[i], "1.2") == 0)
            has_12 = true;
        else if (strcmp(versions->items[i], "1.3") == 0)
            has_13 = true;
        else
            return error_set(err, "tls_versions = %s: is not spoken; 1.2, 1.3 or both",
                             versions->items[i]);
    }
    if (SSL_CTX_set_min_proto_version(tls, has_12 ? TLS1_2_VERSION : TLS1_3_VERSION) == 1 &&
        SSL_CTX_set_max_proto_version(tls, has_13 ? TLS1_3_VERSION : TLS1_2_VERSION) == 1)
        return true;
    return error_set(err, "tls_versions: %s", reason());
}

static bool set_algorithms(SSL_CTX *tls, const struct listener *listener, struct error *err)
{
    const struct listener_options *options = listener->options;
    const char *ciphers = options->ciphers ? options->ciphers : forward_secret_ciphers;
    const char *groups = options->groups ? options->groups : standard_groups(listener);
    const char *suites =
        options->ciphersuites ? options->ciphersuites : standard_ciphersuites(listener);
    if (SSL_CTX_set_cipher_list(tls, ciphers) != 1)
        return error_set(
            err, "ciphers = %s: OpenSSL finds no cipher in it; for example ECDHE+AESGCM", ciphers);
    if (suites && SSL_CTX_set_ciphersuites(tls, suites) != 1)
        return error_set(err,
                         "ciphersuites = %s: OpenSSL does not know all of it; for example "
                         "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384",
                         suites);
    if (SSL_CTX_set1_groups_list(tls, groups) != 1)
        return error_set(err, "groups = %s: OpenSSL does not know all of it; for example %s",
                         groups, STANDARD_GROUPS);
    return true;
}

bool tls_settings_apply(SSL_CTX *tls, const struct listener *listener, struct error *err)
{
    SSL_CTX_set_security_level(tls, SECURITY_LEVEL);
    SSL_CTX_set_options(tls, TLS_SETTINGS_OPTIONS);
    SSL_CTX_clear_options(tls, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_IGNORE_UNEXPECTED_EOF);
    /* Without it OpenSSL builds the server's chain anew in every handshake. */
    SSL_CTX_set_mode(tls, SSL_MODE_NO_AUTO_CHAIN);
    SSL_CTX_set_max_cert_list(tls, CLIENT_CHAIN_BYTES);
    SSL_CTX_set_max_early_data(tls, 0);
    ERR_set_mark();
    bool good = set_versions(tls, &listener->options->tls_versions, err) &&
                set_algorithms(tls, listener, err);
    ERR_pop_to_mark();
    return good;
}

/* What OpenSSL says of a certificate, with what would be right where it says no more than what is
 * wrong. */
static void refuse_certificate(const struct credential *credential, struct error *err)
{
    const char *right = "";
    switch (ERR_GET_REASON(ERR_peek_last_error())) {
    case SSL_R_EE_KEY_TOO_SMALL:
    case SSL_R_CA_KEY_TOO_SMALL:
        right = "; use RSA of at least 2048 bits or EC of at least 224";
        break;
    case SSL_R_CA_MD_TOO_WEAK:
        right = "; have it signed with SHA-256";
        break;
    default:
        break;
    }
    error_set(err, "certificate %s: %s%s", credential->certificate_path, reason(), right);
}

/* Of a context, or of one connection: one of them is NULL. */
static bool use(SSL_CTX *tls, SSL *ssl, const struct credential *credential, struct error *err)
{
    X509 *certificate = credential->certificate;
    EVP_PKEY *key = credential->key;
    STACK_OF(X509) *chain = credential->chain;
    ERR_set_mark();
    bool good = tls ? SSL_CTX_use_cert_and_key(tls, certificate, key, chain, 1) == 1
                    : SSL_use_cert_and_key(ssl, certificate, key, chain, 1) == 1;
    if (!good)
        refuse_certificate(credential, err);
    ERR_pop_to_mark();
    return good;
}

bool tls_settings_credentials(SSL_CTX *tls, struct credential *const *credentials, unsigned count,
                              struct error *err)
{
    bool good = true;
    for (unsigned i = 0; i < count && good; i++)
        good = use(tls, NULL, credentials[i], err);
    return good;
}

bool tls_settings_replace(SSL *ssl, struct credential *const *credentials, unsigned count,
                          struct error *err)
{
    bool good = true;
    SSL_certs_clear(ssl);
    for (unsigned i = 0; i < count && good; i++)
        good = use(NULL, ssl, credentials[i], err);
    return good;
}
