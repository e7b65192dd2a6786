/* SPDX-License-Identifier: Apache-2.0 */
/* What a call of the registry's API needs to know of the config: copies, because a reload may free
 * the config while a call is under way. */
#ifndef LB_ADMIN_REGISTRY_REGISTRY_FACTS_H
#define LB_ADMIN_REGISTRY_REGISTRY_FACTS_H

#include <jansson.h>
#include <stdbool.h>

#include "listeners/registry/cas.h"

struct config;

struct registry_facts {
    char *location;        /* "sqlite:/path" */
    char *state_dir;       /* where the built-in CA lies */
    char *passphrase_file; /* of its key; NULL: the key is not encrypted */
    unsigned max_cas;
    unsigned signups_per_second;
    unsigned expiring_within_s;
    char **named_cas; /* ids and names behind "registry:" in client_ca; "builtin" too */
    unsigned named_ca_count;
    struct ca_hosts_known hosts; /* lent by the config: only while it is there */
    /** Which CAs of the registry the rules of a host ask for: adds words of client_ca, each once.
     * advice: what to do for another CA. hosts.arg is its arg. NULL: nobody knows. */
    bool (*asked_of)(void *arg, const char *host, json_t *words, struct error *advice);
};

/** Copy them. false: out of memory; registry_facts_done after either. Thread: any. */
bool registry_facts_make(struct registry_facts *facts, const struct config *config);
void registry_facts_done(struct registry_facts *facts);

/** The audit log's words for who spoke over the socket, or runs a command: "uid 0 (pid 4711)". */
enum { REGISTRY_WHO_BYTES = 64 };
void registry_who(unsigned uid, long pid, char ret_who[REGISTRY_WHO_BYTES]);

#endif
