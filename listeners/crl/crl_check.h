/* SPDX-License-Identifier: Apache-2.0 */
/* client_crl of a rule: whether the CAs' revocation lists name a verified certificate. */
#ifndef LB_LISTENERS_CRL_CHECK_H
#define LB_LISTENERS_CRL_CHECK_H

#include <openssl/x509.h>
#include <stdbool.h>
#include <time.h>

#include "listeners/refusal.h"
#include "listeners/registry/record.h"

struct ca_set;
struct ca_set_result;
struct crl_fact;
struct identity;

struct crl_check;

/** client_crl_policy and client_crl_check, in the order of their choices. */
enum crl_policy { CRL_HARD, CRL_SOFT };
enum crl_reach { CRL_OF_LEAF, CRL_OF_CHAIN };

/** Do both ask the same lists in the same way? NULL: none is asked. */
bool crl_check_equal(const struct crl_check *one, const struct crl_check *other);

/**
 * What the lists in force say now: REFUSAL_CRL_REVOKED; REFUSAL_CRL_EXPIRED and REFUSAL_CRL_MISSING
 * only where client_crl_policy is hard; else NONE. A certificate that a list names stays revoked
 * when that list is out of date.
 *
 * check     not NULL
 * identity  not NULL; that it passes is kept with it, until a list changes
 * result    of the rule's CA set, verified
 * Thread:   any that is a crl_reader, or where nothing is watched. Takes no lock, does not
 *           allocate. Asked again, it costs a comparison; else 0.1 µs for each list it is about.
 */
enum refusal crl_judge(const struct crl_check *check, struct identity *identity,
                       const struct ca_set_result *result, time_t now);

/** The set whose clients it is about. */
const struct ca_set *crl_check_ca_set(const struct crl_check *check);
enum crl_policy crl_check_policy(const struct crl_check *check);
/** Visit the lists it asks, as crls_each does. Thread: control, or where nothing is watched. */
void crl_check_each(const struct crl_check *check,
                    void (*visit)(void *arg, const struct crl_fact *fact), void *arg);
/**
 * Visit the CAs of its set that have no list which could be asked about those they have signed:
 * without one, or with one that covers CAs only where clients are asked about. A CA that is there
 * twice, because it was renewed, is visited once.
 *
 * ca, key  lent for the visit
 * Thread:  control, or where nothing is watched. Takes some µs for each CA of the set.
 */
void crl_check_each_missing(const struct crl_check *check,
                            void (*visit)(void *arg, X509 *ca,
                                          const unsigned char key[CA_KEY_BYTES]),
                            void *arg);

#endif
