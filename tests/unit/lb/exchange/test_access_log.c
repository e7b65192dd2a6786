/* SPDX-License-Identifier: Apache-2.0 */
/* One exchange, one line: what it says, and that no client can make it say anything else. */
#include "lb/exchange/access_log.h"

#include <stdlib.h>
#include <string.h>

#include "backends/pool.h"
#include "lb/base/error.h"
#include "lb/exchange/exchange.h"
#include "listeners/access/access.h"
#include "listeners/client.h"
#include "listeners/identity.h"
#include "listeners/rules/rule.h"
#include "tests/support/check_main.h"
#include "tests/support/folder.h"

/* 2026-11-21 08:09:07.005 UTC */
static const int64_t when_ms = 1795248547005;

static char line[64 * 1024];
static struct listener listener = {.name = "web"};
static struct ca_set ca_set;
static struct ca_set_result verified = {.valid_until = INT32_MAX};
static struct rule rule = {.name = "all", .auth = {.mode = AUTH_REQUIRE, .ca_set = &ca_set}};
static struct pool pool = {.name = "app"};
static struct backend backend = {.name = "rs-1"};
static struct door door = {.listener = &listener};
static struct client client;
static struct identity alice = {.subject = (char[]){"CN=alice,O=Example"},
                                .serial = (char[]){"01AB"},
                                .result_count = 1,
                                .results = &verified};
static struct exchange_facts facts;
static struct access_entry entry;

static void begin_entry(void)
{
    client = (struct client){.door = &door, .peer_port = 40123};
    strcpy(client.peer_host, "192.0.2.7");
    facts = (struct exchange_facts){.method = slice_of("GET"),
                                    .uri = slice_of("/a?b=c"),
                                    .host = slice_of("www.test"),
                                    .user_agent = slice_of("curl/8"),
                                    .referer = slice_of("http://x/"),
                                    .request_id = slice_of("id-1")};
    entry = (struct access_entry){.client = &client,
                                  .protocol = "HTTP/1.1",
                                  .facts = &facts,
                                  .rule = &rule,
                                  .pool = &pool,
                                  .backend = &backend,
                                  .status = 200,
                                  .answer_bytes = 5,
                                  .request_bytes = 3,
                                  .duration_ms = 12,
                                  .attempts = 1};
}

/** The line without its newline. */
static const char *written(enum access_log_format format)
{
    size_t length = access_log_format(format, &entry, when_ms, line, sizeof line - 1);
    ck_assert_uint_gt(length, 0);
    line[length] = '\0';
    ck_assert_uint_eq(strlen(line), length);
    ck_assert_ptr_eq(strchr(line, '\n'), line + length - 1);
    line[length - 1] = '\0';
    return line;
}

/* --- JSON ---------------------------------------------------------------------------------- */

START_TEST(a_json_line_tells_the_whole_exchange)
{
    client.handshake.identity = &alice;
    ck_assert_str_eq(
        written(ACCESS_LOG_JSON),
        "{\"time\":\"2026-11-21T08:09:07.005Z\",\"request_id\":\"id-1\",\"listener\":\"web\","
        "\"client\":\"192.0.2.7\",\"port\":40123,\"subject\":\"CN=alice,O=Example\","
        "\"serial\":\"01AB\",\"verify\":\"SUCCESS\",\"method\":\"GET\",\"host\":\"www.test\","
        "\"uri\":\"/a?b=c\","
        "\"protocol\":\"HTTP/1.1\",\"status\":200,\"bytes\":5,\"request_bytes\":3,"
        "\"duration_ms\":12,\"rule\":\"all\",\"pool\":\"app\",\"backend\":\"rs-1\","
        "\"attempts\":1,\"user_agent\":\"curl/8\",\"referer\":\"http://x/\"}");
}
END_TEST

START_TEST(the_access_section_that_decided_is_named_in_json)
{
    static const struct access_rule section = {.name = "verified-only"};
    entry.access = &section;
    ck_assert_ptr_nonnull(
        strstr(written(ACCESS_LOG_JSON), "\"rule\":\"all\",\"access\":\"verified-only\",\"pool\""));
    entry.access = NULL;
    ck_assert_ptr_null(strstr(written(ACCESS_LOG_JSON), "\"access\""));
}
END_TEST

START_TEST(the_status_of_grpc_stands_behind_that_of_http_in_json_alone)
{
    struct grpc_outcome grpc = {.is_grpc = true, .status = 5};
    entry.grpc = &grpc;
    ck_assert_ptr_null(strstr(written(ACCESS_LOG_JSON), "grpc_status")); /* it was never told */
    grpc.is_told = true;
    ck_assert_ptr_nonnull(
        strstr(written(ACCESS_LOG_JSON), "\"status\":200,\"grpc_status\":5,\"bytes\":5"));
    ck_assert_ptr_null(strstr(written(ACCESS_LOG_COMBINED), "grpc"));
}
END_TEST

START_TEST(a_client_id_stands_behind_the_verdict_escaped_and_in_json_alone)
{
    client.handshake.identity = &alice;
    facts.client_id = slice_of("sensor \"12\"\n");
    ck_assert_ptr_nonnull(strstr(written(ACCESS_LOG_JSON),
                                 "\"verify\":\"SUCCESS\",\"client_id\":\"sensor "
                                 "\\u002212\\u0022\\u000a\",\"method\""));
    ck_assert_ptr_null(strstr(written(ACCESS_LOG_COMBINED), "sensor"));
}
END_TEST

START_TEST(what_is_kept_of_a_client_is_the_same_in_every_line)
{
    char first[1024];
    client.handshake.identity = &alice;
    ck_assert_ptr_null(client.told);
    size_t length = access_log_format(ACCESS_LOG_JSON, &entry, when_ms, line, 60);
    ck_assert_uint_eq(length, 0);
    ck_assert_ptr_null(client.told); /* half of it is nothing to keep */
    strcpy(first, written(ACCESS_LOG_JSON));
    ck_assert_ptr_nonnull(client.told);
    ck_assert_str_eq(written(ACCESS_LOG_JSON), first);
    ck_assert_ptr_nonnull(strstr(first, "\"client\":\"192.0.2.7\",\"port\":40123,\"subject\""));
    free(client.told);
}
END_TEST

START_TEST(what_is_not_known_is_left_out_of_json)
{
    facts = (struct exchange_facts){0};
    entry.rule = NULL;
    entry.pool = NULL;
    entry.backend = NULL;
    entry.status = 400;
    entry.attempts = 0;
    entry.reason = "Host is missing";
    ck_assert_str_eq(
        written(ACCESS_LOG_JSON),
        "{\"time\":\"2026-11-21T08:09:07.005Z\",\"listener\":\"web\",\"client\":\"192.0.2.7\","
        "\"port\":40123,\"protocol\":\"HTTP/1.1\",\"status\":400,\"bytes\":5,"
        "\"request_bytes\":3,\"duration_ms\":12,\"attempts\":0,\"reason\":\"Host is missing\"}");
}
END_TEST

START_TEST(json_stays_json_whatever_a_client_sends)
{
    static const char nasty[] = "\",\"status\":200}\n{\"\\\x1b[2J\xff\0z";
    facts.user_agent = (struct slice){nasty, sizeof nasty - 1};
    const char *text = written(ACCESS_LOG_JSON);
    ck_assert_ptr_nonnull(
        strstr(text, "\"user_agent\":\"\\u0022,\\u0022status\\u0022:200}\\u000a{\\u0022\\u005c"
                     "\\u001b[2J\\u00ff\\u0000z\",\"referer\""));
}
END_TEST

START_TEST(json_keeps_utf_8_and_escapes_what_is_none)
{
    /* é and a pair outside the first plane; a lone byte, an overlong '/', a C1 control. */
    struct identity rene = {
        .subject = (char[]){"CN=\"Ren\xc3\xa9\xf0\x9f\x94\x91\" \xe9 \xc0\xaf \xc2\x9b"},
        .serial = (char[]){"01"},
        .result_count = 1,
        .results = &verified};
    client.handshake.identity = &rene;
    ck_assert_ptr_nonnull(strstr(written(ACCESS_LOG_JSON),
                                 "\"subject\":\"CN=\\u0022Ren\xc3\xa9\xf0\x9f\x94\x91\\u0022 "
                                 "\\u00e9 \\u00c0\\u00af \\u00c2\\u009b\""));
    ck_assert_ptr_nonnull(strstr(written(ACCESS_LOG_COMBINED), "Ren\\xc3\\xa9\\xf0"));
}
END_TEST

/* --- combined ------------------------------------------------------------------------------ */

START_TEST(a_combined_line_is_what_log_tools_read)
{
    client.handshake.identity = &alice;
    ck_assert_str_eq(written(ACCESS_LOG_COMBINED),
                     "192.0.2.7 - \"CN=alice,O=Example\" [21/Nov/2026:08:09:07 +0000] "
                     "\"GET /a?b=c HTTP/1.1\" 200 5 \"http://x/\" \"curl/8\"");
}
END_TEST

START_TEST(what_is_not_known_is_a_dash_in_a_combined_line)
{
    facts = (struct exchange_facts){0};
    entry.status = 0;
    entry.answer_bytes = 0;
    ck_assert_str_eq(written(ACCESS_LOG_COMBINED),
                     "192.0.2.7 - \"-\" [21/Nov/2026:08:09:07 +0000] \"- - HTTP/1.1\" 000 0 "
                     "\"-\" \"-\"");
}
END_TEST

START_TEST(no_quote_or_line_end_gets_into_a_combined_line)
{
    facts.referer = slice_of("\" \"\n192.0.2.8 - \\");
    ck_assert_ptr_nonnull(
        strstr(written(ACCESS_LOG_COMBINED), "\"\\x22 \\x22\\x0a192.0.2.8 - \\x5c\" \"curl/8\""));
}
END_TEST

/* A subject that nobody verified must not look like a user. */
START_TEST(who_was_not_verified_is_no_user)
{
    struct ca_set_result untrusted = {.refusal = REFUSAL_UNTRUSTED};
    struct identity stranger = {.subject = (char[]){"CN=alice,O=Example"},
                                .serial = (char[]){"01"},
                                .result_count = 1,
                                .results = &untrusted};
    client.handshake.identity = &stranger;
    ck_assert_ptr_nonnull(strstr(written(ACCESS_LOG_COMBINED), "192.0.2.7 - \"-\" ["));
    ck_assert_ptr_nonnull(
        strstr(written(ACCESS_LOG_JSON), "\"verify\":\"FAILED\",\"verify_reason\":\"untrusted\""));
    client.handshake.identity = NULL;
    ck_assert_ptr_nonnull(strstr(written(ACCESS_LOG_JSON), "\"verify\":\"NONE\""));
    static struct rule free_rule = {.name = "free"};
    entry.rule = &free_rule;
    client.handshake.identity = &alice;
    ck_assert_ptr_nonnull(strstr(written(ACCESS_LOG_COMBINED), "192.0.2.7 - \"-\" ["));
    ck_assert_ptr_null(strstr(written(ACCESS_LOG_JSON), "verify"));
}
END_TEST

/* --- bounds -------------------------------------------------------------------------------- */

static char hostile[9000];

/** Every value as large as a head allows, and every byte of it must be escaped. */
static void fill_with_hostile_values(void)
{
    memset(hostile, '"', sizeof hostile - 1);
    struct slice all = {hostile, sizeof hostile - 1};
    facts = (struct exchange_facts){all, all, all, all, all, all, all};
    static struct identity mallory = {
        .subject = hostile, .serial = hostile, .result_count = 1, .results = &verified};
    client.handshake.identity = &mallory;
}

START_TEST(a_request_of_only_large_values_has_its_line_all_the_same)
{
    /* Who could make a line too long for access_log_write() would leave no trace. */
    static const enum access_log_format formats[] = {ACCESS_LOG_JSON, ACCESS_LOG_COMBINED};
    fill_with_hostile_values();
    for (unsigned i = 0; i < sizeof formats / sizeof *formats; i++) {
        struct error err;
        struct folder folder;
        folder_make(&folder);
        const struct lb_options options = {.access_log = folder_file(&folder, "access.log"),
                                           .access_log_format = (int)formats[i]};
        struct access_log *log = access_log_open(&options, &err);
        ck_assert_msg(log != NULL, "%s", err.text);
        access_log_write(log, &entry);
        access_log_close(log);
        char *text = folder_read(&folder, "access.log");
        ck_assert_ptr_nonnull(strstr(text, "192.0.2.7"));
        ck_assert_ptr_eq(strchr(text, '\n'), text + strlen(text) - 1);
        ck_assert_uint_lt(strlen(text), 24 * 1024);
        free(text);
        folder_remove(&folder);
    }
}
END_TEST

START_TEST(a_long_value_is_cut_and_what_follows_is_still_said)
{
    memset(hostile, 'x', sizeof hostile);
    facts.uri = (struct slice){hostile, sizeof hostile};
    const char *text = written(ACCESS_LOG_JSON);
    ck_assert_uint_lt(strlen(text), 4096);
    ck_assert_ptr_nonnull(strstr(text, "xxx\",\"protocol\":\"HTTP/1.1\",\"status\":200"));
}
END_TEST

START_TEST(a_line_that_does_not_fit_is_no_line)
{
    size_t length = access_log_format(ACCESS_LOG_JSON, &entry, when_ms, line, sizeof line);
    ck_assert_uint_gt(length, 100);
    ck_assert_uint_eq(access_log_format(ACCESS_LOG_JSON, &entry, when_ms, line, length), length);
    ck_assert_uint_eq(access_log_format(ACCESS_LOG_JSON, &entry, when_ms, line, length - 1), 0);
}
END_TEST

/* --- the log ------------------------------------------------------------------------------- */

START_TEST(a_log_that_is_off_is_no_error)
{
    struct error err;
    const struct lb_options options = {.access_log = "off"};
    ck_assert_ptr_null(access_log_open(&options, &err));
    ck_assert_str_eq(err.text, "");
    access_log_close(NULL);
}
END_TEST

START_TEST(a_log_that_cannot_be_opened_says_why)
{
    struct error err;
    const struct lb_options options = {.access_log = "/nowhere/at/all/access.log"};
    ck_assert_ptr_null(access_log_open(&options, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "/nowhere/at/all/access.log"));
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, begin_entry, NULL);
    tcase_add_test(tcase, a_json_line_tells_the_whole_exchange);
    tcase_add_test(tcase, the_access_section_that_decided_is_named_in_json);
    tcase_add_test(tcase, the_status_of_grpc_stands_behind_that_of_http_in_json_alone);
    tcase_add_test(tcase, a_client_id_stands_behind_the_verdict_escaped_and_in_json_alone);
    tcase_add_test(tcase, what_is_kept_of_a_client_is_the_same_in_every_line);
    tcase_add_test(tcase, what_is_not_known_is_left_out_of_json);
    tcase_add_test(tcase, json_stays_json_whatever_a_client_sends);
    tcase_add_test(tcase, json_keeps_utf_8_and_escapes_what_is_none);
    tcase_add_test(tcase, a_combined_line_is_what_log_tools_read);
    tcase_add_test(tcase, what_is_not_known_is_a_dash_in_a_combined_line);
    tcase_add_test(tcase, who_was_not_verified_is_no_user);
    tcase_add_test(tcase, no_quote_or_line_end_gets_into_a_combined_line);
    tcase_add_test(tcase, a_request_of_only_large_values_has_its_line_all_the_same);
    tcase_add_test(tcase, a_long_value_is_cut_and_what_follows_is_still_said);
    tcase_add_test(tcase, a_line_that_does_not_fit_is_no_line);
    tcase_add_test(tcase, a_log_that_is_off_is_no_error);
    tcase_add_test(tcase, a_log_that_cannot_be_opened_says_why);
}

CHECK_MAIN("access_log", add_tests)
