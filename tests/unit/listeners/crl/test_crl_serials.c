/* SPDX-License-Identifier: Apache-2.0 */
/* What was put in is there, and nothing else. */
#include "listeners/crl/crl_serials.h"

#include <string.h>

#include "tests/support/check_main.h"

static struct crl_serial serial_of(unsigned char room[8], unsigned number)
{
    for (unsigned i = 0; i < 4; i++)
        room[i] = (unsigned char)(number >> (24 - 8 * i));
    return (struct crl_serial){room, 4};
}

static void fill(struct crl_serials *serials, unsigned count)
{
    unsigned char room[8];
    ck_assert(crl_serials_init(serials, count));
    for (unsigned i = 0; i < count; i++)
        crl_serials_announce(serials, serial_of(room, 2 * i));
    ck_assert(crl_serials_allot(serials));
    for (unsigned i = 0; i < count; i++)
        crl_serials_put(serials, serial_of(room, 2 * i));
    crl_serials_close(serials);
}

START_TEST(all_that_were_put_are_there_and_no_others)
{
    static const unsigned counts[] = {0, 1, 2, 7, 1000, 50000};
    struct crl_serials serials;
    unsigned char room[8];
    unsigned count = counts[_i];
    fill(&serials, count);
    for (unsigned i = 0; i < count; i++) {
        ck_assert(crl_serials_have(&serials, serial_of(room, 2 * i)));
        ck_assert(!crl_serials_have(&serials, serial_of(room, 2 * i + 1)));
    }
    ck_assert(!crl_serials_have(&serials, serial_of(room, 2 * count)));
    crl_serials_done(&serials);
}
END_TEST

START_TEST(length_and_leading_zero_count)
{
    struct crl_serials serials;
    const struct crl_serial with_zero = {(const unsigned char *)"\x00\x80", 2};
    const struct crl_serial without = {(const unsigned char *)"\x80", 1};
    const struct crl_serial longer = {(const unsigned char *)"\x00\x80\x00", 3};
    ck_assert(crl_serials_init(&serials, 1));
    crl_serials_announce(&serials, with_zero);
    ck_assert(crl_serials_allot(&serials));
    crl_serials_put(&serials, with_zero);
    crl_serials_close(&serials);
    ck_assert(crl_serials_have(&serials, with_zero));
    ck_assert(!crl_serials_have(&serials, without));
    ck_assert(!crl_serials_have(&serials, longer));
    crl_serials_done(&serials);
}
END_TEST

/* 24 bytes for each of 20, with all there is around. */
START_TEST(usual_serials_take_little_memory)
{
    enum { COUNT = 100000 };
    struct crl_serials serials;
    unsigned char bytes[20] = {0};
    ck_assert(crl_serials_init(&serials, COUNT));
    for (int pass = 0; pass < 2; pass++) {
        for (unsigned i = 0; i < COUNT; i++) {
            memcpy(bytes, &i, sizeof i);
            const struct crl_serial serial = {bytes, sizeof bytes};
            if (pass == 0)
                crl_serials_announce(&serials, serial);
            else
                crl_serials_put(&serials, serial);
        }
        if (pass == 0)
            ck_assert(crl_serials_allot(&serials));
    }
    crl_serials_close(&serials);
    ck_assert_uint_le(crl_serials_bytes(&serials), (size_t)24 * COUNT);
    crl_serials_done(&serials);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, all_that_were_put_are_there_and_no_others, 0, 6);
    tcase_add_test(tcase, length_and_leading_zero_count);
    tcase_add_test(tcase, usual_serials_take_little_memory);
}

CHECK_MAIN("crl serials", add_tests)
