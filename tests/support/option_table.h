/* SPDX-License-Identifier: Apache-2.0 */
/* A table with a key of every kind, and one options struct filled through it, for the tests of
 * options. */
#ifndef LB_TESTS_OPTION_TABLE_H
#define LB_TESTS_OPTION_TABLE_H

#include <string.h>

#include "lb/base/ini.h"
#include "lb/base/option.h"
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
    OPTION(PATHS_OR_WORDS, client_ca, "ca.crt", 0, 0,                                              \
           "FILE | builtin | registry | registry:NAME - CAs of clients")                           \
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
static inline void set(const char *key, const char *value)
{
    const struct ini_entry entry = {"listener", "web", 1, key, value, ++line};
    option_set(&table, &values, &entry, "lb.ini", "/etc/lb", &arena, &problems);
}

static inline void expect_no_problem(void)
{
    ck_assert_msg(problems.count == 0, "%s", problems.count > 0 ? problems.items[0].text : "");
}

static inline void expect_problem(const char *text)
{
    ck_assert_uint_eq(problems.count, 1);
    ck_assert_str_eq(problems.items[0].text, text);
    ck_assert_str_eq(problems.items[0].file, "lb.ini");
    ck_assert_uint_eq(problems.items[0].line, line);
    ck_assert(!problems.items[0].warning);
}

#endif
