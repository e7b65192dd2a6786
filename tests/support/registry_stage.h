/* SPDX-License-Identifier: Apache-2.0 */
/* An empty registry, and what tests of its rules do again and again. A failed expectation ends the
 * test. */
#ifndef LB_TESTS_REGISTRY_STAGE_H
#define LB_TESTS_REGISTRY_STAGE_H

#include "listeners/registry/cas.h"
#include "tests/support/certificates.h"
#include "tests/support/folder.h"

struct registry_stage {
    struct folder folder;
    char *location;        /* for those who open it again */
    struct ledger *ledger; /* a faulty one: see faulty_ledger.h */
    struct actor actor;    /* who "test"; now_ms: the time of opening, to be moved at will */
    struct error err;      /* of the last call */
    struct certificate_result certificate; /* … of the last of these */
    struct ca_result ca;
};

void registry_stage_open(struct registry_stage *stage);
void registry_stage_close(struct registry_stage *stage);

/** Upload and register, which must work: ACTIVATED, by hand. */
void registry_stage_upload(struct registry_stage *stage, const char *name, const struct made *ca);
void registry_stage_register(struct registry_stage *stage, const struct made *made);

/** The same, giving what came of it. */
enum change_refusal registry_stage_try_upload(struct registry_stage *stage, const char *name,
                                              const struct made *ca);
enum change_refusal registry_stage_try(struct registry_stage *stage,
                                       const struct registration *registration);
/** serial: of this certificate. */
enum change_refusal registry_stage_change(struct registry_stage *stage, const struct made *made,
                                          enum certificate_status status);

/** Refused like this, and the words stand in the message? */
void registry_stage_expect(const struct registry_stage *stage, enum change_refusal is,
                           enum change_refusal expected, const char *words);

/** The newest line of the audit log, "action|before|after". */
void registry_stage_last_change(struct registry_stage *stage, char into[2048]);
unsigned registry_stage_change_count(struct registry_stage *stage);
int64_t registry_stage_certificate_count(struct registry_stage *stage, unsigned statuses);

#endif
