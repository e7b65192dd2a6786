/* SPDX-License-Identifier: Apache-2.0 */
/* Heads of HTTP/2 when memory is out: buffer.c is compiled into this test with an allocator that
 * can be told to fail. */
#include <stdlib.h>

static unsigned allocations_left;

static void *allocate(size_t bytes)
{
    if (allocations_left == 0)
        return NULL;
    allocations_left--;
    return malloc(bytes);
}

#define malloc allocate
#include "lb/base/buffer.c"
#undef malloc

#include "listeners/http2/head.h"
#include "tests/support/check_main.h"

/* A path, its line, a crumb that is put aside and its way back: each needs a buffer of its own. */
static enum http2_head_outcome translate(struct buffer_pool *pool)
{
    static char large[9000];
    static const char *const names[] = {":method", ":scheme", ":path", "host",
                                        "cookie",  "x",       "cookie"};
    const struct slice value = {large, 4000};
    const struct slice crumb = {large, sizeof large};
    const struct slice values[] = {SLICE("GET"), SLICE("https"), value, SLICE("a"),
                                   value,        value,          crumb};
    struct http2_head head = {0};
    struct buffer *text;
    memset(large, '/', sizeof large);
    http2_head_begin(&head, pool, 64 * 1024);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        http2_head_add(&head, slice_of(names[i]), values[i]);
    enum http2_head_outcome outcome = http2_head_end(&head, true, &text);
    ck_assert_int_eq(text != NULL, outcome == HTTP2_HEAD_FINE);
    ck_assert_int_eq(http2_head_fault(&head)[0] == '\0', outcome == HTTP2_HEAD_FINE);
    buffer_give(pool, &text);
    return outcome;
}

START_TEST(whichever_allocation_fails_the_block_is_refused_and_nothing_is_kept)
{
    unsigned failures = 0;
    for (enum http2_head_outcome outcome = HTTP2_HEAD_NO_MEMORY; outcome != HTTP2_HEAD_FINE;) {
        struct buffer_pool pool;
        buffer_pool_init(&pool);
        allocations_left = failures;
        outcome = translate(&pool);
        ck_assert_uint_eq(pool.lent_count, 0);
        ck_assert(outcome == HTTP2_HEAD_NO_MEMORY || outcome == HTTP2_HEAD_FINE);
        failures += outcome == HTTP2_HEAD_NO_MEMORY;
        buffer_pool_done(&pool);
    }
    ck_assert_uint_ge(failures, 5); /* pseudo fields, line, cookie, crumb, all of it */
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, whichever_allocation_fails_the_block_is_refused_and_nothing_is_kept);
}

CHECK_MAIN("http2_head_without_memory", add_tests)
