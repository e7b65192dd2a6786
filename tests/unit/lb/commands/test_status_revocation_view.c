/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/commands/status_revocation_view.h"

#include <stdlib.h>
#include <string.h>

#include "tests/support/check_main.h"

static char *written(const char *status, bool all)
{
    char *text;
    size_t length;
    json_error_t wrong;
    json_t *json = json_loads(status, 0, &wrong);
    ck_assert_msg(json, "line %d: %s", wrong.line, wrong.text);
    FILE *out = open_memstream(&text, &length);
    status_revocation_view_write(json, all, false, out);
    fclose(out);
    json_decref(json);
    return text;
}

/* clang-format off */
#define NOW "\"now\":\"2026-11-21T12:00:00.000Z\","
#define LIST(file, state, issuer, entries, next, failure, failed)                                  \
    "{\"file\":\"" file "\",\"state\":\"" state "\",\"issuer\":" issuer ",\"number\":\"0A\",\"entries\":" entries \
    ",\"this_update\":\"2026-11-20T12:00:00.000Z\",\"next_update\":" next                          \
    ",\"loaded\":\"2026-11-21T06:00:00.000Z\",\"failure\":" failure ",\"failed\":" failed "}"
#define MISSING(issuer, policy) "{\"listener\":\"web\",\"id\":\"00\",\"issuer\":\"" issuer "\",\"policy\":\"" policy "\"}"
#define GOOD LIST("good.crl", "current", "\"CN=Good\"", "12345", "\"2026-12-21T12:00:00.000Z\"", "null", "null")
/* clang-format on */

/* The beginnings of the lines, in their order. */
START_TEST(trouble_stands_first_and_each_list_is_one_line)
{
    static const char status[] = "{" NOW "\"crls\":{\"lists\":[" GOOD "," LIST(
        "late.crl", "expired", "\"CN=Late\"", "0", "\"2026-11-19T12:00:00.000Z\"", "null",
        "null") "," LIST("soon.crl", "current", "\"CN=Soon\"", "1", "\"2026-11-21T20:00:00.000Z\"",
                         "null",
                         "null") "," LIST("bad.crl", "none", "null", "0", "null",
                                          "\"bad.crl is no list\"",
                                          "\"2026-11-21T11:00:00.000Z\"") "],\"missing\":"
                                                                          "[" MISSING(
                                                                              "CN=Soft",
                                                                              "s"
                                                                              "o"
                                                                              "f"
                                                                              "t") "," MISSING("CN="
                                                                                               "Har"
                                                                                               "d",
                                                                                               "har"
                                                                                               "d") "]}}";
    static const char *const lines[] = {
        "REVOCATION LIST OF", "CN=Hard", "CN=Soft", "CN=Late", "-  ", "CN=Soon", "CN=Good"};
    char *text = written(status, false);
    const char *at = text + 1; /* an empty line stands before */
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        ck_assert_msg(strncmp(at + 2, lines[i], strlen(lines[i])) == 0, "%zu: %s", i, text);
        at = strchr(at, '\n') + 1;
    }
    ck_assert_str_eq(at, "");
    free(text);
}
END_TEST

static const struct {
    const char *crls, *words;
} remarks[] = {
    {"\"lists\":[" GOOD "]",
     "CN=Good             good.crl  0A       12,345  2026-11-20 12:00:00  2026-12-21, in 30 days  "
     "2026-11-21 06:00:00"},
    {"\"missing\":[" MISSING("CN=Hard", "hard") "]",
     "there is no list, listener web: its clients are refused (crl-missing)"},
    {"\"missing\":[" MISSING("CN=Soft", "soft") "]", "nobody knows whom this CA has revoked"},
    {"\"lists\":[" LIST("late.crl", "expired", "\"CN=Late\"", "0", "\"2026-11-19T12:00:00.000Z\"",
                        "null", "null") "]",
     "2026-11-19, 2 days ago"},
    {"\"lists\":[" LIST("early.crl", "not-yet-valid", "\"CN=E\"", "0", "null", "null", "null") "]",
     "not valid yet"},
    {"\"lists\":[" LIST("bad.crl", "current", "\"CN=B\"", "0", "null", "\"bad.crl is no list\"",
                        "\"2026-11-21T11:00:00.000Z\"") "]",
     "the file was not taken since 2026-11-21 11:00:00: bad.crl is no list"},
};

START_TEST(it_says_what_to_make_of_each)
{
    char status[2048];
    snprintf(status, sizeof status, "{" NOW "\"crls\":{%s}}", remarks[_i].crls);
    char *text = written(status, false);
    ck_assert_msg(strstr(text, remarks[_i].words), "%s", text);
    free(text);
}
END_TEST

START_TEST(what_responders_said_is_a_line)
{
    char *text = written("{\"ocsp\":{\"remembered\":1,\"good\":5,\"revoked\":2,\"unknown\":3,"
                         "\"failed\":4}}",
                         false);
    ck_assert_str_eq(text, "\nOCSP: asked 14 times: 5 good, 2 revoked, 3 unknown, 4 without an "
                           "answer; 1 answer remembered\n");
    free(text);
}
END_TEST

START_TEST(where_nothing_is_asked_nothing_is_said)
{
    char *text = written("{}", false);
    ck_assert_str_eq(text, "");
    free(text);
    text = written("{\"crls\":{\"lists\":[],\"missing\":[]},\"ocsp\":{\"remembered\":0,\"good\":0,"
                   "\"revoked\":0,\"unknown\":0,\"failed\":0}}",
                   false);
    ck_assert_str_eq(text, "");
    free(text);
}
END_TEST

START_TEST(many_lists_are_cut_unless_all_is_asked_for)
{
    char status[16384] = "{" NOW "\"crls\":{\"lists\":[";
    for (unsigned i = 0; i < 30; i++) {
        strcat(status, i ? "," : "");
        strcat(status, GOOD);
    }
    strcat(status, "]}}");
    char *text = written(status, false);
    ck_assert_ptr_nonnull(strstr(text, "… and 10 more revocation lists: lb status --all"));
    free(text);
    text = written(status, true);
    ck_assert_ptr_null(strstr(text, "more revocation lists"));
    free(text);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, trouble_stands_first_and_each_list_is_one_line);
    tcase_add_loop_test(tcase, it_says_what_to_make_of_each, 0, sizeof remarks / sizeof remarks[0]);
    tcase_add_test(tcase, what_responders_said_is_a_line);
    tcase_add_test(tcase, where_nothing_is_asked_nothing_is_said);
    tcase_add_test(tcase, many_lists_are_cut_unless_all_is_asked_for);
}

CHECK_MAIN("status revocation view", add_tests)
