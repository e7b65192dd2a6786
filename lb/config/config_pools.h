/* SPDX-License-Identifier: Apache-2.0 */
/* The [pool] sections of a config. */
#ifndef LB_CONFIG_CONFIG_POOLS_H
#define LB_CONFIG_CONFIG_POOLS_H

#include "lb/config/config.h"
#include "lb/config/config_sections.h"

/** Build a pool from each section; config->pools is complete even when some are no good. */
void config_pools_build(struct config *config, const struct config_sections *sections,
                        const struct config_source *source);

#endif
