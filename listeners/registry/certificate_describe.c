/* SPDX-License-Identifier: Apache-2.0 */
/* What people chose for a certificate is bounded here: it stands in lists, logs and header fields
 * later. */
#include "listeners/registry/certificate_describe.h"

#include <openssl/objects.h>
#include <stdlib.h>
#include <string.h>

#include "lb/base/certificate.h"
#include "lb/base/utf8.h"
#include "listeners/registry/change.h"

const char *name_brief(const X509_NAME *name, char into[NAME_BRIEF_BYTES])
{
    char *text = certificate_name_text(name);
    const char *whole = text && *text ? text : "(no name)";
    size_t length = strlen(whole);
    size_t used = 0;
    while (used < length) {
        size_t step = utf8_length(whole + used, length - used);
        step = step ? step : 1;
        if (used + step >= NAME_BRIEF_BYTES)
            break;
        used += step;
    }
    memcpy(into, whole, used);
    into[used] = '\0';
    free(text);
    return into;
}

enum change_refusal certificate_text_check(const char *what, const char *text, size_t bytes,
                                           struct error *err)
{
    if (bytes > CERTIFICATE_TEXT_BYTES)
        return change_refuse(CHANGE_BAD_INPUT, err, "%s has %zu bytes; at most %d are possible",
                             what, bytes, CERTIFICATE_TEXT_BYTES);
    for (size_t at = 0; at < bytes;) {
        size_t step = utf8_length(text + at, bytes - at);
        if (step == 0)
            return change_refuse(CHANGE_BAD_INPUT, err, "%s is no UTF-8 (byte %zu)", what, at + 1);
        if (utf8_is_hidden(text + at, step))
            return change_refuse(
                CHANGE_BAD_INPUT, err,
                "%s holds a control character (byte %zu); only printable ones are possible", what,
                at + 1);
        at += step;
    }
    return CHANGE_MADE;
}

enum change_refusal client_id_check(const char *client_id, struct error *err)
{
    size_t bytes = client_id ? strlen(client_id) : 0;
    if (bytes && (client_id[0] == ' ' || client_id[bytes - 1] == ' '))
        return change_refuse(CHANGE_BAD_INPUT, err,
                             "the client id begins or ends with a blank; leave it out");
    return certificate_text_check("the client id", client_id, bytes, err);
}

/* One field of the subject, "" where it has none. */
static enum change_refusal read_field(X509 *certificate, int nid, const char *what, char **ret_text,
                                      struct error *err)
{
    const X509_NAME *subject = X509_get_subject_name(certificate);
    if (X509_NAME_get_index_by_NID(subject, nid, -1) < 0) {
        *ret_text = strdup("");
        return *ret_text ? CHANGE_MADE : change_out_of_memory(err);
    }
    size_t bytes = 0;
    char *text = certificate_field_text(subject, nid, &bytes);
    if (!text)
        return change_refuse(CHANGE_BAD_INPUT, err, "%s is no text that can be read", what);
    enum change_refusal refusal = certificate_text_check(what, text, bytes, err);
    if (refusal == CHANGE_MADE)
        *ret_text = text;
    else
        free(text);
    return refusal;
}

static enum change_refusal check_serial(const X509 *certificate, struct error *err)
{
    int bytes = ASN1_STRING_length(X509_get0_serialNumber(certificate));
    if (bytes <= CERTIFICATE_SERIAL_BYTES)
        return CHANGE_MADE;
    return change_refuse(CHANGE_BAD_INPUT, err,
                         "its serial number has %d bytes; at most %d are possible (RFC 5280: 20)",
                         bytes, CERTIFICATE_SERIAL_BYTES);
}

/* Texts on their way into a record. */
struct texts {
    char *serial, *subject, *issuer, *sha256, *common_name, *unit;
    unsigned char *der;
    int der_bytes;
};

static void texts_done(struct texts *texts)
{
    free(texts->serial);
    free(texts->subject);
    free(texts->issuer);
    free(texts->sha256);
    free(texts->common_name);
    free(texts->unit);
    OPENSSL_free(texts->der);
}

static enum change_refusal read_texts(X509 *certificate, struct texts *texts, struct error *err)
{
    enum change_refusal refusal = check_serial(certificate, err);
    if (refusal == CHANGE_MADE)
        refusal = read_field(certificate, NID_commonName, "the common name of the certificate",
                             &texts->common_name, err);
    if (refusal == CHANGE_MADE)
        refusal = read_field(certificate, NID_organizationalUnitName,
                             "the organizational unit of the certificate", &texts->unit, err);
    if (refusal != CHANGE_MADE)
        return refusal;
    texts->serial = certificate_serial_text(certificate);
    texts->subject = certificate_name_text(X509_get_subject_name(certificate));
    texts->issuer = certificate_name_text(X509_get_issuer_name(certificate));
    texts->sha256 = certificate_sha256_text(certificate);
    texts->der_bytes = i2d_X509(certificate, &texts->der);
    bool good =
        texts->serial && texts->subject && texts->issuer && texts->sha256 && texts->der_bytes > 0;
    return good ? CHANGE_MADE : change_out_of_memory(err);
}

enum change_refusal certificate_describe(X509 *certificate, const struct certificate_record *like,
                                         struct certificate_result *result, struct error *err)
{
    struct texts texts = {0};
    enum change_refusal refusal = read_texts(certificate, &texts, err);
    if (refusal == CHANGE_MADE) {
        struct certificate_record record = *like;
        record.serial = texts.serial;
        record.subject = texts.subject;
        record.issuer = texts.issuer;
        record.common_name = texts.common_name;
        record.unit = texts.unit;
        memcpy(record.sha256, texts.sha256, sizeof record.sha256);
        record.not_before_s = certificate_time(X509_get0_notBefore(certificate));
        record.not_after_s = certificate_time(X509_get0_notAfter(certificate));
        record.der = texts.der;
        record.der_bytes = (size_t)texts.der_bytes;
        if (!certificate_tbs_of(certificate, record.tbs) ||
            !certificate_result_set(result, &record))
            refusal = change_out_of_memory(err);
    }
    texts_done(&texts);
    return refusal;
}
