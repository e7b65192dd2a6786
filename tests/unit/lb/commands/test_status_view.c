/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/commands/status_view.h"

#include <stdlib.h>
#include <string.h>

#include "tests/support/check_main.h"
#include "tests/support/text.h"

static char *written(const char *status, bool all, bool with_colour)
{
    char *text;
    size_t length;
    json_error_t wrong;
    json_t *json = json_loads(status, 0, &wrong);
    ck_assert_msg(json, "line %d: %s", wrong.line, wrong.text);
    FILE *out = open_memstream(&text, &length);
    status_view_write(json, all, with_colour, out);
    fclose(out);
    json_decref(json);
    return text;
}

static void expect_in(const char *text, const char *part)
{
    ck_assert_msg(strstr(text, part), "\"%s\" is not in\n%s", part, text);
}

static const char sick[] =
    "{\"version\":\"1.2\",\"pid\":42,\"now\":\"2026-11-21T12:00:00.000Z\",\"uptime_s\":90061,"
    "\"workers\":2,\"clients\":1234,"
    "\"config\":{\"file\":\"/etc/lb/lb.ini\",\"loaded\":\"2026-11-21T11:00:00.000Z\","
    "\"reload_failed\":\"2026-11-21T11:59:50.000Z\",\"reload_failure\":\"lb.ini:3: no\"},"
    "\"listeners\":[{\"name\":\"web\",\"addresses\":[\"0.0.0.0:443\",\"[::]:443\"],"
    "\"protocol\":\"https\",\"sni\":true,\"rules\":3,\"clients\":1234,\"requests\":987654,"
    "\"http2\":{\"connections\":1200,\"streams\":33,\"requests\":87654}}],"
    "\"rule_count\":3,\"rules\":["
    "{\"name\":\"www\",\"listeners\":[\"web\"],\"domain\":\"a.example\",\"url\":\"/\","
    "\"pool\":\"app\",\"mutual_auth\":\"require\"},"
    "{\"name\":\"old\",\"listeners\":[\"web\",\"plain\"],\"domain\":null,\"url\":\"/old\","
    "\"redirect\":\"https://b\",\"mutual_auth\":\"off\"},"
    "{\"name\":\"no\",\"listeners\":[\"web\"],\"domain\":null,\"url\":\"/no\","
    "\"respond\":\"404\",\"mutual_auth\":\"off\"}],"
    "\"pools\":[{\"name\":\"app\",\"protocol\":\"https\",\"balance\":\"round-robin\","
    "\"health_check\":\"http\","
    "\"session_persistence\":\"cookie\",\"waiting\":3,\"backends\":["
    "{\"name\":\"rs-1\",\"address\":\"10.0.0.1:80\",\"weight\":10,\"state\":\"up\","
    "\"since\":\"2026-11-19T10:00:00.000Z\",\"reason\":\"200\",\"active\":5,\"served\":1000,"
    "\"failed\":0},"
    "{\"name\":\"rs-2\",\"address\":\"10.0.0.2:80\",\"weight\":10,\"state\":\"down\","
    "\"since\":\"2026-11-21T11:57:00.000Z\",\"reason\":\"connection refused\",\"active\":0,"
    "\"served\":900,\"failed\":12},"
    "{\"name\":\"rs-3\",\"address\":\"10.0.0.3:80\",\"weight\":0,\"state\":\"drained\","
    "\"since\":null,\"reason\":null,\"active\":1,\"served\":7,\"failed\":0}]}]}";

START_TEST(who_is_out_stands_first_with_the_reason)
{
    static const char expected[] =
        "lb 1.2, pid 42, runs for 1d 1h, 2 workers, 1,234 clients\n"
        "/etc/lb/lb.ini, in force for 1h 0m\n"
        "The reload 10s ago failed and changed nothing: lb.ini:3: no\n"
        "\n"
        "2 of 3 backends are out\n"
        "  BACKEND   STATE    FOR    ACTIVE  REASON\n"
        "  app/rs-2  down     3m 0s       0  connection refused\n"
        "  app/rs-3  drained  -           1  -\n"
        "\n"
        "  LISTENER  ADDRESS                PROTOCOL  CLIENTS  OF HTTP/2  REQUESTS  OF HTTP/2  "
        "RULES\n"
        "  web       0.0.0.0:443, [::]:443  https       1,234      1,200   987,654     87,654      "
        "3\n"
        "\n"
        "  RULE  LISTENER    DOMAIN     URL   TO                  CLIENT CERTIFICATE\n"
        "  www   web         a.example  /     pool app            require\n"
        "  old   web, plain  (any)      /old  redirect https://b  off\n"
        "  no    web         (any)      /no   respond 404         off\n"
        "\n"
        "Pool app: https, round-robin, health check http, clients stick by cookie, 1 of 3 backends "
        "in use, "
        "3 requests are waiting\n"
        "  BACKEND  ADDRESS      STATE    FOR    WEIGHT  ACTIVE  SERVED  FAILED\n"
        "  rs-2     10.0.0.2:80  down     3m 0s      10       0     900      12\n"
        "  rs-3     10.0.0.3:80  drained  -           0       1       7       0\n"
        "  rs-1     10.0.0.1:80  up       2d 2h      10       5   1,000       0\n";
    char *text = written(sick, false, false);
    ck_assert_str_eq(text, expected);
    free(text);
}
END_TEST

/* Limits, a slow start, a block that still lasts, and all that are tried for want of better. */
static const char busy[] =
    "{\"now\":\"2026-11-21T12:00:00.000Z\",\"pools\":["
    "{\"name\":\"app\",\"protocol\":\"h2\",\"balance\":\"round-robin\",\"health_check\":\"off\","
    "\"state\":\"up\","
    "\"session_persistence\":\"off\",\"has_queue\":true,\"waiting\":0,\"backends\":["
    "{\"name\":\"a\",\"address\":\"h:1\",\"state\":\"up\",\"weight\":10,\"share\":40,"
    "\"max_connections\":2000,\"active\":1500},"
    "{\"name\":\"b\",\"address\":\"h:2\",\"state\":\"blocked\",\"weight\":10,\"share\":0,"
    "\"active\":1,\"blocked_ms\":6200,\"reason\":\"3 exchanges in a row failed\"},"
    "{\"name\":\"c\",\"address\":\"h:3\",\"state\":\"up\",\"weight\":10,\"share\":100}]},"
    "{\"name\":\"ill\",\"protocol\":\"http\",\"balance\":\"ip-hash\",\"health_check\":\"tcp\","
    "\"state\":\"all-down\","
    "\"session_persistence\":\"off\","
    "\"backends\":[{\"name\":\"d\",\"state\":\"down\",\"share\":100}]},"
    "{\"name\":\"out\",\"protocol\":\"http\",\"balance\":\"ip-hash\",\"health_check\":\"tcp\","
    "\"state\":\"down\","
    "\"session_persistence\":\"off\","
    "\"backends\":[{\"name\":\"e\",\"state\":\"down\"},{\"name\":\"f\",\"state\":\"drained\"}]}]}";

START_TEST(limits_slow_starts_blocks_and_pools_in_need_are_told)
{
    char *text = written(busy, false, false);
    expect_in(text, "  app/b    blocked  -         1  3 exchanges in a row failed, 7s to go\n");
    expect_in(text, "Pool app: h2, round-robin, health check off, 2 of 3 backends in use, "
                    "0 requests are waiting\n");
    expect_in(text, "  a        h:1      up       -    10 (40%)  1,500/2,000 ");
    expect_in(text, "  c        h:3      up       -          10            0 ");
    expect_in(
        text,
        "Pool ill: http, ip-hash, health check tcp, none of 1 backend is up: all that are not "
        "drained are tried\n");
    expect_in(text,
              "Pool out: http, ip-hash, health check tcp, none of 2 backends is in use: requests "
              "get 503\n");
    free(text);
}
END_TEST

START_TEST(bad_things_are_red_where_there_is_colour)
{
    char *text = written(sick, false, true);
    expect_in(text, "\033[1;31m2 of 3 backends are out\033[0m\n");
    expect_in(text, "\033[1;31mdown\033[0m");
    expect_in(text, "\033[33mdrained\033[0m");
    expect_in(text, "\033[1;31mThe reload 10s ago failed");
    free(text);
}
END_TEST

START_TEST(all_is_well_is_one_line)
{
    char *text = written("{\"pools\":[{\"name\":\"app\",\"backends\":["
                         "{\"name\":\"a\",\"state\":\"up\"},{\"name\":\"b\",\"state\":\"unknown\"}"
                         "]}]}",
                         false, true);
    expect_in(text, "\nNo backend is out: 2 get requests\n");
    ck_assert_ptr_null(strstr(text, "\033[1;31m"));
    free(text);
}
END_TEST

/* 50 pools of one backend, and one of 1,000 whose last 30 are down; 10,000 rules. */
static char *make_large(void)
{
    struct text text = {0};
    text_add_format(&text, "{\"rule_count\":10000,\"rules\":[");
    for (int i = 0; i < 10000; i++)
        text_add_format(&text, "%s{\"name\":\"rule-%d\"}", i ? "," : "", i);
    text_add_format(&text, "],\"pools\":[{\"name\":\"big\",\"backends\":[");
    for (int i = 0; i < 1000; i++)
        text_add_format(&text, "%s{\"name\":\"b-%d\",\"state\":\"%s\"}", i ? "," : "", i,
                        i < 970 ? "up" : "down");
    text_add_format(&text, "]}");
    for (int i = 0; i < 50; i++)
        text_add_format(&text, ",{\"name\":\"p-%d\",\"backends\":[{\"name\":\"x\"}]}", i);
    text_add_format(&text, "]}");
    return text.bytes;
}

START_TEST(long_lists_are_cut_and_say_so)
{
    char *status = make_large();
    char *text = written(status, false, false);
    expect_in(text, "30 of 1050 backends are out\n");
    expect_in(text, "  … and 10 more backends: lb status --all shows them\n");
    expect_in(text, "  rule-19 ");
    ck_assert_ptr_null(strstr(text, "  rule-20 "));
    expect_in(text, "  … and 9,980 more rules: lb status --all shows them\n");
    expect_in(text, "  … and 980 more backends: lb status --all shows them\n");
    expect_in(text, "\n  … and 31 more pools: lb status --all shows them\n");
    ck_assert_uint_lt(text_count(text, "\n"), 200);
    free(text);
    free(status);
}
END_TEST

START_TEST(all_means_all)
{
    char *status = make_large();
    char *text = written(status, true, false);
    expect_in(text, "  rule-9999 ");
    expect_in(text, "  b-969 ");
    expect_in(text, "Pool p-49: ");
    ck_assert_ptr_null(strstr(text, "… and "));
    free(text);
    free(status);
}
END_TEST

/* Another version of lb, or something else altogether. */
static const char *const odd[] = {
    "{}",
    "[]",
    "{\"pools\":5,\"rules\":{},\"listeners\":\"x\"}",
    "{\"pools\":[1,{},{\"backends\":[null,{}]}],\"rules\":[[]]}",
    "{\"listeners\":[{\"addresses\":[5]}]}",
    "{\"now\":\"yesterday\",\"config\":{\"loaded\":\"2026\",\"reload_failed\":7}}",
};

START_TEST(what_is_missing_does_no_harm)
{
    char *text = written(odd[_i], true, true);
    ck_assert_int_eq(strncmp(text, "lb -, pid 0, runs for 0s", 24), 0);
    free(text);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, who_is_out_stands_first_with_the_reason);
    tcase_add_test(tcase, limits_slow_starts_blocks_and_pools_in_need_are_told);
    tcase_add_test(tcase, bad_things_are_red_where_there_is_colour);
    tcase_add_test(tcase, all_is_well_is_one_line);
    tcase_add_test(tcase, long_lists_are_cut_and_say_so);
    tcase_add_test(tcase, all_means_all);
    tcase_add_loop_test(tcase, what_is_missing_does_no_harm, 0, sizeof odd / sizeof *odd);
}

CHECK_MAIN("status view", add_tests)
