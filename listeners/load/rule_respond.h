/* SPDX-License-Identifier: Apache-2.0 */
/* A rule's `respond`: what lb answers itself. */
#ifndef LB_LISTENERS_RULE_RESPOND_H
#define LB_LISTENERS_RULE_RESPOND_H

#include "listeners/rules/rule.h"

/**
 * Read "503 Back at noon": a status and perhaps a sentence.
 *
 * returns  lives in `arena`; NULL: err says what would be right
 * Fails:   no status that lb can answer by itself; a sentence where the status has no body
 */
const struct respond *rule_respond_parse(const char *text, struct arena *arena, struct error *err);

#endif
