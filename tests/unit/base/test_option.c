/* SPDX-License-Identifier: Apache-2.0 */
/* A table with every kind of key: defaults, values, what is refused in which words, help and
 * sample. */
#include "lb/base/option.h"

#include <stdio.h>
#include <string.h>

#include "lb/base/ini.h"
#include "tests/support/check_main.h"

#define ALL_OPTIONS                                                                                \
    OPTION(NUMBER, workers, "auto", 1, 256, "threads that serve clients")                          \
    OPTION(NUMBER, retries, "2", 0, 10, "how many other backends are tried")                       \
    OPTION(NUMBER, sessions, "20000", 1, 0, "TLS sessions kept")                                   \
    OPTION(DURATION, connect_timeout, "4s", 1, 600000, "how long a backend may take")              \
    OPTION(DURATION, keepalive_timeout, "75s", 0, 3600000, "how long a connection may wait")       \
    OPTION(SIZE, max_head, "32k", 1024, 262144, "largest request head")                            \
    OPTION(SIZE, max_body, "60m", 0, 0, "largest request body")                                    \
    OPTION(SWITCH, sni, "off", 0, 0, "every rule brings its own certificate")                      \
    OPTION(SWITCH, is_default, "no", 0, 0, "this is the default", "default")                       \
    OPTION(CHOICE, mutual_auth, "off", 0, 0,                                                       \
           "off | request | require - whether clients are asked")                                  \
    OPTION(CHOICE, refuse_with, NULL, 0, 0, "alert | 403 - how a client is told - or not")         \
    OPTION(CHOICE, protocol, "https", 0, 0, "https | http")                                        \
    OPTION(TEXT, domain, NULL, 1, 20, "host name this rule is for")                                \
    OPTION(TEXT, log, "stderr", 0, 0, "where the log goes")                                        \
    OPTION(PATH, state_dir, "var/", 0, 0, "where state is kept")                                   \
    OPTION(PATH, user_file, NULL, 0, 0, "a file")                                                  \
    OPTION(TEXTS, address, NULL, 0, 0, "where to listen")                                          \
    OPTION(PATHS, certificate, "server.crt", 0, 0, "server certificate, PEM")                      \
    OPTION(WORDS, tls_versions, "1.2 1.3", 0, 0, "TLS versions that are spoken")

struct values {
#define OPTION OPTION_MEMBER
    ALL_OPTIONS
#undef OPTION
};
#define OPTION(...) OPTION_ROW(struct values, __VA_ARGS__)
// clang-format off
static const struct option options[] = {
    ALL_OPTIONS
    {OPTION_NUMBER, NULL, NULL, 0, 0, NULL, 0, 0},
};
// clang-format on
#undef OPTION
static const struct option_table table = {"listener", true, "where clients are met",
                                          sizeof(struct values), options};

static struct arena arena;
static struct problems problems;
static struct values values;
static unsigned line;

static void begin(void)
{
    arena = (struct arena){0};
    problems = (struct problems){0};
    line = 10;
    memset(&values, 0xA5, sizeof values);
    option_defaults(&table, &values, &arena);
}

static void end(void)
{
    problems_done(&problems);
    arena_done(&arena);
}

/* In lines 11, 12, … of /etc/lb/lb.ini. */
static void set(const char *key, const char *value)
{
    const struct ini_entry entry = {"listener", "web", 1, key, value, ++line};
    option_set(&table, &values, &entry, "lb.ini", "/etc/lb", &arena, &problems);
}

static void expect_no_problem(void)
{
    ck_assert_msg(problems.count == 0, "%s", problems.count > 0 ? problems.items[0].text : "");
}

static void expect_problem(const char *text)
{
    ck_assert_uint_eq(problems.count, 1);
    ck_assert_str_eq(problems.items[0].text, text);
    ck_assert_str_eq(problems.items[0].file, "lb.ini");
    ck_assert_uint_eq(problems.items[0].line, line);
    ck_assert(!problems.items[0].warning);
}

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
    {"cert", NULL},
    {"logs", "log"},
    {"", NULL},
    {"worker", "workers"},
    {"retrys", "retries"},
    {"default_", "default"},
    {"\xC3\xA4", NULL},
};

START_TEST(the_nearest_key_has_at_most_a_third_of_its_letters_wrong)
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

/* Parsers. */

static const struct {
    const char *text;
    int64_t ms; /* -1: refused */
} durations[] = {
    {"0", 0},
    {"0s", 0},
    {"1ms", 1},
    {"4s", 4000},
    {"5m", 300000},
    {"2h", 7200000},
    {"30d", 2592000000},
    {"00004s", 4000},
    {"4294967295ms", 4294967295},
    {"4294967296ms", -1},
    {"49d", 4233600000},
    {"50d", -1},
    {"99999999999999999999s", -1},
    {"", -1},
    {"s", -1},
    {"4", -1},
    {"-4s", -1},
    {"+4s", -1},
    {"4 s", -1},
    {" 4s", -1},
    {"4s ", -1},
    {"4S", -1},
    {"4.5s", -1},
    {"4sec", -1},
    {"1m30s", -1},
    {"0x4s", -1},
};

START_TEST(durations_are_whole_numbers_with_a_unit)
{
    uint32_t ms = 77;
    bool is_good = option_parse_duration(durations[_i].text, &ms);
    ck_assert_msg(is_good == (durations[_i].ms >= 0), "%s", durations[_i].text);
    ck_assert_int_eq(ms, is_good ? durations[_i].ms : 77);
}
END_TEST

static const struct {
    const char *text;
    int64_t bytes; /* -1: refused */
} sizes[] = {
    {"0", 0},
    {"1", 1},
    {"32k", 32768},
    {"32K", 32768},
    {"60m", 62914560},
    {"2G", 2147483648},
    {"9223372036854775807", INT64_MAX},
    {"9223372036854775808", -1},
    {"8589934591g", 9223372035781033984},
    {"8589934592g", -1},
    {"", -1},
    {"k", -1},
    {"1kb", -1},
    {"-1", -1},
    {"1 k", -1},
    {"1t", -1},
    {"1.5m", -1},
};

START_TEST(sizes_are_whole_numbers_with_or_without_a_unit)
{
    uint64_t bytes = 77;
    bool is_good = option_parse_size(sizes[_i].text, &bytes);
    ck_assert_msg(is_good == (sizes[_i].bytes >= 0), "%s", sizes[_i].text);
    ck_assert_uint_eq(bytes, is_good ? (uint64_t)sizes[_i].bytes : 77);
}
END_TEST

START_TEST(numbers_are_whole_and_decimal)
{
    static const char *const bad[] = {
        "", "-", "--1", "+1", "1a", " 1", "1 ", "0x1", "1.0", "1e3", "9223372036854775808"};
    int64_t number = 0;
    ck_assert(option_parse_number("9223372036854775807", &number));
    ck_assert(number == INT64_MAX);
    ck_assert(option_parse_number("-12", &number));
    ck_assert_int_eq(number, -12);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(!option_parse_number(bad[i], &number), "%s", bad[i]);
    ck_assert_int_eq(number, -12);
}
END_TEST

START_TEST(switches_have_three_ways_to_say_each)
{
    static const char *const on[] = {"on", "yes", "true"}, *const off[] = {"off", "no", "false"};
    static const char *const bad[] = {"", "On", "1", "0", "y", "on "};
    bool is_on = false;
    for (size_t i = 0; i < 3; i++) {
        ck_assert(option_parse_switch(on[i], &is_on) && is_on);
        ck_assert(option_parse_switch(off[i], &is_on) && !is_on);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(!option_parse_switch(bad[i], &is_on), "%s", bad[i]);
}
END_TEST

START_TEST(what_is_written_is_read_back)
{
    static const struct {
        uint64_t ms;
        const char *text;
    } rows[] = {{0, "0"},         {1, "1ms"},       {1500, "1500ms"}, {4000, "4s"},
                {90000, "90s"},   {600000, "10m"},  {5400000, "90m"}, {7200000, "2h"},
                {86400000, "1d"}, {90000000, "25h"}};
    char text[32];
    uint32_t ms = 1;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        option_write_duration(rows[i].ms, text, sizeof text);
        ck_assert_str_eq(text, rows[i].text);
        ck_assert(option_parse_duration(text, &ms));
        ck_assert_uint_eq(ms, rows[i].ms);
    }
    option_write_size(1536, text, sizeof text);
    ck_assert_str_eq(text, "1536");
    option_write_size(3 * 1024 * 1024, text, sizeof text);
    ck_assert_str_eq(text, "3m");
    option_write_size(0, text, sizeof text);
    ck_assert_str_eq(text, "0");
}
END_TEST

/* Choices, help and sample. */

START_TEST(choices_are_the_words_before_the_dash)
{
    const struct option *option = option_find(&table, "refuse_with");
    char word[16];
    ck_assert_str_eq(option_choice_word(option, 0, word, sizeof word), "alert");
    ck_assert_str_eq(option_choice_word(option, 1, word, sizeof word), "403");
    ck_assert_str_eq(option_choice_word(option, 2, word, sizeof word), "");
    ck_assert_str_eq(option_choice_word(option, -1, word, sizeof word), "");
    ck_assert_str_eq(option_choice_word(option, 0, word, 4), "ale");
    ck_assert_int_eq(option_choice_index(option, "403"), 1);
    ck_assert_int_eq(option_choice_index(option, ""), -1);
    ck_assert_int_eq(option_choice_index(option, "40"), -1);
    ck_assert_str_eq(option_purpose(option), "how a client is told - or not");
}
END_TEST

START_TEST(every_kind_is_described)
{
    static const struct {
        const char *key, *text;
    } rows[] = {
        {"state_dir", "path, default var/"},
        {"user_file", "path"},
        {"address", "text, repeatable"},
        {"certificate", "path, repeatable, default server.crt"},
        {"tls_versions", "words separated by blanks, default 1.2 1.3"},
        {"log", "text, default stderr"},
    };
    char text[128];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        option_describe(option_find(&table, rows[i].key), text, sizeof text);
        ck_assert_str_eq(text, rows[i].text);
    }
    option_describe(option_find(&table, "log"), text, 8);
    ck_assert_str_eq(text, "text, d");
}
END_TEST

START_TEST(help_says_section_values_and_purpose)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    option_write_help(&table, option_find(&table, "mutual_auth"), out);
    fclose(out);
    ck_assert_str_eq(text, "mutual_auth in [listener NAME]\n"
                           "    off | request | require, default off\n"
                           "    whether clients are asked\n");
    free(text);
}
END_TEST

/* The sample with its keys as comments or, with the `;` before each key gone, as settings. */
static char *sample(bool is_live, size_t *ret_length)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, ret_length);
    option_write_sample(&table, out);
    fclose(out);
    for (char *at = text; is_live && (at = strstr(at, "\n;")) != NULL; at += 2)
        if (at[2] != ' ')
            at[1] = '\n';
    return text;
}

START_TEST(the_sample_sets_nothing)
{
    struct ini ini;
    size_t length = 0;
    char *text = sample(false, &length);
    ini_read_bytes(&ini, "sample", text, length, &arena, &problems);
    expect_no_problem();
    ck_assert_uint_eq(ini.count, 1);
    ck_assert_str_eq(ini.entries[0].section, "listener");
    ck_assert_str_eq(ini.entries[0].name, "NAME");
    free(text);
}
END_TEST

START_TEST(the_sample_without_its_marks_sets_every_key_to_its_default)
{
    struct ini ini;
    size_t length = 0, keys = sizeof options / sizeof *options - 1;
    char *text = sample(true, &length);
    ini_read_bytes(&ini, "sample", text, length, &arena, &problems);
    free(text);
    ck_assert_uint_eq(ini.count, 1 + keys);
    for (size_t i = 0; i < ini.count; i++)
        option_set(&table, &values, &ini.entries[i], "sample", "/etc/lb", &arena, &problems);
    expect_no_problem();
    for (size_t i = 0; i < keys; i++) {
        const char *standard = options[i].standard ? options[i].standard : "";
        ck_assert_str_eq(ini.entries[1 + i].key, options[i].key);
        ck_assert_str_eq(ini.entries[1 + i].value, standard);
    }
    ck_assert_int_eq(values.retries, 2);
    ck_assert_str_eq(values.state_dir, "/etc/lb/var/");
}
END_TEST

static void add_value_tests(TCase *tcase)
{
    tcase_add_test(tcase, defaults_are_what_the_table_says);
    tcase_add_test(tcase, relative_default_paths_are_anchored_once_all_is_set);
    tcase_add_test(tcase, every_kind_takes_its_values);
    tcase_add_test(tcase, auto_may_be_written_where_it_is_the_default);
    tcase_add_test(tcase, repeatable_keys_collect_their_values_and_lines);
    tcase_add_test(tcase, many_values_of_one_key_keep_their_order);
    tcase_add_test(tcase, words_replace_the_default);
    tcase_add_test(tcase, an_empty_value_leaves_the_default);
    tcase_add_test(tcase, a_section_header_sets_nothing);
    tcase_add_loop_test(tcase, a_refused_value_says_what_would_be_right_and_leaves_the_default, 0,
                        sizeof refused / sizeof *refused);
    tcase_add_test(tcase, a_second_value_names_the_line_of_the_first);
    tcase_add_test(tcase, a_refused_value_counts_as_the_first);
}

static void add_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, begin, end);
    add_value_tests(tcase);
    tcase_add_loop_test(tcase, the_nearest_key_has_at_most_a_third_of_its_letters_wrong, 0,
                        sizeof near / sizeof *near);
    tcase_add_test(tcase, an_endless_key_has_no_neighbour);
    tcase_add_loop_test(tcase, durations_are_whole_numbers_with_a_unit, 0,
                        sizeof durations / sizeof *durations);
    tcase_add_loop_test(tcase, sizes_are_whole_numbers_with_or_without_a_unit, 0,
                        sizeof sizes / sizeof *sizes);
    tcase_add_test(tcase, numbers_are_whole_and_decimal);
    tcase_add_test(tcase, switches_have_three_ways_to_say_each);
    tcase_add_test(tcase, what_is_written_is_read_back);
    tcase_add_test(tcase, choices_are_the_words_before_the_dash);
    tcase_add_test(tcase, every_kind_is_described);
    tcase_add_test(tcase, help_says_section_values_and_purpose);
    tcase_add_test(tcase, the_sample_sets_nothing);
    tcase_add_test(tcase, the_sample_without_its_marks_sets_every_key_to_its_default);
}

CHECK_MAIN("option", add_tests)
