/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Browsers ask on one HTTP/2 connection for all hosts that its certificate names (RFC 9113 9.1.1).
 * What the handshake settled with the client holds for its own domain and for those that ask the
 * same: a request for any other gets 421, it alone, and is served on a connection of its own.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/support/cast.h"
#include "tests/support/check_main.h"
#include "tests/support/eventually.h"
#include "tests/support/http2_wire.h"
#include "tests/support/stub_backend.h"

/* clang-format off */
static const char ini[] =
    "[listener web]\naddress = 127.0.0.1:@web\nsni = on\n\n"
#define RULE(name, auth)                                                                           \
    "[rule " name "]\nlistener = web\ndomain = " name ".example.com\npool = app\n"                 \
    "certificate = server.crt\ncertificate_key = server.key\n" auth "\n"
    RULE("staff", "mutual_auth = require\nclient_ca = ca.crt\n")
    RULE("desk", "mutual_auth = require\nclient_ca = ca.crt\n")
    RULE("partner", "mutual_auth = require\nclient_ca = partner-ca.crt\n")
    RULE("free", "mutual_auth = off\n")
    "[pool app]\nbackend = rs-1 127.0.0.1:@rs-1\nhealth_check = off\n";
/* clang-format on */

static struct scene scene;
static struct stub_backend backend;

static void begin(void)
{
    scene_begin(&scene);
    cast_write(&scene);
    stub_start(&backend, "rs-1", NULL);
    scene_set_port(&scene, "rs-1", backend.port);
    scene_start(&scene, ini);
}

static void end(void)
{
    scene_end(&scene);
    stub_stop(&backend);
}

/* A request for this host on the next stream, which is returned. */
static uint32_t ask(struct http2_wire *wire, const char *method, const char *host, unsigned flags)
{
    struct text block = {0}, lines = {0};
    text_add_format(&lines, ":method: %s\n:scheme: https\n:path: /\n:authority: %s.example.com\n",
                    method, host);
    wire->latest += wire->latest == 0 ? 1 : 2;
    http2_block_add_lines(&block, lines.bytes);
    http2_wire_block(wire, wire->latest, flags, &block);
    text_done(&lines);
    text_done(&block);
    return wire->latest;
}

static unsigned get(struct http2_wire *wire, const char *host)
{
    const struct http2_answer *answer =
        http2_wire_answer(wire, ask(wire, "GET", host, NGHTTP2_FLAG_END_STREAM));
    ck_assert(answer->has_ended && !answer->was_reset);
    return answer->status;
}

static void expect_served(const char *host, const char *who)
{
    char sni[64];
    struct http2_wire wire;
    snprintf(sni, sizeof sni, "%s.example.com", host);
    http2_wire_enter(&wire, scene_port(&scene, "web"), WISH(&scene, .who = who, .sni = sni));
    ck_assert_uint_eq(get(&wire, host), 200);
    http2_wire_close(&wire);
}

static void expect_misdirected(struct http2_wire *wire, const char *host)
{
    uint32_t stream = ask(wire, "GET", host, NGHTTP2_FLAG_END_STREAM);
    const struct http2_answer *answer = http2_wire_answer(wire, stream);
    ck_assert_msg(answer->status == 421, "%s: %u", host, answer->status);
    ck_assert(answer->has_ended && !answer->was_reset);
    ck_assert_ptr_nonnull(strstr(answer->fields.bytes, "x-lb-reason: host-mismatch\n"));
}

static void expect_unheard(const char *host)
{
    char *heard = stub_heard(&backend);
    ck_assert_msg(!strstr(heard, host), "%s", heard);
    free(heard);
}

START_TEST(it_alone_gets_421_and_the_others_go_on)
{
    struct http2_wire wire;
    begin();
    http2_wire_enter(&wire, scene_port(&scene, "web"),
                     WISH(&scene, .who = "alice", .sni = "staff.example.com"));
    uint32_t upload = ask(&wire, "POST", "staff", 0);
    ck_assert(http2_wire_data(&wire, upload, "half", 4, false));
    ck_assert_uint_eq(get(&wire, "desk"), 200);
    expect_misdirected(&wire, "free");
    expect_misdirected(&wire, "partner");
    ck_assert(http2_wire_data(&wire, upload, "whole", 5, true));
    ck_assert_uint_eq(http2_wire_answer(&wire, upload)->status, 200);
    ck_assert_uint_eq(get(&wire, "staff"), 200);
    ck_assert_uint_eq(get(&wire, "desk"), 200);
    ck_assert(http2_wire_ping(&wire) && !wire.was_sent_away);
    http2_wire_close(&wire);
    eventually(scene_access_lines(&scene, "\"status\":421") == 2);
    expect_unheard("free.example.com");
    expect_unheard("partner.example.com");
    expect_served("free", NULL);
    expect_served("partner", "bob");
    end();
}
END_TEST

/* Nor does it help to have come where nobody is asked. */
START_TEST(who_came_without_a_certificate_gets_it_wherever_one_is_asked_for)
{
    struct http2_wire wire;
    begin();
    http2_wire_enter(&wire, scene_port(&scene, "web"),
                     WISH(&scene, .who = NULL, .sni = "free.example.com"));
    expect_misdirected(&wire, "staff");
    expect_misdirected(&wire, "partner");
    ck_assert_uint_eq(get(&wire, "free"), 200);
    ck_assert(http2_wire_ping(&wire) && !wire.was_sent_away);
    http2_wire_close(&wire);
    expect_unheard("staff.example.com");
    expect_unheard("partner.example.com");
    end();
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, it_alone_gets_421_and_the_others_go_on);
    tcase_add_test(tcase, who_came_without_a_certificate_gets_it_wherever_one_is_asked_for);
}

CHECK_MAIN("a coalesced request of another policy goes elsewhere", add_tests)
