/* SPDX-License-Identifier: Apache-2.0 */
/* The section [lb] of a config, beyond what its option table checks. */
#ifndef LB_CONFIG_CONFIG_LB_H
#define LB_CONFIG_CONFIG_LB_H

#include "lb/config/config.h"
#include "lb/config/config_sections.h"

/** Place logs relative to the INI file, and report a log or user that cannot be meant. */
void config_lb_build(struct config *config, struct lb_options *options,
                     const struct config_source *source);

#endif
