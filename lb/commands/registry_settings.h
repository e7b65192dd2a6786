/* SPDX-License-Identifier: Apache-2.0 */
/* What an INI file says of the registry, read without the rest of it. */
#ifndef LB_COMMANDS_REGISTRY_SETTINGS_H
#define LB_COMMANDS_REGISTRY_SETTINGS_H

#include <stdbool.h>

#include "lb/admin/registry/registry_facts.h"
#include "lb/base/error.h"

/**
 * Only [registry], and state_dir and user of [lb] are looked at, so that whatever else is wrong
 * with the file keeps nobody from revoking a certificate while lb does not run.
 *
 * facts    named_cas, uses_cas and hosts stay empty: they are of rules; registry_facts_done always
 * ret_user owned: whom the registry belongs to; NULL: to whoever runs lb
 * Fails:   the file cannot be read, or one of these keys is wrong: err, with its line
 */
bool registry_settings_read(struct registry_facts *facts, char **ret_user, const char *file,
                            struct error *err);

#endif
