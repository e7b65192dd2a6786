/* SPDX-License-Identifier: Apache-2.0 */
/* The [listener] and [rule] sections of a config. */
#ifndef LB_CONFIG_CONFIG_LISTENERS_H
#define LB_CONFIG_CONFIG_LISTENERS_H

#include "lb/config/config.h"
#include "lb/config/config_sections.h"

struct cas;

/** Build a listener from each section with the rules that name it; reports rules that name none.
 * cas: that rules may name; NULL: none does, or it was reported that they cannot be read. */
void config_listeners_build(struct config *config, const struct config_sections *sections,
                            const struct cas *cas, const struct config_source *source);

/** Make each https listener's TLS contexts once and let go of them: what OpenSSL refuses (a weak
 * certificate, a cipher) is a problem of the config, not of the first start. Only for a config
 * without errors. */
void config_listeners_try(const struct config *config, const struct config_source *source);

#endif
