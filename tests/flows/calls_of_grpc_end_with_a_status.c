/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What becomes of a call of gRPC is in the access log, and where its backend leaves it unfinished,
 * its client reads a status in the trailers. Who speaks no gRPC gets a reset that says what it is
 * (RFC 9113 7).
 */
#include <stdlib.h>
#include <string.h>

#include "tests/support/cast.h"
#include "tests/support/check_main.h"
#include "tests/support/eventually.h"
#include "tests/support/h2_backend.h"
#include "tests/support/house.h"
#include "tests/support/http2_wire.h"

#define OF_GRPC "content-type: application/grpc\nte: trailers\n"

static struct house house;
static struct h2_script script;
static struct http2_wire wire;

static void begin(const char *pool)
{
    script = (struct h2_script){0};
    house_open(&house,
               &(struct house_plan){
                   .is_https = true, .serve = h2_backend_serve, .story = &script, .pool = pool});
    http2_wire_enter(&wire, scene_port(&house.scene, "web"), NULL);
}

static void end(void)
{
    http2_wire_close(&wire);
    house_close(&house);
}

static const struct http2_answer *call(const char *path)
{
    return http2_wire_answer(&wire, http2_wire_ask(&wire, "POST", path, OF_GRPC));
}

static bool is_logged(const char *path, const char *status)
{
    char line[256];
    snprintf(line, sizeof line, "\"uri\":\"%s\",\"protocol\":\"HTTP/2\",\"status\":%s,\"bytes\"",
             path, status);
    return scene_access_lines(&house.scene, line) == 1;
}

START_TEST(the_access_log_has_the_status_of_each_call)
{
    begin("protocol = h2\nretries = 0\n");
    ck_assert_ptr_nonnull(strstr(call("/grpc")->trailers.bytes, "grpc-status: 5\n"));
    ck_assert_ptr_nonnull(strstr(call("/grpc-only")->fields.bytes, "grpc-status: 7\n"));
    ck_assert_ptr_nonnull(strstr(call("/die")->fields.bytes, "grpc-status: 14\n"));
    eventually(is_logged("/grpc", "200,\"grpc_status\":5"));
    eventually(is_logged("/grpc-only", "200,\"grpc_status\":7"));
    eventually(is_logged("/die", "502,\"grpc_status\":14"));
    end();
}
END_TEST

START_TEST(answers_of_other_types_have_none_whatever_their_trailers_say)
{
    begin("protocol = h2\n");
    ck_assert_ptr_nonnull(strstr(call("/trailers")->trailers.bytes, "grpc-status: 0\n"));
    ck_assert_uint_eq(http2_wire_get(&wire, "/"), 200);
    eventually(is_logged("/trailers", "200"));
    eventually(is_logged("/", "200"));
    end();
}
END_TEST

START_TEST(a_call_that_its_backend_breaks_off_is_unavailable)
{
    begin("protocol = h2\n");
    const struct http2_answer *answer = call("/grpc-cut");
    ck_assert(answer->has_ended && !answer->was_reset);
    ck_assert_uint_eq(answer->body.length, 7);
    ck_assert_ptr_nonnull(strstr(answer->trailers.bytes, "grpc-status: 14\n"));
    eventually(is_logged("/grpc-cut", "200,\"grpc_status\":14"));
    const struct http2_answer *other =
        http2_wire_answer(&wire, http2_wire_ask(&wire, "GET", "/cut", NULL));
    ck_assert(other->was_reset && !other->has_ended);
    ck_assert_uint_eq(other->code, NGHTTP2_INTERNAL_ERROR);
    end();
}
END_TEST

/* In the middle of an answer, and of a conversation. */
START_TEST(a_call_that_hangs_is_unavailable_and_other_answers_are_cancelled)
{
    begin("protocol = h2\nanswer_timeout = 2s\ntunnel_timeout = 2s\n");
    uint32_t call_id = http2_wire_ask(&wire, "POST", "/grpc-hang", OF_GRPC);
    uint32_t talk_id = http2_wire_open(&wire, "POST", "/grpc-hang", OF_GRPC);
    uint32_t page_id = http2_wire_ask(&wire, "GET", "/hold", NULL);
    const struct http2_answer *answer = http2_wire_answer(&wire, call_id);
    const struct http2_answer *talk = http2_wire_answer(&wire, talk_id);
    const struct http2_answer *page = http2_wire_answer(&wire, page_id);
    ck_assert(answer->has_ended && !answer->was_reset);
    ck_assert_ptr_nonnull(strstr(answer->trailers.bytes, "grpc-status: 14\n"));
    ck_assert_ptr_nonnull(strstr(answer->trailers.bytes, "grpc-message: 504 backend-late: "));
    ck_assert(talk->has_ended);
    ck_assert_ptr_nonnull(strstr(talk->trailers.bytes, "grpc-status: 14\n"));
    ck_assert_ptr_nonnull(strstr(talk->trailers.bytes, "grpc-message: 504 stream-silent: "));
    ck_assert(page->was_reset && !page->has_ended);
    ck_assert_uint_eq(page->code, NGHTTP2_CANCEL);
    ck_assert(http2_wire_ping(&wire) && !wire.was_sent_away);
    end();
}
END_TEST

/* A chunked body that ends well would look whole. */
START_TEST(over_http1_an_unfinished_answer_stays_unfinished)
{
    struct peer peer;
    begin("protocol = h2\n");
    ck_assert(
        peer_connect_tls(&peer, scene_port(&house.scene, "web"), WISH(&house.scene, .who = NULL)));
    ck_assert(peer_say(&peer, "POST /grpc-cut HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n"
                              "Content-Type: application/grpc\r\n\r\n"));
    peer_receive_all(&peer);
    ck_assert_ptr_nonnull(strstr(peer.inbox.bytes, "HTTP/1.1 200 "));
    ck_assert_ptr_null(memmem(peer.inbox.bytes, peer.inbox.length, "grpc-status", 11));
    ck_assert_ptr_null(memmem(peer.inbox.bytes, peer.inbox.length, "\r\n0\r\n", 5));
    peer_close(&peer);
    end();
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, the_access_log_has_the_status_of_each_call);
    tcase_add_test(tcase, answers_of_other_types_have_none_whatever_their_trailers_say);
    tcase_add_test(tcase, a_call_that_its_backend_breaks_off_is_unavailable);
    tcase_add_test(tcase, a_call_that_hangs_is_unavailable_and_other_answers_are_cancelled);
    tcase_add_test(tcase, over_http1_an_unfinished_answer_stays_unfinished);
}

CHECK_MAIN("calls of gRPC end with a status", add_tests)
