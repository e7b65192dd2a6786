/* SPDX-License-Identifier: Apache-2.0 */
/* gRPC's health protocol: the question byte by byte, and what each kind of answer means. */
#include "backends/health/grpc_health.h"

#include <stdio.h>
#include <string.h>

#include "tests/support/check_main.h"

/* ---- the question ---- */

START_TEST(the_server_as_a_whole_is_asked_about_with_an_empty_message)
{
    uint8_t bytes[GRPC_QUESTION_BYTES];
    ck_assert_uint_eq(grpc_health_ask("", bytes), 5);
    ck_assert_mem_eq(bytes, "\0\0\0\0\0", 5);
}
END_TEST

START_TEST(a_service_is_the_first_field_of_the_message)
{
    uint8_t bytes[GRPC_QUESTION_BYTES];
    ck_assert_uint_eq(grpc_health_ask("a.B", bytes), 10);
    ck_assert_mem_eq(bytes,
                     "\0\0\0\0\x05\x0a\x03"
                     "a.B",
                     10);
}
END_TEST

START_TEST(the_longest_name_has_a_length_of_two_bytes)
{
    char name[GRPC_SERVICE_BYTES + 1] = "";
    uint8_t bytes[GRPC_QUESTION_BYTES];
    memset(name, 'n', GRPC_SERVICE_BYTES);
    ck_assert_uint_eq(grpc_health_ask(name, bytes), GRPC_QUESTION_BYTES);
    ck_assert_uint_eq(bytes[4], GRPC_QUESTION_BYTES - 5);
    ck_assert_uint_eq(bytes[6], 0x80 | (GRPC_SERVICE_BYTES & 0x7f));
    ck_assert_uint_eq(bytes[7], GRPC_SERVICE_BYTES >> 7);
    ck_assert_mem_eq(bytes + 8, name, GRPC_SERVICE_BYTES);
}
END_TEST

/* ---- the answer ---- */

static struct check_answer answer;

static void set(struct check_value *value, const char *text)
{
    *value = (struct check_value){.count = text ? 1 : 0};
    if (text)
        snprintf(value->text, sizeof value->text, "%s", text);
}

/* A good answer, but for what a test changes of it. */
static void begin(void)
{
    answer = (struct check_answer){.status = 200, .has_head = true, .is_whole = true};
    set(&answer.content_type, "application/grpc");
    set(&answer.grpc_status, "0");
    answer.body_length = 7;
    memcpy(answer.body, "\0\0\0\0\x02\x08\x01", 7);
}

static void end(void)
{
}

static void expect(bool passes, const char *why)
{
    char reason[256];
    bool passed = grpc_health_judge(&answer, reason, sizeof reason);
    ck_assert_str_eq(reason, why);
    ck_assert(passed == passes);
}

START_TEST(serving_is_up)
{
    expect(true, "serving");
}
END_TEST

#define NO_ANSWER "answer is not one of a health check: "
#define BODY(bytes) bytes, sizeof bytes - 1

static const struct {
    const char *body;
    size_t length;
    const char *reason;
} bodies[] = {
    {BODY("\0\0\0\0\x02\x08\x01"), "serving"},
    {BODY("\0\0\0\0\x02\x08\x02"), "not serving"},
    {BODY("\0\0\0\0\x02\x08\x03"), "service unknown"},
    {BODY("\0\0\0\0\x02\x08\x00"), "serving status unknown"},
    {BODY("\0\0\0\0\0"), "serving status unknown"},
    {BODY("\0\0\0\0\x02\x08\x07"), "serving status 7, which lb does not know"},
    /* An enum may have more bytes than it needs, and a negative one has ten. */
    {BODY("\0\0\0\0\x03\x08\x81\x00"), "serving"},
    {BODY("\0\0\0\0\x0b\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
     "serving status 4294967295, which lb does not know"},
    /* Of two the last counts. */
    {BODY("\0\0\0\0\x04\x08\x01\x08\x02"), "not serving"},
    {BODY("\0\0\0\0\x04\x08\x02\x08\x01"), "serving"},
    /* What later versions may add is passed over, of every wire type there is. */
    {BODY("\0\0\0\0\x16\x10\x05\x08\x01\x1a\x02\x08\x02\x25\1\2\3\4\x29\1\2\3\4\5\6\7\x08"),
     "serving"},
    {BODY(""), NO_ANSWER "it has no message"},
    {BODY("\0"), NO_ANSWER "its message is cut"},
    {BODY("\0\0\0\0"), NO_ANSWER "its message is cut"},
    {BODY("\0\0\0\0\x02\x08"), NO_ANSWER "its message is cut"},
    {BODY("\0\xff\xff\xff\xff\x08\x01"), NO_ANSWER "its message is cut"},
    {BODY("\0\0\0\0\x02\x08\x01\0"), NO_ANSWER "more follows its message"},
    {BODY("\0\0\0\0\x02\x08\x01\0\0\0\0\x02\x08\x01"), NO_ANSWER "more follows its message"},
    {BODY("\x01\0\0\0\x02\x08\x01"), NO_ANSWER "its message is compressed, which was not offered"},
    {BODY("\x02\0\0\0\x02\x08\x01"), NO_ANSWER "its message begins with neither 0 nor 1"},
    {BODY("<html></html>"), NO_ANSWER "its message begins with neither 0 nor 1"},
    /* A tag alone, a varint without end, of eleven bytes; a length that leads out; field 0. */
    {BODY("\0\0\0\0\x01\x08"), NO_ANSWER "its message is no HealthCheckResponse"},
    {BODY("\0\0\0\0\x02\x08\x80"), NO_ANSWER "its message is no HealthCheckResponse"},
    {BODY("\0\0\0\0\x0c\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"),
     NO_ANSWER "its message is no HealthCheckResponse"},
    {BODY("\0\0\0\0\x03\x12\x02\x01"), NO_ANSWER "its message is no HealthCheckResponse"},
    {BODY("\0\0\0\0\x0b\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
     NO_ANSWER "its message is no HealthCheckResponse"},
    {BODY("\0\0\0\0\x02\x00\x01"), NO_ANSWER "its message is no HealthCheckResponse"},
    {BODY("\0\0\0\0\x04\x15\1\2\3"), NO_ANSWER "its message is no HealthCheckResponse"},
    {BODY("\0\0\0\0\x04\x11\1\2\3"), NO_ANSWER "its message is no HealthCheckResponse"},
    /* Groups, and the two wire types that nothing has. */
    {BODY("\0\0\0\0\x02\x0b\x0c"), NO_ANSWER "its message is no HealthCheckResponse"},
    {BODY("\0\0\0\0\x02\x0e\x01"), NO_ANSWER "its message is no HealthCheckResponse"},
    {BODY("\0\0\0\0\x02\x0f\x01"), NO_ANSWER "its message is no HealthCheckResponse"},
    /* The status as text. */
    {BODY("\0\0\0\0\x03\x0a\x01\x01"), "serving status unknown"},
};

START_TEST(a_message_means_what_it_says_or_is_told_to_be_none)
{
    memcpy(answer.body, bodies[_i].body, bodies[_i].length);
    answer.body_length = bodies[_i].length;
    expect(strcmp(bodies[_i].reason, "serving") == 0, bodies[_i].reason);
}
END_TEST

START_TEST(a_message_may_be_as_large_as_what_is_kept_and_no_larger)
{
    /* Field 2 takes all that is left of it. */
    size_t text = CHECK_BODY_BYTES - 5 - 2 - 3;
    memcpy(answer.body, "\0\0\0\x03\xfb\x08\x01\x12", 8);
    answer.body[8] = (uint8_t)(0x80 | (text & 0x7f));
    answer.body[9] = (uint8_t)(text >> 7);
    ck_assert_uint_eq(CHECK_BODY_BYTES - 5, 0x3fb);
    answer.body_length = CHECK_BODY_BYTES;
    expect(true, "serving");
    answer.body_length++;
    expect(false, NO_ANSWER "it is too large");
}
END_TEST

#define NO_SERVICE "backend has no health service (grpc.health.v1.Health): "

static const struct {
    const char *status;
    const char *message;
    const char *reason;
} statuses[] = {
    {"12", NULL, NO_SERVICE "grpc-status 12 (unimplemented)"},
    {"12", "Method not found!", NO_SERVICE "grpc-status 12 (unimplemented): Method not found!"},
    {"5", NULL, "service unknown: grpc-status 5 (not found)"},
    {"5", "who%3f", "service unknown: grpc-status 5 (not found): who%3f"},
    {"14", "", "grpc-status 14 (unavailable)"},
    {"16", NULL, "grpc-status 16 (unauthenticated)"},
    {"17", NULL, "grpc-status 17"},
    {"999", NULL, "grpc-status 999"},
    {NULL, NULL, "answer ended without grpc-status"},
    {"", NULL, "answer has no valid grpc-status: "},
    {"1000", NULL, "answer has no valid grpc-status: 1000"},
    {"-1", NULL, "answer has no valid grpc-status: -1"},
    {"0x0", NULL, "answer has no valid grpc-status: 0x0"},
    {"OK", NULL, "answer has no valid grpc-status: OK"},
};

START_TEST(a_status_but_0_is_down_whatever_the_message_says)
{
    set(&answer.grpc_status, statuses[_i].status);
    set(&answer.grpc_message, statuses[_i].message);
    expect(false, statuses[_i].reason);
}
END_TEST

START_TEST(two_statuses_are_none)
{
    answer.grpc_status.count = 2;
    expect(false, "answer has no valid grpc-status: there are several");
}
END_TEST

START_TEST(an_answer_that_is_cut_is_down)
{
    answer.is_whole = false;
    expect(false, "answer is not whole");
}
END_TEST

static const struct {
    unsigned status;
    const char *type;
    const char *reason; /* NULL: it is fine */
} heads[] = {
    {404, "application/grpc", "answer is not gRPC: its status is 404 Not Found"},
    {999, "text/html", "answer is not gRPC: its status is 999"},
    {200, "text/html", "answer is not gRPC: its content-type is text/html"},
    {200, NULL, "answer is not gRPC: its content-type is missing"},
    {200, "application/grpc-web", "answer is not gRPC: its content-type is application/grpc-web"},
    {200, "application/grpcx", "answer is not gRPC: its content-type is application/grpcx"},
    {200, "application/grpc+proto", NULL},
    {200, "application/grpc; a=b", NULL},
    {200, "Application/GRPC", NULL},
};

START_TEST(what_is_not_grpc_is_told_so)
{
    answer.status = heads[_i].status;
    set(&answer.content_type, heads[_i].type);
    expect(!heads[_i].reason, heads[_i].reason ? heads[_i].reason : "serving");
}
END_TEST

#define COUNT(table) ((int)(sizeof table / sizeof *table))

static void add_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, the_server_as_a_whole_is_asked_about_with_an_empty_message);
    tcase_add_test(tcase, a_service_is_the_first_field_of_the_message);
    tcase_add_test(tcase, the_longest_name_has_a_length_of_two_bytes);
    tcase_add_test(tcase, serving_is_up);
    tcase_add_loop_test(tcase, a_message_means_what_it_says_or_is_told_to_be_none, 0,
                        COUNT(bodies));
    tcase_add_test(tcase, a_message_may_be_as_large_as_what_is_kept_and_no_larger);
    tcase_add_loop_test(tcase, a_status_but_0_is_down_whatever_the_message_says, 0,
                        COUNT(statuses));
    tcase_add_test(tcase, two_statuses_are_none);
    tcase_add_test(tcase, an_answer_that_is_cut_is_down);
    tcase_add_loop_test(tcase, what_is_not_grpc_is_told_so, 0, COUNT(heads));
}

CHECK_MAIN("grpc health", add_tests)
