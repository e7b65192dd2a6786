/* SPDX-License-Identifier: Apache-2.0 */
/* client_ocsp of a rule: whether the CA's OCSP responder still vouches for a verified certificate.
 * RFC 6960. */
#ifndef LB_LISTENERS_OCSP_CHECK_H
#define LB_LISTENERS_OCSP_CHECK_H

#include <stdbool.h>
#include <time.h>

#include "listeners/ocsp/ocsp_memory.h"
#include "listeners/ocsp/ocsp_url.h"
#include "listeners/refusal.h"

struct ca_set_result;
struct identity;

/** Frozen after load; shared by the rules of a listener that ask alike. */
struct ocsp_check {
    bool is_hard;                        /* no answer refuses */
    bool has_responder;                  /* else the one that the certificate names */
    struct ocsp_url url;                 /* of the responder */
    const char *responder;               /* its URL as it was written; NULL: the certificate's */
    unsigned char asks[OCSP_ASKS_BYTES]; /* who is asked: part of what answers are kept under */
    /* Set by ocsp_check_open. */
    struct ocsp *ocsp; /* NULL: nothing is remembered */
    unsigned number;   /* of the responder in there; 0: it has none */
};

/**
 * What a rule says.
 *
 * responder  borrowed for the check's life; NULL: the certificate's
 * Fails:     the URL is none that can be asked; err says what would be right
 */
bool ocsp_check_init(struct ocsp_check *check, bool is_hard, const char *responder,
                     struct error *err);
/** Remember there. ocsp: borrowed for the check's life; NULL: nowhere. Thread: control, before
 * workers see the check. */
void ocsp_check_open(struct ocsp_check *check, struct ocsp *ocsp);

/** Do both ask the same responders in the same way? NULL: none is asked. */
bool ocsp_check_equal(const struct ocsp_check *one, const struct ocsp_check *other);

/**
 * What is remembered of the responder's answer: REFUSAL_OCSP_REVOKED; REFUSAL_OCSP_UNAVAILABLE only
 * where client_ocsp is hard; else NONE. Never asks, never waits.
 *
 * check         not NULL
 * identity      not NULL; what is remembered of it is kept with it
 * result        of the rule's CA set, verified
 * ret_must_ask  true: nothing is remembered that still counts, and the responder has to be asked
 *               before a request passes (the result is NONE then); else untouched
 * Thread:       any. Does not allocate; takes a lock (of a shard) only the first time an answer is
 *               looked up for this identity.
 */
enum refusal ocsp_judge(const struct ocsp_check *check, struct identity *identity,
                        const struct ca_set_result *result, time_t now, bool *ret_must_ask);

/** The same of the last thing that was heard, however old; what ocsp_unanswered() says where that
 * is nothing. */
enum refusal ocsp_last(const struct ocsp_check *check, struct identity *identity);

/** What follows where nobody answers: REFUSAL_OCSP_UNAVAILABLE where client_ocsp is hard, else
 * NONE.
 */
enum refusal ocsp_unanswered(const struct ocsp_check *check);

/** What answers about this identity are kept under. */
void ocsp_check_key(const struct ocsp_check *check, const struct identity *identity,
                    unsigned char ret_key[OCSP_KEY_BYTES]);

#endif
