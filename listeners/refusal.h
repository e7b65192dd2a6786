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
    /* What the registry says of a certificate that a CA set has verified. */
    REFUSAL_NOT_REGISTERED,
    REFUSAL_NOT_ACTIVATED,
    REFUSAL_REVOKED,
    REFUSAL_CA_DISABLED,
    REFUSAL_SIGNUP_LIMIT,
    /* Not for a certificate: the name asked for (unknown_sni = reject), what a proxy in front says,
     * or no room (max_clients). */
    REFUSAL_UNKNOWN_NAME,
    REFUSAL_PROXY_HEADER_MISSING,
    REFUSAL_PROXY_HEADER_BAD,
    REFUSAL_PROXY_HEADER_LATE,
    REFUSAL_MAX_CLIENTS,
    REFUSAL_COUNT,
};

/** "not-yet-valid": the name in log, page and metric. Static. */
const char *refusal_name(enum refusal refusal);
/** A sentence for people: "Your certificate is not valid yet." Static. */
const char *refusal_sentence(enum refusal refusal);
/** The reason behind OpenSSL's verification result; X509_V_OK gives REFUSAL_NONE, unknown ones
 * UNTRUSTED. */
enum refusal refusal_of_x509(int x509_error);
/** The X509_V_ERR_… that makes OpenSSL send the fitting alert. */
int refusal_x509_error(enum refusal refusal);

#endif
