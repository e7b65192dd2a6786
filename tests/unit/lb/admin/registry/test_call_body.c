/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/admin/registry/call_body.h"

#include <string.h>

#include "lb/base/error.h"
#include "tests/support/check_main.h"

static const struct call_field inner[] = {
    {.name = "pem", .type = FIELD_TEXT, .is_needed = true, .most = 5},
    {.name = "client_id", .type = FIELD_TEXT, .most = 5},
    {0},
};

static const struct call_field fields[] = {
    {.name = "name", .type = FIELD_TEXT, .is_needed = true, .most = 8},
    {.name = "days", .type = FIELD_NUMBER, .least = 1, .most = 10},
    {.name = "activate", .type = FIELD_FLAG},
    {.name = "hosts", .type = FIELD_TEXTS, .most = 4},
    {.name = "certificates", .type = FIELD_OBJECTS, .inner = inner},
    {0},
};

static const struct call_field free_fields[] = {
    {.name = "days", .type = FIELD_NUMBER, .least = 1, .most = 10},
    {0},
};

static bool fits(const struct call_field *table, const char *text, struct error *err)
{
    json_t *json = text ? json_loads(text, JSON_DECODE_ANY, NULL) : NULL;
    ck_assert(!text || json);
    err->text[0] = '\0';
    bool good = call_body_check(table, json, err);
    json_decref(json);
    return good;
}

static const char *const good[] = {
    "{\"name\":\"a\"}",
    "{\"name\":\"12345678\",\"days\":10,\"activate\":false,\"hosts\":[],\"certificates\":[]}",
    ("{\"name\":\"\",\"days\":1,\"hosts\":[\"a\",\"abcd\"],"
     "\"certificates\":[{\"pem\":\"p\"},{\"pem\":\"p\",\"client_id\":\"c\"}]}"),
};

START_TEST(what_fits_is_taken)
{
    struct error err;
    ck_assert_msg(fits(fields, good[_i], &err), "%s", err.text);
}
END_TEST

static const struct {
    const char *text;
    const char *told;
} bad[] = {
    {NULL, "there is no body: it must be a JSON object with \"name\""},
    {"[]", "the body must be a JSON object with \"name\", \"days\", \"activate\""},
    {"\"name\"", "not a text"},
    {"{}", "\"name\" is missing"},
    {"{\"name\":1}", "\"name\" must be a text, not a number"},
    {"{\"name\":null}", "\"name\" must be a text, not null"},
    {"{\"name\":\"123456789\"}", "\"name\" has 9 bytes: at most 8"},
    {"{\"nmae\":\"a\"}", "the body has no member \"nmae\": did you mean \"name\"?"},
    {"{\"name\":\"a\",\"zzzzzzzz\":1}", "it may have \"name\", \"days\""},
    {"{\"name\":\"a\",\"days\":\"3\"}", "\"days\" must be a whole number, not a text"},
    {"{\"name\":\"a\",\"days\":1.5}", "not a number with a fraction"},
    {"{\"name\":\"a\",\"days\":0}", "\"days\" is 0: 1 to 10 is possible"},
    {"{\"name\":\"a\",\"days\":9223372036854775807}", "1 to 10 is possible"},
    {"{\"name\":\"a\",\"activate\":\"yes\"}", "\"activate\" must be true or false, not a text"},
    {"{\"name\":\"a\",\"activate\":1}", "\"activate\" must be true or false"},
    {"{\"name\":\"a\",\"hosts\":\"a\"}", "\"hosts\" must be a list, not a text"},
    {"{\"name\":\"a\",\"hosts\":[\"a\",2]}", "\"hosts\"[1] must be a text, not a number"},
    {"{\"name\":\"a\",\"hosts\":[\"12345\"]}", "\"hosts\"[0] has 5 bytes: at most 4"},
    {"{\"name\":\"a\",\"certificates\":[[]]}", "\"certificates\"[0] must be a JSON object"},
    {"{\"name\":\"a\",\"certificates\":[{}]}", "\"certificates\"[0].\"pem\" is missing"},
    {"{\"name\":\"a\",\"certificates\":[{\"pem\":\"p\"},{\"pem\":7}]}",
     "\"certificates\"[1].\"pem\" must be a text"},
    {"{\"name\":\"a\",\"certificates\":[{\"pem\":\"p\",\"client-id\":\"\"}]}",
     "\"certificates\"[0] has no member \"client-id\": did you mean \"client_id\"?"},
};

START_TEST(what_does_not_fit_is_told)
{
    struct error err;
    ck_assert(!fits(fields, bad[_i].text, &err));
    ck_assert_msg(strstr(err.text, bad[_i].told) != NULL, "%s", err.text);
}
END_TEST

START_TEST(what_needs_nothing_may_come_without_a_body)
{
    struct error err;
    ck_assert(fits(free_fields, NULL, &err));
    ck_assert(fits(free_fields, "{}", &err));
}
END_TEST

START_TEST(a_call_without_fields_takes_no_body)
{
    struct error err;
    ck_assert(fits(NULL, NULL, &err));
    ck_assert(fits(NULL, "{}", &err));
    ck_assert(!fits(NULL, "{\"name\":\"a\"}", &err));
    ck_assert_str_eq(err.text, "this call takes no body");
    ck_assert(!fits(NULL, "[]", &err));
}
END_TEST

START_TEST(what_is_not_said_has_its_standard)
{
    json_t *json = json_loads("{\"name\":\"a\",\"days\":7,\"activate\":false}", 0, NULL);
    ck_assert_str_eq(body_text(json, "name"), "a");
    ck_assert_ptr_null(body_text(json, "pem"));
    ck_assert_int_eq(body_number(json, "days", 3), 7);
    ck_assert_int_eq(body_number(json, "years", 3), 3);
    ck_assert(!body_flag(json, "activate", true));
    ck_assert(body_flag(json, "confirm", true));
    ck_assert_ptr_null(body_text(NULL, "name"));
    json_decref(json);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, what_fits_is_taken, 0, sizeof good / sizeof *good);
    tcase_add_loop_test(tcase, what_does_not_fit_is_told, 0, sizeof bad / sizeof *bad);
    tcase_add_test(tcase, what_needs_nothing_may_come_without_a_body);
    tcase_add_test(tcase, a_call_without_fields_takes_no_body);
    tcase_add_test(tcase, what_is_not_said_has_its_standard);
}

CHECK_MAIN("call body", add_tests)
