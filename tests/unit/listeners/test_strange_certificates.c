/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every certificate of tests/support/strange.c, as a client's own and as an intermediate: accepted
 * or refused as RFC 5280 says, under its name, described in words that are bounded and can be
 * printed.
 */
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "lb/base/certificate.h"
#include "lb/base/log.h"
#include "lb/base/utf8.h"
#include "listeners/identity.h"
#include "listeners/rules/policy.h"
#include "listeners/tls/handshake.h"
#include "tests/support/check_main.h"
#include "tests/support/strange.h"
#include "tests/support/tls_cast.h"

struct court {
    struct cast cast;
    struct policy policy;
};

static void court_open(struct court *court)
{
    cast_open(&court->cast);
    const struct client_auth rule = {.mode = AUTH_REQUIRE,
                                     .ca_set = court->cast.set,
                                     .refuse_with = REFUSE_403,
                                     .registration = REGISTRATION_OFF};
    const struct client_auth *rules[] = {&rule};
    ck_assert_int_eq(policy_make(&court->policy, rules, 1), POLICY_FINE);
}

static void court_close(struct court *court)
{
    policy_done(&court->policy);
    cast_close(&court->cast);
}

/* What a server gets of it. */
static void receive(STACK_OF(X509) * chain, X509 *certificate)
{
    unsigned char *der = NULL;
    int length = i2d_X509(certificate, &der);
    const unsigned char *at = der;
    X509 *received = d2i_X509(NULL, &at, length);
    ck_assert(received && sk_X509_push(chain, received) > 0);
    OPENSSL_free(der);
}

/* As a handshake does it: the whole chain as the client sends it. */
static struct identity *identify(const struct court *court, const struct made *made)
{
    const unsigned char hash[32] = {0};
    STACK_OF(X509) *chain = sk_X509_new_null();
    receive(chain, made->certificate);
    for (int i = 0; i < sk_X509_num(made->chain); i++)
        receive(chain, sk_X509_value(made->chain, i));
    struct identity *identity = identity_new(&court->policy, chain, hash, time(NULL));
    sk_X509_pop_free(chain, X509_free);
    return identity;
}

static void expect_printable(const char *what, const char *text, size_t most)
{
    size_t length = strlen(text);
    ck_assert_msg(length <= most, "%s has %zu bytes", what, length);
    for (size_t at = 0; at < length;) {
        size_t step = utf8_length(text + at, length - at);
        ck_assert_msg(step > 0 && !utf8_is_hidden(text + at, step), "%s at %zu: %s", what, at,
                      text);
        at += step;
    }
}

static void expect_described(const struct identity *identity)
{
    expect_printable("subject", identity->subject, CERTIFICATE_NAME_BYTES);
    expect_printable("issuer", identity->issuer, CERTIFICATE_NAME_BYTES);
    expect_printable("serial", identity->serial, CERTIFICATE_NAME_BYTES);
    const char *digits = identity->serial + (identity->serial[0] == '-');
    ck_assert_uint_eq(strlen(digits) % 2, 0);
    ck_assert_uint_eq(strspn(digits, "0123456789ABCDEF"), strlen(digits));
    ck_assert_uint_eq(strlen(identity->sha256), 64);
    if (identity->common_name)
        expect_printable("common name", identity->common_name, CERTIFICATE_NAME_BYTES);
    struct handshake handshake = {.identity = (struct identity *)identity};
    struct log_line line;
    log_begin(&line, LOG_LEVEL_WARN, "client.refused");
    handshake_describe(&handshake, NULL, &line);
    ck_assert_uint_lt(line.used, LOG_LINE_BYTES);
    for (size_t i = 0; i < line.used; i++)
        ck_assert(line.text[i] >= ' ' && line.text[i] < 0x7f);
    ck_assert_ptr_nonnull(memmem(line.text, line.used, "sha256=", 7));
}

/* What a judge says of it, and at which depth. */
static void expect_refusal(const struct court *court, const struct strange *strange,
                           const struct made *made, enum refusal refusal, int depth)
{
    struct identity *identity = identify(court, made);
    ck_assert_msg(identity != NULL, "%s: no identity", strange->name);
    const struct ca_set_result *result = &identity->results[0];
    ck_assert_msg(result->refusal == refusal, "%s: %s (%d) instead of %s", strange->name,
                  refusal_name(result->refusal), result->x509_error, refusal_name(refusal));
    if (refusal != REFUSAL_NONE)
        ck_assert_msg(result->depth == depth, "%s: depth %d", strange->name, result->depth);
    ck_assert_int_eq(identity_is_verified(identity), refusal == REFUSAL_NONE);
    ck_assert_int_eq(identity->has_key, refusal == REFUSAL_NONE);
    if (depth == 0)
        expect_described(identity);
    identity_unref(identity);
}

START_TEST(each_is_accepted_or_refused_under_its_name)
{
    const struct strange *strange = &strange_ones[_i];
    struct court court;
    court_open(&court);
    struct made *made = strange_client(strange, court.cast.ca);
    /* Whether it is too large is seen before anybody looks at it. */
    enum refusal refusal = strange->refusal == REFUSAL_TOO_LARGE ? REFUSAL_NONE : strange->refusal;
    expect_refusal(&court, strange, made, refusal, 0);
    made_free(made);
    court_close(&court);
}
END_TEST

START_TEST(an_intermediate_like_it_is_named_too)
{
    const struct strange *strange = &strange_ones[_i];
    struct court court;
    court_open(&court);
    struct made *made = strange_descendant(strange, court.cast.ca);
    enum refusal refusal =
        strange->as_issuer == REFUSAL_TOO_LARGE ? REFUSAL_NONE : strange->as_issuer;
    expect_refusal(&court, strange, made, refusal, refusal == REFUSAL_UNTRUSTED ? 0 : 1);
    made_free(made);
    court_close(&court);
}
END_TEST

/* "admin" to whoever reads to the NUL, and something else to all others. */
START_TEST(a_common_name_with_a_nul_is_nobody_s)
{
    struct court court;
    court_open(&court);
    for (unsigned i = 0; i < strange_count; i++) {
        if (strcmp(strange_ones[i].name, "nul-in-name") != 0)
            continue;
        struct made *made = strange_client(&strange_ones[i], court.cast.ca);
        struct identity *identity = identify(&court, made);
        ck_assert(identity_is_verified(identity));
        ck_assert_ptr_null(identity->common_name);
        ck_assert_ptr_nonnull(strstr(identity->subject, "admin\\00.example.com"));
        identity_unref(identity);
        made_free(made);
    }
    court_close(&court);
}
END_TEST

START_TEST(a_signature_by_md5_is_too_weak)
{
    static const struct strange md5 = {.name = "md5"};
    struct court court;
    court_open(&court);
    struct made *ca = made_certificate(
        &(struct certificate_wish){.name = "RSA CA", .ca = true, .key = MADE_KEY_RSA_2048});
    struct client_auth rule = {.mode = AUTH_REQUIRE,
                               .ca_set = stage_ca_set(&court.cast.stage, ca, NULL),
                               .refuse_with = REFUSE_403,
                               .registration = REGISTRATION_OFF};
    const struct client_auth *rules[] = {&rule};
    policy_done(&court.policy);
    ck_assert_int_eq(policy_make(&court.policy, rules, 1), POLICY_FINE);
    struct made *made =
        made_certificate(&(struct certificate_wish){.name = "md5", .issuer = ca, .digest = "MD5"});
    expect_refusal(&court, &md5, made, REFUSAL_WEAK_KEY, 0);
    made_free(made);
    made_free(ca);
    court_close(&court);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, each_is_accepted_or_refused_under_its_name, 0, (int)strange_count);
    tcase_add_loop_test(tcase, an_intermediate_like_it_is_named_too, 0, (int)strange_count);
    tcase_add_test(tcase, a_common_name_with_a_nul_is_nobody_s);
    tcase_add_test(tcase, a_signature_by_md5_is_too_weak);
}

CHECK_MAIN("strange certificates", add_tests)
