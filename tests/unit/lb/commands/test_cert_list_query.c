/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/commands/cert_list_query.h"

#include <string.h>

#include "lb/commands/cert_parts.h"
#include "tests/support/check_main.h"

static struct arguments arguments;

static bool parse(char *const *line)
{
    static const struct argument_form form = {"cert list", ARGUMENT_JSON, cert_list_options, 0};
    static char *copy[32];
    int argc = 0;
    for (; line[argc]; argc++)
        copy[argc] = line[argc];
    copy[argc] = NULL;
    return arguments_parse(&arguments, &form, argc, copy);
}

#define PARSE(...) ck_assert(parse((char *const[]){"list", __VA_ARGS__, NULL}))

START_TEST(every_filter_is_asked_for)
{
    struct call_path path = {0};
    PARSE("--cn", "a b*", "--ou=x", "--client-id", "m/7", "--ca", "corp", "--status",
          "activated,REVOKED", "--expiring", "30d", "--sort", "not_after", "--desc", "--count");
    ck_assert(cert_list_check("cert list", &arguments));
    cert_list_query(&path, &arguments);
    ck_assert_str_eq(path.text,
                     "?cn=a%20b%2A&ou=x&client_id=m%2F7&ca=corp&status=activated%2CREVOKED"
                     "&expiring=30d&sort=not_after&order=desc&count=yes");
    call_path_done(&path);
}
END_TEST

START_TEST(spans_of_days_have_both_ends_in_them)
{
    struct call_path path = {0};
    PARSE("--valid-from", "2026-11-01", "--valid-to", "2026-11-30", "--expires-from", "2028-02-29",
          "--expires-to", "2028-12-31T10:00:00+02:00", "--expired");
    ck_assert(cert_list_check("cert list", &arguments));
    cert_list_query(&path, &arguments);
    ck_assert_str_eq(path.text,
                     "?not_before_from=2026-11-01T00%3A00%3A00Z&not_before_to=2026-12-01T00%3A00%"
                     "3A00Z&not_after_from=2028-02-29T00%3A00%3A00Z&not_after_to=2028-12-31T10%"
                     "3A00%3A00%2B02%3A00&expired=yes");
    call_path_done(&path);
}
END_TEST

START_TEST(expiring_alone_leaves_the_time_to_the_registry)
{
    struct call_path path = {0};
    PARSE("--expiring");
    ck_assert(cert_list_check("cert list", &arguments));
    cert_list_query(&path, &arguments);
    ck_assert_str_eq(path.text, "?expiring=");
    call_path_done(&path);
}
END_TEST

static char *const wrong[][4] = {
    {"list", "--status", "activ", NULL},      {"list", "--status", "activated,", NULL},
    {"list", "--source", "hand", NULL},       {"list", "--sort", "name", NULL},
    {"list", "--limit", "0", NULL},           {"list", "--limit", "1001", NULL},
    {"list", "--expires-to", "soon", NULL},   {"list", "--valid-from", "2026-02-30", NULL},
    {"list", "--valid-from", "2026-2", NULL}, {"list", "--expiring", "30", NULL},
    {"list", "--expiring", "30 days", NULL},  {"list", "--expired", "--expiring", NULL},
};

START_TEST(what_is_wrong_is_refused_before_anybody_is_asked)
{
    ck_assert(parse(wrong[_i]));
    ck_assert(!cert_list_check("cert list", &arguments));
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, every_filter_is_asked_for);
    tcase_add_test(tcase, spans_of_days_have_both_ends_in_them);
    tcase_add_test(tcase, expiring_alone_leaves_the_time_to_the_registry);
    tcase_add_loop_test(tcase, what_is_wrong_is_refused_before_anybody_is_asked, 0,
                        sizeof wrong / sizeof *wrong);
}

CHECK_MAIN("cert list query", add_tests)
