/* SPDX-License-Identifier: Apache-2.0 */
/* Reading certificates; with their keys: credential.c; what describes them: certificate_text.c. */
#include "lb/base/certificate.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "lb/base/error.h"
#include "lb/base/pem.h"

/* All certificates of a PEM text; NULL with `err` when one of them is damaged or none is there. */
static STACK_OF(X509) *
    parse_certificates(const struct pem *pem, const char *path, struct error *err)
{
    STACK_OF(X509) *certificates = sk_X509_new_null();
    BIO *bio = BIO_new_mem_buf(pem->text, (int)pem->length);
    bool good = certificates && bio;
    if (!good)
        error_set(err, "%s: out of memory", path);
    while (good) {
        X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
        if (!certificate)
            break;
        good = sk_X509_push(certificates, certificate) > 0;
        if (!good) {
            X509_free(certificate);
            error_set(err, "%s: out of memory", path);
        }
    }
    unsigned long reason = ERR_peek_last_error();
    bool ended =
        ERR_GET_LIB(reason) == ERR_LIB_PEM && ERR_GET_REASON(reason) == PEM_R_NO_START_LINE;
    int count = sk_X509_num(certificates);
    if (good && !ended)
        good = error_set(err, "%s: certificate %d cannot be decoded: %s", path, count + 1,
                         reason ? ERR_reason_error_string(reason) : "damaged");
    else if (good && count == 0)
        good = error_set(err,
                         "%s: holds %s; a PEM certificate (-----BEGIN CERTIFICATE-----) is needed",
                         path, pem_describe(pem));
    BIO_free(bio);
    if (!good) {
        sk_X509_pop_free(certificates, X509_free);
        certificates = NULL;
    }
    return certificates;
}

STACK_OF(X509) * certificates_decode(const struct pem *pem, const char *path, struct error *err)
{
    ERR_set_mark();
    STACK_OF(X509) *certificates = parse_certificates(pem, path, err);
    ERR_pop_to_mark();
    return certificates;
}

STACK_OF(X509) *
    certificates_read(const char *text, size_t bytes, const char *what, struct error *err)
{
    struct pem pem;
    if (!pem_copy(text, bytes, what, &pem, err))
        return NULL;
    STACK_OF(X509) *certificates = certificates_decode(&pem, what, err);
    pem_done(&pem);
    return certificates;
}

STACK_OF(X509) * certificates_load(const char *path, struct error *err)
{
    struct pem pem;
    if (!pem_read(path, &pem, err))
        return NULL;
    STACK_OF(X509) *certificates = certificates_decode(&pem, path, err);
    pem_done(&pem);
    return certificates;
}
