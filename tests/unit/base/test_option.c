/* SPDX-License-Identifier: Apache-2.0 */
/* Values set through a table: defaults, every kind, and what is refused in which words. */
#include <stdio.h>

#include "tests/support/option_table.h"

static void expect_list(const struct option_list *list, const char *joined)
{
    char found[256] = "";
    for (unsigned i = 0; i < list->count; i++) {
        size_t length = strlen(found);
        snprintf(found + length, sizeof found - length, "%s%u:%s", i > 0 ? " " : "", list->lines[i],
                 list->items[i]);
    }
    ck_assert_str_eq(found, joined);
}

/* Defaults. */

START_TEST(defaults_are_what_the_table_says)
{
    ck_assert_int_eq(values.workers, -1);
    ck_assert_int_eq(values.retries, 2);
    ck_assert_uint_eq(values.connect_timeout, 4000);
    ck_assert_uint_eq(values.max_head, 32768);
    ck_assert_uint_eq(values.max_body, 60 * 1024 * 1024);
    ck_assert(!values.sni);
    ck_assert_int_eq(values.mutual_auth, 0);
    ck_assert_int_eq(values.refuse_with, -1);
    ck_assert_ptr_null(values.domain);
    ck_assert_str_eq(values.log, "stderr");
    ck_assert_str_eq(values.state_dir, "var/");
    ck_assert_ptr_null(values.user_file);
    ck_assert_uint_eq(values.address.count, 0);
    expect_list(&values.certificate, "0:server.crt");
    expect_list(&values.tls_versions, "0:1.2 0:1.3");
    ck_assert_uint_eq(values.workers_line, 0);
    ck_assert_uint_eq(values.tls_versions_line, 0);
}
END_TEST

START_TEST(relative_default_paths_are_anchored_once_all_is_set)
{
    set("certificate", "a.crt");
    option_anchor(&table, &values, "/etc/lb", &arena);
    ck_assert_str_eq(values.state_dir, "/etc/lb/var/");
    ck_assert_ptr_null(values.user_file);
    expect_list(&values.certificate, "11:/etc/lb/a.crt");

    option_defaults(&table, &values, &arena);
    option_anchor(&table, &values, "/", &arena);
    ck_assert_str_eq(values.state_dir, "/var/");
    expect_list(&values.certificate, "0:/server.crt");
}
END_TEST

START_TEST(words_among_paths_stay_what_they_are)
{
    static const char *const said[] = {"registry",     "registry:partner", "registry:", "builtin",
                                       "certs/ca.crt", "./builtin",        "builtins",  "/builtin",
                                       "registry.crt", "Registry",         "FILE"};
    for (size_t i = 0; i < sizeof said / sizeof *said; i++)
        set("client_ca", said[i]);
    expect_no_problem();
    expect_list(&values.client_ca,
                "11:registry 12:registry:partner 13:registry: 14:builtin 15:/etc/lb/certs/ca.crt "
                "16:/etc/lb/./builtin 17:/etc/lb/builtins 18:/builtin 19:/etc/lb/registry.crt "
                "20:/etc/lb/Registry 21:/etc/lb/FILE");
    option_anchor(&table, &values, "/etc/lb", &arena);
    ck_assert_str_eq(values.client_ca.items[0], "registry");
}
END_TEST

START_TEST(a_default_among_words_and_paths_is_anchored_if_it_is_a_path)
{
    option_anchor(&table, &values, "/etc/lb", &arena);
    expect_list(&values.client_ca, "0:/etc/lb/ca.crt");
}
END_TEST

/* Values. */

START_TEST(every_kind_takes_its_values)
{
    set("workers", "8");
    set("keepalive_timeout", "0");
    set("connect_timeout", "1500ms");
    set("max_head", "64K");
    set("sni", "yes");
    set("default", "true");
    set("mutual_auth", "require");
    set("refuse_with", "403");
    set("domain", "www.example.com");
    set("state_dir", "/var/lib/lb");
    set("user_file", "users");
    expect_no_problem();
    ck_assert_int_eq(values.workers, 8);
    ck_assert_uint_eq(values.workers_line, 11);
    ck_assert_uint_eq(values.keepalive_timeout, 0);
    ck_assert_uint_eq(values.connect_timeout, 1500);
    ck_assert_uint_eq(values.max_head, 65536);
    ck_assert(values.sni);
    ck_assert(values.is_default);
    ck_assert_int_eq(values.mutual_auth, 2);
    ck_assert_int_eq(values.refuse_with, 1);
    ck_assert_str_eq(values.domain, "www.example.com");
    ck_assert_str_eq(values.state_dir, "/var/lib/lb");
    ck_assert_str_eq(values.user_file, "/etc/lb/users");
    ck_assert_uint_eq(values.user_file_line, 21);
}
END_TEST

START_TEST(auto_may_be_written_where_it_is_the_default)
{
    set("workers", "auto");
    expect_no_problem();
    ck_assert_int_eq(values.workers, -1);
    ck_assert_uint_eq(values.workers_line, 11);
    set("retries", "auto");
    expect_problem("\"auto\" is no value for retries (number, 0–10, default 2): how many other "
                   "backends are tried");
}
END_TEST

START_TEST(repeatable_keys_collect_their_values_and_lines)
{
    set("address", "[::]:1");
    set("address", "[::]:2");
    set("address", "[::]:3");
    set("certificate", "a.crt");
    set("certificate", "/b.crt");
    expect_no_problem();
    expect_list(&values.address, "11:[::]:1 12:[::]:2 13:[::]:3");
    expect_list(&values.certificate, "14:/etc/lb/a.crt 15:/b.crt");
    ck_assert_uint_eq(values.address_line, 11);
}
END_TEST

START_TEST(many_values_of_one_key_keep_their_order)
{
    char value[16];
    for (int i = 0; i < 1000; i++) {
        snprintf(value, sizeof value, "%d", i);
        set("address", value);
    }
    ck_assert_uint_eq(values.address.count, 1000);
    for (int i = 0; i < 1000; i++) {
        snprintf(value, sizeof value, "%d", i);
        ck_assert_str_eq(values.address.items[i], value);
        ck_assert_uint_eq(values.address.lines[i], 11 + (unsigned)i);
    }
}
END_TEST

START_TEST(words_replace_the_default)
{
    set("tls_versions", "1.3 \t 1.2  x");
    expect_no_problem();
    expect_list(&values.tls_versions, "11:1.3 11:1.2 11:x");
}
END_TEST

START_TEST(an_empty_value_leaves_the_default)
{
    for (const struct option *option = options; option->key; option++)
        set(option->key, "");
    expect_no_problem();
    ck_assert_int_eq(values.retries, 2);
    ck_assert_uint_eq(values.retries_line, 0);
    expect_list(&values.certificate, "0:server.crt");
    expect_list(&values.tls_versions, "0:1.2 0:1.3");
    ck_assert_uint_eq(values.address.count, 0);
    set("retries", "3");
    expect_no_problem();
    ck_assert_int_eq(values.retries, 3);
}
END_TEST

START_TEST(a_list_notes_the_first_line_that_leaves_it_empty)
{
    set("address", "");
    set("address", "[::]:1");
    set("address", "");
    set("tls_versions", "");
    set("tls_versions", "1.3");
    set("certificate", "a.crt");
    expect_no_problem();
    expect_list(&values.address, "12:[::]:1");
    ck_assert_uint_eq(values.address.empty_line, 11);
    ck_assert_uint_eq(values.address_line, 12);
    expect_list(&values.tls_versions, "15:1.3");
    ck_assert_uint_eq(values.tls_versions.empty_line, 14);
    ck_assert_uint_eq(values.certificate.empty_line, 0);
}
END_TEST

START_TEST(a_section_header_sets_nothing)
{
    set(NULL, NULL);
    expect_no_problem();
}
END_TEST

/* What is refused. */

static const struct {
    const char *key, *value, *problem;
} refused[] = {
    {"connect_timeout", "soon",
     "\"soon\" is no value for connect_timeout (duration, 1ms–10m, default 4s): how long a backend "
     "may take"},
    {"connect_timeout", "11m",
     "\"11m\" is out of range for connect_timeout (duration, 1ms–10m, default 4s): how long a "
     "backend may take"},
    {"connect_timeout", "0",
     "\"0\" is out of range for connect_timeout (duration, 1ms–10m, default 4s): how long a "
     "backend may take"},
    {"connect_timeout", "5",
     "\"5\" is no value for connect_timeout (duration, 1ms–10m, default 4s): how long a backend "
     "may take"},
    {"keepalive_timeout", "2h",
     "\"2h\" is out of range for keepalive_timeout (duration, 0–1h, default 75s): how long a "
     "connection may wait"},
    {"workers", "0",
     "\"0\" is out of range for workers (number or auto, 1–256, default auto): threads that serve "
     "clients"},
    {"workers", "4 # four",
     "\"4 # four\" is no value for workers (number or auto, 1–256, default auto): threads that "
     "serve clients (a comment behind a value begins with \" ;\")"},
    {"retries", "-1",
     "\"-1\" is out of range for retries (number, 0–10, default 2): how many other backends are "
     "tried"},
    {"sessions", "0",
     "\"0\" is out of range for sessions (number, 1 or more, default 20000): TLS sessions kept"},
    {"max_head", "1m",
     "\"1m\" is out of range for max_head (size, 1k–256k, default 32k): largest request head"},
    {"max_head", "32kb",
     "\"32kb\" is no value for max_head (size, 1k–256k, default 32k): largest request head"},
    {"max_body", "-1",
     "\"-1\" is no value for max_body (size, 0 or more, default 60m): largest request body"},
    {"sni", "1",
     "\"1\" is no value for sni (on or off, default off): every rule brings its own certificate"},
    {"default", "maybe",
     "\"maybe\" is no value for default (yes or no, default no): this is the default"},
    {"mutual_auth", "required",
     "\"required\" is no value for mutual_auth (off | request | require, default off): whether "
     "clients are asked"},
    {"mutual_auth", "off | request",
     "\"off | request\" is no value for mutual_auth (off | request | require, default off): "
     "whether clients are asked"},
    {"refuse_with", "404",
     "\"404\" is no value for refuse_with (alert | 403): how a client is told - or not"},
    {"protocol", "ftp", "\"ftp\" is no value for protocol (https | http, default https)"},
    {"domain", "a.name.that.is.too.long",
     "23 characters are out of range for domain (text of 1–20 characters): host name this rule is "
     "for"},
    {"conect_timeout", "4s", "unknown key \"conect_timeout\"; did you mean \"connect_timeout\"?"},
    {"is_default", "yes",
     "unknown key \"is_default\" in [listener]; lb help listener lists all keys"},
    {"colour", "", "unknown key \"colour\" in [listener]; lb help listener lists all keys"},
};

START_TEST(a_refused_value_says_what_would_be_right_and_leaves_the_default)
{
    struct values before = values;
    set(refused[_i].key, refused[_i].value);
    expect_problem(refused[_i].problem);
    for (const struct option *option = options; option->key; option++)
        memcpy((char *)&before + option->line_offset, (char *)&values + option->line_offset,
               sizeof(unsigned));
    ck_assert_mem_eq(&before, &values, sizeof values);
}
END_TEST

START_TEST(a_second_value_names_the_line_of_the_first)
{
    set("retries", "3");
    set("retries", "4");
    expect_problem("retries is set already in line 11 and takes one value: keep one of the two");
    ck_assert_int_eq(values.retries, 3);
    problems_done(&problems);
    set("tls_versions", "1.2");
    set("tls_versions", "1.3");
    expect_problem(
        "tls_versions is set already in line 13 and takes one value: keep one of the two");
    expect_list(&values.tls_versions, "13:1.2");
}
END_TEST

START_TEST(a_refused_value_counts_as_the_first)
{
    set("retries", "many");
    problems_done(&problems);
    set("retries", "4");
    expect_problem("retries is set already in line 11 and takes one value: keep one of the two");
}
END_TEST

static const struct {
    const char *key, *nearest;
} near[] = {
    {"connect_timeout", "connect_timeout"},
    {"Connect-Timeout", "connect_timeout"},
    {"conenct_timeout", "connect_timeout"},
    {"connecttimeout", "connect_timeout"},
    {"connection_timeout", "connect_timeout"},
    {"timeout", NULL},
    {"snl", "sni"},
    {"sn", "sni"},
    {"nis", NULL},
    {"ins", NULL},
    {"isn", NULL},
    {"sin", "sni"},
    {"certificates", "certificate"},
    {"cert", "certificate"},
    {"logs", "log"},
    {"", NULL},
    {"worker", "workers"},
    {"retrys", "retries"},
    {"default_", "default"},
    {"\xC3\xA4", NULL},
};

START_TEST(the_nearest_key_begins_so_or_has_at_most_a_third_of_its_letters_wrong)
{
    const char *nearest = option_nearest(&table, near[_i].key);
    ck_assert_msg((nearest == NULL) == (near[_i].nearest == NULL), "%s gives %s", near[_i].key,
                  nearest ? nearest : "nothing");
    if (nearest)
        ck_assert_str_eq(nearest, near[_i].nearest);
}
END_TEST

START_TEST(an_endless_key_has_no_neighbour)
{
    char key[4096];
    memset(key, 'a', sizeof key - 1);
    key[sizeof key - 1] = '\0';
    ck_assert_ptr_null(option_nearest(&table, key));
    key[63] = '\0';
    ck_assert_ptr_null(option_nearest(&table, key));
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, defaults_are_what_the_table_says);
    tcase_add_test(tcase, relative_default_paths_are_anchored_once_all_is_set);
    tcase_add_test(tcase, words_among_paths_stay_what_they_are);
    tcase_add_test(tcase, a_default_among_words_and_paths_is_anchored_if_it_is_a_path);
    tcase_add_test(tcase, every_kind_takes_its_values);
    tcase_add_test(tcase, auto_may_be_written_where_it_is_the_default);
    tcase_add_test(tcase, repeatable_keys_collect_their_values_and_lines);
    tcase_add_test(tcase, many_values_of_one_key_keep_their_order);
    tcase_add_test(tcase, words_replace_the_default);
    tcase_add_test(tcase, an_empty_value_leaves_the_default);
    tcase_add_test(tcase, a_list_notes_the_first_line_that_leaves_it_empty);
    tcase_add_test(tcase, a_section_header_sets_nothing);
    tcase_add_loop_test(tcase, a_refused_value_says_what_would_be_right_and_leaves_the_default, 0,
                        sizeof refused / sizeof *refused);
    tcase_add_test(tcase, a_second_value_names_the_line_of_the_first);
    tcase_add_test(tcase, a_refused_value_counts_as_the_first);
    tcase_add_loop_test(tcase,
                        the_nearest_key_begins_so_or_has_at_most_a_third_of_its_letters_wrong, 0,
                        sizeof near / sizeof *near);
    tcase_add_test(tcase, an_endless_key_has_no_neighbour);
}

CHECK_MAIN("option", add_tests)
