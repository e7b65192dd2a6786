/* SPDX-License-Identifier: Apache-2.0 */
/* Certificate signing requests (PKCS #10, RFC 2986): made, read and judged. */
#include "listeners/registry/issue_request.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "lb/base/pem.h"
#include "listeners/registry/issue_names.h"
#include "listeners/registry/issue_profile.h"
#include "listeners/registry/issue_subject.h"
#include "listeners/registry/issuer.h"

enum { GROUP_NAME_BYTES = 64 };

/* --- making -------------------------------------------------------------------------------- */

static bool ask_for_names(X509_REQ *request, GENERAL_NAMES *names)
{
    STACK_OF(X509_EXTENSION) *extensions = NULL;
    bool good = !names || (X509V3_add1_i2d(&extensions, NID_subject_alt_name, names, 0,
                                           X509V3_ADD_DEFAULT) == 1 &&
                           X509_REQ_add_extensions(request, extensions) == 1);
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
    return good;
}

static X509_REQ *make(EVP_PKEY *key, X509_NAME *subject, GENERAL_NAMES *names)
{
    X509_REQ *request = X509_REQ_new();
    if (request && X509_REQ_set_version(request, X509_REQ_VERSION_1) == 1 &&
        X509_REQ_set_subject_name(request, subject) == 1 &&
        X509_REQ_set_pubkey(request, key) == 1 && ask_for_names(request, names) &&
        X509_REQ_sign(request, key, profile_digest(key)) > 0)
        return request;
    X509_REQ_free(request);
    return NULL;
}

X509_REQ *issue_request(EVP_PKEY *key, const struct issue_wish *wish, struct error *err)
{
    GENERAL_NAMES *names = NULL;
    X509_REQ *request = NULL;
    if (!subject_check(wish, err) || !names_check(wish, err))
        return NULL;
    X509_NAME *subject = subject_make(wish, NULL, err);
    if (subject && names_of_wish(wish, &names, err)) {
        ERR_set_mark();
        request = make(key, subject, names);
        ERR_pop_to_mark();
        if (!request)
            error_set(err, "the certificate request cannot be made: out of memory");
    }
    GENERAL_NAMES_free(names);
    X509_NAME_free(subject);
    return request;
}

/* --- reading ------------------------------------------------------------------------------- */

static bool explain(const struct pem *pem, struct error *err)
{
    if (pem_has(pem, "CERTIFICATE REQUEST-----"))
        return error_set(err, "the CSR cannot be decoded; is it complete?");
    if (pem_is_der(pem))
        return error_set(err,
                         "the text holds DER; a PEM certificate request is needed: openssl req "
                         "-inform DER makes one of it");
    return error_set(err,
                     "the text holds %s; a PEM certificate request (-----BEGIN CERTIFICATE "
                     "REQUEST-----) is needed",
                     pem_describe(pem));
}

static X509_REQ *parse(const struct pem *pem, struct error *err)
{
    BIO *bio = BIO_new_mem_buf(pem->text, (int)pem->length);
    X509_REQ *request = bio ? PEM_read_bio_X509_REQ(bio, NULL, NULL, NULL) : NULL;
    X509_REQ *second = request ? PEM_read_bio_X509_REQ(bio, NULL, NULL, NULL) : NULL;
    if (!request)
        explain(pem, err);
    if (second) {
        error_set(err, "the text holds more than one CSR; they are signed one by one");
        X509_REQ_free(request);
        request = NULL;
    }
    X509_REQ_free(second);
    BIO_free(bio);
    return request;
}

X509_REQ *request_read(const char *text, size_t bytes, struct error *err)
{
    struct pem pem;
    if (bytes > REQUEST_BYTES) {
        error_set(err, "the CSR is larger than %d KiB, none is", REQUEST_BYTES / 1024);
        return NULL;
    }
    if (!pem_copy(text, bytes, "the CSR", &pem, err))
        return NULL;
    ERR_set_mark();
    X509_REQ *request = parse(&pem, err);
    ERR_pop_to_mark();
    pem_done(&pem);
    return request;
}

/* --- judging ------------------------------------------------------------------------------- */

static bool rsa_check(const EVP_PKEY *key, struct error *err)
{
    int bits = EVP_PKEY_get_bits(key);
    if (bits < REQUEST_RSA_BITS_LEAST)
        return error_set(err, "the CSR's RSA key has %d bits, which is too weak: at least %d", bits,
                         REQUEST_RSA_BITS_LEAST);
    return bits <= REQUEST_RSA_BITS_MOST ||
           error_set(err, "the CSR's RSA key has %d bits: at most %d are taken", bits,
                     REQUEST_RSA_BITS_MOST);
}

static bool ec_check(const EVP_PKEY *key, struct error *err)
{
    char group[GROUP_NAME_BYTES] = "";
    size_t length = 0;
    bool named = EVP_PKEY_get_group_name(key, group, sizeof group, &length) == 1;
    int nid = named ? OBJ_sn2nid(group) : NID_undef;
    return nid == NID_X9_62_prime256v1 || nid == NID_secp384r1 || nid == NID_secp521r1 ||
           error_set(err,
                     "the CSR's key is on the curve %s: P-256, P-384 and P-521 are taken, and "
                     "Ed25519",
                     named ? group : "of its own parameters");
}

static bool is_strong(const EVP_PKEY *key, struct error *err)
{
    switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA:
        return rsa_check(key, err);
    case EVP_PKEY_EC:
        return ec_check(key, err);
    case EVP_PKEY_ED25519:
        return true;
    default:
        return error_set(err,
                         "the CSR's key is of the kind %s: RSA from %d bits, EC (P-256, P-384, "
                         "P-521) and Ed25519 are taken",
                         EVP_PKEY_get0_type_name(key), REQUEST_RSA_BITS_LEAST);
    }
}

static bool is_sound(EVP_PKEY *key, struct error *err)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
    bool good = context && EVP_PKEY_public_check(context) == 1;
    EVP_PKEY_CTX_free(context);
    return good || error_set(err, "the CSR's key is none: its numbers are wrong");
}

static bool check(X509_REQ *request, struct error *err)
{
    EVP_PKEY *key = X509_REQ_get0_pubkey(request);
    if (!key)
        return error_set(err, "the CSR's key cannot be decoded, or is of a kind that is unknown");
    if (!is_strong(key, err) || !is_sound(key, err))
        return false;
    return X509_REQ_verify(request, key) == 1 ||
           error_set(err, "the CSR is not signed by its own key: whoever made it does not have the "
                          "key, or it was changed");
}

bool request_check(X509_REQ *request, struct error *err)
{
    ERR_set_mark();
    bool good = check(request, err);
    ERR_pop_to_mark();
    return good;
}
