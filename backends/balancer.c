/* SPDX-License-Identifier: Apache-2.0 */
/* Finding a balancer by the name an operator writes. */
#include "backends/balancer.h"

#include <string.h>

#include "lb/base/nearest.h"

const struct balancer *balancer_find(const char *name)
{
    for (const struct balancer *const *at = balancers; *at; at++)
        if (strcmp((*at)->name, name) == 0)
            return *at;
    return NULL;
}

const char *balancer_nearest(const char *name)
{
    struct nearest nearest = nearest_to(name);
    for (const struct balancer *const *at = balancers; *at; at++)
        nearest_offer(&nearest, (*at)->name);
    return nearest.best;
}
