/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/exchange/retry.h"

enum retry retry_decide(const struct attempt *attempt)
{
    if (attempt->heard || attempt->body_used) {
        return RETRY_NONE;
    }
    if (attempt->is_link_over && attempt->resent <= attempt->retries) {
        return RETRY_SAME;
    }
    if (attempt->connected && attempt->was_reused && !attempt->late &&
        http_method_is_idempotent(attempt->method)) {
        return RETRY_SAME;
    }
    if (attempt->connected && !http_method_is_safe(attempt->method)) {
        return RETRY_NONE;
    }
    return attempt->attempts <= attempt->retries ? RETRY_OTHER : RETRY_NONE;
}
