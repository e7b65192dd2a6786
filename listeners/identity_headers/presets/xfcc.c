/* SPDX-License-Identifier: Apache-2.0 */
/*
 * X-Forwarded-Client-Cert as Envoy writes it, always one element:
 *
 *   Hash=SHA-256;Cert="PEM";Chain="PEM…";Subject="CN=alice";URI=spiffe://a/b;DNS=a.test;DNS=b.test
 *
 * Cert and Chain are percent-encoded; Chain is what verified the client, its own certificate first.
 * By (who received it) is left out: lb has no URI of its own. Readers of this field differ in how
 * they undo quotes, so that nothing is left to undo: within quotes there is neither quote nor
 * backslash before one, and a URI or DNS name with a byte that no URI or DNS name can have (quotes,
 * blanks, controls, NUL) is none and left out.
 */
#include <openssl/x509v3.h>
#include <string.h>

#include "lb/base/limits.h"
#include "listeners/identity.h"
#include "listeners/identity_headers/certificate_pen.h"
#include "listeners/identity_headers/field_pen.h"
#include "listeners/identity_headers/identity_preset.h"

static const char *const fields[] = {"X-Forwarded-Client-Cert", NULL};

/* RFC 3986's characters but letters and digits; for URIs and for DNS names. */
static const char uri_marks[] = "-._~:/?#[]@!$&'()*+,;=%";
static const char dns_marks[] = "-._*";

static bool is_made_of(const unsigned char *bytes, size_t count, const char *marks)
{
    for (size_t i = 0; i < count; i++) {
        unsigned char byte = bytes[i];
        bool is_plain = (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') ||
                        (byte >= '0' && byte <= '9');
        if (!is_plain && (byte == '\0' || !strchr(marks, byte)))
            return false;
    }
    return count > 0;
}

static bool needs_quotes(const unsigned char *bytes, size_t count)
{
    return memchr(bytes, ',', count) || memchr(bytes, ';', count) || memchr(bytes, '=', count);
}

static void write_pair(struct field_pen *pen, const char *key, const ASN1_IA5STRING *value,
                       const char *marks)
{
    const unsigned char *bytes = ASN1_STRING_get0_data(value);
    size_t count = (size_t)ASN1_STRING_length(value);
    if (!is_made_of(bytes, count, marks))
        return;
    const char *quote = needs_quotes(bytes, count) ? "\"" : "";
    field_pen_text(pen, key);
    field_pen_text(pen, quote);
    field_pen_put(pen, (const char *)bytes, count);
    field_pen_text(pen, quote);
}

static void write_alternative_names(struct field_pen *pen, const X509 *leaf)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(leaf, NID_subject_alt_name, NULL, NULL);
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        if (name->type == GEN_URI)
            write_pair(pen, ";URI=", name->d.uniformResourceIdentifier, uri_marks);
    }
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        if (name->type == GEN_DNS)
            write_pair(pen, ";DNS=", name->d.dNSName, dns_marks);
    }
    GENERAL_NAMES_free(names);
}

static void render(struct field_pen *pen, const struct identity_portrait *portrait)
{
    X509 *leaf = portrait->identity->leaf;
    field_pen_begin(pen, "X-Forwarded-Client-Cert", IDENTITY_XFCC_BYTES);
    field_pen_text(pen, "Hash=");
    field_pen_text(pen, portrait->identity->sha256);
    field_pen_text(pen, ";Cert=\"");
    certificate_pen_pem(pen, leaf, "");
    field_pen_text(pen, "\";Chain=\"");
    certificate_pen_pem(pen, leaf, "");
    for (unsigned i = 0; i < portrait->ca_count; i++)
        certificate_pen_pem(pen, portrait->cas[i], "");
    field_pen_text(pen, "\";Subject=\"");
    certificate_pen_name(pen, X509_get_subject_name(leaf), CERTIFICATE_NAME_QUOTED);
    field_pen_text(pen, "\"");
    write_alternative_names(pen, leaf);
    field_pen_end(pen);
}

const struct identity_preset identity_preset_xfcc = {
    .name = "xfcc",
    .fields = fields,
    .reads_chain = true,
    .render = render,
};
