/* SPDX-License-Identifier: Apache-2.0 */
/* Strange certificates in real handshakes, where the rule alerts and where it decides at the
 * request: what cannot be gone on with ends it everywhere, and always by name. */
#include <openssl/ssl.h>

#include "tests/support/check_main.h"
#include "tests/support/strange.h"
#include "tests/support/tls_cast.h"

static void open_both(struct cast *cast)
{
    cast_open(cast);
    cast->stage.options.sni = true;
    stage_rule(&cast->stage, "alerts.example", AUTH_REQUIRE, cast->set, REFUSE_ALERT);
    stage_rule(&cast->stage, "gentle.example", AUTH_REQUIRE, cast->set, REFUSE_403);
    stage_start(&cast->stage);
}

static enum refusal rules_word(const struct cast *cast, const struct identity *identity)
{
    const struct visitor visitor = {.identity = (struct identity *)identity, .now = time(NULL)};
    return policy_judge(&cast->stage.rules[1].auth, NULL, &visitor).refusal;
}

static void expect_refused(const struct strange *strange, const struct meeting *meeting,
                           enum refusal refusal)
{
    ck_assert_msg(!meeting->let_in, "%s was let in", strange->name);
    ck_assert_msg(meeting->refusal == refusal, "%s: %s instead of %s", strange->name,
                  refusal_name(meeting->refusal), refusal_name(refusal));
    ck_assert_msg(meeting->alert >= 0, "%s: no alert", strange->name);
    ck_assert_ptr_null(meeting->session);
}

static void check_alerting(struct cast *cast, const struct strange *strange,
                           const struct made *made, int version)
{
    struct meeting meeting;
    const struct wish wish = {.name = "alerts.example", .certificate = made, .version = version};
    meet(&cast->stage, &wish, &meeting);
    if (strange->refusal == REFUSAL_NONE)
        ck_assert_msg(meeting.let_in, "%s: %s", strange->name, refusal_name(meeting.refusal));
    else
        expect_refused(strange, &meeting, strange->refusal);
    part(&meeting);
}

static void check_gentle(struct cast *cast, const struct strange *strange, const struct made *made,
                         int version)
{
    struct meeting meeting;
    const struct wish wish = {.name = "gentle.example", .certificate = made, .version = version};
    meet(&cast->stage, &wish, &meeting);
    if (strange->ends_with != REFUSAL_NONE) {
        expect_refused(strange, &meeting, strange->ends_with);
    } else {
        ck_assert_msg(meeting.let_in, "%s: %s", strange->name, refusal_name(meeting.refusal));
        ck_assert_str_eq(refusal_name(rules_word(cast, meeting.handshake.identity)),
                         refusal_name(strange->refusal));
    }
    part(&meeting);
}

static void check(const struct strange *strange, int version)
{
    struct cast cast;
    open_both(&cast);
    struct made *made = strange_client(strange, cast.ca);
    check_alerting(&cast, strange, made, version);
    check_gentle(&cast, strange, made, version);
    made_free(made);
    cast_close(&cast);
}

START_TEST(each_passes_or_is_refused_under_its_name)
{
    check(&strange_ones[_i / 2], versions[_i % 2]);
}
END_TEST

START_TEST(what_cannot_be_decoded_ends_the_handshake_under_its_name)
{
    check(&undecodable_ones[_i / 2], versions[_i % 2]);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, each_passes_or_is_refused_under_its_name, 0, 2 * (int)strange_count);
    tcase_add_loop_test(tcase, what_cannot_be_decoded_ends_the_handshake_under_its_name, 0,
                        2 * (int)undecodable_count);
}

CHECK_MAIN("strange certificates in handshakes", add_tests)
