/* SPDX-License-Identifier: Apache-2.0 */
/* Members of an answer one below the other, each behind what it is. */
#ifndef LB_COMMANDS_FIELD_VIEW_H
#define LB_COMMANDS_FIELD_VIEW_H

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

/** "  serial number  " and what follows is the caller's. */
void field_view_label(FILE *out, const char *label);
/** Control characters are shown as "?"; "-" where there is none. */
void field_view_text(FILE *out, const char *label, const json_t *object, const char *key);
void field_view_time(FILE *out, const char *label, const json_t *object, const char *key);
/** With how long it is until then: member_day_text. */
void field_view_day(FILE *out, const char *label, const json_t *object, const char *key,
                    int64_t now_s);
/** A text without the control characters in it. */
void field_view_plain(FILE *out, const char *text);

#endif
