/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of [registry]. */
#ifndef LB_LISTENERS_REGISTRY_REGISTRY_OPTIONS_H
#define LB_LISTENERS_REGISTRY_REGISTRY_OPTIONS_H

#include "lb/base/option.h"

struct registry_options {
#define OPTION OPTION_MEMBER
#include "listeners/registry/registry_options.def"
#undef OPTION
};
extern const struct option_table registry_option_table;

/**
 * The store of a [registry] section as ledger_open takes it, with an absolute path.
 *
 * options    what the section says; one that says no store has registry.db in state_dir
 * folder     what a relative path is relative to
 * state_dir  absolute
 * ret_place  in `arena`; NULL when it failed
 * Fails:     no store of that kind, or no file behind its name; err says what would be right.
 * Thread:    any
 */
bool registry_options_place(const struct registry_options *options, const char *folder,
                            const char *state_dir, const char **ret_place, struct arena *arena,
                            struct error *err);

#endif
