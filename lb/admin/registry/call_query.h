/* SPDX-License-Identifier: Apache-2.0 */
/* Values out of a call's query. What is not there leaves *ret as it is; what is wrong answers the
 * call, with key, value and what would be right, and returns false. */
#ifndef LB_ADMIN_REGISTRY_CALL_QUERY_H
#define LB_ADMIN_REGISTRY_CALL_QUERY_H

#include <stdbool.h>
#include <stdint.h>

struct registry_call;

/** NULL in *ret: it is not there. Not empty, at most `most` bytes. */
bool query_text(struct registry_call *call, const char *key, unsigned most, const char **ret);
/** The same for a text of struct certificate_filter: "x", "x*" or "*x*"; "*" alone is any. */
bool query_pattern(struct registry_call *call, const char *key, unsigned most, const char **ret);
bool query_number(struct registry_call *call, const char *key, int64_t least, int64_t most,
                  int64_t *ret);
/** "yes" or "no"; the key alone is yes. */
bool query_switch(struct registry_call *call, const char *key, bool *ret_is_said, bool *ret);
/** The index of a word among `words` (NULL at the end). */
bool query_choice(struct registry_call *call, const char *key, const char *const *words,
                  unsigned *ret);
/** Words between commas, each named by `name_of(0 … count - 1)`, as bits. Any case. */
bool query_set(struct registry_call *call, const char *key, const char *(*name_of)(unsigned index),
               unsigned count, unsigned *ret_bits);
/** RFC 3339 ("2026-11-21T10:13:39Z", "…+02:00"), or a day alone: its beginning in UTC. */
bool query_time(struct registry_call *call, const char *key, int64_t *ret_s);
/** "30d", "12h"; the key alone is `standard_s`. */
bool query_period(struct registry_call *call, const char *key, int64_t standard_s,
                  bool *ret_is_said, int64_t *ret_s);

#endif
