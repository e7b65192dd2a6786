/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/commands/client_ids.h"

#include <string.h>

#include "tests/support/check_main.h"
#include "tests/support/folder.h"

static struct folder folder;
static struct client_ids ids;
static struct error err;

static void begin(void)
{
    folder_make(&folder);
}

static void end(void)
{
    client_ids_done(&ids);
    folder_remove(&folder);
}

static bool read_text(const char *text)
{
    folder_write(&folder, "ids.csv", text);
    return client_ids_read(&ids, folder_file(&folder, "ids.csv"), &err);
}

START_TEST(serials_are_the_same_however_they_are_written)
{
    ck_assert(read_text(
        "\xef\xbb\xbfserial,client id\r\n0a:1b,meter-7\r\n\r\n FF , \"a, \"\"b\"\" c\" \r\n"));
    ck_assert_uint_eq(ids.count, 2);
    ck_assert_uint_eq(client_ids_left(&ids), 2);
    ck_assert_str_eq(client_ids_take(&ids, "0A1B"), "meter-7");
    ck_assert_str_eq(client_ids_take(&ids, "00A1B"), "meter-7");
    ck_assert_uint_eq(client_ids_left(&ids), 1);
    ck_assert_str_eq(client_ids_take(&ids, "ff"), "a, \"b\" c");
    ck_assert_ptr_null(client_ids_take(&ids, "0A1C"));
    ck_assert_ptr_null(client_ids_take(&ids, "no serial"));
    ck_assert_uint_eq(client_ids_left(&ids), 0);
}
END_TEST

static const struct {
    const char *text;
    const char *says;
} wrong[] = {
    {"01,a\nxyz,b\n", ":2: write SERIAL,CLIENT-ID"},
    {"01\n", ":1: write SERIAL,CLIENT-ID"},
    {"01,\n", ":1: write SERIAL,CLIENT-ID"},
    {"01,\"a\n", ":1: write SERIAL,CLIENT-ID"},
    {"01,\"a\" b\n", ":1: write SERIAL,CLIENT-ID"},
    {"01,\xff\n", ":1: write SERIAL,CLIENT-ID"},
    {"01,a\n02,b\n0:1,c\n", "lines 1 and 3 name the same serial number 1"},
};

START_TEST(what_is_wrong_is_told_with_its_line)
{
    ck_assert(!read_text(wrong[_i].text));
    ck_assert_msg(strstr(err.text, wrong[_i].says), "%s", err.text);
}
END_TEST

START_TEST(no_file_is_told)
{
    ck_assert(!client_ids_read(&ids, folder_file(&folder, "none"), &err));
    ck_assert_ptr_nonnull(strstr(err.text, "No such file"));
    ck_assert_ptr_null(client_ids_take(&ids, "01"));
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, serials_are_the_same_however_they_are_written);
    tcase_add_loop_test(tcase, what_is_wrong_is_told_with_its_line, 0,
                        sizeof wrong / sizeof *wrong);
    tcase_add_test(tcase, no_file_is_told);
}

CHECK_MAIN("client ids", add_tests)
