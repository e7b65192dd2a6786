/* SPDX-License-Identifier: Apache-2.0 */
/* A demo backend in a child process, as clients meet it: byte by byte. */
#include "lb/commands/demo_backend.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/check_main.h"
#include "tests/support/peer.h"
#include "tests/support/port.h"
#include "tests/support/process.h"

/* What a run of the command said and how it ended, or where it listens. */
struct run {
    pid_t pid;
    FILE *said; /* stdout and stderr */
    unsigned port;
};

static void run_start(struct run *run, const char *const *argv)
{
    int ends[2];
    int argc = 0;
    while (argv[argc])
        argc++;
    ck_assert_int_eq(pipe(ends), 0);
    run->pid = fork();
    ck_assert_int_ge(run->pid, 0);
    if (run->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(ends[1], STDOUT_FILENO);
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        close(ends[1]);
        exit(command_demo_backend(argc, (char **)(uintptr_t)argv));
    }
    close(ends[1]);
    run->said = fdopen(ends[0], "r");
    ck_assert_ptr_nonnull(run->said);
}

/* Run to the end; the first line that was said goes into `line`. returns the exit status. */
static int run_through(const char *const *argv, char *line, size_t room)
{
    struct run run;
    run_start(&run, argv);
    if (!fgets(line, (int)room, run.said))
        line[0] = '\0';
    ck_assert_msg(fgetc(run.said) == EOF, "more than one line was said");
    fclose(run.said);
    return process_wait(run.pid);
}

static struct run backend;
static struct peer peer;
static struct answer answer;

static void begin(void)
{
    signal(SIGPIPE, SIG_IGN);
    static const char *const argv[] = {"demo-backend", "rs-1", "127.0.0.1:0", NULL};
    run_start(&backend, argv);
    char line[128];
    ck_assert_ptr_nonnull(fgets(line, sizeof line, backend.said));
    ck_assert_int_eq(sscanf(line, "rs-1 listens on http://127.0.0.1:%u/\n", &backend.port), 1);
    peer_connect(&peer, backend.port);
    memset(&answer, 0, sizeof answer);
}

static void end(void)
{
    answer_done(&answer);
    peer_close(&peer);
    if (backend.pid != 0)
        kill(backend.pid, SIGTERM);
    ck_assert_int_eq(backend.pid != 0 ? process_wait(backend.pid) : 0, 0);
    char line[1024];
    ck_assert_msg(!fgets(line, sizeof line, backend.said), "it said: %s", line);
    fclose(backend.said);
}

/* The next answer, which replaces the one before. */
static void read_answer(const char *method)
{
    answer_done(&answer);
    memset(&answer, 0, sizeof answer);
    ck_assert(peer_read_answer(&peer, method, &answer));
}

static void ask(const char *request)
{
    ck_assert(peer_say(&peer, request));
    read_answer("GET");
}

static bool has_field(const char *name, const char *wanted)
{
    char value[256];
    return text_field(answer.head, name, value, sizeof value) && strcmp(value, wanted) == 0;
}

START_TEST(the_name_is_the_first_line_and_a_field)
{
    ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    ck_assert_uint_eq(answer.status, 200);
    ck_assert(has_field("X-Backend", "rs-1"));
    ck_assert(has_field("Content-Type", "text/plain; charset=utf-8"));
    ck_assert_str_eq(answer.body.bytes, "rs-1\nGET /\n");
}
END_TEST

START_TEST(a_browser_gets_a_page)
{
    ask("GET / HTTP/1.1\r\nHost: x\r\nAccept: text/html\r\n\r\n");
    ck_assert(has_field("Content-Type", "text/html; charset=utf-8"));
    ck_assert_ptr_nonnull(strstr(answer.body.bytes, "<h1>rs-1</h1>"));
}
END_TEST

START_TEST(a_connection_serves_many_requests)
{
    for (unsigned i = 0; i < 50; i++) {
        ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        ck_assert_uint_eq(answer.status, 200);
    }
}
END_TEST

START_TEST(pipelined_requests_are_answered_in_order)
{
    ck_assert(peer_say(&peer, "GET /1 HTTP/1.1\r\nHost: x\r\n\r\n"
                              "POST /2 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"
                              "GET /3 HTTP/1.1\r\nHost: x\r\n\r\n"));
    static const char *const bodies[] = {"rs-1\nGET /1\n", "rs-1\nPOST /2\n", "rs-1\nGET /3\n"};
    for (unsigned i = 0; i < 3; i++) {
        read_answer("GET");
        ck_assert_str_eq(answer.body.bytes, bodies[i]);
    }
}
END_TEST

START_TEST(head_has_the_fields_of_get_and_no_body)
{
    ck_assert(peer_say(&peer, "HEAD / HTTP/1.1\r\nHost: x\r\n\r\n"));
    read_answer("HEAD");
    ck_assert(has_field("Content-Length", "12"));
    ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    ck_assert_uint_eq(answer.status, 200);
    ck_assert_str_eq(answer.body.bytes, "rs-1\nGET /\n");
}
END_TEST

START_TEST(a_body_with_a_length_is_dropped_however_large)
{
    enum { PIECE_BYTES = 64 * 1024, PIECE_COUNT = 64 };
    static char piece[PIECE_BYTES];
    char head[128];
    snprintf(head, sizeof head, "POST /up HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n",
             PIECE_BYTES * PIECE_COUNT);
    ck_assert(peer_say(&peer, head));
    for (unsigned i = 0; i < PIECE_COUNT; i++)
        ck_assert(peer_send(&peer, piece, sizeof piece));
    read_answer("POST");
    ck_assert_str_eq(answer.body.bytes, "rs-1\nPOST /up\n");
    ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    ck_assert_uint_eq(answer.status, 200);
}
END_TEST

START_TEST(a_chunked_body_with_trailers_is_dropped)
{
    ask("POST /up HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        "5\r\nhello\r\n3;a=b\r\nyou\r\n0\r\nX-Sum: 8\r\n\r\n"
        "GET /next HTTP/1.1\r\nHost: x\r\n\r\n");
    ck_assert_str_eq(answer.body.bytes, "rs-1\nPOST /up\n");
    read_answer("GET");
    ck_assert_str_eq(answer.body.bytes, "rs-1\nGET /next\n");
}
END_TEST

START_TEST(requests_may_come_byte_by_byte)
{
    static const char request[] = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                                  "2\r\nab\r\n0\r\n\r\n";
    for (size_t i = 0; i + 1 < sizeof request; i++)
        ck_assert(peer_send(&peer, request + i, 1));
    read_answer("POST");
    ck_assert_uint_eq(answer.status, 200);
}
END_TEST

START_TEST(who_expects_100_is_told_to_continue)
{
    ask("PUT / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    ck_assert_uint_eq(answer.status, 100);
    ask("ab");
    ck_assert_uint_eq(answer.status, 200);
}
END_TEST

START_TEST(who_sends_the_body_at_once_is_not_told_to)
{
    ask("PUT / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nab");
    ck_assert_uint_eq(answer.status, 200);
}
END_TEST

START_TEST(connection_close_ends_behind_the_answer)
{
    ask("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    ck_assert(has_field("Connection", "close"));
    ck_assert(answer.is_complete);
    peer_receive_all(&peer);
    ck_assert(peer.ended);
}
END_TEST

START_TEST(http_1_0_ends_unless_it_asks_to_stay)
{
    ask("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    ck_assert(has_field("Connection", "keep-alive"));
    ask("GET / HTTP/1.0\r\n\r\n");
    ck_assert(has_field("Connection", "close"));
    peer_receive_all(&peer);
    ck_assert(peer.ended);
}
END_TEST

START_TEST(a_client_that_finished_sending_still_gets_its_answer)
{
    ck_assert(peer_say(&peer, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
    peer_finish(&peer);
    read_answer("GET");
    ck_assert_str_eq(answer.body.bytes, "rs-1\nGET /\n");
    peer_receive_all(&peer);
    ck_assert(peer.ended);
}
END_TEST

static const struct {
    const char *request;
    unsigned status;
} bad[] = {
    {"nonsense\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n\r\n", 400},
    {"GET / HTTP/3.0\r\nHost: x\r\n\r\n", 505},
    {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
    {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400},
    {"CONNECT x:1 HTTP/1.1\r\nHost: x:1\r\n\r\n", 405},
};

START_TEST(a_bad_request_is_told_why_and_ended)
{
    ask(bad[_i].request);
    ck_assert_uint_eq(answer.status, bad[_i].status);
    ck_assert_ptr_eq(strstr(answer.body.bytes, "rs-1\n"), answer.body.bytes);
    ck_assert(has_field("Connection", "close"));
    peer_receive_all(&peer);
    ck_assert(peer.ended);
}
END_TEST

START_TEST(a_client_that_reads_late_gets_every_answer)
{
    enum { REQUEST_COUNT = 3000 };
    static const char request[] = "GET / HTTP/1.1\r\nHost: x\r\nAccept: text/html\r\n\r\n";
    struct text all = {0};
    for (unsigned i = 0; i < REQUEST_COUNT; i++)
        text_add(&all, request, sizeof request - 1);
    size_t sent = 0;
    unsigned answered = 0;
    while (sent < all.length) {
        size_t now = peer_send_without_waiting(&peer, all.bytes + sent, all.length - sent);
        sent += now;
        if (now == 0) {
            read_answer("GET");
            answered++;
        }
    }
    for (; answered < REQUEST_COUNT; answered++) {
        read_answer("GET");
        ck_assert_uint_eq(answer.status, 200);
        ck_assert(answer.is_complete);
    }
    text_done(&all);
}
END_TEST

START_TEST(it_ends_with_clients_in_every_state)
{
    struct peer others[3];
    for (unsigned i = 0; i < 3; i++)
        peer_connect(&others[i], backend.port);
    ck_assert(peer_say(&others[0], "GET / HT"));
    ck_assert(peer_say(&others[1], "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc"));
    ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    ck_assert_int_eq(kill(backend.pid, SIGINT), 0);
    for (unsigned i = 0; i < 3; i++) {
        peer_receive_all(&others[i]);
        peer_close(&others[i]);
    }
    ck_assert_int_eq(process_wait(backend.pid), 0);
    backend.pid = 0;
}
END_TEST

/* ---- the command line ---- */

START_TEST(an_address_in_use_is_one_line_and_status_1)
{
    char address[32];
    char line[256];
    snprintf(address, sizeof address, "127.0.0.1:%u", backend.port);
    const char *argv[] = {"demo-backend", "rs-2", address, NULL};
    ck_assert_int_eq(run_through(argv, line, sizeof line), 1);
    char wanted[128];
    snprintf(wanted, sizeof wanted,
             "lb demo-backend: cannot listen on %s: Address already in use\n", address);
    ck_assert_str_eq(line, wanted);
}
END_TEST

static const struct {
    const char *argv[5];
    const char *words;
} misuses[] = {
    {{"demo-backend", NULL}, "say a name and an address"},
    {{"demo-backend", "rs-1", NULL}, "say a name and an address"},
    {{"demo-backend", "rs-1", "127.0.0.1:1", "more", NULL}, "say a name and an address"},
    {{"demo-backend", "rs 1", "127.0.0.1:8081", NULL}, "\"rs 1\" is no name"},
    {{"demo-backend", "", "127.0.0.1:8081", NULL}, "\"\" is no name"},
    {{"demo-backend", "rs-1", "127.0.0.1", NULL}, "127.0.0.1 has no port"},
};

START_TEST(wrong_usage_is_one_line_and_status_2)
{
    char line[512];
    ck_assert_int_eq(run_through(misuses[_i].argv, line, sizeof line), 2);
    ck_assert_msg(strstr(line, misuses[_i].words) != NULL, "%s", line);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, the_name_is_the_first_line_and_a_field);
    tcase_add_test(tcase, a_browser_gets_a_page);
    tcase_add_test(tcase, a_connection_serves_many_requests);
    tcase_add_test(tcase, pipelined_requests_are_answered_in_order);
    tcase_add_test(tcase, head_has_the_fields_of_get_and_no_body);
    tcase_add_test(tcase, a_body_with_a_length_is_dropped_however_large);
    tcase_add_test(tcase, a_chunked_body_with_trailers_is_dropped);
    tcase_add_test(tcase, requests_may_come_byte_by_byte);
    tcase_add_test(tcase, who_expects_100_is_told_to_continue);
    tcase_add_test(tcase, who_sends_the_body_at_once_is_not_told_to);
    tcase_add_test(tcase, connection_close_ends_behind_the_answer);
    tcase_add_test(tcase, http_1_0_ends_unless_it_asks_to_stay);
    tcase_add_test(tcase, a_client_that_finished_sending_still_gets_its_answer);
    tcase_add_loop_test(tcase, a_bad_request_is_told_why_and_ended, 0, sizeof bad / sizeof bad[0]);
    tcase_add_test(tcase, a_client_that_reads_late_gets_every_answer);
    tcase_add_test(tcase, it_ends_with_clients_in_every_state);
    tcase_add_test(tcase, an_address_in_use_is_one_line_and_status_1);
    tcase_add_loop_test(tcase, wrong_usage_is_one_line_and_status_2, 0,
                        sizeof misuses / sizeof misuses[0]);
}

CHECK_MAIN("demo backend", add_tests)
