/* SPDX-License-Identifier: Apache-2.0 */
/* The main() of a Check program: CHECK_MAIN("name", add_tests) where add_tests(TCase *) adds its
 * tests. */
#ifndef LB_TESTS_CHECK_MAIN_H
#define LB_TESTS_CHECK_MAIN_H

#include <check.h>
#include <stdlib.h>

#include "tests/support/peer_http2.h"

/*
 * For a test of a story that also runs over HTTP/2 while this test cannot: it is about the bytes of
 * HTTP/1 (HTTP/1.0, half a head, Connection, chunk by chunk), about bytes below TLS, or about a
 * connection that one request fills or ends.
 */
#define tcase_add_http1_loop_test(tcase, test, from, until)                                        \
    do {                                                                                           \
        if (!peer_http2_is_wanted())                                                               \
            tcase_add_loop_test(tcase, test, from, until);                                         \
    } while (0)
#define tcase_add_http1_test(tcase, test) tcase_add_http1_loop_test(tcase, test, 0, 1)

static inline int check_run(const char *name, void (*add_tests)(TCase *), double timeout_s)
{
    Suite *suite = suite_create(name);
    TCase *tcase = tcase_create(name);
    tcase_set_timeout(tcase, timeout_s);
    add_tests(tcase);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* Only who hangs takes so long: whatever is waited for has a patience of its own (eventually.h,
 * peer.h), and the longest tests, of a hundred commands under a sanitizer, took a minute and a half
 * on a machine with ten times the work that it could do. */
enum { CHECK_TIMEOUT_S = 180 };

#define CHECK_MAIN(name, add_tests)                                                                \
    int main(void)                                                                                 \
    {                                                                                              \
        return check_run(name, add_tests, CHECK_TIMEOUT_S);                                        \
    }

enum { CHECK_SKIPPED = 77 };

/* The same for a program whose tests need what a machine may not have (root, another program):
 * bool is_possible(void) says on stderr what is missing. */
#define CHECK_MAIN_WHERE(name, add_tests, is_possible)                                             \
    int main(void)                                                                                 \
    {                                                                                              \
        return is_possible() ? check_run(name, add_tests, CHECK_TIMEOUT_S) : CHECK_SKIPPED;        \
    }

#endif
