/* SPDX-License-Identifier: Apache-2.0 */
#include "listeners/registry/signup_limit.h"

#include <stdlib.h>

static int64_t *at(const struct signup_limit *limit, unsigned index)
{
    return &limit->taken_ms[(limit->first + index) % limit->most];
}

bool signup_limit_set(struct signup_limit *limit, unsigned most)
{
    if (most == limit->most)
        return true;
    struct signup_limit next = {.taken_ms = malloc(most * sizeof *next.taken_ms), .most = most};
    if (!next.taken_ms)
        return false;
    next.count = limit->count < most ? limit->count : most;
    for (unsigned i = 0; i < next.count; i++) /* the newest: they keep others out longest */
        next.taken_ms[i] = *at(limit, limit->count - next.count + i);
    signup_limit_done(limit);
    *limit = next;
    return true;
}

bool signup_limit_take(struct signup_limit *limit, int64_t now_ms)
{
    if (limit->most == 0)
        return false;
    if (limit->count == limit->most && now_ms - *at(limit, 0) < SIGNUP_WINDOW_MS)
        return false;
    if (limit->count == limit->most) {
        limit->first = (limit->first + 1) % limit->most;
        limit->count--;
    }
    *at(limit, limit->count++) = now_ms;
    return true;
}

void signup_limit_done(struct signup_limit *limit)
{
    free(limit->taken_ms);
    *limit = (struct signup_limit){0};
}
