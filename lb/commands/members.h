/* SPDX-License-Identifier: Apache-2.0 */
/* Members of the API's answers, and times as people read them. What is missing (another version of
 * lb) is never a failure. */
#ifndef LB_COMMANDS_MEMBERS_H
#define LB_COMMANDS_MEMBERS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/** NULL: there is none. Lent as the object. */
const char *member_text(const json_t *object, const char *key);
/** The same, "-" where there is none or it is empty. */
const char *member_text_or_dash(const json_t *object, const char *key);
/** 0: there is none. */
long long member_number(const json_t *object, const char *key);
bool member_is(const json_t *object, const char *key);
/** An RFC 3339 time in UTC as seconds since 1970; 0: there is none. */
int64_t member_time_s(const json_t *object, const char *key);

enum { TIME_TEXT_BYTES = 64 };
/** "2026-11-21 10:13:39": in UTC, without its letters; "-": there is none. */
const char *member_time_text(const json_t *object, const char *key, char into[TIME_TEXT_BYTES]);
/** "2027-11-21, in 12 days"; "2025-11-21, 3 days ago". */
const char *member_day_text(const json_t *object, const char *key, int64_t now_s,
                            char into[TIME_TEXT_BYTES]);

#endif
