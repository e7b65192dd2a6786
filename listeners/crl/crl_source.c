/* SPDX-License-Identifier: Apache-2.0 */
#include "listeners/crl/crl_source.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lb/base/timestamp.h"
#include "listeners/crl/crl_file.h"
#include "listeners/crl/crl_log.h"
#include "listeners/crl/crls.h"

/* How long before the end somebody should look. */
enum list_age { LIST_FRESH, LIST_ENDS_SOON, LIST_OUT_OF_DATE };

struct crl_source {
    atomic_uint references;
    char *path;
    /* Who reads the file holds this, and may wait for a disk that never answers: the control thread
     * never takes it. */
    pthread_mutex_t reading;
    struct crl_stamp seen;                   /* at the last look */
    struct crl_stamp tried;                  /* when it was read last; zeroed: read it once more */
    bool is_told;                            /* the failure was logged */
    unsigned char ages[CRL_FILE_LISTS_MOST]; /* enum list_age, as far as told */
    /* Held for moments. What follows is written by who has both, but for the issuers. */
    pthread_mutex_t lock;
    STACK_OF(X509) * issuers;
    bool has_new_issuers;           /* since it was read */
    struct crl_file *file;          /* in force; NULL: nothing */
    bool is_new;                    /* it was taken, and crl_source_deliver not called since */
    char failure[ERROR_TEXT_BYTES]; /* of the last reading; empty: none */
    time_t failed_at;
    bool is_older; /* it is that the file is older than what is in force */
};

/* --- life ------------------------------------------------------------------------------------ */

struct crl_source *crl_source_new(const char *path)
{
    struct crl_source *source = calloc(1, sizeof *source);
    if (!source)
        error_out_of_memory();
    atomic_init(&source->references, 1);
    pthread_mutex_init(&source->reading, NULL);
    pthread_mutex_init(&source->lock, NULL);
    source->path = strdup(path);
    source->issuers = sk_X509_new_null();
    if (!source->path || !source->issuers)
        error_out_of_memory();
    return source;
}

struct crl_source *crl_source_ref(struct crl_source *source)
{
    atomic_fetch_add_explicit(&source->references, 1, memory_order_relaxed);
    return source;
}

void crl_source_unref(struct crl_source *source)
{
    if (!source || atomic_fetch_sub_explicit(&source->references, 1, memory_order_acq_rel) > 1)
        return;
    crl_file_unref(source->file);
    sk_X509_pop_free(source->issuers, X509_free);
    pthread_mutex_destroy(&source->lock);
    pthread_mutex_destroy(&source->reading);
    free(source->path);
    free(source);
}

bool crl_source_is_used(const struct crl_source *source, unsigned own_count)
{
    return atomic_load_explicit(&source->references, memory_order_acquire) > own_count;
}

const char *crl_source_path(const struct crl_source *source)
{
    return source->path;
}

static bool has_issuer(const struct crl_source *source, const X509 *issuer)
{
    for (int i = 0; i < sk_X509_num(source->issuers); i++)
        if (X509_cmp(sk_X509_value(source->issuers, i), issuer) == 0)
            return true;
    return false;
}

void crl_source_add_issuers(struct crl_source *source, STACK_OF(X509) * issuers)
{
    pthread_mutex_lock(&source->lock);
    for (int i = 0; i < sk_X509_num(issuers); i++) {
        X509 *issuer = sk_X509_value(issuers, i);
        if (has_issuer(source, issuer))
            continue;
        if (X509_add_cert(source->issuers, issuer, X509_ADD_FLAG_UP_REF) != 1)
            error_out_of_memory();
        source->has_new_issuers = true;
    }
    pthread_mutex_unlock(&source->lock);
}

struct crl_file *crl_source_file(struct crl_source *source)
{
    pthread_mutex_lock(&source->lock);
    struct crl_file *file = source->file ? crl_file_ref(source->file) : NULL;
    pthread_mutex_unlock(&source->lock);
    return file;
}

/* --- who reads holds source->reading
 * ----------------------------------------------------------------- */

static const struct crl *newest_of(const struct crl_file *file, const unsigned char *ca_key)
{
    const struct crl *newest = NULL;
    for (unsigned i = 0; i < file->count; i++)
        if (memcmp(file->lists[i]->ca_key, ca_key, CA_KEY_BYTES) == 0 &&
            (!newest || crl_is_older(newest, file->lists[i])))
            newest = file->lists[i];
    return newest;
}

/* A CA may have its lists in parts, each with a number of its own: the newest of them tells. */
static const struct crl *older_list(const struct crl_file *file, const struct crl_file *before)
{
    for (unsigned i = 0; i < file->count; i++) {
        const unsigned char *ca_key = file->lists[i]->ca_key;
        const struct crl *now = newest_of(file, ca_key);
        const struct crl *then = newest_of(before, ca_key);
        if (then && crl_is_older(now, then))
            return now;
    }
    return NULL;
}

/* A CA whose list was there, and is gone: what it has revoked must not pass again by a mix-up of
 * files. */
static const struct crl *lost_list(const struct crl_file *file, const struct crl_file *before)
{
    for (unsigned i = 0; i < before->count; i++)
        if (!newest_of(file, before->lists[i]->ca_key))
            return before->lists[i];
    return NULL;
}

/* Does it say less than what is in force? err then says which list that is about. */
static bool goes_back(const struct crl_source *source, const struct crl_file *file,
                      struct error *err)
{
    const struct crl_file *before = source->file;
    const struct crl *older = before ? older_list(file, before) : NULL;
    const struct crl *lost = before ? lost_list(file, before) : NULL;
    if (older)
        error_set(err, "%s: the list of %.200s is older than the one in force, which stays",
                  source->path, older->issuer);
    else if (lost)
        error_set(err,
                  "%s: has no list of %.200s any more; the one in force stays until lb is started "
                  "anew",
                  source->path, lost->issuer);
    return older || lost;
}

/* Written within its clock's tick, it may be written once more and look the same: it is read
 * again, when the clock has gone on. */
static bool may_change_unseen(const struct crl_stamp *stamp)
{
    enum { TICK_MS = 20, COARSE_TICK_MS = 2000 };
    bool is_coarse = stamp->changed.tv_nsec == 0 && stamp->modified.tv_nsec == 0;
    int64_t written_ms = (int64_t)stamp->changed.tv_sec * 1000 + stamp->changed.tv_nsec / 1000000;
    int64_t age_ms = timestamp_now_ms() - written_ms;
    return age_ms >= 0 && age_ms < (is_coarse ? COARSE_TICK_MS : TICK_MS);
}

/* text: empty: there is no failure any more. */
static void set_failure(struct crl_source *source, const char *text, time_t now)
{
    source->is_told = source->is_told && strcmp(source->failure, text) == 0;
    pthread_mutex_lock(&source->lock);
    snprintf(source->failure, sizeof source->failure, "%s", text);
    source->failed_at = now;
    source->is_older = false;
    pthread_mutex_unlock(&source->lock);
}

static enum crl_source_outcome fail(struct crl_source *source, const struct error *err, time_t now)
{
    set_failure(source, err->text, now);
    return CRL_SOURCE_FAILED;
}

static void take(struct crl_source *source, struct crl_file *file, time_t now)
{
    struct crl_file *before = source->file;
    set_failure(source, "", now);
    memset(source->ages, LIST_FRESH, sizeof source->ages);
    pthread_mutex_lock(&source->lock);
    source->file = file;
    source->is_new = true;
    pthread_mutex_unlock(&source->lock);
    crl_file_unref(before);
}

/* A file that was read well; it is taken over. */
static enum crl_source_outcome judge_file(struct crl_source *source, struct crl_file *file,
                                          time_t now, struct error *err)
{
    const struct crl_file *before = source->file;
    bool is_same = before && before->left_out_count == file->left_out_count &&
                   memcmp(before->digest, file->digest, sizeof file->digest) == 0;
    if (is_same) {
        set_failure(source, "", now);
        crl_file_unref(file);
        return CRL_SOURCE_SAME;
    }
    if (before && file->left_out_count > before->left_out_count) {
        error_set(err, "%s: %.400s", source->path, file->left_out);
        crl_file_unref(file);
        return fail(source, err, now);
    }
    if (goes_back(source, file, err)) {
        crl_file_unref(file);
        fail(source, err, now);
        pthread_mutex_lock(&source->lock);
        source->is_older = true;
        pthread_mutex_unlock(&source->lock);
        return CRL_SOURCE_OLDER;
    }
    take(source, file, now);
    return CRL_SOURCE_TAKEN;
}

static enum crl_source_outcome read_now(struct crl_source *source, const struct crl_stamp *stamp,
                                        time_t now, struct error *err)
{
    pthread_mutex_lock(&source->lock);
    STACK_OF(X509) *issuers = X509_chain_up_ref(source->issuers);
    source->has_new_issuers = false;
    pthread_mutex_unlock(&source->lock);
    struct crl_file *file = crl_file_read(source->path, issuers, now, err);
    sk_X509_pop_free(issuers, X509_free);
    source->tried = may_change_unseen(stamp) ? (struct crl_stamp){0} : *stamp;
    return file ? judge_file(source, file, now, err) : fail(source, err, now);
}

/* A read that failed may have failed for want of memory or descriptors. */
enum { RETRY_S = 60 };

static bool is_due(struct crl_source *source, const struct crl_stamp *stamp, time_t now)
{
    pthread_mutex_lock(&source->lock);
    bool has_new_issuers = source->has_new_issuers;
    pthread_mutex_unlock(&source->lock);
    bool lacks_issuers = has_new_issuers &&
                         (source->failure[0] || !source->file || source->file->left_out_count > 0);
    bool is_late = source->failure[0] && now >= source->failed_at + RETRY_S;
    return lacks_issuers || is_late || !crl_stamp_equal(stamp, &source->tried);
}

enum crl_source_outcome crl_source_load(struct crl_source *source, time_t now, struct error *err)
{
    struct crl_stamp stamp;
    enum crl_source_outcome outcome;
    pthread_mutex_lock(&source->reading);
    if (!crl_file_look(source->path, &stamp, err)) {
        source->tried = (struct crl_stamp){0};
        outcome = fail(source, err, now);
    } else if (is_due(source, &stamp, now)) {
        outcome = read_now(source, &stamp, now, err);
        source->is_told = true; /* by who loads */
    } else if (source->failure[0]) {
        error_set(err, "%s", source->failure);
        outcome = source->is_older ? CRL_SOURCE_OLDER : CRL_SOURCE_FAILED;
    } else {
        outcome = CRL_SOURCE_SAME;
    }
    pthread_mutex_unlock(&source->reading);
    return outcome;
}

/* --- watching ---------------------------------------------------------------- */

static void log_failure(struct crl_source *source)
{
    struct log_line line;
    if (source->is_told || !source->failure[0])
        return;
    source->is_told = true;
    log_begin(&line, LOG_LEVEL_WARN, "crl.not-taken");
    log_text(&line, "file", source->path);
    log_text(&line, "message", source->failure);
    log_text(&line, "in_force", source->file ? "the lists that were read before" : "nothing");
    log_end(&line);
}

static enum list_age age_of(const struct crl *crl, time_t now)
{
    if (!crl_is_current(crl, now))
        return LIST_OUT_OF_DATE;
    return crl_ends_soon(crl, now) ? LIST_ENDS_SOON : LIST_FRESH;
}

static void log_ages(struct crl_source *source, time_t now)
{
    for (unsigned i = 0; source->file && i < source->file->count; i++) {
        const struct crl *crl = source->file->lists[i];
        enum list_age age = age_of(crl, now);
        const char *event = age != LIST_OUT_OF_DATE  ? "crl.expiring"
                            : now < crl->this_update ? "crl.not-yet-valid"
                                                     : "crl.expired";
        if (age > source->ages[i])
            crl_log_list(LOG_LEVEL_WARN, event, source->path, crl);
        source->ages[i] = (unsigned char)age;
    }
}

/* false: it is as it was, or somebody may be writing it. */
static bool is_at_rest(struct crl_source *source, const struct crl_stamp *stamp)
{
    bool was_seen = crl_stamp_equal(stamp, &source->seen);
    source->seen = *stamp;
    return was_seen;
}

static void look(struct crl_source *source, time_t now)
{
    struct error err = {""};
    struct crl_stamp stamp;
    if (!crl_file_look(source->path, &stamp, &err)) {
        source->tried = source->seen = (struct crl_stamp){0};
        fail(source, &err, now);
    } else if (is_due(source, &stamp, now) && is_at_rest(source, &stamp)) {
        if (read_now(source, &stamp, now, &err) == CRL_SOURCE_TAKEN)
            crl_log_taken(source->path, source->file);
    }
    log_failure(source);
    log_ages(source, now);
}

bool crl_source_look(struct crl_source *source, time_t now)
{
    pthread_mutex_lock(&source->reading);
    look(source, now);
    pthread_mutex_unlock(&source->reading);
    pthread_mutex_lock(&source->lock);
    bool is_new = source->is_new;
    pthread_mutex_unlock(&source->lock);
    return is_new;
}

void crl_source_deliver(struct crl_source *source)
{
    pthread_mutex_lock(&source->lock);
    source->is_new = false;
    pthread_mutex_unlock(&source->lock);
}

/* --- facts ----------------------------------------------------------------------------------- */

/* What crls_each shows, copied under the lock. */
static struct crl_file *copy_facts(struct crl_source *source, struct crl_fact *fact, char *failure)
{
    pthread_mutex_lock(&source->lock);
    struct crl_file *file = source->file ? crl_file_ref(source->file) : NULL;
    memcpy(failure, source->failure, sizeof source->failure);
    fact->failed_at = *failure ? source->failed_at : 0;
    pthread_mutex_unlock(&source->lock);
    fact->path = source->path;
    fact->failure = *failure ? failure : NULL;
    return file;
}

void crl_source_each(struct crl_source *source,
                     void (*visit)(void *arg, const struct crl_fact *fact), void *arg)
{
    char failure[ERROR_TEXT_BYTES];
    struct crl_fact fact = {0};
    struct crl_file *file = copy_facts(source, &fact, failure);
    if (!file || file->count == 0)
        visit(arg, &fact);
    for (unsigned i = 0; file && i < file->count; i++) {
        const struct crl *crl = file->lists[i];
        fact.issuer = crl->issuer;
        fact.number = *crl->number ? crl->number : NULL;
        fact.entry_count = crl->serials.count;
        fact.this_update = crl->this_update;
        fact.next_update = crl->next_update;
        fact.loaded_at = file->loaded_at;
        visit(arg, &fact);
    }
    crl_file_unref(file);
}
