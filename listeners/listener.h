/* SPDX-License-Identifier: Apache-2.0 */
/* A bound address and how clients are met there. Frozen after load, shared by all workers. */
#ifndef LB_LISTENERS_LISTENER_H
#define LB_LISTENERS_LISTENER_H

#include <stdbool.h>

#include "lb/base/option.h"
#include "lb/base/socket.h"
#include "listeners/router.h"

struct session_cache;

struct listener_options {
#define OPTION OPTION_MEMBER
#include "listeners/listener_options.def"
#undef OPTION
};
extern const struct option_table listener_option_table;

enum listener_protocol { LISTENER_HTTPS, LISTENER_HTTP };
enum unknown_sni { UNKNOWN_SNI_DEFAULT, UNKNOWN_SNI_REJECT };
enum forwarded_for { FORWARDED_FOR_APPEND, FORWARDED_FOR_REPLACE };

struct listener {
    const char *name;
    unsigned line;
    unsigned index; /* among the config's listeners */
    const struct listener_options *options;
    unsigned address_count;
    struct address *addresses;
    unsigned rule_count;
    struct rule *rules;
    unsigned domain_count;
    struct domain *domains;
    struct router *router;
    unsigned policy_count;
    struct policy *policies;
    unsigned ca_set_count;
    struct ca_set **ca_sets;
    unsigned credential_count;
    struct credential **credentials; /* all of this listener and its rules */
    struct session_cache *sessions;  /* shared by all workers; NULL on an http listener */
};

#endif
