/* SPDX-License-Identifier: Apache-2.0 */
/* Finding a check by the name an operator writes. */
#include "backends/health/check.h"

#include <stdio.h>
#include <string.h>

#include "lb/base/nearest.h"

const struct check *check_find(const char *name)
{
    for (const struct check *const *at = checks; *at; at++)
        if (strcmp((*at)->name, name) == 0)
            return *at;
    return NULL;
}

const char *check_names(char *into, size_t room)
{
    size_t used = (size_t)snprintf(into, room, "off");
    for (const struct check *const *at = checks; *at && used < room; at++)
        used += (size_t)snprintf(into + used, room - used, ", %s", (*at)->name);
    return into;
}

const char *check_nearest(const char *name)
{
    struct nearest nearest = nearest_to(name);
    nearest_offer(&nearest, "off");
    for (const struct check *const *at = checks; *at; at++)
        nearest_offer(&nearest, (*at)->name);
    return nearest.best;
}
