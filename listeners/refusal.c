/* SPDX-License-Identifier: Apache-2.0 */
/* Names, sentences and OpenSSL's numbers of every refusal, in one table. */
#include "listeners/refusal.h"

#include <openssl/x509_vfy.h>
#include <stddef.h>

struct refusal_words {
    const char *name;
    const char *sentence;
    /* What OpenSSL turns into the fitting alert. MISSING and TOO_LARGE never get there: OpenSSL
     * finds those itself, before anything is verified. Nor does what is no certificate's fault. */
    int x509_error;
};

// clang-format off
static const struct refusal_words words[REFUSAL_COUNT] = {
    [REFUSAL_NONE] = {"none", "Your certificate is good.", X509_V_OK},
    [REFUSAL_MISSING] = {"missing", "No client certificate was sent; this page needs one.",
                         X509_V_ERR_APPLICATION_VERIFICATION},
    [REFUSAL_UNTRUSTED] = {"untrusted", "Your certificate does not come from a CA that is trusted here.",
                           X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY},
    [REFUSAL_EXPIRED] = {"expired", "Your certificate has expired.", X509_V_ERR_CERT_HAS_EXPIRED},
    [REFUSAL_NOT_YET_VALID] = {"not-yet-valid", "Your certificate is not valid yet.",
                               X509_V_ERR_CERT_NOT_YET_VALID},
    /* RFC 8446, 6.2: bad_certificate is for signatures that did not verify; decrypt_error is not. */
    [REFUSAL_BAD_SIGNATURE] = {"bad-signature", "A signature in your certificate's chain is wrong.",
                               X509_V_ERR_CERT_REJECTED},
    [REFUSAL_WRONG_PURPOSE] = {"wrong-purpose", "Your certificate is not meant for clients.",
                               X509_V_ERR_INVALID_PURPOSE},
    [REFUSAL_CHAIN_TOO_LONG] = {"chain-too-long", "Your certificate's chain is longer than allowed here.",
                                X509_V_ERR_CERT_CHAIN_TOO_LONG},
    [REFUSAL_TOO_LARGE] = {"too-large", "Your certificates are larger than allowed here.",
                           X509_V_ERR_APPLICATION_VERIFICATION},
    [REFUSAL_WEAK_KEY] = {"weak-key", "A key or signature in your certificate's chain is too weak.",
                          X509_V_ERR_EE_KEY_TOO_SMALL},
    [REFUSAL_NOT_REGISTERED] = {"not-registered", "Your certificate is not registered here.",
                                X509_V_ERR_APPLICATION_VERIFICATION},
    [REFUSAL_NOT_ACTIVATED] = {"not-activated", "Your certificate is registered here, but not activated.",
                               X509_V_ERR_APPLICATION_VERIFICATION},
    [REFUSAL_REVOKED] = {"revoked", "Your certificate has been revoked.", X509_V_ERR_CERT_REVOKED},
    [REFUSAL_CA_DISABLED] = {"ca-disabled", "The CA of your certificate is disabled here.",
                             X509_V_ERR_APPLICATION_VERIFICATION},
    [REFUSAL_SIGNUP_LIMIT] = {"signup-limit",
                              "Too many certificates are being registered at the moment. Try again in a second.",
                              X509_V_ERR_APPLICATION_VERIFICATION},
    [REFUSAL_UNKNOWN_NAME] = {"unknown-name", "The name you asked for is not known here.",
                              X509_V_ERR_APPLICATION_VERIFICATION},
    [REFUSAL_PROXY_HEADER_MISSING] = {"proxy-header-missing", "The proxy in front did not say who you are.",
                                      X509_V_ERR_APPLICATION_VERIFICATION},
    [REFUSAL_PROXY_HEADER_BAD] = {"proxy-header-bad", "What the proxy in front said of you is not understood.",
                                  X509_V_ERR_APPLICATION_VERIFICATION},
    [REFUSAL_PROXY_HEADER_LATE] = {"proxy-header-late", "The proxy in front took too long to say who you are.",
                                   X509_V_ERR_APPLICATION_VERIFICATION},
    [REFUSAL_MAX_CLIENTS] = {"max-clients", "Too many clients are connected.",
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

int refusal_x509_error(enum refusal refusal)
{
    return words[refusal].x509_error;
}

enum refusal refusal_of_x509(int x509_error)
{
    switch (x509_error) {
    case X509_V_OK:
        return REFUSAL_NONE;
    case X509_V_ERR_CERT_HAS_EXPIRED:
        return REFUSAL_EXPIRED;
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return REFUSAL_NOT_YET_VALID;
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
    case X509_V_ERR_UNABLE_TO_DECRYPT_CERT_SIGNATURE:
    case X509_V_ERR_UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY:
    case X509_V_ERR_SIGNATURE_ALGORITHM_MISMATCH:
    case X509_V_ERR_SIGNATURE_ALGORITHM_INCONSISTENCY:
        return REFUSAL_BAD_SIGNATURE;
    case X509_V_ERR_INVALID_PURPOSE:
        return REFUSAL_WRONG_PURPOSE;
    case X509_V_ERR_CERT_CHAIN_TOO_LONG:
    case X509_V_ERR_PATH_LENGTH_EXCEEDED:
        return REFUSAL_CHAIN_TOO_LONG;
    case X509_V_ERR_EE_KEY_TOO_SMALL:
    case X509_V_ERR_CA_KEY_TOO_SMALL:
    case X509_V_ERR_CA_MD_TOO_WEAK:
        return REFUSAL_WEAK_KEY;
    default:
        return REFUSAL_UNTRUSTED;
    }
}
