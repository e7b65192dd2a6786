/* SPDX-License-Identifier: Apache-2.0 */
/* What only the whole file knows of cookies: whose are the same, and who will not keep them. */
#ifndef LB_CONFIG_CONFIG_COOKIES_H
#define LB_CONFIG_CONFIG_COOKIES_H

#include "lb/config/config_sections.h"

/**
 * Warn of two pools that set cookies of one name to clients of one domain: each would overwrite the
 * other's. Browsers do not tell ports apart, so the same domain of two listeners counts; what
 * rules without a domain serve is taken for the same host only within one listener. Each pool is
 * warned of once. And warn of rules of http listeners whose pool gives its cookie a name that
 * browsers take over https alone.
 *
 * Thread: the one that loads the config. Costs a sort of the rules whose pools set cookies.
 */
void config_cookies_check(const struct config_sections *sections,
                          const struct config_source *source);

#endif
