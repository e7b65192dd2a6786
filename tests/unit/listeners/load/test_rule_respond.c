/* SPDX-License-Identifier: Apache-2.0 */
/* Which statuses and sentences a rule may respond with. */
#include "listeners/load/rule_respond.h"

#include <string.h>

#include "tests/support/check_main.h"

static struct arena arena;

static void begin(void)
{
    arena = (struct arena){0};
}

static void end(void)
{
    arena_done(&arena);
}

static const struct {
    const char *text;
    unsigned status;
    const char *sentence;
} good[] = {
    {"404", 404, NULL},
    {"200 ok", 200, "ok"},
    {"503   Back at noon", 503, "Back at noon"},
    {"410\tGone", 410, "Gone"},
    {"204", 204, NULL},
    {"599", 599, NULL},
    {"503 Zurück um zwölf", 503, "Zurück um zwölf"},
    {"200 503", 200, "503"},
};

START_TEST(a_status_and_perhaps_a_sentence_are_read)
{
    struct error err = {0};
    const struct respond *respond = rule_respond_parse(good[_i].text, &arena, &err);
    ck_assert_msg(respond, "%s", err.text);
    ck_assert_uint_eq(respond->status, good[_i].status);
    ck_assert_pstr_eq(respond->sentence, good[_i].sentence);
}
END_TEST

static const struct {
    const char *text, *says;
} bad[] = {
    {"gone", "does not begin with a status"},
    {"40", "does not begin with a status"},
    {"4040", "does not begin with a status"},
    {"404!", "does not begin with a status"},
    {"+404", "does not begin with a status"},
    {"301", "301 sends clients elsewhere; write \"redirect = URL\""},
    {"304", "304 sends clients elsewhere"},
    {"100", "100 is no status"},
    {"101", "101 is no status"},
    {"199", "199 is no status"},
    {"000", "0 is no status"},
    {"600", "600 is no status"},
    {"205", "205 is no status"},
    {"206 part", "206 is no status"},
    {"204 nothing", "204 has no body"},
};

START_TEST(what_lb_cannot_answer_is_refused)
{
    struct error err = {0};
    ck_assert_msg(!rule_respond_parse(bad[_i].text, &arena, &err), "%s is taken", bad[_i].text);
    ck_assert_msg(strstr(err.text, bad[_i].says), "%s: %s", bad[_i].text, err.text);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_loop_test(tcase, a_status_and_perhaps_a_sentence_are_read, 0,
                        sizeof good / sizeof *good);
    tcase_add_loop_test(tcase, what_lb_cannot_answer_is_refused, 0, sizeof bad / sizeof *bad);
}

CHECK_MAIN("rule respond", add_tests)
