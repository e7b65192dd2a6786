/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hundreds of requests are open on several connections of HTTP/2 when lb is told to end, loses the
 * listener by a reload, or asks its clients for something else from then on. Every client is told
 * which request was the last one (GOAWAY, RFC 9113, 6.8), and every request up to it is answered.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/support/cast.h"
#include "tests/support/check_main.h"
#include "tests/support/eventually.h"
#include "tests/support/http2_wire.h"
#include "tests/support/stub_backend.h"

enum { CONNECTIONS = 4, STREAMS = 60, OPEN = CONNECTIONS * STREAMS };

/* clang-format off */
#define LISTENER(name, keys) \
    "[listener " name "]\naddress = 127.0.0.1:@" name "\ncertificate = server.crt\ncertificate_key = server.key\n" keys "\n"
#define INI(listeners, rule) \
    "[lb]\nworkers = 2\naccess_log = access.log\ndrain_timeout = 60s\n\n" listeners \
    "[rule all]\n" rule "pool = app\n\n" \
    "[pool app]\nbackend = rs-1 127.0.0.1:@rs-1\nhealth_check = off\nanswer_timeout = 60s\n"
static const char before[] = INI(LISTENER("web", "") LISTENER("other", ""), "listener = web\nlistener = other\n");
static const char without_it[] = INI(LISTENER("other", ""), "listener = other\n");
static const char asking_more[] = INI(LISTENER("web", "mutual_auth = request\nclient_ca = ca.crt\n") LISTENER("other", ""),
                                      "listener = web\nlistener = other\n");
/* clang-format on */

struct evening {
    struct scene scene;
    struct stub_backend backend;
    atomic_uint held;
    atomic_bool may_answer;
    struct http2_wire wires[CONNECTIONS];
};

static void answer_when_told(struct stub_link *link)
{
    struct evening *evening = link->stub->story;
    struct stub_request request;
    while (stub_read(link, &request)) {
        atomic_fetch_add(&evening->held, 1);
        while (!atomic_load(&evening->may_answer) && !atomic_load(&link->stub->is_stopping))
            eventually_pause();
        stub_say(link, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nkept");
        stub_request_done(&request);
    }
    stub_request_done(&request);
}

static void evening_begin(struct evening *evening)
{
    *evening = (struct evening){0};
    scene_begin(&evening->scene);
    cast_write(&evening->scene);
    stub_start_with(&evening->backend, "rs-1", answer_when_told, evening);
    scene_set_port(&evening->scene, "rs-1", evening->backend.port);
    scene_start(&evening->scene, before);
    for (unsigned i = 0; i < CONNECTIONS; i++) {
        struct http2_wire *wire = &evening->wires[i];
        http2_wire_enter(wire, scene_port(&evening->scene, "web"), NULL);
        for (unsigned stream = 0; stream < STREAMS; stream++)
            http2_wire_ask(wire, "GET", "/held", NULL);
        ck_assert(http2_wire_ping(wire));
    }
    eventually(atomic_load(&evening->held) == OPEN);
}

static void evening_end(struct evening *evening)
{
    for (unsigned i = 0; i < CONNECTIONS; i++)
        http2_wire_close(&evening->wires[i]);
    scene_end(&evening->scene);
    stub_stop(&evening->backend);
}

static void end_the_program(struct evening *evening)
{
    scene_terminate(&evening->scene);
}

static void take_the_listener_away(struct evening *evening)
{
    ck_assert(scene_reload(&evening->scene, without_it));
}

static void ask_for_certificates(struct evening *evening)
{
    ck_assert(scene_reload(&evening->scene, asking_more));
}

static void (*const turns[])(struct evening *evening) = {
    end_the_program,
    take_the_listener_away,
    ask_for_certificates,
};

static void await_goaway(struct http2_wire *wire)
{
    struct http2_frame frame;
    while (!wire->was_sent_away)
        ck_assert_msg(http2_wire_receive(wire, &frame), "the connection ended without GOAWAY");
    ck_assert_uint_eq(wire->goaway_code, NGHTTP2_NO_ERROR);
    ck_assert_uint_ge(wire->goaway_last, wire->latest);
}

/* The connection ends by itself when the last one is answered. What was asked after the first
 * GOAWAY may be beyond the last request: then nobody has seen it, and it may be asked elsewhere. */
static unsigned count_answered(struct http2_wire *wire, uint32_t late)
{
    unsigned answered = 0;
    http2_wire_receive_all(wire);
    ck_assert_uint_eq(wire->goaway_code, NGHTTP2_NO_ERROR);
    ck_assert(!wire->peer.was_reset);
    for (uint32_t stream = 1; stream <= late; stream += 2) {
        const struct http2_answer *answer = http2_wire_so_far(wire, stream);
        bool is_answered = answer->status == 200 && answer->has_ended && !answer->was_reset;
        ck_assert_msg(is_answered || stream > wire->goaway_last, "stream %u of %u was lost", stream,
                      wire->goaway_last);
        ck_assert_uint_eq(answer->body.length, is_answered ? 4 : 0);
        answered += is_answered;
    }
    return answered;
}

START_TEST(hundreds_of_open_streams_are_answered)
{
    struct evening evening;
    uint32_t late[CONNECTIONS];
    unsigned answered = 0;
    evening_begin(&evening);
    turns[_i](&evening);
    for (unsigned i = 0; i < CONNECTIONS; i++) {
        await_goaway(&evening.wires[i]);
        late[i] = http2_wire_ask(&evening.wires[i], "GET", "/late", NULL);
    }
    atomic_store(&evening.may_answer, true);
    for (unsigned i = 0; i < CONNECTIONS; i++)
        answered += count_answered(&evening.wires[i], late[i]);
    ck_assert_uint_ge(answered, OPEN);
    ck_assert_uint_eq(answered, atomic_load(&evening.backend.requests));
    ck_assert(!scene_log_has(&evening.scene, "lb.drain-late", NULL));
    if (turns[_i] == end_the_program)
        scene_await_end(&evening.scene);
    eventually(scene_access_lines(&evening.scene, "\"status\":200") == answered);
    evening_end(&evening);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, hundreds_of_open_streams_are_answered, 0,
                        sizeof turns / sizeof *turns);
}

CHECK_MAIN("HTTP/2 drains lose no stream", add_tests)
