/* SPDX-License-Identifier: Apache-2.0 */
#include "listeners/identity_headers/certificate_pen.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <stdlib.h>
#include <string.h>

#include "lb/base/certificate.h"
#include "lb/base/limits.h"
#include "listeners/identity_headers/field_pen.h"

/* --- names --------------------------------------------------------------------------------- */

static bool is_hex(char byte)
{
    return (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'F');
}

/* RFC 2253 escapes a byte as \XX or as \ and itself; never a digit or a letter in the second way.
 */
static void put_quoted(struct field_pen *pen, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        field_pen_put(pen, text + i, 1);
        if (text[i] != '\\' || i + 1 == length || is_hex(text[i + 1]))
            continue;
        unsigned char escaped = (unsigned char)text[++i];
        field_pen_hex(pen, &escaped, 1, true);
    }
}

static void write_rfc2253(struct field_pen *pen, const X509_NAME *name,
                          enum certificate_name_form form)
{
    BIO *bio = BIO_new(BIO_s_mem());
    if (!bio || X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253) < 0) {
        field_pen_spoil(pen);
    } else {
        char *text = NULL;
        long length = BIO_get_mem_data(bio, &text);
        if (form == CERTIFICATE_NAME_QUOTED)
            put_quoted(pen, text, (size_t)length);
        else
            field_pen_put(pen, text, (size_t)length);
    }
    BIO_free(bio);
}

/* "CN", or the numbers of what has no short name. */
static void write_type(struct field_pen *pen, const X509_NAME_ENTRY *entry)
{
    char text[256];
    const ASN1_OBJECT *object = X509_NAME_ENTRY_get_object(entry);
    int nid = OBJ_obj2nid(object);
    int length = OBJ_obj2txt(text, sizeof text, object, 1);
    if (nid != NID_undef)
        field_pen_text(pen, OBJ_nid2sn(nid));
    else if (length > 0 && (size_t)length < sizeof text)
        field_pen_text(pen, text);
    else
        field_pen_spoil(pen);
}

static void write_legacy_value(struct field_pen *pen, const ASN1_STRING *value)
{
    unsigned char *utf8 = NULL;
    int length = ASN1_STRING_to_UTF8(&utf8, value);
    if (length < 0)
        field_pen_spoil(pen);
    for (int i = 0; i < length; i++) {
        bool is_plain = utf8[i] >= 0x20 && utf8[i] < 0x7f && utf8[i] != '/' && utf8[i] != '\\';
        if (!is_plain)
            field_pen_text(pen, "\\x");
        if (is_plain)
            field_pen_put(pen, (const char *)utf8 + i, 1);
        else
            field_pen_hex(pen, utf8 + i, 1, true);
    }
    OPENSSL_free(utf8);
}

static void write_legacy(struct field_pen *pen, const X509_NAME *name)
{
    for (int i = 0; i < X509_NAME_entry_count(name); i++) {
        const X509_NAME_ENTRY *entry = X509_NAME_get_entry(name, i);
        field_pen_text(pen, "/");
        write_type(pen, entry);
        field_pen_text(pen, "=");
        write_legacy_value(pen, X509_NAME_ENTRY_get_data(entry));
    }
}

void certificate_pen_name(struct field_pen *pen, const X509_NAME *name,
                          enum certificate_name_form form)
{
    switch (form) {
    case CERTIFICATE_NAME_RFC2253:
    case CERTIFICATE_NAME_QUOTED:
        write_rfc2253(pen, name, form);
        return;
    case CERTIFICATE_NAME_LEGACY:
        write_legacy(pen, name);
        return;
    }
}

void certificate_pen_name_field(struct field_pen *pen, const char *field, const X509_NAME *name,
                                enum certificate_name_form form)
{
    field_pen_begin(pen, field, IDENTITY_NAME_BYTES);
    certificate_pen_name(pen, name, form);
    field_pen_end(pen);
}

/* --- certificates -------------------------------------------------------------------------- */

void certificate_pen_sha1(struct field_pen *pen, const X509 *certificate)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    if (X509_digest(certificate, EVP_sha1(), digest, &length) != 1)
        field_pen_spoil(pen);
    field_pen_hex(pen, digest, length, false);
}

void certificate_pen_der(struct field_pen *pen, const X509 *certificate)
{
    unsigned char *der = NULL;
    int length = i2d_X509(certificate, &der);
    if (length > 0)
        field_pen_base64(pen, der, (size_t)length);
    else
        field_pen_spoil(pen);
    OPENSSL_free(der);
}

void certificate_pen_pem(struct field_pen *pen, const X509 *certificate, const char *safe)
{
    char *text = certificate_pem_text(certificate);
    if (text)
        field_pen_url(pen, text, strlen(text), safe);
    else
        field_pen_spoil(pen);
    free(text);
}
