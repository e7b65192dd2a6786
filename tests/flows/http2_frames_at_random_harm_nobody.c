/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Clients that say whatever comes to their mind, in frames of HTTP/2: requests, bodies, settings
 * and windows as they should be, mixed with frames that no state allows, that are torn, or that are
 * none. lb lives on, their neighbour is served all the time, and nothing of them stays.
 *
 * What they say follows from the seed, but for the moment at which they hear of an end. The seed is
 * told with every failure; LB_TEST_SEED=N runs with another one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/check_main.h"
#include "tests/support/eventually.h"
#include "tests/support/house.h"
#include "tests/support/http2_wire.h"
#include "tests/support/process.h"

enum {
    CLIENTS = 4,
    STEPS = 1200,
    NEIGHBOUR_EVERY = 40,
    IDLE_LINKS = 8,
    GROWTH_MOST_KIB = 32 * 1024,
    PAYLOAD_MOST_BYTES = 200,
};

static const unsigned long long seeds[] = {20251, 20252};

struct dice {
    unsigned long long seed;
    unsigned long long state;
    unsigned step;
};

struct visitor {
    struct http2_wire wire;
    bool has_finished; /* says no more, and may still have something to hear */
};

struct crowd {
    struct house house;
    struct dice dice;
    struct http2_wire neighbour;
    struct visitor visitors[CLIENTS];
};

/* --- chance -------------------------------------------------------------------------------- */

/* Marsaglia's xorshift, 64 bits: 0 to most. */
static uint32_t upto(struct dice *dice, uint32_t most)
{
    dice->state ^= dice->state << 13;
    dice->state ^= dice->state >> 7;
    dice->state ^= dice->state << 17;
    return (uint32_t)((dice->state >> 16) % ((unsigned long long)most + 1));
}

static void dice_begin(struct dice *dice, unsigned long long seed)
{
    const char *wish = getenv("LB_TEST_SEED");
    *dice = (struct dice){.seed = wish != NULL ? strtoull(wish, NULL, 10) : seed};
    dice->state = dice->seed * 2685821657736338717ULL + 1;
    fprintf(stderr, "seed %llu\n", dice->seed); /* whoever fails, and wherever */
}

/* One that is or was open, the next one, or any. */
static uint32_t any_stream(struct dice *dice, const struct http2_wire *wire)
{
    switch (upto(dice, 7)) {
    case 0:
        return 0;
    case 1:
        return wire->latest + 2;
    case 2:
        return upto(dice, INT32_MAX);
    default:
        return wire->latest > 0 ? 1 + 2 * upto(dice, (wire->latest - 1) / 2) : 1;
    }
}

static uint32_t any_number(struct dice *dice)
{
    static const uint32_t edges[] = {0, 1, 100, 16383, 16384, 65535, 1 << 24, INT32_MAX};
    return upto(dice, 3) == 0 ? upto(dice, UINT32_MAX - 1) : edges[upto(dice, 7)];
}

static size_t any_bytes(struct dice *dice, char *into)
{
    size_t length = upto(dice, PAYLOAD_MOST_BYTES);
    for (size_t i = 0; i < length; i++)
        into[i] = (char)upto(dice, 255);
    return length;
}

/* --- what is said -------------------------------------------------------------------------- */

static void ask(struct dice *dice, struct http2_wire *wire)
{
    static const char *const methods[] = {"GET", "HEAD", "OPTIONS", "DELETE"};
    http2_wire_ask(wire, methods[upto(dice, 3)], upto(dice, 3) == 0 ? "/late" : "/", NULL);
}

static void ask_wrongly(struct dice *dice, struct http2_wire *wire)
{
    static const char *const lines[] = {"X-Upper: y\n", "connection: close\n", ":path: /again\n",
                                        "host: other.example\n", "te: gzip\n"};
    http2_wire_ask(wire, "GET", "/", lines[upto(dice, 4)]);
}

static void upload(struct dice *dice, struct http2_wire *wire)
{
    static const char body[8 * 1024];
    static const char *const lines[] = {NULL, "content-length: 4000\n", "content-length: 0\n",
                                        "expect: 100-continue\n"};
    uint32_t stream = http2_wire_open(wire, "POST", "/", lines[upto(dice, 3)]);
    for (unsigned left = upto(dice, 3); left > 0; left--)
        http2_wire_frame(wire, NGHTTP2_DATA, 0, stream, body, upto(dice, sizeof body));
    if (upto(dice, 2) > 0)
        http2_wire_frame(wire, NGHTTP2_DATA, NGHTTP2_FLAG_END_STREAM, stream, body, 0);
}

static void open_a_tunnel(struct dice *dice, struct http2_wire *wire)
{
    uint32_t stream = http2_wire_open(wire, "CONNECT", "/", ":protocol: websocket\n");
    char bytes[PAYLOAD_MOST_BYTES];
    http2_wire_frame(wire, NGHTTP2_DATA, upto(dice, 1), stream, bytes, any_bytes(dice, bytes));
}

static void say_data(struct dice *dice, struct http2_wire *wire)
{
    char bytes[PAYLOAD_MOST_BYTES];
    size_t length = any_bytes(dice, bytes);
    unsigned flags = upto(dice, 1) | (upto(dice, 3) == 0 ? NGHTTP2_FLAG_PADDED : 0);
    http2_wire_frame(wire, NGHTTP2_DATA, flags, any_stream(dice, wire), bytes, length);
}

static void cancel(struct dice *dice, struct http2_wire *wire)
{
    http2_wire_cancel(wire, any_stream(dice, wire), upto(dice, 15));
}

static void open_a_window(struct dice *dice, struct http2_wire *wire)
{
    http2_wire_window(wire, any_stream(dice, wire), any_number(dice));
}

static void set(struct dice *dice, struct http2_wire *wire)
{
    http2_wire_setting(wire, upto(dice, 10), any_number(dice));
}

static void ping(struct dice *dice, struct http2_wire *wire)
{
    http2_wire_frame(wire, NGHTTP2_PING, upto(dice, 1), 0, "at leisure", 8);
}

static void say_half_a_head(struct dice *dice, struct http2_wire *wire)
{
    uint32_t stream = wire->latest + 2;
    http2_wire_frame(wire, NGHTTP2_HEADERS, upto(dice, 1), stream, "\x82\x84\x87", 3);
    for (unsigned left = upto(dice, 2); left > 0; left--)
        http2_wire_frame(wire, NGHTTP2_CONTINUATION, 0, stream, "\x01\x01", 2 * upto(dice, 1));
    if (upto(dice, 1) > 0)
        http2_wire_frame(wire, NGHTTP2_CONTINUATION, NGHTTP2_FLAG_END_HEADERS, stream,
                         "\x01\x01"
                         "a",
                         3);
    wire->latest = stream;
}

static void say_any_frame(struct dice *dice, struct http2_wire *wire)
{
    char bytes[PAYLOAD_MOST_BYTES];
    size_t length = any_bytes(dice, bytes);
    unsigned type = upto(dice, 18);
    unsigned flags = upto(dice, 255);
    http2_wire_frame(wire, type, flags, any_stream(dice, wire), bytes, length);
}

static void tear_a_frame(struct dice *dice, struct http2_wire *wire)
{
    char bytes[PAYLOAD_MOST_BYTES];
    size_t length = any_bytes(dice, bytes);
    unsigned type = upto(dice, 9);
    http2_wire_header(wire, length + upto(dice, 40000), type, upto(dice, 255),
                      any_stream(dice, wire));
    peer_send(&wire->peer, bytes, length);
}

static void babble(struct dice *dice, struct http2_wire *wire)
{
    char bytes[PAYLOAD_MOST_BYTES];
    peer_send(&wire->peer, bytes, any_bytes(dice, bytes));
}

static void say_goodbye(struct dice *dice, struct http2_wire *wire)
{
    (void)dice;
    http2_wire_frame(wire, NGHTTP2_GOAWAY, 0, 0, "\0\0\0\0\0\0\0\0", 8);
}

/* clang-format off */
static const struct {
    void (*say)(struct dice *dice, struct http2_wire *wire);
    unsigned often;
} words[] = {
    {ask, 30},          {upload, 12},     {say_data, 8},  {cancel, 8},          {open_a_window, 8},
    {set, 6},           {ping, 4},        {ask_wrongly, 4}, {open_a_tunnel, 3}, {say_half_a_head, 4},
    {say_any_frame, 6}, {tear_a_frame, 2}, {babble, 2},   {say_goodbye, 2},
};
/* clang-format on */
enum { WORD_COUNT = sizeof words / sizeof *words, OFTEN = 99 };

static void say_something(struct dice *dice, struct http2_wire *wire)
{
    uint32_t at = upto(dice, OFTEN - 1);
    unsigned word = 0;
    while (word < WORD_COUNT - 1 && at >= words[word].often)
        at -= words[word++].often;
    words[word].say(dice, wire);
}

/* --- the crowd ----------------------------------------------------------------------------- */

/* Who has closed its side properly may still want its answer, so lb waits for it, too. */
static void await_the_end(struct stub_link *link)
{
    atomic_bool *is_over = link->stub->story;
    while (!atomic_load(is_over) && !atomic_load(&link->stub->is_stopping))
        eventually_pause();
}

static void serve(struct stub_link *link)
{
    struct stub_request request;
    while (stub_read(link, &request)) {
        if (strstr(request.head.bytes, "/late") != NULL)
            await_the_end(link);
        if (strncmp(request.head.bytes, "HEAD ", 5) == 0)
            stub_say(link, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n");
        else
            stub_say(link, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        stub_request_done(&request);
    }
    stub_request_done(&request);
}

static void enter(struct crowd *crowd, struct http2_wire *wire)
{
    http2_wire_enter(wire, scene_port(&crowd->house.scene, "web"), NULL);
}

/* Who has finished would wait for lb to do the same, and lb may have something to wait for. */
static void leave(struct dice *dice, struct visitor *visitor)
{
    if (visitor->has_finished || upto(dice, 1) == 0)
        http2_wire_reset(&visitor->wire);
    else
        http2_wire_close(&visitor->wire);
}

/* What has come is read, so that nobody waits for this one. false: the connection ended. */
static bool keep_up(struct http2_wire *wire)
{
    struct http2_frame frame;
    while (peer_has_more(&wire->peer))
        if (!http2_wire_receive(wire, &frame))
            return false;
    return !wire->was_sent_away;
}

static void expect_service(struct crowd *crowd)
{
    unsigned status = http2_wire_get(&crowd->neighbour, "/");
    ck_assert_msg(status == 200, "seed %llu, step %u: the neighbour got %u", crowd->dice.seed,
                  crowd->dice.step, status);
}

static void speak(struct dice *dice, struct visitor *visitor)
{
    if (upto(dice, 99) > 0) {
        say_something(dice, &visitor->wire);
    } else {
        peer_finish(&visitor->wire.peer);
        visitor->has_finished = true;
    }
}

static void step(struct crowd *crowd)
{
    struct dice *dice = &crowd->dice;
    struct visitor *visitor = &crowd->visitors[upto(dice, CLIENTS - 1)];
    if (!visitor->has_finished)
        speak(dice, visitor);
    if (!keep_up(&visitor->wire) || upto(dice, visitor->has_finished ? 3 : 99) == 0) {
        leave(dice, visitor);
        enter(crowd, &visitor->wire);
        visitor->has_finished = false;
    }
    if (crowd->dice.step % NEIGHBOUR_EVERY == 0)
        expect_service(crowd);
}

START_TEST(whatever_they_say_lb_lives_on_and_nothing_of_it_stays)
{
    struct crowd crowd = {0};
    atomic_bool is_over = false;
    process_measure();
    dice_begin(&crowd.dice, seeds[_i]);
    house_open(&crowd.house, &(struct house_plan){.workers = 1,
                                                  .is_https = true,
                                                  .serve = serve,
                                                  .story = &is_over,
                                                  .pool = "idle_links = 8\n"});
    enter(&crowd, &crowd.neighbour);
    expect_service(&crowd);
    unsigned descriptors = process_descriptors(crowd.house.scene.pid);
    for (unsigned i = 0; i < CLIENTS; i++)
        enter(&crowd, &crowd.visitors[i].wire);
    long before_kib = process_memory_kib(crowd.house.scene.pid);
    for (crowd.dice.step = 1; crowd.dice.step <= STEPS; crowd.dice.step++)
        step(&crowd);
    for (unsigned i = 0; i < CLIENTS; i++)
        leave(&crowd.dice, &crowd.visitors[i]);
    expect_service(&crowd);
    atomic_store(&is_over, true);
    eventually(process_descriptors(crowd.house.scene.pid) <= descriptors + IDLE_LINKS);
    long grown_kib = process_memory_kib(crowd.house.scene.pid) - before_kib;
    ck_assert_msg(grown_kib < GROWTH_MOST_KIB, "seed %llu: lb grew by %ld KiB", crowd.dice.seed,
                  grown_kib);
    http2_wire_close(&crowd.neighbour);
    house_close(&crowd.house);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, whatever_they_say_lb_lives_on_and_nothing_of_it_stays, 0,
                        sizeof seeds / sizeof *seeds);
}

CHECK_MAIN("HTTP/2 frames at random harm nobody", add_tests)
