/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/ocsp_stage.h"

#include <check.h>

struct identity *ocsp_stage_identify(struct ocsp_stage *stage, const struct made *made)
{
    unsigned char hash[32] = {0};
    STACK_OF(X509) *chain = X509_chain_up_ref(made->chain);
    X509_up_ref(made->certificate);
    sk_X509_unshift(chain, made->certificate);
    struct identity *identity = identity_new(&stage->policy, chain, hash, time(NULL));
    ck_assert_ptr_nonnull(identity);
    sk_X509_pop_free(chain, X509_free);
    return identity;
}

void ocsp_stage_open(struct ocsp_stage *stage, bool is_hard, const char *responder)
{
    struct error err = {""};
    stage_open(&stage->stage);
    stage->ca = made_ca("Client CA");
    stage->client = made_certificate(&(struct certificate_wish){.name = "alice",
                                                                .issuer = stage->ca,
                                                                .usage = "clientAuth",
                                                                .ocsp = "http://127.0.0.1:9/"});
    stage->ocsp = ocsp_new(1000);
    ck_assert_msg(ocsp_check_init(&stage->check, is_hard, responder, &err), "%s", err.text);
    ocsp_check_open(&stage->check, stage->ocsp);
    stage->auth = (struct client_auth){.mode = AUTH_REQUIRE,
                                       .ca_set = stage_ca_set(&stage->stage, stage->ca, NULL),
                                       .refuse_with = REFUSE_403,
                                       .ocsp = &stage->check};
    const struct client_auth *rules[] = {&stage->auth};
    ck_assert_int_eq(policy_make(&stage->policy, rules, 1), POLICY_FINE);
    stage->identity = ocsp_stage_identify(stage, stage->client);
}

void ocsp_stage_close(struct ocsp_stage *stage)
{
    identity_unref(stage->identity);
    policy_done(&stage->policy);
    ocsp_free(stage->ocsp);
    made_free(stage->client);
    made_free(stage->ca);
    stage_close(&stage->stage);
}

enum refusal ocsp_stage_judge(struct ocsp_stage *stage, time_t now, bool *ret_must_ask)
{
    *ret_must_ask = false;
    return ocsp_judge(&stage->check, stage->identity,
                      identity_result(stage->identity, stage->auth.ca_set), now, ret_must_ask);
}

void ocsp_stage_remember(struct ocsp_stage *stage, enum ocsp_word word, time_t until, time_t now)
{
    unsigned char key[OCSP_KEY_BYTES];
    const struct ocsp_note note = {.word = word, .until = until};
    ocsp_check_key(&stage->check, stage->identity, key);
    ocsp_remember(stage->ocsp, key, &note, now);
}
