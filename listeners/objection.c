/* SPDX-License-Identifier: Apache-2.0 */
#include "listeners/objection.h"

#include "listeners/crl/crl_check.h"
#include "listeners/identity.h"
#include "listeners/listener.h"
#include "listeners/registry/judge.h"

static enum refusal crl_objection(const struct listener *listener, struct identity *identity,
                                  time_t now)
{
    for (unsigned i = 0; i < listener->crl_check_count; i++) {
        const struct crl_check *check = listener->crl_checks[i];
        const struct ca_set_result *result = identity_result(identity, crl_check_ca_set(check));
        if (result && result->refusal == REFUSAL_NONE &&
            crl_judge(check, identity, result, now) == REFUSAL_CRL_REVOKED)
            return REFUSAL_CRL_REVOKED;
    }
    return REFUSAL_NONE;
}

enum refusal identity_objection(const struct listener *listener, struct identity *identity,
                                time_t now)
{
    enum refusal refusal = registry_objection(listener->view, identity);
    return refusal != REFUSAL_NONE ? refusal : crl_objection(listener, identity, now);
}
