/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/commands/status_clients_view.h"

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
    status_clients_view_write(json, all, false, out);
    fclose(out);
    json_decref(json);
    return text;
}

#define NOW "\"now\":\"2026-11-21T12:00:00.000Z\","
#define CA(subject, domain, named, expires, times, seen, since, idle, removal)                     \
    "{\"listener\":\"web\",\"domain\":" domain ",\"id\":\"00\",\"subject\":\"" subject             \
    "\",\"in_client_ca\":" named ",\"expires\":" expires ",\"handshakes\":" times                  \
    ",\"last_seen\":" seen ",\"counted_since\":" since ",\"idle_s\":" idle ",\"removal\":" removal \
    "}"

START_TEST(it_says_which_ca_may_go)
{
    static const char status[] = "{" NOW "\"client_cas\":[" CA(
        "CN=Old", "\"www.example.com\"", "true", "\"2026-12-01T12:00:00.000Z\"", "12345",
        "\"2026-11-12T08:00:00.000Z\"", "\"2026-01-01T00:00:00.000Z\"", "777600",
        "\"safe\"") "," CA("CN=New", "\"www.example.com\"", "true", "\"2036-11-21T12:00:00.000Z\"",
                           "9", "\"2026-11-21T11:59:59.000Z\"", "\"2026-11-01T00:00:00.000Z\"", "1",
                           "\"used\"") "]}";
    static const char expected[] =
        "\n"
        "  CLIENT CA  LISTENER  DOMAIN           HANDSHAKES  LAST SEEN            EXPIRES          "
        " "
        "        REMARK\n"
        "  CN=Old     web       www.example.com      12,345  2026-11-12 08:00:00  2026-12-01, in "
        "10 "
        "days    unused since 2026-11-12 (9 days of counting): safe to remove\n"
        "  CN=New     web       www.example.com           9  2026-11-21 11:59:59  2036-11-21, in "
        "3653 days  in use\n";
    char *text = written(status, false);
    ck_assert_str_eq(text, expected);
    free(text);
}
END_TEST

/* What is known, and the words for it. */
static const struct {
    const char *ca, *words;
} remarks[] = {
    {CA("CN=x", "null", "true", "null", "0", "null", "\"2026-11-10T00:00:00.000Z\"", "907200",
        "\"safe\""),
     "never      -        unused since 2026-11-10 (10 days of counting): safe to remove"},
    {CA("CN=x", "null", "true", "null", "0", "null", "null", "907200", "\"silent\""),
     "no client of any CA for 10 days"},
    {CA("CN=x", "null", "true", "null", "0", "null", "null", "90000", "\"early\""),
     "no client in 1 day of counting"},
    {CA("CN=x", "null", "true", "null", "0", "null", "null", "0", "\"unknown\""), "not counted"},
    {CA("CN=x", "null", "false", "null", "3", "null", "null", "0", "null"), "not in client_ca"},
    {CA("CN=x", "null", "true", "null", "0", "null", "null", "0", "\"only\""), "the only one"},
};

START_TEST(it_says_what_to_make_of_each)
{
    char status[1024];
    snprintf(status, sizeof status, "{" NOW "\"client_cas\":[%s]}", remarks[_i].ca);
    char *text = written(status, false);
    ck_assert_msg(strstr(text, remarks[_i].words), "%s", text);
    free(text);
}
END_TEST

START_TEST(refusals_are_counted_by_reason)
{
    char *text = written("{\"refusals\":[{\"listener\":\"web\",\"where\":\"handshake\",\"reason\":"
                         "\"missing\",\"count\":1234}]}",
                         false);
    ck_assert_str_eq(text, "\n"
                           "  REFUSED FOR  LISTENER  WHERE      TIMES\n"
                           "  missing      web       handshake  1,234\n");
    free(text);
}
END_TEST

START_TEST(an_older_lb_that_says_nothing_of_them_is_no_fault)
{
    char *text = written("{}", false);
    ck_assert_str_eq(text, "");
    free(text);
}
END_TEST

START_TEST(long_lists_are_cut_unless_all_is_asked_for)
{
    char status[16384] = "{\"refusals\":[";
    for (unsigned i = 0; i < 30; i++)
        strcat(status, i ? ",{\"reason\":\"x\",\"count\":1}" : "{\"reason\":\"x\",\"count\":1}");
    strcat(status, "]}");
    char *text = written(status, false);
    ck_assert_ptr_nonnull(strstr(text, "… and 10 more reasons: lb status --all shows them\n"));
    free(text);
    text = written(status, true);
    ck_assert_ptr_null(strstr(text, "more reasons"));
    free(text);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, it_says_which_ca_may_go);
    tcase_add_loop_test(tcase, it_says_what_to_make_of_each, 0, sizeof remarks / sizeof remarks[0]);
    tcase_add_test(tcase, refusals_are_counted_by_reason);
    tcase_add_test(tcase, an_older_lb_that_says_nothing_of_them_is_no_fault);
    tcase_add_test(tcase, long_lists_are_cut_unless_all_is_asked_for);
}

CHECK_MAIN("status clients view", add_tests)
