/* SPDX-License-Identifier: Apache-2.0 */
/* Words for TLS that failed, and what an operator can do about it. */
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backends/tls/backend_tls.h"
#include "lb/base/certificate.h"
#include "lb/base/connection.h"

enum {
    NAMES_TOLD = 3,      /* of a certificate that is for somebody else */
    NAME_TOLD_BYTES = 80 /* a subject or one of these names */
};

/* ---- a certificate that is refused ---- */

static const char *advice_on_certificate(long error)
{
    switch (error) {
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        return "name it in backend_ca";
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
        return "name the last certificate of its chain in backend_ca";
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        return "name the CA that issued it in backend_ca, or let the backend send its "
               "intermediates";
    case X509_V_ERR_CERT_HAS_EXPIRED:
        return "the backend needs a new one";
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return "is the clock right?";
    case X509_V_ERR_INVALID_PURPOSE:
        return "it is not meant for servers (extendedKeyUsage)";
    case X509_V_ERR_EE_KEY_TOO_SMALL:
    case X509_V_ERR_CA_KEY_TOO_SMALL:
        return "RSA of 2048 bits or EC of 224 is the least";
    case X509_V_ERR_CA_MD_TOO_WEAK:
        return "have it signed with SHA-256";
    default:
        return NULL;
    }
}

static void tell_subject(X509 *certificate, char *into, size_t room)
{
    char *subject = certificate_name_text(X509_get_subject_name(certificate));
    snprintf(into, room, "%.*s", NAME_TOLD_BYTES, subject && *subject ? subject : "(no subject)");
    free(subject);
}

static size_t tell_name(const GENERAL_NAME *name, char *into, size_t room)
{
    char host[NAME_TOLD_BYTES + 1];
    const ASN1_STRING *text = name->d.ia5;
    size_t length = (size_t)ASN1_STRING_length(text);
    if (name->type != GEN_DNS || length >= sizeof host)
        return 0;
    memcpy(host, ASN1_STRING_get0_data(text), length);
    host[length] = '\0';
    int told = snprintf(into, room, ", %s", host);
    return told > 0 && (size_t)told < room ? (size_t)told : 0;
}

/* Subject and the first DNS names: "CN=rs-1, rs-1.example.com, rs-2.example.com". */
static void tell_names(X509 *certificate, char *into, size_t room)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    tell_subject(certificate, into, room);
    size_t used = strlen(into);
    for (int i = 0; i < sk_GENERAL_NAME_num(names) && i < NAMES_TOLD; i++)
        used += tell_name(sk_GENERAL_NAME_value(names, i), into + used, room - used);
    GENERAL_NAMES_free(names);
}

static void explain_certificate(SSL *ssl, long error, const char *name, char *into, size_t room)
{
    STACK_OF(X509) *chain = SSL_get_peer_cert_chain(ssl);
    X509 *certificate = sk_X509_num(chain) > 0 ? sk_X509_value(chain, 0) : NULL;
    char whose[(NAMES_TOLD + 1) * (NAME_TOLD_BYTES + 2) + 1] = "somebody";
    if (error == X509_V_ERR_HOSTNAME_MISMATCH || error == X509_V_ERR_IP_ADDRESS_MISMATCH) {
        if (certificate)
            tell_names(certificate, whose, sizeof whose);
        snprintf(into, room, "the certificate is not for %s but for %s: set backend_name", name,
                 whose);
        return;
    }
    const char *advice = advice_on_certificate(error);
    if (certificate)
        tell_subject(certificate, whose, sizeof whose);
    snprintf(into, room, "%s (certificate of %s)%s%s", X509_verify_cert_error_string(error), whose,
             advice ? ": " : "", advice ? advice : "");
}

/* ---- everything else ---- */

/* Alerts with which a backend says that it does not take lb for a client. */
static bool refuses_client(int reason)
{
    switch (reason) {
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
    case SSL_R_TLSV1_ALERT_ACCESS_DENIED:
        return true;
    default:
        return false;
    }
}

static const char *advice_on_failure(int reason, bool shows_one)
{
    if (refuses_client(reason))
        return shows_one ? "the backend refuses lb's certificate"
                         : "the backend wants a client certificate: set certificate and "
                           "certificate_key";
    switch (reason) {
    case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
        return shows_one ? "the backend finds no common cipher, or refuses lb's certificate"
                         : "the backend finds no common cipher, or wants a client certificate "
                           "(certificate and certificate_key)";
    case SSL_R_TLSV1_UNRECOGNIZED_NAME:
        return "the backend does not know the name that was asked for: set backend_name";
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_HTTP_REQUEST:
        return "the backend speaks no TLS: is it protocol = http or h2?";
    case SSL_R_TLSV1_ALERT_NO_APPLICATION_PROTOCOL:
        return "the backend does not speak that HTTP (ALPN): https is HTTP/1.1, h2s is HTTP/2";
    case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
    case SSL_R_UNSUPPORTED_PROTOCOL:
        return "the backend speaks neither TLS 1.2 nor TLS 1.3";
    default:
        return NULL;
    }
}

bool backend_tls_was_refused(const struct connection *connection)
{
    unsigned long failure = connection->tls_failure;
    return connection->tls_failed && ERR_GET_LIB(failure) == ERR_LIB_SSL &&
           refuses_client(ERR_GET_REASON(failure));
}

static void explain_failure(const struct connection *connection, char *into, size_t room)
{
    SSL *ssl = connection->ssl;
    unsigned long failure = connection->tls_failure;
    const char *advice = NULL;
    if (failure == 0 && connection->failure == 0 && !SSL_is_init_finished(ssl)) {
        snprintf(into, room, "the backend closed during the TLS handshake");
        return;
    }
    if (ERR_GET_LIB(failure) == ERR_LIB_SSL)
        advice = advice_on_failure(ERR_GET_REASON(failure), SSL_get_certificate(ssl) != NULL);
    snprintf(into, room, "%s%s%s", connection_failure(connection), advice ? ": " : "",
             advice ? advice : "");
}

bool backend_tls_explain(const struct connection *connection, const char *name, char *into,
                         size_t room)
{
    SSL *ssl = connection->ssl;
    long error = SSL_get_verify_result(ssl);
    bool refused = error != X509_V_OK && !SSL_is_init_finished(ssl) && connection->tls_failed;
    if (refused)
        explain_certificate(ssl, error, name, into, room);
    else
        explain_failure(connection, into, room);
    return refused;
}
