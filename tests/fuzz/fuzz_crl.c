/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a file of revocation lists. What is one, but for its signature, is signed once more,
 * by a CA of the name that it says, so that what stands behind the signature is reached, too.
 * Besides memory errors this finds: serials that OpenSSL reads and lb does not find, or the other
 * way round, lists that nobody has signed, failures that say nothing, and words that control a
 * terminal.
 */
#include <openssl/err.h>
#include <openssl/evp.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lb/base/certificate.h"
#include "lb/base/utf8.h"
#include "listeners/crl/crl.h"
#include "listeners/crl/crl_der.h"
#include "listeners/crl/crl_file.h"
#include "tests/fuzz/expect.h"

/* 2026-12-01: a clock of its own, so that what was found is found again. */
enum { NOW_S = 1796083200, INPUT_MOST = 64 * 1024, SIGNATURE_BYTES = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

/* --- a CA ------------------------------------------------------------------------------------- */

static EVP_PKEY *key_new(void)
{
    static const unsigned char seed[32] = "nobody keeps secrets with this!";
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, sizeof seed);
    EXPECT(key != NULL);
    return key;
}

static X509 *ca_new(const X509_NAME *name, EVP_PKEY *key)
{
    X509 *ca = X509_new();
    EXPECT(ca != NULL && X509_set_version(ca, X509_VERSION_3) == 1);
    EXPECT(ASN1_INTEGER_set(X509_get_serialNumber(ca), 1) == 1);
    EXPECT(X509_set_subject_name(ca, name) == 1 && X509_set_issuer_name(ca, name) == 1);
    EXPECT(ASN1_TIME_set(X509_getm_notBefore(ca), NOW_S) != NULL);
    EXPECT(ASN1_TIME_set(X509_getm_notAfter(ca), NOW_S + 1) != NULL);
    EXPECT(X509_set_pubkey(ca, key) == 1 && X509_sign(ca, key, NULL) > 0);
    return ca;
}

/* --- signing ---------------------------------------------------------------------------------- */

/* tbs, algorithm, signature: in a SEQUENCE. malloc'd. */
static char *list_new(const struct crl_parts *parts, EVP_PKEY *key, size_t *ret_length)
{
    unsigned char signature[SIGNATURE_BYTES] = {0};
    size_t bytes = sizeof signature;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EXPECT(context && EVP_DigestSignInit(context, NULL, NULL, NULL, key) == 1);
    EXPECT(EVP_DigestSign(context, signature, &bytes, (const unsigned char *)parts->tbs.at,
                          parts->tbs.length) == 1);
    EVP_MD_CTX_free(context);
    size_t bits = 1 + sizeof signature; /* how many of the last byte are unused: none */
    size_t content = parts->tbs.length + parts->algorithm.length + 2 + bits;
    int room = ASN1_object_size(1, (int)content, V_ASN1_SEQUENCE);
    unsigned char *list = malloc((size_t)room);
    unsigned char *at = list;
    EXPECT(list != NULL);
    ASN1_put_object(&at, 1, (int)content, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL);
    memcpy(at, parts->tbs.at, parts->tbs.length);
    at += parts->tbs.length;
    memcpy(at, parts->algorithm.at, parts->algorithm.length);
    at += parts->algorithm.length;
    ASN1_put_object(&at, 0, (int)bits, V_ASN1_BIT_STRING, V_ASN1_UNIVERSAL);
    *at++ = 0;
    memcpy(at, signature, sizeof signature);
    EXPECT(at + sizeof signature == list + room);
    *ret_length = (size_t)room;
    return (char *)list;
}

/* --- what holds ------------------------------------------------------------------------------- */

static void expect_words(const char *text)
{
    size_t length = strlen(text);
    EXPECT(length <= CERTIFICATE_NAME_BYTES);
    for (size_t at = 0; at < length;) {
        size_t step = utf8_length(text + at, length - at);
        EXPECT(step > 0 && !utf8_is_hidden(text + at, step));
        at += step;
    }
}

static void expect_facts(const struct crl *crl)
{
    expect_words(crl->issuer);
    EXPECT(strlen(crl->number) % 2 == 0 && strlen(crl->number) <= 2 * CRL_NUMBER_BYTES);
    EXPECT(strspn(crl->number, "0123456789ABCDEF") == strlen(crl->number));
    EXPECT(crl->this_update > 0 && crl->next_update >= 0);
    EXPECT(!crl_is_older(crl, crl));
    EXPECT(crl_serials_bytes(&crl->serials) > 0);
}

/* OpenSSL makes an object of each entry, and refuses more. */
static void expect_same_serials(const struct crl *crl, const char *der, size_t length)
{
    const unsigned char *at = (const unsigned char *)der;
    X509_CRL *whole = d2i_X509_CRL(NULL, &at, (long)length);
    STACK_OF(X509_REVOKED) *entries = whole ? X509_CRL_get_REVOKED(whole) : NULL;
    int count = entries ? sk_X509_REVOKED_num(entries) : 0;
    EXPECT(!whole || crl->serials.count == (size_t)count);
    for (int i = 0; i < count; i++) {
        X509_REVOKED *entry = sk_X509_REVOKED_value(entries, i);
        unsigned char *encoded = NULL;
        int bytes = i2d_ASN1_INTEGER(X509_REVOKED_get0_serialNumber(entry), &encoded);
        EXPECT(bytes > 2 && bytes - 2 <= CRL_SERIAL_BYTES); /* so its length is one byte */
        EXPECT(
            crl_serials_have(&crl->serials, (struct crl_serial){encoded + 2, (size_t)bytes - 2}));
        OPENSSL_free(encoded);
    }
    X509_CRL_free(whole);
}

static void try_signed(const struct crl_parts *parts, const X509_CRL *frame)
{
    size_t length;
    struct error err = {""};
    struct crl *crl = NULL;
    EVP_PKEY *key = key_new();
    X509 *ca = ca_new(X509_CRL_get_issuer(frame), key);
    STACK_OF(X509) *issuers = sk_X509_new_null();
    EXPECT(issuers != NULL && sk_X509_push(issuers, ca) > 0);
    char *list = list_new(parts, key, &length);
    enum crl_outcome outcome = crl_parse((struct slice){list, length}, issuers, &crl, &err);
    EXPECT((outcome == CRL_GOOD) == (crl != NULL) && (crl != NULL || err.text[0]));
    if (crl) {
        expect_facts(crl);
        expect_same_serials(crl, list, length);
        list[length - 1] ^= 1;
        struct crl *forged = NULL;
        EXPECT(crl_parse((struct slice){list, length}, issuers, &forged, &err) == CRL_BAD);
        EXPECT(forged == NULL);
    }
    crl_unref(crl);
    free(list);
    sk_X509_pop_free(issuers, X509_free);
    EVP_PKEY_free(key);
}

static void try_list(struct slice der)
{
    struct crl_parts parts;
    struct error err = {""};
    if (!crl_der_split(der, &parts, &err)) {
        EXPECT(err.text[0]);
        return;
    }
    EXPECT(expect_inside(parts.tbs, der.at, der.length));
    EXPECT(expect_inside(parts.before, parts.tbs.at, parts.tbs.length));
    EXPECT(expect_inside(parts.entries, parts.tbs.at, parts.tbs.length));
    EXPECT(expect_inside(parts.after, parts.tbs.at, parts.tbs.length));
    EXPECT(expect_inside(parts.signing, der.at, der.length));
    X509_CRL *frame = crl_der_frame(&parts);
    if (frame) {
        EXPECT(sk_X509_REVOKED_num(X509_CRL_get_REVOKED(frame)) <= 0);
        try_signed(&parts, frame);
    }
    X509_CRL_free(frame);
}

/* Nobody's lists: all are left out, or it says what is wrong. */
static void try_file(const uint8_t *data, size_t length)
{
    char path[64];
    struct error err = {""};
    STACK_OF(X509) *nobody = sk_X509_new_null();
    int fd = memfd_create("lists", MFD_CLOEXEC);
    EXPECT(nobody != NULL && fd >= 0 && write(fd, data, length) == (ssize_t)length);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    struct crl_file *file = crl_file_read(path, nobody, NOW_S, &err);
    EXPECT(file ? file->count == 0 && file->left_out_count > 0 && file->left_out[0]
                : err.text[0] != '\0');
    crl_file_unref(file);
    sk_X509_free(nobody);
    close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    if (length > INPUT_MOST)
        return 0;
    char *copy = expect_copy(data, length);
    try_file(data, length);
    EXPECT(ERR_peek_error() == 0);
    try_list((struct slice){copy, length});
    free(copy);
    ERR_clear_error(); /* what was asked of OpenSSL here */
    return 0;
}
