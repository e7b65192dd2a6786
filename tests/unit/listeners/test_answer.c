/* SPDX-License-Identifier: Apache-2.0 */
/* What lb says when it answers itself, and how it hands it to a stream. */
#include "listeners/answer.h"

#include <string.h>

#include "lb/base/limits.h"
#include "listeners/refusal.h"
#include "tests/support/check_main.h"
#include "tests/support/text.h"

/* --- a stream that keeps what it is given -------------------------------------------------- */

struct kept {
    struct stream stream; /* first */
    struct stream_head head;
    struct text extra;
    struct text body;
    unsigned heads;
    bool last;
    enum stream_write says;
};

static enum stream_write keep(struct stream *stream, const struct stream_head *head,
                              struct slice body, bool last)
{
    struct kept *kept = (struct kept *)(void *)stream;
    kept->head = *head;
    text_add(&kept->extra, head->extra.at, head->extra.length);
    text_add(&kept->body, body.at, body.length);
    kept->heads++;
    kept->last = last;
    return kept->says;
}

static const struct stream_ops keep_ops = {.write_head = keep};

static void kept_done(struct kept *kept)
{
    text_done(&kept->extra);
    text_done(&kept->body);
}

/* --- composing ----------------------------------------------------------------------------- */

START_TEST(an_answer_says_status_reason_and_a_sentence)
{
    struct answer_text answer;
    answer_compose(&answer, 403, "missing", "No client certificate was sent.");
    ck_assert_str_eq(answer.body, "403 Forbidden: missing\nNo client certificate was sent.\n");
    ck_assert_uint_eq(answer.body_length, strlen(answer.body));
    ck_assert_str_eq(answer.fields, "Content-Type: text/plain; charset=utf-8\r\n"
                                    "Cache-Control: no-store\r\n"
                                    "X-LB-Reason: missing\r\n");
    ck_assert_uint_eq(answer.fields_length, strlen(answer.fields));
}
END_TEST

START_TEST(without_a_reason_or_a_sentence_nothing_is_invented)
{
    struct answer_text answer;
    answer_compose(&answer, 408, NULL, NULL);
    ck_assert_str_eq(answer.body, "408 Request Timeout\n");
    ck_assert_ptr_null(strstr(answer.fields, "X-LB-Reason"));
    answer_compose(&answer, 400, NULL, "Host is missing");
    ck_assert_str_eq(answer.body, "400 Bad Request\nHost is missing\n");
}
END_TEST

START_TEST(a_sentence_that_is_too_long_is_cut_and_the_length_stays_true)
{
    struct answer_text answer;
    char sentence[2 * ANSWER_BODY_BYTES];
    memset(sentence, 'x', sizeof sentence - 1);
    sentence[sizeof sentence - 1] = '\0';
    answer_compose(&answer, 502, "link-failed", sentence);
    ck_assert_uint_eq(answer.body_length, ANSWER_BODY_BYTES - 1);
    ck_assert_uint_eq(strlen(answer.body), answer.body_length);
}
END_TEST

START_TEST(a_reason_too_long_for_a_field_leaves_no_half_field)
{
    struct answer_text answer;
    char reason[sizeof answer.fields];
    memset(reason, 'x', sizeof reason - 1);
    reason[sizeof reason - 1] = '\0';
    answer_compose(&answer, 502, reason, NULL);
    ck_assert_uint_eq(answer.fields_length, 0);
}
END_TEST

START_TEST(every_refusal_makes_a_whole_answer)
{
    for (int refusal = REFUSAL_NONE + 1; refusal < REFUSAL_COUNT; refusal++) {
        struct answer_text answer;
        answer_compose(&answer, 403, refusal_name((enum refusal)refusal),
                       refusal_sentence((enum refusal)refusal));
        ck_assert_uint_lt(answer.body_length, ANSWER_BODY_BYTES - 1);
        ck_assert_uint_gt(answer.fields_length, 0);
        ck_assert_ptr_nonnull(strstr(answer.fields, refusal_name((enum refusal)refusal)));
    }
}
END_TEST

/* --- writing ------------------------------------------------------------------------------- */

START_TEST(an_answer_is_one_write_with_its_exact_length)
{
    struct kept kept = {.stream.ops = &keep_ops, .says = STREAM_TAKEN};
    ck_assert_int_eq(answer_write(&kept.stream, 404, "no-rule", "Nothing is here."), STREAM_TAKEN);
    ck_assert_uint_eq(kept.heads, 1);
    ck_assert(kept.last);
    ck_assert_uint_eq(kept.head.status, 404);
    ck_assert(slice_is(kept.head.reason, "Not Found"));
    ck_assert_int_eq(kept.head.framing, HTTP_LENGTH);
    ck_assert(kept.head.has_length && kept.head.has_body);
    ck_assert(!kept.head.interim && !kept.head.is_tunnel);
    ck_assert_uint_eq(kept.head.length, kept.body.length);
    ck_assert_uint_eq(kept.head.field_count, 0);
    ck_assert_str_eq(kept.body.bytes, "404 Not Found: no-rule\nNothing is here.\n");
    ck_assert_ptr_nonnull(strstr(kept.extra.bytes, "X-LB-Reason: no-rule\r\n"));
    kept_done(&kept);
}
END_TEST

START_TEST(what_the_stream_says_is_passed_on)
{
    struct kept kept = {.stream.ops = &keep_ops, .says = STREAM_LOST};
    ck_assert_int_eq(answer_write(&kept.stream, 400, NULL, NULL), STREAM_LOST);
    kept.says = STREAM_FULL;
    ck_assert_int_eq(answer_write(&kept.stream, 400, NULL, NULL), STREAM_FULL);
    kept_done(&kept);
}
END_TEST

START_TEST(a_redirect_says_where_and_is_not_forbidden_to_caches)
{
    struct kept kept = {.stream.ops = &keep_ops, .says = STREAM_TAKEN};
    ck_assert_int_eq(answer_write_redirect(&kept.stream, 308, slice_of("https://a.test/x?y")),
                     STREAM_TAKEN);
    ck_assert_uint_eq(kept.head.status, 308);
    ck_assert_uint_eq(kept.heads, 1);
    ck_assert(kept.last && kept.head.has_length && !kept.head.is_final);
    ck_assert_uint_eq(kept.head.length, kept.body.length);
    ck_assert_str_eq(kept.body.bytes, "308 Permanent Redirect\n");
    ck_assert_str_eq(kept.extra.bytes, "Content-Type: text/plain; charset=utf-8\r\n"
                                       "Location: https://a.test/x?y\r\n");
    kept_done(&kept);
}
END_TEST

START_TEST(the_longest_location_fits_and_a_longer_one_is_never_cut)
{
    static char location[2 * LOCATION_BYTES];
    struct kept kept = {.stream.ops = &keep_ops, .says = STREAM_TAKEN};
    memset(location, 'x', sizeof location);
    ck_assert_int_eq(
        answer_write_redirect(&kept.stream, 301, (struct slice){location, LOCATION_BYTES}),
        STREAM_TAKEN);
    ck_assert_uint_gt(kept.extra.length, LOCATION_BYTES);
    ck_assert_int_eq(
        answer_write_redirect(&kept.stream, 301, (struct slice){location, sizeof location}),
        STREAM_LOST);
    ck_assert_uint_eq(kept.heads, 1);
    kept_done(&kept);
}
END_TEST

static const struct {
    unsigned status;
    const char *sentence, *body;
} responses[] = {
    {200, "ok", "ok\n"},
    {503, "Back at noon", "Back at noon\n"},
    {404, NULL, "404 Not Found\n"},
    {400, NULL, "400 Bad Request\n"},
    {299, NULL, "299 \n"},
};

START_TEST(what_a_rule_responds_is_its_sentence)
{
    struct kept kept = {.stream.ops = &keep_ops, .says = STREAM_TAKEN};
    ck_assert_int_eq(
        answer_write_respond(&kept.stream, responses[_i].status, responses[_i].sentence),
        STREAM_TAKEN);
    ck_assert_uint_eq(kept.head.status, responses[_i].status);
    ck_assert_str_eq(kept.body.bytes, responses[_i].body);
    ck_assert_uint_eq(kept.head.length, kept.body.length);
    ck_assert(kept.head.has_body && !kept.head.is_final);
    ck_assert_str_eq(kept.extra.bytes, "Content-Type: text/plain; charset=utf-8\r\n"
                                       "Cache-Control: no-store\r\n");
    kept_done(&kept);
}
END_TEST

START_TEST(a_status_without_a_body_has_none)
{
    struct kept kept = {.stream.ops = &keep_ops, .says = STREAM_TAKEN};
    ck_assert_int_eq(answer_write_respond(&kept.stream, 204, NULL), STREAM_TAKEN);
    ck_assert(!kept.head.has_body && !kept.head.has_length);
    ck_assert_uint_eq(kept.body.length, 0);
    ck_assert_str_eq(kept.extra.bytes, "Cache-Control: no-store\r\n");
    kept_done(&kept);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, a_redirect_says_where_and_is_not_forbidden_to_caches);
    tcase_add_test(tcase, the_longest_location_fits_and_a_longer_one_is_never_cut);
    tcase_add_loop_test(tcase, what_a_rule_responds_is_its_sentence, 0,
                        sizeof responses / sizeof *responses);
    tcase_add_test(tcase, a_status_without_a_body_has_none);
    tcase_add_test(tcase, an_answer_says_status_reason_and_a_sentence);
    tcase_add_test(tcase, without_a_reason_or_a_sentence_nothing_is_invented);
    tcase_add_test(tcase, a_sentence_that_is_too_long_is_cut_and_the_length_stays_true);
    tcase_add_test(tcase, a_reason_too_long_for_a_field_leaves_no_half_field);
    tcase_add_test(tcase, every_refusal_makes_a_whole_answer);
    tcase_add_test(tcase, an_answer_is_one_write_with_its_exact_length);
    tcase_add_test(tcase, what_the_stream_says_is_passed_on);
}

CHECK_MAIN("answer", add_tests)
