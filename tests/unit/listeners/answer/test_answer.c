/* SPDX-License-Identifier: Apache-2.0 */
/* What lb says when it answers itself, and how it hands it to a stream. */
#include "listeners/answer/answer.h"

#include <jansson.h>
#include <openssl/evp.h>
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

static const struct answer_words missing = {
    .status = 403,
    .reason = "missing",
    .sentence = "No client certificate was sent.",
    .advice = "Send one.",
    .request_id = {"abc-1", 5},
};

static void compose(struct answer_text *answer, enum answer_form form,
                    const struct answer_words *words)
{
    answer_compose(answer, form, words);
    ck_assert_uint_lt(answer->body_length, sizeof answer->body);
    ck_assert_uint_lt(answer->fields_length, sizeof answer->fields);
    answer->body[answer->body_length] = '\0';
    answer->fields[answer->fields_length] = '\0';
}

START_TEST(an_answer_says_status_reason_a_sentence_and_what_to_do)
{
    struct answer_text answer;
    compose(&answer, ANSWER_TEXT, &missing);
    ck_assert_str_eq(answer.body, "403 Forbidden: missing\nNo client certificate was sent.\n"
                                  "Send one.\nRequest: abc-1\n");
    ck_assert_str_eq(answer.fields, "Content-Type: text/plain; charset=utf-8\r\n"
                                    "Cache-Control: no-store\r\n"
                                    "Vary: Accept\r\n"
                                    "X-Content-Type-Options: nosniff\r\n"
                                    "X-LB-Reason: missing\r\n");
}
END_TEST

START_TEST(as_json_it_says_the_same)
{
    struct answer_text answer;
    compose(&answer, ANSWER_JSON, &missing);
    ck_assert_str_eq(answer.body, "{\"status\":403,\"error\":\"missing\","
                                  "\"message\":\"No client certificate was sent.\","
                                  "\"advice\":\"Send one.\",\"request_id\":\"abc-1\"}\n");
    ck_assert_ptr_nonnull(strstr(answer.fields, "Content-Type: application/json\r\n"));
    ck_assert_ptr_nonnull(strstr(answer.fields, "Vary: Accept\r\n"));
    ck_assert_ptr_nonnull(strstr(answer.fields, "Cache-Control: no-store\r\n"));
}
END_TEST

START_TEST(json_stays_json_whatever_is_said)
{
    struct answer_text answer;
    const struct answer_words words = {.status = 400, .sentence = "a \"b\" \\ \n \x01 end"};
    compose(&answer, ANSWER_JSON, &words);
    json_t *root = json_loads(answer.body, 0, NULL);
    ck_assert_msg(root, "no JSON: %s", answer.body);
    ck_assert_str_eq(json_string_value(json_object_get(root, "message")), words.sentence);
    ck_assert_int_eq(json_integer_value(json_object_get(root, "status")), 400);
    ck_assert(json_is_null(json_object_get(root, "error")));
    ck_assert(json_is_null(json_object_get(root, "advice")));
    ck_assert(json_is_null(json_object_get(root, "request_id")));
    json_decref(root);
}
END_TEST

START_TEST(as_html_it_is_a_page_that_needs_nothing_else)
{
    static const char *const parts[] = {"<!doctype html>",
                                        "<html lang=\"en\">",
                                        "<meta charset=\"utf-8\">",
                                        "<meta name=\"viewport\"",
                                        "<title>403 Forbidden</title>",
                                        "prefers-color-scheme:dark",
                                        "<h1>No client certificate was sent.</h1>",
                                        "<h2>What to do</h2>\n<p>Send one.</p>",
                                        "<dt>Reason</dt><dd>missing</dd>",
                                        "<dt>Request</dt><dd>abc-1</dd>",
                                        "</html>\n"};
    static const char *const never[] = {"<script", "http://", "https://", "url(", "src=", "href="};
    struct answer_text answer;
    compose(&answer, ANSWER_HTML, &missing);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        ck_assert_msg(strstr(answer.body, parts[i]), "%s is missing in: %s", parts[i], answer.body);
    for (size_t i = 0; i < sizeof never / sizeof *never; i++)
        ck_assert_msg(!strstr(answer.body, never[i]), "%s is in: %s", never[i], answer.body);
    ck_assert_ptr_nonnull(strstr(answer.fields, "Content-Type: text/html; charset=utf-8\r\n"));
    ck_assert_ptr_nonnull(strstr(answer.fields, "X-LB-Reason: missing\r\n"));
}
END_TEST

START_TEST(the_policy_of_the_page_allows_its_style_and_nothing_else)
{
    struct answer_text answer;
    unsigned char digest[32];
    char encoded[64], wanted[128];
    compose(&answer, ANSWER_HTML, &missing);
    const char *style = strstr(answer.body, "<style>");
    ck_assert_ptr_nonnull(style);
    style += strlen("<style>");
    size_t length = (size_t)(strstr(style, "</style>") - style);
    ck_assert_int_eq(EVP_Digest(style, length, digest, NULL, EVP_sha256(), NULL), 1);
    EVP_EncodeBlock((unsigned char *)encoded, digest, sizeof digest);
    snprintf(wanted, sizeof wanted, "default-src 'none'; style-src 'sha256-%s'; ", encoded);
    ck_assert_msg(strstr(answer.fields, wanted), "%s is not in: %s", wanted, answer.fields);
}
END_TEST

START_TEST(nothing_in_the_words_becomes_markup)
{
    struct answer_text answer;
    const struct answer_words words = {.status = 502,
                                       .reason = "x",
                                       .sentence = "<b onclick='a'>&\"",
                                       .advice = "</p><script>",
                                       .request_id = {"<i>", 3}};
    compose(&answer, ANSWER_HTML, &words);
    ck_assert_ptr_nonnull(strstr(answer.body, "<h1>&lt;b onclick=&#39;a&#39;&gt;&amp;&#34;</h1>"));
    ck_assert_ptr_nonnull(strstr(answer.body, "<p>&lt;/p&gt;&lt;script&gt;</p>"));
    ck_assert_ptr_nonnull(strstr(answer.body, "<dd>&lt;i&gt;</dd>"));
}
END_TEST

START_TEST(without_a_reason_or_a_sentence_nothing_is_invented)
{
    struct answer_text answer;
    compose(&answer, ANSWER_TEXT, &(struct answer_words){.status = 408});
    ck_assert_str_eq(answer.body, "408 Request Timeout\n");
    ck_assert_ptr_null(strstr(answer.fields, "X-LB-Reason"));
    compose(&answer, ANSWER_TEXT,
            &(struct answer_words){.status = 400, .sentence = "Host is missing"});
    ck_assert_str_eq(answer.body, "400 Bad Request\nHost is missing\n");
    compose(&answer, ANSWER_HTML, &(struct answer_words){.status = 503});
    ck_assert_ptr_nonnull(strstr(answer.body, "<h1>503 Service Unavailable</h1>"));
    ck_assert_ptr_null(strstr(answer.body, "<dl>"));
    ck_assert_ptr_null(strstr(answer.body, "What to do"));
}
END_TEST

START_TEST(what_does_not_fit_is_left_out_and_the_length_stays_true)
{
    struct answer_text answer;
    char sentence[2 * ANSWER_BODY_BYTES];
    memset(sentence, 'x', sizeof sentence - 1);
    sentence[sizeof sentence - 1] = '\0';
    const struct answer_words words = {
        .status = 502, .reason = "link-failed", .sentence = sentence, .advice = "Wait."};
    for (int form = ANSWER_TEXT; form <= ANSWER_JSON; form++) {
        compose(&answer, (enum answer_form)form, &words);
        ck_assert_str_eq(answer.body, "502 Bad Gateway: link-failed\n\nWait.\n");
        ck_assert_ptr_nonnull(strstr(answer.fields, "text/plain"));
    }
}
END_TEST

START_TEST(a_reason_too_long_for_a_field_leaves_no_half_field)
{
    struct answer_text answer;
    char reason[sizeof answer.fields];
    memset(reason, 'x', sizeof reason - 1);
    reason[sizeof reason - 1] = '\0';
    compose(&answer, ANSWER_TEXT, &(struct answer_words){.status = 502, .reason = reason});
    ck_assert_uint_eq(answer.fields_length, 0);
}
END_TEST

START_TEST(every_refusal_makes_a_whole_answer_in_every_form)
{
    static const char *const types[] = {"text/plain", "text/html", "application/json"};
    char id[128];
    memset(id, 'i', sizeof id);
    for (int i = 0; i < 3 * REFUSAL_COUNT; i++) {
        struct answer_text answer;
        enum refusal refusal = (enum refusal)(i / 3);
        const struct answer_words words = {.status = 403,
                                           .reason = refusal_name(refusal),
                                           .sentence = refusal_sentence(refusal),
                                           .advice = refusal_advice(refusal),
                                           .request_id = {id, sizeof id}};
        compose(&answer, (enum answer_form)(i % 3), &words);
        ck_assert_msg(strstr(answer.fields, types[i % 3]), "%s: %s", words.reason, answer.fields);
        ck_assert_ptr_nonnull(strstr(answer.fields, words.reason));
        ck_assert_ptr_nonnull(strstr(answer.body, words.reason));
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

/* --- gRPC ---------------------------------------------------------------------------------- */

START_TEST(clients_of_grpc_are_told_in_the_head_alone)
{
    struct kept kept = {.stream.ops = &keep_ops, .says = STREAM_TAKEN};
    ck_assert_int_eq(answer_write_words(&kept.stream, ANSWER_GRPC, &missing), STREAM_TAKEN);
    ck_assert_uint_eq(kept.head.status, 200);
    ck_assert(slice_is(kept.head.reason, "OK"));
    ck_assert(kept.last && kept.head.has_length);
    ck_assert_uint_eq(kept.head.length, 0);
    ck_assert_uint_eq(kept.body.length, 0);
    ck_assert_str_eq(
        kept.extra.bytes,
        "Content-Type: application/grpc\r\n"
        "Grpc-Status: 7\r\n"
        "Grpc-Message: 403 missing: No client certificate was sent. (request abc-1)\r\n"
        "X-LB-Reason: missing\r\n");
    kept_done(&kept);
}
END_TEST

static const struct {
    unsigned http, grpc;
    bool is_final;
} statuses[] = {
    {400, 13, true},  {401, 16, false}, {403, 7, false},  {404, 12, false}, {408, 2, false},
    {413, 2, false},  {421, 2, false},  {429, 14, false}, {500, 2, false},  {501, 2, true},
    {502, 14, false}, {503, 14, false}, {504, 14, false},
};

START_TEST(a_status_is_translated_as_clients_would_and_ends_what_it_ends_in_http)
{
    struct kept kept = {.stream.ops = &keep_ops, .says = STREAM_TAKEN};
    const struct answer_words words = {.status = statuses[_i].http, .reason = "why"};
    char line[64];
    answer_write_words(&kept.stream, ANSWER_GRPC, &words);
    snprintf(line, sizeof line, "\r\nGrpc-Status: %u\r\n", statuses[_i].grpc);
    ck_assert_msg(strstr(kept.extra.bytes, line), "%s", kept.extra.bytes);
    ck_assert(kept.head.is_final == statuses[_i].is_final);
    kept_done(&kept);
}
END_TEST

START_TEST(what_is_not_plain_in_a_message_is_percent_encoded)
{
    struct answer_text answer;
    const struct answer_words words = {.status = 404,
                                       .sentence = "100 % f\xc3\xbcr\r\nGrpc-Status: 0\x7f ~"};
    compose(&answer, ANSWER_GRPC, &words);
    ck_assert_str_eq(answer.fields, "Content-Type: application/grpc\r\nGrpc-Status: 12\r\n"
                                    "Grpc-Message: 404 Not Found: 100 %25 f%C3%BCr%0D%0A"
                                    "Grpc-Status: 0%7F ~\r\n");
}
END_TEST

START_TEST(a_long_message_is_cut_behind_a_whole_character)
{
    struct answer_text answer;
    char sentence[1024];
    memset(sentence, 0xff, sizeof sentence - 1);
    sentence[sizeof sentence - 1] = '\0';
    const struct answer_words words = {
        .status = 403, .reason = "not-allowed", .sentence = sentence};
    compose(&answer, ANSWER_GRPC, &words);
    ck_assert_uint_eq(answer.status, 200);
    ck_assert_ptr_nonnull(strstr(answer.fields, "%FF\r\nX-LB-Reason: not-allowed\r\n"));
}
END_TEST

START_TEST(where_nobody_knows_better_the_status_says_what_to_do)
{
    struct kept kept = {.stream.ops = &keep_ops, .says = STREAM_TAKEN};
    const struct answer_words words = {.status = 503, .reason = "no-backend"};
    ck_assert_int_eq(answer_write_words(&kept.stream, ANSWER_TEXT, &words), STREAM_TAKEN);
    ck_assert_str_eq(kept.body.bytes,
                     "503 Service Unavailable: no-backend\n"
                     "The service is not available at the moment.\n"
                     "Try again in a moment. If it stays so, tell the operator the id of this "
                     "request.\n");
    ck_assert(!kept.head.is_final);
    kept_done(&kept);
}
END_TEST

START_TEST(a_page_is_told_as_what_it_is)
{
    struct kept kept = {.stream.ops = &keep_ops, .says = STREAM_TAKEN};
    ck_assert_int_eq(answer_write_page(&kept.stream, 403, "expired", slice_of("<p>No.</p>")),
                     STREAM_TAKEN);
    ck_assert_uint_eq(kept.head.status, 403);
    ck_assert_uint_eq(kept.head.length, 10);
    ck_assert_str_eq(kept.body.bytes, "<p>No.</p>");
    ck_assert_str_eq(kept.extra.bytes, "Content-Type: text/html; charset=utf-8\r\n"
                                       "Cache-Control: no-store\r\n"
                                       "Vary: Accept\r\n"
                                       "X-Content-Type-Options: nosniff\r\n"
                                       "X-LB-Reason: expired\r\n");
    kept_done(&kept);
}
END_TEST

START_TEST(a_client_that_is_sent_away_is_told_why_and_nobody_keeps_it)
{
    struct kept kept = {.stream.ops = &keep_ops, .says = STREAM_TAKEN};
    ck_assert_int_eq(
        answer_write_sent_away(&kept.stream, 303, "missing", slice_of("https://a.test/")),
        STREAM_TAKEN);
    ck_assert_str_eq(kept.extra.bytes, "Content-Type: text/plain; charset=utf-8\r\n"
                                       "Cache-Control: no-store\r\n"
                                       "X-LB-Reason: missing\r\n"
                                       "Location: https://a.test/\r\n");
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
    tcase_add_test(tcase, an_answer_says_status_reason_a_sentence_and_what_to_do);
    tcase_add_test(tcase, as_json_it_says_the_same);
    tcase_add_test(tcase, json_stays_json_whatever_is_said);
    tcase_add_test(tcase, as_html_it_is_a_page_that_needs_nothing_else);
    tcase_add_test(tcase, the_policy_of_the_page_allows_its_style_and_nothing_else);
    tcase_add_test(tcase, nothing_in_the_words_becomes_markup);
    tcase_add_test(tcase, without_a_reason_or_a_sentence_nothing_is_invented);
    tcase_add_test(tcase, what_does_not_fit_is_left_out_and_the_length_stays_true);
    tcase_add_test(tcase, a_reason_too_long_for_a_field_leaves_no_half_field);
    tcase_add_test(tcase, every_refusal_makes_a_whole_answer_in_every_form);
    tcase_add_test(tcase, clients_of_grpc_are_told_in_the_head_alone);
    tcase_add_loop_test(tcase,
                        a_status_is_translated_as_clients_would_and_ends_what_it_ends_in_http, 0,
                        sizeof statuses / sizeof *statuses);
    tcase_add_test(tcase, what_is_not_plain_in_a_message_is_percent_encoded);
    tcase_add_test(tcase, a_long_message_is_cut_behind_a_whole_character);
    tcase_add_test(tcase, where_nobody_knows_better_the_status_says_what_to_do);
    tcase_add_test(tcase, a_page_is_told_as_what_it_is);
    tcase_add_test(tcase, a_client_that_is_sent_away_is_told_why_and_nobody_keeps_it);
    tcase_add_test(tcase, an_answer_is_one_write_with_its_exact_length);
    tcase_add_test(tcase, what_the_stream_says_is_passed_on);
}

CHECK_MAIN("answer", add_tests)
