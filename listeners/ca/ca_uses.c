/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rolls and uses are only ever added, in front of those that are there, and never move: readers
 * need no lock, and writers one compare-and-swap for a CA that nobody has met.
 */
#include "listeners/ca/ca_uses.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lb/base/certificate.h"
#include "lb/base/limits.h"
#include "lb/base/text_map.h"
#include "listeners/identity.h"

enum { ROLL_BUCKETS = 1024 };

struct ca_uses {
    struct ca_clock clock;
    _Atomic(struct ca_roll *) first;
    struct ca_roll *buckets[ROLL_BUCKETS]; /* by their names; the control thread's */
    atomic_uint use_count;                 /* of all rolls */
};

/* --- time ---------------------------------------------------------------------------------- */

static int64_t read_clock_s(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now); /* coarse ones are never a system call; seconds are enough */
    return now.tv_sec;
}

static int64_t wall_s(void *arg)
{
    (void)arg;
    return read_clock_s(CLOCK_REALTIME_COARSE);
}

static int64_t run_s(void *arg)
{
    (void)arg;
    return read_clock_s(CLOCK_MONOTONIC_COARSE);
}

void ca_uses_set_clock(struct ca_uses *uses, const struct ca_clock *clock)
{
    uses->clock = *clock;
}

int64_t ca_uses_wall_s(const struct ca_uses *uses)
{
    return uses->clock.wall_s(uses->clock.arg);
}

int64_t ca_uses_run_s(const struct ca_uses *uses)
{
    return uses->clock.run_s(uses->clock.arg);
}

/* --- life ---------------------------------------------------------------------------------- */

struct ca_uses *ca_uses_new(void)
{
    struct ca_uses *uses = calloc(1, sizeof *uses);
    if (uses)
        uses->clock = (struct ca_clock){wall_s, run_s, NULL};
    return uses;
}

static void use_free(struct ca_use *use)
{
    free(use->subject);
    free(use);
}

static void roll_free(struct ca_roll *roll)
{
    for (unsigned i = 0; i < CA_ROLL_BUCKETS; i++) {
        for (struct ca_use *use = roll->buckets[i], *next; use; use = next) {
            next = use->next;
            use_free(use);
        }
    }
    free(roll->listener);
    free(roll->domain);
    free(roll);
}

void ca_uses_free(struct ca_uses *uses)
{
    if (!uses)
        return;
    for (struct ca_roll *roll = uses->first, *next; roll; roll = next) {
        next = roll->next;
        roll_free(roll);
    }
    free(uses);
}

/* --- rolls --------------------------------------------------------------------------------- */

static struct ca_roll *roll_new(struct ca_uses *uses, const char *listener, const char *domain)
{
    struct ca_roll *roll = calloc(1, sizeof *roll);
    if (!roll)
        return NULL;
    roll->all = uses;
    roll->listener = strdup(listener);
    roll->domain = strdup(domain);
    if (roll->listener && roll->domain)
        return roll;
    roll_free(roll);
    return NULL;
}

struct ca_roll *ca_uses_roll(struct ca_uses *uses, const char *listener, const char *domain)
{
    uint64_t hash = text_hash(slice_of(listener)) ^ (text_hash(slice_of(domain)) << 1);
    struct ca_roll **bucket = &uses->buckets[hash % ROLL_BUCKETS];
    for (struct ca_roll *roll = *bucket; roll; roll = roll->in_bucket)
        if (strcmp(roll->listener, listener) == 0 && strcmp(roll->domain, domain) == 0)
            return roll;
    struct ca_roll *roll = roll_new(uses, listener, domain);
    if (!roll)
        return NULL;
    roll->in_bucket = *bucket;
    *bucket = roll;
    roll->next = uses->first;
    atomic_store_explicit(&uses->first, roll, memory_order_release);
    return roll;
}

const struct ca_roll *ca_uses_first(const struct ca_uses *uses)
{
    return atomic_load_explicit(&uses->first, memory_order_acquire);
}

/* --- uses ---------------------------------------------------------------------------------- */

static unsigned bucket_of(const unsigned char key[CA_KEY_BYTES])
{
    return key[0] % CA_ROLL_BUCKETS; /* of a SHA-256: any byte is as good */
}

/* From `use` on, up to `end`. */
static struct ca_use *find_before(struct ca_use *use, const struct ca_use *end,
                                  const unsigned char key[CA_KEY_BYTES])
{
    for (; use != end; use = use->next)
        if (memcmp(use->key, key, CA_KEY_BYTES) == 0)
            return use;
    return NULL;
}

struct ca_use *ca_roll_find(const struct ca_roll *roll, const unsigned char key[CA_KEY_BYTES])
{
    struct ca_use *first =
        atomic_load_explicit(&roll->buckets[bucket_of(key)], memory_order_acquire);
    return find_before(first, NULL, key);
}

static struct ca_use *use_new(const struct ca_uses *uses, const unsigned char key[CA_KEY_BYTES],
                              const char *subject)
{
    struct ca_use *use = calloc(1, sizeof *use);
    if (!use)
        return NULL;
    use->subject = strdup(subject);
    if (!use->subject) {
        free(use);
        return NULL;
    }
    memcpy(use->key, key, sizeof use->key);
    use->since_s = ca_uses_wall_s(uses);
    atomic_store(&use->idle_from_s, ca_uses_run_s(uses));
    return use;
}

/* Put it in front, unless somebody was faster: then theirs is returned. */
static struct ca_use *publish(struct ca_roll *roll, struct ca_use *use)
{
    _Atomic(struct ca_use *) *bucket = &roll->buckets[bucket_of(use->key)];
    struct ca_use *first = atomic_load_explicit(bucket, memory_order_acquire);
    const struct ca_use *searched = NULL;
    do {
        struct ca_use *other = find_before(first, searched, use->key);
        if (other)
            return other;
        searched = first;
        use->next = first;
    } while (!atomic_compare_exchange_weak_explicit(bucket, &first, use, memory_order_acq_rel,
                                                    memory_order_acquire));
    return use;
}

/* Take one of so many places. */
static bool take_place(atomic_uint *taken, unsigned most)
{
    if (atomic_fetch_add_explicit(taken, 1, memory_order_relaxed) < most)
        return true;
    atomic_fetch_sub_explicit(taken, 1, memory_order_relaxed);
    return false;
}

static void give_room(struct ca_roll *roll, bool is_other)
{
    atomic_fetch_sub_explicit(&roll->all->use_count, 1, memory_order_relaxed);
    if (is_other)
        atomic_fetch_sub_explicit(&roll->other_count, 1, memory_order_relaxed);
}

static bool take_room(struct ca_roll *roll, bool is_other)
{
    if (!take_place(&roll->all->use_count, CA_USES_MOST))
        return false;
    if (!is_other || take_place(&roll->other_count, CA_ROLL_OTHERS_MOST))
        return true;
    give_room(roll, false);
    return false;
}

bool ca_uses_are_full(const struct ca_uses *uses)
{
    return atomic_load_explicit(&uses->use_count, memory_order_relaxed) >= CA_USES_MOST;
}

struct ca_use *ca_roll_use(struct ca_roll *roll, const unsigned char key[CA_KEY_BYTES],
                           const char *subject, bool is_other)
{
    struct ca_use *use = ca_roll_find(roll, key);
    if (use || !take_room(roll, is_other))
        return use;
    struct ca_use *made = use_new(roll->all, key, subject);
    use = made ? publish(roll, made) : NULL;
    if (made && use == made)
        return use;
    if (made)
        use_free(made);
    give_room(roll, is_other);
    return use;
}

struct ca_use *ca_roll_next(const struct ca_roll *roll, const struct ca_use *after)
{
    if (after && after->next)
        return after->next;
    for (unsigned i = after ? bucket_of(after->key) + 1 : 0; i < CA_ROLL_BUCKETS; i++) {
        struct ca_use *first = atomic_load_explicit(&roll->buckets[i], memory_order_acquire);
        if (first)
            return first;
    }
    return NULL;
}

void ca_uses_settle(struct ca_uses *uses)
{
    for (struct ca_roll *roll = uses->first; roll; roll = roll->next)
        for (struct ca_use *use = ca_roll_next(roll, NULL); use; use = ca_roll_next(roll, use))
            use->was_named = false;
}

struct ca_use_facts ca_use_read(const struct ca_roll *roll, const struct ca_use *use)
{
    int64_t idle_s =
        ca_uses_run_s(roll->all) - atomic_load_explicit(&use->idle_from_s, memory_order_relaxed);
    return (struct ca_use_facts){
        .full = atomic_load_explicit(&use->full, memory_order_relaxed),
        .resumed = atomic_load_explicit(&use->resumed, memory_order_relaxed),
        .since_s = use->since_s,
        .last_seen_s = atomic_load_explicit(&use->last_seen_s, memory_order_relaxed),
        .idle_s = idle_s > 0 ? idle_s : 0,
    };
}

/* --- counting ------------------------------------------------------------------------------ */

/* Written only when the second has changed: many workers may meet clients of one CA. */
static void see(struct ca_use *use, int64_t now_s, int64_t running_s)
{
    if (atomic_load_explicit(&use->last_seen_s, memory_order_relaxed) != now_s)
        atomic_store_explicit(&use->last_seen_s, now_s, memory_order_relaxed);
    if (atomic_load_explicit(&use->idle_from_s, memory_order_relaxed) != running_s)
        atomic_store_explicit(&use->idle_from_s, running_s, memory_order_relaxed);
}

void ca_roll_see(struct ca_roll *roll, const struct identity *identity)
{
    int64_t now_s = ca_uses_wall_s(roll->all), running_s = ca_uses_run_s(roll->all);
    for (unsigned i = 0; i < identity->result_count; i++) {
        const struct ca_set_result *result = &identity->results[i];
        for (unsigned k = 0; k < result->ca_count; k++) {
            struct ca_use *use = ca_roll_find(roll, result->ca_keys[k]);
            if (use)
                see(use, now_s, running_s);
        }
    }
}

/* Was this CA met in a result before this one? Sets may share CAs. */
static bool is_counted(const struct identity *identity, unsigned result,
                       const unsigned char key[CA_KEY_BYTES])
{
    for (unsigned i = 0; i < result; i++)
        for (unsigned k = 0; k < identity->results[i].ca_count; k++)
            if (memcmp(identity->results[i].ca_keys[k], key, CA_KEY_BYTES) == 0)
                return true;
    return false;
}

/* The name of a CA that client_ca does not name: the client sent it along. */
static char *sent_subject(const struct identity *identity, const unsigned char key[CA_KEY_BYTES])
{
    for (int i = 0; i < sk_X509_num(identity->chain); i++) {
        X509 *certificate = sk_X509_value(identity->chain, i);
        unsigned char own[CA_KEY_BYTES];
        if (ca_key_of(certificate, own) && memcmp(own, key, sizeof own) == 0)
            return certificate_name_text(X509_get_subject_name(certificate));
    }
    return NULL;
}

static struct ca_use *met(struct ca_roll *roll, const struct identity *identity,
                          const unsigned char key[CA_KEY_BYTES])
{
    struct ca_use *use = ca_roll_find(roll, key);
    if (use)
        return use;
    char *subject = sent_subject(identity, key);
    use = ca_roll_use(roll, key, subject ? subject : "", true);
    free(subject);
    return use;
}

void ca_roll_count(struct ca_roll *roll, const struct identity *identity, bool is_resumed)
{
    if (!roll || !identity)
        return;
    int64_t now_s = ca_uses_wall_s(roll->all), running_s = ca_uses_run_s(roll->all);
    for (unsigned i = 0; i < identity->result_count; i++) {
        const struct ca_set_result *result = &identity->results[i];
        for (unsigned k = 0; k < result->ca_count; k++) {
            const unsigned char *key = result->ca_keys[k];
            struct ca_use *use = is_counted(identity, i, key) ? NULL : met(roll, identity, key);
            if (!use)
                continue;
            atomic_fetch_add_explicit(is_resumed ? &use->resumed : &use->full, 1,
                                      memory_order_relaxed);
            see(use, now_s, running_s);
        }
    }
}
