/* SPDX-License-Identifier: Apache-2.0 */
/* client_ocsp of a rule: whether the CA's OCSP responder still vouches for a verified certificate.
 * RFC 6960. */
#ifndef LB_LISTENERS_OCSP_CHECK_H
#define LB_LISTENERS_OCSP_CHECK_H

#include <stdbool.h>
#include <time.h>

#include "listeners/refusal.h"

struct ca_set_result;
struct identity;

struct ocsp_check;

/** Do both ask the same responders in the same way? NULL: none is asked. */
bool ocsp_check_equal(const struct ocsp_check *one, const struct ocsp_check *other);

/**
 * What is remembered of the responder's answer: REFUSAL_OCSP_REVOKED; REFUSAL_OCSP_UNAVAILABLE only
 * where client_ocsp is hard; else NONE. Never asks, never waits.
 *
 * check         not NULL
 * identity      not NULL
 * result        of the rule's CA set, verified
 * ret_must_ask  true: nothing is remembered that still counts, and the responder has to be asked
 *               before a request passes (the result is NONE then); else untouched
 * Thread:       any
 */
enum refusal ocsp_judge(const struct ocsp_check *check, struct identity *identity,
                        const struct ca_set_result *result, time_t now, bool *ret_must_ask);

#endif
