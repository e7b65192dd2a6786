/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An OCSP responder that answers what a story says, in the manner it says, and counts what it is
 * asked. Answers are made and signed by OpenSSL as a CA's are.
 */
#ifndef LB_TESTS_STUB_RESPONDER_H
#define LB_TESTS_STUB_RESPONDER_H

#include <openssl/ocsp.h>

#include "tests/support/certificates.h"
#include "tests/support/stub_backend.h"

/* What an answer shall say. Zero: good, from now on and for an hour, signed by the CA. */
struct ocsp_wish {
    int status;         /* V_OCSP_CERTSTATUS_GOOD, …_REVOKED, …_UNKNOWN */
    int refuses;        /* OCSP_RESPONSE_STATUS_…: it says that and nothing else; 0: it answers */
    int64_t made_s;     /* thisUpdate, counted from now */
    int64_t next_s;     /* nextUpdate, the same; 0: in an hour */
    bool has_no_next;   /* there is none */
    bool is_of_another; /* it is about another serial */
    bool is_bent;       /* one bit of the signature is wrong */
    const struct made *signer; /* NULL: the CA itself */
};

/* An answer to a question (DER). Fails the test when there is none to make. text_done(). */
struct text ocsp_answer(const struct made *ca, const struct ocsp_wish *wish, const void *question,
                        size_t length);

enum responder_manner {
    RESPONDER_ANSWERS,
    RESPONDER_CHUNKED,     /* the same, chunked, a few bytes at a time */
    RESPONDER_UNTIL_CLOSE, /* the same, without a length */
    RESPONDER_HELD,        /* it answers when the story lets it */
    RESPONDER_GARBAGE,     /* HTTP, but what is in it is no OCSP */
    RESPONDER_NO_HTTP,
    RESPONDER_HUGE,     /* a body without end */
    RESPONDER_FAILING,  /* status 500 */
    RESPONDER_REFUSING, /* status 404, as some do of a serial that they do not know */
    RESPONDER_LEAVING,  /* closes in the middle */
};

struct stub_responder {
    struct stub_backend stub;
    const struct made *ca;
    atomic_uint asked;    /* questions that were read whole */
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t changed;
    struct ocsp_wish wish;
    enum responder_manner manner;
    unsigned holding;
};

/* ca: borrowed. Its port is stub.port. */
void responder_start(struct stub_responder *responder, const struct made *ca);
/* The same on a certain port, for one that comes back. */
void responder_start_at(struct stub_responder *responder, const struct made *ca, unsigned port);
/* Lets all go, closes everything. */
void responder_stop(struct stub_responder *responder);
/* What it does from now on; those who are held get this, too. */
void responder_set(struct stub_responder *responder, enum responder_manner manner,
                   const struct ocsp_wish *wish);
/* Questions that are held now. */
unsigned responder_holding(struct stub_responder *responder);
unsigned responder_asked(struct stub_responder *responder);

#endif
