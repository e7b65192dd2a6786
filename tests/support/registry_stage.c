/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/registry_stage.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lb/base/certificate.h"
#include "lb/base/timestamp.h"
#include "tests/support/faulty_ledger.h"

void registry_stage_open(struct registry_stage *stage)
{
    memset(stage, 0, sizeof *stage);
    folder_make(&stage->folder);
    stage->actor = (struct actor){"test", timestamp_now_ms()};
    ck_assert_int_gt(
        asprintf(&stage->location, "sqlite:%s", folder_file(&stage->folder, "registry.db")), 0);
    struct ledger *inner = NULL;
    enum store_outcome outcome = ledger_open(&inner, stage->location, STORE_MAKE, &stage->err);
    ck_assert_msg(outcome == STORE_DONE, "%d: %s", (int)outcome, stage->err.text);
    stage->ledger = faulty_ledger(inner);
}

void registry_stage_close(struct registry_stage *stage)
{
    certificate_result_done(&stage->certificate);
    ca_result_done(&stage->ca);
    stage->ledger->store->close(stage->ledger);
    free(stage->location);
    folder_remove(&stage->folder);
}

enum change_refusal registry_stage_try_upload(struct registry_stage *stage, const char *name,
                                              const struct made *ca)
{
    char *pem = made_certificate_pem(ca);
    ca_result_done(&stage->ca);
    enum change_refusal refusal = ca_upload(stage->ledger, name, pem, strlen(pem), 32,
                                            &stage->actor, &stage->ca, &stage->err);
    free(pem);
    return refusal;
}

void registry_stage_upload(struct registry_stage *stage, const char *name, const struct made *ca)
{
    enum change_refusal refusal = registry_stage_try_upload(stage, name, ca);
    ck_assert_msg(refusal == CHANGE_MADE, "%s", stage->err.text);
}

enum change_refusal registry_stage_try(struct registry_stage *stage,
                                       const struct registration *registration)
{
    certificate_result_done(&stage->certificate);
    return certificate_register(stage->ledger, registration, &stage->actor, &stage->certificate,
                                &stage->err);
}

void registry_stage_register(struct registry_stage *stage, const struct made *made)
{
    enum change_refusal refusal =
        registry_stage_try(stage, &(struct registration){.certificate = made->certificate,
                                                         .chain = made->chain,
                                                         .activate = true,
                                                         .source = SOURCE_MANUAL});
    ck_assert_msg(refusal == CHANGE_MADE, "%s", stage->err.text);
}

enum change_refusal registry_stage_change(struct registry_stage *stage, const struct made *made,
                                          enum certificate_status status)
{
    char *serial = certificate_serial_text(made->certificate);
    certificate_result_done(&stage->certificate);
    enum change_refusal refusal =
        certificate_change(stage->ledger, &(struct certificate_wanted){.serial = serial}, status,
                           &stage->actor, &stage->certificate, &stage->err);
    free(serial);
    return refusal;
}

void registry_stage_expect(const struct registry_stage *stage, enum change_refusal is,
                           enum change_refusal expected, const char *words)
{
    ck_assert_msg(is == expected, "%s instead of %s: %s", change_refusal_name(is),
                  change_refusal_name(expected), stage->err.text);
    ck_assert_msg(strstr(stage->err.text, words) != NULL, "\"%s\" is not in: %s", words,
                  stage->err.text);
}

static bool on_newest(void *arg, const struct change_record *change)
{
    snprintf(arg, 2048, "%s|%s|%s", change->action, change->before, change->after);
    ck_assert_str_eq(change->who, "test");
    return false;
}

void registry_stage_last_change(struct registry_stage *stage, char into[2048])
{
    into[0] = '\0';
    ck_assert_int_eq(stage->ledger->store->find_changes(stage->ledger,
                                                        &(struct change_filter){.limit = 1},
                                                        on_newest, into, &stage->err),
                     STORE_DONE);
}

static bool on_change(void *arg, const struct change_record *change)
{
    (void)change;
    ++*(unsigned *)arg;
    return true;
}

unsigned registry_stage_change_count(struct registry_stage *stage)
{
    unsigned count = 0;
    stage->ledger->store->find_changes(stage->ledger, &(struct change_filter){.limit = 1000},
                                       on_change, &count, &stage->err);
    return count;
}

int64_t registry_stage_certificate_count(struct registry_stage *stage, unsigned statuses)
{
    int64_t count = -1;
    stage->ledger->store->count_certificates(
        stage->ledger, &(struct certificate_filter){.statuses = statuses}, &count, &stage->err);
    return count;
}
