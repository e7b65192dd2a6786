/* SPDX-License-Identifier: Apache-2.0 */
/*
 * [access NAME]: what becomes of requests whose client is (not) verified, after the rule's own
 * client authentication. The first one in the file whose host, URL and condition fit decides.
 */
#ifndef LB_LISTENERS_ACCESS_H
#define LB_LISTENERS_ACCESS_H

#include <stdbool.h>

#include "lb/base/option.h"
#include "lb/base/slice.h"
#include "listeners/refusal.h"

struct access_tally;
struct listener;
struct redirect;
struct rule;

struct access_options {
#define OPTION OPTION_MEMBER
#include "listeners/access/access_options.def"
#undef OPTION
};
extern const struct option_table access_option_table;

/** client_certificate. */
enum access_condition {
    ACCESS_VERIFIED,
    ACCESS_UNVERIFIED, /* missing or invalid */
    ACCESS_MISSING,
    ACCESS_INVALID, /* shown, and not verified */
};

enum access_action { ACCESS_BLOCK, ACCESS_LOG, ACCESS_REDIRECT };

/** One section, for all of its listeners. Frozen after load. */
struct access_rule {
    const char *name;
    unsigned line;
    enum access_condition condition;
    enum access_action action;
    const struct redirect *redirect; /* ACCESS_REDIRECT; else NULL */
    struct access_tally *tally; /* where it is counted, set when a listener is opened; NULL: it is
                                   not */
};

/**
 * The section that decides about a request.
 *
 * rule     that the request meets and may pass: the router's, by its host and path
 * verdict  policy_verdict() of it
 * host, path  as of struct inquiry
 * returns  NULL: none fits. The cost does not depend on how many sections there are, but for those
 *          with regular expressions that could fit the rule.
 * Thread:  any. Allocates only where regular expressions are asked.
 */
const struct access_rule *access_find(const struct listener *listener, const struct rule *rule,
                                      enum refusal verdict, struct slice host, struct slice path);

#endif
