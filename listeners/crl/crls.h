/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The book of revocation lists: one for the process, it outlives configs. A thread of its own looks
 * at the files (crl_source.h) and reads what has changed; the control thread then puts it in force,
 * and workers go by it from their next request on. What is replaced is freed when every worker has
 * been at rest since: none can be reading it then.
 *
 *   watcher: look, read, parse ──> on_news ──> control: crls_deliver ──> workers: crl_judge
 *                                                    └── crls_sweep <── crl_reader_rest
 */
#ifndef LB_LISTENERS_CRLS_H
#define LB_LISTENERS_CRLS_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "lb/base/error.h"

struct crl_check;
struct crl_reader;
struct crl_source;
struct crls;

enum { CRLS_LOOK_MS = 250 }; /* from one look at the files to the next */

/* Life. Thread: control. */

/** NULL: out of memory. Nothing is watched yet. */
struct crls *crls_new(void);
/**
 * Watch the files on a thread of its own from now on.
 *
 * on_news  called on that thread: the control thread shall call crls_deliver
 * Fails:   no thread is to be had
 */
bool crls_watch(struct crls *crls, void (*on_news)(void *arg), void *arg, struct error *err);
/** End that thread: nothing is told any more. NULL is fine. */
void crls_end_watch(struct crls *crls);
/** End the thread and free. All checks are dropped, all workers joined. NULL is fine. */
void crls_free(struct crls *crls);

/* Configs. */

/**
 * The source of this path that is watched, or NULL: there is none.
 *
 * returns  a reference (crl_source_unref).   Thread: any.
 */
struct crl_source *crls_find(struct crls *crls, const char *path);
/** A config is about to be served from: what its check asks is watched, and changes reach it, until
 * crls_drop. Thread: control. Out of memory ends the process, as for all that is loaded. */
void crls_adopt(struct crls *crls, struct crl_check *check);
/** Nobody asks this check any more. Thread: control. */
void crls_drop(struct crls *crls, struct crl_check *check);

/* Changes. */

/**
 * Look at every file once, and read what has changed: what the thread of crls_watch does every
 * CRLS_LOOK_MS. For tests where there is no such thread.
 *
 * returns  whether crls_deliver has something to do
 */
bool crls_look(struct crls *crls, time_t now);
/**
 * Put in force what was read. Thread: control.
 *
 * returns  true: lists have changed; somebody may pass less than before
 */
bool crls_deliver(struct crls *crls);
/** Free what was replaced, as far as every reader has been at rest since. Thread: control. */
void crls_sweep(struct crls *crls);

/** A thread that judges by these lists from now on: it has to rest now and then. NULL: out of
 * memory. Lives as long as the book. Thread: control, or any before that thread runs. */
struct crl_reader *crl_reader_new(struct crls *crls);
/** The calling thread is in no crl_judge(). Cheap. NULL is fine. */
void crl_reader_rest(struct crl_reader *reader);

/* Facts. */

/** One list in force, or a file that has none. All texts are lent for the call. */
struct crl_fact {
    const char *path;
    const char *issuer;  /* RFC 2253; NULL: nothing of this file is in force */
    const char *number;  /* its CRL number, hex; NULL: it has none */
    size_t entry_count;  /* revoked certificates */
    time_t this_update;  /* seconds since 1970 */
    time_t next_update;  /* 0: it does not say when it is out of date */
    time_t loaded_at;    /* when it was read */
    const char *failure; /* why the file, as it is now, was not taken; NULL: it was */
    time_t failed_at;    /* when that was found */
};

/**
 * Visit every list of every file that is watched, in the order of the paths; a file with several
 * lists is visited once for each, one whose lists are not in force once, with issuer NULL.
 *
 * crls    NULL: there are none
 * Thread: control.
 */
void crls_each(struct crls *crls, void (*visit)(void *arg, const struct crl_fact *fact), void *arg);

#endif
