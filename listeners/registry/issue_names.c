/* SPDX-License-Identifier: Apache-2.0 */
/* See issue_names.h. Names of a CSR pass the same rules as those of a wish, one by one. */
#include "listeners/registry/issue_names.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <openssl/err.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { LABEL_BYTES = 63, WHAT_BYTES = 64, IPV4_BYTES = 4, IPV6_BYTES = 16 };

/* --- the rules ----------------------------------------------------------------------------- */

static bool is_plain(const char *text, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        if (text[i] <= 0x20 || text[i] >= 0x7f)
            return false;
    return true;
}

static bool is_label(const char *text, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        if (!isalnum((unsigned char)text[i]) && text[i] != '-' && text[i] != '_')
            return false;
    return bytes > 0 && bytes <= LABEL_BYTES && text[0] != '-' && text[bytes - 1] != '-';
}

static bool is_host(const char *text, size_t bytes)
{
    size_t from = 0;
    for (size_t at = 0; at <= bytes; at++) {
        if (at < bytes && text[at] != '.')
            continue;
        if (!is_label(text + from, at - from))
            return false;
        from = at + 1;
    }
    return bytes <= NAME_DNS_BYTES;
}

static bool is_dns(const char *text, size_t bytes)
{
    bool is_wild = bytes > 2 && text[0] == '*' && text[1] == '.';
    return is_wild ? is_host(text + 2, bytes - 2) && bytes <= NAME_DNS_BYTES : is_host(text, bytes);
}

static bool is_uri(const char *text, size_t bytes)
{
    size_t scheme = 0;
    while (scheme < bytes &&
           (isalnum((unsigned char)text[scheme]) || (scheme > 0 && memchr("+-.", text[scheme], 3))))
        scheme++;
    return scheme > 0 && isalpha((unsigned char)text[0]) && scheme + 1 < bytes &&
           text[scheme] == ':' && bytes <= NAME_URI_BYTES && is_plain(text, bytes);
}

static bool is_email(const char *text, size_t bytes)
{
    const char *at = memrchr(text, '@', bytes);
    size_t before = at ? (size_t)(at - text) : 0;
    return before > 0 && !memchr(text, '@', before) && is_plain(text, before) &&
           is_host(at + 1, bytes - before - 1) && bytes <= NAME_EMAIL_BYTES;
}

static bool is_ip(const char *text, size_t bytes)
{
    unsigned char address[IPV6_BYTES];
    (void)bytes; /* of a CSR it is no text, and never comes here */
    return inet_pton(AF_INET, text, address) == 1 || inet_pton(AF_INET6, text, address) == 1;
}

static const struct kind {
    const char *prefix;
    int type;
    bool (*is_right)(const char *text, size_t bytes);
    const char *right;
} kinds[] = {
    {"dns:", GEN_DNS, is_dns, "a host name such as dns:host.example.com"},
    {"uri:", GEN_URI, is_uri, "a URI with its scheme such as uri:spiffe://example.com/device/7"},
    {"email:", GEN_EMAIL, is_email, "an address such as email:ops@example.com"},
    {"ip:", GEN_IPADD, is_ip, "an IPv4 or IPv6 address such as ip:192.0.2.7"},
};
enum { KIND_COUNT = sizeof kinds / sizeof *kinds };

static const struct kind *kind_of_text(const char *text)
{
    for (size_t i = 0; i < KIND_COUNT; i++)
        if (strncasecmp(text, kinds[i].prefix, strlen(kinds[i].prefix)) == 0)
            return &kinds[i];
    return NULL;
}

static const struct kind *kind_of_type(int type)
{
    for (size_t i = 0; i < KIND_COUNT; i++)
        if (kinds[i].type == type)
            return &kinds[i];
    return NULL;
}

/* --- of a wish ----------------------------------------------------------------------------- */

bool names_check(const struct issue_wish *wish, struct error *err)
{
    if (wish->name_count > ISSUE_NAMES_MOST)
        return error_set(err, "%u alternative names are too many: at most %d", wish->name_count,
                         ISSUE_NAMES_MOST);
    for (unsigned i = 0; i < wish->name_count; i++) {
        const char *text = wish->names[i];
        const struct kind *kind = kind_of_text(text);
        if (!kind)
            return error_set(err,
                             "alternative name %u has to begin with dns:, uri:, email: or ip:, as "
                             "in dns:host.example.com",
                             i + 1);
        text += strlen(kind->prefix);
        if (!kind->is_right(text, strlen(text)))
            return error_set(err, "alternative name %u is not %s", i + 1, kind->right);
    }
    return true;
}

static ASN1_STRING *value_of(const struct kind *kind, const char *text)
{
    if (kind->type == GEN_IPADD)
        return a2i_IPADDRESS(text);
    ASN1_STRING *value = ASN1_IA5STRING_new();
    if (value && ASN1_STRING_set(value, text, (int)strlen(text)) == 1)
        return value;
    ASN1_STRING_free(value);
    return NULL;
}

static bool add(GENERAL_NAMES *names, const char *text)
{
    const struct kind *kind = kind_of_text(text);
    GENERAL_NAME *name = GENERAL_NAME_new();
    ASN1_STRING *value = name ? value_of(kind, text + strlen(kind->prefix)) : NULL;
    if (value)
        GENERAL_NAME_set0_value(name, kind->type, value);
    if (value && sk_GENERAL_NAME_push(names, name) > 0)
        return true;
    GENERAL_NAME_free(name);
    return false;
}

bool names_of_wish(const struct issue_wish *wish, GENERAL_NAMES **ret_names, struct error *err)
{
    *ret_names = NULL;
    if (wish->name_count == 0)
        return true;
    GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
    bool good = names != NULL;
    for (unsigned i = 0; good && i < wish->name_count; i++)
        good = add(names, wish->names[i]);
    if (good) {
        *ret_names = names;
        return true;
    }
    GENERAL_NAMES_free(names);
    return error_set(err, "out of memory");
}

/* --- of a CSR ------------------------------------------------------------------------------ */

static bool name_check(const GENERAL_NAME *name, int number, struct error *err)
{
    int type = 0;
    const ASN1_STRING *value = GENERAL_NAME_get0_value(name, &type);
    const struct kind *kind = kind_of_type(type);
    if (!kind)
        return error_set(err,
                         "alternative name %d of the CSR is of a kind that is not signed: only "
                         "DNS, URI, email and IP are",
                         number);
    int bytes = ASN1_STRING_length(value);
    bool right = type == GEN_IPADD
                     ? bytes == IPV4_BYTES || bytes == IPV6_BYTES
                     : kind->is_right((const char *)ASN1_STRING_get0_data(value), (size_t)bytes);
    return right || error_set(err, "alternative name %d of the CSR is not %s", number, kind->right);
}

static bool all_checked(const GENERAL_NAMES *names, struct error *err)
{
    int count = sk_GENERAL_NAME_num(names);
    if (count > ISSUE_NAMES_MOST)
        return error_set(err, "the CSR has %d alternative names: at most %d", count,
                         ISSUE_NAMES_MOST);
    for (int i = 0; i < count; i++)
        if (!name_check(sk_GENERAL_NAME_value(names, i), i + 1, err))
            return false;
    return true;
}

static bool asks_for_extensions(const X509_REQ *request)
{
    return X509_REQ_get_attr_by_NID(request, NID_ext_req, -1) >= 0 ||
           X509_REQ_get_attr_by_NID(request, NID_ms_ext_req, -1) >= 0;
}

bool names_of_request(X509_REQ *request, GENERAL_NAMES **ret_names, struct error *err)
{
    int found = 0;
    *ret_names = NULL;
    ERR_set_mark();
    STACK_OF(X509_EXTENSION) *extensions = X509_REQ_get_extensions(request);
    GENERAL_NAMES *names = X509V3_get_d2i(extensions, NID_subject_alt_name, &found, NULL);
    bool is_broken = !extensions && asks_for_extensions(request);
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
    ERR_pop_to_mark();
    if (is_broken)
        return error_set(err, "what the CSR asks for (extensionRequest) cannot be decoded");
    if (!names && found != -1)
        return error_set(err, "the CSR's alternative names %s",
                         found == -2 ? "are there twice" : "cannot be decoded");
    if (names && !all_checked(names, err)) {
        GENERAL_NAMES_free(names);
        return false;
    }
    if (sk_GENERAL_NAME_num(names) > 0)
        *ret_names = names;
    else
        GENERAL_NAMES_free(names);
    return true;
}
