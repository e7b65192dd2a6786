/* SPDX-License-Identifier: Apache-2.0 */
/* A client's address decides, by weight: the same client gets the same backend for as long as that
 * is up and has room. */
#include "backends/balancer.h"
#include "backends/choice.h"
#include "backends/persistence/affinity.h"

static int choose(struct pool *pool, struct choice *choice)
{
    return affinity_find(pool->affinity, choice);
}

// clang-format off
const struct balancer balancer_ip_hash = {
    .name      = "ip-hash",
    .summary   = "by the client's address: the same client, the same backend; few clients move when one goes or comes",
    .wants_key = true,
    .choose    = choose,
};
// clang-format on
