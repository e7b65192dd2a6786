/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A fuzz target's corpus as an ordinary test, built by every compiler: a program that includes
 * fuzz_NAME.c and then says REPLAY_MAIN("NAME"). Whatever fuzzing finds goes into
 * tests/fuzz/corpus/NAME/ and is tried here ever after.
 */
#ifndef LB_TESTS_REPLAY_H
#define LB_TESTS_REPLAY_H

#include <glob.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/check_main.h"

static glob_t replay_files;

START_TEST(what_fuzzing_tried_breaks_nothing)
{
    static uint8_t bytes[1024 * 1024];
    FILE *file = fopen(replay_files.gl_pathv[_i], "rb");
    ck_assert_msg(file != NULL, "%s cannot be opened", replay_files.gl_pathv[_i]);
    size_t length = fread(bytes, 1, sizeof bytes, file);
    ck_assert_msg(feof(file) && !ferror(file), "%s is too large", replay_files.gl_pathv[_i]);
    fclose(file);
    uint8_t *exact = malloc(length > 0 ? length : 1); /* so that sanitizers see where it ends */
    memcpy(exact, bytes, length);
    ck_assert_int_eq(LLVMFuzzerTestOneInput(exact, length), 0);
    free(exact);
}
END_TEST

static inline void replay_find(const char *name)
{
    const char *source = getenv("LB_SOURCE");
    char pattern[512];
    snprintf(pattern, sizeof pattern, "%s/tests/fuzz/corpus/%s/*", source ? source : ".", name);
    if (glob(pattern, 0, NULL, &replay_files) != 0) {
        fprintf(stderr, "no corpus in %s: set LB_SOURCE to the source folder\n", pattern);
        exit(EXIT_FAILURE);
    }
}

#define REPLAY_MAIN(name)                                                                          \
    static void replay_add(TCase *tcase)                                                           \
    {                                                                                              \
        replay_find(name);                                                                         \
        tcase_add_loop_test(tcase, what_fuzzing_tried_breaks_nothing, 0,                           \
                            (int)replay_files.gl_pathc);                                           \
    }                                                                                              \
    CHECK_MAIN("replay of " name, replay_add)

#endif
