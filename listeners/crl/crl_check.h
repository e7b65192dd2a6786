/* SPDX-License-Identifier: Apache-2.0 */
/* client_crl of a rule: whether the CAs' revocation lists name a verified certificate. */
#ifndef LB_LISTENERS_CRL_CHECK_H
#define LB_LISTENERS_CRL_CHECK_H

#include <stdbool.h>
#include <time.h>

#include "listeners/refusal.h"

struct ca_set_result;
struct identity;

struct crl_check;

/** Do both ask the same lists in the same way? NULL: none is asked. */
bool crl_check_equal(const struct crl_check *one, const struct crl_check *other);

/**
 * What the lists in force say now: REFUSAL_CRL_REVOKED; REFUSAL_CRL_EXPIRED and REFUSAL_CRL_MISSING
 * only where client_crl_policy is hard; else NONE.
 *
 * check     not NULL
 * identity  not NULL; what is found of it may be kept with it
 * result    of the rule's CA set, verified
 * Thread:   any. Takes no lock, does not allocate.
 */
enum refusal crl_judge(const struct crl_check *check, struct identity *identity,
                       const struct ca_set_result *result, time_t now);

#endif
