/* SPDX-License-Identifier: Apache-2.0 */
#include "listeners/crl/crl_der.h"

#include <openssl/asn1.h>
#include <openssl/asn1t.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

/* --- elements ------------------------------------------------------------------------------ */

/* An element: its tag, all of it, and what is in it. */
struct element {
    int tag; /* of the universal class; -1 - n: [n] */
    struct slice whole;
    struct slice content;
};

/* The next one of `rest`, which goes on behind it. false: there is none, or it is no DER. */
static bool take(struct slice *rest, struct element *ret)
{
    const unsigned char *at = (const unsigned char *)rest->at;
    long length = 0;
    int tag = 0;
    int class = 0;
    if (rest->length == 0 || rest->length > LONG_MAX)
        return false;
    int form = ASN1_get_object(&at, &length, &tag, &class, (long)rest->length);
    if (form & 0x81) /* an error, or an indefinite length */
        return false;
    const char *content = (const char *)at;
    ret->tag = class == V_ASN1_UNIVERSAL ? tag : -1 - tag;
    ret->content = (struct slice){content, (size_t)length};
    ret->whole = (struct slice){rest->at, (size_t)(content - rest->at) + (size_t)length};
    rest->length -= ret->whole.length;
    rest->at += ret->whole.length;
    return true;
}

static bool take_tag(struct slice *rest, int tag, struct element *ret)
{
    return take(rest, ret) && ret->tag == tag;
}

/* Only if it is there. */
static bool take_optional(struct slice *rest, int tag, struct element *ret)
{
    struct slice before = *rest;
    if (take_tag(rest, tag, ret))
        return true;
    *rest = before;
    return false;
}

static bool take_time(struct slice *rest)
{
    struct element time;
    return take_optional(rest, V_ASN1_UTCTIME, &time) ||
           take_optional(rest, V_ASN1_GENERALIZEDTIME, &time);
}

/* --- the parts of a list --------------------------------------------------------------------- */

/* tbs: [version] algorithm issuer thisUpdate [nextUpdate] [entries] [extensions] */
static bool split_tbs(struct slice content, struct crl_parts *parts, struct slice *ret_algorithm)
{
    struct slice rest = content;
    struct element part;
    take_optional(&rest, V_ASN1_INTEGER, &part);
    if (!take_tag(&rest, V_ASN1_SEQUENCE, &part))
        return false;
    *ret_algorithm = part.whole;
    if (!take_tag(&rest, V_ASN1_SEQUENCE, &part) || !take_time(&rest))
        return false;
    take_time(&rest);
    parts->before = (struct slice){content.at, (size_t)(rest.at - content.at)};
    parts->entries = (struct slice){rest.at, 0};
    if (take_optional(&rest, V_ASN1_SEQUENCE, &part))
        parts->entries = part.content;
    parts->after = rest;
    return true;
}

static bool same_bytes(struct slice one, struct slice other)
{
    return one.length == other.length && memcmp(one.at, other.at, one.length) == 0;
}

bool crl_der_split(struct slice der, struct crl_parts *parts, struct error *err)
{
    struct slice rest = der;
    struct slice inner;
    struct element list;
    struct element part;
    *parts = (struct crl_parts){0};
    if (!take_tag(&rest, V_ASN1_SEQUENCE, &list))
        return error_set(err,
                         "it is no whole revocation list: what it says of its length and its "
                         "%zu bytes differ, or it is none",
                         der.length);
    if (rest.length > 0)
        return error_set(err, "%zu bytes follow the revocation list", rest.length);
    rest = list.content;
    if (!take_tag(&rest, V_ASN1_SEQUENCE, &part))
        return error_set(err, "it is no revocation list");
    parts->tbs = part.whole;
    inner = part.content;
    parts->signing = rest;
    if (!take_tag(&rest, V_ASN1_SEQUENCE, &part))
        return error_set(err, "it is no revocation list");
    parts->algorithm = part.whole;
    struct slice algorithm;
    if (!take_tag(&rest, V_ASN1_BIT_STRING, &part) || rest.length > 0 ||
        !split_tbs(inner, parts, &algorithm))
        return error_set(err, "it is no revocation list (a certificate, perhaps?)");
    return same_bytes(algorithm, parts->algorithm) ||
           error_set(err, "it says of its signature's algorithm two different things");
}

/* --- the frame ---------------------------------------------------------------------------------
 */

static unsigned char *put(unsigned char *at, struct slice bytes)
{
    if (bytes.length > 0)
        memcpy(at, bytes.at, bytes.length);
    return at + bytes.length;
}

X509_CRL *crl_der_frame(const struct crl_parts *parts)
{
    size_t tbs_content = parts->before.length + parts->after.length;
    enum { FRAME_MOST_BYTES = 1024 * 1024 }; /* names and extensions: more is an attack */
    if (tbs_content + parts->signing.length > FRAME_MOST_BYTES)
        return NULL;
    int tbs_bytes = ASN1_object_size(1, (int)tbs_content, V_ASN1_SEQUENCE);
    int content = tbs_bytes + (int)parts->signing.length;
    int bytes = ASN1_object_size(1, content, V_ASN1_SEQUENCE);
    unsigned char *der = malloc((size_t)bytes);
    if (!der)
        return NULL;
    unsigned char *at = der;
    ASN1_put_object(&at, 1, content, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL);
    ASN1_put_object(&at, 1, (int)tbs_content, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL);
    at = put(put(put(at, parts->before), parts->after), parts->signing);
    const unsigned char *read = der;
    X509_CRL *frame = d2i_X509_CRL(NULL, &read, (long)(at - der));
    free(der);
    /* A second list of entries would be the frame's, and nobody would look at it. */
    if (!frame || sk_X509_REVOKED_num(X509_CRL_get_REVOKED(frame)) <= 0)
        return frame;
    X509_CRL_free(frame);
    return NULL;
}

bool crl_der_is_signed(const struct crl_parts *parts, const X509_CRL *frame, EVP_PKEY *key)
{
    const ASN1_BIT_STRING *signature = NULL;
    const X509_ALGOR *algorithm = NULL;
    ASN1_STRING *tbs = ASN1_STRING_type_new(V_ASN1_SEQUENCE);
    /* Any SEQUENCE is kept as the bytes it came as: so those are verified, by whatever algorithm
     * OpenSSL knows. */
    const ASN1_TYPE any = {.type = V_ASN1_SEQUENCE, .value.sequence = tbs};
    X509_CRL_get0_signature(frame, &signature, &algorithm);
    bool good = tbs && ASN1_STRING_set(tbs, parts->tbs.at, (int)parts->tbs.length) == 1 &&
                ASN1_item_verify(ASN1_ITEM_rptr(ASN1_ANY), algorithm, signature, &any, key) == 1;
    ASN1_STRING_free(tbs);
    return good;
}

/* --- entries -----------------------------------------------------------------------------------
 */

/* 2.5.29.x, as DER has it. */
static bool is_extension(struct slice oid, unsigned char x)
{
    return oid.length == 3 && memcmp(oid.at, "\x55\x1d", 2) == 0 && (unsigned char)oid.at[2] == x;
}

enum { REASON_CODE = 21, HOLD_INSTRUCTION = 23, INVALIDITY_DATE = 24, CERTIFICATE_ISSUER = 29 };

static bool check_entry_extension(struct slice extension, struct error *err)
{
    struct element oid;
    struct element critical;
    if (!take_tag(&extension, V_ASN1_OBJECT, &oid))
        return error_set(err, "an extension of an entry is malformed");
    if (is_extension(oid.content, CERTIFICATE_ISSUER))
        return error_set(err, "it is an indirect list (entries of other CAs), which lb does not "
                              "use; name the list that the CA itself issues");
    bool is_known = is_extension(oid.content, REASON_CODE) ||
                    is_extension(oid.content, HOLD_INSTRUCTION) ||
                    is_extension(oid.content, INVALIDITY_DATE);
    if (!is_known && take_optional(&extension, V_ASN1_BOOLEAN, &critical) &&
        critical.content.length == 1 && critical.content.at[0] != 0)
        return error_set(err, "an entry has a critical extension that lb does not know");
    return true;
}

static bool check_entry_extensions(struct slice rest, struct error *err)
{
    struct element list;
    struct element extension;
    if (rest.length == 0)
        return true;
    if (!take_tag(&rest, V_ASN1_SEQUENCE, &list) || rest.length > 0)
        return error_set(err, "an entry is malformed");
    while (list.content.length > 0) {
        if (!take_tag(&list.content, V_ASN1_SEQUENCE, &extension))
            return error_set(err, "an entry is malformed");
        if (!check_entry_extension(extension.content, err))
            return false;
    }
    return true;
}

/* Without the bytes in front that say nothing, which DER does not allow. */
static struct crl_serial shortest(struct slice integer)
{
    const unsigned char *at = (const unsigned char *)integer.at;
    size_t length = integer.length;
    while (length > 1 && ((at[0] == 0x00 && !(at[1] & 0x80)) || (at[0] == 0xff && at[1] & 0x80))) {
        at++;
        length--;
    }
    return (struct crl_serial){at, length};
}

/* The next entry's serial; the rest of the entry is lent. */
static bool take_entry(struct slice *rest, struct crl_serial *ret_serial, struct slice *ret_rest)
{
    struct element entry;
    struct element serial;
    if (!take_tag(rest, V_ASN1_SEQUENCE, &entry) ||
        !take_tag(&entry.content, V_ASN1_INTEGER, &serial) || serial.content.length == 0 ||
        !take_time(&entry.content))
        return false;
    *ret_serial = shortest(serial.content);
    *ret_rest = entry.content;
    return true;
}

static bool check_entries(struct slice rest, size_t *ret_count, struct error *err)
{
    struct crl_serial serial;
    struct slice extensions;
    *ret_count = 0;
    while (rest.length > 0) {
        ++*ret_count;
        if (!take_entry(&rest, &serial, &extensions))
            return error_set(err, "entry %zu is malformed", *ret_count);
        if (serial.length > CRL_SERIAL_BYTES)
            return error_set(err, "the serial number of entry %zu has %zu bytes, lb takes %d",
                             *ret_count, serial.length, CRL_SERIAL_BYTES);
        if (!check_entry_extensions(extensions, err))
            return false;
    }
    return true;
}

bool crl_der_serials(const struct crl_parts *parts, struct crl_serials *ret, struct error *err)
{
    size_t count;
    struct crl_serial serial;
    struct slice extensions;
    *ret = (struct crl_serials){0};
    if (!check_entries(parts->entries, &count, err))
        return false;
    if (!crl_serials_init(ret, count))
        return error_set(err, "out of memory for %zu entries", count);
    for (struct slice rest = parts->entries; take_entry(&rest, &serial, &extensions);)
        crl_serials_announce(ret, serial);
    if (!crl_serials_allot(ret)) {
        crl_serials_done(ret);
        return error_set(err, "out of memory for %zu entries", count);
    }
    for (struct slice rest = parts->entries; take_entry(&rest, &serial, &extensions);)
        crl_serials_put(ret, serial);
    crl_serials_close(ret);
    return true;
}
