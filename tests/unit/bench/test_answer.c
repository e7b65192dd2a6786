/* SPDX-License-Identifier: Apache-2.0 */
/* When is an answer complete, and when is it not the one expected? However it is cut. */
#include "tests/bench/answer.h"

#include <string.h>

#include "tests/support/check_main.h"

static const char good[] = "HTTP/1.1 200 OK\r\nServer: x\r\ncontent-LENGTH: 5\r\n\r\nhello";

static enum answer_outcome take(struct answer *answer, const char *text)
{
    return answer_take(answer, text, strlen(text));
}

/* In pieces of that size; what comes of the last one. */
static enum answer_outcome take_pieces(struct answer *answer, const char *text, size_t piece)
{
    size_t length = strlen(text);
    answer_begin(answer);
    for (size_t at = 0; at < length; at += piece) {
        size_t bytes = length - at < piece ? length - at : piece;
        enum answer_outcome outcome = answer_take(answer, text + at, bytes);
        if (outcome != ANSWER_MORE)
            return at + bytes == length ? outcome : ANSWER_WRONG;
    }
    return ANSWER_MORE;
}

START_TEST(an_answer_is_whole_with_its_last_byte_however_it_is_cut)
{
    struct answer answer;
    for (size_t piece = 1; piece <= sizeof good; piece++) {
        ck_assert_int_eq(take_pieces(&answer, good, piece), ANSWER_WHOLE);
        ck_assert_uint_eq(answer.body_bytes, 5);
        ck_assert_uint_eq(answer.status, 200);
        ck_assert(!answer.closes);
    }
}
END_TEST

START_TEST(a_byte_less_is_not_whole_and_a_byte_more_is_wrong)
{
    struct answer answer;
    answer_begin(&answer);
    ck_assert_int_eq(answer_take(&answer, good, sizeof good - 2), ANSWER_MORE);
    ck_assert_int_eq(take(&answer, "oX"), ANSWER_WRONG);
    answer_begin(&answer);
    ck_assert_int_eq(answer_take(&answer, good, sizeof good), ANSWER_WRONG); /* with its NUL */
}
END_TEST

START_TEST(an_answer_without_a_body_is_whole_with_its_head)
{
    struct answer answer;
    answer_begin(&answer);
    ck_assert_int_eq(take(&answer, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), ANSWER_WHOLE);
    ck_assert_uint_eq(answer.body_bytes, 0);
}
END_TEST

START_TEST(a_length_beyond_32_bits_is_counted)
{
    struct answer answer;
    answer_begin(&answer);
    ck_assert_int_eq(take(&answer, "HTTP/1.1 200 OK\r\nContent-Length: 6442450944\r\n\r\n"),
                     ANSWER_MORE);
    ck_assert_uint_eq(answer.body_bytes, 6442450944);
    ck_assert_uint_eq(answer.missing_bytes, 6442450944);
}
END_TEST

START_TEST(another_status_is_a_refusal_and_its_line_can_be_told)
{
    struct answer answer;
    answer_begin(&answer);
    ck_assert_int_eq(take(&answer, "HTTP/1.1 503 Busy\r\nContent-Length: 9\r\n\r\n"),
                     ANSWER_REFUSED);
    ck_assert_uint_eq(answer.status, 503);
    ck_assert_int_eq(strncmp(answer.head, "HTTP/1.1 503 Busy\r\n", 19), 0);
}
END_TEST

START_TEST(what_cannot_be_measured_is_wrong)
{
    static const char *const wrong[] = {
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX-Content-Length: 5\r\n\r\nhello",
        "HTTP/2 200\r\nContent-Length: 5\r\n\r\nhello",
        "nonsense\r\n\r\n",
    };
    struct answer answer;
    for (unsigned i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        answer_begin(&answer);
        ck_assert_int_eq(take(&answer, wrong[i]), ANSWER_WRONG);
    }
}
END_TEST

START_TEST(a_head_that_does_not_end_is_wrong)
{
    struct answer answer;
    answer_begin(&answer);
    enum answer_outcome outcome = take(&answer, "HTTP/1.1 200 OK\r\n");
    for (unsigned i = 0; i < ANSWER_HEAD_BYTES && outcome == ANSWER_MORE; i += 8)
        outcome = take(&answer, "X: 1234\n");
    ck_assert_int_eq(outcome, ANSWER_WRONG);
}
END_TEST

START_TEST(a_peer_that_will_close_is_believed)
{
    struct answer answer;
    answer_begin(&answer);
    take(&answer, "HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 0\r\n\r\n");
    ck_assert(answer.closes);
    answer_begin(&answer);
    ck_assert(!answer.closes);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, an_answer_is_whole_with_its_last_byte_however_it_is_cut);
    tcase_add_test(tcase, a_byte_less_is_not_whole_and_a_byte_more_is_wrong);
    tcase_add_test(tcase, an_answer_without_a_body_is_whole_with_its_head);
    tcase_add_test(tcase, a_length_beyond_32_bits_is_counted);
    tcase_add_test(tcase, another_status_is_a_refusal_and_its_line_can_be_told);
    tcase_add_test(tcase, what_cannot_be_measured_is_wrong);
    tcase_add_test(tcase, a_head_that_does_not_end_is_wrong);
    tcase_add_test(tcase, a_peer_that_will_close_is_believed);
}

CHECK_MAIN("answer", add_tests)
