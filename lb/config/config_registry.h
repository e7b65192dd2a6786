/* SPDX-License-Identifier: Apache-2.0 */
/* The section [registry] of a config, and what else of it asks the registry. */
#ifndef LB_CONFIG_CONFIG_REGISTRY_H
#define LB_CONFIG_CONFIG_REGISTRY_H

#include "lb/config/config.h"
#include "lb/config/config_sections.h"

/** What the file asks of the registry. Lines: the first; 0: nothing does. */
struct config_registry_uses {
    unsigned line;         /* of anything: its CAs must be known then */
    unsigned builtin_line; /* of a client_ca that names the built-in CA */
};

/** Place the store and state_dir (after config_lb_build), report a store that cannot be, and look
 * through all listeners and rules for what they ask. */
struct config_registry_uses config_registry_build(struct config *config,
                                                  const struct config_sections *sections,
                                                  const struct config_loading *loading,
                                                  const struct config_source *source);

#endif
