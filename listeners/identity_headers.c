/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fields of a verified client are the same in each of its requests: they are rendered once into
 * one block and shared by all connections of its identity.
 */
#include "listeners/identity_headers.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "listeners/identity.h"
#include "listeners/policy.h"

struct identity_header_values {
    size_t nginx_length;
    char nginx[]; /* all fields but Verify, "\r\n" behind each */
};

/* Longest values; with their names they fit into IDENTITY_HEADERS_MOST_BYTES. */
enum { NAME_MOST_BYTES = 3 * 1024, SERIAL_MOST_BYTES = 256, CERTIFICATE_MOST_BYTES = 16 * 1024 };

/* Which names are identity fields? */

/* Lower case, `-` first. Whatever begins with one of these is known; sorted by nothing, they are
 * few. */
static const struct slice prefixes[] = {
    {"x-ssl-client-", 13},           /* nginx */
    {"x-cert-", 7},                  /* x-cert */
    {"x-amzn-mtls-", 12},            /* aws */
    {"x-forwarded-client-cert", 23}, /* xfcc */
    {"client-cert", 11},             /* rfc9440 */
    {"cf-client-cert-", 15},         /* cloudflare */
};

static char plain(char byte)
{
    if (byte == '_')
        return '-';
    return byte >= 'A' && byte <= 'Z' ? (char)(byte - 'A' + 'a') : byte;
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

bool identity_header_is_known(struct slice name)
{
    /* Nearly every field is out after its first byte. */
    if (name.length < 7 || (plain(name.at[0]) != 'x' && plain(name.at[0]) != 'c'))
        return false;
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
        if (begins_with(name, prefixes[i]))
            return true;
    return false;
}

/* Writing */

/* A text that only ever gets what fits: a piece as a whole, or nothing of it. */
struct pen {
    char *at;
    size_t room;
    size_t used;
};

__attribute__((format(printf, 2, 3))) static void pen_write(struct pen *pen, const char *format,
                                                            ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(pen->at + pen->used, pen->room - pen->used, format, arguments);
    va_end(arguments);
    if (length >= 0 && (size_t)length < pen->room - pen->used)
        pen->used += (size_t)length;
}

/* One field. A value that is too long, or has a byte no field value may have, is only announced. */
static void write_field(struct pen *pen, const char *name, const char *value, size_t length,
                        size_t most)
{
    bool clean = length <= most;
    for (size_t i = 0; clean && i < length; i++)
        clean = value[i] >= 0x20 && value[i] < 0x7f;
    if (clean)
        pen_write(pen, "%s: %.*s\r\n", name, (int)length, value);
    else
        pen_write(pen, "%s-Too-Large: 1\r\n", name);
}

/* RFC 2253 with everything escaped that is not printable ASCII. */
static void write_name(struct pen *pen, const char *field, const X509_NAME *name, BIO *scratch)
{
    char *text = NULL;
    BIO_reset(scratch);
    bool printed = X509_NAME_print_ex(scratch, name, 0, XN_FLAG_RFC2253) >= 0;
    long length = BIO_get_mem_data(scratch, &text);
    write_field(pen, field, text, printed && length > 0 ? (size_t)length : 0, NAME_MOST_BYTES);
}

static void write_fingerprint(struct pen *pen, const X509 *certificate)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    char text[2 * EVP_MAX_MD_SIZE + 1] = "";
    unsigned length = 0;
    if (X509_digest(certificate, EVP_sha1(), digest, &length) != 1)
        length = 0;
    for (size_t i = 0; i < length; i++)
        snprintf(text + 2 * i, 3, "%02x", digest[i]);
    write_field(pen, "X-SSL-Client-Fingerprint", text, 2 * length, sizeof text);
}

/* Percent-encoded but for RFC 3986's unreserved characters. Returns the length, `most` + 1 when it
 * is more. */
static size_t escape_url(const char *text, size_t length, char *into, size_t most)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t used = 0;
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)text[i];
        bool unreserved = (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') ||
                          (byte >= '0' && byte <= '9') || byte == '-' || byte == '.' ||
                          byte == '_' || byte == '~';
        if (used + (unreserved ? 1 : 3) > most)
            return most + 1;
        if (unreserved) {
            into[used++] = (char)byte;
            continue;
        }
        into[used++] = '%';
        into[used++] = digits[byte >> 4];
        into[used++] = digits[byte & 0x0f];
    }
    return used;
}

static void write_certificate(struct pen *pen, X509 *certificate, BIO *scratch)
{
    char *text = NULL;
    BIO_reset(scratch);
    bool encoded = PEM_write_bio_X509(scratch, certificate) == 1;
    long length = BIO_get_mem_data(scratch, &text);
    char *escaped = malloc(CERTIFICATE_MOST_BYTES);
    size_t used = CERTIFICATE_MOST_BYTES + 1;
    if (escaped && encoded && length > 0)
        used = escape_url(text, (size_t)length, escaped, CERTIFICATE_MOST_BYTES);
    write_field(pen, "X-SSL-Client-Cert", escaped, used, CERTIFICATE_MOST_BYTES);
    free(escaped);
}

static struct identity_header_values *render(const struct identity *identity)
{
    struct identity_header_values *values = malloc(sizeof *values + IDENTITY_HEADERS_MOST_BYTES);
    BIO *scratch = BIO_new(BIO_s_mem());
    if (!values || !scratch) {
        BIO_free(scratch);
        free(values);
        return NULL;
    }
    struct pen pen = {values->nginx, IDENTITY_HEADERS_MOST_BYTES, 0};
    ERR_set_mark();
    write_name(&pen, "X-SSL-Client-S-DN", X509_get_subject_name(identity->leaf), scratch);
    write_name(&pen, "X-SSL-Client-I-DN", X509_get_issuer_name(identity->leaf), scratch);
    write_field(&pen, "X-SSL-Client-Serial", identity->serial, strlen(identity->serial),
                SERIAL_MOST_BYTES);
    write_fingerprint(&pen, identity->leaf);
    write_certificate(&pen, identity->leaf, scratch);
    ERR_pop_to_mark();
    BIO_free(scratch);
    values->nginx_length = pen.used;
    struct identity_header_values *fitted = realloc(values, sizeof *values + pen.used);
    return fitted ? fitted : values;
}

/* The rendered fields; the first to come renders, whoever loses a race frees its own. NULL: out of
 * memory. */
static const struct identity_header_values *values_of(const struct identity *identity)
{
    /* The one member that changes after identity_new(); it is atomic for that. */
    struct identity *mine = (struct identity *)identity;
    struct identity_header_values *known =
        atomic_load_explicit(&mine->header_values, memory_order_acquire);
    if (known)
        return known;
    struct identity_header_values *rendered = render(identity);
    if (!rendered || atomic_compare_exchange_strong(&mine->header_values, &known, rendered))
        return rendered;
    free(rendered);
    return known;
}

static void write_verify(struct pen *pen, enum refusal verdict)
{
    if (verdict == REFUSAL_NONE)
        pen_write(pen, "X-SSL-Client-Verify: SUCCESS\r\n");
    else if (verdict == REFUSAL_MISSING)
        pen_write(pen, "X-SSL-Client-Verify: NONE\r\n");
    else
        pen_write(pen, "X-SSL-Client-Verify: FAILED:%s\r\n", refusal_name(verdict));
}

size_t identity_headers_write(const struct rule *rule, struct identity *identity, time_t now,
                              char *into, size_t room)
{
    if (!(rule->client_headers & CLIENT_HEADERS_NGINX) || room == 0)
        return 0;
    enum refusal verdict = policy_verdict(&rule->auth, identity, now);
    struct pen pen = {into, room, 0};
    write_verify(&pen, verdict);
    const struct identity_header_values *values =
        verdict == REFUSAL_NONE ? values_of(identity) : NULL;
    if (values && values->nginx_length <= pen.room - pen.used) {
        memcpy(pen.at + pen.used, values->nginx, values->nginx_length);
        pen.used += values->nginx_length;
    }
    return pen.used;
}
