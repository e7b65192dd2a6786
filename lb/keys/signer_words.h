/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What signer and `lb sign` tell each other. An order is a JSON object, without any secret. An
 * answer is a line "done 812 640 241" (or "exists", "failed", "missing") with three sizes, and
 * behind it so many bytes each: certificate (DER; of a failure the sentence), CA (DER), key (PEM).
 */
#ifndef LB_KEYS_SIGNER_WORDS_H
#define LB_KEYS_SIGNER_WORDS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "lb/keys/signer.h"

enum signer_work { SIGNER_SIGN, SIGNER_MAKE_CA, SIGNER_TRY_CA };

/** An order of either kind. Borrows. */
struct signer_job {
    enum signer_work work;
    struct issuer_place place;
    enum key_kind key; /* to be made */
    const char *csr;   /* PEM; NULL: none. As wish, of SIGNER_SIGN */
    struct issue_wish wish;
    struct ca_wish ca_wish; /* of SIGNER_MAKE_CA */
};

/** The order's text, for free(). NULL: its texts are not UTF-8, or out of memory. */
char *signer_job_write(const struct signer_job *job);

/** An order as it was read: what job borrows from. */
struct signer_order_read {
    struct signer_job job;
    json_t *root;
    const char *names[ISSUE_NAMES_MOST];
    X509 *known; /* of ca_wish */
};
/** false: it is none; err. Done with signer_order_read_done in any case. */
bool signer_order_parse(struct signer_order_read *read, const char *text, size_t bytes,
                        struct error *err);
void signer_order_read_done(struct signer_order_read *read);

/** What became of an order. */
struct signer_result {
    enum issuer_outcome outcome;
    struct signer_answer
        answer;       /* of SIGNER_MAKE_CA the CA is all there is, of SIGNER_TRY_CA nothing */
    struct error err; /* of ISSUER_FAILED */
};
void signer_result_done(struct signer_result *result);

/** Give the order to a process of its own, and wait for the answer. program: NULL: this one. false:
 * there is no whole answer; err. A thread that may block. */
bool signer_ask(const char *program, const struct signer_job *job, int patience_ms,
                struct signer_result *result, struct error *err);

/** The answer's bytes, to be cleansed and freed. NULL: out of memory. */
char *signer_result_write(const struct signer_result *result, size_t *ret_bytes);
/** false: these bytes are no whole answer. *result is zero-initialised; signer_result_done. */
bool signer_result_parse(struct signer_result *result, const char *bytes, size_t count);

#endif
