/* SPDX-License-Identifier: Apache-2.0 */
/* A rule that requires certificates of one CA, a client of it that the rule has verified, and a
 * memory of what responders say: no sockets, no INI file. */
#ifndef LB_TESTS_OCSP_STAGE_H
#define LB_TESTS_OCSP_STAGE_H

#include "listeners/identity.h"
#include "listeners/ocsp/ocsp_check.h"
#include "listeners/rules/policy.h"
#include "tests/support/certificates.h"
#include "tests/support/tls_stage.h"

struct ocsp_stage {
    struct stage stage; /* for its CA sets */
    struct made *ca;
    struct made *client; /* names http://127.0.0.1:9/ as its responder */
    struct policy policy;
    struct client_auth auth; /* the rule's, with its check */
    struct ocsp_check check;
    struct ocsp *ocsp;
    struct identity *identity; /* the client's */
};

/* responder: NULL: the one that the certificate names. Lives until ocsp_stage_close. */
void ocsp_stage_open(struct ocsp_stage *stage, bool is_hard, const char *responder);
void ocsp_stage_close(struct ocsp_stage *stage);
/* Another client of it; or the same as somebody who comes anew. */
struct identity *ocsp_stage_identify(struct ocsp_stage *stage, const struct made *made);
/* What ocsp_judge says at this time. */
enum refusal ocsp_stage_judge(struct ocsp_stage *stage, time_t now, bool *ret_must_ask);
/* Remember that, under the client's key. */
void ocsp_stage_remember(struct ocsp_stage *stage, enum ocsp_word word, time_t until, time_t now);

#endif
