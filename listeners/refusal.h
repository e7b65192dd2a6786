/* SPDX-License-Identifier: Apache-2.0 */
/* Why a client may not pass. One vocabulary for the choice of the alert, the 403 page and the logs;
 * README.md shows names and alerts as a table. */
#ifndef LB_LISTENERS_REFUSAL_H
#define LB_LISTENERS_REFUSAL_H

enum refusal {
    REFUSAL_NONE, /* may pass */
    REFUSAL_MISSING,
    REFUSAL_UNTRUSTED,
    REFUSAL_EXPIRED,
    REFUSAL_NOT_YET_VALID,
    REFUSAL_BAD_SIGNATURE,
    REFUSAL_WRONG_PURPOSE,
    REFUSAL_CHAIN_TOO_LONG,
    REFUSAL_TOO_LARGE,
    REFUSAL_WEAK_KEY,
    REFUSAL_MALFORMED,   /* not what RFC 5280 calls a certificate */
    REFUSAL_UNSUPPORTED, /* a critical extension that nobody here understands */
    /* What the CA says of it since: by its CRL, by its OCSP responder. */
    REFUSAL_CRL_REVOKED,
    REFUSAL_CRL_EXPIRED,
    REFUSAL_CRL_MISSING,
    REFUSAL_OCSP_REVOKED,
    REFUSAL_OCSP_UNAVAILABLE,
    /* What the registry says of a certificate that a CA set has verified. */
    REFUSAL_NOT_REGISTERED,
    REFUSAL_NOT_ACTIVATED,
    REFUSAL_REVOKED,
    REFUSAL_CA_DISABLED,
    REFUSAL_SIGNUP_LIMIT,
    /* What the rule says of who is verified, and [access] sections of a request. */
    REFUSAL_NOT_ALLOWED,
    REFUSAL_BLOCKED,
    /* Host asks for another client authentication than the handshake has settled. */
    REFUSAL_HOST_MISMATCH,
    /* Not for a certificate: the name asked for (unknown_sni = reject), what a proxy in front says,
     * or no room (max_clients). */
    REFUSAL_UNKNOWN_NAME,
    REFUSAL_PROXY_HEADER_MISSING,
    REFUSAL_PROXY_HEADER_BAD,
    REFUSAL_PROXY_HEADER_LATE,
    REFUSAL_MAX_CLIENTS,
    REFUSAL_COUNT,
};

/** No name is longer than this, no sentence or advice than that. */
enum { REFUSAL_NAME_MOST = 32, REFUSAL_WORDS_MOST = 256 };

/** "not-yet-valid": the name in log, page and metric. Static. */
const char *refusal_name(enum refusal refusal);
/** A sentence for people: "Your certificate is not valid yet." Static. */
const char *refusal_sentence(enum refusal refusal);
/** What they can do about it, in a sentence. Static. */
const char *refusal_advice(enum refusal refusal);
/** The reason behind OpenSSL's verification result; X509_V_OK gives REFUSAL_NONE, unknown ones
 * UNTRUSTED. */
enum refusal refusal_of_x509(int x509_error);
/** The X509_V_ERR_… that makes OpenSSL send the fitting alert. */
int refusal_x509_error(enum refusal refusal);

#endif
