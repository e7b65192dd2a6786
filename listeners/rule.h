/* SPDX-License-Identifier: Apache-2.0 */
/* Domain + URL -> pool, with its own client authentication: one [rule] section as it stands on one
 * listener. */
#ifndef LB_LISTENERS_RULE_H
#define LB_LISTENERS_RULE_H

#include <stdbool.h>

#include "lb/base/option.h"
#include "listeners/policy.h"

struct domain;

struct rule_options {
#define OPTION OPTION_MEMBER
#include "listeners/rule_options.def"
#undef OPTION
};
extern const struct option_table rule_option_table;

enum client_headers_preset { CLIENT_HEADERS_NGINX = 1 }; /* a set of bits */

/** One [rule] section as it was read: what a listener builds its rule from. */
struct rule_section {
    const char *name;
    unsigned line;
    const struct rule_options *options;
    unsigned pool; /* index into the config's pools */
};

struct rule {
    const char *name;
    unsigned line;
    const struct rule_options *options;
    const struct domain *domain;
    unsigned pool;           /* index into the config's pools */
    struct client_auth auth; /* its own or the listener's */
    unsigned client_headers; /* enum client_headers_preset */
};

/**
 * The presets that `client_headers` names, as a set of bits.
 *
 * Fails: an unknown word, or `off` beside another; err says what would be right.
 */
bool rule_client_headers(const struct rule_options *options, unsigned *ret_presets,
                         struct error *err);

#endif
