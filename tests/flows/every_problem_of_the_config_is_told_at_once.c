/* SPDX-License-Identifier: Apache-2.0 */
/* lb check and lb run with files that are wrong: every problem at once, each with file:line and
 * what would be right. */
#include <stdlib.h>
#include <string.h>

#include "lb/base/limits.h"
#include "tests/support/cast.h"
#include "tests/support/check_main.h"
#include "tests/support/eventually.h"
#include "tests/support/process.h"

static const char good[] =
    "[listener web]\naddress = 127.0.0.1:@web\ncertificate = server.crt\n"
    "certificate_key = server.key\nmutual_auth = require\nclient_ca = ca.crt\n\n"
    "[rule all]\nlistener = web\npool = app\n\n"
    "[pool app]\nbackend = rs-1 127.0.0.1:@rs-1\n";

static void prepare(struct scene *scene)
{
    scene_begin(scene);
    cast_write(scene);
}

START_TEST(a_good_file_passes)
{
    struct scene scene;
    struct text said = {0};
    prepare(&scene);
    int status = scene_check(&scene, good, &said);
    ck_assert_msg(status == 0, "%d: %s", status, said.bytes);
    text_done(&said);
    scene_end(&scene);
}
END_TEST

/* What follows relies on the line numbers at the right. */
static const char bad[] = "[lb]\n"                                     /* 1 */
                          "workers = many\n"                           /* 2 */
                          "log_levle = info\n"                         /* 3 */
                          "[listener web]\n"                           /* 4 */
                          "address = 127.0.0.1:99999\n"                /* 5 */
                          "certificate = missing.crt\n"                /* 6 */
                          "certificate_key = server.key\n"             /* 7 */
                          "mutual_auth = perhaps\n"                    /* 8 */
                          "session_timeout = soon\n"                   /* 9 */
                          "[rule all]\n"                               /* 10 */
                          "listener = wbe\n"                           /* 11 */
                          "pool = ap\n"                                /* 12 */
                          "[pool app]\n"                               /* 13 */
                          "backend = rs-1 127.0.0.1:8081 weight=500\n" /* 14 */
                          "balance = round-robbin\n"                   /* 15 */
                          "[poool other]\n"                            /* 16 */
                          "backend = rs-1 127.0.0.1:8081\n";           /* 17 */

/* The line of the problem and words that must stand in it. */
static const struct {
    unsigned line;
    const char *words[3];
} wanted[] = {
    {2, {"workers", "many", NULL}},
    {3, {"log_levle", "log_level", NULL}},
    {5, {"99999", NULL}},
    {6, {"missing.crt", NULL}},
    {8, {"perhaps", "require", NULL}},
    {9, {"soon", "session_timeout", NULL}},
    {11, {"wbe", "web", NULL}},
    {12, {"ap", NULL}},
    {14, {"500", "100", NULL}},
    {15, {"round-robbin", "round-robin", NULL}},
    {16, {"poool", NULL}},
};

static void expect_problem(const char *said, const char *file, unsigned line,
                           const char *const *words)
{
    char place[256];
    snprintf(place, sizeof place, "%s:%u: ", file, line);
    const char *at = strstr(said, place);
    ck_assert_msg(at != NULL, "nothing is said of line %u: %s", line, said);
    char *problem = strndup(at, strcspn(at, "\n"));
    for (; *words != NULL; words++)
        ck_assert_msg(strstr(problem, *words) != NULL, "'%s' is missing in: %s", *words, problem);
    free(problem);
}

START_TEST(every_problem_has_its_line_and_says_what_would_be_right)
{
    struct scene scene;
    struct text said = {0};
    prepare(&scene);
    ck_assert_int_eq(scene_check(&scene, bad, &said), 1);
    for (unsigned i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
        expect_problem(said.bytes, folder_file(&scene.folder, "lb.ini"), wanted[i].line,
                       wanted[i].words);
    text_done(&said);
    scene_end(&scene);
}
END_TEST

START_TEST(run_refuses_such_a_file_with_the_same_words)
{
    struct scene scene;
    struct text checked = {0};
    struct text ran = {0};
    prepare(&scene);
    ck_assert_int_eq(scene_check(&scene, bad, &checked), 1);
    const char *argv[] = {process_lb(), "run", "-c", folder_file(&scene.folder, "lb.ini"), NULL};
    ck_assert_int_eq(process_run(argv, &ran), 1);
    ck_assert_ptr_nonnull(strstr(ran.bytes, "lb.ini:2: "));
    ck_assert_ptr_nonnull(strstr(ran.bytes, "lb.ini:16: "));
    text_done(&checked);
    text_done(&ran);
    scene_end(&scene);
}
END_TEST

/* Where the log goes to stderr itself, and where it goes to a file: there, the words for people are
 * on stderr as well. */
static const struct {
    const char *log;
    unsigned times;
} logs[] = {{"stderr", 1}, {"lb.log", 2}};

START_TEST(a_warning_is_logged_at_the_start_as_at_a_reload)
{
    struct scene scene;
    char ini[512];
    snprintf(ini, sizeof ini,
             "[lb]\nworkers = 1\naccess_log = off\nlog = %s\n\n[listener web]\nprotocol = http\n"
             "address = 127.0.0.1:@web\n\n[rule all]\nlistener = web\nrespond = 204\n\n"
             "[pool spare]\nbackend = rs-1 127.0.0.1:@rs-1\n",
             logs[_i].log);
    prepare(&scene);
    scene_start(&scene, ini);
    char *log = scene_log(&scene);
    ck_assert_msg(text_count(log, "pool spare is used by no rule") == logs[_i].times, "%s", log);
    char *logged = strstr(log, " warn config.problem ");
    ck_assert_msg(logged && strstr(logged, "lb.ini line=14 problem=\"pool spare "), "%s", log);
    ck_assert(scene_reload(&scene, ini));
    free(log);
    log = scene_log(&scene);
    ck_assert_msg(text_count(log, " warn config.problem ") == 2, "%s", log);
    free(log);
    scene_end(&scene);
}
END_TEST

/* One thing wrong each; what is said must have the word. */
/* clang-format off */
static const struct {
    const char *ini;
    const char *word;
} singles[] = {
    {"", "listener"},
    {"[listener web]\naddress = 127.0.0.1:@web\n[rule a]\nlistener = web\npool = p\n[pool p]\nbackend = r 127.0.0.1:1\n", "certificate"},
    {"[listener web]\naddress = 127.0.0.1:@web\ncertificate = server.crt\n[rule a]\nlistener = web\npool = p\n[pool p]\nbackend = r 127.0.0.1:1\n", "certificate_key"},
    {"[listener web]\naddress = 127.0.0.1:@web\ncertificate = server.crt\ncertificate_key = alice.key\n[rule a]\nlistener = web\npool = p\n[pool p]\nbackend = r 127.0.0.1:1\n", "alice.key"},
    {"[listener web]\naddress = 127.0.0.1:@web\ncertificate = server.crt\ncertificate_key = server.key\nmutual_auth = require\n[rule a]\nlistener = web\npool = p\n[pool p]\nbackend = r 127.0.0.1:1\n", "client_ca"},
    {"[listener web]\naddress = 127.0.0.1:@web\ncertificate = server.crt\ncertificate_key = server.key\nmutual_auth = require\nclient_ca = alice.crt\n[rule a]\nlistener = web\npool = p\n[pool p]\nbackend = r 127.0.0.1:1\n", "alice.crt"},
    {"[listener web]\naddress = 127.0.0.1:@web\nprotocol = http\nmutual_auth = require\nclient_ca = ca.crt\n[rule a]\nlistener = web\npool = p\n[pool p]\nbackend = r 127.0.0.1:1\n", "http"},
    {"[listener web]\naddress = 127.0.0.1:@web\nprotocol = http\n[rule a]\nlistener = web\npool = p\n[pool p]\n", "backend"},
    {"[listener web]\naddress = 127.0.0.1:@web\nprotocol = http\n[pool p]\nbackend = r 127.0.0.1:1\n", "rule"},
    {"[listener web]\naddress = 127.0.0.1:@web\nprotocol = http\n[rule a]\nlistener = web\npool = p\n[rule b]\nlistener = web\npool = p\n[pool p]\nbackend = r 127.0.0.1:1\n", "rule"},
    {"[listener web]\naddress = 127.0.0.1:@web\nprotocol = http\n[rule a]\nlistener = web\npool = p\n[pool p]\nbackend = r 127.0.0.1:1\nbackend = r 127.0.0.1:2\n", "r"},
    {"[listener web]\naddress = 127.0.0.1:@web\nprotocol = http\n[rule a]\nlistener = web\npool = p\ndomain = a.example\ndefault = yes\n[rule b]\nlistener = web\npool = p\ndomain = b.example\ndefault = yes\n[pool p]\nbackend = r 127.0.0.1:1\n", "default"},
    {"[listener web]\naddress = 127.0.0.1:@web\nprotocol = http\n[rule a]\nlistener = web\npool = p\n[pool p]\nbackend = r 127.0.0.1:1\nhealth_check_interval = 1s\nhealth_check_timeout = 2s\n", "health_check_timeout"},
    {"[listener web]\naddress = 127.0.0.1:@web\nciphers = NONSENSE\ncertificate = server.crt\ncertificate_key = server.key\n[rule a]\nlistener = web\npool = p\n[pool p]\nbackend = r 127.0.0.1:1\n", "NONSENSE"},
    {"[listener web]\naddress = 127.0.0.1:@web\ncertificate = server.crt\ncertificate_key = server.key\n[rule a]\nlistener = web\npool = p\nmutual_auth = require\nclient_ca = ca.crt\nrefuse_with = alert\n[rule b]\nlistener = web\nurl = /b\npool = p\n[pool p]\nbackend = r 127.0.0.1:1\n", "alert"},
    {"[listener web]\naddress = 127.0.0.1:@web\nprotocol = http\nprotocol = http\n[rule a]\nlistener = web\npool = p\n[pool p]\nbackend = r 127.0.0.1:1\n", "protocol"},
    {"[listener web]\naddress = 127.0.0.1:@web\n[listener web]\naddress = 127.0.0.1:@two\n", "web"},
    {"no section = here\n", "section"},
};
/* clang-format on */
enum { SINGLE_COUNT = sizeof singles / sizeof singles[0] };

START_TEST(each_kind_of_mistake_is_named_with_its_line)
{
    struct scene scene;
    struct text said = {0};
    prepare(&scene);
    int status = scene_check(&scene, singles[_i].ini, &said);
    ck_assert_msg(status == 1, "ends with %d: %s", status, said.bytes);
    ck_assert_msg(strstr(said.bytes, singles[_i].word) != NULL, "'%s' is missing in: %s",
                  singles[_i].word, said.bytes);
    ck_assert_msg(strstr(said.bytes, "lb.ini:") != NULL, "%s", said.bytes);
    text_done(&said);
    scene_end(&scene);
}
END_TEST

START_TEST(a_line_that_is_too_long_is_an_error_and_never_cut)
{
    struct scene scene;
    struct text ini = {0};
    struct text said = {0};
    prepare(&scene);
    text_add_format(&ini, "%s; ", good);
    for (unsigned i = 0; i < INI_LINE_BYTES; i++)
        text_add_format(&ini, "x");
    text_add_format(&ini, "\n");
    int status = scene_check(&scene, ini.bytes, &said);
    ck_assert_msg(status == 1 &&
                      strstr(said.bytes, "characters long; at most 2000 are read") != NULL,
                  "%d: %s", status, said.bytes);
    text_done(&ini);
    text_done(&said);
    scene_end(&scene);
}
END_TEST

static int run_lb(struct text *said, const char *first, const char *second, const char *third)
{
    const char *argv[] = {process_lb(), first, second, third, NULL};
    return process_run(argv, said);
}

START_TEST(a_file_that_is_not_there_is_said_so)
{
    struct text said = {0};
    ck_assert_int_eq(run_lb(&said, "check", "-c", "/nowhere/lb.ini"), 1);
    ck_assert_ptr_nonnull(strstr(said.bytes, "/nowhere/lb.ini"));
    text_done(&said);
}
END_TEST

START_TEST(wrong_usage_ends_with_2_and_says_what_is_right)
{
    static const char *const wrong[][3] = {
        {"rnu", NULL, NULL},   {"run", NULL, NULL}, {"run", "-x", NULL},
        {"check", "-c", NULL}, {NULL, NULL, NULL},  {"demo-backend", "rs-1", NULL},
    };
    for (unsigned i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct text said = {0};
        int status = run_lb(&said, wrong[i][0], wrong[i][1], wrong[i][2]);
        ck_assert_msg(status == 2, "%s %s: %d %s", wrong[i][0], wrong[i][1], status, said.bytes);
        ck_assert_uint_gt(said.length, 0);
        text_done(&said);
    }
}
END_TEST

START_TEST(help_knows_every_section_and_key)
{
    static const char *const words[] = {"lb",          "listener",       "rule",          "pool",
                                        "mutual_auth", "client_ca",      "backend",       "balance",
                                        "sni",         "answer_timeout", "drain_timeout", "domain"};
    for (unsigned i = 0; i < sizeof words / sizeof words[0]; i++) {
        struct text said = {0};
        ck_assert_int_eq(run_lb(&said, "help", words[i], NULL), 0);
        ck_assert_ptr_nonnull(strstr(said.bytes, words[i]));
        text_done(&said);
    }
    struct text said = {0};
    ck_assert_int_ne(run_lb(&said, "help", "mutual_aut", NULL), 0);
    ck_assert_ptr_nonnull(strstr(said.bytes, "mutual_auth"));
    text_done(&said);
}
END_TEST

START_TEST(version_names_the_libraries)
{
    struct text said = {0};
    ck_assert_int_eq(run_lb(&said, "--version", NULL, NULL), 0);
    ck_assert_ptr_nonnull(strstr(said.bytes, "OpenSSL"));
    ck_assert_ptr_nonnull(strstr(said.bytes, "libuv"));
    ck_assert_ptr_nonnull(strstr(said.bytes, "inih"));
    text_done(&said);
}
END_TEST

START_TEST(an_address_that_is_not_ours_ends_run_with_a_clear_word)
{
    struct scene scene;
    struct text said = {0};
    prepare(&scene);
    const char *foreign = "[listener web]\naddress = 192.0.2.1:@web\nprotocol = http\n"
                          "[rule a]\nlistener = web\npool = p\n[pool p]\nbackend = r 127.0.0.1:1\n";
    scene_write_ini(&scene, "lb.ini", foreign);
    ck_assert_int_eq(run_lb(&said, "run", "-c", folder_file(&scene.folder, "lb.ini")), 1);
    ck_assert_ptr_nonnull(strstr(said.bytes, "192.0.2.1"));
    text_done(&said);
    scene_end(&scene);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, a_good_file_passes);
    tcase_add_test(tcase, every_problem_has_its_line_and_says_what_would_be_right);
    tcase_add_test(tcase, run_refuses_such_a_file_with_the_same_words);
    tcase_add_loop_test(tcase, a_warning_is_logged_at_the_start_as_at_a_reload, 0,
                        sizeof logs / sizeof *logs);
    tcase_add_loop_test(tcase, each_kind_of_mistake_is_named_with_its_line, 0, SINGLE_COUNT);
    tcase_add_test(tcase, a_line_that_is_too_long_is_an_error_and_never_cut);
    tcase_add_test(tcase, a_file_that_is_not_there_is_said_so);
    tcase_add_test(tcase, wrong_usage_ends_with_2_and_says_what_is_right);
    tcase_add_test(tcase, help_knows_every_section_and_key);
    tcase_add_test(tcase, version_names_the_libraries);
    tcase_add_test(tcase, an_address_that_is_not_ours_ends_run_with_a_clear_word);
}

CHECK_MAIN("every problem of the config is told at once", add_tests)
