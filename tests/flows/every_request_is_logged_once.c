/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The access log: one line for each request, whatever became of it, that every reader of JSON (or
 * of combined lines) takes.
 */
#include <netinet/in.h>
#include <regex.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "tests/support/cast.h"
#include "tests/support/check_main.h"
#include "tests/support/eventually.h"
#include "tests/support/json_line.h"
#include "tests/support/stub_backend.h"

/* clang-format off */
static const char ini[] =
    "[listener plain]\naddress = 127.0.0.1:@plain\nprotocol = http\nmax_body = 1k\nmax_head = 4k\n\n"
    "[listener tls]\naddress = 127.0.0.1:@tls\ncertificate = server.crt\ncertificate_key = server.key\n"
    "mutual_auth = require\nclient_ca = ca.crt\nrefuse_with = 403\n\n"
    "[rule tls]\nlistener = tls\npool = app\n\n"
    "[rule app]\nlistener = plain\nurl = /app\npool = app\n\n"
    "[rule broken]\nlistener = plain\nurl = /broken\npool = broken\n\n"
    "[pool app]\nbackend = rs-1 127.0.0.1:@rs-1\nhealth_check = off\n\n"
    "[pool broken]\nbackend = nobody 127.0.0.1:@nobody\nhealth_check = off\n";
/* clang-format on */

struct archive {
    struct scene scene;
    struct stub_backend backend;
    sem_t arrived; /* a request for /app/held, which is never answered */
};

static void answer_or_hold(struct stub_link *link)
{
    struct archive *archive = link->stub->story;
    struct stub_request request;
    while (stub_read(link, &request)) {
        if (strstr(request.head.bytes, " /app/held ") != NULL) {
            sem_post(&archive->arrived);
            stub_wait_for_end(link);
            break;
        }
        stub_say(link, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nrs-1");
        stub_request_done(&request);
    }
    stub_request_done(&request);
}

/* lines: of [lb]; NULL: JSON in access.log. */
static void archive_begin(struct archive *archive, const char *lines)
{
    struct text text = {0};
    scene_begin(&archive->scene);
    cast_write(&archive->scene);
    sem_init(&archive->arrived, 0, 0);
    stub_start_with(&archive->backend, "rs-1", answer_or_hold, archive);
    scene_set_port(&archive->scene, "rs-1", archive->backend.port);
    text_add_format(&text, "[lb]\nworkers = 2\n%s\n\n%s",
                    lines != NULL ? lines : "access_log = access.log", ini);
    scene_start(&archive->scene, text.bytes);
    text_done(&text);
}

static void archive_end(struct archive *archive)
{
    scene_end(&archive->scene);
    stub_stop(&archive->backend);
    sem_destroy(&archive->arrived);
}

static void come(struct archive *archive, struct peer *peer)
{
    peer_connect(peer, scene_port(&archive->scene, "plain"));
}

/* The only line of the log, once it is there. */
static void read_only_line(struct archive *archive, struct json_line *line)
{
    eventually(scene_access_lines(&archive->scene, "") == 1);
    char *log = scene_access_log(&archive->scene);
    bool is_json = json_line_read(line, log, strcspn(log, "\n"));
    ck_assert_msg(is_json, "%s", log);
    free(log);
}

static void expect(const struct json_line *line, const char *key, const char *value)
{
    const char *found = json_line_get(line, key);
    bool is_same = value == NULL ? found == NULL : found != NULL && strcmp(found, value) == 0;
    ck_assert_msg(is_same, "%s is %s instead of %s", key, found, value);
}

static void expect_like(const struct json_line *line, const char *key, const char *pattern)
{
    regex_t regex;
    const char *found = json_line_get(line, key);
    ck_assert_int_eq(regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB), 0);
    ck_assert_msg(found != NULL && regexec(&regex, found, 0, NULL, 0) == 0, "%s is %s", key, found);
    regfree(&regex);
}

static unsigned own_port(const struct peer *peer)
{
    struct sockaddr_in own;
    socklen_t length = sizeof own;
    ck_assert_int_eq(getsockname(peer->fd, (struct sockaddr *)&own, &length), 0);
    return ntohs(own.sin_port);
}

/* --- what a line says ---------------------------------------------------------------------- */

START_TEST(a_line_tells_who_asked_what_and_what_became_of_it)
{
    struct archive archive;
    struct peer peer;
    struct json_line line;
    char port[8];
    archive_begin(&archive, NULL);
    ck_assert(peer_connect_tls(
        &peer, scene_port(&archive.scene, "tls"),
        WISH(&archive.scene, .who = "alice", .sni = "www.example.com", .version = TLS1_3_VERSION)));
    snprintf(port, sizeof port, "%u", own_port(&peer));
    ck_assert_uint_eq(peer_ask(&peer, "POST /a/b?c=d HTTP/1.1\r\nHost: www.example.com\r\n"
                                      "User-Agent: story/1.0\r\nReferer: https://before.test/\r\n"
                                      "Content-Length: 5\r\n\r\nhello"),
                      200);
    read_only_line(&archive, &line);
    expect_like(&line, "time",
                "^20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9]\\.[0-9]{3}Z$");
    expect_like(&line, "request_id", "^[0-9a-f]{32}$");
    char *heard = stub_heard(&archive.backend);
    ck_assert_ptr_nonnull(strstr(heard, json_line_get(&line, "request_id")));
    free(heard);
    expect(&line, "listener", "tls");
    expect(&line, "client", "127.0.0.1");
    expect(&line, "port", port);
    expect(&line, "tls", "TLSv1.3");
    expect(&line, "sni", "www.example.com");
    expect(&line, "subject", "CN=alice");
    expect_like(&line, "serial", "^[0-9A-Fa-f]+$");
    expect(&line, "verify", "SUCCESS");
    expect(&line, "method", "POST");
    expect(&line, "host", "www.example.com");
    expect(&line, "uri", "/a/b?c=d");
    expect(&line, "protocol", peer_protocol());
    expect(&line, "status", "200");
    expect(&line, "bytes", "4");
    expect(&line, "request_bytes", "5");
    expect_like(&line, "duration_ms", "^[0-9]+$");
    expect(&line, "rule", "tls");
    expect(&line, "pool", "app");
    expect(&line, "backend", "rs-1");
    expect(&line, "attempts", "1");
    expect(&line, "reason", NULL);
    expect(&line, "user_agent", "story/1.0");
    expect(&line, "referer", "https://before.test/");
    json_line_done(&line);
    peer_close(&peer);
    archive_end(&archive);
}
END_TEST

static void note_id(const struct json_line *line, void *story)
{
    struct text *ids = story;
    const char *id = json_line_get(line, "request_id");
    ck_assert_ptr_nonnull(id);
    ck_assert_msg(ids->length == 0 || strstr(ids->bytes, id) == NULL, "%s is there twice", id);
    text_add_format(ids, "%s ", id);
}

static unsigned read_status(struct peer *peer, const char *method)
{
    struct answer answer;
    unsigned status = peer_read_answer(peer, method, &answer) ? answer.status : 0;
    answer_done(&answer);
    return status;
}

START_TEST(every_request_of_every_connection_has_its_line_and_its_own_id)
{
    enum { CLIENTS = 5, ROUNDS = 20 };
    struct archive archive;
    struct peer peers[CLIENTS];
    struct text ids = {0};
    archive_begin(&archive, NULL);
    for (unsigned i = 0; i < CLIENTS; i++)
        come(&archive, &peers[i]);
    for (unsigned round = 0; round < ROUNDS; round++)
        for (unsigned i = 0; i < CLIENTS; i++) /* two at once */
            peer_say(&peers[i], "GET /app HTTP/1.1\r\nHost: a\r\n\r\n"
                                "HEAD /app/x HTTP/1.1\r\nHost: a\r\n\r\n");
    for (unsigned i = 0; i < CLIENTS; i++) {
        for (unsigned answers = 0; answers < 2 * ROUNDS; answers++)
            ck_assert_uint_eq(read_status(&peers[i], answers % 2 == 0 ? "GET" : "HEAD"), 200);
        peer_close(&peers[i]);
    }
    scene_stop(&archive.scene);
    char *log = scene_access_log(&archive.scene);
    ck_assert_uint_eq(json_lines_visit(log, note_id, &ids), 2 * ROUNDS * CLIENTS);
    free(log);
    text_done(&ids);
    archive_end(&archive);
}
END_TEST

/* --- values that clients chose ------------------------------------------------------------- */

/* What would end the string, begin another member, or is no UTF-8. */
#define HOSTILE "\"},{\"status\":1}\\\\ \t \xff\xc3 \xed\xa0\x80 \xc3\xbc"

START_TEST(hostile_values_stay_values)
{
    struct archive archive;
    struct peer peer;
    struct json_line line;
    archive_begin(&archive, NULL);
    come(&archive, &peer);
    ck_assert_uint_eq(peer_ask(&peer, "GET /app?a=\",\"b\\ HTTP/1.1\r\nHost: a\r\n"
                                      "Referer: " HOSTILE "\r\nUser-Agent: x" HOSTILE "\r\n\r\n"),
                      200);
    read_only_line(&archive, &line);
    expect(&line, "status", "200");
    expect(&line, "uri", "/app?a=\",\"b\\");
    /* Bytes that are no UTF-8 are written as the characters of their numbers. */
    expect(&line, "user_agent",
           "x\"},{\"status\":1}\\\\ \t \xc3\xbf\xc3\x83 \xc3\xad\xc2\xa0\xc2\x80 \xc3\xbc");
    json_line_done(&line);
    peer_close(&peer);
    archive_end(&archive);
}
END_TEST

START_TEST(values_without_end_are_cut_and_the_line_is_whole)
{
    struct archive archive;
    struct peer peer;
    struct text request = {0};
    struct json_line line;
    archive_begin(&archive, NULL);
    text_add_format(&request, "GET /app/");
    for (unsigned i = 0; i < 1000; i++)
        text_add(&request, "\"\\", 2);
    text_add_format(&request, " HTTP/1.1\r\nHost: a\r\nReferer: ");
    for (unsigned i = 0; i < 1000; i++)
        text_add(&request, "\xff", 1);
    text_add_format(&request, "\r\n\r\n");
    come(&archive, &peer);
    ck_assert_uint_eq(peer_ask(&peer, request.bytes), 200);
    read_only_line(&archive, &line);
    expect_like(&line, "uri", "^/app/");
    expect(&line, "status", "200");
    expect(&line, "backend", "rs-1");
    ck_assert_ptr_nonnull(json_line_get(&line, "referer"));
    json_line_done(&line);
    text_done(&request);
    peer_close(&peer);
    archive_end(&archive);
}
END_TEST

START_TEST(combined_lines_are_what_their_readers_know)
{
    static const char pattern[] =
        "^127\\.0\\.0\\.1 - \"CN=alice\" \\[[0-9]{2}/[A-Z][a-z]{2}/20[0-9]{2}(:[0-9]{2}){3} "
        "\\+0000\\] \"GET /a\\?b=\\\\x22c HTTP/(1\\.1|2)\" 200 4 \"-\" "
        "\"x\\\\x22},.*\\\\x09 \\\\xff\\\\xc3 .*\"\n$";
    struct archive archive;
    struct peer peer;
    regex_t regex;
    archive_begin(&archive, "access_log = access.log\naccess_log_format = combined\n");
    ck_assert(peer_connect_tls(&peer, scene_port(&archive.scene, "tls"),
                               WISH(&archive.scene, .who = "alice")));
    ck_assert_uint_eq(peer_ask(&peer, "GET /a?b=\"c HTTP/1.1\r\nHost: a\r\n"
                                      "User-Agent: x" HOSTILE "\r\n\r\n"),
                      200);
    eventually(scene_access_lines(&archive.scene, "") == 1);
    char *log = scene_access_log(&archive.scene);
    ck_assert_int_eq(regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB), 0);
    ck_assert_msg(regexec(&regex, log, 0, NULL, 0) == 0, "%s", log);
    regfree(&regex);
    free(log);
    peer_close(&peer);
    archive_end(&archive);
}
END_TEST

/* --- whatever becomes of it ---------------------------------------------------------------- */

/* clang-format off */
static const struct refused {
    const char *request;
    const char *status;
    const char *reason; /* a part of it */
    const char *rule;
} refused[] = {
    {"GET /none HTTP/1.1\r\nHost: a\r\n\r\n", "404", "no-rule", NULL},
    {"GET /app HTTP/1.1\r\n\r\n", "400", "Host", NULL},
    {"POST /app HTTP/1.1\r\nHost: a\r\nContent-Length: 2000\r\n\r\n", "413", "max_body", NULL},
    {"GET /broken HTTP/1.1\r\nHost: a\r\n\r\n", "502", "refused", "broken"},
    /* What only HTTP/1 can say. */
    {"garbage\r\n\r\n", "400", "", NULL},
    {"GET /app HTTP/3.0\r\nHost: a\r\n\r\n", "505", "", NULL},
    {"POST /app HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", "400", "", "app"},
};
/* clang-format on */
enum { REFUSED_COUNT = sizeof refused / sizeof refused[0], REFUSED_BY_HTTP1 = 3 };

START_TEST(what_is_refused_has_its_line_and_its_reason)
{
    struct archive archive;
    struct peer peer;
    struct json_line line;
    archive_begin(&archive, NULL);
    come(&archive, &peer);
    ck_assert_uint_eq(peer_ask(&peer, refused[_i].request), strtoul(refused[_i].status, NULL, 10));
    peer_close(&peer);
    scene_stop(&archive.scene);
    read_only_line(&archive, &line);
    expect(&line, "status", refused[_i].status);
    expect(&line, "rule", refused[_i].rule);
    expect_like(&line, "reason", refused[_i].reason);
    json_line_done(&line);
    archive_end(&archive);
}
END_TEST

START_TEST(a_client_that_may_not_pass_has_a_line_too)
{
    struct archive archive;
    struct peer peer;
    struct json_line line;
    archive_begin(&archive, NULL);
    ck_assert(peer_connect_tls(&peer, scene_port(&archive.scene, "tls"),
                               WISH(&archive.scene, .who = "bob")));
    ck_assert_uint_eq(peer_get(&peer, "a", "/", NULL, 0), 403);
    peer_close(&peer);
    read_only_line(&archive, &line);
    expect(&line, "status", "403");
    expect(&line, "reason", "untrusted");
    expect(&line, "subject", "CN=bob");
    expect(&line, "verify", "FAILED");
    expect(&line, "verify_reason", "untrusted");
    expect(&line, "backend", NULL);
    json_line_done(&line);
    archive_end(&archive);
}
END_TEST

START_TEST(an_abandoned_request_has_one_line)
{
    struct archive archive;
    struct peer peer;
    struct json_line line;
    archive_begin(&archive, NULL);
    come(&archive, &peer);
    peer_say(&peer, "GET /app/held HTTP/1.1\r\nHost: a\r\n\r\n");
    sem_wait(&archive.arrived);
    peer_reset(&peer);
    read_only_line(&archive, &line);
    expect(&line, "status", "0");
    expect(&line, "uri", "/app/held");
    expect(&line, "bytes", "0");
    expect(&line, "backend", "rs-1");
    expect_like(&line, "reason", ".");
    json_line_done(&line);
    scene_stop(&archive.scene);
    ck_assert_uint_eq(scene_access_lines(&archive.scene, ""), 1);
    archive_end(&archive);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, a_line_tells_who_asked_what_and_what_became_of_it);
    tcase_add_test(tcase, every_request_of_every_connection_has_its_line_and_its_own_id);
    tcase_add_test(tcase, hostile_values_stay_values);
    tcase_add_test(tcase, values_without_end_are_cut_and_the_line_is_whole);
    tcase_add_test(tcase, combined_lines_are_what_their_readers_know);
    tcase_add_loop_test(tcase, what_is_refused_has_its_line_and_its_reason, 0,
                        REFUSED_COUNT - REFUSED_BY_HTTP1);
    tcase_add_http1_loop_test(tcase, what_is_refused_has_its_line_and_its_reason,
                              REFUSED_COUNT - REFUSED_BY_HTTP1, REFUSED_COUNT);
    tcase_add_test(tcase, a_client_that_may_not_pass_has_a_line_too);
    tcase_add_test(tcase, an_abandoned_request_has_one_line);
}

CHECK_MAIN("every request is logged once", add_tests)
