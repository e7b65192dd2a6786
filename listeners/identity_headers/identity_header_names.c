/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which names are identity fields? Those of the presets, and those by which other proxies tell the
 * same: a backend that used to stand behind one of them may believe them yet.
 */
#include "listeners/identity_headers.h"

/* Lower case, `-` first. Whatever begins with one of these is known: a preset's names may grow, and
 * each has its …-Too-Large. */
static const struct slice prefixes_of_x[] = {
    {"x-ssl-client-", 13},               /* nginx */
    {"x-cert-", 7},                      /* x-cert */
    {"x-amzn-mtls-", 12},                /* aws */
    {"x-forwarded-client-cert", 23},     /* xfcc */
    {"x-forwarded-clientcert", 22},      /* Alibaba ALB: …-subjectdn, …-issuerdn, … */
    {"x-forwarded-tls-client-cert", 27}, /* Traefik: itself and …-info */
    {"x-client-cert", 13},               /* Google Cloud's examples, Apache's and HAProxy's */
    {"x-arr-clientcert", 16},            /* Azure App Service */
};
static const struct slice prefixes_of_c[] = {
    {"client-cert", 11},     /* rfc9440: itself and -Chain */
    {"cf-client-cert-", 15}, /* cloudflare */
};
static const struct slice prefixes_of_s[] = {
    {"ssl-client-", 11}, /* ingress-nginx; Tomcat and Keycloak behind Apache: SSL_CLIENT_CERT */
};

/* CGI makes `_` of `-`, and some servers of every byte that is neither letter nor digit. */
static char plain(char byte)
{
    if (byte >= 'A' && byte <= 'Z')
        return (char)(byte - 'A' + 'a');
    bool is_kept = (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9');
    return is_kept ? byte : '-';
}

static bool begins_with(struct slice name, struct slice prefix)
{
    if (name.length < prefix.length)
        return false;
    for (size_t i = 0; i < prefix.length; i++)
        if (plain(name.at[i]) != prefix.at[i])
            return false;
    return true;
}

static bool begins_with_one_of(struct slice name, const struct slice *prefixes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (begins_with(name, prefixes[i]))
            return true;
    return false;
}

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

bool identity_header_is_known(struct slice name)
{
    if (name.length == 0)
        return false;
    /* Nearly every field is out after its first byte. */
    switch (name.at[0]) {
    case 'x':
    case 'X':
        return begins_with_one_of(name, prefixes_of_x, COUNT_OF(prefixes_of_x));
    case 'c':
    case 'C':
        return begins_with_one_of(name, prefixes_of_c, COUNT_OF(prefixes_of_c));
    case 's':
    case 'S':
        return begins_with_one_of(name, prefixes_of_s, COUNT_OF(prefixes_of_s));
    default:
        return false;
    }
}
