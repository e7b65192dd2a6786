/* SPDX-License-Identifier: Apache-2.0 */
/* A bound address and how clients are met there. Frozen after load, shared by all workers. */
#ifndef LB_LISTENERS_LISTENER_H
#define LB_LISTENERS_LISTENER_H

#include <stdbool.h>

#include "lb/base/option.h"
#include "lb/base/socket.h"
#include "listeners/rules/router.h"

struct access_index;
struct access_section;
struct access_tallies;
struct ca_uses;
struct cas;
struct credential_shelf;
struct crl_check;
struct crls;
struct network_set;
struct ocsp;
struct ocsp_check;
struct registry;
struct session_cache;
struct tallies;
struct tally;
struct view;

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
    unsigned *address_lines; /* where each stands */
    unsigned rule_count;
    struct rule *rules;
    unsigned domain_count;
    struct domain *domains;
    struct router *router;
    unsigned access_count;
    struct access_section **access_sections; /* in the file's order; lent for its life */
    struct access_index *access;             /* NULL: none holds here */
    unsigned policy_count;
    struct policy *policies;
    unsigned ca_set_count;
    struct ca_set **ca_sets;
    unsigned credential_count;
    struct credential **credentials; /* all of this listener and its rules */
    struct credential_shelf *shelf;  /* where they come from while it is prepared; NULL: one of its
                                        own. Frozen afterwards, and nobody asks for it any more */
    bool speaks_sm2; /* a server certificate or a client CA of it is a national one (tls/sm2.h) */
    unsigned crl_check_count;
    struct crl_check **crl_checks; /* of its rules, each once */
    unsigned ocsp_check_count;
    struct ocsp_check **ocsp_checks;   /* of its rules, each once */
    struct session_cache *sessions;    /* shared by all workers; NULL on an http listener */
    const struct network_set *proxies; /* whose PROXY headers are read; NULL: nobody's */
    /* Set when it is opened (listener_open); NULL: there is none. */
    const struct view *view;   /* what the registry knows */
    struct registry *registry; /* where clients sign up */
    struct tally *tally;       /* where its refusals are counted */
};

/** What outlives every config and is lent to its listeners; a member that is NULL is not there. */
struct listener_services {
    struct registry *registry;             /* clients sign up there, and are known there */
    struct crls *crls;                     /* the revocation lists in force */
    struct ocsp *ocsp;                     /* asks responders, and remembers what they said */
    struct tallies *tallies;               /* counts refusals */
    struct ca_uses *ca_uses;               /* counts whose CAs' clients come */
    struct access_tallies *access_tallies; /* counts what [access] sections decide */
};

/**
 * Build a listener from its options and the rules that name it: addresses, domains, certificates,
 * CA sets, policies, router, session cache. Everything that is wrong is reported at file:line; see
 * the listener_*.c files for what is checked.
 *
 * listener  zeroed but for name, line, index, options and access_sections; lives in the config's
 *           arena and borrows what it points to
 * cas       of the registry, for client_ca; lent for the call. NULL: no rule names one, or it was
 *           reported that they cannot be read
 * sections  in the file's order; lent for the call, their names and options for the listener's life
 * returns   false when errors were added: the listener is then only good for listener_done
 * Thread:   the one that loads the config. Reads files, may resolve names.
 */
bool listener_prepare(struct listener *listener, const struct rule_section *sections,
                      unsigned count, const struct cas *cas, struct arena *arena, const char *file,
                      struct problems *problems);

/** Ask these about clients from now on. What they lend is borrowed for the listener's life.
 * Thread: control, before workers see the listener. */
void listener_open(struct listener *listener, const struct listener_services *services);

/** Do the handshakes of both settle the same with every client? false: perhaps not. */
bool listener_settles_alike(const struct listener *one, const struct listener *other);

/**
 * Go on with the sessions of the listener that this one takes the place of, where the two keep as
 * many for as long. Thread: control; `before` may still be in use.
 */
void listener_take_sessions(struct listener *listener, const struct listener *before);

/** Release what is not the arena's. Half-built ones are fine. */
void listener_done(struct listener *listener);

#endif
