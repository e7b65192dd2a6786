/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What OCSP responders have said, for all workers and across reloads; bounded, and forgotten after
 * a while.
 *
 * An answer counts until the responder says there is news (nextUpdate), at most OCSP_KEPT_S. That
 * nobody answered is remembered for a moment, too, so that a dead responder is not asked by every
 * request. Whoever was revoked stays so while nobody answers.
 */
#ifndef LB_LISTENERS_OCSP_MEMORY_H
#define LB_LISTENERS_OCSP_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "listeners/registry/record.h"

struct ocsp;

enum {
    /* Until when an answer counts at most: what was revoked may be so long in finding out. */
    OCSP_KEPT_S = 60 * 60,
    /* … one that names no nextUpdate, or says that it does not know the certificate. */
    OCSP_BRIEF_S = 60,
    /* That nobody answered; the least for which anything is remembered. */
    OCSP_FAILURE_S = 10,
    /* A responder that could not be reached so often, with no more than OCSP_FAILURE_S between, is
       left alone for as long. */
    OCSP_DEAD_AFTER = 3,
    OCSP_ASKS_BYTES = 16,
    OCSP_KEY_BYTES = CERTIFICATE_KEY_BYTES + OCSP_ASKS_BYTES,
};

enum ocsp_word {
    OCSP_WORD_GOOD = 1,
    OCSP_WORD_REVOKED,
    OCSP_WORD_NONE, /* nobody answered, or not about this certificate */
};

struct ocsp_note {
    enum ocsp_word word;
    unsigned failures; /* OCSP_WORD_NONE of a responder: how often in a row */
    time_t until;      /* wall clock, seconds; counts before that */
};

/** most: answers kept. NULL: out of memory. */
struct ocsp *ocsp_new(size_t most);
/** NULL is fine. No other thread may use it any more. */
void ocsp_free(struct ocsp *ocsp);

/* Any thread. Keys are hashes, or begin with one. */

/** What was kept under the key last, old or not. false: nothing. */
bool ocsp_recall(struct ocsp *ocsp, const unsigned char *key, struct ocsp_note *ret_note);
/**
 * Keep it, in place of what was there. But that nobody answered takes the place of no answer that
 * still counts, and who was revoked stays so until note->until. Out of memory: nothing is kept.
 */
void ocsp_remember(struct ocsp *ocsp, const unsigned char *key, const struct ocsp_note *note,
                   time_t now);
void ocsp_forget(struct ocsp *ocsp, const unsigned char *key);
/** How many are kept. */
size_t ocsp_count(const struct ocsp *ocsp);

/** What became of a question that a responder was asked, or should have been. */
enum ocsp_result {
    OCSP_RESULT_GOOD,
    OCSP_RESULT_REVOKED,
    OCSP_RESULT_UNKNOWN, /* the responder does not know the certificate */
    OCSP_RESULT_FAILED,  /* no answer, or none that can be believed */
    OCSP_RESULT_COUNT,
};

/** "good", "revoked", "unknown", "failed": the metric's label. Static. */
const char *ocsp_result_name(enum ocsp_result result);
/** One more. Any thread; a question costs a connection, so all workers count in one place. */
void ocsp_count_result(struct ocsp *ocsp, enum ocsp_result result);
/** So many by now. Any thread. */
uint64_t ocsp_result_count(const struct ocsp *ocsp, enum ocsp_result result);

/**
 * Changes whenever somebody turns out to be revoked: copies of notes that were made under another
 * one do not count any more. To be read before what is copied.
 */
unsigned ocsp_generation(const struct ocsp *ocsp);

enum { OCSP_NUMBERS_MOST = 4095 };

/**
 * A number for a responder, the same for the same `asks` as long as the process lives.
 *
 * returns  1 … OCSP_NUMBERS_MOST; 0: there is none left
 * Thread:  control.
 */
unsigned ocsp_number(struct ocsp *ocsp, const unsigned char asks[OCSP_ASKS_BYTES]);

#endif
