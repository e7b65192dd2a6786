/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames that cost a client nothing and lb something: whoever sends too many is sent away with
 * GOAWAY (ENHANCE_YOUR_CALM) and a line in the log that says why. Nobody else notices, lb's memory
 * stays what it was, and clients that are only busy are never taken for one.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/support/check_main.h"
#include "tests/support/eventually.h"
#include "tests/support/house.h"
#include "tests/support/http2_wire.h"
#include "tests/support/process.h"

enum {
    PRIORITY_UPDATE = 0x10,
    UNKNOWN_TYPE = 0xef,
    LARGE_BYTES = 1024 * 1024,
    /* What an allocator keeps, and a sanitizer of what was freed. */
    GROWTH_MOST_KIB = 32 * 1024,
    WHOLE_FRAME_BYTES = 16 * 1024,
    ROUND_STREAMS = 50,
};

static void add_frame(struct text *bytes, unsigned type, unsigned flags, uint32_t stream,
                      const void *payload, size_t length)
{
    const char header[] = {(char)(length >> 16), (char)(length >> 8), (char)length,
                           (char)type,           (char)flags,         (char)(stream >> 24),
                           (char)(stream >> 16), (char)(stream >> 8), (char)stream};
    text_add(bytes, header, sizeof header);
    text_add(bytes, payload, length);
}

static void add_head(struct text *bytes, uint32_t stream, unsigned flags, const char *path)
{
    struct text block = {0}, lines = {0};
    text_add_format(&lines, ":method: GET\n:scheme: https\n:authority: a.example\n:path: %s\n",
                    path);
    http2_block_add_lines(&block, lines.bytes);
    add_frame(bytes, NGHTTP2_HEADERS, flags | NGHTTP2_FLAG_END_HEADERS, stream, block.bytes,
              block.length);
    text_done(&block);
    text_done(&lines);
}

static void add_often(struct text *bytes, unsigned often, unsigned type, unsigned flags,
                      uint32_t stream, const void *payload, size_t length)
{
    for (unsigned i = 0; i < often; i++)
        add_frame(bytes, type, flags, stream, payload, length);
}

/* --- floods -------------------------------------------------------------------------------- */

/* So many that what is forgiven while a slow machine reads them does not make up for them. */
static void cancel_requests(struct text *bytes, uint32_t first)
{
    for (uint32_t stream = first; stream < first + 6000; stream += 2) {
        add_head(bytes, stream, NGHTTP2_FLAG_END_STREAM, "/never");
        add_frame(bytes, NGHTTP2_RST_STREAM, 0, stream, "\0\0\0\x08", 4);
    }
}

/* Opens windows too far, so that lb has to cancel the requests; fewer than a client may have open.
 */
static void make_it_cancel(struct text *bytes, uint32_t first)
{
    for (uint32_t stream = first; stream < first + 2 * ROUND_STREAMS; stream += 2) {
        add_head(bytes, stream, NGHTTP2_FLAG_END_STREAM, "/never");
        add_frame(bytes, NGHTTP2_WINDOW_UPDATE, 0, stream, "\x7f\xff\xff\xff", 4);
    }
}

static void ask_wrongly(struct text *bytes, uint32_t first)
{
    for (uint32_t stream = first; stream < first + 2 * ROUND_STREAMS; stream += 2)
        add_head(bytes, stream, NGHTTP2_FLAG_END_STREAM, "no path at all");
}

/* Their backends have begun already. */
static void send_too_much(struct text *bytes, uint32_t first)
{
    struct text block = {0};
    http2_block_add_lines(&block, ":method: POST\n:scheme: https\n:authority: a.example\n:path: /\n"
                                  "content-length: 1\n");
    for (uint32_t stream = first; stream < first + 2 * ROUND_STREAMS; stream += 2) {
        add_frame(bytes, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, stream, block.bytes,
                  block.length);
        add_frame(bytes, NGHTTP2_DATA, 0, stream, "too much", 8);
    }
    text_done(&block);
}

/* While backends are being connected to, more may be open than a client is allowed; what is said on
 * those above is another fault, which ends the connection, too. */
static void end_with_no_end(struct text *bytes, uint32_t first)
{
    for (uint32_t stream = first; stream < first + 2 * ROUND_STREAMS; stream += 2) {
        add_head(bytes, stream, 0, "/");
        add_frame(bytes, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, stream, "\0\1x\1y", 5);
    }
}

static void change_settings(struct text *bytes, uint32_t first)
{
    (void)first;
    add_often(bytes, 100, NGHTTP2_SETTINGS, 0, 0, "\0\4\0\0\xff\xff", 6);
}

static void acknowledge_settings(struct text *bytes, uint32_t first)
{
    (void)first;
    add_often(bytes, 100, NGHTTP2_SETTINGS, NGHTTP2_FLAG_ACK, 0, NULL, 0);
}

static void ping(struct text *bytes, uint32_t first)
{
    (void)first;
    add_often(bytes, 300, NGHTTP2_PING, 0, 0, "flooding", 8);
}

static void reorder(struct text *bytes, uint32_t first)
{
    (void)first;
    add_often(bytes, 600, NGHTTP2_PRIORITY, 0, 7, "\0\0\0\5\x10", 5);
}

static void reorder_anew(struct text *bytes, uint32_t first)
{
    (void)first;
    add_often(bytes, 600, PRIORITY_UPDATE, 0, 0, "\0\0\0\7u=1", 7);
}

static void open_windows(struct text *bytes, uint32_t first)
{
    (void)first;
    add_often(bytes, 20000, NGHTTP2_WINDOW_UPDATE, 0, 0, "\0\0\0\1", 4);
}

/* A large answer, fetched byte by byte. */
static void dribble(struct text *bytes, uint32_t first)
{
    add_frame(bytes, NGHTTP2_SETTINGS, 0, 0, "\0\4\0\0\0\0", 6);
    add_head(bytes, first, NGHTTP2_FLAG_END_STREAM, "/large");
    add_often(bytes, 20000, NGHTTP2_WINDOW_UPDATE, 0, first, "\0\0\0\1", 4);
}

static void send_empty_data(struct text *bytes, uint32_t first)
{
    add_head(bytes, first, 0, "/");
    add_often(bytes, 300, NGHTTP2_DATA, 0, first, NULL, 0);
}

static void send_padding(struct text *bytes, uint32_t first)
{
    add_head(bytes, first, 0, "/");
    add_often(bytes, 300, NGHTTP2_DATA, NGHTTP2_FLAG_PADDED, first, "\7\0\0\0\0\0\0\0", 8);
}

static void send_unknown(struct text *bytes, uint32_t first)
{
    (void)first;
    add_often(bytes, 600, UNKNOWN_TYPE, 0, 0, "x", 1);
}

static void continue_a_head(struct text *bytes, uint32_t first)
{
    add_frame(bytes, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_STREAM, first, "\x82", 1);
    add_often(bytes, 100, NGHTTP2_CONTINUATION, 0, first, "\x82", 1);
}

static void continue_with_nothing(struct text *bytes, uint32_t first)
{
    add_frame(bytes, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_STREAM, first, "\x82", 1);
    add_often(bytes, 100, NGHTTP2_CONTINUATION, 0, first, NULL, 0);
}

static void continue_for_ever(struct text *bytes, uint32_t first)
{
    static char part[WHOLE_FRAME_BYTES];
    struct text block = {0};
    memset(part, 'a', sizeof part);
    http2_block_add(&block, "x", 1, part, sizeof part);
    add_frame(bytes, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_STREAM, first, "\x82", 1);
    add_often(bytes, 5, NGHTTP2_CONTINUATION, 0, first, block.bytes, WHOLE_FRAME_BYTES);
    text_done(&block);
}

/* clang-format off */
static const struct flood {
    const char *reason;
    void (*write)(struct text *bytes, uint32_t first); /* streams from this one on */
    unsigned rounds; /* 0: it is all said at once */
    bool is_perhaps_worse; /* PROTOCOL_ERROR will do */
} floods[] = {
    {"reset-flood", cancel_requests, 0, false},
    {"fault-flood", make_it_cancel, 4, true},
    {"fault-flood", ask_wrongly, 4, false},
    {"fault-flood", send_too_much, 4, true},
    {"fault-flood", end_with_no_end, 4, true},
    {"settings-flood", change_settings, 0, false},
    {"settings-flood", acknowledge_settings, 0, false},
    {"ping-flood", ping, 0, false},
    {"priority-flood", reorder, 0, false},
    {"priority-flood", reorder_anew, 0, false},
    {"window-flood", open_windows, 0, false},
    {"window-flood", dribble, 0, false},
    {"empty-frame-flood", send_empty_data, 0, false},
    {"empty-frame-flood", send_padding, 0, false},
    {"other-frame-flood", send_unknown, 0, false},
    {"continuation-flood", continue_a_head, 0, false},
    {"continuation-flood", continue_with_nothing, 0, false},
    {"head-flood", continue_for_ever, 0, false},
};
/* clang-format on */
enum { FLOOD_COUNT = sizeof floods / sizeof floods[0] };

/* --- the house ----------------------------------------------------------------------------- */

static void answer_large(struct stub_link *link)
{
    static char body[LARGE_BYTES];
    struct text head = {0};
    text_add_format(&head, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", LARGE_BYTES);
    if (stub_send(link, head.bytes, head.length))
        stub_send(link, body, sizeof body);
    text_done(&head);
}

static void serve(struct stub_link *link)
{
    struct stub_request request;
    while (stub_read(link, &request)) {
        if (strstr(request.head.bytes, "/never") != NULL)
            stub_wait_for_end(link);
        else if (strstr(request.head.bytes, "/large") != NULL)
            answer_large(link);
        else
            stub_say(link, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        stub_request_done(&request);
    }
    stub_request_done(&request);
}

/* One worker, so that whoever floods and the neighbour share it. */
static void open_house(struct house *house, struct http2_wire *neighbour)
{
    process_measure();
    house_open(house, &(struct house_plan){.workers = 1, .is_https = true, .serve = serve});
    http2_wire_enter(neighbour, scene_port(&house->scene, "web"), NULL);
    ck_assert_uint_eq(http2_wire_get(neighbour, "/"), 200);
}

static void close_house(struct house *house, struct http2_wire *neighbour)
{
    ck_assert(http2_wire_ping(neighbour));
    ck_assert(!neighbour->was_sent_away);
    http2_wire_close(neighbour);
    house_close(house);
}

static void expect_memory(const struct house *house, long before_kib)
{
    long grown_kib = process_memory_kib(house->scene.pid) - before_kib;
    ck_assert_msg(grown_kib < GROWTH_MOST_KIB, "lb grew by %ld KiB", grown_kib);
}

/* returns: it was understood, and is no flood yet. */
static bool say_round(struct http2_wire *wire, const struct flood *flood, uint32_t first)
{
    struct text bytes = {0};
    flood->write(&bytes, first);
    peer_send(&wire->peer, bytes.bytes, bytes.length);
    text_done(&bytes);
    return flood->rounds > 0 && http2_wire_ping(wire);
}

enum { SLOWEST = 50 }; /* times the rounds that a flood takes */

/* returns what the log calls it, by what GOAWAY says. */
static const char *flood_once(struct house *house, const struct flood *flood)
{
    struct http2_wire wire;
    uint32_t first = 1;
    http2_wire_enter(&wire, scene_port(&house->scene, "web"), NULL);
    wire.by_hand = true;
    /* Budgets are refilled by the second: on a slow machine a flood takes longer to be one. */
    for (unsigned left = SLOWEST * flood->rounds; say_round(&wire, flood, first) && left > 0;
         left--)
        first += 2 * ROUND_STREAMS;
    http2_wire_receive_all(&wire);
    ck_assert_msg(wire.was_sent_away, "%s: no GOAWAY came", flood->reason);
    bool is_worse = flood->is_perhaps_worse && wire.goaway_code == NGHTTP2_PROTOCOL_ERROR;
    ck_assert_msg(wire.goaway_code == NGHTTP2_ENHANCE_YOUR_CALM || is_worse, "%s: GOAWAY says %u",
                  flood->reason, wire.goaway_code);
    http2_wire_close(&wire);
    return is_worse ? "http2-error" : flood->reason;
}

START_TEST(it_is_sent_away_with_a_reason_and_its_neighbour_notices_nothing)
{
    struct house house;
    struct http2_wire neighbour;
    open_house(&house, &neighbour);
    uint32_t waiting = http2_wire_ask(&neighbour, "GET", "/never", NULL);
    const char *reason = flood_once(&house, &floods[_i]);
    /* What is worse may be counted with what it came behind. */
    eventually(scene_log_has(&house.scene, "client.closed", reason, "127.0.0.1", NULL) ||
               scene_log_has(&house.scene, "client.closed", floods[_i].reason, "127.0.0.1", NULL));
    ck_assert_uint_eq(http2_wire_get(&neighbour, "/"), 200);
    const struct http2_answer *answer = http2_wire_so_far(&neighbour, waiting);
    ck_assert(!answer->was_reset && !answer->has_ended);
    close_house(&house, &neighbour);
}
END_TEST

START_TEST(floods_take_no_memory)
{
    struct house house;
    struct http2_wire neighbour;
    open_house(&house, &neighbour);
    for (unsigned i = 0; i < FLOOD_COUNT; i++)
        flood_once(&house, &floods[i]);
    long before_kib = process_memory_kib(house.scene.pid);
    for (unsigned round = 0; round < 3; round++)
        for (unsigned i = 0; i < FLOOD_COUNT; i++)
            flood_once(&house, &floods[i]);
    expect_memory(&house, before_kib);
    ck_assert_uint_eq(http2_wire_get(&neighbour, "/"), 200);
    close_house(&house, &neighbour);
}
END_TEST

/* A field of 4,000 bytes, remembered once and said with one byte each ever after: 60 MiB in a
 * frame. */
START_TEST(an_hpack_bomb_is_a_head_that_is_too_large)
{
    enum { BOMBS = 40, FIELD_BYTES = 4000, TIMES = 15000 };
    static char field[FIELD_BYTES], times[TIMES];
    struct house house;
    struct http2_wire neighbour, wire;
    struct text block = {0};
    open_house(&house, &neighbour);
    http2_wire_enter(&wire, scene_port(&house.scene, "web"), NULL);
    memset(field, 'x', sizeof field);
    memset(times, '\xbe', sizeof times); /* the newest entry of the dynamic table */
    /* Incremental indexing: x = 4,000 bytes, whose length has three more bytes. */
    text_add(&block,
             "\x82\x84\x87\x01\x01"
             "a\x40\x01x\x7f\xa1\x1e",
             12);
    text_add(&block, field, sizeof field);
    http2_wire_block(&wire, 1, NGHTTP2_FLAG_END_STREAM, &block);
    ck_assert_uint_eq(http2_wire_answer(&wire, 1)->status, 200);
    text_drop(&block, block.length);
    text_add(&block,
             "\x82\x84\x87\x01\x01"
             "a",
             6);
    text_add(&block, times, sizeof times);
    long before_kib = process_memory_kib(house.scene.pid);
    for (uint32_t i = 1; i <= BOMBS; i++) {
        http2_wire_block(&wire, 1 + 2 * i, NGHTTP2_FLAG_END_STREAM, &block);
        ck_assert_uint_eq(http2_wire_answer(&wire, 1 + 2 * i)->status, 431);
    }
    expect_memory(&house, before_kib);
    ck_assert(http2_wire_ping(&wire));
    text_done(&block);
    http2_wire_close(&wire);
    close_house(&house, &neighbour);
}
END_TEST

/* --- who is only busy ---------------------------------------------------------------------- */

/* As a browser does that leaves a page, again and again. */
START_TEST(who_cancels_as_many_as_are_answered_goes_on)
{
    struct house house;
    struct http2_wire neighbour, wire;
    open_house(&house, &neighbour);
    http2_wire_enter(&wire, scene_port(&house.scene, "web"), NULL);
    for (uint32_t stream = 1; stream < 12000; stream += 4) {
        struct text bytes = {0};
        add_head(&bytes, stream, NGHTTP2_FLAG_END_STREAM, "/");
        add_head(&bytes, stream + 2, 0, "/");
        add_frame(&bytes, NGHTTP2_RST_STREAM, 0, stream + 2, "\0\0\0\x08", 4);
        ck_assert(peer_send(&wire.peer, bytes.bytes, bytes.length));
        ck_assert_uint_eq(http2_wire_answer(&wire, stream)->status, 200);
        text_done(&bytes);
    }
    ck_assert(http2_wire_ping(&wire) && !wire.was_sent_away);
    http2_wire_close(&wire);
    close_house(&house, &neighbour);
}
END_TEST

/* Both windows are given back for each frame, and the path is probed with each. */
START_TEST(who_acknowledges_every_frame_goes_on)
{
    struct house house;
    struct http2_wire neighbour, wire;
    struct http2_frame frame;
    open_house(&house, &neighbour);
    http2_wire_enter(&wire, scene_port(&house.scene, "web"), NULL);
    for (unsigned i = 0; i < 20; i++) {
        uint32_t stream = http2_wire_ask(&wire, "GET", "/large", NULL);
        const struct http2_answer *answer = http2_wire_so_far(&wire, stream);
        while (!answer->has_ended) {
            ck_assert(http2_wire_receive(&wire, &frame));
            if (frame.type == NGHTTP2_DATA)
                http2_wire_frame(&wire, NGHTTP2_PING, 0, 0, "estimate", 8);
        }
        ck_assert_uint_eq(answer->body.length, LARGE_BYTES);
    }
    ck_assert(http2_wire_ping(&wire) && !wire.was_sent_away);
    http2_wire_close(&wire);
    close_house(&house, &neighbour);
}
END_TEST

/* As messages of gRPC are. */
START_TEST(who_sends_byte_after_byte_goes_on)
{
    struct house house;
    struct http2_wire neighbour, wire;
    struct text bytes = {0};
    open_house(&house, &neighbour);
    http2_wire_enter(&wire, scene_port(&house.scene, "web"), NULL);
    add_head(&bytes, 1, 0, "/");
    add_often(&bytes, 30000, NGHTTP2_DATA, 0, 1, "x", 1);
    add_frame(&bytes, NGHTTP2_DATA, NGHTTP2_FLAG_END_STREAM, 1, NULL, 0);
    ck_assert(peer_send(&wire.peer, bytes.bytes, bytes.length));
    ck_assert_uint_eq(http2_wire_answer(&wire, 1)->status, 200);
    ck_assert(!wire.was_sent_away);
    text_done(&bytes);
    http2_wire_close(&wire);
    close_house(&house, &neighbour);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, it_is_sent_away_with_a_reason_and_its_neighbour_notices_nothing, 0,
                        FLOOD_COUNT);
    tcase_add_test(tcase, floods_take_no_memory);
    tcase_add_test(tcase, an_hpack_bomb_is_a_head_that_is_too_large);
    tcase_add_test(tcase, who_cancels_as_many_as_are_answered_goes_on);
    tcase_add_test(tcase, who_acknowledges_every_frame_goes_on);
    tcase_add_test(tcase, who_sends_byte_after_byte_goes_on);
}

CHECK_MAIN("HTTP/2 floods end their own connection", add_tests)
