/* SPDX-License-Identifier: Apache-2.0 */
#include "listeners/ocsp/ocsp_check.h"

bool ocsp_check_equal(const struct ocsp_check *one, const struct ocsp_check *other)
{
    return one == other;
}

enum refusal ocsp_judge(const struct ocsp_check *check, struct identity *identity,
                        const struct ca_set_result *result, time_t now, bool *ret_must_ask)
{
    (void)check;
    (void)identity;
    (void)result;
    (void)now;
    (void)ret_must_ask;
    return REFUSAL_OCSP_UNAVAILABLE;
}
