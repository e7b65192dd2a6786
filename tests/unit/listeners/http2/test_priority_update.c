/* SPDX-License-Identifier: Apache-2.0 */
#include "listeners/http2/priority_update.h"

#include <string.h>

#include "tests/support/check_main.h"

static enum priority_update_outcome read_pieces(const void *bytes, size_t length, size_t piece,
                                                int32_t *ret_stream, struct slice *ret_value)
{
    struct priority_update update = {0};
    const uint8_t *at = bytes;
    for (size_t used = 0; used < length; used += piece)
        priority_update_add(&update, at + used, length - used < piece ? length - used : piece);
    static struct priority_update kept; /* the value is lent from it */
    kept = update;
    enum priority_update_outcome outcome = priority_update_end(&kept, ret_stream, ret_value);
    ck_assert_uint_eq(kept.length, 0); /* ready for the next one */
    ck_assert(!kept.is_too_long);
    return outcome;
}

START_TEST(however_it_comes_it_says_whose_it_is)
{
    static const char frame[] = "\x80\0\x01\x03u=1, i"; /* the first bit is reserved */
    for (size_t piece = 1; piece < sizeof frame; piece++) {
        int32_t stream = 0;
        struct slice value;
        ck_assert_int_eq(read_pieces(frame, sizeof frame - 1, piece, &stream, &value),
                         PRIORITY_UPDATE_FINE);
        ck_assert_int_eq(stream, 259);
        ck_assert(slice_is(value, "u=1, i"));
    }
}
END_TEST

START_TEST(what_is_too_short_or_of_no_stream_is_told)
{
    int32_t stream = 0;
    struct slice value;
    ck_assert_int_eq(read_pieces("\0\0\1", 3, 1, &stream, &value), PRIORITY_UPDATE_TOO_SHORT);
    ck_assert_int_eq(read_pieces("", 0, 1, &stream, &value), PRIORITY_UPDATE_TOO_SHORT);
    ck_assert_int_eq(read_pieces("\x80\0\0\0u=1", 7, 7, &stream, &value),
                     PRIORITY_UPDATE_OF_NOTHING);
}
END_TEST

START_TEST(what_is_too_long_is_ignored)
{
    char frame[300] = {0, 0, 0, 1};
    int32_t stream = 0;
    struct slice value;
    memset(frame + 4, ' ', sizeof frame - 4);
    ck_assert_int_eq(read_pieces(frame, PRIORITY_UPDATE_BYTES, 9, &stream, &value),
                     PRIORITY_UPDATE_FINE);
    ck_assert_uint_eq(value.length, PRIORITY_UPDATE_BYTES - 4);
    ck_assert_int_eq(read_pieces(frame, PRIORITY_UPDATE_BYTES + 1, 9, &stream, &value),
                     PRIORITY_UPDATE_IGNORED);
    ck_assert_int_eq(read_pieces(frame, sizeof frame, sizeof frame, &stream, &value),
                     PRIORITY_UPDATE_IGNORED);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, however_it_comes_it_says_whose_it_is);
    tcase_add_test(tcase, what_is_too_short_or_of_no_stream_is_told);
    tcase_add_test(tcase, what_is_too_long_is_ignored);
}

CHECK_MAIN("priority update", add_tests)
