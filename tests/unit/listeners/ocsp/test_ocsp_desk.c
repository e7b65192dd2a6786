/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asking on a real loop, of a real responder on a thread of its own. Time is the test's: the wall
 * clock and that of the deadlines stand still unless a test moves them.
 */
#include "listeners/ocsp/ocsp_desk.h"

#include <stdio.h>
#include <string.h>

#include "lb/base/connection.h"
#include "tests/support/check_main.h"
#include "tests/support/eventually.h"
#include "tests/support/ocsp_stage.h"
#include "tests/support/port.h"
#include "tests/support/stub_responder.h"

enum { ASKERS_MOST = OCSP_OPEN_MOST + 8 };

struct asker {
    struct office *office;
    struct ocsp_wait *wait; /* NULL: told, or has left */
    unsigned told;
    bool asks_again;
};

struct office {
    struct ocsp_stage stage;
    struct stub_responder responder;
    char url[64];
    uv_loop_t loop;
    struct loop_context context;
    struct ocsp_desk desk;
    time_t now;
    uint64_t now_ms;
    bool is_closed;
    struct asker askers[ASKERS_MOST];
};

static time_t wall_clock(void *argument)
{
    const struct office *office = argument;
    return office->now;
}

static uint64_t loop_clock(struct deadlines *deadlines)
{
    const struct office *office = deadlines->now_context;
    return office->now_ms;
}

static void on_closed(void *arg)
{
    struct office *office = arg;
    office->is_closed = true;
}

/* responder: NULL: the stub's own. */
static void office_open(struct office *office, const char *responder)
{
    memset(office, 0, sizeof *office);
    office->now = time(NULL);
    office->now_ms = 1000;
    ocsp_stage_open(&office->stage, true, NULL);
    responder_start(&office->responder, office->stage.ca);
    snprintf(office->url, sizeof office->url, "http://127.0.0.1:%u/ocsp",
             office->responder.stub.port);
    ck_assert(
        ocsp_check_init(&office->stage.check, true, responder ? responder : office->url, NULL));
    ocsp_check_open(&office->stage.check, office->stage.ocsp);
    uv_loop_init(&office->loop);
    loop_context_init(&office->context, &office->loop);
    office->context.deadlines.now_ms = loop_clock;
    office->context.deadlines.now_context = office;
    ocsp_desk_init(&office->desk, office->stage.ocsp, &office->context);
    office->desk.now = wall_clock;
    office->desk.now_argument = office;
    for (unsigned i = 0; i < ASKERS_MOST; i++)
        office->askers[i].office = office;
}

static void turn(struct office *office)
{
    deadlines_run(&office->context.deadlines);
    if (uv_run(&office->loop, UV_RUN_NOWAIT) && office->desk.question_count > 0)
        eventually_pause();
}

/* Our loop turns until the condition is true. */
#define office_until(office, condition)                                                            \
    do {                                                                                           \
        long long end_ms = eventually_now_ms() + EVENTUALLY_MS;                                    \
        while (!(condition)) {                                                                     \
            ck_assert_msg(eventually_now_ms() < end_ms, "never came true: %s", #condition);        \
            turn(office);                                                                          \
        }                                                                                          \
    } while (0)

static void office_close(struct office *office)
{
    ocsp_desk_close(&office->desk, on_closed, office);
    office_until(office, office->is_closed);
    ck_assert_uint_eq(office->context.buffers.lent_count, 0);
    loop_context_close(&office->context);
    uv_run(&office->loop, UV_RUN_DEFAULT);
    loop_context_done(&office->context);
    ck_assert_int_eq(uv_loop_close(&office->loop), 0);
    responder_stop(&office->responder);
    ocsp_stage_close(&office->stage);
}

static void ask_as(struct asker *asker, struct identity *identity);

static void on_asked(void *arg)
{
    struct asker *asker = arg;
    asker->wait = NULL;
    asker->told++;
    if (asker->asks_again) {
        asker->asks_again = false;
        ask_as(asker, asker->office->stage.identity);
    }
}

static void ask_as(struct asker *asker, struct identity *identity)
{
    struct office *office = asker->office;
    unsigned told = asker->told;
    asker->wait = ocsp_ask(&office->desk, &office->stage.check, office->stage.auth.ca_set, identity,
                           on_asked, asker);
    ck_assert_ptr_nonnull(asker->wait);
    ck_assert_uint_eq(asker->told, told); /* never within the call */
}

static void ask(struct office *office, unsigned asker)
{
    ask_as(&office->askers[asker], office->stage.identity);
}

static enum refusal judge(struct office *office, bool *ret_must_ask)
{
    return ocsp_stage_judge(&office->stage, office->now, ret_must_ask);
}

#define ck_known(office, refusal_)                                                                 \
    do {                                                                                           \
        bool must_ask;                                                                             \
        ck_assert_int_eq(judge(office, &must_ask), refusal_);                                      \
        ck_assert(!must_ask);                                                                      \
    } while (0)

/* --- answers -----------------------------------------------------------------------------------
 */

static const struct {
    enum responder_manner manner;
    int status;
    enum refusal refusal;
    enum ocsp_result result;
} answers[] = {
    {RESPONDER_ANSWERS, V_OCSP_CERTSTATUS_GOOD, REFUSAL_NONE, OCSP_RESULT_GOOD},
    {RESPONDER_ANSWERS, V_OCSP_CERTSTATUS_REVOKED, REFUSAL_OCSP_REVOKED, OCSP_RESULT_REVOKED},
    {RESPONDER_ANSWERS, V_OCSP_CERTSTATUS_UNKNOWN, REFUSAL_OCSP_UNAVAILABLE, OCSP_RESULT_UNKNOWN},
    {RESPONDER_CHUNKED, V_OCSP_CERTSTATUS_REVOKED, REFUSAL_OCSP_REVOKED, OCSP_RESULT_REVOKED},
    {RESPONDER_UNTIL_CLOSE, V_OCSP_CERTSTATUS_REVOKED, REFUSAL_OCSP_REVOKED, OCSP_RESULT_REVOKED},
    {RESPONDER_GARBAGE, 0, REFUSAL_OCSP_UNAVAILABLE, OCSP_RESULT_FAILED},
    {RESPONDER_NO_HTTP, 0, REFUSAL_OCSP_UNAVAILABLE, OCSP_RESULT_FAILED},
    {RESPONDER_HUGE, 0, REFUSAL_OCSP_UNAVAILABLE, OCSP_RESULT_FAILED},
    {RESPONDER_FAILING, 0, REFUSAL_OCSP_UNAVAILABLE, OCSP_RESULT_FAILED},
    {RESPONDER_REFUSING, 0, REFUSAL_OCSP_UNAVAILABLE, OCSP_RESULT_FAILED},
    {RESPONDER_LEAVING, 0, REFUSAL_OCSP_UNAVAILABLE, OCSP_RESULT_FAILED},
};

START_TEST(whoever_waits_is_told_and_the_answer_is_remembered)
{
    struct office office;
    office_open(&office, NULL);
    responder_set(&office.responder, answers[_i].manner,
                  &(struct ocsp_wish){.status = answers[_i].status});
    ask(&office, 0);
    office_until(&office, office.askers[0].told == 1);
    ck_known(&office, answers[_i].refusal);
    ck_assert_uint_eq(responder_asked(&office.responder), 1);
    for (unsigned i = 0; i < OCSP_RESULT_COUNT; i++)
        ck_assert_uint_eq(ocsp_result_count(office.stage.ocsp, (enum ocsp_result)i),
                          i == answers[_i].result);
    office_close(&office);
}
END_TEST

START_TEST(many_who_wait_for_one_certificate_cost_one_question)
{
    struct office office;
    office_open(&office, NULL);
    responder_set(&office.responder, RESPONDER_HELD, NULL);
    for (unsigned i = 0; i < 20; i++)
        ask(&office, i);
    office_until(&office, responder_holding(&office.responder) == 1);
    ask(&office, 20);
    responder_set(&office.responder, RESPONDER_ANSWERS, NULL);
    for (unsigned i = 0; i <= 20; i++)
        office_until(&office, office.askers[i].told == 1);
    ck_assert_uint_eq(responder_asked(&office.responder), 1);
    ck_known(&office, REFUSAL_NONE);
    office_close(&office);
}
END_TEST

START_TEST(a_name_is_looked_up)
{
    struct office office;
    char url[64];
    office_open(&office, NULL);
    snprintf(url, sizeof url, "http://localhost:%u/", office.responder.stub.port);
    ck_assert(ocsp_check_init(&office.stage.check, true, url, NULL));
    ocsp_check_open(&office.stage.check, office.stage.ocsp);
    ask(&office, 0);
    office_until(&office, office.askers[0].told == 1);
    ck_known(&office, REFUSAL_NONE);
    office_close(&office);
}
END_TEST

START_TEST(the_question_is_a_post_that_says_whom_it_is_for)
{
    struct office office;
    office_open(&office, NULL);
    ask(&office, 0);
    office_until(&office, office.askers[0].told == 1);
    char *heard = stub_heard(&office.responder.stub);
    char host[64];
    snprintf(host, sizeof host, "\r\nHost: 127.0.0.1:%u\r\n", office.responder.stub.port);
    ck_assert_ptr_eq(strstr(heard, "POST /ocsp HTTP/1.1\r\n"), heard);
    ck_assert_ptr_nonnull(strstr(heard, host));
    free(heard);
    office_close(&office);
}
END_TEST

/* --- no answers --------------------------------------------------------------------------------
 */

static const char *const nowhere[] = {
    NULL, /* nobody listens: filled in */
    "http://no-such-name.invalid/",
    "http://[::ffff:0.0.0.0]:1/",
};

START_TEST(a_responder_that_is_not_there_is_no_answer)
{
    struct office office;
    char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%u/", port_reserve());
    office_open(&office, nowhere[_i] ? nowhere[_i] : url);
    ask(&office, 0);
    office_until(&office, office.askers[0].told == 1);
    ck_known(&office, REFUSAL_OCSP_UNAVAILABLE);
    office_close(&office);
}
END_TEST

START_TEST(a_certificate_that_names_no_responder_has_no_answer)
{
    struct office office;
    office_open(&office, NULL);
    ck_assert(ocsp_check_init(&office.stage.check, true, NULL, NULL));
    ocsp_check_open(&office.stage.check, office.stage.ocsp);
    struct made *bob = made_client(office.stage.ca, "bob");
    struct identity *identity = ocsp_stage_identify(&office.stage, bob);
    ask_as(&office.askers[0], identity);
    office.now_ms += 10;
    office_until(&office, office.askers[0].told == 1);
    identity_unref(office.stage.identity);
    office.stage.identity = identity;
    ck_known(&office, REFUSAL_OCSP_UNAVAILABLE);
    ck_assert_uint_eq(responder_asked(&office.responder), 0);
    made_free(bob);
    office_close(&office);
}
END_TEST

START_TEST(who_does_not_answer_is_not_waited_for_longer_than_the_limit)
{
    struct office office;
    office_open(&office, NULL);
    responder_set(&office.responder, RESPONDER_HELD, NULL);
    ask(&office, 0);
    office_until(&office, responder_holding(&office.responder) == 1);
    office.now_ms += OCSP_ASK_MS - 1;
    turn(&office);
    ck_assert_uint_eq(office.askers[0].told, 0);
    office.now_ms += 1;
    deadlines_run(&office.context.deadlines);
    ck_assert_uint_eq(office.askers[0].told, 1);
    ck_known(&office, REFUSAL_OCSP_UNAVAILABLE);
    office_close(&office);
}
END_TEST

/* Others of the same CA, one after the other. */
static void ask_of_others(struct office *office, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        struct made *made = made_client(office->stage.ca, "somebody");
        struct identity *identity = ocsp_stage_identify(&office->stage, made);
        ask_as(&office->askers[i], identity);
        office->now_ms += 10;
        office_until(office, office->askers[i].told == 1);
        identity_unref(identity);
        made_free(made);
    }
}

START_TEST(a_dead_responder_is_left_alone_and_asked_again_later)
{
    struct office office;
    office_open(&office, NULL);
    responder_set(&office.responder, RESPONDER_FAILING, NULL);
    ask_of_others(&office, 2 * OCSP_DEAD_AFTER);
    ck_assert_uint_eq(responder_asked(&office.responder), OCSP_DEAD_AFTER);
    responder_set(&office.responder, RESPONDER_ANSWERS, NULL);
    office.now += OCSP_FAILURE_S;
    ask(&office, 10);
    office_until(&office, office.askers[10].told == 1);
    ck_known(&office, REFUSAL_NONE);
    office_close(&office);
}
END_TEST

START_TEST(questions_that_a_responder_refuses_do_not_make_it_dead)
{
    struct office office;
    office_open(&office, NULL);
    responder_set(&office.responder, RESPONDER_REFUSING, NULL);
    ask_of_others(&office, 2 * OCSP_DEAD_AFTER);
    ck_assert_uint_eq(responder_asked(&office.responder), 2 * OCSP_DEAD_AFTER);
    responder_set(&office.responder, RESPONDER_ANSWERS, NULL);
    ask(&office, 10);
    office_until(&office, office.askers[10].told == 1);
    ck_known(&office, REFUSAL_NONE);
    office_close(&office);
}
END_TEST

/* --- leaving -----------------------------------------------------------------------------------
 */

START_TEST(who_leaves_is_not_told_and_the_answer_is_remembered_all_the_same)
{
    struct office office;
    office_open(&office, NULL);
    responder_set(&office.responder, RESPONDER_HELD, NULL);
    ask(&office, 0);
    ask(&office, 1);
    office_until(&office, responder_holding(&office.responder) == 1);
    ocsp_leave(office.askers[0].wait);
    ocsp_leave(office.askers[1].wait);
    responder_set(&office.responder, RESPONDER_ANSWERS, NULL);
    office_until(&office, office.desk.question_count == 0);
    ck_assert_uint_eq(office.askers[0].told + office.askers[1].told, 0);
    ck_known(&office, REFUSAL_NONE);
    office_close(&office);
}
END_TEST

/* The first who is told makes the second leave. */
static void on_asked_expel(void *arg)
{
    struct asker *asker = arg;
    asker->told++;
    ocsp_leave(asker[1].wait);
}

START_TEST(who_is_told_may_make_another_leave_who_waits_for_the_same)
{
    struct office office;
    office_open(&office, NULL);
    ck_assert_ptr_nonnull(ocsp_ask(&office.desk, &office.stage.check, office.stage.auth.ca_set,
                                   office.stage.identity, on_asked_expel, &office.askers[0]));
    ask(&office, 1);
    office_until(&office, office.askers[0].told == 1);
    ck_assert_uint_eq(office.askers[1].told, 0);
    office_close(&office);
}
END_TEST

START_TEST(who_is_told_may_ask_again)
{
    struct office office;
    office_open(&office, NULL);
    office.askers[0].asks_again = true;
    ask(&office, 0);
    office_until(&office, office.askers[0].told == 2);
    ck_assert_uint_eq(responder_asked(&office.responder), 2);
    office_close(&office);
}
END_TEST

START_TEST(it_closes_whatever_it_is_doing)
{
    struct office office;
    static const char *const urls[] = {NULL, "http://localhost:9/", "http://no-such.invalid/"};
    office_open(&office, urls[_i % 3]);
    responder_set(&office.responder, RESPONDER_HELD, NULL);
    ask(&office, 0);
    for (int i = 0; i < _i / 3; i++) /* how far it has come */
        uv_run(&office.loop, UV_RUN_NOWAIT);
    bool was_told = office.askers[0].told > 0;
    ocsp_desk_close(&office.desk, on_closed, &office);
    ck_assert_uint_eq(office.askers[0].told, 1);
    ck_assert(was_told ||
              ocsp_last(&office.stage.check, office.stage.identity) == REFUSAL_OCSP_UNAVAILABLE);
    ck_assert_ptr_null(ocsp_ask(&office.desk, &office.stage.check, office.stage.auth.ca_set,
                                office.stage.identity, on_asked, &office.askers[1]));
    office_until(&office, office.is_closed);
    ck_assert_uint_eq(office.desk.question_count, 0);
    office_close(&office);
}
END_TEST

/* --- turns -------------------------------------------------------------------------------------
 */

struct crowd {
    struct made *made[ASKERS_MOST];
    struct identity *identities[ASKERS_MOST];
};

static void crowd_ask(struct office *office, struct crowd *crowd)
{
    responder_set(&office->responder, RESPONDER_HELD, NULL);
    for (unsigned i = 0; i < ASKERS_MOST; i++) {
        crowd->made[i] = made_client(office->stage.ca, "one of many");
        crowd->identities[i] = ocsp_stage_identify(&office->stage, crowd->made[i]);
        ask_as(&office->askers[i], crowd->identities[i]);
    }
    office_until(office, responder_holding(&office->responder) == OCSP_OPEN_MOST);
    ck_assert_uint_eq(office->desk.open_count, OCSP_OPEN_MOST);
    ck_assert_uint_eq(office->desk.question_count, ASKERS_MOST);
}

static void crowd_done(struct crowd *crowd)
{
    for (unsigned i = 0; i < ASKERS_MOST; i++) {
        identity_unref(crowd->identities[i]);
        made_free(crowd->made[i]);
    }
}

START_TEST(no_more_are_asked_at_once_than_the_limit_and_all_in_the_end)
{
    struct office office;
    struct crowd crowd;
    office_open(&office, NULL);
    crowd_ask(&office, &crowd);
    responder_set(&office.responder, RESPONDER_ANSWERS, NULL);
    for (unsigned i = 0; i < ASKERS_MOST; i++)
        office_until(&office, office.askers[i].told == 1);
    ck_assert_uint_eq(responder_asked(&office.responder), ASKERS_MOST);
    crowd_done(&crowd);
    office_close(&office);
}
END_TEST

START_TEST(who_leaves_before_his_turn_is_not_asked_about)
{
    struct office office;
    struct crowd crowd;
    office_open(&office, NULL);
    crowd_ask(&office, &crowd);
    for (unsigned i = OCSP_OPEN_MOST; i < ASKERS_MOST; i++)
        ocsp_leave(office.askers[i].wait);
    ck_assert_uint_eq(office.desk.question_count, OCSP_OPEN_MOST);
    responder_set(&office.responder, RESPONDER_ANSWERS, NULL);
    office_until(&office, office.desk.question_count == 0);
    ck_assert_uint_eq(responder_asked(&office.responder), OCSP_OPEN_MOST);
    crowd_done(&crowd);
    office_close(&office);
}
END_TEST

START_TEST(whose_turn_does_not_come_in_time_is_told_as_well)
{
    struct office office;
    struct crowd crowd;
    office_open(&office, NULL);
    crowd_ask(&office, &crowd);
    office.now_ms += OCSP_ASK_MS;
    for (unsigned i = 0; i < ASKERS_MOST; i++)
        office_until(&office, office.askers[i].told == 1);
    ck_assert_uint_eq(responder_asked(&office.responder), OCSP_OPEN_MOST);
    crowd_done(&crowd);
    office_close(&office);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, whoever_waits_is_told_and_the_answer_is_remembered, 0,
                        sizeof answers / sizeof *answers);
    tcase_add_test(tcase, many_who_wait_for_one_certificate_cost_one_question);
    tcase_add_test(tcase, a_name_is_looked_up);
    tcase_add_test(tcase, the_question_is_a_post_that_says_whom_it_is_for);
    tcase_add_loop_test(tcase, a_responder_that_is_not_there_is_no_answer, 0,
                        sizeof nowhere / sizeof *nowhere);
    tcase_add_test(tcase, a_certificate_that_names_no_responder_has_no_answer);
    tcase_add_test(tcase, who_does_not_answer_is_not_waited_for_longer_than_the_limit);
    tcase_add_test(tcase, a_dead_responder_is_left_alone_and_asked_again_later);
    tcase_add_test(tcase, questions_that_a_responder_refuses_do_not_make_it_dead);
    tcase_add_test(tcase, who_leaves_is_not_told_and_the_answer_is_remembered_all_the_same);
    tcase_add_test(tcase, who_is_told_may_make_another_leave_who_waits_for_the_same);
    tcase_add_test(tcase, who_is_told_may_ask_again);
    tcase_add_loop_test(tcase, it_closes_whatever_it_is_doing, 0, 12);
    tcase_add_test(tcase, no_more_are_asked_at_once_than_the_limit_and_all_in_the_end);
    tcase_add_test(tcase, who_leaves_before_his_turn_is_not_asked_about);
    tcase_add_test(tcase, whose_turn_does_not_come_in_time_is_told_as_well);
}

CHECK_MAIN("ocsp desk", add_tests)
