/* SPDX-License-Identifier: Apache-2.0 */
/* Connections, handshakes, requests and answers of the running program, over two workers and over
 * reloads: each is in GET /metrics, once. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/api_call.h"
#include "tests/support/cast.h"
#include "tests/support/check_main.h"
#include "tests/support/eventually.h"
#include "tests/support/http2_wire.h"
#include "tests/support/metrics_text.h"
#include "tests/support/stub_backend.h"

/* clang-format off */
static const char ini[] =
    "[lb]\nworkers = 2\naccess_log = off\n\n"
    "[listener tls]\naddress = 127.0.0.1:@tls\ncertificate = server.crt\ncertificate_key = server.key\n"
    "mutual_auth = require\nclient_ca = ca.crt\n\n"
    "[listener plain]\naddress = 127.0.0.1:@plain\nprotocol = http\n\n"
    "[rule app]\nlistener = tls\nlistener = plain\npool = app\n\n"
    "[rule none]\nlistener = plain\nurl = /own\nrespond = 204\n\n"
    "[pool app]\nbackend = rs-1 127.0.0.1:@rs-1\nhealth_check = off\n";
/* clang-format on */

static struct scene scene;
static struct stub_backend backend;

static void answer(struct stub_link *link)
{
    struct stub_request request;
    while (stub_read(link, &request)) {
        bool is_never = strstr(request.head.bytes, " /never ") != NULL;
        bool is_lost = strstr(request.head.bytes, " /lost ") != NULL;
        if (!is_never)
            stub_say(link, is_lost ? "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
                                   : "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nrs-1");
        stub_request_done(&request);
    }
    stub_request_done(&request);
}

static void begin(void)
{
    scene_begin(&scene);
    cast_write(&scene);
    stub_start_with(&backend, "rs-1", answer, NULL);
    scene_set_port(&scene, "rs-1", backend.port);
    scene_start(&scene, ini);
}

static void end(void)
{
    scene_end(&scene);
    stub_stop(&backend);
}

static char *metrics(void)
{
    char type[128];
    char *text = api_text(&scene, "/metrics", type, sizeof type);
    const char *fault = metrics_text_fault(text);
    ck_assert_msg(!fault, "%s", fault);
    return text;
}

/* Closed by NULL, as metrics_text_find takes it. */
#define COUNT(name, ...)                                                                           \
    __extension__({                                                                                \
        char *all_ = metrics();                                                                    \
        double value_ = -1;                                                                        \
        ck_assert_msg(metrics_text_find(all_, &value_, name, __VA_ARGS__), "%s:\n%s", name, all_); \
        free(all_);                                                                                \
        (unsigned)value_;                                                                          \
    })

/* A connection with so many requests for `/` and one for /lost. */
static void come_in(unsigned requests, SSL_SESSION **session)
{
    struct peer peer;
    ck_assert(peer_connect_tls(&peer, scene_port(&scene, "tls"),
                               WISH(&scene, .who = "alice", .session = *session)));
    for (unsigned i = 0; i < requests; i++)
        ck_assert_uint_eq(peer_ask(&peer, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"), 200);
    ck_assert_uint_eq(peer_ask(&peer, "GET /lost HTTP/1.1\r\nHost: a\r\n\r\n"), 404);
    ck_assert_int_eq(peer_was_resumed(&peer), *session != NULL);
    SSL_SESSION_free(*session);
    *session = peer_take_session(&peer);
    peer_close(&peer);
}

static void come_without_certificate(void)
{
    struct peer peer;
    if (peer_connect_tls(&peer, scene_port(&scene, "tls"), WISH(&scene, .who = NULL)))
        peer_receive_all(&peer);
    peer_close(&peer);
}

static void post(const char *path, const char *body, unsigned status)
{
    struct peer peer;
    char request[256];
    snprintf(request, sizeof request,
             "POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: %zu\r\n\r\n%s", path, strlen(body),
             body);
    peer_connect(&peer, scene_port(&scene, "plain"));
    ck_assert_uint_eq(peer_ask(&peer, request), status);
    peer_close(&peer);
}

/* A client may have its answer a moment before that is counted: what comes last is waited for. */
START_TEST(what_clients_do_is_counted_over_all_workers_and_reloads)
{
    SSL_SESSION *session = NULL;
    begin();
    ck_assert_uint_eq(COUNT("lb_requests_total", "listener=\"tls\"", "code=\"2xx\"", NULL), 0);
    for (unsigned i = 0; i < 4; i++)
        come_in(2, &session);
    ck_assert(scene_reload(&scene, ini));
    for (unsigned i = 0; i < 4; i++)
        come_in(2, &session);
    come_without_certificate();
    SSL_SESSION_free(session);
    eventually(COUNT("lb_handshakes_total", "listener=\"tls\"", "handshake=\"failed\"", NULL) == 1);
    eventually(COUNT("lb_request_duration_seconds_count", "listener=\"tls\"", NULL) == 24);
    ck_assert_uint_eq(COUNT("lb_handshakes_total", "listener=\"tls\"", "handshake=\"full\"", NULL),
                      1);
    ck_assert_uint_eq(
        COUNT("lb_handshakes_total", "listener=\"tls\"", "handshake=\"resumed\"", NULL), 7);
    ck_assert_uint_eq(COUNT("lb_connections_total", "listener=\"tls\"", NULL), 9);
    ck_assert_uint_eq(COUNT("lb_requests_total", "listener=\"tls\"", "code=\"2xx\"", NULL), 16);
    ck_assert_uint_eq(COUNT("lb_requests_total", "listener=\"tls\"", "code=\"4xx\"", NULL), 8);
    ck_assert_uint_eq(COUNT("lb_requests_total", "listener=\"plain\"", "code=\"2xx\"", NULL), 0);
    ck_assert_uint_eq(
        COUNT("lb_request_duration_seconds_bucket", "listener=\"tls\"", "le=\"+Inf\"", NULL), 24);
    ck_assert_uint_eq(COUNT("lb_backend_answers_total", "pool=\"app\"", "code=\"2xx\"", NULL), 16);
    ck_assert_uint_eq(COUNT("lb_backend_answers_total", "pool=\"app\"", "code=\"4xx\"", NULL), 8);
    ck_assert_uint_eq(COUNT("lb_backend_served_total", "pool=\"app\"", NULL), 24);
    end();
}
END_TEST

START_TEST(bytes_of_bodies_are_counted_both_ways_and_lb_s_own_answers_too)
{
    begin();
    post("/", "twelve bytes", 200);
    post("/own", "five!", 204);
    post("/", "", 200);
    eventually(COUNT("lb_requests_total", "listener=\"plain\"", "code=\"2xx\"", NULL) == 3);
    ck_assert_uint_ge(COUNT("lb_request_body_bytes_total", "listener=\"plain\"", NULL), 12);
    ck_assert_uint_eq(COUNT("lb_answer_body_bytes_total", "listener=\"plain\"", NULL), 8);
    ck_assert_uint_eq(COUNT("lb_connections_total", "listener=\"plain\"", NULL), 3);
    char *text = metrics();
    bool has_handshakes = strstr(text, "lb_handshakes_total{listener=\"plain\"") != NULL;
    ck_assert_int_eq(has_handshakes, peer_http2_is_wanted()); /* it is not plain then (secured.h) */
    free(text);
    end();
}
END_TEST

/* Nobody answered it, and somebody must be able to see that. */
START_TEST(who_goes_away_before_its_answer_is_counted_as_such)
{
    struct peer peer;
    begin();
    peer_connect(&peer, scene_port(&scene, "plain"));
    peer_say(&peer, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf");
    eventually(COUNT("lb_connections_total", "listener=\"plain\"", NULL) == 1);
    peer_close(&peer);
    eventually(COUNT("lb_requests_total", "listener=\"plain\"", "code=\"none\"", NULL) == 1);
    ck_assert_uint_eq(COUNT("lb_request_duration_seconds_count", "listener=\"plain\"", NULL), 0);
    end();
}
END_TEST

static long long requests_of_plain(void)
{
    json_t *json;
    ck_assert_uint_eq(api_call(&scene, "GET", "/v1/status", NULL, &json), 200);
    const json_t *plain = json_array_get(json_object_get(json, "listeners"), 1);
    ck_assert_str_eq(json_string_value(json_object_get(plain, "name")), "plain");
    long long requests = json_integer_value(json_object_get(plain, "requests"));
    json_decref(json);
    return requests;
}

START_TEST(the_status_has_the_requests_of_each_listener)
{
    begin();
    post("/", "x", 200);
    post("/own", "x", 204);
    eventually(requests_of_plain() == 2);
    end();
}
END_TEST

static void enter(struct http2_wire *wire)
{
    http2_wire_enter(wire, scene_port(&scene, "tls"), WISH(&scene, .who = "alice"));
}

static unsigned open_connections(void)
{
    return COUNT("lb_http2_connections", "listener=\"tls\"", NULL);
}

static unsigned open_streams(void)
{
    return COUNT("lb_http2_streams", "listener=\"tls\"", NULL);
}

static unsigned requests_in(const char *label)
{
    return COUNT("lb_requests_by_protocol_total", "listener=\"tls\"", label, NULL);
}

START_TEST(connections_and_streams_of_http2_are_told_while_they_are_open)
{
    SSL_SESSION *session = NULL;
    struct http2_wire one, other;
    begin();
    come_in(2, &session);
    SSL_SESSION_free(session);
    ck_assert_uint_eq(open_connections(), 0);
    enter(&one);
    enter(&other);
    ck_assert_uint_eq(http2_wire_get(&one, "/"), 200);
    uint32_t first = http2_wire_ask(&one, "GET", "/never", NULL);
    http2_wire_ask(&one, "GET", "/never", NULL);
    http2_wire_ask(&one, "GET", "/never", NULL);
    http2_wire_ask(&other, "GET", "/never", NULL);
    eventually(open_streams() == 4);
    ck_assert_uint_eq(open_connections(), 2);
    ck_assert(scene_reload(&scene, ini));
    for (uint32_t stream = first; stream <= one.latest; stream += 2)
        http2_wire_cancel(&one, stream, NGHTTP2_CANCEL);
    http2_wire_close(&one);
    eventually(open_connections() == 1 && open_streams() == 1);
    http2_wire_cancel(&other, other.latest, NGHTTP2_CANCEL);
    eventually(open_streams() == 0);
    ck_assert_uint_eq(open_connections(), 1);
    http2_wire_close(&other);
    eventually(open_connections() == 0);
    eventually(requests_in("protocol=\"HTTP/2\"") == 5);
    ck_assert_uint_eq(requests_in("protocol=\"HTTP/1.1\""), 3);
    ck_assert_uint_eq(requests_in("protocol=\"HTTP/1.0\""), 0);
    char *text = metrics();
    ck_assert_ptr_null(strstr(text, "lb_http2_connections{listener=\"plain\""));
    free(text);
    end();
}
END_TEST

START_TEST(who_floods_is_counted_by_the_kind_of_flood)
{
    enum { PINGS = 1000 };
    struct http2_wire wire;
    begin();
    ck_assert_uint_eq(
        COUNT("lb_http2_floods_total", "listener=\"tls\"", "flood=\"ping-flood\"", NULL), 0);
    enter(&wire);
    wire.by_hand = true;
    for (unsigned i = 0; i < PINGS; i++)
        http2_wire_frame(&wire, NGHTTP2_PING, 0, 0, "flooding", 8);
    http2_wire_receive_all(&wire);
    http2_wire_close(&wire);
    ck_assert_uint_eq(
        COUNT("lb_http2_floods_total", "listener=\"tls\"", "flood=\"ping-flood\"", NULL), 1);
    ck_assert_uint_eq(
        COUNT("lb_http2_floods_total", "listener=\"tls\"", "flood=\"reset-flood\"", NULL), 0);
    end();
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, what_clients_do_is_counted_over_all_workers_and_reloads);
    tcase_add_test(tcase, bytes_of_bodies_are_counted_both_ways_and_lb_s_own_answers_too);
    tcase_add_test(tcase, who_goes_away_before_its_answer_is_counted_as_such);
    /* They bring clients of HTTP/2 along, next to those of HTTP/1. */
    tcase_add_http1_test(tcase, connections_and_streams_of_http2_are_told_while_they_are_open);
    tcase_add_http1_test(tcase, who_floods_is_counted_by_the_kind_of_flood);
    tcase_add_test(tcase, the_status_has_the_requests_of_each_listener);
}

CHECK_MAIN("what goes through is counted", add_tests)
