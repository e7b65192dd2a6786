/* SPDX-License-Identifier: Apache-2.0 */
/* What a domain's rules ask together, and what one rule says to one identity. */
#include "listeners/rules/policy.h"

#include <string.h>

#include "listeners/identity.h"
#include "tests/support/certificates.h"
#include "tests/support/check_main.h"
#include "tests/support/tls_stage.h"

struct cast {
    struct stage stage; /* for its CA sets */
    struct made *ca;
    struct made *other_ca;
    const struct ca_set *set;
    const struct ca_set *other_set;
};

static void cast_open(struct cast *cast)
{
    stage_open(&cast->stage);
    cast->ca = made_ca("Client CA");
    cast->other_ca = made_ca("Other CA");
    cast->set = stage_ca_set(&cast->stage, cast->ca, NULL);
    cast->other_set = stage_ca_set(&cast->stage, cast->other_ca, NULL);
}

static void cast_close(struct cast *cast)
{
    made_free(cast->ca);
    made_free(cast->other_ca);
    stage_close(&cast->stage);
}

/* Rules as letters, so that a table reads like what an operator writes. */
struct rule_kind {
    char letter;
    enum auth_mode mode;
    int set;
    enum refuse_with refuse_with;
};

static const struct rule_kind kinds[] = {
    {'-', AUTH_OFF, 0, REFUSE_UNSET},     {'~', AUTH_OFF, 0, REFUSE_ALERT},
    {'r', AUTH_REQUEST, 1, REFUSE_UNSET}, {'s', AUTH_REQUEST, 2, REFUSE_UNSET},
    {'t', AUTH_REQUEST, 1, REFUSE_ALERT}, {'A', AUTH_REQUIRE, 1, REFUSE_UNSET},
    {'B', AUTH_REQUIRE, 2, REFUSE_UNSET}, {'!', AUTH_REQUIRE, 1, REFUSE_ALERT},
    {'4', AUTH_REQUIRE, 1, REFUSE_403},
};

static enum policy_fault join(const struct cast *cast, struct policy *policy, const char *letters)
{
    static struct client_auth auths[16];
    const struct client_auth *pointers[16];
    unsigned count = 0;
    for (; letters[count]; count++) {
        for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
            const struct ca_set *sets[] = {NULL, cast->set, cast->other_set};
            if (kinds[i].letter == letters[count])
                auths[count] = (struct client_auth){.mode = kinds[i].mode,
                                                    .ca_set = sets[kinds[i].set],
                                                    .refuse_with = kinds[i].refuse_with,
                                                    .registration = REGISTRATION_OFF};
        }
        pointers[count] = &auths[count];
    }
    return policy_make(policy, pointers, count);
}

START_TEST(the_union_of_rules_decides_what_is_asked_and_whether_the_handshake_refuses)
{
    static const struct {
        const char *rules;
        bool asks;
        bool alerts;
        unsigned sets;
        enum policy_fault fault;
    } cases[] = {
        {"-", false, false, 0, POLICY_FINE},
        {"~", false, false, 0, POLICY_FINE}, /* nothing to refuse */
        {"r", true, false, 1, POLICY_FINE},
        {"A", true, true, 1, POLICY_FINE},
        {"!", true, true, 1, POLICY_FINE},
        {"A!", true, true, 1, POLICY_FINE},
        {"4", true, false, 1, POLICY_FINE},
        {"A4", true, false, 1, POLICY_FINE},
        {"A-", true, false, 1, POLICY_FINE},
        {"Ar", true, false, 1, POLICY_FINE},
        {"AB", true, false, 2, POLICY_FINE},
        {"-rs", true, false, 2, POLICY_FINE},
        {"!-", true, false, 0, POLICY_ALERT_IMPOSSIBLE},
        {"!4", true, false, 0, POLICY_ALERT_IMPOSSIBLE},
        {"!B", true, false, 0, POLICY_ALERT_IMPOSSIBLE},
        {"!r", true, false, 0, POLICY_ALERT_IMPOSSIBLE},
        {"t", true, false, 0, POLICY_ALERT_IMPOSSIBLE},
    };
    struct cast cast;
    cast_open(&cast);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct policy policy;
        ck_assert_msg(join(&cast, &policy, cases[i].rules) == cases[i].fault, "%s", cases[i].rules);
        if (cases[i].fault == POLICY_FINE) {
            ck_assert_msg(policy.asks == cases[i].asks, "%s", cases[i].rules);
            ck_assert_msg(policy.alerts == cases[i].alerts, "%s", cases[i].rules);
            ck_assert_uint_eq(policy.set_count, cases[i].sets);
            ck_assert_int_eq(policy.names ? sk_X509_NAME_num(policy.names) : 0, (int)cases[i].sets);
        }
        policy_done(&policy);
    }
    cast_close(&cast);
}
END_TEST

START_TEST(policy_ids_depend_on_content_only)
{
    struct cast cast;
    struct policy policy[10];
    static const char *const rules[10] = {"AB", "BA", "ABAB", "sA", "4r",
                                          "r4", "A",  "A!",   "-",  "B"};
    cast_open(&cast);
    for (int i = 0; i < 10; i++)
        ck_assert_int_eq(join(&cast, &policy[i], rules[i]), POLICY_FINE);
    /* Order, repetition and what only the request decides make no difference … */
    ck_assert(policy_equal(&policy[0], &policy[1]));
    ck_assert(policy_equal(&policy[0], &policy[2]));
    ck_assert(policy_equal(&policy[0], &policy[3]));
    ck_assert(policy_equal(&policy[4], &policy[5]));
    ck_assert(policy_equal(&policy[6], &policy[7]));
    /* … CAs, asking and refusing do. */
    ck_assert(!policy_equal(&policy[0], &policy[6]));
    ck_assert(!policy_equal(&policy[4], &policy[6]));
    ck_assert(!policy_equal(&policy[6], &policy[8]));
    ck_assert(!policy_equal(&policy[6], &policy[9]));
    for (int i = 0; i < 10; i++)
        policy_done(&policy[i]);
    cast_close(&cast);
}
END_TEST

START_TEST(policy_ids_are_the_same_for_the_same_files_read_again)
{
    struct cast cast;
    cast_open(&cast);
    struct client_auth one = {.mode = AUTH_REQUIRE,
                              .ca_set = cast.set,
                              .refuse_with = REFUSE_403,
                              .registration = REGISTRATION_OFF};
    struct client_auth again = {.mode = AUTH_REQUIRE,
                                .ca_set = stage_ca_set(&cast.stage, cast.ca, NULL),
                                .refuse_with = REFUSE_403,
                                .registration = REGISTRATION_OFF};
    const struct client_auth *ones[] = {&one};
    const struct client_auth *agains[] = {&again, &one};
    struct policy first;
    struct policy second;
    ck_assert_int_eq(policy_make(&first, ones, 1), POLICY_FINE);
    ck_assert_int_eq(policy_make(&second, agains, 2), POLICY_FINE);
    ck_assert(policy_equal(&first, &second));
    ck_assert_uint_eq(second.set_count, 1);
    policy_done(&first);
    policy_done(&second);
    cast_close(&cast);
}
END_TEST

START_TEST(too_many_different_sets_are_a_fault)
{
    struct ca_set sets[CA_SETS_PER_DOMAIN + 1];
    struct client_auth auths[CA_SETS_PER_DOMAIN + 1];
    const struct client_auth *rules[CA_SETS_PER_DOMAIN + 1];
    struct policy policy;
    memset(sets, 0, sizeof sets);
    for (int i = 0; i <= CA_SETS_PER_DOMAIN; i++) {
        sets[i].id[0] = (unsigned char)i;
        auths[i] = (struct client_auth){.mode = AUTH_REQUIRE,
                                        .ca_set = &sets[i],
                                        .refuse_with = REFUSE_403,
                                        .registration = REGISTRATION_OFF};
        rules[i] = &auths[i];
    }
    ck_assert_int_eq(policy_make(&policy, rules, CA_SETS_PER_DOMAIN + 1), POLICY_TOO_MANY_SETS);
    policy_done(&policy);
    ck_assert_int_eq(policy_make(&policy, rules, CA_SETS_PER_DOMAIN), POLICY_FINE);
    ck_assert_uint_eq(policy.set_count, CA_SETS_PER_DOMAIN);
    policy_done(&policy);
}
END_TEST

/* The identity of a client under these rules. */
static struct identity *identify(const struct cast *cast, const char *rules,
                                 const struct made *made)
{
    static const unsigned char hash[32];
    struct policy policy;
    ck_assert_int_eq(join(cast, &policy, rules), POLICY_FINE);
    STACK_OF(X509) *chain = sk_X509_new_null();
    sk_X509_push(chain, made->certificate);
    struct identity *identity = identity_new(&policy, chain, hash, time(NULL));
    ck_assert_ptr_nonnull(identity);
    sk_X509_free(chain);
    policy_done(&policy);
    return identity;
}

START_TEST(rules_that_register_differently_leave_the_refusal_to_requests)
{
    struct cast cast;
    cast_open(&cast);
    const struct client_auth open = {.mode = AUTH_REQUIRE,
                                     .ca_set = cast.set,
                                     .refuse_with = REFUSE_UNSET,
                                     .registration = REGISTRATION_OFF};
    const struct client_auth known = {.mode = AUTH_REQUIRE,
                                      .ca_set = cast.set,
                                      .refuse_with = REFUSE_UNSET,
                                      .registration = REGISTRATION_MANUAL};
    const struct client_auth *alike[] = {&known, &known};
    const struct client_auth *unlike[] = {&known, &open};
    struct policy policy;
    ck_assert_int_eq(policy_make(&policy, alike, 2), POLICY_FINE);
    ck_assert(policy.alerts);
    ck_assert_ptr_eq(policy.alerting, &known);
    policy_done(&policy);
    ck_assert_int_eq(policy_make(&policy, unlike, 2), POLICY_FINE);
    ck_assert(!policy.alerts);
    ck_assert_ptr_null(policy.alerting);
    policy_done(&policy);
    cast_close(&cast);
}
END_TEST

START_TEST(a_rule_judges_by_its_own_cas_only)
{
    struct cast cast;
    cast_open(&cast);
    struct made *alice = made_client(cast.ca, "alice");
    struct identity *identity = identify(&cast, "AB", alice);
    const struct client_auth own = {.mode = AUTH_REQUIRE,
                                    .ca_set = cast.set,
                                    .refuse_with = REFUSE_403,
                                    .registration = REGISTRATION_OFF};
    const struct client_auth other = {.mode = AUTH_REQUIRE,
                                      .ca_set = cast.other_set,
                                      .refuse_with = REFUSE_403,
                                      .registration = REGISTRATION_OFF};
    const struct client_auth request = {.mode = AUTH_REQUEST,
                                        .ca_set = cast.other_set,
                                        .refuse_with = REFUSE_403,
                                        .registration = REGISTRATION_OFF};
    const struct client_auth off = {.mode = AUTH_OFF,
                                    .ca_set = NULL,
                                    .refuse_with = REFUSE_UNSET,
                                    .registration = REGISTRATION_OFF};
    time_t now = time(NULL);
    ck_assert_int_eq(
        policy_judge(&own, NULL, &(struct visitor){.identity = identity, .now = now}).refusal,
        REFUSAL_NONE);
    ck_assert_int_eq(
        policy_judge(&other, NULL, &(struct visitor){.identity = identity, .now = now}).refusal,
        REFUSAL_UNTRUSTED);
    ck_assert_int_eq(
        policy_judge(&request, NULL, &(struct visitor){.identity = identity, .now = now}).refusal,
        REFUSAL_NONE);
    ck_assert_int_eq(policy_verdict(&request, identity, now), REFUSAL_UNTRUSTED);
    ck_assert_int_eq(
        policy_judge(&off, NULL, &(struct visitor){.identity = identity, .now = now}).refusal,
        REFUSAL_NONE);
    ck_assert_int_eq(policy_verdict(&off, identity, now), REFUSAL_MISSING);
    ck_assert_int_eq(
        policy_judge(&own, NULL, &(struct visitor){.identity = NULL, .now = now}).refusal,
        REFUSAL_MISSING);
    ck_assert_int_eq(
        policy_judge(&request, NULL, &(struct visitor){.identity = NULL, .now = now}).refusal,
        REFUSAL_NONE);
    ck_assert_int_eq(
        policy_judge(&off, NULL, &(struct visitor){.identity = NULL, .now = now}).refusal,
        REFUSAL_NONE);
    identity_unref(identity);
    made_free(alice);
    cast_close(&cast);
}
END_TEST

START_TEST(a_set_it_was_never_verified_against_trusts_nobody)
{
    struct cast cast;
    cast_open(&cast);
    struct made *alice = made_client(cast.ca, "alice");
    struct identity *identity = identify(&cast, "B", alice);
    const struct client_auth own = {.mode = AUTH_REQUIRE,
                                    .ca_set = cast.set,
                                    .refuse_with = REFUSE_403,
                                    .registration = REGISTRATION_OFF};
    ck_assert_int_eq(
        policy_judge(&own, NULL, &(struct visitor){.identity = identity, .now = time(NULL)})
            .refusal,
        REFUSAL_UNTRUSTED);
    identity_unref(identity);
    made_free(alice);
    cast_close(&cast);
}
END_TEST

START_TEST(a_chain_that_expires_on_an_open_connection_is_refused_from_then_on)
{
    struct cast cast;
    cast_open(&cast);
    struct made *alice = made_certificate(
        &(struct certificate_wish){.name = "alice", .issuer = cast.ca, .until_s = 1000});
    struct identity *identity = identify(&cast, "A", alice);
    const struct client_auth own = {.mode = AUTH_REQUIRE,
                                    .ca_set = cast.set,
                                    .refuse_with = REFUSE_403,
                                    .registration = REGISTRATION_OFF};
    ck_assert_int_eq(
        policy_judge(&own, NULL,
                     &(struct visitor){.identity = identity, .now = identity->not_after - 1})
            .refusal,
        REFUSAL_NONE);
    ck_assert_int_eq(
        policy_judge(&own, NULL,
                     &(struct visitor){.identity = identity, .now = identity->not_after})
            .refusal,
        REFUSAL_EXPIRED);
    identity_unref(identity);
    made_free(alice);
    cast_close(&cast);
}
END_TEST

/* A set of which only the id and the names count here: `count` of them, some 130 bytes each. */
static void name_set(struct ca_set *set, unsigned count)
{
    *set = (struct ca_set){.id = {(unsigned char)count}, .names = sk_X509_NAME_new_null()};
    for (unsigned i = 0; i < count; i++) {
        char text[128];
        memset(text, 'x', sizeof text);
        snprintf(text + 50, sizeof text - 50, "%06u", i);
        X509_NAME *name = X509_NAME_new();
        for (int part = 0; part < 2; part++)
            ck_assert_int_eq(X509_NAME_add_entry_by_txt(name, "OU", MBSTRING_ASC,
                                                        (const unsigned char *)text, 56, -1, 0),
                             1);
        sk_X509_NAME_push(set->names, name);
    }
}

START_TEST(names_that_no_client_understands_are_left_out)
{
    static const struct {
        unsigned count;
        bool are_told;
    } rows[] = {{1, true}, {100, true}, {110, true}, {200, false}, {250, false}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ca_set set;
        struct policy policy;
        name_set(&set, rows[i].count);
        const struct client_auth auth = {
            .mode = AUTH_REQUIRE, .ca_set = &set, .refuse_with = REFUSE_UNSET};
        const struct client_auth *rules[] = {&auth};
        ck_assert_int_eq(policy_make(&policy, rules, 1), POLICY_FINE);
        ck_assert_int_eq(sk_X509_NAME_num(policy.names), rows[i].are_told ? (int)rows[i].count : 0);
        ck_assert_int_eq(policy.names_bytes <= CA_NAMES_BYTES, rows[i].are_told);
        ck_assert(policy.asks && policy.alerts);
        policy_done(&policy);
        sk_X509_NAME_pop_free(set.names, X509_NAME_free);
    }
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, names_that_no_client_understands_are_left_out);
    tcase_add_test(tcase,
                   the_union_of_rules_decides_what_is_asked_and_whether_the_handshake_refuses);
    tcase_add_test(tcase, policy_ids_depend_on_content_only);
    tcase_add_test(tcase, policy_ids_are_the_same_for_the_same_files_read_again);
    tcase_add_test(tcase, too_many_different_sets_are_a_fault);
    tcase_add_test(tcase, rules_that_register_differently_leave_the_refusal_to_requests);
    tcase_add_test(tcase, a_rule_judges_by_its_own_cas_only);
    tcase_add_test(tcase, a_set_it_was_never_verified_against_trusts_nobody);
    tcase_add_test(tcase, a_chain_that_expires_on_an_open_connection_is_refused_from_then_on);
}

CHECK_MAIN("policy", add_tests)
