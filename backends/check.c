/* SPDX-License-Identifier: Apache-2.0 */
/* Finding a check by the name an operator writes. */
#include "backends/check.h"

#include <string.h>

#include "lb/base/nearest.h"

const struct check *check_find(const char *name)
{
    for (const struct check *const *at = checks; *at; at++)
        if (strcmp((*at)->name, name) == 0)
            return *at;
    return NULL;
}

const char *check_nearest(const char *name)
{
    struct nearest nearest = nearest_to(name);
    nearest_offer(&nearest, "off");
    for (const struct check *const *at = checks; *at; at++)
        nearest_offer(&nearest, (*at)->name);
    return nearest.best;
}
