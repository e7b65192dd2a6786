/* SPDX-License-Identifier: Apache-2.0 */
/* Each question is read from the index it names, and goes to the table only where it must: what
 * SQLite says of its plans. */
#include <stdio.h>
#include <string.h>

#include "listeners/registry/sqlite/ledger.h"
#include "listeners/registry/sqlite/search.h"
#include "tests/support/check_main.h"
#include "tests/support/store_stage.h"

static struct store_stage stage;
static struct search search;

static void begin(const struct certificate_filter *filter)
{
    store_stage_begin(&stage, &store_sqlite);
    store_expect(search_init(&search, (struct sqlite_ledger *)stage.ledger, filter, &stage.err),
                 STORE_DONE, &stage.err);
}

static void end(void)
{
    search_done(&search);
    store_stage_end(&stage);
}

static void plan(const char *question, char *into, size_t room)
{
    char text[SEARCH_QUESTION_BYTES + 32];
    size_t used = 0;
    snprintf(text, sizeof text, "EXPLAIN QUERY PLAN %s", question);
    struct call call = call_text_begin((struct sqlite_ledger *)stage.ledger, text);
    search_bind(&search, &call, 51);
    *into = '\0';
    while (call_row(&call))
        used += (size_t)snprintf(into + used, room - used, "%s; ", call_get_text(&call, 3));
    store_expect(call_end(&call, &stage.err), STORE_DONE, &stage.err);
}

static void expect_page(enum search_way way, const char *expected)
{
    char question[SEARCH_QUESTION_BYTES], found[1024];
    search_write_page(&search, way, question);
    plan(question, found, sizeof found);
    ck_assert_msg(strcmp(found, expected) == 0, "%s\nis read by\n%s\nand not by\n%s", question,
                  found, expected);
}

static void expect_count(enum search_way way, const char *expected)
{
    char question[SEARCH_QUESTION_BYTES], found[1024];
    search_write_count(&search, way, question);
    plan(question, found, sizeof found);
    ck_assert_str_eq(found, expected);
}

static const char *const index_of_order[] = {"created",   "serial",     "common_name", "unit",
                                             "client_id", "not_before", "not_after",   "updated"};

/* Nothing is sorted, and only what the index of serials does not hold is read from the table. */
START_TEST(each_order_is_read_as_it_stands)
{
    char expected[128];
    struct certificate_filter filter = {.limit = 50,
                                        .order = (enum certificate_order)(_i / 2),
                                        .descending = _i % 2,
                                        .sources = 1,
                                        .statuses = 1};
    bool is_serial = filter.order == ORDER_SERIAL;
    begin(&filter);
    snprintf(expected, sizeof expected, "SCAN certificate USING %sINDEX certificate_by_%s; ",
             is_serial ? "" : "COVERING ", index_of_order[_i / 2]);
    expect_page(WAY_ORDER, expected);
    end();
}
END_TEST

START_TEST(each_next_page_begins_where_the_last_one_ended)
{
    static const char *const columns[] = {"created_ms", "serial",       "common_name", "unit",
                                          "client_id",  "not_before_s", "not_after_s", "revision"};
    char expected[160];
    enum certificate_order order = (enum certificate_order)(_i / 2);
    bool is_text = order >= ORDER_SERIAL && order <= ORDER_CLIENT_ID;
    char after[32];
    snprintf(after, sizeof after, "%d%c.7.%s", (int)order, _i % 2 ? 'd' : 'a',
             is_text ? "414243" : "17");
    struct certificate_filter filter = {
        .limit = 50, .order = order, .descending = _i % 2, .after = after};
    begin(&filter);
    snprintf(expected, sizeof expected,
             "SEARCH certificate USING COVERING INDEX certificate_by_%s (%s%s?); ",
             index_of_order[order], columns[order], _i % 2 ? "<" : ">");
    expect_page(WAY_ORDER, expected);
    end();
}
END_TEST

START_TEST(numbers_and_whole_units_are_told_by_every_index)
{
    struct certificate_filter filter = {.limit = 50,
                                        .order = ORDER_COMMON_NAME,
                                        .statuses = 1,
                                        .sources = 2,
                                        .not_before_from_s = 1,
                                        .not_before_to_s = 2,
                                        .not_after_from_s = 3,
                                        .not_after_to_s = 4};
    begin(&filter);
    expect_page(WAY_ORDER, "SCAN certificate USING COVERING INDEX certificate_by_common_name; ");
    expect_page(WAY_ALL, "SCAN certificate USING INDEX certificate_by_created; "
                         "USE TEMP B-TREE FOR ORDER BY; ");
    expect_page(WAY_NOT_AFTER, "SEARCH certificate USING INDEX certificate_by_not_after "
                               "(not_after_s>? AND not_after_s<?); "
                               "USE TEMP B-TREE FOR ORDER BY; ");
    expect_count(WAY_ALL, "SCAN certificate USING COVERING INDEX certificate_by_created; ");
    expect_count(WAY_NOT_BEFORE, "SEARCH certificate USING COVERING INDEX certificate_by_not_before"
                                 " (not_before_s>? AND not_before_s<?); ");
    end();
}
END_TEST

START_TEST(texts_are_found_by_their_own_index)
{
    struct certificate_filter filter = {.limit = 50,
                                        .order = ORDER_NOT_AFTER,
                                        .serial = "0a",
                                        .common_name = "sn*",
                                        .client_id = "*x*",
                                        .unit = "Fleet A"};
    begin(&filter);
    expect_page(WAY_SERIAL, "SEARCH certificate USING INDEX certificate_by_serial (serial=?); "
                            "USE TEMP B-TREE FOR ORDER BY; ");
    expect_page(WAY_COMMON_NAME, "SEARCH certificate USING INDEX certificate_by_common_name "
                                 "(common_name>? AND common_name<?); "
                                 "USE TEMP B-TREE FOR ORDER BY; ");
    expect_page(WAY_UNIT, "SEARCH certificate USING INDEX certificate_by_unit (unit=?); "
                          "USE TEMP B-TREE FOR ORDER BY; ");
    expect_page(WAY_CLIENT_ID, "SCAN certificate USING INDEX certificate_by_client_id; "
                               "USE TEMP B-TREE FOR ORDER BY; ");
    end();
}
END_TEST

START_TEST(a_text_alone_needs_no_row_of_the_table)
{
    struct certificate_filter filter = {
        .limit = 50, .order = ORDER_NOT_AFTER, .common_name = "*sn*", .statuses = 10};
    begin(&filter);
    expect_page(WAY_COMMON_NAME, "SCAN certificate USING COVERING INDEX "
                                 "certificate_by_common_name; USE TEMP B-TREE FOR ORDER BY; ");
    expect_count(WAY_COMMON_NAME,
                 "SCAN certificate USING COVERING INDEX certificate_by_common_name; ");
    expect_page(WAY_STATUS, "SEARCH certificate USING INDEX certificate_by_odd_status (status=?); "
                            "USE TEMP B-TREE FOR ORDER BY; ");
    end();
}
END_TEST

START_TEST(a_beginning_goes_on_from_the_cursor_and_not_from_its_first)
{
    struct certificate_filter filter = {
        .limit = 50, .order = ORDER_COMMON_NAME, .common_name = "sn*", .after = "2a.7.534e35"};
    char question[SEARCH_QUESTION_BYTES];
    begin(&filter);
    search_write_page(&search, WAY_ORDER, question);
    ck_assert_ptr_nonnull(strstr(question, " AND +common_name >= "));
    ck_assert_ptr_nonnull(strstr(question, " AND common_name < "));
    expect_page(WAY_ORDER, "SEARCH certificate USING COVERING INDEX certificate_by_common_name "
                           "(common_name>? AND common_name<?); ");
    end();
}
END_TEST

START_TEST(what_has_one_value_goes_on_by_its_ids)
{
    struct certificate_filter filter = {.limit = 50,
                                        .order = ORDER_COMMON_NAME,
                                        .common_name = "device",
                                        .after = "2a.7.646576696365"};
    begin(&filter);
    expect_page(WAY_ORDER, "SEARCH certificate USING COVERING INDEX certificate_by_common_name "
                           "(common_name=? AND id>?); ");
    end();
}
END_TEST

START_TEST(the_longest_question_fits)
{
    struct certificate_filter filter = {.limit = 50,
                                        .order = ORDER_COMMON_NAME,
                                        .descending = true,
                                        .serial = "*0*",
                                        .common_name = "sn*",
                                        .client_id = "*x*",
                                        .unit = "Fleet A",
                                        .statuses = 30,
                                        .sources = 15,
                                        .not_before_from_s = 1,
                                        .not_before_to_s = 2,
                                        .not_after_from_s = 3,
                                        .not_after_to_s = 4,
                                        .after = "2d.7.534e35"};
    begin(&filter);
    for (enum search_way way = 0; way < WAY_COUNT; way++) {
        char question[SEARCH_QUESTION_BYTES];
        search_write_page(&search, way, question);
        ck_assert_uint_lt(strlen(question), SEARCH_QUESTION_BYTES * 2 / 3);
        ck_assert_ptr_nonnull(strstr(question, " LIMIT ?"));
    }
    end();
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, each_order_is_read_as_it_stands, 0, 16);
    tcase_add_loop_test(tcase, each_next_page_begins_where_the_last_one_ended, 0, 16);
    tcase_add_test(tcase, numbers_and_whole_units_are_told_by_every_index);
    tcase_add_test(tcase, texts_are_found_by_their_own_index);
    tcase_add_test(tcase, a_text_alone_needs_no_row_of_the_table);
    tcase_add_test(tcase, a_beginning_goes_on_from_the_cursor_and_not_from_its_first);
    tcase_add_test(tcase, what_has_one_value_goes_on_by_its_ids);
    tcase_add_test(tcase, the_longest_question_fits);
}

CHECK_MAIN("question", add_tests)
