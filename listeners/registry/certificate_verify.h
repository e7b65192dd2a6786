/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which registered CA signed a certificate? As strict as at the handshake (see ca_set.h: purpose
 * sslclient, auth level 2), but each registered CA is an anchor by itself, and a certificate whose
 * time is yet to come passes. Private to this folder.
 */
#ifndef LB_LISTENERS_REGISTRY_CERTIFICATE_VERIFY_H
#define LB_LISTENERS_REGISTRY_CERTIFICATE_VERIFY_H

#include "listeners/registry/cas.h"

/* As many links as a rule can ask for (verify_depth). */
enum { REGISTERED_DEPTH_MOST = 10 };

/** The CAs of a ledger at one time, with what OpenSSL makes of each. One thread. */
struct verifier;
/** NULL: err. */
struct verifier *verifier_open(struct ledger *ledger, struct error *err);
/** NULL is fine. */
void verifier_close(struct verifier *verifier);

struct verified {
    const struct cas_item *ca; /* the nearest registered one; lent as long as the verifier */
    unsigned char issuer_key[CA_KEY_BYTES]; /* of whoever signed the certificate itself */
};

/**
 * chain  between the certificate and a registered CA, in any order; NULL: none
 * ca     id or name that must be among those that lead to it; NULL: any
 *
 * Fails:  BAD_INPUT (a CA instead of a client's certificate, expired, purpose, weak keys, …),
 *         UNKNOWN (no such `ca`), CA_UNREGISTERED, NOT_OF_CA, CA_DISABLED
 */
enum change_refusal verifier_check(struct verifier *verifier, X509 *certificate,
                                   STACK_OF(X509) * chain, const char *ca, int64_t now_s,
                                   struct verified *ret_verified, struct error *err);

#endif
