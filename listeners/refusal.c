/* SPDX-License-Identifier: Apache-2.0 */
/* Names, sentences and OpenSSL's numbers of every refusal, in one table. */
#include "listeners/refusal.h"

#include <openssl/x509_vfy.h>
#include <stddef.h>

struct refusal_words {
    const char *name;
    const char *sentence;
    const char *advice;
    /* What OpenSSL turns into the fitting alert. MISSING and TOO_LARGE never get there: OpenSSL
     * finds those itself, before anything is verified. Nor does what is no certificate's fault. */
    int x509_error;
};

// clang-format off
static const struct refusal_words words[REFUSAL_COUNT] = {
    [REFUSAL_NONE] = {"none", "Your certificate is good.",
        "There is nothing to do.",
        X509_V_OK},
    [REFUSAL_MISSING] = {"missing", "No client certificate was sent; this page needs one.",
        "Choose a certificate when the browser asks, or send one: curl --cert FILE --key FILE. A browser that was told not to send one asks again after a restart.",
        X509_V_ERR_APPLICATION_VERIFICATION},
    [REFUSAL_UNTRUSTED] = {"untrusted", "Your certificate does not come from a CA that is trusted here.",
        "Use a certificate that was issued for this service, and send its intermediate certificates, too. A browser keeps its choice until it is restarted.",
        X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY},
    [REFUSAL_EXPIRED] = {"expired", "Your certificate has expired.",
        "Ask who issued it for a new one. A browser keeps its choice until it is restarted.",
        X509_V_ERR_CERT_HAS_EXPIRED},
    [REFUSAL_NOT_YET_VALID] = {"not-yet-valid", "Your certificate is not valid yet.",
        "Check the clock of this device; otherwise wait until the certificate begins.",
        X509_V_ERR_CERT_NOT_YET_VALID},
    /* RFC 8446, 6.2: bad_certificate is for signatures that did not verify; decrypt_error is not. */
    [REFUSAL_BAD_SIGNATURE] = {"bad-signature", "A signature in your certificate's chain is wrong.",
        "Send the certificate as it was issued, with its own key.",
        X509_V_ERR_CERT_REJECTED},
    [REFUSAL_WRONG_PURPOSE] = {"wrong-purpose", "Your certificate is not meant for clients.",
        "Ask for a certificate whose extended key usage, if it has one, includes clientAuth.",
        X509_V_ERR_INVALID_PURPOSE},
    [REFUSAL_CHAIN_TOO_LONG] = {"chain-too-long", "Your certificate's chain is longer than allowed here.",
        "Send only the certificates between yours and the CA.",
        X509_V_ERR_CERT_CHAIN_TOO_LONG},
    [REFUSAL_TOO_LARGE] = {"too-large", "Your certificates are larger than allowed here.",
        "Send only the certificates between yours and the CA.",
        X509_V_ERR_APPLICATION_VERIFICATION},
    [REFUSAL_WEAK_KEY] = {"weak-key", "A key or signature in your certificate's chain is too weak.",
        "Ask for a certificate with an RSA key of 2048 bits or more, or an EC key, signed with SHA-256 or better.",
        X509_V_ERR_EE_KEY_TOO_SMALL},
    [REFUSAL_MALFORMED] = {"malformed", "Your certificate is not well-formed.",
        "Ask who issued it for another one.",
        X509_V_ERR_CERT_REJECTED},
    [REFUSAL_UNSUPPORTED] = {"unsupported-extension", "Your certificate has a critical extension that is not understood here.",
        "Ask who issued it for one without that critical extension.",
        X509_V_ERR_INVALID_PURPOSE},
    [REFUSAL_CRL_REVOKED] = {"crl-revoked", "Your certificate has been revoked by its CA.",
        "Ask who issued it for a new one.",
        X509_V_ERR_CERT_REVOKED},
    [REFUSAL_CRL_EXPIRED] = {"crl-expired", "The revocation list of your certificate's CA is out of date.",
        "This is not your fault: the operator has to renew the CA's revocation list.",
        X509_V_ERR_CERT_REJECTED},
    [REFUSAL_CRL_MISSING] = {"crl-missing", "There is no revocation list of your certificate's CA here.",
        "This is not your fault: the operator has to add the CA's revocation list.",
        X509_V_ERR_CERT_REJECTED},
    [REFUSAL_OCSP_REVOKED] = {"ocsp-revoked", "Your certificate has been revoked by its CA.",
        "Ask who issued it for a new one.",
        X509_V_ERR_CERT_REVOKED},
    [REFUSAL_OCSP_UNAVAILABLE] = {"ocsp-unavailable", "Your certificate's CA does not say whether it is still good.",
        "Try again in a minute. This is not your fault: the CA does not say whether your certificate is still good.",
        X509_V_ERR_APPLICATION_VERIFICATION},
    [REFUSAL_NOT_REGISTERED] = {"not-registered", "Your certificate is not registered here.",
        "Ask the operator to register it.",
        X509_V_ERR_APPLICATION_VERIFICATION},
    [REFUSAL_NOT_ACTIVATED] = {"not-activated", "Your certificate is registered here, but not activated.",
        "Ask the operator to activate it.",
        X509_V_ERR_APPLICATION_VERIFICATION},
    [REFUSAL_REVOKED] = {"revoked", "Your certificate has been revoked.",
        "Ask the operator for a new one.",
        X509_V_ERR_CERT_REVOKED},
    [REFUSAL_CA_DISABLED] = {"ca-disabled", "The CA of your certificate is disabled here.",
        "Ask the operator for a certificate of another CA.",
        X509_V_ERR_APPLICATION_VERIFICATION},
    [REFUSAL_SIGNUP_LIMIT] = {"signup-limit",
                              "Too many certificates are being registered at the moment.",
        "Try again in a second.",
        X509_V_ERR_APPLICATION_VERIFICATION},
    [REFUSAL_NOT_ALLOWED] = {"not-allowed", "Your certificate is good, but it may not be used here.",
        "Use another certificate, or ask the operator to allow this one. A browser keeps its choice until it is restarted.",
        X509_V_ERR_APPLICATION_VERIFICATION},
    [REFUSAL_BLOCKED] = {"blocked", "Access to this address is blocked.",
        "Ask the operator if you think that you should have access.",
        X509_V_ERR_APPLICATION_VERIFICATION},
    [REFUSAL_HOST_MISMATCH] = {"host-mismatch",
                               "This connection was made for another host name, which asks for other client certificates.",
        "Connect again for this host.",
        X509_V_ERR_APPLICATION_VERIFICATION},
    [REFUSAL_UNKNOWN_NAME] = {"unknown-name", "The name you asked for is not known here.",
        "Check the host name.",
        X509_V_ERR_APPLICATION_VERIFICATION},
    [REFUSAL_PROXY_HEADER_MISSING] = {"proxy-header-missing", "The proxy in front did not say who you are.",
        "The operator has to make the proxy in front send a PROXY header.",
        X509_V_ERR_APPLICATION_VERIFICATION},
    [REFUSAL_PROXY_HEADER_BAD] = {"proxy-header-bad", "What the proxy in front said of you is not understood.",
        "The operator has to look at what the proxy in front sends.",
        X509_V_ERR_APPLICATION_VERIFICATION},
    [REFUSAL_PROXY_HEADER_LATE] = {"proxy-header-late", "The proxy in front took too long to say who you are.",
        "The operator has to look at the proxy in front.",
        X509_V_ERR_APPLICATION_VERIFICATION},
    [REFUSAL_MAX_CLIENTS] = {"max-clients", "Too many clients are connected.",
        "Try again later.",
        X509_V_ERR_APPLICATION_VERIFICATION},
};
// clang-format on

const char *refusal_name(enum refusal refusal)
{
    return words[refusal].name;
}

const char *refusal_sentence(enum refusal refusal)
{
    return words[refusal].sentence;
}

const char *refusal_advice(enum refusal refusal)
{
    return words[refusal].advice;
}

int refusal_x509_error(enum refusal refusal)
{
    return words[refusal].x509_error;
}

/* What OpenSSL's verification has found. What it finds of the paths it could not build, of keys or
 * names that do not fit, is nobody's fault but the CA's: UNTRUSTED, which is not listed. */
// clang-format off
static const struct {
    int x509_error;
    enum refusal refusal;
} findings[] = {
    {X509_V_OK, REFUSAL_NONE},
    {X509_V_ERR_CERT_HAS_EXPIRED, REFUSAL_EXPIRED},
    {X509_V_ERR_CERT_NOT_YET_VALID, REFUSAL_NOT_YET_VALID},
    {X509_V_ERR_CERT_SIGNATURE_FAILURE, REFUSAL_BAD_SIGNATURE},
    {X509_V_ERR_UNABLE_TO_DECRYPT_CERT_SIGNATURE, REFUSAL_BAD_SIGNATURE},
    {X509_V_ERR_UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY, REFUSAL_BAD_SIGNATURE},
    {X509_V_ERR_SIGNATURE_ALGORITHM_MISMATCH, REFUSAL_BAD_SIGNATURE},
    {X509_V_ERR_INVALID_PURPOSE, REFUSAL_WRONG_PURPOSE},
    {X509_V_ERR_CERT_CHAIN_TOO_LONG, REFUSAL_CHAIN_TOO_LONG},
    {X509_V_ERR_PATH_LENGTH_EXCEEDED, REFUSAL_CHAIN_TOO_LONG},
    {X509_V_ERR_EE_KEY_TOO_SMALL, REFUSAL_WEAK_KEY},
    {X509_V_ERR_CA_KEY_TOO_SMALL, REFUSAL_WEAK_KEY},
    {X509_V_ERR_CA_MD_TOO_WEAK, REFUSAL_WEAK_KEY},
    {X509_V_ERR_UNSUPPORTED_SIGNATURE_ALGORITHM, REFUSAL_WEAK_KEY},
    /* RFC 5280, 4.2: whoever meets a critical extension that it does not know must refuse. */
    {X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION, REFUSAL_UNSUPPORTED},
    {X509_V_ERR_UNSUPPORTED_EXTENSION_FEATURE, REFUSAL_UNSUPPORTED},
    {X509_V_ERR_UNSUPPORTED_CONSTRAINT_TYPE, REFUSAL_UNSUPPORTED},
    {X509_V_ERR_SUBTREE_MINMAX, REFUSAL_UNSUPPORTED},
    {X509_V_ERR_PROXY_CERTIFICATES_NOT_ALLOWED, REFUSAL_UNSUPPORTED},
    {X509_V_ERR_ERROR_IN_CERT_NOT_BEFORE_FIELD, REFUSAL_MALFORMED},
    {X509_V_ERR_ERROR_IN_CERT_NOT_AFTER_FIELD, REFUSAL_MALFORMED},
    {X509_V_ERR_INVALID_EXTENSION, REFUSAL_MALFORMED},
    {X509_V_ERR_INVALID_POLICY_EXTENSION, REFUSAL_MALFORMED},
    {X509_V_ERR_UNSUPPORTED_CONSTRAINT_SYNTAX, REFUSAL_MALFORMED},
    {X509_V_ERR_UNSUPPORTED_NAME_SYNTAX, REFUSAL_MALFORMED},
    {X509_V_ERR_SIGNATURE_ALGORITHM_INCONSISTENCY, REFUSAL_MALFORMED},
    {X509_V_ERR_PATHLEN_INVALID_FOR_NON_CA, REFUSAL_MALFORMED},
    {X509_V_ERR_PATHLEN_WITHOUT_KU_KEY_CERT_SIGN, REFUSAL_MALFORMED},
    {X509_V_ERR_KU_KEY_CERT_SIGN_INVALID_FOR_NON_CA, REFUSAL_MALFORMED},
    {X509_V_ERR_ISSUER_NAME_EMPTY, REFUSAL_MALFORMED},
    {X509_V_ERR_SUBJECT_NAME_EMPTY, REFUSAL_MALFORMED},
    {X509_V_ERR_EMPTY_SUBJECT_ALT_NAME, REFUSAL_MALFORMED},
    {X509_V_ERR_EMPTY_SUBJECT_SAN_NOT_CRITICAL, REFUSAL_MALFORMED},
    {X509_V_ERR_EXTENSIONS_REQUIRE_VERSION_3, REFUSAL_MALFORMED},
    {X509_V_ERR_EC_KEY_EXPLICIT_PARAMS, REFUSAL_MALFORMED},
    {X509_V_ERR_CERT_REVOKED, REFUSAL_CRL_REVOKED},
    {X509_V_ERR_CRL_HAS_EXPIRED, REFUSAL_CRL_EXPIRED},
    {X509_V_ERR_UNABLE_TO_GET_CRL, REFUSAL_CRL_MISSING},
};
// clang-format on

enum refusal refusal_of_x509(int x509_error)
{
    for (size_t i = 0; i < sizeof findings / sizeof *findings; i++)
        if (findings[i].x509_error == x509_error)
            return findings[i].refusal;
    return REFUSAL_UNTRUSTED;
}
