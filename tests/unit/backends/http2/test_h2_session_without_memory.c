/* SPDX-License-Identifier: Apache-2.0 */
/* An answer of HTTP/2 when memory is out: h2_session.c is compiled into this test with buffers that
 * can be told to fail. */
#include "lb/base/buffer.h"

static bool is_memory_out;

static bool append(struct buffer_pool *pool, struct buffer **buffer, const void *bytes,
                   size_t length, size_t most)
{
    return !is_memory_out && buffer_append(pool, buffer, bytes, length, most);
}

#define buffer_append append
#include "backends/http2/h2_session.c"
#undef buffer_append

#include "tests/support/check_main.h"

static uv_loop_t loop;
static struct loop_context context;
static struct links links;
static struct h2_link h2;
static struct errand errand;

/* All that lb has to say is said. */
static void send_all(void)
{
    const uint8_t *bytes;
    while (nghttp2_session_mem_send(h2.session, &bytes) > 0)
        continue;
}

static void receive(const void *bytes, size_t length)
{
    ck_assert_int_eq(nghttp2_session_mem_recv(h2.session, bytes, length), (ssize_t)length);
}

/* A request is out, and the head of its answer is there. */
static void open_stage(void)
{
    static const uint8_t head[] = {0,   0, 0, NGHTTP2_SETTINGS, 0, 0, 0, 0, 0,
                                   0,   0, 1, NGHTTP2_HEADERS,  4, 0, 0, 0, 1, /* END_HEADERS */
                                   0x88};                                      /* :status: 200 */
    static uint8_t words[][12] = {":method", "GET", ":scheme", "http", ":path", "/"};
    const nghttp2_nv fields[] = {{words[0], words[1], 7, 3, 0},
                                 {words[2], words[3], 7, 4, 0},
                                 {words[4], words[5], 5, 1, 0}};
    is_memory_out = false;
    uv_loop_init(&loop);
    loop_context_init(&context, &loop);
    links = (struct links){.context = &context};
    h2 = (struct h2_link){.links = &links, .state = H2_OPEN};
    errand = (struct errand){.h2 = {.on = &h2}};
    list_init(&h2.news);
    list_init(&h2.errands);
    ck_assert(h2_session_begin(&h2));
    errand.h2.stream = nghttp2_submit_request(h2.session, NULL, fields, 3, NULL, &errand);
    send_all();
    receive(head, sizeof head);
    ck_assert(errand.h2.has_final);
}

static void close_stage(void)
{
    nghttp2_session_del(h2.session);
    buffer_give(&context.buffers, &errand.h2.text);
    buffer_give(&context.buffers, &errand.h2.in);
    loop_context_close(&context);
    uv_run(&loop, UV_RUN_DEFAULT);
    loop_context_done(&context);
    ck_assert_int_eq(uv_loop_close(&loop), 0);
}

static const uint8_t data[] = {0,   0,   8,   NGHTTP2_DATA, 1,   0,   0,   0,  1, /* END_STREAM */
                               'l', 'o', 's', 't',          'k', 'e', 'p', 't'};

/* The rest of the frame comes when there is memory again. */
START_TEST(a_body_has_no_hole_where_memory_was_out_for_a_while)
{
    open_stage();
    is_memory_out = true;
    receive(data, sizeof data - 4);
    ck_assert_str_eq(errand.h2.fault, "out of memory for the backend's body");
    is_memory_out = false;
    receive(data + sizeof data - 4, 4);
    ck_assert_uint_eq(buffer_length(errand.h2.in), 0);
    ck_assert(!errand.h2.is_ended);
    ck_assert(errand.is_blameless);
    send_all();
    ck_assert(errand.h2.is_closed);
    close_stage();
}
END_TEST

START_TEST(a_body_whose_end_finds_no_memory_is_not_whole)
{
    open_stage();
    receive(data, sizeof data - 4);
    ck_assert_uint_eq(buffer_length(errand.h2.in), 4);
    is_memory_out = true;
    receive(data + sizeof data - 4, 4);
    ck_assert_str_eq(errand.h2.fault, "out of memory for the backend's body");
    ck_assert(!errand.h2.is_ended);
    close_stage();
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, a_body_has_no_hole_where_memory_was_out_for_a_while);
    tcase_add_test(tcase, a_body_whose_end_finds_no_memory_is_not_whole);
}

CHECK_MAIN("answers of HTTP/2 without memory", add_tests)
