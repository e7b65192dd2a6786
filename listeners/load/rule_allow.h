/* SPDX-License-Identifier: Apache-2.0 */
/* A rule's allow_client and exempt_from: who may pass, and who needs no certificate for it. */
#ifndef LB_LISTENERS_RULE_ALLOW_H
#define LB_LISTENERS_RULE_ALLOW_H

#include <stdbool.h>

struct allow_list;
struct arena;
struct network_set;
struct problems;
struct rule_options;

/** What the lines of allow_client say. NULL: there are none, or none is good. *ret_is_wrong is set
 * when one was reported. Thread: loader. */
const struct allow_list *rule_allow_read(const struct rule_options *options, struct arena *arena,
                                         const char *file, struct problems *problems,
                                         bool *ret_is_wrong);

/** The networks of exempt_from; as above. */
const struct network_set *rule_exempt_read(const struct rule_options *options, struct arena *arena,
                                           const char *file, struct problems *problems,
                                           bool *ret_is_wrong);

#endif
