/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HPACK remembers fields for both directions (RFC 7541, 2.3.2). What lb remembers for a client is
 * bounded, however large the fields are that the client wants to be remembered, and however large a
 * table it offers for those that lb sends.
 */
#include <stdio.h>
#include <string.h>

#include "tests/support/check_main.h"
#include "tests/support/eventually.h"
#include "tests/support/house.h"
#include "tests/support/http2_wire.h"
#include "tests/support/process.h"

enum {
    CLIENTS = 10,
    REQUESTS = 50,
    FIELDS = 7,         /* of a request … */
    FIELD_BYTES = 3800, /* … and each fits a table of 4 KiB */
    ANSWER_FIELD_BYTES = 24 * 1024,
    GROWTH_MOST_KIB = 6 * 1024, /* half of what one direction would take without a bound */
};

/* Bytes that no other number has. */
static void fill(char *into, size_t length, unsigned number)
{
    int told = snprintf(into, length, "%u-", number);
    memset(into + told, 'x', length - (size_t)told);
}

/* A field that no answer before had. */
static void answer_with_a_long_field(struct stub_link *link)
{
    static _Thread_local char field[ANSWER_FIELD_BYTES];
    struct stub_request request;
    while (stub_read(link, &request)) {
        struct text answer = {0};
        fill(field, sizeof field, atomic_load(&link->stub->requests));
        text_add_format(&answer, "HTTP/1.1 200 OK\r\nX-Long: %.*s\r\nContent-Length: 2\r\n\r\nok",
                        (int)sizeof field, field);
        stub_send(link, answer.bytes, answer.length);
        text_done(&answer);
        stub_request_done(&request);
    }
    stub_request_done(&request);
}

/* RFC 7541, 6.2.1: literal, with incremental indexing, of a new name. */
static void add_remembered(struct text *block, const char *value, size_t length)
{
    size_t at = block->length;
    http2_block_add(block, "x-remember", 10, value, length);
    block->bytes[at] = '\x40';
}

static void ask(struct http2_wire *wire, unsigned number)
{
    static char field[FIELD_BYTES];
    struct text block = {0};
    uint32_t stream = 1 + 2 * number;
    http2_block_add_lines(&block,
                          ":method: GET\n:scheme: https\n:authority: www.example.com\n:path: /\n");
    for (unsigned i = 0; i < FIELDS; i++) {
        fill(field, sizeof field, number * FIELDS + i);
        add_remembered(&block, field, sizeof field);
    }
    ck_assert(http2_wire_block(wire, stream, NGHTTP2_FLAG_END_STREAM, &block));
    const struct http2_answer *answer = http2_wire_answer(wire, stream);
    ck_assert_uint_eq(answer->status, 200);
    ck_assert_uint_gt(answer->fields.length, ANSWER_FIELD_BYTES);
    text_done(&block);
}

/* A table as large as can be said, and lb may fill it. */
static void come(struct http2_wire *wire, struct house *house)
{
    http2_wire_enter(wire, scene_port(&house->scene, "web"), NULL);
    ck_assert_int_eq(nghttp2_hd_inflate_change_table_size(wire->inflater, UINT32_MAX), 0);
    http2_wire_setting(wire, NGHTTP2_SETTINGS_HEADER_TABLE_SIZE, UINT32_MAX);
    ck_assert(http2_wire_ping(wire));
    ask(wire, 0);
}

START_TEST(neither_direction_s_table_grows_beyond_its_bound)
{
    struct house house;
    struct http2_wire wires[CLIENTS];
    process_measure();
    house_open(&house, &(struct house_plan){
                           .workers = 1, .is_https = true, .serve = answer_with_a_long_field});
    for (unsigned i = 0; i < CLIENTS; i++)
        come(&wires[i], &house);
    long before_kib = process_memory_kib(house.scene.pid);
    for (unsigned i = 0; i < CLIENTS; i++)
        for (unsigned number = 1; number < REQUESTS; number++)
            ask(&wires[i], number);
    long grown_kib = process_memory_kib(house.scene.pid) - before_kib;
    ck_assert_msg(grown_kib < GROWTH_MOST_KIB, "lb grew by %ld KiB", grown_kib);
    for (unsigned i = 0; i < CLIENTS; i++)
        http2_wire_close(&wires[i]);
    house_close(&house);
}
END_TEST

static void say_table_size(struct http2_wire *wire, uint32_t bytes)
{
    ck_assert_int_eq(nghttp2_hd_inflate_change_table_size(wire->inflater, bytes), 0);
    http2_wire_setting(wire, NGHTTP2_SETTINGS_HEADER_TABLE_SIZE, bytes);
    ck_assert(http2_wire_ping(wire));
}

/* As often as SETTINGS may come; every answer in between can be read. */
START_TEST(a_table_whose_size_goes_up_and_down_is_kept_in_step)
{
    static const uint32_t sizes[] = {0, 4096, 100, 0, UINT32_MAX, 1, 65536, 0, 4096};
    struct house house;
    struct http2_wire wire;
    house_open(&house, &(struct house_plan){
                           .workers = 1, .is_https = true, .serve = answer_with_a_long_field});
    http2_wire_enter(&wire, scene_port(&house.scene, "web"), NULL);
    for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        say_table_size(&wire, sizes[i]);
        ask(&wire, 2 * i);
        ask(&wire, 2 * i + 1);
    }
    ck_assert(!wire.was_sent_away);
    http2_wire_close(&wire);
    house_close(&house);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, neither_direction_s_table_grows_beyond_its_bound);
    tcase_add_test(tcase, a_table_whose_size_goes_up_and_down_is_kept_in_step);
}

CHECK_MAIN("HPACK tables stay small", add_tests)
