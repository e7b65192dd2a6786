/* SPDX-License-Identifier: Apache-2.0 */
/* What the calls of CAs answer alike. */
#ifndef LB_ADMIN_REGISTRY_CA_ANSWER_H
#define LB_ADMIN_REGISTRY_CA_ANSWER_H

#include <stdbool.h>

#include "listeners/registry/cas.h"

struct json_writer;
struct registry_call;

/**
 * Answer {"ca": …, flag: is_set}, and "warnings" where there are any. What was changed is logged,
 * and the answer waits until it is in force.
 *
 * flag   NULL: none
 * event  of the log line
 */
void ca_answer(struct registry_call *call, unsigned status, const struct ca_result *result,
               const char *flag, bool is_set, const char *event);

/** The same in two steps, for what else is to be told in between. */
struct json_writer *ca_answer_begin(struct registry_call *call, unsigned status,
                                    const struct ca_result *result, const char *flag, bool is_set);
void ca_answer_end(struct registry_call *call, const struct ca_result *result, const char *event);

/** 404: there is none of this id or name. returns false. */
bool ca_refuse_unknown(struct registry_call *call);

#endif
