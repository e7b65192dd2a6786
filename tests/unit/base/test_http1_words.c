/* SPDX-License-Identifier: Apache-2.0 */
/* Names, lists, methods and the vocabulary of the HTTP/1 grammar. */
#include <ctype.h>
#include <string.h>

#include "lb/base/http1.h"
#include "tests/support/check_main.h"

static const struct {
    const char *text;
    enum http_name name;
} known_names[] = {
    {"Host", HTTP_HOST},
    {"Content-Length", HTTP_CONTENT_LENGTH},
    {"Transfer-Encoding", HTTP_TRANSFER_ENCODING},
    {"Connection", HTTP_CONNECTION},
    {"Keep-Alive", HTTP_KEEP_ALIVE},
    {"Proxy-Connection", HTTP_PROXY_CONNECTION},
    {"Upgrade", HTTP_UPGRADE},
    {"TE", HTTP_TE},
    {"Trailer", HTTP_TRAILER},
    {"Expect", HTTP_EXPECT},
    {"X-Forwarded-For", HTTP_X_FORWARDED_FOR},
    {"X-Forwarded-Proto", HTTP_X_FORWARDED_PROTO},
    {"X-Forwarded-Host", HTTP_X_FORWARDED_HOST},
    {"X-Forwarded-Port", HTTP_X_FORWARDED_PORT},
    {"X-Real-IP", HTTP_X_REAL_IP},
    {"Forwarded", HTTP_FORWARDED},
    {"X-Request-Id", HTTP_X_REQUEST_ID},
    {"Date", HTTP_DATE},
    {"Server", HTTP_SERVER},
    {"Cookie", HTTP_COOKIE},
    {"Set-Cookie", HTTP_SET_COOKIE},
    {"User-Agent", HTTP_USER_AGENT},
    {"Referer", HTTP_REFERER},
    {"HTTP2-Settings", HTTP_HTTP2_SETTINGS},
};
enum { KNOWN_COUNT = sizeof known_names / sizeof *known_names };

START_TEST(every_known_name_is_known_in_any_letters)
{
    ck_assert_int_eq(KNOWN_COUNT, HTTP_HTTP2_SETTINGS);
    for (int i = 0; i < KNOWN_COUNT; i++) {
        char upper[32];
        char lower[32];
        for (size_t at = 0; at <= strlen(known_names[i].text); at++) {
            upper[at] = (char)toupper(known_names[i].text[at]);
            lower[at] = (char)tolower(known_names[i].text[at]);
        }
        ck_assert_int_eq(http_name_of(slice_of(known_names[i].text)), known_names[i].name);
        ck_assert_int_eq(http_name_of(slice_of(upper)), known_names[i].name);
        ck_assert_int_eq(http_name_of(slice_of(lower)), known_names[i].name);
    }
}
END_TEST

START_TEST(a_name_with_one_byte_changed_is_another_name)
{
    for (int i = 0; i < KNOWN_COUNT; i++) {
        size_t length = strlen(known_names[i].text);
        for (size_t at = 0; at < length; at++) {
            char changed[32];
            memcpy(changed, known_names[i].text, length);
            for (unsigned byte = 0; byte < 256; byte++) {
                bool same = tolower((int)byte) == tolower(known_names[i].text[at]);
                changed[at] = (char)byte;
                enum http_name name = http_name_of((struct slice){changed, length});
                ck_assert_int_eq(name, same ? known_names[i].name : HTTP_OTHER_FIELD);
            }
        }
    }
}
END_TEST

START_TEST(a_longer_or_shorter_name_is_another_name)
{
    for (int i = 0; i < KNOWN_COUNT; i++) {
        char longer[32] = "";
        size_t length = strlen(known_names[i].text);
        memcpy(longer, known_names[i].text, length);
        longer[length] = 's';
        ck_assert_int_eq(http_name_of((struct slice){longer, length + 1}), HTTP_OTHER_FIELD);
        ck_assert_int_eq(http_name_of((struct slice){longer, length - 1}), HTTP_OTHER_FIELD);
    }
    ck_assert_int_eq(http_name_of((struct slice){"", 0}), HTTP_OTHER_FIELD);
    ck_assert_int_eq(http_name_of(slice_of("a-name-longer-than-all-that-are-known")),
                     HTTP_OTHER_FIELD);
}
END_TEST

START_TEST(a_token_has_no_delimiters)
{
    ck_assert(http_is_token(slice_of("!#$%&'*+-.^_`|~aZ09")));
    ck_assert(!http_is_token(slice_of("")));
    ck_assert(!http_is_token((struct slice){NULL, 0}));
    ck_assert(!http_is_token(slice_of("a b")));
    ck_assert(!http_is_token(slice_of("a/b")));
    ck_assert(!http_is_token(slice_of("a\tb")));
    ck_assert(!http_is_token(slice_of("a\xc3\xa4")));
    ck_assert(!http_is_token((struct slice){"a\0b", 3}));
}
END_TEST

START_TEST(a_list_has_its_elements_and_nothing_else)
{
    struct slice list = slice_of("gzip, ,\tKeep-Alive ,close,te;q=1");
    ck_assert(http_list_has(list, "gzip"));
    ck_assert(http_list_has(list, "keep-alive"));
    ck_assert(http_list_has(list, "CLOSE"));
    ck_assert(!http_list_has(list, "keep"));
    ck_assert(!http_list_has(list, "alive"));
    ck_assert(!http_list_has(list, "te"));
    ck_assert(!http_list_has(slice_of(""), "close"));
    ck_assert(!http_list_has((struct slice){NULL, 0}, "close"));
    ck_assert(!http_list_has((struct slice){"close", 4}, "close"));
    ck_assert(http_list_has((struct slice){"xclosex", 6}, "xclose"));
}
END_TEST

START_TEST(safe_and_idempotent_methods_are_those_of_the_rfc)
{
    static const struct {
        enum http_method method;
        bool safe, idempotent;
    } rows[] = {
        {HTTP_GET, true, true},       {HTTP_HEAD, true, true},
        {HTTP_OPTIONS, true, true},   {HTTP_TRACE, true, true},
        {HTTP_PUT, false, true},      {HTTP_DELETE, false, true},
        {HTTP_POST, false, false},    {HTTP_PATCH, false, false},
        {HTTP_CONNECT, false, false}, {HTTP_OTHER_METHOD, false, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ck_assert(http_method_is_safe(rows[i].method) == rows[i].safe);
        ck_assert(http_method_is_idempotent(rows[i].method) == rows[i].idempotent);
    }
}
END_TEST

static unsigned expected_status(enum http_fault fault)
{
    if (fault == HTTP_TARGET_TOO_LONG)
        return 414;
    if (fault == HTTP_BAD_EXPECT)
        return 417;
    if (fault == HTTP_TOO_MANY_FIELDS || fault == HTTP_HEAD_TOO_LARGE ||
        fault == HTTP_TRAILER_TOO_LARGE)
        return 431;
    return fault == HTTP_VERSION_UNSUPPORTED ? 505 : 400;
}

START_TEST(every_fault_has_a_status_and_words_of_its_own)
{
    for (int i = HTTP_BAD_REQUEST_LINE; i <= HTTP_TRAILER_TOO_LARGE; i++) {
        enum http_fault fault = (enum http_fault)i;
        ck_assert_uint_eq(http_fault_status(fault), expected_status(fault));
        for (int other = HTTP_FINE; other < i; other++)
            ck_assert_str_ne(http_fault_text(fault), http_fault_text((enum http_fault)other));
    }
}
END_TEST

START_TEST(statuses_have_their_words)
{
    ck_assert_str_eq(http_status_text(100), "Continue");
    ck_assert_str_eq(http_status_text(200), "OK");
    ck_assert_str_eq(http_status_text(404), "Not Found");
    ck_assert_str_eq(http_status_text(421), "Misdirected Request");
    ck_assert_str_eq(http_status_text(431), "Request Header Fields Too Large");
    ck_assert_str_eq(http_status_text(505), "HTTP Version Not Supported");
    ck_assert_str_eq(http_status_text(299), "");
    for (int i = HTTP_BAD_REQUEST_LINE; i <= HTTP_TRAILER_TOO_LARGE; i++)
        ck_assert_str_ne(http_status_text(http_fault_status((enum http_fault)i)), "");
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, every_known_name_is_known_in_any_letters);
    tcase_add_test(tcase, a_name_with_one_byte_changed_is_another_name);
    tcase_add_test(tcase, a_longer_or_shorter_name_is_another_name);
    tcase_add_test(tcase, a_token_has_no_delimiters);
    tcase_add_test(tcase, a_list_has_its_elements_and_nothing_else);
    tcase_add_test(tcase, safe_and_idempotent_methods_are_those_of_the_rfc);
    tcase_add_test(tcase, every_fault_has_a_status_and_words_of_its_own);
    tcase_add_test(tcase, statuses_have_their_words);
}

CHECK_MAIN("http1_words", add_tests)
