/* SPDX-License-Identifier: Apache-2.0 */
/* A session is resumed for exactly what it was made for, and never for longer: TLS 1.2 and 1.3. */
#include <openssl/ssl.h>
#include <string.h>

#include "lb/base/error.h"
#include "listeners/tls/session.h"
#include "listeners/tls/session_cache.h"
#include "tests/support/check_main.h"
#include "tests/support/tls_cast.h"

/* Meets with `*session`, puts the session that follows into its place (NULL: none) and says whether
 * it was resumed. */
static bool meet_again(struct stage *stage, struct wish wish, SSL_SESSION **session)
{
    struct meeting meeting;
    wish.session = *session;
    meet(stage, &wish, &meeting);
    ck_assert_msg(meeting.let_in, "a declined session must not fail the handshake");
    bool resumed = meeting.resumed;
    SSL_SESSION_free(*session);
    *session = meeting.session;
    meeting.session = NULL;
    part(&meeting);
    return resumed;
}

START_TEST(a_session_is_resumed_by_the_same_client_at_any_worker)
{
    struct cast cast;
    cast_open(&cast);
    stage_rule(&cast.stage, "", AUTH_REQUIRE, cast.set, REFUSE_ALERT);
    stage_start(&cast.stage);
    struct wish wish = {.certificate = cast.alice, .version = versions[_i]};
    SSL_SESSION *session = meet_for_session(&cast.stage, &wish);
    ck_assert_ptr_nonnull(session);
    ck_assert(meet_again(&cast.stage, wish, &session));
    wish.second_worker = true;
    ck_assert(meet_again(&cast.stage, wish, &session));
    SSL_SESSION_free(session);
    cast_close(&cast);
}
END_TEST

START_TEST(a_resumed_session_still_knows_its_identity)
{
    struct cast cast;
    struct meeting meeting;
    cast_open(&cast);
    stage_rule(&cast.stage, "", AUTH_REQUIRE, cast.set, REFUSE_ALERT);
    stage_start(&cast.stage);
    struct wish wish = {.certificate = cast.alice, .version = versions[_i]};
    SSL_SESSION *session = meet_for_session(&cast.stage, &wish);
    for (int i = 0; i < 3; i++) {
        wish.session = session;
        wish.second_worker = i == 1;
        meet(&cast.stage, &wish, &meeting);
        ck_assert(meeting.let_in && meeting.resumed);
        ck_assert_str_eq(meeting.handshake.identity->subject, "CN=alice");
        ck_assert_int_eq(policy_judge(&cast.stage.rules[0].auth, NULL,
                                      &(struct visitor){.identity = meeting.handshake.identity,
                                                        .now = time(NULL)})
                             .refusal,
                         REFUSAL_NONE);
        SSL_SESSION_free(session);
        session = meeting.session;
        meeting.session = NULL;
        part(&meeting);
    }
    SSL_SESSION_free(session);
    cast_close(&cast);
}
END_TEST

START_TEST(a_resumed_session_keeps_what_a_request_rule_found)
{
    struct cast cast;
    struct meeting meeting;
    cast_open(&cast);
    stage_rule(&cast.stage, "", AUTH_REQUEST, cast.other_set, REFUSE_UNSET);
    stage_start(&cast.stage);
    struct wish wish = {.certificate = cast.alice, .version = versions[_i]};
    wish.session = meet_for_session(&cast.stage, &wish);
    meet(&cast.stage, &wish, &meeting);
    ck_assert(meeting.let_in && meeting.resumed);
    ck_assert_int_eq(
        policy_verdict(&cast.stage.rules[0].auth, meeting.handshake.identity, time(NULL)),
        REFUSAL_UNTRUSTED);
    SSL_SESSION_free(wish.session);
    part(&meeting);
    /* Without a certificate there is nobody to know after resumption either. */
    wish = (struct wish){.version = versions[_i]};
    wish.session = meet_for_session(&cast.stage, &wish);
    meet(&cast.stage, &wish, &meeting);
    ck_assert(meeting.let_in && meeting.resumed);
    ck_assert_ptr_null(meeting.handshake.identity);
    SSL_SESSION_free(wish.session);
    part(&meeting);
    cast_close(&cast);
}
END_TEST

START_TEST(a_session_of_one_domain_is_not_resumed_in_another)
{
    struct cast cast;
    cast_open(&cast);
    cast.stage.options.sni = true;
    stage_rule(&cast.stage, "one.example", AUTH_REQUIRE, cast.set, REFUSE_403);
    stage_rule(&cast.stage, "two.example", AUTH_REQUIRE, cast.set,
               REFUSE_403); /* an equal policy */
    stage_start(&cast.stage);
    struct wish wish = {.name = "one.example", .certificate = cast.alice, .version = versions[_i]};
    SSL_SESSION *session = meet_for_session(&cast.stage, &wish);
    wish.name = "two.example";
    ck_assert(!meet_again(&cast.stage, wish, &session));
    ck_assert(meet_again(&cast.stage, wish, &session));
    wish.name = NULL; /* the default domain, one.example */
    ck_assert(!meet_again(&cast.stage, wish, &session));
    SSL_SESSION_free(session);
    cast_close(&cast);
}
END_TEST

START_TEST(a_session_of_an_open_domain_does_not_open_a_closed_one)
{
    struct cast cast;
    struct meeting meeting;
    cast_open(&cast);
    cast.stage.options.sni = true;
    stage_rule(&cast.stage, "open.example", AUTH_OFF, NULL, REFUSE_UNSET);
    stage_rule(&cast.stage, "closed.example", AUTH_REQUIRE, cast.set, REFUSE_ALERT);
    stage_start(&cast.stage);
    struct wish wish = {.name = "open.example", .version = versions[_i]};
    wish.session = meet_for_session(&cast.stage, &wish);
    ck_assert_ptr_nonnull(wish.session);
    wish.name = "closed.example";
    meet(&cast.stage, &wish, &meeting);
    ck_assert(!meeting.let_in);
    ck_assert_int_eq(meeting.refusal, REFUSAL_MISSING);
    part(&meeting);
    SSL_SESSION_free(wish.session);
    cast_close(&cast);
}
END_TEST

START_TEST(a_session_made_under_another_policy_is_ignored_and_a_full_handshake_follows)
{
    struct cast before;
    struct cast after;
    struct meeting meeting;
    cast_open(&before);
    stage_rule(&before.stage, "", AUTH_REQUIRE, before.set, REFUSE_403);
    stage_start(&before.stage);
    struct wish wish = {.certificate = before.alice, .version = versions[_i]};
    wish.session = meet_for_session(&before.stage, &wish);
    ck_assert_ptr_nonnull(wish.session);
    /* A reload: the same listener keeps its sessions, but asks for another CA now. */
    cast_open(&after);
    after.stage.borrowed_sessions = before.stage.listener.sessions;
    stage_rule(&after.stage, "", AUTH_REQUIRE, after.set, REFUSE_403);
    stage_start(&after.stage);
    meet(&after.stage, &wish, &meeting);
    ck_assert(meeting.let_in);
    ck_assert(!meeting.resumed);
    ck_assert_int_eq(
        policy_judge(&after.stage.rules[0].auth, NULL,
                     &(struct visitor){.identity = meeting.handshake.identity, .now = time(NULL)})
            .refusal,
        REFUSAL_UNTRUSTED);
    part(&meeting);
    SSL_SESSION_free(wish.session);
    cast_close(&after);
    cast_close(&before);
}
END_TEST

START_TEST(a_session_survives_a_reload_that_changes_nothing)
{
    struct cast before;
    struct stage after;
    cast_open(&before);
    stage_rule(&before.stage, "", AUTH_REQUIRE, before.set, REFUSE_403);
    stage_start(&before.stage);
    struct wish wish = {.certificate = before.alice, .version = versions[_i]};
    SSL_SESSION *session = meet_for_session(&before.stage, &wish);
    stage_open(&after);
    after.borrowed_sessions = before.stage.listener.sessions;
    stage_rule(&after, "", AUTH_REQUIRE, stage_ca_set(&after, before.ca, NULL), REFUSE_403);
    stage_start(&after);
    ck_assert(meet_again(&after, wish, &session));
    SSL_SESSION_free(session);
    stage_close(&after);
    cast_close(&before);
}
END_TEST

START_TEST(a_session_of_one_listener_is_not_resumed_on_another)
{
    struct cast one;
    struct stage other;
    cast_open(&one);
    stage_rule(&one.stage, "", AUTH_REQUIRE, one.set, REFUSE_403);
    stage_start(&one.stage);
    struct wish wish = {.certificate = one.alice, .version = versions[_i]};
    SSL_SESSION *session = meet_for_session(&one.stage, &wish);
    stage_open(&other);
    other.listener.name = "other";
    other.borrowed_sessions = one.stage.listener.sessions;
    stage_rule(&other, "", AUTH_REQUIRE, stage_ca_set(&other, one.ca, NULL), REFUSE_403);
    stage_start(&other);
    ck_assert(!meet_again(&other, wish, &session));
    SSL_SESSION_free(session);
    stage_close(&other);
    cast_close(&one);
}
END_TEST

START_TEST(with_sni_off_a_session_is_good_for_every_name)
{
    struct cast cast;
    cast_open(&cast);
    stage_rule(&cast.stage, "one.example", AUTH_REQUIRE, cast.set, REFUSE_403);
    stage_rule(&cast.stage, "two.example", AUTH_REQUIRE, cast.set, REFUSE_403);
    stage_start(&cast.stage);
    struct wish wish = {.name = "one.example", .certificate = cast.alice, .version = versions[_i]};
    SSL_SESSION *session = meet_for_session(&cast.stage, &wish);
    wish.name = "two.example";
    ck_assert(meet_again(&cast.stage, wish, &session));
    SSL_SESSION_free(session);
    cast_close(&cast);
}
END_TEST

/* OpenSSL marks the session of a connection that ends without close_notify; the kept one must not
 * be that one. */
START_TEST(a_client_that_leaves_without_goodbye_keeps_its_session)
{
    struct cast cast;
    struct meeting meeting;
    cast_open(&cast);
    stage_rule(&cast.stage, "", AUTH_REQUIRE, cast.set, REFUSE_403);
    stage_start(&cast.stage);
    struct wish wish = {.certificate = cast.alice, .version = versions[_i]};
    meet(&cast.stage, &wish, &meeting);
    SSL_SESSION *session = meeting.session;
    meeting.session = NULL;
    ck_assert_int_eq(SSL_get_shutdown(meeting.server), 0);
    part(&meeting);
    ck_assert(meet_again(&cast.stage, wish, &session));
    SSL_SESSION_free(session);
    cast_close(&cast);
}
END_TEST

START_TEST(a_session_of_one_version_is_not_resumed_in_another)
{
    struct cast cast;
    cast_open(&cast);
    stage_rule(&cast.stage, "", AUTH_REQUIRE, cast.set, REFUSE_403);
    stage_start(&cast.stage);
    struct wish wish = {.certificate = cast.alice, .version = TLS1_2_VERSION};
    SSL_SESSION *session = meet_for_session(&cast.stage, &wish);
    wish.version = 0; /* offers both, and the id of its old session */
    ck_assert(!meet_again(&cast.stage, wish, &session));
    SSL_SESSION_free(session);
    cast_close(&cast);
}
END_TEST

/* Every pair of domains with different (and equal) policies: a session of one, shown to the other,
 * changes nothing. */

struct scene {
    const char *domain;
    enum auth_mode mode;
    int set; /* 0: none, 1: the client's CA, 2: the other */
    enum refuse_with refuse_with;
    int more; /* a second rule's set */
};

// clang-format off
static const struct scene scenes[] = {
    {"off.example", AUTH_OFF, 0, REFUSE_UNSET, 0},
    {"request.example", AUTH_REQUEST, 1, REFUSE_UNSET, 0},
    {"request-other.example", AUTH_REQUEST, 2, REFUSE_UNSET, 0},
    {"require.example", AUTH_REQUIRE, 1, REFUSE_403, 0},
    {"require-too.example", AUTH_REQUIRE, 1, REFUSE_403, 0},
    {"alert.example", AUTH_REQUIRE, 1, REFUSE_ALERT, 0},
    {"require-other.example", AUTH_REQUIRE, 2, REFUSE_403, 0},
    {"alert-other.example", AUTH_REQUIRE, 2, REFUSE_ALERT, 0},
    {"both.example", AUTH_REQUIRE, 1, REFUSE_403, 2},
};
// clang-format on
enum { SCENE_COUNT = sizeof scenes / sizeof *scenes };

/* What a meeting comes to, in one word to compare: let in or not, and what each of the domain's
 * rules says. */
static unsigned outcome(struct stage *stage, const struct meeting *meeting, const char *domain)
{
    unsigned outcome = meeting->let_in ? 1 : 0;
    for (unsigned i = 0; meeting->let_in && i < stage->listener.rule_count; i++)
        if (strcmp(stage->patterns[i], domain) == 0)
            outcome = outcome * 32 + (unsigned)policy_judge(
                                         &stage->rules[i].auth, NULL,
                                         &(struct visitor){.identity = meeting->handshake.identity,
                                                           .now = time(NULL)})
                                         .refusal;
    return outcome;
}

static unsigned outcome_of(struct stage *stage, const struct wish *wish, bool *ret_resumed)
{
    struct meeting meeting;
    meet(stage, wish, &meeting);
    unsigned result = outcome(stage, &meeting, wish->name);
    *ret_resumed = meeting.resumed;
    part(&meeting);
    return result;
}

START_TEST(no_session_carries_a_client_into_a_domain_it_would_not_enter_afresh)
{
    struct cast cast;
    cast_open(&cast);
    cast.stage.options.sni = true;
    const struct ca_set *sets[] = {NULL, cast.set, cast.other_set};
    for (int i = 0; i < SCENE_COUNT; i++) {
        const struct scene *scene = &scenes[i];
        stage_rule(&cast.stage, scene->domain, scene->mode, sets[scene->set], scene->refuse_with);
        if (scene->more)
            stage_rule(&cast.stage, scene->domain, scene->mode, sets[scene->more],
                       scene->refuse_with);
    }
    stage_start(&cast.stage);
    int version = versions[_i % 2];
    const struct made *shown = _i < 2 ? cast.alice : NULL;
    unsigned resumed_count = 0;
    for (int from = 0; from < SCENE_COUNT; from++) {
        for (int to = 0; to < SCENE_COUNT; to++) {
            bool resumed = false;
            struct wish wish = {
                .name = scenes[to].domain, .certificate = shown, .version = version};
            unsigned fresh = outcome_of(&cast.stage, &wish, &resumed);
            ck_assert(!resumed);
            wish.name = scenes[from].domain;
            SSL_SESSION *session = meet_for_session(&cast.stage, &wish);
            wish.name = scenes[to].domain;
            wish.session = session;
            unsigned again = outcome_of(&cast.stage, &wish, &resumed);
            ck_assert_msg(again == fresh, "%s with a session of %s", wish.name,
                          scenes[from].domain);
            ck_assert_msg(!resumed || from == to, "%s resumed a session of %s", wish.name,
                          scenes[from].domain);
            resumed_count += resumed;
            SSL_SESSION_free(session);
        }
    }
    /* Where the domain lets the client in, its own session is resumed: the test has teeth. */
    ck_assert_uint_ge(resumed_count, SCENE_COUNT - 2);
    cast_close(&cast);
}
END_TEST

/* Time */

START_TEST(resumption_does_not_lengthen_a_sessions_life)
{
    struct cast cast;
    cast_open(&cast);
    stage_rule(&cast.stage, "", AUTH_REQUIRE, cast.set, REFUSE_403);
    stage_start(&cast.stage);
    struct wish wish = {.certificate = cast.alice, .version = versions[_i]};
    SSL_SESSION *session = meet_for_session(&cast.stage, &wish);
    const int later_s[] = {100, 200, 290};
    for (size_t i = 0; i < 3; i++) {
        cast.stage.later_s = later_s[i];
        ck_assert(meet_again(&cast.stage, wish, &session));
    }
    cast.stage.later_s = 301; /* 300 s after the first handshake, 11 s after the last resumption */
    ck_assert(!meet_again(&cast.stage, wish, &session));
    cast.stage.later_s = 600; /* but that full handshake began a new life */
    ck_assert(meet_again(&cast.stage, wish, &session));
    SSL_SESSION_free(session);
    cast_close(&cast);
}
END_TEST

START_TEST(a_ticket_says_how_long_it_is_really_good_for)
{
    struct cast cast;
    cast_open(&cast);
    stage_rule(&cast.stage, "", AUTH_REQUIRE, cast.set, REFUSE_403);
    stage_start(&cast.stage);
    struct wish wish = {.certificate = cast.alice, .version = TLS1_3_VERSION};
    SSL_SESSION *session = meet_for_session(&cast.stage, &wish);
    ck_assert_uint_eq(SSL_SESSION_get_ticket_lifetime_hint(session), 300);
    cast.stage.later_s = 250;
    ck_assert(meet_again(&cast.stage, wish, &session));
    ck_assert_uint_le(SSL_SESSION_get_ticket_lifetime_hint(session), 50);
    ck_assert_uint_gt(SSL_SESSION_get_ticket_lifetime_hint(session), 0);
    SSL_SESSION_free(session);
    cast_close(&cast);
}
END_TEST

START_TEST(a_session_ends_with_the_certificates_not_after)
{
    struct cast cast;
    struct meeting meeting;
    cast_open(&cast);
    struct made *brief = made_certificate(&(struct certificate_wish){
        .name = "brief", .issuer = cast.ca, .usage = "clientAuth", .until_s = 100});
    stage_rule(&cast.stage, "", AUTH_REQUIRE, cast.set, REFUSE_403);
    stage_start(&cast.stage);
    struct wish wish = {.certificate = brief, .version = versions[_i]};
    SSL_SESSION *session = meet_for_session(&cast.stage, &wish);
    cast.stage.later_s = 90;
    ck_assert(meet_again(&cast.stage, wish, &session));
    cast.stage.later_s = 101;
    wish.session = session;
    meet(&cast.stage, &wish, &meeting);
    ck_assert(meeting.let_in);
    ck_assert(!meeting.resumed);
    time_t now = time(NULL) + cast.stage.later_s;
    ck_assert_int_eq(
        policy_judge(&cast.stage.rules[0].auth, NULL,
                     &(struct visitor){.identity = meeting.handshake.identity, .now = now})
            .refusal,
        REFUSAL_EXPIRED);
    part(&meeting);
    SSL_SESSION_free(session);
    made_free(brief);
    cast_close(&cast);
}
END_TEST

START_TEST(a_session_ends_with_the_not_after_of_its_ca)
{
    struct cast cast;
    cast_open(&cast);
    struct made *brief = made_certificate(
        &(struct certificate_wish){.name = "Brief CA", .ca = true, .until_s = 100});
    struct made *client = made_client(brief, "client");
    stage_rule(&cast.stage, "", AUTH_REQUIRE, stage_ca_set(&cast.stage, brief, NULL), REFUSE_403);
    stage_start(&cast.stage);
    struct wish wish = {.certificate = client, .version = versions[_i]};
    SSL_SESSION *session = meet_for_session(&cast.stage, &wish);
    cast.stage.later_s = 101;
    ck_assert(!meet_again(&cast.stage, wish, &session));
    SSL_SESSION_free(session);
    made_free(client);
    made_free(brief);
    cast_close(&cast);
}
END_TEST

START_TEST(a_result_that_hangs_on_the_clock_is_found_anew_each_time)
{
    struct cast cast;
    cast_open(&cast);
    struct made *early = made_certificate(&(struct certificate_wish){
        .name = "early", .issuer = cast.ca, .usage = "clientAuth", .from_s = 100});
    stage_rule(&cast.stage, "", AUTH_REQUEST, cast.set, REFUSE_UNSET);
    stage_start(&cast.stage);
    struct wish wish = {.certificate = early, .version = versions[_i]};
    SSL_SESSION *session = meet_for_session(&cast.stage, &wish);
    ck_assert(!meet_again(&cast.stage, wish, &session));
    ck_assert_uint_eq(session_cache_count(cast.stage.listener.sessions), 0);
    cast.stage.later_s = 101;
    ck_assert(!meet_again(&cast.stage, wish, &session)); /* valid now: this one is kept */
    ck_assert(meet_again(&cast.stage, wish, &session));
    SSL_SESSION_free(session);
    made_free(early);
    cast_close(&cast);
}
END_TEST

START_TEST(a_session_with_a_chain_that_is_too_large_is_not_kept)
{
    struct cast cast;
    cast_open(&cast);
    struct made *bulky = made_certificate(&(struct certificate_wish){
        .name = "bulky", .usage = "clientAuth", .padding_bytes = KEPT_CHAIN_BYTES});
    stage_rule(&cast.stage, "", AUTH_REQUEST, cast.set, REFUSE_UNSET);
    stage_start(&cast.stage);
    struct wish wish = {.certificate = bulky, .version = versions[_i]};
    SSL_SESSION *session = meet_for_session(&cast.stage, &wish);
    ck_assert_uint_eq(session_cache_count(cast.stage.listener.sessions), 0);
    ck_assert(!meet_again(&cast.stage, wish, &session));
    SSL_SESSION_free(session);
    made_free(bulky);
    cast_close(&cast);
}
END_TEST

/* The cache */

START_TEST(a_renewed_session_takes_the_place_of_the_one_before)
{
    struct cast cast;
    cast_open(&cast);
    stage_rule(&cast.stage, "", AUTH_REQUIRE, cast.set, REFUSE_403);
    stage_start(&cast.stage);
    struct wish wish = {.certificate = cast.alice, .version = versions[_i]};
    SSL_SESSION *first = meet_for_session(&cast.stage, &wish);
    SSL_SESSION *session = first;
    SSL_SESSION_up_ref(first);
    for (int i = 0; i < 3; i++) {
        ck_assert(meet_again(&cast.stage, wish, &session));
        ck_assert_uint_eq(session_cache_count(cast.stage.listener.sessions), 1);
    }
    /* TLS 1.2 does not renew; in TLS 1.3 the old one is gone. */
    ck_assert_int_eq(meet_again(&cast.stage, wish, &first), versions[_i] == TLS1_2_VERSION);
    SSL_SESSION_free(first);
    SSL_SESSION_free(session);
    cast_close(&cast);
}
END_TEST

START_TEST(a_forgotten_session_is_followed_by_a_full_handshake)
{
    struct cast cast;
    cast_open(&cast);
    cast.stage.sessions_most = 16; /* one in each shard */
    stage_rule(&cast.stage, "", AUTH_REQUIRE, cast.set, REFUSE_403);
    stage_start(&cast.stage);
    struct wish wish = {.certificate = cast.alice, .version = versions[_i]};
    SSL_SESSION *session = meet_for_session(&cast.stage, &wish);
    for (int i = 0; i < 300; i++)
        SSL_SESSION_free(meet_for_session(&cast.stage, &wish));
    ck_assert_uint_le(session_cache_count(cast.stage.listener.sessions), 16);
    ck_assert(!meet_again(&cast.stage, wish, &session));
    ck_assert(meet_again(&cast.stage, wish, &session));
    SSL_SESSION_free(session);
    cast_close(&cast);
}
END_TEST

START_TEST(without_sessions_nothing_is_resumed_and_no_ticket_is_sent)
{
    struct cast cast;
    cast_open(&cast);
    if (_i < 2)
        cast.stage.sessions_most = 0;
    else
        cast.stage.session_lifetime_s = 0;
    stage_rule(&cast.stage, "", AUTH_REQUIRE, cast.set, REFUSE_403);
    stage_start(&cast.stage);
    struct wish wish = {.certificate = cast.alice, .version = versions[_i % 2]};
    SSL_SESSION *session = meet_for_session(&cast.stage, &wish);
    if (versions[_i % 2] == TLS1_3_VERSION)
        ck_assert_ptr_null(session);
    if (session)
        ck_assert(!meet_again(&cast.stage, wish, &session));
    ck_assert_uint_eq(session_cache_count(cast.stage.listener.sessions), 0);
    SSL_SESSION_free(session);
    cast_close(&cast);
}
END_TEST

START_TEST(a_listener_without_a_cache_serves_without_resumption)
{
    struct cast cast;
    struct meeting meeting;
    cast_open(&cast);
    stage_rule(&cast.stage, "", AUTH_REQUIRE, cast.set, REFUSE_403);
    stage_start(&cast.stage);
    struct session_cache *sessions = cast.stage.listener.sessions;
    struct error err = {{0}};
    handshake_context_free(cast.stage.context);
    cast.stage.listener.sessions = NULL;
    cast.stage.context = handshake_context_new(&cast.stage.listener, cast.stage.chains, &err);
    ck_assert_msg(cast.stage.context != NULL, "%s", err.text);
    meet(&cast.stage, &(struct wish){.certificate = cast.alice, .version = versions[_i]}, &meeting);
    ck_assert(meeting.let_in);
    part(&meeting);
    cast.stage.listener.sessions = sessions;
    cast_close(&cast);
}
END_TEST

START_TEST(a_ticket_holds_no_certificate)
{
    struct cast cast;
    const unsigned char *ticket = NULL;
    size_t length = 0;
    cast_open(&cast);
    stage_rule(&cast.stage, "", _i ? AUTH_REQUIRE : AUTH_OFF, _i ? cast.set : NULL, REFUSE_UNSET);
    stage_start(&cast.stage);
    struct wish wish = {.certificate = cast.alice, .version = TLS1_3_VERSION};
    SSL_SESSION *session = meet_for_session(&cast.stage, &wish);
    SSL_SESSION_get0_ticket(session, &ticket, &length);
    ck_assert_uint_eq(length, 32); /* an id, and the rest stays here */
    ck_assert_uint_eq(SSL_SESSION_get_max_early_data(session), 0);
    SSL_SESSION_free(session);
    cast_close(&cast);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, a_session_is_resumed_by_the_same_client_at_any_worker, 0, 2);
    tcase_add_loop_test(tcase, a_resumed_session_still_knows_its_identity, 0, 2);
    tcase_add_loop_test(tcase, a_resumed_session_keeps_what_a_request_rule_found, 0, 2);
    tcase_add_loop_test(tcase, a_session_of_one_domain_is_not_resumed_in_another, 0, 2);
    tcase_add_loop_test(tcase, a_session_of_an_open_domain_does_not_open_a_closed_one, 0, 2);
    tcase_add_loop_test(
        tcase, a_session_made_under_another_policy_is_ignored_and_a_full_handshake_follows, 0, 2);
    tcase_add_loop_test(tcase, a_session_survives_a_reload_that_changes_nothing, 0, 2);
    tcase_add_loop_test(tcase, a_session_of_one_listener_is_not_resumed_on_another, 0, 2);
    tcase_add_loop_test(tcase, with_sni_off_a_session_is_good_for_every_name, 0, 2);
    tcase_add_loop_test(tcase, a_client_that_leaves_without_goodbye_keeps_its_session, 0, 2);
    tcase_add_test(tcase, a_session_of_one_version_is_not_resumed_in_another);
    tcase_add_loop_test(tcase, no_session_carries_a_client_into_a_domain_it_would_not_enter_afresh,
                        0, 4);
    tcase_add_loop_test(tcase, resumption_does_not_lengthen_a_sessions_life, 0, 2);
    tcase_add_test(tcase, a_ticket_says_how_long_it_is_really_good_for);
    tcase_add_loop_test(tcase, a_session_ends_with_the_certificates_not_after, 0, 2);
    tcase_add_loop_test(tcase, a_session_ends_with_the_not_after_of_its_ca, 0, 2);
    tcase_add_loop_test(tcase, a_result_that_hangs_on_the_clock_is_found_anew_each_time, 0, 2);
    tcase_add_loop_test(tcase, a_session_with_a_chain_that_is_too_large_is_not_kept, 0, 2);
    tcase_add_loop_test(tcase, a_renewed_session_takes_the_place_of_the_one_before, 0, 2);
    tcase_add_loop_test(tcase, a_forgotten_session_is_followed_by_a_full_handshake, 0, 2);
    tcase_add_loop_test(tcase, without_sessions_nothing_is_resumed_and_no_ticket_is_sent, 0, 4);
    tcase_add_loop_test(tcase, a_listener_without_a_cache_serves_without_resumption, 0, 2);
    tcase_add_loop_test(tcase, a_ticket_holds_no_certificate, 0, 2);
}

CHECK_MAIN("resumption", add_tests)
