/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates, their history and CAs as people read them. */
#include "lb/commands/cert_view.h"

#include <stdlib.h>
#include <string.h>

#include "lb/commands/ca_view.h"
#include "tests/support/check_main.h"

enum { NOW_S = 1795255200 }; /* 2026-11-21T10:00:00Z */

static char *shown;
static size_t length;

#define SHOW(call)                                                                                 \
    do {                                                                                           \
        FILE *out = open_memstream(&shown, &length);                                               \
        call;                                                                                      \
        fclose(out);                                                                               \
    } while (0)

static json_t *read_json(const char *text)
{
    json_error_t wrong;
    json_t *json = json_loads(text, 0, &wrong);
    ck_assert_msg(json != NULL, "%s", wrong.text);
    return json;
}

static const char list[] =
    "{\"certificates\": [{\"serial\": \"0A1B\", \"ca\": \"00ff\", \"ca_name\": \"corp\","
    "\"status\": \"ACTIVATED\", \"source\": \"manual\", \"common_name\": \"al\\nice\","
    "\"unit\": \"\", \"client_id\": \"m7\", \"not_after\": \"2026-12-03T10:00:00Z\"},"
    "{\"serial\": \"0C\", \"ca\": \"00ff\", \"ca_name\": null, \"status\": \"REVOKED\"}]}";

START_TEST(a_list_has_a_row_for_each)
{
    json_t *answer = read_json(list);
    SHOW(cert_view_list(answer, NOW_S, false, out));
    ck_assert_str_eq(
        shown, "  SERIAL  STATUS     COMMON NAME  UNIT  CLIENT ID  CA    SOURCE  EXPIRES\n"
               "  0A1B    ACTIVATED  al?ice       -     m7         corp  manual  2026-12-03, in 12 "
               "days\n"
               "  0C      REVOKED    -            -     -          00ff  -       -\n");
    free(shown);
    json_decref(answer);
}
END_TEST

static const char changes[] =
    "[{\"at\": \"2026-11-21T09:00:00Z\", \"who\": \"uid 0 (pid 7)\", \"action\":"
    "\"certificate.revoke\", \"serial\": \"0A1B\", \"subject\": \"CN=a\", \"before\": "
    "\"ACTIVATED\", \"after\":"
    "\"REVOKED\"}, {\"at\": \"2026-11-21T08:00:00Z\", \"who\": \"sign-up\", \"action\":"
    "\"certificate.sign-up\", \"subject\": \"CN=a\", \"before\": \"\", \"after\":"
    "\"{\\\"status\\\":\\\"REGISTERED\\\",\\\"source\\\":\\\"auto\\\"}\"}]";

START_TEST(a_change_says_what_was_and_what_is)
{
    json_t *all = read_json(changes);
    SHOW(cert_view_changes(all, true, false, out));
    ck_assert_str_eq(
        shown,
        "  WHEN                 WHAT                 EFFECT                WHO            SERIAL  "
        "SUBJECT\n"
        "  2026-11-21 09:00:00  certificate.revoke   ACTIVATED -> REVOKED  uid 0 (pid 7)  0A1B    "
        "CN=a\n"
        "  2026-11-21 08:00:00  certificate.sign-up  REGISTERED, auto      sign-up        -       "
        "CN=a\n");
    free(shown);
    json_decref(all);
}
END_TEST

#define DIGITS "0123456789abcdef"
#define FINGERPRINT DIGITS DIGITS DIGITS DIGITS

START_TEST(what_is_long_is_cut_and_says_so)
{
    json_t *all = read_json("[{\"action\": \"ca.renew\", \"before\": \"" FINGERPRINT
                            "\", \"after\": \"" FINGERPRINT "\"}, {\"action\": \"ca.bind\","
                            "\"before\": \"\", \"after\": \"" FINGERPRINT "é" DIGITS "\"},"
                            "{\"action\": \"ca.bind\", \"before\": \"\", \"after\":"
                            "\"[" DIGITS DIGITS DIGITS "01234567890xé" DIGITS "\"}]");
    SHOW(cert_view_changes(all, true, false, out));
    ck_assert_ptr_nonnull(strstr(shown, "  " DIGITS "… -> " DIGITS "…  "));
    ck_assert_ptr_nonnull(strstr(shown, "  " DIGITS DIGITS DIGITS "0123456789ab…  "));
    ck_assert_ptr_nonnull(strstr(shown, "  [" DIGITS DIGITS DIGITS "01234567890…  "));
    ck_assert_ptr_null(strstr(shown, FINGERPRINT));
    free(shown);
    json_decref(all);
}
END_TEST

START_TEST(one_certificate_shows_who_is_connected)
{
    json_t *answer =
        read_json("{\"certificate\": {\"serial\": \"0A\", \"ca\": \"00ff\", \"ca_name\": \"corp\","
                  "\"not_after\": \"2026-11-20T10:00:00Z\"}, \"client_count\": 3, \"clients\":"
                  "[{\"address\": \"127.0.0.1\", \"port\": 4711, \"listener\": \"web\", \"since\":"
                  "\"2026-11-21T09:00:00Z\", \"requests\": 1200, \"sni\": \"www\"}]}");
    SHOW(cert_view_show(answer, NOW_S, false, out));
    ck_assert_ptr_nonnull(
        strstr(shown, "\n  expires          2026-11-20 10:00:00, 24 hours ago\n"));
    ck_assert_ptr_nonnull(strstr(shown, "\n  CA               corp (id 00ff)\n"));
    ck_assert_ptr_nonnull(
        strstr(shown, "\n  127.0.0.1 port 4711  web       2026-11-21 09:00:00     1,200  www\n"));
    ck_assert_ptr_nonnull(strstr(shown, "… and 2 more\n"));
    ck_assert_ptr_null(strstr(shown, "History"));
    free(shown);
    json_decref(answer);
    answer = read_json("{\"certificate\": {}}");
    SHOW(cert_view_show(answer, NOW_S, false, out));
    ck_assert_ptr_nonnull(strstr(shown, "\nNobody is connected with it.\n"));
    free(shown);
    json_decref(answer);
}
END_TEST

START_TEST(a_ca_says_what_it_is_bound_to)
{
    json_t *answer = read_json(
        "{\"cas\": [{\"name\": \"corp\", \"id\": \"00ff\", \"status\": \"inactive\", \"subject\":"
        "\"CN=c\", \"not_after\": \"2026-11-21T12:00:00Z\", \"hosts\": [\"a.example\", \"*\"]}]}");
    const json_t *ca = json_array_get(json_object_get(answer, "cas"), 0);
    SHOW(ca_view_list(answer, NOW_S, false, out));
    ck_assert_str_eq(shown, "  NAME  ID    STATUS    HOSTS  EXPIRES                 SUBJECT\n"
                            "  corp  00ff  inactive      2  2026-11-21, in 2 hours  CN=c\n");
    free(shown);
    SHOW(ca_view_show(ca, NOW_S, out));
    ck_assert_ptr_nonnull(strstr(shown, "\n  bound to         a.example, *\n"));
    free(shown);
    json_t *none = json_object();
    SHOW(ca_view_hosts(none, out));
    ck_assert_str_eq(shown, "no host");
    free(shown);
    json_decref(none);
    json_decref(answer);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, a_list_has_a_row_for_each);
    tcase_add_test(tcase, a_change_says_what_was_and_what_is);
    tcase_add_test(tcase, what_is_long_is_cut_and_says_so);
    tcase_add_test(tcase, one_certificate_shows_who_is_connected);
    tcase_add_test(tcase, a_ca_says_what_it_is_bound_to);
}

CHECK_MAIN("cert view", add_tests)
