/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What clients are asked, in three steps that never get mixed up:
 *   client_auth  what one rule wants                     (a rule's mode, its CA set, how it
 * refuses) policy       what the handshake of one domain asks   (the union of its rules; with SNI
 * off, of the listener's) judgement    what a rule says to an identity         (at every request)
 */
#ifndef LB_LISTENERS_RULES_POLICY_H
#define LB_LISTENERS_RULES_POLICY_H

#include <openssl/x509.h>
#include <stdbool.h>
#include <time.h>

#include "lb/base/limits.h"
#include "listeners/ca/ca_set.h"
#include "listeners/refusal.h"
#include "listeners/registry/judge.h"

struct allow_list;
struct ca_list;
struct crl_check;
struct identity;
struct network_set;
struct ocsp_check;
struct redirect;
struct refusal_page;
struct view;

enum auth_mode { AUTH_OFF, AUTH_REQUEST, AUTH_REQUIRE };
/** As mutual_auth says it: "require". Static. Any thread. */
const char *auth_mode_name(enum auth_mode mode);
enum refuse_with { REFUSE_UNSET = -1, REFUSE_ALERT, REFUSE_403, REFUSE_PAGE, REFUSE_REDIRECT };

struct client_auth {
    enum auth_mode mode;
    const struct ca_set *ca_set; /* NULL exactly when mode is AUTH_OFF */
    enum refuse_with refuse_with;
    enum client_registration registration;
    const struct refusal_page *page;  /* REFUSE_PAGE; else NULL */
    const struct redirect *redirect;  /* REFUSE_REDIRECT; else NULL */
    const struct crl_check *crl;      /* NULL: no CRL is asked */
    const struct ocsp_check *ocsp;    /* NULL: no responder is asked */
    const struct allow_list *allow;   /* NULL: everybody who is verified */
    const struct network_set *exempt; /* who comes from there needs no certificate; NULL: nobody */
};

/** Would both refuse the same clients, whatever the registry and the CRLs say? (How they tell it
 * is not compared.) */
bool client_auth_agrees(const struct client_auth *one, const struct client_auth *other);

enum { POLICY_ID_BYTES = 32 };

struct policy {
    /* SHA-256 over everything below: equal content, equal id, across reloads and listeners. */
    unsigned char id[POLICY_ID_BYTES];
    bool asks;   /* a certificate is requested in the handshake */
    bool alerts; /* all rules require the same one set, in the same way, and refuse by alert: the
                    handshake itself refuses */
    /* Where it alerts: what each of its rules asks, which all agree; else NULL. No part of the id:
     * nothing of it is kept with a session. */
    const struct client_auth *alerting;
    unsigned set_count;
    const struct ca_set *sets[CA_SETS_PER_DOMAIN];
    STACK_OF(X509_NAME) *
        names;           /* union of the sets' names; owned; NULL when nothing is asked; empty
                            where they take more than CA_NAMES_BYTES: none is sent then */
    size_t names_bytes;  /* what the union takes in the message */
    bool has_lent_names; /* they are another policy's, of the same id */
    /* Counts whose clients come (ca_uses.h), from when its listener is opened; owned; NULL: nobody
     * does. No part of the id. */
    struct ca_list *cas;
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
/**
 * policy_make() in two steps, for many that are mostly alike: all but the names; then these.
 *
 * alike  one of the same id, whose names it is lent for its life; NULL: its own are made
 */
enum policy_fault policy_join(struct policy *policy, const struct client_auth *const *rules,
                              unsigned count);
void policy_name_cas(struct policy *policy, const struct policy *alike);
void policy_done(struct policy *policy);

/** Is this the policy that a handshake settled, or one of the same content? Any thread. */
bool policy_has_id(const struct policy *policy, const unsigned char id[POLICY_ID_BYTES]);
/** Equal ids: a client settled under one may be served under the other. */
bool policy_equal(const struct policy *one, const struct policy *other);

/** What names of CAs take in the message that asks for a certificate (RFC 8446, 4.2.4). Pure. */
size_t policy_names_bytes(STACK_OF(X509_NAME) * names);

/** Who stands before a rule, and when. */
struct visitor {
    struct identity
        *identity;       /* NULL: it showed no certificate. What is found of it is kept there */
    const char *address; /* numeric, of the socket or the PROXY header; NULL: not known, and
                            then nobody is exempt */
    time_t now;          /* wall clock, seconds */
    /* The OCSP responder was asked on behalf of this request: what is not known now is not waited
     * for any more. */
    bool was_ocsp_asked;
};

struct judgement {
    enum refusal refusal; /* NONE: may pass … */
    bool must_sign_up;    /* … but not before it is registered (REGISTRATION_AUTO) */
    bool must_ask_ocsp;   /* … but not before its CA's OCSP responder was asked */
};

/**
 * The questions a rule asks about a client, in this order. Each is a function of its own; what a
 * request meets and what `lb explain` shows are the same calls.
 */
enum policy_check {
    POLICY_CHECK_CERTIFICATE, /* shown, verified by the rule's CAs, in its time */
    POLICY_CHECK_CRL,
    POLICY_CHECK_OCSP,
    POLICY_CHECK_REGISTRY,
    POLICY_CHECK_ALLOW,
    POLICY_CHECK_COUNT,
};

/** "certificate", "crl", "ocsp", "registry", "allow_client". Static. */
const char *policy_check_name(enum policy_check check);
/** Does the rule ask this at all? */
bool policy_check_is_asked(const struct client_auth *rule, enum policy_check check);
/**
 * One question by itself. To be asked only where those before it gave REFUSAL_NONE.
 *
 * view  of the registry; NULL: there is none
 */
struct judgement policy_check_ask(enum policy_check check, const struct client_auth *rule,
                                  const struct view *view, const struct visitor *visitor);

/** Does it need a certificate here? Not where it is off or only requested, nor who is exempt. */
bool policy_needs_certificate(const struct client_auth *rule, const struct visitor *visitor);

/**
 * May this client pass this rule now? Called at every request: first what verification found (a
 * chain that has expired since is REFUSAL_EXPIRED) and what CRLs and OCSP say: who needs no
 * certificate passes in spite of it (use policy_verdict for what was found). Then, of whom is
 * verified, what the registry knows and whether the rule allows it.
 *
 * view  of the registry; NULL: there is none
 */
struct judgement policy_judge(const struct client_auth *rule, const struct view *view,
                              const struct visitor *visitor);

/**
 * Why the handshake itself refuses this client: what all rules of the domain say of it now. NONE
 * where the policy does not alert. What the first request has to be told by an answer is none:
 * neither a wait nor REFUSAL_OCSP_UNAVAILABLE, which passes with time.
 */
enum refusal policy_alert(const struct policy *policy, const struct view *view,
                          const struct visitor *visitor);

/**
 * What verification found for this rule whatever its mode, CRLs and OCSP included: NONE = verified,
 * MISSING = no certificate, … Of an OCSP responder what it said last counts. A rule that asks for
 * none (AUTH_OFF) has seen none: MISSING, even where another rule of the domain made the client
 * send one.
 */
enum refusal policy_verdict(const struct client_auth *rule, struct identity *identity, time_t now);

#endif
