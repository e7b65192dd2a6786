/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of [listener NAME] and [rule NAME] in which a line says nothing. config_listeners.c's own.
 */
#ifndef LB_CONFIG_CONFIG_LISTS_H
#define LB_CONFIG_CONFIG_LISTS_H

#include "lb/base/error.h"

struct config_section;

/**
 * Report allow_client without a value, and warn of client_crl and exempt_from without one and of a
 * file that client_crl names twice.
 *
 * rule, listener  whose options are struct rule_options, struct listener_options
 * Thread:         loader
 */
void config_lists_check_rule(const struct config_section *rule, const char *file,
                             struct problems *problems);
void config_lists_check_listener(const struct config_section *listener, const char *file,
                                 struct problems *problems);

#endif
