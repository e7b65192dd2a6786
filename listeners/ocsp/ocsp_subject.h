/* SPDX-License-Identifier: Apache-2.0 */
/* The certificate that a responder is asked about: the question as it is sent, and what an answer
 * says of it. Nothing here waits or reads the clock. */
#ifndef LB_LISTENERS_OCSP_SUBJECT_H
#define LB_LISTENERS_OCSP_SUBJECT_H

#include <openssl/ocsp.h>
#include <stdbool.h>
#include <time.h>

#include "lb/base/slice.h"
#include "listeners/ocsp/ocsp_memory.h"

struct ca_set;
struct ca_set_result;
struct error;
struct identity;

enum {
    /* What clocks of CAs and of this machine may differ. */
    OCSP_SKEW_S = 300,
    /* An answer without nextUpdate is to be new: older ones could be anybody's old news. */
    OCSP_AGE_S = 60 * 60,
};

struct ocsp_subject {
    OCSP_CERTID *id;
    X509 *issuer; /* the CA that has signed it */
};

/**
 * Find out how a responder knows it.
 *
 * set, result  the rule's, and what verifying found by it; lent for the call
 * Fails:       the certificate of its CA is not at hand; out of memory. Nothing is kept then.
 */
bool ocsp_subject_init(struct ocsp_subject *subject, const struct identity *identity,
                       const struct ca_set *set, const struct ca_set_result *result,
                       struct error *err);
/** Zeroed is fine. */
void ocsp_subject_done(struct ocsp_subject *subject);

/**
 * The question, DER, for free(). It has no nonce: since answers without one have to be accepted
 * (RFC 8954 section 2.1, RFC 5019), one would keep nobody from sending an old answer, but it would
 * keep responders from sending those they have at hand.
 *
 * returns  its length; 0: out of memory
 */
size_t ocsp_subject_write(const struct ocsp_subject *subject, unsigned char **ret_question);

/**
 * What an answer says: whether it is signed by the CA, or by whom the CA has given that right to
 * (RFC 6960 section 4.2.2.2), is about this certificate, and new enough.
 *
 * now       wall clock, seconds
 * ret_note  filled: good, revoked, or that the responder does not know it
 * Fails:    anything else; err says what
 * Thread:   any. Allocates; costs one to two signatures.
 */
bool ocsp_subject_read(const struct ocsp_subject *subject, struct slice answer, time_t now,
                       struct ocsp_note *ret_note, struct error *err);

#endif
