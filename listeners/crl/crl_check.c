/* SPDX-License-Identifier: Apache-2.0 */
#include "listeners/crl/crl_check.h"

bool crl_check_equal(const struct crl_check *one, const struct crl_check *other)
{
    return one == other;
}

enum refusal crl_judge(const struct crl_check *check, struct identity *identity,
                       const struct ca_set_result *result, time_t now)
{
    (void)check;
    (void)identity;
    (void)result;
    (void)now;
    return REFUSAL_CRL_MISSING;
}
