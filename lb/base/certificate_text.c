/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates in words. What stands in them was chosen by strangers: every text is bounded. */
#include "lb/base/certificate.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#include "lb/base/hex.h"
#include "lb/base/utf8.h"

/* At most CERTIFICATE_NAME_BYTES of the text, never half of a character; what is hidden from people
 * is escaped as RFC 2253 escapes bytes. As long as it is and no longer: every client that is known
 * has two of them. NULL: out of memory. */
static char *cut_copy(const char *text, size_t length)
{
    char copy[CERTIFICATE_NAME_BYTES + 1];
    size_t used = 0;
    for (size_t at = 0; at < length;) {
        size_t step = utf8_length(text + at, length - at);
        bool is_hidden = step == 0 || utf8_is_hidden(text + at, step);
        step = step ? step : 1;
        if (used + (is_hidden ? 3 * step : step) > CERTIFICATE_NAME_BYTES)
            break;
        for (size_t i = 0; i < step; i++, at++) {
            unsigned char byte = (unsigned char)text[at];
            if (!is_hidden) {
                copy[used++] = text[at];
                continue;
            }
            copy[used] = '\\';
            hex_write(copy + used + 1, &byte, 1, hex_upper);
            used += 3;
        }
    }
    copy[used] = '\0';
    return strdup(copy);
}

char *certificate_name_text(const X509_NAME *name)
{
    char *copy = NULL;
    ERR_set_mark();
    BIO *bio = BIO_new(BIO_s_mem());
    unsigned long flags = XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB;
    if (bio && X509_NAME_print_ex(bio, name, 0, flags) >= 0) {
        char *text = NULL;
        long length = BIO_get_mem_data(bio, &text);
        copy = cut_copy(text, length > 0 ? (size_t)length : 0);
    }
    BIO_free(bio);
    ERR_pop_to_mark();
    return copy;
}

/* Two digits per byte and a final NUL. */
static char *hex_text(const char *sign, const unsigned char *bytes, size_t count,
                      const char *digits)
{
    size_t before = strlen(sign);
    char *text = malloc(before + 2 * count + 1);
    if (!text)
        return NULL;
    memcpy(text, sign, before);
    *hex_write(text + before, bytes, count, digits) = '\0';
    return text;
}

char *certificate_serial_text(const X509 *certificate)
{
    const ASN1_INTEGER *serial = X509_get0_serialNumber(certificate);
    const unsigned char *bytes = ASN1_STRING_get0_data(serial);
    size_t count = (size_t)ASN1_STRING_length(serial);
    const char *sign = (ASN1_STRING_type(serial) & V_ASN1_NEG) ? "-" : "";
    if (count > CERTIFICATE_NAME_BYTES / 2 - 1)
        count = CERTIFICATE_NAME_BYTES / 2 - 1;
    return count ? hex_text(sign, bytes, count, hex_upper) : strdup("00");
}

char *certificate_sha256_text(const X509 *certificate)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    if (X509_digest(certificate, EVP_sha256(), digest, &length) != 1)
        return NULL;
    return hex_text("", digest, length, hex_lower);
}

time_t certificate_time(const ASN1_TIME *time)
{
    struct tm calendar;
    if (!time || ASN1_TIME_to_tm(time, &calendar) != 1)
        return (time_t)-1;
    return timegm(&calendar);
}

int certificates_ended(const STACK_OF(X509) * chain, time_t now)
{
    int at = sk_X509_num(chain) - 1;
    while (at >= 0 && now < certificate_time(X509_get0_notAfter(sk_X509_value(chain, at))))
        at--;
    return at;
}

char *certificate_field_text(const X509_NAME *name, int nid, size_t *ret_bytes)
{
    int at = X509_NAME_get_index_by_NID(name, nid, -1);
    if (at < 0)
        return NULL;
    unsigned char *utf8 = NULL;
    ERR_set_mark();
    int length =
        ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
    ERR_pop_to_mark();
    if (length < 0)
        return NULL;
    char *text = malloc((size_t)length + 1);
    if (text) {
        memcpy(text, utf8, (size_t)length);
        text[length] = '\0';
        *ret_bytes = (size_t)length;
    }
    OPENSSL_free(utf8);
    return text;
}

char *certificate_pem_text(const X509 *certificate)
{
    char *text = NULL;
    ERR_set_mark();
    BIO *bio = BIO_new(BIO_s_mem());
    if (bio && PEM_write_bio_X509(bio, certificate) == 1) {
        char *at = NULL;
        long length = BIO_get_mem_data(bio, &at);
        text = length > 0 ? strndup(at, (size_t)length) : NULL;
    }
    BIO_free(bio);
    ERR_pop_to_mark();
    return text;
}
