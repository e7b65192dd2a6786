/* SPDX-License-Identifier: Apache-2.0 */
/* Which certificates the log is told of, and when. The clock is the test's. */
#include "lb/server/expiry_watch.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lb/base/log.h"
#include "lb/config/config.h"
#include "tests/support/certificates.h"
#include "tests/support/check_main.h"
#include "tests/support/folder.h"
#include "tests/support/text.h"

enum { DAY_S = EXPIRY_DAY_S, NOW_S = 1700000000 };

/* How far away the end is: when somebody looked last (0: never), and now. Is it told? */
static const struct {
    int64_t before_s, now_s;
    bool is_due;
} looks[] = {
    {0, 31 * DAY_S, false},
    {0, 30 * DAY_S, true},
    {0, 3, true},
    {0, -5 * DAY_S, true},
    {32 * DAY_S, 31 * DAY_S, false},
    {30 * DAY_S + 1, 30 * DAY_S, true},
    {30 * DAY_S, 30 * DAY_S - 60, false},
    {20 * DAY_S, 10 * DAY_S, false},
    {7 * DAY_S + 60, 7 * DAY_S, true},
    {7 * DAY_S, 7 * DAY_S - 1, true},
    {7 * DAY_S - 1, 7 * DAY_S - 60, false},
    {7 * DAY_S - 60, 6 * DAY_S - 60, true},
    {DAY_S + 30, DAY_S - 30, true},
    {DAY_S - 30, DAY_S - 90, false},
    {30, -30, true},
    {-30, -90, false},
    {-30, -30 - DAY_S, true},
    {40 * DAY_S, -DAY_S, true},
    {5, 10 * DAY_S, false}, /* the clock was set back */
};

START_TEST(it_is_told_30_7_and_1_days_before_and_daily_in_the_last_week)
{
    int64_t end_s = NOW_S + looks[_i].now_s;
    int64_t before_s = looks[_i].before_s ? end_s - looks[_i].before_s : 0;
    ck_assert_int_eq(expiry_is_due(end_s, before_s, NOW_S), looks[_i].is_due);
}
END_TEST

/* --- a config ------------------------------------------------------------------------------- */

static const char ini[] =
    "[listener web]\naddress = 127.0.0.1:18443\nsni = on\n\n"
    "[rule www]\nlistener = web\ndomain = www.example.com\nrespond = 204\n"
    "certificate = soon.crt\ncertificate_key = soon.key\nmutual_auth = require\n"
    "client_ca = old-ca.crt\nclient_ca = new-ca.crt\n\n"
    "[rule api]\nlistener = web\ndomain = api.example.com\nrespond = 204\n"
    "certificate = late.crt\ncertificate_key = late.key\nmutual_auth = require\n"
    "client_ca = old-ca.crt\n";

static struct folder folder;
static struct config *config;
static struct expiry_watch watch;
static time_t began_s;

static void write_one(const char *name, bool is_ca, int64_t until_s)
{
    struct made *made =
        made_certificate(&(struct certificate_wish){.name = name, .ca = is_ca, .until_s = until_s});
    made_write(made, folder.path, name);
    made_free(made);
}

static void begin(void)
{
    struct error err = {""};
    struct problems problems = {0};
    began_s = time(NULL);
    watch = (struct expiry_watch){0};
    folder_make(&folder);
    ck_assert(log_open(folder_file(&folder, "log"), LOG_LEVEL_INFO, &err));
    write_one("soon", false, 10 * DAY_S);
    write_one("late", false, 200 * DAY_S);
    write_one("old-ca", true, 20 * DAY_S);
    write_one("new-ca", true, 2000 * (int64_t)DAY_S);
    folder_write(&folder, "lb.ini", ini);
    config = config_load(folder_file(&folder, "lb.ini"), &problems);
    ck_assert_msg(config, "%s", problems.count ? problems.items[0].text : "");
    problems_done(&problems);
}

static void end(void)
{
    config_free(config);
    log_close();
    folder_remove(&folder);
}

/* Lines of the log with this text, which is closed for it. */
static unsigned lines_with(const char *word)
{
    unsigned count = 0;
    log_close();
    char *text = folder_read(&folder, "log");
    for (const char *at = strstr(text, word); at; at = strstr(at + 1, word))
        count++;
    free(text);
    return count;
}

START_TEST(each_certificate_that_ends_is_told_once_with_its_name)
{
    ck_assert_uint_eq(expiry_watch_look(&watch, config, began_s + 60), 2);
    ck_assert_uint_eq(expiry_watch_look(&watch, config, began_s + 120), 0);
    ck_assert_uint_eq(lines_with("certificate.expires listener=web file="), 1);
    ck_assert_uint_eq(lines_with("subject=\"CN=soon\""), 1);
    ck_assert_uint_eq(lines_with("it expires in 9 days"), 1);
    ck_assert_uint_eq(lines_with("client-ca.expires listener=web subject=\"CN=old-ca\""), 1);
    ck_assert_uint_eq(lines_with("it expires in 19 days"), 1);
}
END_TEST

START_TEST(days_are_told_as_they_pass)
{
    unsigned told = 0;
    /* Minute by minute would be the same: what counts is what was crossed since the last look. */
    for (int64_t day = 0; day <= 21; day++)
        told += expiry_watch_look(&watch, config, began_s + day * DAY_S + 60);
    /* soon: at first, and 7 … 0 days before (6 … -1 whole ones), then daily to day 21: 1 + 19.
     * old-ca: at first, on days 13 … 21. */
    ck_assert_uint_eq(told, 1 + 19 + 1 + 9);
    ck_assert_uint_eq(lines_with("CN=new-ca"), 0);
    ck_assert_uint_eq(lines_with("CN=late"), 0);
    ck_assert_uint_eq(lines_with("it expires within a day"), 2);
    ck_assert_uint_ge(lines_with("it has expired"), 10);
}
END_TEST

START_TEST(another_config_is_told_of_anew)
{
    ck_assert_uint_eq(expiry_watch_look(&watch, config, began_s + 60), 2);
    expiry_watch_forget(&watch);
    ck_assert_uint_eq(expiry_watch_look(&watch, config, began_s + 120), 2);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_loop_test(tcase, it_is_told_30_7_and_1_days_before_and_daily_in_the_last_week, 0,
                        sizeof looks / sizeof looks[0]);
    tcase_add_test(tcase, each_certificate_that_ends_is_told_once_with_its_name);
    tcase_add_test(tcase, days_are_told_as_they_pass);
    tcase_add_test(tcase, another_config_is_told_of_anew);
}

CHECK_MAIN("expiry watch", add_tests)
