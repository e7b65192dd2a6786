/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes of server_name extensions, good and bad. */
#include "listeners/tls/server_name.h"

#include <stdlib.h>
#include <string.h>

#include "tests/support/check_main.h"

/* Parsed from memory of exactly that size, so that a sanitizer sees every byte too many. */
static enum server_name parse(const void *bytes, size_t length, struct slice *name)
{
    unsigned char *exact = malloc(length ? length : 1);
    ck_assert_ptr_nonnull(exact);
    memcpy(exact, bytes, length);
    struct slice found = {NULL, 0};
    enum server_name result = server_name_parse(exact, length, &found);
    static char kept[300];
    if (result == SERVER_NAME_FOUND) {
        memcpy(kept, found.at, found.length);
        *name = (struct slice){kept, found.length};
    }
    free(exact);
    return result;
}

START_TEST(a_single_host_name_is_found)
{
    struct slice name;
    ck_assert_int_eq(parse("\x00\x08\x00\x00\x05"
                           "a.com",
                           10, &name),
                     SERVER_NAME_FOUND);
    ck_assert(slice_is(name, "a.com"));
}
END_TEST

START_TEST(every_length_up_to_255_is_fine_and_more_is_not)
{
    unsigned char bytes[5 + 300];
    struct slice name;
    memset(bytes, 'a', sizeof bytes);
    for (size_t length = 0; length <= 300; length++) {
        const unsigned char head[] = {(unsigned char)((length + 3) >> 8),
                                      (unsigned char)(length + 3), 0, (unsigned char)(length >> 8),
                                      (unsigned char)length};
        memcpy(bytes, head, sizeof head);
        bool good = length >= 1 && length <= 255;
        ck_assert_int_eq(parse(bytes, 5 + length, &name),
                         good ? SERVER_NAME_FOUND : SERVER_NAME_MALFORMED);
        ck_assert(!good || name.length == length);
    }
}
END_TEST

START_TEST(whatever_is_cut_off_is_malformed)
{
    static const char whole[] = "\x00\x08\x00\x00\x05"
                                "a.com";
    struct slice name;
    for (size_t length = 0; length < 10; length++)
        ck_assert_int_eq(parse(whole, length, &name), SERVER_NAME_MALFORMED);
}
END_TEST

START_TEST(what_two_readers_could_read_differently_is_malformed)
{
    static const struct {
        const char *bytes;
        size_t length;
    } cases[] = {
        {"\x00\x08\x00\x00\x05"
         "a.comX",
         11}, /* bytes behind the list */
        {"\x00\x09\x00\x00\x05"
         "a.comX",
         11}, /* bytes behind the name */
        {"\x00\x10\x00\x00\x05"
         "a.com\x00\x00\x05"
         "b.com",
         18}, /* two names */
        {"\x00\x10\x01\x00\x05"
         "a.com\x00\x00\x05"
         "b.com",
         18}, /* another type first */
        {"\x00\x08\x01\x00\x05"
         "a.com",
         10}, /* no host name */
        {"\x00\x08\x00\x00\x05"
         "a\0com",
         10}, /* NUL */
        {"\x00\x08\x00\x00\x06"
         "a.com",
         10},                        /* longer than what is there */
        {"\x00\x03\x00\x00\x00", 5}, /* empty */
        {"\x00\x00", 2},
    };
    struct slice name;
    ck_assert_int_eq(parse(cases[_i].bytes, cases[_i].length, &name), SERVER_NAME_MALFORMED);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, a_single_host_name_is_found);
    tcase_add_test(tcase, every_length_up_to_255_is_fine_and_more_is_not);
    tcase_add_test(tcase, whatever_is_cut_off_is_malformed);
    tcase_add_loop_test(tcase, what_two_readers_could_read_differently_is_malformed, 0, 9);
}

CHECK_MAIN("server_name", add_tests)
