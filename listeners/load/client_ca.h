/* SPDX-License-Identifier: Apache-2.0 */
/* The values of client_ca: files, which are absolute paths once they are read, and words. */
#ifndef LB_LISTENERS_CLIENT_CA_H
#define LB_LISTENERS_CLIENT_CA_H

#include <stdbool.h>
#include <string.h>

#include "listeners/registry/record.h"

#define CLIENT_CA_REGISTRY "registry" /* every CA that is bound to the rule's domain */
#define CLIENT_CA_NAMED "registry:"   /* … NAME: one CA by name or id */

static inline bool client_ca_is_file(const char *value)
{
    return value[0] == '/';
}

/** The name or id behind "registry:", "builtin" for that word; NULL: it names none. */
static inline const char *client_ca_name(const char *value)
{
    if (strcmp(value, BUILTIN_CA_NAME) == 0)
        return value;
    const size_t length = sizeof CLIENT_CA_NAMED - 1;
    return strncmp(value, CLIENT_CA_NAMED, length) == 0 ? value + length : NULL;
}

/** "builtin", or the same by name. */
static inline bool client_ca_is_builtin(const char *value)
{
    const char *name = client_ca_name(value);
    return name && strcmp(name, BUILTIN_CA_NAME) == 0;
}

#endif
