/* SPDX-License-Identifier: Apache-2.0 */
/* The PEM text of an upload, in any order: the CA is the one that signed none of the others, and
 * each other has signed one of them. */
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lb/base/certificate.h"
#include "listeners/registry/ca_describe.h"
#include "listeners/registry/certificate_describe.h"
#include "listeners/registry/change.h"

enum { SECURITY_BITS_LEAST = 112 }; /* RSA 2048, EC 224: as for clients at the handshake */

void ca_bundle_done(struct ca_bundle *bundle)
{
    sk_X509_pop_free(bundle->certificates, X509_free);
    free(bundle->chain_pem);
    memset(bundle, 0, sizeof *bundle);
}

static bool is_signed_with_key_of(X509 *certificate, X509 *issuer)
{
    EVP_PKEY *key = X509_get0_pubkey(issuer);
    return key && X509_verify(certificate, key) == 1;
}

static bool has_signed(X509 *issuer, X509 *certificate)
{
    return X509_check_issued(issuer, certificate) == X509_V_OK &&
           is_signed_with_key_of(certificate, issuer);
}

static bool has_signed_another(STACK_OF(X509) * certificates, int which)
{
    X509 *issuer = sk_X509_value(certificates, which);
    for (int i = 0; i < sk_X509_num(certificates); i++)
        if (i != which && has_signed(issuer, sk_X509_value(certificates, i)))
            return true;
    return false;
}

static void drop_twins(STACK_OF(X509) * certificates)
{
    for (int i = 0; i < sk_X509_num(certificates); i++)
        for (int k = sk_X509_num(certificates) - 1; k > i; k--)
            if (X509_cmp(sk_X509_value(certificates, i), sk_X509_value(certificates, k)) == 0)
                X509_free(sk_X509_delete(certificates, k));
}

static enum change_refusal check_count(STACK_OF(X509) * certificates, struct error *err)
{
    enum {
        CERTIFICATES_MOST = 16
    }; /* a CA and a verify_depth of CAs above it, some of them twice */
    int count = sk_X509_num(certificates);
    if (count <= CERTIFICATES_MOST)
        return CHANGE_MADE;
    return change_refuse(CHANGE_BAD_INPUT, err,
                         "the text holds %d certificates; one CA and what stands above it are at "
                         "most %d. Upload several CAs one at a time",
                         count, CERTIFICATES_MOST);
}

/* Its names say so, or its key ids where the names are other ones. */
static bool claims_own_signature(X509 *certificate)
{
    const ASN1_OCTET_STRING *key = X509_get0_subject_key_id(certificate);
    const ASN1_OCTET_STRING *signer = X509_get0_authority_key_id(certificate);
    return X509_check_issued(certificate, certificate) == X509_V_OK ||
           (key && signer && ASN1_OCTET_STRING_cmp(key, signer) == 0);
}

/* Whose name it has as its issuer, itself last: several may be called so, and one that its key was
 * renewed for has its own. Nothing is said of an issuer that is not there. */
static enum change_refusal check_signature(STACK_OF(X509) * certificates, int which,
                                           struct error *err)
{
    char name[NAME_BRIEF_BYTES];
    char issuer[NAME_BRIEF_BYTES];
    X509 *certificate = sk_X509_value(certificates, which);
    X509 *claimed = NULL;
    for (int i = 0; i < sk_X509_num(certificates); i++) {
        X509 *other = sk_X509_value(certificates, i);
        if (i == which || X509_check_issued(other, certificate) != X509_V_OK)
            continue;
        if (is_signed_with_key_of(certificate, other))
            return CHANGE_MADE;
        claimed = other;
    }
    bool is_own = claims_own_signature(certificate);
    if ((!is_own && !claimed) || (is_own && is_signed_with_key_of(certificate, certificate)))
        return CHANGE_MADE;
    name_brief(X509_get_subject_name(certificate), name);
    if (is_own)
        return change_refuse(CHANGE_BAD_INPUT, err,
                             "the signature of %s is not good: it names itself as the one that "
                             "signed it, and its key did not sign what it says. It was damaged or "
                             "changed; take it anew from where it was made",
                             name);
    return change_refuse(CHANGE_BAD_INPUT, err,
                         "the signature of %s is not good: it names %s as the one that signed it, "
                         "whose key did not sign what it says. It was damaged or changed, or the "
                         "one above it is another CA of this name",
                         name, name_brief(X509_get_subject_name(claimed), issuer));
}

static enum change_refusal check_signatures(STACK_OF(X509) * certificates, struct error *err)
{
    enum change_refusal refusal = CHANGE_MADE;
    for (int i = 0; refusal == CHANGE_MADE && i < sk_X509_num(certificates); i++)
        refusal = check_signature(certificates, i, err);
    return refusal;
}

/* Move the CA to the front. */
static enum change_refusal find_ca(STACK_OF(X509) * certificates, struct error *err)
{
    char one[NAME_BRIEF_BYTES];
    char other[NAME_BRIEF_BYTES];
    int found = -1;
    for (int i = 0; i < sk_X509_num(certificates); i++) {
        if (has_signed_another(certificates, i))
            continue;
        if (found >= 0)
            return change_refuse(
                CHANGE_BAD_INPUT, err,
                "the text holds several CAs that have nothing to do with each other, %s and %s; "
                "upload one at a time, each with what stands above it",
                name_brief(X509_get_subject_name(sk_X509_value(certificates, found)), one),
                name_brief(X509_get_subject_name(sk_X509_value(certificates, i)), other));
        found = i;
    }
    if (found < 0)
        return change_refuse(CHANGE_BAD_INPUT, err,
                             "the CAs in the text signed each other in a ring: which one is meant? "
                             "Leave the others out");
    X509 *ca = sk_X509_delete(certificates, found);
    if (sk_X509_unshift(certificates, ca) > 0)
        return CHANGE_MADE;
    X509_free(ca);
    return change_out_of_memory(err);
}

static enum change_refusal check_key(X509 *ca, const char *name, struct error *err)
{
    EVP_PKEY *key = X509_get0_pubkey(ca);
    if (!key)
        return change_refuse(CHANGE_BAD_INPUT, err, "the public key of %s cannot be used", name);
    if (EVP_PKEY_get_security_bits(key) < SECURITY_BITS_LEAST)
        return change_refuse(CHANGE_BAD_INPUT, err,
                             "the key of %s is too weak (%d bits); RSA needs 2048, EC 224", name,
                             EVP_PKEY_get_bits(key));
    return CHANGE_MADE;
}

static enum change_refusal check_ca(X509 *ca, int64_t now_s, struct error *err)
{
    char name[NAME_BRIEF_BYTES];
    char when[WHEN_BYTES];
    int64_t end = certificate_time(X509_get0_notAfter(ca));
    name_brief(X509_get_subject_name(ca), name);
    if (X509_check_ca(ca) == 0)
        return change_refuse(CHANGE_BAD_INPUT, err,
                             "%s is no CA certificate: its basicConstraints or keyUsage do not "
                             "allow it to sign others; upload the CA that issued the clients' "
                             "certificates",
                             name);
    if (end < now_s)
        return change_refuse(CHANGE_BAD_INPUT, err, "%s has expired on %s; upload a renewed one",
                             name, change_when(end * 1000, when));
    return check_key(ca, name, err);
}

static char *chain_text(STACK_OF(X509) * certificates)
{
    char *text = strdup("");
    for (int i = 1; text && i < sk_X509_num(certificates); i++) {
        char *one = certificate_pem_text(sk_X509_value(certificates, i));
        char *joined = NULL;
        if (!one || asprintf(&joined, "%s%s", text, one) < 0)
            joined = NULL;
        free(one);
        free(text);
        text = joined;
    }
    return text;
}

static enum change_refusal check_text(const char *pem, size_t bytes, struct error *err)
{
    if (bytes > CA_UPLOAD_BYTES)
        return change_refuse(CHANGE_BAD_INPUT, err,
                             "the PEM text has %zu bytes; a CA and what stands above it have at "
                             "most %d",
                             bytes, CA_UPLOAD_BYTES);
    if (pem_holds_key(pem, bytes))
        return change_refuse(CHANGE_BAD_INPUT, err,
                             "the PEM text holds a private key, which must not leave its owner; "
                             "nothing of it was kept. Upload the certificate alone");
    return CHANGE_MADE;
}

enum change_refusal ca_bundle_read(struct ca_bundle *bundle, const char *pem, size_t bytes,
                                   int64_t now_s, struct error *err)
{
    enum change_refusal refusal = check_text(pem, bytes, err);
    if (refusal != CHANGE_MADE)
        return refusal;
    bundle->certificates = certificates_read(pem, bytes, "the CA", err);
    if (!bundle->certificates)
        return CHANGE_BAD_INPUT;
    ERR_set_mark();
    drop_twins(bundle->certificates);
    refusal = check_count(bundle->certificates, err);
    if (refusal == CHANGE_MADE)
        refusal = check_signatures(bundle->certificates, err);
    if (refusal == CHANGE_MADE)
        refusal = find_ca(bundle->certificates, err);
    for (int i = 0; refusal == CHANGE_MADE && i < sk_X509_num(bundle->certificates); i++)
        refusal = check_ca(sk_X509_value(bundle->certificates, i), now_s, err);
    ERR_pop_to_mark();
    if (refusal == CHANGE_MADE && !(bundle->chain_pem = chain_text(bundle->certificates)))
        refusal = change_out_of_memory(err);
    if (refusal != CHANGE_MADE)
        ca_bundle_done(bundle);
    return refusal;
}
