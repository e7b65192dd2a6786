/* SPDX-License-Identifier: Apache-2.0 */
/* Hosts that a client CA is bound to in the registry, and that do not ask for it all the same. */
#ifndef LB_CONFIG_CONFIG_BINDINGS_H
#define LB_CONFIG_CONFIG_BINDINGS_H

#include "lb/config/config.h"
#include "lb/config/config_sections.h"

struct cas;

/** Warn of each CA that has such hosts: no rule serves them, or their rules ask nobody, or for
 * others. cas: as they are stored; NULL: nothing is known of them. The listeners are built. */
void config_bindings_check(const struct config *config, const struct cas *cas,
                           const struct config_source *source);

#endif
