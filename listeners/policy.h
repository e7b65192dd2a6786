/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What clients are asked, in three steps that never get mixed up:
 *   client_auth  what one rule wants                     (a rule's mode, its CA set, how it
 * refuses) policy       what the handshake of one domain asks   (the union of its rules; with SNI
 * off, of the listener's) judgement    what a rule says to an identity         (at every request)
 */
#ifndef LB_LISTENERS_POLICY_H
#define LB_LISTENERS_POLICY_H

#include <openssl/x509.h>
#include <stdbool.h>
#include <time.h>

#include "lb/base/limits.h"
#include "listeners/ca_set.h"
#include "listeners/refusal.h"
#include "listeners/registry/judge.h"

struct identity;
struct view;

enum auth_mode { AUTH_OFF, AUTH_REQUEST, AUTH_REQUIRE };
enum refuse_with { REFUSE_UNSET = -1, REFUSE_ALERT, REFUSE_403 };

struct client_auth {
    enum auth_mode mode;
    const struct ca_set *ca_set; /* NULL exactly when mode is AUTH_OFF */
    enum refuse_with refuse_with;
    enum client_registration registration;
};

enum { POLICY_ID_BYTES = 32 };

struct policy {
    /* SHA-256 over everything below: equal content, equal id, across reloads and listeners. */
    unsigned char id[POLICY_ID_BYTES];
    bool asks;   /* a certificate is requested in the handshake */
    bool alerts; /* all rules require the same one set, in the same way, and refuse by alert: the
                    handshake itself refuses */
    /* What the handshake asks the registry where it alerts. No part of the id: nothing of it is
     * kept with a session. */
    enum client_registration registration;
    unsigned set_count;
    const struct ca_set *sets[CA_SETS_PER_DOMAIN];
    STACK_OF(X509_NAME) * names; /* union of the sets' names; owned; NULL when nothing is asked */
};

enum policy_fault {
    POLICY_FINE,
    POLICY_ALERT_IMPOSSIBLE, /* a rule says refuse_with = alert, but rules of this domain differ */
    POLICY_TOO_MANY_SETS,
};

/**
 * Join what the rules of one domain want. A `request` rule never alerts; a rule with AUTH_OFF and
 * refuse_with = alert has nothing to refuse and is no fault by itself.
 *
 * policy   filled, for policy_done() also when there was a fault; the rules' sets are borrowed for
 * its life Thread:  loader. Out of memory ends the process, as for everything that is loaded.
 */
enum policy_fault policy_make(struct policy *policy, const struct client_auth *const *rules,
                              unsigned count);
void policy_done(struct policy *policy);

/** Is this the policy that a handshake settled, or one of the same content? Any thread. */
bool policy_has_id(const struct policy *policy, const unsigned char id[POLICY_ID_BYTES]);
/** Equal ids: a client settled under one may be served under the other. */
bool policy_equal(const struct policy *one, const struct policy *other);

/**
 * May a client with this identity (NULL: it showed no certificate) pass this rule now? Called at
 * every request: first what verification found (a chain that has expired since is REFUSAL_EXPIRED;
 * AUTH_REQUEST lets everybody pass who is not verified; use policy_verdict for what was found),
 * then what the registry knows of whom it has verified.
 *
 * view  of the registry; NULL: there is none
 */
struct judgement policy_judge(const struct client_auth *rule, const struct view *view,
                              struct identity *identity, time_t now);

/**
 * What verification found for this rule whatever its mode: NONE = verified, MISSING = no
 * certificate, … A rule that asks for none (AUTH_OFF) has seen none: MISSING, even where another
 * rule of the domain made the client send one.
 */
enum refusal policy_verdict(const struct client_auth *rule, const struct identity *identity,
                            time_t now);

#endif
