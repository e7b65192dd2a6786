/* SPDX-License-Identifier: Apache-2.0 */
/* Which patterns of hosts hold for all that another one is for, as far as that is plain to see. */
#ifndef LB_LISTENERS_ACCESS_WIDER_H
#define LB_LISTENERS_ACCESS_WIDER_H

#include <stdbool.h>

#include "lb/base/slice.h"

struct arena;

/** returns true: enough was seen. pattern: lent for the call. */
typedef bool (*access_wider_visitor)(void *arg, struct slice pattern);

/**
 * Visit a pattern of rule_domain.h and those that take every name it takes: "www.example.com",
 * "*.example.com", "*.com", "www.example.*", "www.*" and "".
 *
 * returns  whether a visit returned true; the others are left out then
 * Thread:  any. Does not allocate.
 */
bool access_wider_visit(const char *pattern, access_wider_visitor visit, void *arg);

/** A name that the pattern takes, where one is plain to see; else "". In `arena`, or the pattern
 * itself. */
const char *access_wider_sample(const char *pattern, struct arena *arena);

#endif
