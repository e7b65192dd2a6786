/* SPDX-License-Identifier: Apache-2.0 */
/* What is written of values that strangers chose. */
#include "lb/base/escape.h"

#include "tests/support/check_main.h"

static char room[4096];

static const char *escaped(struct slice value, const struct notation *notation, size_t most)
{
    struct draft draft = draft_in(room, sizeof room - 1);
    escape_put(&draft, value, notation, most);
    ck_assert(draft.fits);
    room[draft.used] = '\0';
    return room;
}

/* What is no ASCII needs escapes in combined lines, always. */
static bool is_written_as_it_is(struct slice value)
{
    struct draft draft = draft_in(room, sizeof room);
    escape_put(&draft, value, &notation_combined, sizeof room);
    ck_assert(draft.fits);
    return slice_equal((struct slice){room, draft.used}, value);
}

static bool is_plain(unsigned char byte)
{
    return byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\';
}

START_TEST(every_byte_at_every_place_of_every_length_is_seen)
{
    char text[40];
    for (size_t length = 1; length <= sizeof text; length++) {
        for (size_t at = 0; at < length; at++) {
            for (unsigned byte = 0; byte < 256; byte++) {
                memset(text, 'x', sizeof text);
                text[at] = (char)byte;
                bool is_same = is_written_as_it_is((struct slice){text, length});
                ck_assert_msg(is_same == is_plain((unsigned char)byte), "byte %02x at %zu of %zu",
                              byte, at, length);
            }
        }
    }
}
END_TEST

START_TEST(neighbours_do_not_hide_each_other)
{
    for (unsigned first = 0; first < 256; first++) {
        for (unsigned second = 0; second < 256; second++) {
            char text[] = {(char)first,  (char)second, 'x', (char)first,
                           (char)second, 'x',          'x', 'x'};
            bool plain = is_plain((unsigned char)first) && is_plain((unsigned char)second);
            ck_assert(is_written_as_it_is((struct slice){text, sizeof text}) == plain);
        }
    }
}
END_TEST

START_TEST(nothing_needs_no_escape)
{
    ck_assert_str_eq(escaped((struct slice){NULL, 0}, &notation_json, 10), "");
}
END_TEST

START_TEST(a_value_is_cut_before_what_does_not_fit_whole)
{
    ck_assert_str_eq(escaped(slice_of("abcdefghij"), &notation_json, 4), "abcd");
    ck_assert_str_eq(escaped(slice_of("abcdefghij"), &notation_json, 10), "abcdefghij");
    ck_assert_str_eq(escaped(slice_of("ab\"cd"), &notation_json, 7), "ab");
    ck_assert_str_eq(escaped(slice_of("ab\"cd"), &notation_json, 9), "ab\\u0022c");
    ck_assert_str_eq(escaped(slice_of("ab\"cd"), &notation_combined, 7), "ab\\x22c");
    ck_assert_str_eq(escaped(slice_of("a\xc3\xa9"), &notation_json, 2), "a");
    ck_assert_str_eq(escaped(slice_of("a\xc3\xa9"), &notation_json, 3), "a\xc3\xa9");
}
END_TEST

START_TEST(what_does_not_fit_is_not_written_past_the_end)
{
    for (size_t space = 0; space < 24; space++) {
        memset(room, '#', 64);
        struct draft draft = draft_in(room, space);
        escape_put(&draft, slice_of("twenty-four bytes of it!"), &notation_json, 100);
        ck_assert(!draft.fits);
        ck_assert_int_eq(room[space], '#');
    }
}
END_TEST

START_TEST(a_quoted_value_has_what_stands_before_it_and_its_end)
{
    struct draft draft = draft_in(room, sizeof room - 1);
    escape_put_quoted(&draft, slice_of(",\"a\":\""), slice_of("x\"y"), &notation_json, 100);
    escape_put_quoted(&draft, slice_of(" \""), slice_of("plain"), &notation_json, 100);
    room[draft.used] = '\0';
    ck_assert_str_eq(room, ",\"a\":\"x\\u0022y\" \"plain\"");
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, every_byte_at_every_place_of_every_length_is_seen);
    tcase_add_test(tcase, neighbours_do_not_hide_each_other);
    tcase_add_test(tcase, nothing_needs_no_escape);
    tcase_add_test(tcase, what_does_not_fit_is_not_written_past_the_end);
    tcase_add_test(tcase, a_quoted_value_has_what_stands_before_it_and_its_end);
    tcase_add_test(tcase, a_value_is_cut_before_what_does_not_fit_whole);
}

CHECK_MAIN("escape", add_tests)
