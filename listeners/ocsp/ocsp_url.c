/* SPDX-License-Identifier: Apache-2.0 */
#include "listeners/ocsp/ocsp_url.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "lb/base/error.h"
#include "lb/base/http1.h"

enum { HTTP_PORT = 80 };

static const char http[] = "http://";

/* Printable, and no blank; a fragment means nothing to a server. */
static bool is_fit(const char *text)
{
    for (const char *at = text; *at; at++)
        if (*at <= ' ' || *at > '~' || *at == '#')
            return false;
    return true;
}

static bool set_host(struct ocsp_url *url, struct slice authority, struct error *err)
{
    bool is_bracketed = authority.at[0] == '[';
    const char *end = authority.at + authority.length;
    const char *host_end = is_bracketed ? memchr(authority.at, ']', authority.length)
                                        : memchr(authority.at, ':', authority.length);
    if (!host_end)
        host_end = end;
    const char *port = is_bracketed ? host_end + 1 : host_end;
    const char *host = authority.at + is_bracketed;
    size_t length = (size_t)(host_end - host);
    if (length >= sizeof url->host)
        return error_set(err, "its host has %zu characters; names have at most %d", length,
                         DOMAIN_BYTES - 1);
    memcpy(url->host, host, length);
    url->host[length] = '\0';
    url->port = port < end ? (unsigned)strtoul(port + 1, NULL, 10) : HTTP_PORT;
    return true;
}

static bool read_rest(struct ocsp_url *url, const char *rest, struct error *err)
{
    size_t length = strcspn(rest, "/?");
    struct slice authority = {rest, length};
    if (length == 0 || !http_is_authority(authority))
        return error_set(err, "it needs a host, and perhaps a port from 1 to 65535, as in "
                              "http://ocsp.example.com:8080/");
    if (!set_host(url, authority, err))
        return false;
    memcpy(url->authority, rest, length);
    url->authority[length] = '\0';
    bool has_slash = rest[length] == '/';
    url->path[0] = '/';
    memcpy(url->path + !has_slash, rest + length, strlen(rest + length) + 1);
    return true;
}

bool ocsp_url_read(struct ocsp_url *url, const char *text, struct error *err)
{
    if (strncasecmp(text, "https://", 8) == 0)
        return error_set(err, "https is not offered; OCSP answers are signed by the CA, so that "
                              "http serves: say http://…");
    if (strncasecmp(text, http, sizeof http - 1) != 0)
        return error_set(err, "it must begin with http://, as in http://ocsp.example.com/");
    if (strlen(text) >= OCSP_URL_BYTES - 1)
        return error_set(err, "it is longer than %d characters", OCSP_URL_BYTES - 2);
    if (!is_fit(text))
        return error_set(err, "it may hold printable ASCII only, without blanks and \"#\"");
    return read_rest(url, text + sizeof http - 1, err);
}

bool ocsp_url_of(struct ocsp_url *url, X509 *certificate, struct error *err)
{
    ERR_set_mark();
    STACK_OF(OPENSSL_STRING) *urls = X509_get1_ocsp(certificate);
    bool is_found = false;
    error_set(err, "the certificate names no responder; client_ocsp_responder can");
    for (int i = 0; !is_found && i < sk_OPENSSL_STRING_num(urls); i++) {
        const char *text = sk_OPENSSL_STRING_value(urls, i);
        is_found = ocsp_url_read(url, text, NULL);
        if (!is_found)
            error_set(err, "the certificate names no responder that lb can ask: %.200s", text);
    }
    X509_email_free(urls);
    ERR_pop_to_mark();
    return is_found;
}
