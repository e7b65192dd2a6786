/* SPDX-License-Identifier: Apache-2.0 */
/* Which client CAs the rules of a host ask for: a CA that is bound to a host whose rules do not ask
 * for it protects nothing. */
#ifndef LB_CONFIG_CONFIG_HOSTS_H
#define LB_CONFIG_CONFIG_HOSTS_H

#include "lb/config/config.h"

/** client_ca of a rule, its own or its listener's; NULL: it asks nobody for a certificate. */
const struct option_list *config_rule_client_ca(const struct listener *listener,
                                                const struct rule *rule);

/** Does it stand for the CA once that is bound to the rule's domain? By its id or name, or as one
 * of all that are bound. */
bool config_client_ca_means(const struct option_list *client_ca, const char *id, const char *name);

/** The rule's domain as hosts are bound: "*" of a rule without one. */
const char *config_rule_host(const struct rule *rule);

/**
 * What the rules of https listeners for a host ask for.
 *
 * host    as for config_serves_host
 * visit   called for each word of client_ca that is no file, of rules that ask for certificates
 * advice  what to do for a CA that none of the words stands for; not set where no rule serves it
 */
void config_host_asks(const struct config *config, const char *host,
                      void (*visit)(void *arg, const char *word), void *arg, struct error *advice);

#endif
