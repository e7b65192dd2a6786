/* SPDX-License-Identifier: Apache-2.0 */
/* Which id a client has for a rule, what can be one, and which fields may carry it. */
#include "listeners/client_id.h"

#include <stdio.h>
#include <string.h>

#include "lb/base/error.h"
#include "lb/base/http1.h"
#include "listeners/identity.h"
#include "listeners/registry/certificates.h"
#include "listeners/registry/view.h"
#include "listeners/rules/rule.h"
#include "tests/support/check_main.h"

/* --- the stage: alice, whom the rule's CA set has verified ---------------------------------- */

static struct ca_set ca_set;
static struct ca_set_result verified;
static struct rule rule;
static char alices_name[] = "alice";
static struct identity alice;
static struct view_entry entry;
static struct http_request request;
static struct slice id;

static void begin(void)
{
    verified = (struct ca_set_result){.valid_until = 1000};
    rule = (struct rule){.auth = {.mode = AUTH_REQUIRE, .ca_set = &ca_set},
                         .client_id_header = slice_of("X-Device-Id")};
    alice = (struct identity){.common_name = alices_name, .result_count = 1, .results = &verified};
    memset(&entry, 0, sizeof entry);
    id = slice_of("as before");
}

static void enroll(const char *client_id)
{
    atomic_store(&entry.client_id, client_id);
    atomic_store(&alice.known, &entry);
}

/* With these fields, each with its line end. */
static bool find(const char *fields)
{
    static char head[8192];
    enum http_fault fault = HTTP_FINE;
    snprintf(head, sizeof head, "GET / HTTP/1.1\r\nHost: a\r\n%s\r\n", fields);
    ck_assert_msg(http_parse_request(&request, head, strlen(head), sizeof head, &fault) ==
                      HTTP_COMPLETE,
                  "%s", http_fault_text(fault));
    return client_id_find(&rule, &alice, &request, 999, &id);
}

static void expect(const char *fields, const char *expected)
{
    ck_assert_msg(find(fields), "%s", fields);
    ck_assert_msg(slice_is(id, expected), "%.*s instead of %s for %s", (int)id.length, id.at,
                  expected, fields);
}

static void expect_bad(const char *fields)
{
    id = slice_of("as before");
    ck_assert_msg(!find(fields), "%s", fields);
    ck_assert(slice_is(id, "as before"));
}

/* --- whose id ------------------------------------------------------------------------------ */

START_TEST(what_is_passed_goes_before_what_is_registered_and_that_before_the_common_name)
{
    expect("", "alice");
    enroll("dev-7");
    expect("", "dev-7");
    expect("X-Device-Id: sensor 12\r\n", "sensor 12");
    expect("x-DEVICE-id:   K\xc3\xbc"
           "che\t\r\n",
           "K\xc3\xbc"
           "che");
    enroll(NULL);
    expect("X-Device-Id: 7\r\n", "7");
    expect("", "alice");
    alice.common_name = NULL;
    expect("", "");
}
END_TEST

START_TEST(an_empty_one_is_none)
{
    expect("X-Device-Id:\r\n", "alice");
    enroll("dev-7");
    expect("X-Device-Id:   \r\n", "dev-7");
}
END_TEST

START_TEST(nothing_is_taken_from_clients_where_no_rule_trusts_them)
{
    rule.client_id_header = (struct slice){NULL, 0};
    expect("X-Device-Id: root\r\nX-Device-Id: admin\r\n", "alice");
    enroll("dev-7");
    expect("X-Device-Id: root\r\n", "dev-7");
}
END_TEST

START_TEST(only_the_name_as_it_is_configured_passes_an_id)
{
    expect("X_Device_Id: root\r\nX-Device-Ids: root\r\nX-Device-I: root\r\nDevice-Id: root\r\n",
           "alice");
    expect("X_Device_Id: root\r\nX-Device-Id: 7\r\n", "7");
    rule.client_id_header = slice_of("X_Device_Id");
    expect("x_device_id: 7\r\nX-Device-Id: root\r\n", "7");
}
END_TEST

START_TEST(to_call_the_field_hop_by_hop_changes_nothing)
{
    expect("Connection: X-Device-Id\r\nX-Device-Id: 7\r\n", "7");
}
END_TEST

START_TEST(who_is_not_verified_for_the_rule_has_no_id_whatever_he_passes)
{
    static const char two[] = "X-Device-Id: root\r\nX-Device-Id: admin\r\n";
    enroll("dev-7");
    rule.auth.mode = AUTH_REQUEST;
    verified.refusal = REFUSAL_UNTRUSTED;
    expect(two, "");
    verified = (struct ca_set_result){.valid_until = 999}; /* over since this very second */
    expect(two, "");
    verified.valid_until = 1000;
    verified.set_id[0] = 1; /* of other CAs than this rule's */
    expect(two, "");
    verified.set_id[0] = 0;
    expect_bad(two);
    rule.auth = (struct client_auth){.mode = AUTH_OFF};
    expect(two, "");
}
END_TEST

START_TEST(without_a_certificate_there_is_no_id)
{
    rule.auth.mode = AUTH_REQUEST;
    find("X-Device-Id: root\r\n");
    ck_assert(client_id_find(&rule, NULL, &request, 999, &id));
    ck_assert_uint_eq(id.length, 0);
}
END_TEST

START_TEST(two_ids_or_a_bad_one_are_none)
{
    char fields[1024];
    char most[CERTIFICATE_TEXT_BYTES + 2];
    enroll("dev-7");
    expect_bad("X-Device-Id: 7\r\nX-Device-Id: 7\r\n");
    expect_bad("X-Device-Id: 7\r\nAccept: */*\r\nx-device-id: 8\r\n");
    expect_bad("X-Device-Id: 7\r\nX-Device-Id:\r\n");
    expect_bad("X-Device-Id: a\tb\r\n");
    expect_bad("X-Device-Id: a\xc2\x9b"
               "b\r\n"); /* CSI, of C1 */
    expect_bad("X-Device-Id: \xff\r\n");
    expect_bad("X-Device-Id: \xc0\xaf\r\n");
    memset(most, 'x', sizeof most - 1);
    most[CERTIFICATE_TEXT_BYTES] = '\0';
    snprintf(fields, sizeof fields, "X-Device-Id: %s\r\n", most);
    expect(fields, most);
    snprintf(fields, sizeof fields, "X-Device-Id: %sx\r\n", most);
    expect_bad(fields);
}
END_TEST

/* The registry takes none of these; a store that somebody else wrote to may have them. */
START_TEST(no_registered_id_splits_a_head)
{
    enroll("dev-7\r\nX-Admin: yes");
    expect("", "");
    expect("X-Device-Id: 8\r\n", "8");
}
END_TEST

START_TEST(an_id_is_text_that_a_field_can_carry)
{
    static const char *const good[] = {"a", "a b", "~", "\xe2\x82\xac", "\xf0\x9f\x94\x91"};
    static const char *const bad[] = {"",        " ",    " a",   "a ",           "a\n",
                                      "\x1b[2J", "\x7f", "\x80", "\xed\xa0\x80", "\xe2\x82"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        ck_assert_msg(client_id_is_fit(slice_of(good[i])), "%s", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(!client_id_is_fit(slice_of(bad[i])), "%s", bad[i]);
    ck_assert(!client_id_is_fit((struct slice){"a\0b", 3}));
    ck_assert(!client_id_is_fit((struct slice){NULL, 0}));
}
END_TEST

/* --- which field --------------------------------------------------------------------------- */

START_TEST(a_name_of_its_own_can_be_the_field)
{
    static const char *const names[] = {"X-Device-Id", "Device",      "x_client_id", "X-Client-Id",
                                        "D",           "X-Forwarded", "X-Cert",      "Acceptor"};
    struct error err = {0};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        ck_assert_msg(client_id_header_check(names[i], &err), "%s", err.text);
}
END_TEST

static const struct {
    const char *name;
    const char *says;
} bad_names[] = {
    {"X Device", "no name of a header field"},
    {"X-Device:", "no name of a header field"},
    {"", "no name of a header field"},
    {"Ger\xc3\xa4t", "no name of a header field"},
    {"X-SSL-Client-Id", "client_headers"},
    {"x_ssl_client_verify", "client_headers"},
    {"Client-Cert", "client_headers"},
    {"X-Cert-Id", "client_headers"},
    {"Host", "has a meaning already"},
    {"content-length", "has a meaning already"},
    {"Content_Length", "has a meaning already"},
    {"Content-Type", "has a meaning already"},
    {"Transfer-Encoding", "has a meaning already"},
    {"Connection", "has a meaning already"},
    {"Keep-Alive", "has a meaning already"},
    {"TE", "has a meaning already"},
    {"Trailer", "has a meaning already"},
    {"Upgrade", "has a meaning already"},
    {"Expect", "has a meaning already"},
    {"Cookie", "has a meaning already"},
    {"Authorization", "has a meaning already"},
    {"Proxy-Authorization", "has a meaning already"},
    {"Proxy", "has a meaning already"},
    {"X-Forwarded-For", "has a meaning already"},
    {"X-Forwarded-User", "has a meaning already"},
    {"X_Forwarded_Host", "has a meaning already"},
    {"X-Real-IP", "has a meaning already"},
    {"Forwarded", "has a meaning already"},
    {"X-Request-ID", "has a meaning already"},
    {"User-Agent", "has a meaning already"},
    {"Accept", "has a meaning already"},
    {"Accept-Encoding", "has a meaning already"},
    {"If-None-Match", "has a meaning already"},
    {"Range", "has a meaning already"},
    {"Via", "has a meaning already"},
    {"Sec-WebSocket-Key", "has a meaning already"},
};

START_TEST(a_name_that_means_something_else_cannot)
{
    struct error err = {0};
    ck_assert_msg(!client_id_header_check(bad_names[_i].name, &err), "%s", bad_names[_i].name);
    ck_assert_msg(strstr(err.text, bad_names[_i].says) && strstr(err.text, "X-Device-Id"), "%s",
                  err.text);
}
END_TEST

START_TEST(a_field_is_known_in_every_spelling_and_kept_once)
{
    struct client_id_fields fields = {0};
    char name[16];
    ck_assert(client_id_fields_add(&fields, slice_of("X-Device-Id")));
    ck_assert(client_id_fields_add(&fields, slice_of("x_device_id")));
    ck_assert_uint_eq(fields.count, 1);
    ck_assert(client_id_fields_have(&fields, slice_of("X_DEVICE-ID")));
    ck_assert(client_id_fields_have(&fields, slice_of("X.Device~Id")));
    ck_assert(!client_id_fields_have(&fields, slice_of("X-Device-I")));
    ck_assert(!client_id_fields_have(&fields, slice_of("X-Device-Ids")));
    ck_assert(!client_id_fields_have(&fields, slice_of("X-DeviceId")));
    while (fields.count < CLIENT_ID_FIELDS_MOST) {
        static char names[CLIENT_ID_FIELDS_MOST][16];
        snprintf(names[fields.count], sizeof names[0], "F%u", fields.count);
        ck_assert(client_id_fields_add(&fields, slice_of(names[fields.count])));
    }
    snprintf(name, sizeof name, "one-more");
    ck_assert(!client_id_fields_add(&fields, slice_of(name)));
    ck_assert(client_id_fields_add(&fields, slice_of("f1")));
    ck_assert(client_id_fields_have(&fields, slice_of("f7")));
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, begin, NULL);
    tcase_add_test(tcase,
                   what_is_passed_goes_before_what_is_registered_and_that_before_the_common_name);
    tcase_add_test(tcase, an_empty_one_is_none);
    tcase_add_test(tcase, nothing_is_taken_from_clients_where_no_rule_trusts_them);
    tcase_add_test(tcase, only_the_name_as_it_is_configured_passes_an_id);
    tcase_add_test(tcase, to_call_the_field_hop_by_hop_changes_nothing);
    tcase_add_test(tcase, who_is_not_verified_for_the_rule_has_no_id_whatever_he_passes);
    tcase_add_test(tcase, without_a_certificate_there_is_no_id);
    tcase_add_test(tcase, two_ids_or_a_bad_one_are_none);
    tcase_add_test(tcase, no_registered_id_splits_a_head);
    tcase_add_test(tcase, an_id_is_text_that_a_field_can_carry);
    tcase_add_test(tcase, a_name_of_its_own_can_be_the_field);
    tcase_add_loop_test(tcase, a_name_that_means_something_else_cannot, 0,
                        sizeof bad_names / sizeof *bad_names);
    tcase_add_test(tcase, a_field_is_known_in_every_spelling_and_kept_once);
}

CHECK_MAIN("client_id", add_tests)
