/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whom the registry lets pass.
 *
 *                         off            manual            auto
 *   a CA is disabled      ca-disabled    ca-disabled       ca-disabled
 *   ACTIVATED             pass           pass (1)          pass (1)
 *   another TBS           not-registered not-registered    not-registered
 *   NOT_ACTIVATED,
 *   REGISTERED            not-activated  not-activated     not-activated
 *   REVOKED               revoked        revoked           revoked
 *   DELETED (2)           not-registered not-registered    not-registered
 *   unknown               pass           not-registered    sign up (3)
 *
 * (1) as long as the CA that it was registered under is there, else not-registered
 * (2) revoked if it was REVOKED: to delete never lets somebody in who was kept out
 * (3) if a CA of its verified chain is registered and enabled, else not-registered
 */
#include "listeners/registry/judge.h"

#include <time.h>

#include "listeners/identity.h"
#include "listeners/registry/view.h"

static const struct registry_judgement pass = {.refusal = REFUSAL_NONE};

static struct registry_judgement refuse(enum refusal refusal)
{
    return (struct registry_judgement){.refusal = refusal};
}

/* The wall clock in seconds, as cheap as can be. */
static uint32_t now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME_COARSE, &now);
    return (uint32_t)now.tv_sec;
}

/* Kept with the identity, once it was found. A DELETED one may have been superseded: it is looked
 * up anew. */
static struct view_entry *known(const struct view *view, struct identity *identity)
{
    struct view_entry *kept = atomic_load_explicit(&identity->known, memory_order_acquire);
    if (kept && view_status(kept) != CERTIFICATE_DELETED)
        return kept;
    struct view_entry *found = view_find(view, identity->key);
    if (found && found != kept)
        atomic_store_explicit(&identity->known, found, memory_order_release);
    return found;
}

static bool has_ca(const struct view *view, const struct ca_set_result *result,
                   enum ca_standing standing)
{
    for (unsigned i = 0; i < result->ca_count; i++)
        if (view_ca(view, result->ca_keys[i]) == standing)
            return true;
    return false;
}

static bool is_of_disabled_ca(const struct view *view, const struct ca_set_result *result)
{
    return view_has_disabled_ca(view) && has_ca(view, result, CA_DISABLED);
}

/* Whatever a rule asks for. */
static enum refusal refusal_of(const struct view *view, const struct view_entry *entry,
                               const struct identity *identity)
{
    enum certificate_status status = view_status(entry);
    if (!view_has_tbs(entry, identity->tbs))
        return REFUSAL_NOT_REGISTERED;
    switch (status) {
    case CERTIFICATE_ACTIVATED:
        return view_ca_of(view, entry) == CA_DISABLED ? REFUSAL_CA_DISABLED : REFUSAL_NONE;
    case CERTIFICATE_NOT_ACTIVATED:
    case CERTIFICATE_REGISTERED:
        return REFUSAL_NOT_ACTIVATED;
    case CERTIFICATE_REVOKED:
        return REFUSAL_REVOKED;
    case CERTIFICATE_DELETED:
        return view_was_revoked(entry) ? REFUSAL_REVOKED : REFUSAL_NOT_REGISTERED;
    case CERTIFICATE_STATUS_COUNT:
        break;
    }
    return REFUSAL_NOT_REGISTERED;
}

static struct registry_judgement judge_known(const struct view *view, struct view_entry *entry,
                                             enum client_registration registration,
                                             const struct identity *identity)
{
    enum refusal refusal = refusal_of(view, entry, identity);
    if (view_has_tbs(entry, identity->tbs) && !identity->is_imagined)
        view_note_seen(entry, now_s());
    if (refusal == REFUSAL_NONE && registration != REGISTRATION_OFF &&
        view_ca_of(view, entry) == CA_UNKNOWN)
        return refuse(REFUSAL_NOT_REGISTERED);
    return refuse(refusal);
}

static struct registry_judgement judge_unknown(const struct view *view,
                                               enum client_registration registration,
                                               const struct ca_set_result *result)
{
    switch (registration) {
    case REGISTRATION_OFF:
        return pass;
    case REGISTRATION_MANUAL:
        break;
    case REGISTRATION_AUTO:
        if (has_ca(view, result, CA_ENABLED))
            return (struct registry_judgement){.refusal = REFUSAL_NONE, .must_sign_up = true};
        break;
    }
    return refuse(REFUSAL_NOT_REGISTERED);
}

struct registry_judgement registry_judge(const struct view *view,
                                         enum client_registration registration,
                                         struct identity *identity,
                                         const struct ca_set_result *result)
{
    if (!view)
        return registration == REGISTRATION_OFF ? pass : refuse(REFUSAL_NOT_REGISTERED);
    if (!identity->has_key)
        return refuse(REFUSAL_NOT_REGISTERED);
    if (is_of_disabled_ca(view, result))
        return refuse(REFUSAL_CA_DISABLED);
    struct view_entry *entry = known(view, identity);
    return entry ? judge_known(view, entry, registration, identity)
                 : judge_unknown(view, registration, result);
}

/* Each way in which it was verified leads over a disabled CA. */
static bool is_of_disabled_cas_only(const struct view *view, const struct identity *identity)
{
    bool is_verified = false;
    if (!view_has_disabled_ca(view))
        return false;
    for (unsigned i = 0; i < identity->result_count; i++) {
        const struct ca_set_result *result = &identity->results[i];
        if (result->refusal != REFUSAL_NONE)
            continue;
        if (!has_ca(view, result, CA_DISABLED))
            return false;
        is_verified = true;
    }
    return is_verified;
}

enum refusal registry_objection(const struct view *view, struct identity *identity)
{
    if (!view || !identity->has_key)
        return REFUSAL_NONE;
    struct view_entry *entry = known(view, identity);
    enum refusal refusal = entry ? refusal_of(view, entry, identity) : REFUSAL_NONE;
    if (refusal == REFUSAL_NONE && is_of_disabled_cas_only(view, identity))
        return REFUSAL_CA_DISABLED;
    return refusal;
}
