/* SPDX-License-Identifier: Apache-2.0 */
/* A bucket of lines, kept as the time until which they are paid for: one number, so that threads
 * need no lock. */
#include "lb/base/log_ration.h"

static bool pay(struct log_ration *ration, unsigned at_once, uint32_t every_ms, uint64_t now_ms)
{
    uint_fast64_t paid_ms = atomic_load_explicit(&ration->paid_ms, memory_order_relaxed);
    uint_fast64_t next_ms;
    do {
        next_ms = (paid_ms > now_ms ? paid_ms : now_ms) + every_ms;
        if (next_ms > now_ms + (uint64_t)at_once * every_ms)
            return false;
    } while (!atomic_compare_exchange_weak(&ration->paid_ms, &paid_ms, next_ms));
    return true;
}

bool log_ration_take(struct log_ration *ration, unsigned at_once, uint32_t every_ms,
                     uint64_t now_ms, unsigned *ret_left_out)
{
    *ret_left_out = 0;
    if (!pay(ration, at_once, every_ms, now_ms)) {
        atomic_fetch_add_explicit(&ration->left_out, 1, memory_order_relaxed);
        return false;
    }
    *ret_left_out = atomic_exchange(&ration->left_out, 0);
    return true;
}
