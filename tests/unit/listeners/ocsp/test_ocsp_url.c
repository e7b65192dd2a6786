/* SPDX-License-Identifier: Apache-2.0 */
#include "listeners/ocsp/ocsp_url.h"

#include <string.h>

#include "lb/base/error.h"
#include "tests/support/certificates.h"
#include "tests/support/check_main.h"

struct fine {
    const char *text;
    const char *authority;
    const char *host;
    unsigned port;
    const char *path;
};

static const struct fine fine[] = {
    {"http://ocsp.example.com", "ocsp.example.com", "ocsp.example.com", 80, "/"},
    {"HTTP://OCSP.example.com/", "OCSP.example.com", "OCSP.example.com", 80, "/"},
    {"http://10.0.0.1:8080/a/b?c=d", "10.0.0.1:8080", "10.0.0.1", 8080, "/a/b?c=d"},
    {"http://[::1]:81/x", "[::1]:81", "::1", 81, "/x"},
    {"http://[2001:db8::7]", "[2001:db8::7]", "2001:db8::7", 80, "/"},
    {"http://host?query", "host", "host", 80, "/?query"},
};

START_TEST(what_an_http_url_says_is_understood)
{
    struct ocsp_url url;
    struct error err = {""};
    ck_assert_msg(ocsp_url_read(&url, fine[_i].text, &err), "%s: %s", fine[_i].text, err.text);
    ck_assert_str_eq(url.authority, fine[_i].authority);
    ck_assert_str_eq(url.host, fine[_i].host);
    ck_assert_uint_eq(url.port, fine[_i].port);
    ck_assert_str_eq(url.path, fine[_i].path);
}
END_TEST

static const struct {
    const char *text;
    const char *says;
} bad[] = {
    {"https://ocsp.example.com/", "https is not offered"},
    {"ldap://ocsp.example.com/", "must begin with http://"},
    {"ocsp.example.com", "must begin with http://"},
    {"", "must begin with http://"},
    {"http://", "needs a host"},
    {"http:///path", "needs a host"},
    {"http://:80/", "needs a host"},
    {"http://host:0/", "needs a host"},
    {"http://host:65536/", "needs a host"},
    {"http://host:/", "needs a host"},
    {"http://user@host/", "needs a host"},
    {"http://[::1/", "needs a host"},
    {"http://[::1]x/", "needs a host"},
    {"http://host/a b", "printable ASCII"},
    {"http://host/a\r\nHost: evil", "printable ASCII"},
    {"http://host/\xc3\xa4", "printable ASCII"},
    {"http://host/#part", "printable ASCII"},
};

START_TEST(what_could_not_be_asked_is_refused_with_the_reason)
{
    struct ocsp_url url;
    struct error err = {""};
    ck_assert_msg(!ocsp_url_read(&url, bad[_i].text, &err), "%s was accepted", bad[_i].text);
    ck_assert_msg(strstr(err.text, bad[_i].says), "%s: %s", bad[_i].text, err.text);
}
END_TEST

START_TEST(a_url_that_is_too_long_is_refused_and_the_longest_is_not)
{
    char text[OCSP_URL_BYTES + 8];
    struct ocsp_url url;
    struct error err = {""};
    memset(text, 'a', sizeof text);
    memcpy(text, "http://host/", 12);
    text[OCSP_URL_BYTES - 2] = '\0';
    ck_assert(ocsp_url_read(&url, text, &err));
    ck_assert_str_eq(url.path, text + 11);
    text[OCSP_URL_BYTES - 2] = 'a';
    text[OCSP_URL_BYTES - 1] = '\0';
    ck_assert(!ocsp_url_read(&url, text, &err));
    /* The slash that is added where none was written needs its room, too. */
    memcpy(text, "http://host?", 12);
    text[OCSP_URL_BYTES - 2] = '\0';
    ck_assert(ocsp_url_read(&url, text, &err));
    ck_assert_uint_eq(strlen(url.path), strlen(text) - 10);
}
END_TEST

START_TEST(a_host_that_is_no_dns_name_is_refused)
{
    char text[400];
    struct ocsp_url url;
    struct error err = {""};
    memset(text, 'a', sizeof text);
    memcpy(text, "http://", 7);
    text[7 + DOMAIN_BYTES + 1] = '\0';
    ck_assert(!ocsp_url_read(&url, text, &err));
    text[7 + DOMAIN_BYTES] = '\0';
    ck_assert(ocsp_url_read(&url, text, &err));
}
END_TEST

static bool url_of(const char *access, struct ocsp_url *url, struct error *err)
{
    struct made *ca = made_ca("CA");
    struct made *client =
        made_certificate(&(struct certificate_wish){.name = "x", .issuer = ca, .ocsp = access});
    bool is_found = ocsp_url_of(url, client->certificate, err);
    made_free(client);
    made_free(ca);
    return is_found;
}

START_TEST(the_certificate_names_its_responder)
{
    struct ocsp_url url;
    struct error err = {""};
    ck_assert(url_of("http://ocsp.example.com:8888/ca", &url, &err));
    ck_assert_str_eq(url.host, "ocsp.example.com");
    ck_assert_uint_eq(url.port, 8888);
}
END_TEST

START_TEST(the_first_http_url_is_taken)
{
    struct ocsp_url url;
    struct error err = {""};
    ck_assert(url_of("https://first.example.com,OCSP;URI:http://second.example.com", &url, &err));
    ck_assert_str_eq(url.host, "second.example.com");
}
END_TEST

START_TEST(a_certificate_that_names_none_is_said_so)
{
    struct ocsp_url url;
    struct error err = {""};
    ck_assert(!url_of(NULL, &url, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "names no responder"));
    ck_assert(!url_of("https://ocsp.example.com/", &url, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "https://ocsp.example.com/"));
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, what_an_http_url_says_is_understood, 0, sizeof fine / sizeof *fine);
    tcase_add_loop_test(tcase, what_could_not_be_asked_is_refused_with_the_reason, 0,
                        sizeof bad / sizeof *bad);
    tcase_add_test(tcase, a_url_that_is_too_long_is_refused_and_the_longest_is_not);
    tcase_add_test(tcase, a_host_that_is_no_dns_name_is_refused);
    tcase_add_test(tcase, the_certificate_names_its_responder);
    tcase_add_test(tcase, the_first_http_url_is_taken);
    tcase_add_test(tcase, a_certificate_that_names_none_is_said_so);
}

CHECK_MAIN("ocsp url", add_tests)
