/* SPDX-License-Identifier: Apache-2.0 */
/* The values of a query, read as the list of certificates does. */
#include "lb/admin/registry/call_query.h"

#include <string.h>

#include "lb/admin/registry/registry_call.h"
#include "tests/support/check_main.h"

static const char *const words[] = {"created", "serial", "cn", NULL};

static const char *const known[] = {"k", NULL};

static const struct call_steps steps = {.keys = known};
static const struct call_kind kind = {.steps = &steps};
static struct registry_call call;

static void begin(const char *query)
{
    call = (struct registry_call){.kind = &kind};
    ck_assert(registry_call_begin(&call, query));
}

static void end(void)
{
    registry_call_done(&call);
    call = (struct registry_call){.kind = &kind};
}

/* It was refused, and the text says this. */
static void expect_refused(const char *told)
{
    json_t *json = json_loadb(call.answer.bytes, call.answer.length, 0, NULL);
    const json_t *error = json_object_get(json, "error");
    const char *text = json_string_value(json_object_get(error, "text"));
    ck_assert_uint_eq(call.status, 400);
    ck_assert_str_eq(json_string_value(json_object_get(error, "reason")), "bad-input");
    ck_assert_msg(text && strstr(text, told), "%s", text);
    json_decref(json);
}

START_TEST(what_is_not_there_changes_nothing)
{
    const char *text = "as it was";
    int64_t number = 7, at_s = 8;
    unsigned choice = 2, bits = 5;
    bool is_said = true, is_on = true;
    begin("");
    ck_assert(query_text(&call, "k", 9, &text));
    ck_assert(query_number(&call, "k", 1, 9, &number));
    ck_assert(query_time(&call, "k", &at_s));
    ck_assert(query_choice(&call, "k", words, &choice));
    ck_assert(query_switch(&call, "k", &is_said, &is_on));
    ck_assert_str_eq(text, "as it was");
    ck_assert_int_eq(number, 7);
    ck_assert_int_eq(at_s, 8);
    ck_assert_uint_eq(choice, 2);
    ck_assert_uint_eq(bits, 5);
    ck_assert(!is_said && !is_on);
}
END_TEST

static const struct {
    const char *query;
    int64_t at_s; /* 0: refused */
} times[] = {
    {"k=2026-11-21T10:13:39Z", 1795256019},
    {"k=2026-11-21t10:13:39z", 1795256019},
    {"k=2026-11-21%2010:13:39Z", 1795256019},
    {"k=2026-11-21T10:13:39.987Z", 1795256019},
    {"k=2026-11-21T12:13:39+02:00", 1795256019},
    {"k=2026-11-21T04:43:39-05:30", 1795256019},
    {"k=2026-11-21", 1795219200},
    {"k=2024-02-29", 1709164800},
    {"k=9999-12-31T23:59:59Z", 253402300799},
    {"k", 0},
    {"k=", 0},
    {"k=soon", 0},
    {"k=2026-11-21T10:13:39", 0},
    {"k=2026-11-21T10:13Z", 0},
    {"k=2026-11-21T10:13:39.Z", 0},
    {"k=2026-11-21T10:13:39Zx", 0},
    {"k=2026-11-21T25:00:00Z", 0},
    {"k=2026-13-01", 0},
    {"k=2026-02-30", 0},
    {"k=2026-1-1", 0},
    {"k=1969-12-31", 0},
    {"k=1970-01-01", 0},
    {"k=10000-01-01", 0},
    {"k=-2026-01-01", 0},
};

START_TEST(times_are_rfc_3339_or_days)
{
    int64_t at_s = -1;
    begin(times[_i].query);
    bool good = query_time(&call, "k", &at_s);
    ck_assert_int_eq(good, times[_i].at_s != 0);
    if (good)
        ck_assert_int_eq(at_s, times[_i].at_s);
    else
        expect_refused("a time after 1970 as in 2026-11-21T10:13:39Z");
}
END_TEST

static const struct {
    const char *query;
    int64_t period_s; /* 0: refused */
} periods[] = {
    {"k", 77},
    {"k=", 77},
    {"k=30d", 2592000},
    {"k=12h", 43200},
    {"k=5m", 300},
    {"k=9S", 9},
    {"k=36500d", 36500LL * 86400},
    {"k=36501d", 0},
    {"k=0d", 0},
    {"k=30", 0},
    {"k=d", 0},
    {"k=-1d", 0},
    {"k=1.5d", 0},
    {"k=30days", 0},
    {"k=1w", 0},
    {"k=9999999999999d", 0},
};

START_TEST(periods_have_units)
{
    int64_t period_s = 0;
    bool is_said = false;
    begin(periods[_i].query);
    bool good = query_period(&call, "k", 77, &is_said, &period_s);
    ck_assert_int_eq(good, periods[_i].period_s != 0);
    ck_assert(is_said);
    if (good)
        ck_assert_int_eq(period_s, periods[_i].period_s);
    else
        expect_refused("as in 30d or 12h");
}
END_TEST

static const char *status_name(unsigned index)
{
    return certificate_status_name((enum certificate_status)index);
}

static const struct {
    const char *query;
    unsigned bits; /* 0: refused */
} sets[] = {
    {"k=ACTIVATED", 1},
    {"k=not_activated", 2},
    {"k=REVOKED,DELETED", 8 | 16},
    {"k=REVOKED,REVOKED", 8},
    {"k=activated,", 0},
    {"k=,", 0},
    {"k=", 0},
    {"k", 0},
    {"k=ACTIVE", 0},
    {"k=ACTIVATED,nothing", 0},
};

START_TEST(sets_are_words_between_commas)
{
    unsigned bits = 0;
    begin(sets[_i].query);
    ck_assert_int_eq(query_set(&call, "k", status_name, CERTIFICATE_STATUS_COUNT, &bits),
                     sets[_i].bits != 0);
    ck_assert_uint_eq(bits, sets[_i].bits);
    if (sets[_i].bits == 0)
        expect_refused("ACTIVATED, NOT_ACTIVATED, REGISTERED, REVOKED, DELETED");
}
END_TEST

START_TEST(a_choice_is_one_of_its_words)
{
    unsigned choice = 9;
    begin("k=CN");
    ck_assert(query_choice(&call, "k", words, &choice));
    ck_assert_uint_eq(choice, 2);
    end();
    begin("k=cnn");
    ck_assert(!query_choice(&call, "k", words, &choice));
    expect_refused("k: \"cnn\" is not possible: created, serial, cn");
    end();
    begin("k");
    ck_assert(!query_choice(&call, "k", words, &choice));
}
END_TEST

START_TEST(a_number_stays_within_its_range)
{
    int64_t number = 0;
    begin("k=1000");
    ck_assert(query_number(&call, "k", 1, 1000, &number));
    ck_assert_int_eq(number, 1000);
    end();
    begin("k=1001");
    ck_assert(!query_number(&call, "k", 1, 1000, &number));
    expect_refused("k: \"1001\" is not possible: a number, 1 to 1000");
    end();
    begin("k=ten");
    ck_assert(!query_number(&call, "k", 1, 1000, &number));
    end();
    begin("k");
    ck_assert(!query_number(&call, "k", 1, 1000, &number));
}
END_TEST

START_TEST(a_switch_may_stand_alone)
{
    bool is_said, is_on;
    begin("k");
    ck_assert(query_switch(&call, "k", &is_said, &is_on) && is_said && is_on);
    end();
    begin("k=no");
    ck_assert(query_switch(&call, "k", &is_said, &is_on) && is_said && !is_on);
    end();
    begin("k=maybe");
    ck_assert(!query_switch(&call, "k", &is_said, &is_on));
    expect_refused("yes or no");
}
END_TEST

START_TEST(a_text_is_bounded_and_not_empty)
{
    const char *text = NULL;
    begin("k=abc");
    ck_assert(query_text(&call, "k", 3, &text));
    ck_assert_str_eq(text, "abc");
    end();
    begin("k=abcd");
    ck_assert(!query_text(&call, "k", 3, &text));
    expect_refused("k has 4 bytes: at most 3");
    end();
    begin("k=");
    ck_assert(!query_text(&call, "k", 3, &text));
    expect_refused("k has no value");
}
END_TEST

START_TEST(unknown_keys_are_refused)
{
    call = (struct registry_call){.kind = &kind};
    ck_assert(!registry_call_begin(&call, "k=1&other=2"));
    expect_refused("the query has no key \"other\"");
    end();
    static const struct call_steps none = {0};
    static const struct call_kind takes_none = {.steps = &none};
    call = (struct registry_call){.kind = &takes_none};
    ck_assert(!registry_call_begin(&call, "k=1"));
    expect_refused("this call takes no query");
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, NULL, end);
    tcase_add_test(tcase, what_is_not_there_changes_nothing);
    tcase_add_loop_test(tcase, times_are_rfc_3339_or_days, 0, sizeof times / sizeof *times);
    tcase_add_loop_test(tcase, periods_have_units, 0, sizeof periods / sizeof *periods);
    tcase_add_loop_test(tcase, sets_are_words_between_commas, 0, sizeof sets / sizeof *sets);
    tcase_add_test(tcase, a_choice_is_one_of_its_words);
    tcase_add_test(tcase, a_number_stays_within_its_range);
    tcase_add_test(tcase, a_switch_may_stand_alone);
    tcase_add_test(tcase, a_text_is_bounded_and_not_empty);
    tcase_add_test(tcase, unknown_keys_are_refused);
}

CHECK_MAIN("call query", add_tests)
