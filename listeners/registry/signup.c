/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signing up. Who wants the same certificate registered waits for one enrolment:
 *
 *   signup ─┐
 *   signup ─┼─> enrolment ── lane of changes: certificate_register ──> the view shows it
 *   signup ─┘                                                              │
 *      └──────────── its desk: on_signed_up, on its loop <─────────────────┘
 *
 * An enrolment goes on when nobody waits for it any more, unless the store kept it waiting too
 * long.
 */
#include <stdlib.h>
#include <string.h>

#include "lb/base/log.h"
#include "lb/base/timestamp.h"
#include "listeners/identity.h"
#include "listeners/registry/registry_parts.h"
#include "listeners/registry/view.h"

struct signup {
    struct registry *registry;
    struct list_node node; /* among those who wait for its enrolment */
    struct registry_job told;
    bool waits; /* else it is at its desk */
    enum signup_outcome outcome;
    void (*on_signed_up)(void *arg, enum signup_outcome outcome);
    void *arg;
};

struct enrolment {
    struct registry_job job;
    struct list_node node; /* in its bucket */
    struct registry *registry;
    struct identity *identity;
    struct list_node waiting;
    int64_t asked_ms; /* wall clock: when the limit let it in is when it is registered */
    int64_t begun_ms; /* the same, monotonic */
    enum signup_outcome outcome;
};

/* --- failures are logged ------------------------------------------------------------------- */

/* One a second: a store that cannot be written fails for everybody. */
static void log_failure(struct enrolment *enrolment, const char *reason, const char *text)
{
    struct signups *signups = &enrolment->registry->signups;
    int64_t now_ms = enrolment->registry->seams.monotonic_ms();
    struct log_line line;
    if (signups->was_told && now_ms - signups->told_ms < SIGNUP_TOLD_MS) {
        signups->untold++;
        return;
    }
    log_begin(&line, LOG_LEVEL_WARN, "signup.failed");
    log_text(&line, "reason", reason);
    log_text(&line, "subject", enrolment->identity->subject);
    log_text(&line, "issuer", enrolment->identity->issuer);
    log_text(&line, "serial", enrolment->identity->serial);
    log_text(&line, "message", text);
    if (signups->untold > 0)
        log_number(&line, "others", signups->untold);
    log_end(&line);
    signups->untold = 0;
    signups->was_told = true;
    signups->told_ms = now_ms;
}

/* --- the enrolment, on the lane ------------------------------------------------------------ */

static enum signup_outcome outcome_of(enum change_refusal refusal)
{
    switch (refusal) {
    case CHANGE_MADE:
    case CHANGE_EXISTS:
        return SIGNUP_DONE;
    case CHANGE_SIGNUP_LIMIT:
        return SIGNUP_LIMITED;
    case CHANGE_BAD_INPUT:
    case CHANGE_ILLEGAL:
    case CHANGE_CA_UNREGISTERED:
    case CHANGE_CA_DISABLED:
    case CHANGE_NOT_OF_CA:
        return SIGNUP_REFUSED;
    case CHANGE_UNKNOWN:
    case CHANGE_AMBIGUOUS:
    case CHANGE_QUOTA:
    case CHANGE_BOUND:
    case CHANGE_IN_USE:
    case CHANGE_UNSERVED_HOST:
    case CHANGE_STORE:
        break;
    }
    return SIGNUP_FAILED;
}

/* From now on nobody joins it. */
static bool is_forgotten(struct enrolment *enrolment)
{
    struct registry *registry = enrolment->registry;
    int64_t waited_ms = registry->seams.monotonic_ms() - enrolment->begun_ms;
    pthread_mutex_lock(&registry->signups.lock);
    bool forgotten = waited_ms >= SIGNUP_FORGOTTEN_MS && list_is_empty(&enrolment->waiting);
    if (forgotten)
        list_remove(&enrolment->node);
    pthread_mutex_unlock(&registry->signups.lock);
    return forgotten;
}

static void enrol_now(struct enrolment *enrolment, struct ledger *ledger)
{
    struct registry *registry = enrolment->registry;
    const struct registration registration = {
        .certificate = enrolment->identity->leaf,
        .chain = enrolment->identity->chain,
        .activate = atomic_load(&registry->signups.auto_activate),
        .source = SOURCE_AUTO,
        .per_second = atomic_load(&registry->signups.per_second),
    };
    const struct actor actor = {.who = "sign-up", .now_ms = enrolment->asked_ms};
    struct certificate_result result = {0};
    struct error err = {""};
    enum change_refusal refusal =
        registry->seams.enrol(ledger, &registration, &actor, &result, &err);
    enrolment->outcome = outcome_of(refusal);
    if (enrolment->outcome == SIGNUP_FAILED || enrolment->outcome == SIGNUP_REFUSED)
        log_failure(enrolment, change_refusal_name(refusal), err.text);
    certificate_result_done(&result);
}

static void run(struct registry_job *job, struct ledger *ledger, enum store_outcome opened,
                const char *why)
{
    struct enrolment *enrolment = LIST_OWNER(job, struct enrolment, job);
    (void)opened;
    enrolment->outcome = SIGNUP_FAILED;
    if (!ledger)
        log_failure(enrolment, change_refusal_name(CHANGE_STORE), why);
    else if (!is_forgotten(enrolment))
        enrol_now(enrolment, ledger);
}

/* --- who was refused, locked ----------------------------------------------------------------- */

static void remember_refused(struct signups *signups, const unsigned char *key, int64_t now_ms)
{
    struct signup_refused *refused = &signups->refused[signups->next_refused];
    signups->next_refused = (signups->next_refused + 1) % SIGNUP_REFUSED_MOST;
    memcpy(refused->key, key, sizeof refused->key);
    refused->until_ms = now_ms + SIGNUP_REFUSED_MS;
}

static bool was_refused(const struct signups *signups, const unsigned char *key, int64_t now_ms)
{
    for (unsigned i = 0; i < SIGNUP_REFUSED_MOST; i++)
        if (now_ms < signups->refused[i].until_ms &&
            memcmp(signups->refused[i].key, key, CERTIFICATE_KEY_BYTES) == 0)
            return true;
    return false;
}

/* --- the end of an enrolment ----------------------------------------------------------------- */

static void tell(struct signup *signup, enum signup_outcome outcome)
{
    signup->waits = false;
    signup->outcome = outcome;
    desk_tell(&signup->told);
}

static void enrolment_free(struct enrolment *enrolment)
{
    identity_unref(enrolment->identity);
    free(enrolment);
}

/* The view shows it now; if it does not (the store could not be followed), to judge again would
 * only lead here again. */
static void finish(struct registry_job *job)
{
    struct enrolment *enrolment = LIST_OWNER(job, struct enrolment, job);
    struct registry *registry = enrolment->registry;
    if (enrolment->outcome == SIGNUP_DONE && !view_find(registry->view, enrolment->identity->key))
        enrolment->outcome = SIGNUP_FAILED;
    pthread_mutex_lock(&registry->signups.lock);
    list_remove(&enrolment->node);
    if (enrolment->outcome == SIGNUP_REFUSED)
        remember_refused(&registry->signups, enrolment->identity->key,
                         registry->seams.monotonic_ms());
    while (!list_is_empty(&enrolment->waiting)) {
        struct signup *signup = LIST_OWNER(enrolment->waiting.next, struct signup, node);
        list_remove(&signup->node);
        tell(signup, enrolment->outcome);
    }
    pthread_mutex_unlock(&registry->signups.lock);
    enrolment_free(enrolment);
}

static struct list_node *bucket_of(struct signups *signups, const unsigned char *key)
{
    return &signups->pending[key[CERTIFICATE_KEY_BYTES - 1] % SIGNUP_BUCKETS];
}

static struct enrolment *find_pending(struct signups *signups, const unsigned char *key)
{
    const struct list_node *bucket = bucket_of(signups, key);
    for (struct list_node *at = bucket->next; at != bucket; at = at->next) {
        struct enrolment *enrolment = LIST_OWNER(at, struct enrolment, node);
        if (memcmp(enrolment->identity->key, key, CERTIFICATE_KEY_BYTES) == 0)
            return enrolment;
    }
    return NULL;
}

/* Locked; the lane gets it. NULL: out of memory. */
static struct enrolment *enrol(struct registry *registry, struct identity *identity)
{
    struct enrolment *enrolment = calloc(1, sizeof *enrolment);
    if (!enrolment)
        return NULL;
    enrolment->registry = registry;
    enrolment->identity = identity_ref(identity);
    enrolment->asked_ms = timestamp_now_ms();
    enrolment->begun_ms = registry->seams.monotonic_ms();
    list_init(&enrolment->waiting);
    list_append(bucket_of(&registry->signups, identity->key), &enrolment->node);
    enrolment->job.lane = LANE_CHANGES;
    enrolment->job.run = run;
    enrolment->job.done = finish;
    registry_submit(registry, &enrolment->job);
    return enrolment;
}

/* --- the signup, on its desk's thread ------------------------------------------------------ */

static void on_told(struct registry_job *job)
{
    struct signup *signup = LIST_OWNER(job, struct signup, told);
    void (*on_signed_up)(void *, enum signup_outcome) = signup->on_signed_up;
    void *arg = signup->arg;
    enum signup_outcome outcome = signup->outcome;
    free(signup);
    on_signed_up(arg, outcome);
}

/* Locked. false: out of memory. */
static bool begin(struct signup *signup, struct identity *identity)
{
    struct registry *registry = signup->registry;
    struct signups *signups = &registry->signups;
    struct enrolment *enrolment = find_pending(signups, identity->key);
    int64_t now_ms = registry->seams.monotonic_ms();
    if (!enrolment && view_find(registry->view, identity->key)) {
        tell(signup, SIGNUP_DONE); /* somebody else has just done it */
        return true;
    }
    if (!enrolment && was_refused(signups, identity->key, now_ms)) {
        tell(signup, SIGNUP_REFUSED);
        return true;
    }
    if (!enrolment && !signup_limit_take(&signups->limit, now_ms)) {
        tell(signup, SIGNUP_LIMITED);
        return true;
    }
    if (!enrolment)
        enrolment = enrol(registry, identity);
    if (!enrolment)
        return false;
    signup->waits = true;
    list_append(&enrolment->waiting, &signup->node);
    return true;
}

struct signup *signup_begin(struct registry *registry, struct registry_desk *desk,
                            struct identity *identity,
                            void (*on_signed_up)(void *arg, enum signup_outcome outcome), void *arg)
{
    struct signup *signup = calloc(1, sizeof *signup);
    if (!signup)
        return NULL;
    signup->registry = registry;
    signup->told.desk = desk;
    signup->told.done = on_told;
    signup->on_signed_up = on_signed_up;
    signup->arg = arg;
    pthread_mutex_lock(&registry->signups.lock);
    bool has_begun = begin(signup, identity);
    pthread_mutex_unlock(&registry->signups.lock);
    if (has_begun)
        return signup;
    free(signup);
    return NULL;
}

void signup_leave(struct signup *signup)
{
    pthread_mutex_t *lock = &signup->registry->signups.lock;
    pthread_mutex_lock(lock);
    if (signup->waits)
        list_remove(&signup->node);
    else
        desk_withdraw(&signup->told);
    pthread_mutex_unlock(lock);
    free(signup);
}

/* --- life ---------------------------------------------------------------------------------- */

bool signups_init(struct signups *signups, const struct registry_settings *settings)
{
    pthread_mutex_init(&signups->lock, NULL);
    for (size_t i = 0; i < SIGNUP_BUCKETS; i++)
        list_init(&signups->pending[i]);
    atomic_init(&signups->per_second, settings->signups_per_second);
    atomic_init(&signups->auto_activate, settings->auto_activate);
    return signup_limit_set(&signups->limit, settings->signups_per_second);
}

/* Without memory for the new limit the old one stays in force. */
void signups_set(struct signups *signups, const struct registry_settings *settings)
{
    pthread_mutex_lock(&signups->lock);
    if (signup_limit_set(&signups->limit, settings->signups_per_second))
        atomic_store(&signups->per_second, settings->signups_per_second);
    pthread_mutex_unlock(&signups->lock);
    atomic_store(&signups->auto_activate, settings->auto_activate);
}

void signups_done(struct signups *signups)
{
    signup_limit_done(&signups->limit);
    pthread_mutex_destroy(&signups->lock);
}
