/* SPDX-License-Identifier: Apache-2.0 */
/* Links when memory is out: link.c, link_tls.c and links.c are compiled into this test with an
 * allocator that can be told to fail. */
#include <stdlib.h>

static unsigned allocations_left;

static void *allocate(size_t count, size_t bytes)
{
    if (allocations_left == 0)
        return NULL;
    allocations_left--;
    return calloc(count, bytes);
}

#define calloc allocate
#include "backends/links/link.c"
#include "backends/links/link_tls.c"
#include "backends/links/links.c"
#undef calloc

#include "tests/support/check_main.h"
#include "tests/support/made_pool.h"

enum { PLENTY = 1000 };

static struct loop_context context;
static uv_loop_t loop;
static struct made_pool made;
static struct pool *pools[1];
static unsigned told_count;
static bool is_closed;

static void on_connected(struct link_owner *owner, struct link *link, enum link_outcome outcome,
                         const char *reason)
{
    (void)owner;
    ck_assert_ptr_null(link);
    ck_assert_int_eq(outcome, LINK_NO_ROOM);
    ck_assert_str_eq(reason, "Cannot allocate memory");
    told_count++;
}

static void on_closed(void *arg)
{
    *(bool *)arg = true;
}

static void begin(void)
{
    uv_loop_init(&loop);
    loop_context_init(&context, &loop);
    made_pool_begin(&made);
    made_pool_key(&made, "backend", "rs-1 127.0.0.1:1");
    ck_assert(made_pool_prepare(&made));
    pools[0] = &made.pool;
    told_count = 0;
    is_closed = false;
    allocations_left = PLENTY;
}

static void end(void)
{
    loop_context_close(&context);
    uv_run(&loop, UV_RUN_DEFAULT);
    loop_context_done(&context);
    ck_assert_int_eq(uv_loop_close(&loop), 0);
    made_pool_end(&made);
}

/* A wish for which there is no memory. */
static void wish(struct links *links, struct link_owner *owner)
{
    struct link *pending = NULL;
    const struct link_wish none = {
        .pool = &made.pool, .backend = made.pool.backends, .owner = owner};
    allocations_left = 0;
    ck_assert_ptr_null(link_borrow(links, &none, &pending));
    ck_assert_ptr_null(pending);
    ck_assert_uint_eq(told_count, 0);
    allocations_left = PLENTY;
}

START_TEST(a_wish_without_memory_is_told_by_the_loop)
{
    struct links *links = links_new(&context);
    struct link_owner owners[2] = {{.on_connected = on_connected}, {.on_connected = on_connected}};
    wish(links, &owners[0]);
    wish(links, &owners[1]);
    uv_run(&loop, UV_RUN_DEFAULT);
    ck_assert_uint_eq(told_count, 2);
    links_close(links, on_closed, &is_closed);
    uv_run(&loop, UV_RUN_DEFAULT);
    ck_assert(is_closed);
}
END_TEST

START_TEST(a_wish_that_was_forgotten_is_not_told)
{
    struct links *links = links_new(&context);
    struct link_owner owner = {.on_connected = on_connected};
    wish(links, &owner);
    link_forget(&owner);
    link_forget(&owner);
    uv_run(&loop, UV_RUN_DEFAULT);
    ck_assert_uint_eq(told_count, 0);
    links_close(links, on_closed, &is_closed);
    uv_run(&loop, UV_RUN_DEFAULT);
    ck_assert(is_closed);
}
END_TEST

START_TEST(closing_waits_for_wishes_that_are_to_be_told)
{
    struct links *links = links_new(&context);
    struct link_owner owner = {.on_connected = on_connected};
    wish(links, &owner);
    links_close(links, on_closed, &is_closed);
    uv_run(&loop, UV_RUN_DEFAULT);
    ck_assert_uint_eq(told_count, 1);
    ck_assert(is_closed);
}
END_TEST

START_TEST(closing_does_not_wait_for_wishes_that_were_forgotten)
{
    struct links *links = links_new(&context);
    struct link_owner owner = {.on_connected = on_connected};
    wish(links, &owner);
    links_close(links, on_closed, &is_closed);
    link_forget(&owner);
    uv_run(&loop, UV_RUN_DEFAULT);
    ck_assert_uint_eq(told_count, 0);
    ck_assert(is_closed);
}
END_TEST

/* There is memory for the link, but none for what TLS needs of it. */
START_TEST(a_wish_without_memory_for_tls_is_told_by_the_loop)
{
    struct made_pool secure;
    struct error err = {""};
    struct link *pending = NULL;
    struct link_owner owner = {.on_connected = on_connected};
    struct links *links = links_new(&context);
    made_pool_begin(&secure);
    made_pool_key(&secure, "backend", "rs-1 127.0.0.1:1");
    made_pool_key(&secure, "protocol", "https");
    ck_assert(made_pool_prepare(&secure));
    struct backend_tls_context *tls = backend_tls_context_new(&secure.pool, &err);
    ck_assert_msg(tls != NULL, "%s", err.text);
    const struct link_wish none = {.pool = &secure.pool,
                                   .backend = secure.pool.backends,
                                   .tls = tls,
                                   .host = slice_of("www.example.com"),
                                   .owner = &owner};
    allocations_left = 1;
    ck_assert_ptr_null(link_borrow(links, &none, &pending));
    ck_assert_ptr_null(pending);
    allocations_left = PLENTY;
    uv_run(&loop, UV_RUN_DEFAULT);
    ck_assert_uint_eq(told_count, 1);
    links_close(links, on_closed, &is_closed);
    uv_run(&loop, UV_RUN_DEFAULT);
    ck_assert(is_closed);
    backend_tls_context_free(tls);
    made_pool_end(&secure);
}
END_TEST

START_TEST(links_that_cannot_be_made_are_none)
{
    allocations_left = 0;
    ck_assert_ptr_null(links_new(&context));
    allocations_left = PLENTY;
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, a_wish_without_memory_is_told_by_the_loop);
    tcase_add_test(tcase, a_wish_that_was_forgotten_is_not_told);
    tcase_add_test(tcase, closing_waits_for_wishes_that_are_to_be_told);
    tcase_add_test(tcase, closing_does_not_wait_for_wishes_that_were_forgotten);
    tcase_add_test(tcase, a_wish_without_memory_for_tls_is_told_by_the_loop);
    tcase_add_test(tcase, links_that_cannot_be_made_are_none);
}

CHECK_MAIN("link without memory", add_tests)
