/* SPDX-License-Identifier: Apache-2.0 */
/* What a pool's section says about checks: what follows from it, and what is wrong with it. */
#include "backends/pool_checks.h"

#include "backends/health/check.h"
#include "tests/support/check_main.h"
#include "tests/support/made_pool.h"

static struct made_pool made;

static void begin(void)
{
    made_pool_begin(&made);
    made_pool_key(&made, "backend", "rs-1 127.0.0.1:9");
}

static void end(void)
{
    made_pool_end(&made);
}

START_TEST(unset_a_check_speaks_what_the_backends_speak)
{
    static const char *const protocols[] = {"http", "https", "h2", "h2s"};
    made_pool_key(&made, "protocol", protocols[_i]);
    ck_assert(made_pool_prepare(&made));
    ck_assert_ptr_eq(made.pool.check, check_find(protocols[_i]));
}
END_TEST

static const struct {
    const char *protocol, *check, *port;
    const char *told; /* NULL: nothing */
} versions[] = {
    {"h2", "http", "0",
     "health_check = http asks in HTTP/1.1, but requests go in HTTP/2 (protocol = h2)"},
    {"h2s", "https", "0", "asks in HTTP/1.1, but requests go in HTTP/2 (protocol = h2s)"},
    {"http", "grpc", "0", "asks in HTTP/2, but requests go in HTTP/1.1 (protocol = http)"},
    {"https", "h2s", "0", "asks in HTTP/2, but requests go in HTTP/1.1 (protocol = https)"},
    {"h2", "http", "8080", NULL},
    {"h2", "grpc", "0", NULL},
    {"h2s", "h2", "0", NULL},
    {"h2", "tcp", "0", NULL},
    {"h2", "off", "0", NULL},
    {"http", "https", "0", NULL}, /* is an error of its own */
};

START_TEST(a_check_of_another_version_of_http_is_warned_of)
{
    made_pool_key(&made, "protocol", versions[_i].protocol);
    made_pool_key(&made, "health_check", versions[_i].check);
    made_pool_key(&made, "health_check_port", versions[_i].port);
    made_pool_prepare(&made);
    const char *told = versions[_i].told;
    ck_assert(made_pool_has_problem(&made, 4, told ? told : "but requests go in") ==
              (told != NULL));
}
END_TEST

START_TEST(a_backend_behind_tls_may_be_checked_without)
{
    static const char *const names[] = {"http", "tcp"};
    made_pool_key(&made, "protocol", "https");
    made_pool_key(&made, "health_check", names[_i]);
    ck_assert(made_pool_prepare(&made));
    ck_assert_ptr_eq(made.pool.check, check_find(names[_i]));
}
END_TEST

/* What is advised is what the backends understand. */
START_TEST(a_check_over_tls_is_told_what_to_be_without)
{
    made_pool_key(&made, "protocol", _i == 1 ? "h2" : "http");
    made_pool_key(&made, "health_check", "h2s");
    ck_assert(!made_pool_prepare(&made));
    ck_assert(made_pool_has_problem(&made, 4, _i == 1 ? "use h2, grpc or tcp" : "use http or tcp"));
}
END_TEST

START_TEST(the_host_of_the_config_counts_unless_the_section_names_one)
{
    made.pool.check_host = "www.example.com";
    if (_i == 1)
        made_pool_key(&made, "health_check_host", "health.example.com:8080");
    ck_assert(made_pool_prepare(&made));
    ck_assert_str_eq(made.pool.check_host, _i == 1 ? "health.example.com:8080" : "www.example.com");
}
END_TEST

START_TEST(unset_codes_are_all_but_5xx)
{
    ck_assert(made_pool_prepare(&made));
    ck_assert(check_codes_has(&made.pool.check_codes, 100));
    ck_assert(check_codes_has(&made.pool.check_codes, 499));
    ck_assert(!check_codes_has(&made.pool.check_codes, 500));
}
END_TEST

START_TEST(several_codes_stand_in_one_line)
{
    made_pool_key(&made, "health_check_codes", "200 204 3xx");
    ck_assert(made_pool_prepare(&made));
    ck_assert(check_codes_has(&made.pool.check_codes, 204));
    ck_assert(check_codes_has(&made.pool.check_codes, 302));
    ck_assert(!check_codes_has(&made.pool.check_codes, 201));
}
END_TEST

/* Each in line 3. */
static const struct {
    const char *key;
    const char *value;
    const char *told; /* NULL: it is fine */
} values[] = {
    {"health_check_path", "/healthz", NULL},
    {"health_check_path", "/healthz?full=1&x=%20", NULL},
    {"health_check_path", "healthz", "\"healthz\" is no path to ask for: write one that begins"},
    {"health_check_path", "http://a/b", "is no path to ask for"},
    {"health_check_path", "*", "is no path to ask for"},
    {"health_check_path", "/a b", "is no path to ask for"},
    {"health_check_path", "/a#b", "is no path to ask for"},
    {"health_check_path", "/\xc3\xa4", "is no path to ask for"},
    {"health_check_host", "www.example.com", NULL},
    {"health_check_host", "[::1]:8080", NULL},
    {"health_check_host", "192.0.2.1", NULL},
    {"health_check_host", "*.example.com", "\"*.example.com\" is no host to ask for: write a name"},
    {"health_check_host", "~^www", "is no host to ask for"},
    {"health_check_host", "a b", "is no host to ask for"},
    {"health_check_host", "a:99999", "is no host to ask for"},
    {"health_check_host", "a/b", "is no host to ask for"},
    {"health_check_codes", "200 2x0",
     "\"2x0\" names no status codes: write a code from 100 to 599"},
    {"health_check_codes", "5xx-4xx", "runs backwards: write 4xx-5xx"},
    {"health_check_service", "helloworld.Greeter", NULL},
    {"health_check_service", "a b", "\"a b\" is no name of a service: write one of ASCII"},
    {"health_check_service", "\xc3\xa4", "is no name of a service"},
    {"health_check", "h2", NULL},
    {"health_check", "grpc", NULL},
    {"health_check", "h2s", "health_check = h2s needs protocol = https"},
    {"health_check", "htp", "did you mean http?"},
    {"health_check", "https", "health_check = https needs protocol = https"},
    {"health_check_timeout", "5s", "(5000ms) must be less than health_check_interval (5000ms)"},
    {"health_check_interval", "2s", "(2000ms) must be less than health_check_interval (2000ms)"},
    {"health_check_interval", "2001ms", NULL},
};

START_TEST(a_value_is_fine_or_told_at_its_line_with_what_would_be_right)
{
    made_pool_key(&made, values[_i].key, values[_i].value);
    bool is_fine = made_pool_prepare(&made);
    ck_assert(is_fine == !values[_i].told);
    if (!is_fine)
        ck_assert_msg(made_pool_has_problem(&made, 3, values[_i].told), "%s",
                      made.problems.items[0].text);
}
END_TEST

START_TEST(without_checks_their_times_do_not_matter)
{
    made_pool_key(&made, "health_check", "off");
    made_pool_key(&made, "health_check_timeout", "10s");
    ck_assert(made_pool_prepare(&made));
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_loop_test(tcase, unset_a_check_speaks_what_the_backends_speak, 0, 4);
    tcase_add_loop_test(tcase, a_check_of_another_version_of_http_is_warned_of, 0,
                        sizeof versions / sizeof *versions);
    tcase_add_loop_test(tcase, a_backend_behind_tls_may_be_checked_without, 0, 2);
    tcase_add_loop_test(tcase, a_check_over_tls_is_told_what_to_be_without, 0, 2);
    tcase_add_loop_test(tcase, the_host_of_the_config_counts_unless_the_section_names_one, 0, 2);
    tcase_add_test(tcase, unset_codes_are_all_but_5xx);
    tcase_add_test(tcase, several_codes_stand_in_one_line);
    tcase_add_loop_test(tcase, a_value_is_fine_or_told_at_its_line_with_what_would_be_right, 0,
                        sizeof values / sizeof *values);
    tcase_add_test(tcase, without_checks_their_times_do_not_matter);
}

CHECK_MAIN("pool checks", add_tests)
