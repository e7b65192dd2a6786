/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/exchange/grpc_outcome.h"

#include "tests/support/check_main.h"

#define FIELD(key, text)                                                                           \
    (struct http_field)                                                                            \
    {                                                                                              \
        .name = SLICE(key), .value = SLICE(text)                                                   \
    }

static struct http_answer head;

static struct grpc_outcome outcome_of(struct http_field first, struct http_field second)
{
    struct grpc_outcome outcome = {.is_told = true, .status = 99}; /* of an earlier attempt */
    head.fields[0] = first;
    head.fields[1] = second;
    head.field_count = 2;
    grpc_outcome_begin(&outcome, &head);
    return outcome;
}

START_TEST(the_content_type_says_whether_it_is_grpc)
{
    struct http_field status = FIELD("grpc-status", "3");
    struct grpc_outcome outcome =
        outcome_of(FIELD("Content-Type", "application/grpc+proto"), status);
    ck_assert(outcome.is_grpc && outcome.is_told && outcome.is_open_ended);
    ck_assert_uint_eq(outcome.status, 3);
    outcome = outcome_of(FIELD("content-type", "application/grpc-web"), status);
    ck_assert(!outcome.is_grpc && !outcome.is_told && !outcome.is_open_ended);
    outcome = outcome_of(FIELD("x", "application/grpc"), status);
    ck_assert(!outcome.is_grpc && !outcome.is_told);
}
END_TEST

START_TEST(a_length_that_was_told_must_be_kept)
{
    head.has_length = true;
    ck_assert(
        !outcome_of(FIELD("content-type", "application/grpc"), FIELD("a", "b")).is_open_ended);
    head.has_length = false;
}
END_TEST

START_TEST(trailers_tell_the_status_of_what_is_grpc_and_of_nothing_else)
{
    struct http_field trailers[] = {FIELD("grpc-message", "7"), FIELD("Grpc-Status", "16")};
    struct grpc_outcome outcome =
        outcome_of(FIELD("content-type", "application/grpc"), FIELD("a", "b"));
    ck_assert(outcome.is_grpc && !outcome.is_told);
    grpc_outcome_read(&outcome, trailers, 1);
    ck_assert(!outcome.is_told);
    grpc_outcome_read(&outcome, trailers, 2);
    ck_assert(outcome.is_told);
    ck_assert_uint_eq(outcome.status, 16);
    struct grpc_outcome other = {0};
    grpc_outcome_read(&other, trailers, 2);
    ck_assert(!other.is_told);
}
END_TEST

START_TEST(what_is_no_number_is_no_status)
{
    static const struct slice bad[] = {SLICE(""), SLICE("x"), SLICE("-1"), SLICE("1 "),
                                       SLICE("1000")};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct http_field status = {.name = SLICE("grpc-status"), .value = bad[i]};
        ck_assert(!outcome_of(FIELD("content-type", "application/grpc"), status).is_told);
    }
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, the_content_type_says_whether_it_is_grpc);
    tcase_add_test(tcase, a_length_that_was_told_must_be_kept);
    tcase_add_test(tcase, trailers_tell_the_status_of_what_is_grpc_and_of_nothing_else);
    tcase_add_test(tcase, what_is_no_number_is_no_status);
}

CHECK_MAIN("grpc outcome", add_tests)
