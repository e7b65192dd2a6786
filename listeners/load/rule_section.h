/* SPDX-License-Identifier: Apache-2.0 */
/* A [rule] section by itself, before any listener builds a rule from it. */
#ifndef LB_LISTENERS_RULE_SECTION_H
#define LB_LISTENERS_RULE_SECTION_H

#include "listeners/rules/rule.h"

/**
 * Check what a section says about itself: domain, url, redirect, respond, client_headers,
 * client_id_header, allow_client, exempt_from. Whatever is wrong is reported once, on however many
 * listeners the rule is.
 *
 * section  name, line, options, pool and client_id_fields are set; the rest is filled here and
 * lives in `arena` Thread:  loader
 */
void rule_section_read(struct rule_section *section, struct arena *arena, const char *file,
                       struct problems *problems);

#endif
