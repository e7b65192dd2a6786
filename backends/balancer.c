/* SPDX-License-Identifier: Apache-2.0 */
/* Finding a balancer by the name an operator writes. */
#include "backends/balancer.h"

#include <stdio.h>
#include <string.h>

#include "lb/base/nearest.h"

const struct balancer *balancer_find(const char *name)
{
    for (const struct balancer *const *at = balancers; *at; at++)
        if (strcmp((*at)->name, name) == 0)
            return *at;
    return NULL;
}

const char *balancer_names(char *into, size_t room)
{
    size_t used = 0;
    into[0] = '\0';
    for (const struct balancer *const *at = balancers; *at && used < room; at++)
        used += (size_t)snprintf(into + used, room - used, "%s%s", used ? ", " : "", (*at)->name);
    return into;
}

const char *balancer_nearest(const char *name)
{
    struct nearest nearest = nearest_to(name);
    for (const struct balancer *const *at = balancers; *at; at++)
        nearest_offer(&nearest, (*at)->name);
    return nearest.best;
}
