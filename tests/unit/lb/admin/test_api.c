/* SPDX-License-Identifier: Apache-2.0 */
/* Requests with bodies and answers of any size, on routes of the test's own, which take the place
 * of the program's. */
#include "lb/admin/api.h"

#include "tests/unit/lb/admin/admin_stage.h"

enum { BODY_BYTES = 3 * 1024 * 1024, NAMES = 200000 };

static const char ini[] = "[listener web]\naddress = 127.0.0.1:8080\nprotocol = http\n"
                          "[rule www]\nlistener = web\npool = app\n"
                          "[pool app]\nbackend = rs-1 127.0.0.1:9001\n";

static struct admin_stage stage;
static unsigned handled_count;

/* Says how long the string in the body is. */
static void measure(struct api_request *request)
{
    struct json_writer writer = {0};
    handled_count++;
    writer_object(&writer, NULL);
    writer_number(&writer, "length",
                  request->json ? (int64_t)json_string_length(json_object_get(request->json, "s"))
                                : -1);
    writer_end(&writer);
    api_answer(request, 200, &writer);
}

static void list(struct api_request *request)
{
    struct json_writer writer = {0};
    char name[32];
    handled_count++;
    writer_array(&writer, NULL);
    for (int i = 0; i < NAMES; i++) {
        snprintf(name, sizeof name, "name-%d", i);
        writer_text(&writer, NULL, name);
    }
    writer_end(&writer);
    api_answer(request, 200, &writer);
}

/* As a handler that met a writer without memory. */
static void lack_memory(struct api_request *request)
{
    struct json_writer writer = {.has_failed = true};
    api_answer(request, 200, &writer);
}

const char *const api_keys_of_handler[] = {NULL};
static const char *const keys[] = {"limit", NULL};

const struct api_route api_routes[] = {
    {HTTP_POST, "/measure", BODY_BYTES, measure, NULL},
    {HTTP_GET, "/list", 0, list, keys},
    {HTTP_GET, "/lack", 0, lack_memory, NULL},
    {0},
};

static void begin(void)
{
    handled_count = 0;
    stage_open(&stage, ini);
}

static void end(void)
{
    stage_close(&stage);
}

struct saying {
    const char *bytes;
    size_t left;
};

/* true: all is said, or nobody listens any more. */
static bool say_more(struct caller *caller, struct saying *saying)
{
    ssize_t sent = send(caller->fd, saying->bytes, saying->left, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0)
        return errno != EAGAIN;
    saying->bytes += sent;
    saying->left -= (size_t)sent;
    return saying->left == 0;
}

static void say_all(struct caller *caller, const char *bytes, size_t length)
{
    struct saying saying = {bytes, length};
    stage_until(&stage, say_more(caller, &saying));
}

static void say_text(struct caller *caller, const char *text)
{
    say_all(caller, text, strlen(text));
}

/* {"s":"xxx…"} of so many bytes. */
static char *make_body(size_t length)
{
    char *body = malloc(length + 1);
    memset(body, 'x', length);
    memcpy(body, "{\"s\":\"", 6);
    memcpy(body + length - 2, "\"}", 3);
    return body;
}

static unsigned post(const char *body, size_t length, json_t **ret_json)
{
    struct caller caller;
    char head[128];
    snprintf(
        head, sizeof head,
        "POST /measure HTTP/1.1\r\nHost: lb\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n",
        length);
    caller_connect(&stage, &caller);
    say_text(&caller, head);
    say_all(&caller, body, length);
    unsigned status = caller_answer(&stage, &caller, ret_json);
    caller_done(&caller);
    return status;
}

static bool has_received(struct caller *caller)
{
    caller_receive(caller);
    return caller->inbox.length > 0;
}

static const size_t lengths[] = {8, 9, 70000, 1000000, BODY_BYTES};

START_TEST(a_body_of_megabytes_is_read_as_json)
{
    json_t *json;
    char *body = make_body(lengths[_i]);
    ck_assert_uint_eq(post(body, lengths[_i], &json), 200);
    ck_assert_int_eq(json_number_at(json, "length"), (long long)lengths[_i] - 8);
    json_decref(json);
    free(body);
}
END_TEST

START_TEST(a_body_that_is_too_large_is_refused)
{
    json_t *json;
    char *body = make_body(BODY_BYTES + 1);
    ck_assert_uint_eq(post(body, BODY_BYTES + 1, &json), 413);
    ck_assert_str_eq(json_at(json, "error.text", NULL), "the body is larger than 3145728 bytes");
    ck_assert_uint_eq(handled_count, 0);
    json_decref(json);
    free(body);
}
END_TEST

START_TEST(no_body_is_no_json)
{
    json_t *json;
    ck_assert_uint_eq(post("", 0, &json), 200);
    ck_assert_int_eq(json_number_at(json, "length"), -1);
    json_decref(json);
}
END_TEST

static const char *const not_json[] = {"{", "{\"s\":1,\"s\":2}", "nonsense", "{} {}", "\xff"};

START_TEST(what_is_no_json_is_refused_with_its_place)
{
    json_t *json;
    ck_assert_uint_eq(post(not_json[_i], strlen(not_json[_i]), &json), 400);
    ck_assert_str_eq(json_at(json, "error.reason", NULL), "no-json");
    ck_assert_ptr_nonnull(strstr(json_at(json, "error.text", NULL), "line 1, column "));
    ck_assert_uint_eq(handled_count, 0);
    json_decref(json);
}
END_TEST

START_TEST(deep_json_does_not_end_the_process)
{
    enum { DEPTH = 100000 };
    json_t *json;
    char *body = malloc(DEPTH);
    memset(body, '[', DEPTH);
    ck_assert_uint_eq(post(body, DEPTH, &json), 400);
    json_decref(json);
    free(body);
}
END_TEST

START_TEST(a_chunked_body_counts_like_any_other)
{
    struct caller caller;
    json_t *json;
    caller_connect(&stage, &caller);
    say_text(&caller, "POST /measure HTTP/1.1\r\nHost: lb\r\nConnection: close\r\n"
                      "Transfer-Encoding: chunked\r\n\r\n5\r\n{\"s\":\r\n");
    for (int i = 0; i < 5; i++)
        stage_turn(&stage);
    say_text(&caller, "5\r\n\"ab\"}\r\n0\r\n\r\n");
    ck_assert_uint_eq(caller_answer(&stage, &caller, &json), 200);
    ck_assert_int_eq(json_number_at(json, "length"), 2);
    json_decref(json);
    caller_done(&caller);
}
END_TEST

START_TEST(a_body_framed_badly_is_refused)
{
    struct caller caller;
    json_t *json;
    caller_connect(&stage, &caller);
    say_text(&caller, "POST /measure HTTP/1.1\r\nHost: lb\r\nConnection: close\r\n"
                      "Transfer-Encoding: chunked\r\n\r\nzz\r\n");
    ck_assert_uint_eq(caller_answer(&stage, &caller, &json), 400);
    ck_assert_str_eq(json_at(json, "error.reason", NULL), "bad-body");
    json_decref(json);
    caller_done(&caller);
}
END_TEST

START_TEST(who_waits_to_be_told_to_send_is_told)
{
    struct caller caller;
    json_t *json;
    caller_connect(&stage, &caller);
    say_text(&caller, "POST /measure HTTP/1.1\r\nHost: lb\r\nConnection: close\r\n"
                      "Content-Length: 9\r\nExpect: 100-continue\r\n\r\n");
    stage_until(&stage, has_received(&caller));
    text_add(&caller.inbox, "", 0);
    ck_assert_str_eq(caller.inbox.bytes, "HTTP/1.1 100 Continue\r\n\r\n");
    text_drop(&caller.inbox, caller.inbox.length);
    say_text(&caller, "{\"s\":\"a\"}");
    ck_assert_uint_eq(caller_answer(&stage, &caller, &json), 200);
    ck_assert_int_eq(json_number_at(json, "length"), 1);
    json_decref(json);
    caller_done(&caller);
}
END_TEST

START_TEST(who_leaves_within_a_body_is_forgotten)
{
    struct caller caller;
    caller_connect(&stage, &caller);
    say_text(&caller, "POST /measure HTTP/1.1\r\nHost: lb\r\nContent-Length: 9\r\n\r\n{\"s\"");
    for (int i = 0; i < 5; i++)
        stage_turn(&stage);
    caller_done(&caller);
    for (int i = 0; i < 5; i++)
        stage_turn(&stage);
    ck_assert_uint_eq(handled_count, 0);
}
END_TEST

START_TEST(a_large_answer_arrives_whole)
{
    json_t *json;
    ck_assert_uint_eq(stage_ask(&stage, "GET", "/list", &json), 200);
    ck_assert_uint_eq(json_array_size(json), NAMES);
    ck_assert_str_eq(json_string_value(json_array_get(json, NAMES - 1)), "name-199999");
    json_decref(json);
}
END_TEST

START_TEST(head_gives_no_body)
{
    json_t *json;
    ck_assert_uint_eq(stage_ask(&stage, "HEAD", "/list", &json), 200);
    ck_assert_ptr_null(json);
    ck_assert_uint_eq(handled_count, 1);
}
END_TEST

/* Most of the answer waits for somebody who does not read; others are served meanwhile. */
START_TEST(who_does_not_read_holds_up_nobody)
{
    static const char request[] = "GET /list HTTP/1.1\r\nHost: lb\r\nConnection: close\r\n\r\n";
    struct caller slow;
    json_t *json;
    caller_connect(&stage, &slow);
    caller_say(&slow, request, strlen(request));
    stage_until(&stage, handled_count == 1);
    ck_assert_uint_eq(post("{\"s\":\"a\"}", 9, &json), 200);
    json_decref(json);
    ck_assert_uint_eq(caller_answer(&stage, &slow, &json), 200);
    ck_assert_uint_eq(json_array_size(json), NAMES);
    json_decref(json);
    caller_done(&slow);
}
END_TEST

START_TEST(who_leaves_within_an_answer_is_forgotten)
{
    static const char request[] = "GET /list HTTP/1.1\r\nHost: lb\r\n\r\n";
    struct caller slow;
    caller_connect(&stage, &slow);
    caller_say(&slow, request, strlen(request));
    stage_until(&stage, handled_count == 1);
    caller_receive(&slow);
    caller_done(&slow);
    for (int i = 0; i < 5; i++)
        stage_turn(&stage);
}
END_TEST

START_TEST(one_connection_serves_many_requests)
{
    static const char two[] = "POST /measure HTTP/1.1\r\nHost: lb\r\nContent-Length: 9\r\n\r\n"
                              "{\"s\":\"a\"}POST /measure HTTP/1.1\r\nHost: lb\r\n"
                              "Content-Length: 9\r\nConnection: close\r\n\r\n{\"s\":\"b\"}";
    struct caller caller;
    json_t *json;
    caller_connect(&stage, &caller);
    say_text(&caller, two);
    ck_assert_uint_eq(caller_answer(&stage, &caller, &json), 200);
    ck_assert_uint_eq(text_count(caller.inbox.bytes, "{\"length\":1}"), 2);
    ck_assert_uint_eq(handled_count, 2);
    json_decref(json);
    caller_done(&caller);
}
END_TEST

START_TEST(an_answer_without_memory_is_503)
{
    json_t *json;
    ck_assert_uint_eq(stage_ask(&stage, "GET", "/lack", &json), 503);
    ck_assert_ptr_null(json);
}
END_TEST

START_TEST(it_closes_while_an_answer_is_on_its_way)
{
    static const char request[] = "GET /list HTTP/1.1\r\nHost: lb\r\n\r\n";
    struct caller slow;
    caller_connect(&stage, &slow);
    caller_say(&slow, request, strlen(request));
    stage_until(&stage, handled_count == 1);
    admin_close(stage.admin, stage_on_closed, &stage);
    stage.admin = NULL;
    stage_until(&stage, stage.is_closed);
    stage_until(&stage, caller_has_ended(&slow));
    caller_done(&slow);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_loop_test(tcase, a_body_of_megabytes_is_read_as_json, 0,
                        sizeof lengths / sizeof *lengths);
    tcase_add_test(tcase, a_body_that_is_too_large_is_refused);
    tcase_add_test(tcase, no_body_is_no_json);
    tcase_add_loop_test(tcase, what_is_no_json_is_refused_with_its_place, 0,
                        sizeof not_json / sizeof *not_json);
    tcase_add_test(tcase, deep_json_does_not_end_the_process);
    tcase_add_test(tcase, a_chunked_body_counts_like_any_other);
    tcase_add_test(tcase, a_body_framed_badly_is_refused);
    tcase_add_test(tcase, who_waits_to_be_told_to_send_is_told);
    tcase_add_test(tcase, who_leaves_within_a_body_is_forgotten);
    tcase_add_test(tcase, a_large_answer_arrives_whole);
    tcase_add_test(tcase, head_gives_no_body);
    tcase_add_test(tcase, who_does_not_read_holds_up_nobody);
    tcase_add_test(tcase, who_leaves_within_an_answer_is_forgotten);
    tcase_add_test(tcase, one_connection_serves_many_requests);
    tcase_add_test(tcase, an_answer_without_memory_is_503);
    tcase_add_test(tcase, it_closes_while_an_answer_is_on_its_way);
}

CHECK_MAIN("api", add_tests)
