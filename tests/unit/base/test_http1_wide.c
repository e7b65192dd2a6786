/* SPDX-License-Identifier: Apache-2.0 */
/* What is told of many bytes at once is what each of them alone would be told. */
#include "lb/base/http1_wide.h"

#include "lb/base/http1_scan.h"
#include "tests/support/check_main.h"

static bool is_alphanumeric(int byte)
{
    return (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= 'a' && byte <= 'z');
}

START_TEST(a_name_stops_at_the_first_byte_that_is_no_letter_digit_or_dash)
{
    for (int byte = 0; byte < 256; byte++) {
        for (unsigned at = 0; at < WIDE_BYTES; at++) {
            char bytes[WIDE_BYTES];
            memset(bytes, 'x', sizeof bytes);
            bytes[at] = (char)byte;
            unsigned taken = wide_name_bytes(bytes);
            bool stays = is_alphanumeric(byte) || byte == '-';
            ck_assert_uint_le(taken, stays ? WIDE_BYTES : at);
#ifdef __SSE2__
            ck_assert_uint_eq(taken, stays ? WIDE_BYTES : at);
#endif
        }
    }
}
END_TEST

START_TEST(a_value_stops_at_the_first_control_character)
{
    for (int byte = 0; byte < 256; byte++) {
        for (unsigned at = 0; at < WIDE_BYTES; at++) {
            char bytes[WIDE_BYTES];
            memset(bytes, 'x', sizeof bytes);
            bytes[at] = (char)byte;
            bool stays = byte >= 0x20 && byte != 0x7f;
            ck_assert_uint_eq(wide_value_bytes(bytes), stays ? WIDE_BYTES : at);
        }
    }
}
END_TEST

/* Every byte at every place of texts of every length that is handled otherwise. */
static void expect_as_its_bytes(bool (*is_fine)(struct slice text), unsigned class, char otherwise)
{
    for (size_t length = 0; length <= 2 * 16 + 1; length++) {
        char *text =
            malloc(length > 0 ? length : 1); /* so that sanitizers see what is read behind it */
        memset(text, otherwise, length);
        for (size_t at = 0; at < length; at++) {
            for (int byte = 0; byte < 256; byte++) {
                text[at] = (char)byte;
                bool said = is_fine((struct slice){text, length});
                ck_assert_msg(!said || byte_is((char)byte, class), "%02x at %zu", byte, at);
            }
            text[at] = otherwise;
        }
        bool said = is_fine((struct slice){text, length});
#ifdef __SSE2__
        ck_assert_int_eq(said, length >= 4);
#else
        ck_assert(!said);
#endif
        free(text);
    }
}

START_TEST(a_text_is_only_called_fine_if_each_of_its_bytes_is)
{
    expect_as_its_bytes(wide_is_name, BYTE_LOWER, 'x');
    expect_as_its_bytes(wide_is_name, BYTE_LOWER, '-');
    expect_as_its_bytes(wide_is_target, BYTE_TARGET, '~');
    expect_as_its_bytes(wide_is_value, BYTE_VALUE, ' ');
    expect_as_its_bytes(wide_is_value, BYTE_VALUE, '\xff');
}
END_TEST

START_TEST(only_capital_letters_of_a_word_change)
{
    for (int byte = 0; byte < 256; byte++) {
        for (unsigned at = 0; at < sizeof(uint64_t); at++) {
            unsigned char bytes[sizeof(uint64_t)];
            uint64_t word;
            memset(bytes, 0xff, sizeof bytes);
            bytes[at] = (unsigned char)byte;
            memcpy(&word, bytes, sizeof word);
            word = word_lower(word);
            memcpy(bytes, &word, sizeof word);
            ck_assert_int_eq((char)bytes[at], byte_lower((char)byte));
            ck_assert_int_eq(bytes[at ^ 1], 0xff);
        }
    }
}
END_TEST

START_TEST(known_names_are_found_in_any_case_and_no_other_byte_passes_for_a_letter)
{
    char name[] = "Transfer-Encoding";
    enum { LENGTH = sizeof name - 1 };
    ck_assert_int_eq(http_name_of((struct slice){name, LENGTH}), HTTP_TRANSFER_ENCODING);
    for (unsigned at = 0; at < LENGTH; at++) {
        char kept = name[at];
        for (int byte = 0; byte < 256; byte++) {
            name[at] = (char)byte;
            bool same = byte_lower((char)byte) == byte_lower(kept);
            ck_assert_int_eq(http_name_of((struct slice){name, LENGTH}),
                             same ? HTTP_TRANSFER_ENCODING : HTTP_OTHER_FIELD);
        }
        name[at] = kept;
    }
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, a_name_stops_at_the_first_byte_that_is_no_letter_digit_or_dash);
    tcase_add_test(tcase, a_value_stops_at_the_first_control_character);
    tcase_add_test(tcase, a_text_is_only_called_fine_if_each_of_its_bytes_is);
    tcase_add_test(tcase, only_capital_letters_of_a_word_change);
    tcase_add_test(tcase, known_names_are_found_in_any_case_and_no_other_byte_passes_for_a_letter);
}

CHECK_MAIN("http1_wide", add_tests)
