/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file of revocation lists that is in use, over its changes. What it held when it was last good
 * is in force until a better one is there: a file that is half written, older, unreadable or gone
 * changes nothing but its failure.
 *
 *   look: as it was when it was last read ──> nothing
 *         changed since the last look ──────> another look: somebody may be writing it
 *         changed, but not since the last ──> read
 */
#ifndef LB_LISTENERS_CRL_SOURCE_H
#define LB_LISTENERS_CRL_SOURCE_H

#include <openssl/x509.h>
#include <stdbool.h>
#include <time.h>

#include "lb/base/error.h"

struct crl_fact;
struct crl_file;
struct crl_source;

/** Nothing is read yet. Out of memory ends the process. */
struct crl_source *crl_source_new(const char *path);
struct crl_source *crl_source_ref(struct crl_source *source);
/** NULL is fine. The last one frees. Any thread. */
void crl_source_unref(struct crl_source *source);
/** Has anybody a reference besides these? */
bool crl_source_is_used(const struct crl_source *source, unsigned own_count);

/** Static for its life. */
const char *crl_source_path(const struct crl_source *source);

/** These CAs may sign its lists, too. Any thread. Out of memory ends the process. */
void crl_source_add_issuers(struct crl_source *source, STACK_OF(X509) * issuers);

enum crl_source_outcome {
    CRL_SOURCE_SAME, /* what is in force is what the file says */
    CRL_SOURCE_TAKEN,
    CRL_SOURCE_OLDER,  /* good, but older than what is in force, which stays; err says so */
    CRL_SOURCE_FAILED, /* err, beginning with the path; what is in force stays, if anything is */
};

/**
 * Read the file if it is not as it was when it was read last, or if there are CAs now that a list
 * lacked then. Thread: any; blocks for the disk.
 */
enum crl_source_outcome crl_source_load(struct crl_source *source, time_t now, struct error *err);

/**
 * Look whether the file has changed, and load it when it has been at rest for a look. What is
 * found is logged: a change, a failure (once), a list that is out of date or soon will be.
 *
 * returns  whether something was taken, by whomever, since crl_source_deliver
 * Thread:  the watcher; blocks for the disk.
 */
bool crl_source_look(struct crl_source *source, time_t now);
/** What it has is on its way to those who judge. Any thread. */
void crl_source_deliver(struct crl_source *source);

/** What is in force; a reference (crl_file_unref). NULL: nothing. Any thread. */
struct crl_file *crl_source_file(struct crl_source *source);

/** See crls_each. Any thread. */
void crl_source_each(struct crl_source *source,
                     void (*visit)(void *arg, const struct crl_fact *fact), void *arg);

#endif
