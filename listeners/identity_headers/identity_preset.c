/* SPDX-License-Identifier: Apache-2.0 */
#include "listeners/identity_headers/identity_preset.h"

#include <string.h>

int identity_preset_index(const char *name)
{
    for (int i = 0; identity_presets[i]; i++)
        if (strcmp(identity_presets[i]->name, name) == 0)
            return i;
    return -1;
}
