/* SPDX-License-Identifier: Apache-2.0 */
/* The [access] sections of a config, and the listeners on which each holds. */
#ifndef LB_CONFIG_CONFIG_ACCESS_H
#define LB_CONFIG_CONFIG_ACCESS_H

#include "lb/config/config_sections.h"

struct access_section;
struct listener;

struct config_access {
    struct access_section *sections; /* in the file's order */
    unsigned count;
};

/** Read all sections and check the listeners that they name. */
struct config_access config_access_read(const struct config_sections *sections,
                                        const struct config_source *source);

/** Lend a listener, before it is prepared, those that hold on it: that name it, or none. Those of
 * which something was reported are not among them. */
void config_access_lend(const struct config_access *all, struct listener *listener,
                        struct arena *arena);

/** Warn of those for whose hosts no rule is. Once every listener is prepared, and only where all
 * went well. */
void config_access_warn(const struct config_access *all, const struct config_source *source);

#endif
