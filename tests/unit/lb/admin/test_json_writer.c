/* SPDX-License-Identifier: Apache-2.0 */
/* What is written must be what jansson reads back. */
#include "lb/admin/json_writer.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/check_main.h"

static json_t *read_back(const struct json_writer *writer)
{
    json_error_t wrong;
    ck_assert(!writer->has_failed);
    ck_assert_uint_eq(writer->depth, 0);
    json_t *json = json_loadb(writer->bytes, writer->length, JSON_REJECT_DUPLICATES, &wrong);
    ck_assert_msg(json, "%s: %.*s", wrong.text, (int)writer->length, writer->bytes);
    return json;
}

START_TEST(objects_and_arrays_stand_within_one_another)
{
    static const char expected[] =
        "{\"a\":1,\"b\":[],\"c\":[\"x\",{\"d\":true},{},null,-5],\"e\":{\"f\":false},\"g\":null}\n";
    struct json_writer w = {0};
    writer_object(&w, NULL);
    writer_number(&w, "a", 1);
    writer_array(&w, "b");
    writer_end(&w);
    writer_array(&w, "c");
    writer_text(&w, NULL, "x");
    writer_object(&w, NULL);
    writer_flag(&w, "d", true);
    writer_end(&w);
    writer_object(&w, NULL);
    writer_end(&w);
    writer_text(&w, NULL, NULL);
    writer_number(&w, NULL, -5);
    writer_end(&w);
    writer_object(&w, "e");
    writer_flag(&w, "f", false);
    writer_end(&w);
    writer_text(&w, "g", NULL);
    writer_end(&w);
    ck_assert_uint_eq(w.length, strlen(expected));
    ck_assert_mem_eq(w.bytes, expected, w.length);
    json_decref(read_back(&w));
    writer_done(&w);
    ck_assert_ptr_null(w.bytes);
}
END_TEST

static void expect_kept(const char *text, const char *kept)
{
    struct json_writer w = {0};
    writer_object(&w, NULL);
    writer_text(&w, "t", text);
    writer_end(&w);
    json_t *json = read_back(&w);
    ck_assert_str_eq(json_string_value(json_object_get(json, "t")), kept);
    json_decref(json);
    writer_done(&w);
}

START_TEST(every_byte_of_ascii_comes_back)
{
    char text[128];
    for (int i = 1; i < 128; i++)
        text[i - 1] = (char)i;
    text[127] = '\0';
    expect_kept(text, text);
    expect_kept("", "");
    expect_kept("\"", "\"");
    expect_kept("\\", "\\");
}
END_TEST

START_TEST(utf8_comes_back_and_what_is_none_is_replaced)
{
    expect_kept("grün € 😀", "grün € 😀");
    expect_kept("a\xff\xfe"
                "b",
                "a\xef\xbf\xbd\xef\xbf\xbd"
                "b");
    expect_kept("\xe2\x82", "\xef\xbf\xbd\xef\xbf\xbd");
    expect_kept("\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd");
}
END_TEST

START_TEST(numbers_keep_all_their_digits)
{
    struct json_writer w = {0};
    writer_array(&w, NULL);
    writer_number(&w, NULL, INT64_MAX);
    writer_number(&w, NULL, INT64_MIN);
    writer_end(&w);
    json_t *json = read_back(&w);
    ck_assert(json_integer_value(json_array_get(json, 0)) == INT64_MAX);
    ck_assert(json_integer_value(json_array_get(json, 1)) == INT64_MIN);
    json_decref(json);
    writer_done(&w);
}
END_TEST

START_TEST(times_are_rfc_3339_and_never_is_null)
{
    static const char expected[] = "{\"then\":\"2026-11-21T10:13:39.123Z\",\"never\":null}\n";
    struct json_writer w = {0};
    writer_object(&w, NULL);
    writer_time(&w, "then", 1795256019123);
    writer_time(&w, "never", 0);
    writer_end(&w);
    ck_assert_uint_eq(w.length, strlen(expected));
    ck_assert_mem_eq(w.bytes, expected, w.length);
    writer_done(&w);
}
END_TEST

START_TEST(a_long_list_grows)
{
    struct json_writer w = {0};
    char text[32];
    writer_array(&w, NULL);
    for (int i = 0; i < 20000; i++) {
        snprintf(text, sizeof text, "rule-%d", i);
        writer_text(&w, NULL, text);
    }
    writer_end(&w);
    json_t *json = read_back(&w);
    ck_assert_uint_eq(json_array_size(json), 20000);
    ck_assert_str_eq(json_string_value(json_array_get(json, 19999)), "rule-19999");
    json_decref(json);
    writer_done(&w);
}
END_TEST

START_TEST(what_is_secret_grows_and_comes_back_too)
{
    struct json_writer w = {.is_secret = true};
    char text[3000];
    memset(text, 'k', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    writer_object(&w, NULL);
    writer_text(&w, "a", "first");
    writer_text(&w, "private_key", text);
    writer_end(&w);
    json_t *json = read_back(&w);
    ck_assert_str_eq(json_string_value(json_object_get(json, "a")), "first");
    ck_assert_str_eq(json_string_value(json_object_get(json, "private_key")), text);
    json_decref(json);
    writer_done(&w);
    ck_assert_ptr_null(w.bytes);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, objects_and_arrays_stand_within_one_another);
    tcase_add_test(tcase, every_byte_of_ascii_comes_back);
    tcase_add_test(tcase, utf8_comes_back_and_what_is_none_is_replaced);
    tcase_add_test(tcase, numbers_keep_all_their_digits);
    tcase_add_test(tcase, times_are_rfc_3339_and_never_is_null);
    tcase_add_test(tcase, a_long_list_grows);
    tcase_add_test(tcase, what_is_secret_grows_and_comes_back_too);
}

CHECK_MAIN("json writer", add_tests)
