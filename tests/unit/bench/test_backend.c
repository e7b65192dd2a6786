/* SPDX-License-Identifier: Apache-2.0 */
/* The benchmark's backend: answers of any length, uploads thrown away, nothing answered too early,
 * and proxies that are told wrongly found out. */
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/bench_tool.h"
#include "tests/support/check_main.h"
#include "tests/support/eventually.h"
#include "tests/support/folder.h"
#include "tests/support/peer.h"
#include "tests/support/port.h"
#include "tests/support/process.h"

enum { LARGE_BYTES = 5000000 };

struct stage {
    struct folder folder;
    unsigned port;
    pid_t pid;
};

static void open_stage(struct stage *stage, const char *option, const char *value)
{
    char address[32];
    char *program = bench_tool("backend");
    folder_make(&stage->folder);
    stage->port = port_reserve();
    snprintf(address, sizeof address, "127.0.0.1:%u", stage->port);
    const char *argv[] = {program, "--listen", address, option, value, NULL};
    stage->pid = process_start(argv, folder_file(&stage->folder, "log"));
    eventually(port_takes_connections(stage->port));
    free(program);
}

static void close_stage(struct stage *stage)
{
    ck_assert(!process_has_ended(stage->pid));
    kill(stage->pid, SIGTERM);
    process_wait(stage->pid);
    folder_remove(&stage->folder);
}

/* Read an answer of 200 with that many letters of the alphabet, over and over. */
static void expect_letters(struct peer *peer, size_t bytes)
{
    struct answer answer;
    ck_assert(peer_read_answer(peer, "GET", &answer));
    ck_assert_uint_eq(answer.status, 200);
    ck_assert(answer.is_complete);
    ck_assert_uint_eq(answer.body.length, bytes);
    size_t right = 0;
    while (right < bytes && answer.body.bytes[right] == (char)('a' + right % 26))
        right++;
    ck_assert_uint_eq(right, bytes);
    answer_done(&answer);
}

/* Everything sent before is in the backend's hands when it has answered somebody else since. */
static void let_it_read(const struct stage *stage)
{
    struct peer other;
    peer_connect(&other, stage->port);
    ck_assert_uint_eq(peer_ask(&other, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"), 200);
    peer_close(&other);
}

static bool has_news(const struct peer *peer)
{
    struct pollfd socket = {.fd = peer->fd, .events = POLLIN};
    return poll(&socket, 1, 0) == 1;
}

START_TEST(an_answer_has_as_many_bytes_as_the_path_asks_for)
{
    struct stage stage;
    struct peer peer;
    open_stage(&stage, "--bytes", "7");
    peer_connect(&peer, stage.port);
    peer_say(&peer, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    expect_letters(&peer, 7);
    peer_say(&peer, "GET /bytes/0 HTTP/1.1\r\nHost: x\r\n\r\n");
    expect_letters(&peer, 0);
    peer_say(&peer, "GET /some/bytes/5000000?x=1 HTTP/1.1\r\nHost: x\r\n\r\n");
    expect_letters(&peer, LARGE_BYTES);
    peer_say(&peer, "GET /bytes HTTP/1.1\r\nHost: x\r\n\r\n");
    expect_letters(&peer, 7);
    peer_close(&peer);
    close_stage(&stage);
}
END_TEST

START_TEST(a_gibibyte_is_promised_without_being_held)
{
    struct stage stage;
    struct peer peer;
    open_stage(&stage, "--bytes", "7");
    peer_connect(&peer, stage.port);
    peer_say(&peer, "GET /bytes/1073741824 HTTP/1.1\r\nHost: x\r\n\r\n");
    ck_assert(peer_receive_until(&peer, "Content-Length: 1073741824\r\n"));
    ck_assert(peer_receive_bytes(&peer, LARGE_BYTES));
    ck_assert_int_lt(process_memory_kib(stage.pid), 512 * 1024);
    peer_close(&peer);
    close_stage(&stage);
}
END_TEST

START_TEST(paths_that_ask_for_nonsense_are_refused)
{
    static const char *const paths[] = {"/bytes/",           "/bytes/x",
                                        "/bytes/-1",         "/bytes/12x",
                                        "/bytes/1073741825", "/bytes/99999999999999999999999"};
    struct stage stage;
    char request[128];
    open_stage(&stage, "--bytes", "7");
    for (unsigned i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        struct peer peer;
        peer_connect(&peer, stage.port);
        snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", paths[i]);
        ck_assert_msg(peer_ask(&peer, request) == 400, "%s", paths[i]);
        peer_close(&peer);
    }
    close_stage(&stage);
}
END_TEST

START_TEST(a_body_is_answered_after_its_last_byte_and_not_before)
{
    struct stage stage;
    struct peer peer;
    char *body = calloc(1, LARGE_BYTES);
    open_stage(&stage, "--bytes", "7");
    peer_connect(&peer, stage.port);
    /* "\r\n\r\n" in the body begins nothing. */
    memcpy(body, "\r\n\r\nGET / HTTP/1.1\r\n\r\n", 22);
    peer_say(&peer, "POST /bytes/3 HTTP/1.1\r\nHost: x\r\ncontent-length: 5000000\r\n\r\n");
    ck_assert(peer_send(&peer, body, LARGE_BYTES - 1));
    let_it_read(&stage);
    ck_assert(!has_news(&peer));
    ck_assert(peer_send(&peer, body, 1));
    expect_letters(&peer, 3);
    peer_say(&peer, "GET /bytes/4 HTTP/1.1\r\nHost: x\r\n\r\n");
    expect_letters(&peer, 4);
    peer_close(&peer);
    free(body);
    close_stage(&stage);
}
END_TEST

START_TEST(requests_that_come_together_are_answered_in_order)
{
    struct stage stage;
    struct peer peer;
    open_stage(&stage, "--bytes", "7");
    peer_connect(&peer, stage.port);
    peer_say(&peer, "POST /bytes/5000000 HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody"
                    "GET /bytes/2 HTTP/1.1\r\nHost: x\r\n\r\n"
                    "POST /bytes/1 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nbo");
    expect_letters(&peer, LARGE_BYTES);
    expect_letters(&peer, 2);
    let_it_read(&stage);
    ck_assert(!has_news(&peer));
    peer_say(&peer, "d");
    expect_letters(&peer, 1);
    peer_close(&peer);
    close_stage(&stage);
}
END_TEST

START_TEST(a_request_in_single_bytes_is_understood)
{
    static const char request[] =
        "POST /bytes/9 HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab";
    struct stage stage;
    struct peer peer;
    open_stage(&stage, "--bytes", "7");
    peer_connect(&peer, stage.port);
    for (size_t i = 0; i < sizeof request - 1; i++) {
        ck_assert(!has_news(&peer));
        ck_assert(peer_send(&peer, request + i, 1));
    }
    expect_letters(&peer, 9);
    peer_close(&peer);
    close_stage(&stage);
}
END_TEST

START_TEST(an_answer_that_is_held_begins_and_does_not_end)
{
    struct stage stage;
    struct peer peer;
    open_stage(&stage, "--bytes", "7");
    peer_connect(&peer, stage.port);
    peer_say(&peer, "GET /bytes/2 HTTP/1.1\r\nHost: x\r\n\r\n");
    expect_letters(&peer, 2);
    peer_say(&peer, "GET /hold HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n");
    ck_assert(peer_receive_until(&peer, "Content-Length: 2\r\nX-Accel-Buffering: no\r\n\r\n"));
    ck_assert(peer_receive_bytes(&peer, 1));
    let_it_read(&stage);
    ck_assert(!has_news(&peer));
    peer_close(&peer);
    close_stage(&stage);
}
END_TEST

START_TEST(a_request_without_the_required_field_is_refused)
{
    struct stage stage;
    struct peer peer;
    open_stage(&stage, "--require", "X-Request-ID");
    peer_connect(&peer, stage.port);
    ck_assert_uint_eq(peer_ask(&peer, "GET / HTTP/1.1\r\nHost: x\r\nx-request-id: 1\r\n\r\n"), 200);
    ck_assert_uint_eq(peer_ask(&peer, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"), 400);
    peer_close(&peer);
    close_stage(&stage);
}
END_TEST

START_TEST(a_body_whose_length_is_unknown_is_refused)
{
    static const char *const fields[] = {"Transfer-Encoding: chunked", "Content-Length: 1x",
                                         "Content-Length: "};
    struct stage stage;
    char request[128];
    open_stage(&stage, "--bytes", "7");
    for (unsigned i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        struct peer peer;
        peer_connect(&peer, stage.port);
        snprintf(request, sizeof request, "POST / HTTP/1.1\r\nHost: x\r\n%s\r\n\r\n", fields[i]);
        ck_assert_msg(peer_ask(&peer, request) == 400, "%s", fields[i]);
        peer_close(&peer);
    }
    close_stage(&stage);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, an_answer_has_as_many_bytes_as_the_path_asks_for);
    tcase_add_test(tcase, a_gibibyte_is_promised_without_being_held);
    tcase_add_test(tcase, paths_that_ask_for_nonsense_are_refused);
    tcase_add_test(tcase, a_body_is_answered_after_its_last_byte_and_not_before);
    tcase_add_test(tcase, requests_that_come_together_are_answered_in_order);
    tcase_add_test(tcase, a_request_in_single_bytes_is_understood);
    tcase_add_test(tcase, an_answer_that_is_held_begins_and_does_not_end);
    tcase_add_test(tcase, a_request_without_the_required_field_is_refused);
    tcase_add_test(tcase, a_body_whose_length_is_unknown_is_refused);
}

CHECK_MAIN("backend", add_tests)
