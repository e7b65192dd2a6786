/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions to resume with: one for each name, as many as there is room for, for so long and no
 * longer. */
#include "backends/links/link_sessions.h"

#include <stdio.h>

#include "lb/base/limits.h"
#include "tests/support/check_main.h"

enum { NOW = 1000, BACKENDS = LINK_SESSIONS_MOST / LINK_SESSION_NAMES_MOST };

static struct link_sessions sessions;
static struct list_node backends[BACKENDS + 1];

static void begin(void)
{
    link_sessions_init(&sessions);
    for (unsigned i = 0; i <= BACKENDS; i++)
        list_init(&backends[i]);
}

static void end(void)
{
    for (unsigned i = 0; i <= BACKENDS; i++)
        link_sessions_forget_all(&sessions, &backends[i]);
    ck_assert_uint_eq(sessions.count, 0);
    ck_assert(list_is_empty(&sessions.all));
}

static SSL_SESSION *keep(unsigned backend, const char *name)
{
    SSL_SESSION *session = SSL_SESSION_new();
    ck_assert(link_sessions_keep(&sessions, &backends[backend], name, session, NOW + 10));
    return session;
}

static SSL_SESSION *found(unsigned backend, const char *name)
{
    const struct link_session *kept = link_sessions_find(&backends[backend], name, NOW);
    return kept ? kept->session : NULL;
}

START_TEST(a_session_is_found_by_its_backend_and_name)
{
    SSL_SESSION *one = keep(0, "a.example.com");
    SSL_SESSION *other = keep(0, "b.example.com");
    ck_assert_ptr_eq(found(0, "a.example.com"), one);
    ck_assert_ptr_eq(found(0, "b.example.com"), other);
    ck_assert_ptr_null(found(0, "c.example.com"));
    ck_assert_ptr_null(found(1, "a.example.com"));
}
END_TEST

START_TEST(the_last_session_of_a_name_takes_the_place_of_the_one_before)
{
    keep(0, "a");
    SSL_SESSION *last = keep(0, "a");
    ck_assert_ptr_eq(found(0, "a"), last);
    ck_assert_uint_eq(sessions.count, 1);
}
END_TEST

START_TEST(a_session_is_good_until_its_time_has_come)
{
    keep(0, "a");
    ck_assert_ptr_nonnull(link_sessions_find(&backends[0], "a", NOW + 9));
    ck_assert_ptr_null(link_sessions_find(&backends[0], "a", NOW + 10));
}
END_TEST

START_TEST(a_session_that_was_forgotten_is_gone)
{
    keep(0, "a");
    SSL_SESSION *other = keep(0, "b");
    link_sessions_forget(&sessions, &backends[0], "a");
    link_sessions_forget(&sessions, &backends[0], "never there");
    ck_assert_ptr_null(found(0, "a"));
    ck_assert_ptr_eq(found(0, "b"), other);
}
END_TEST

static void keep_many(unsigned backend, unsigned count)
{
    char name[32];
    for (unsigned i = 0; i < count; i++) {
        snprintf(name, sizeof name, "%u", i);
        keep(backend, name);
    }
}

START_TEST(one_backend_keeps_the_names_asked_for_last)
{
    keep_many(0, LINK_SESSION_NAMES_MOST);
    keep(0, "0"); /* renewed: 1 is the oldest now */
    keep(0, "new");
    ck_assert_uint_eq(sessions.count, LINK_SESSION_NAMES_MOST);
    ck_assert_ptr_nonnull(found(0, "0"));
    ck_assert_ptr_null(found(0, "1"));
    ck_assert_ptr_nonnull(found(0, "2"));
    ck_assert_ptr_nonnull(found(0, "new"));
}
END_TEST

START_TEST(all_backends_together_keep_those_renewed_last)
{
    for (unsigned i = 0; i < BACKENDS; i++)
        keep_many(i, LINK_SESSION_NAMES_MOST);
    ck_assert_uint_eq(sessions.count, LINK_SESSIONS_MOST);
    keep(BACKENDS, "one more");
    ck_assert_uint_eq(sessions.count, LINK_SESSIONS_MOST);
    ck_assert_ptr_nonnull(found(BACKENDS, "one more"));
    ck_assert_ptr_null(found(0, "0"));
    ck_assert_ptr_nonnull(found(0, "1"));
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, a_session_is_found_by_its_backend_and_name);
    tcase_add_test(tcase, the_last_session_of_a_name_takes_the_place_of_the_one_before);
    tcase_add_test(tcase, a_session_is_good_until_its_time_has_come);
    tcase_add_test(tcase, a_session_that_was_forgotten_is_gone);
    tcase_add_test(tcase, one_backend_keeps_the_names_asked_for_last);
    tcase_add_test(tcase, all_backends_together_keep_those_renewed_last);
}

CHECK_MAIN("link_sessions", add_tests)
