/* SPDX-License-Identifier: Apache-2.0 */
/* What the registry says to a client whose certificate a CA set has verified. Asked at every
 * handshake, every resumption and every request; reads the view only. */
#ifndef LB_LISTENERS_REGISTRY_JUDGE_H
#define LB_LISTENERS_REGISTRY_JUDGE_H

#include <stdbool.h>

#include "listeners/refusal.h"

struct ca_set_result;
struct identity;
struct view;

/** client_registration of a rule. */
enum client_registration {
    REGISTRATION_OFF,    /* admits those the registry does not know */
    REGISTRATION_MANUAL, /* admits only those it knows */
    REGISTRATION_AUTO,   /* the same, but those of a registered CA sign up by themselves */
};

struct registry_judgement {
    enum refusal refusal; /* NONE: may pass … */
    bool must_sign_up;    /* … but not before it is registered (REGISTRATION_AUTO) */
};

/**
 * view      NULL: there is no registry; then REGISTRATION_OFF admits all, the others nobody
 * identity  not NULL; what is found of it is kept with it
 * result    of the rule's CA set, verified
 */
struct registry_judgement registry_judge(const struct view *view,
                                         enum client_registration registration,
                                         struct identity *identity,
                                         const struct ca_set_result *result);

/** Is it known to be one that may nowhere pass (revoked, not activated, of a disabled CA …)?
 * For open connections, over all results of the identity. REFUSAL_NONE: no. */
enum refusal registry_objection(const struct view *view, struct identity *identity);

#endif
