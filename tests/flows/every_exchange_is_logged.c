/* SPDX-License-Identifier: Apache-2.0 */
/* The access log in both formats, whatever clients put into it; and that a log nobody reads never
 * stops traffic. */
#include <ctype.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/cast.h"
#include "tests/support/check_main.h"
#include "tests/support/eventually.h"
#include "tests/support/house.h"

/* A flat JSON object of strings and numbers, read strictly; returns what follows it, NULL: it is
 * none. */
static const char *skip_string(const char *at)
{
    if (*at++ != '"')
        return NULL;
    for (; *at != '"'; at++) {
        if ((unsigned char)*at < 0x20)
            return NULL;
        if (*at == '\\' && strchr("\"\\/bfnrtu", *++at) == NULL)
            return NULL;
    }
    return at + 1;
}

static const char *skip_value(const char *at)
{
    if (*at == '"')
        return skip_string(at);
    const char *start = at;
    while (isdigit((unsigned char)*at) || *at == '.' || *at == '-')
        at++;
    return at > start ? at : NULL;
}

static bool is_json_line(const char *line)
{
    const char *at = line;
    char separator = '{';
    do {
        if (*at++ != separator || (at = skip_string(at)) == NULL || *at++ != ':' ||
            (at = skip_value(at)) == NULL)
            return false;
        separator = ',';
    } while (*at == ',');
    return strcmp(at, "}") == 0;
}

static void expect_json_lines(const struct scene *scene, unsigned count)
{
    unsigned found = 0;
    char *log = scene_access_log(scene);
    for (char *rest = log, *line = strsep(&rest, "\n"); line != NULL; line = strsep(&rest, "\n")) {
        if (*line == '\0')
            continue;
        ck_assert_msg(is_json_line(line), "no JSON: %s", line);
        found++;
    }
    ck_assert_uint_eq(found, count);
    free(log);
}

START_TEST(a_json_line_says_what_was_asked_and_who_answered)
{
    struct house house;
    struct peer peer;
    house_open(&house, &(struct house_plan){0});
    house_enter(&house, &peer);
    ck_assert_uint_eq(
        peer_ask(&peer, "POST /a?b=c HTTP/1.1\r\nHost: www.example.com\r\nContent-Length: 5\r\n"
                        "User-Agent: story/1\r\nReferer: http://x/\r\n\r\nhello"),
        200);
    eventually(scene_access_lines(&house.scene, "{") == 1);
    expect_json_lines(&house.scene, 1);
    static const char *const parts[] = {
        "\"method\":\"POST\"",
        "\"host\":\"www.example.com\"",
        "\"uri\":\"/a?b=c\"",
        "\"status\":200",
        "\"listener\":\"web\"",
        "\"rule\":\"all\"",
        "\"pool\":\"app\"",
        "\"backend\":\"rs-1\"",
        "\"client\":\"127.0.0.1\"",
        "\"request_bytes\":5",
        "\"bytes\":4",
        "\"user_agent\":\"story/1\"",
        "\"referer\":\"http://x/\"",
        "\"time\":\"",
        "\"duration_ms\":",
        "\"request_id\":\"",
    };
    char *log = scene_access_log(&house.scene);
    for (unsigned i = 0; i < sizeof parts / sizeof parts[0]; i++)
        ck_assert_msg(strstr(log, parts[i]) != NULL, "%s is missing in %s", parts[i], log);
    free(log);
    peer_close(&peer);
    house_close(&house);
}
END_TEST

START_TEST(whatever_a_client_sends_a_line_stays_one_line_of_json)
{
    static const char *const requests[] = {
        "GET /\"},{\"status\":999 HTTP/1.1\r\nHost: a\r\nUser-Agent: \\\" \\u0000 "
        "\x80\xff\"\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nReferer: \t\"\\\r\n\r\n",
        "GET /%00%0a HTTP/1.1\r\nHost: a\r\nUser-Agent: "
        "\xc3\xa9\xf0\x9f\x98\x80\xed\xa0\x80\r\n\r\n",
        "GARBAGE\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
        "\x01\x02\x03\r\n\r\n",
    };
    enum { COUNT = sizeof requests / sizeof requests[0] };
    struct house house;
    house_open(&house, &(struct house_plan){0});
    for (unsigned i = 0; i < COUNT; i++) {
        struct peer peer;
        house_enter(&house, &peer);
        ck_assert_uint_ne(peer_ask(&peer, requests[i]), 0);
        peer_close(&peer);
    }
    eventually(scene_access_lines(&house.scene, "{") == COUNT);
    expect_json_lines(&house.scene, COUNT);
    house_close(&house);
}
END_TEST

START_TEST(a_combined_line_has_the_form_that_log_tools_know)
{
    struct house house;
    struct peer peer;
    char address[64] = "";
    char request[64] = "";
    char referer[64] = "";
    char agent[64] = "";
    unsigned status = 0;
    unsigned bytes = 0;
    house_open(&house, &(struct house_plan){.lb = "access_log_format = combined\n"});
    house_enter(&house, &peer);
    peer_ask(&peer,
             "GET /x HTTP/1.1\r\nHost: a\r\nUser-Agent: story \"1\"\r\nReferer: http://r/\r\n\r\n");
    eventually(scene_access_lines(&house.scene, "GET") == 1);
    char *log = scene_access_log(&house.scene);
    int found = sscanf(log, "%63s - %*s [%*[^]]] \"%63[^\"]\" %u %u \"%63[^\"]\" \"%63[^\"]\"",
                       address, request, &status, &bytes, referer, agent);
    ck_assert_msg(found == 6, "%d: %s", found, log);
    ck_assert_str_eq(address, "127.0.0.1");
    ck_assert_str_eq(request, "GET /x HTTP/1.1");
    ck_assert_uint_eq(status, 200);
    ck_assert_uint_eq(bytes, 4);
    ck_assert_str_eq(referer, "http://r/");
    ck_assert_str_eq(agent, "story \\x221\\x22");
    free(log);
    peer_close(&peer);
    house_close(&house);
}
END_TEST

START_TEST(a_client_is_named_with_its_certificate)
{
    struct scene scene;
    struct stub_backend backend;
    struct peer peer;
    scene_begin(&scene);
    cast_write(&scene);
    stub_start(&backend, "rs-1", NULL);
    scene_set_port(&scene, "rs-1", backend.port);
    scene_start(&scene,
                "[listener web]\naddress = 127.0.0.1:@web\ncertificate = server.crt\n"
                "certificate_key = server.key\nmutual_auth = require\nclient_ca = ca.crt\n\n"
                "[rule all]\nlistener = web\npool = app\n\n"
                "[pool app]\nbackend = rs-1 127.0.0.1:@rs-1\nhealth_check = off\n");
    ck_assert(peer_connect_tls(
        &peer, scene_port(&scene, "web"),
        WISH(&scene, .sni = "www.example.com", .who = "alice", .version = TLS1_3_VERSION)));
    ck_assert_uint_eq(peer_get(&peer, "www.example.com", "/", NULL, 0), 200);
    peer_close(&peer);
    eventually(scene_access_lines(&scene, "\"tls\":\"TLSv1.3\",\"sni\":\"www.example.com\"") == 1);
    ck_assert_uint_eq(scene_access_lines(&scene, "CN=alice"), 1);
    ck_assert_uint_eq(scene_access_lines(&scene, "\"verify\":\"SUCCESS\""), 1);
    scene_end(&scene);
    stub_stop(&backend);
}
END_TEST

/* A pipe that is opened and never read: after 64 KiB a write to it would wait for ever. */
START_TEST(a_log_that_nobody_reads_never_stops_traffic)
{
    enum { REQUESTS = 3000 };
    struct scene scene;
    struct stub_backend backend;
    struct peer peer;
    scene_begin(&scene);
    stub_start(&backend, "rs-1", NULL);
    scene_set_port(&scene, "rs-1", backend.port);
    ck_assert_int_eq(mkfifo(folder_file(&scene.folder, "pipe"), 0600), 0);
    int reader = open(folder_file(&scene.folder, "pipe"), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    ck_assert_int_ge(reader, 0);
    scene_start(&scene, "[lb]\nworkers = 1\naccess_log = pipe\n\n"
                        "[listener web]\naddress = 127.0.0.1:@web\nprotocol = http\n\n"
                        "[rule all]\nlistener = web\npool = app\n\n"
                        "[pool app]\nbackend = rs-1 127.0.0.1:@rs-1\nhealth_check = off\n");
    peer_connect(&peer, scene_port(&scene, "web"));
    for (unsigned i = 0; i < REQUESTS; i++)
        ck_assert_uint_eq(peer_get(&peer, "a", "/a-path-that-makes-its-line-longer", NULL, 0), 200);
    peer_close(&peer);
    /* It also ends although nobody reads. */
    scene_end(&scene);
    close(reader);
    stub_stop(&backend);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, a_json_line_says_what_was_asked_and_who_answered);
    tcase_add_test(tcase, whatever_a_client_sends_a_line_stays_one_line_of_json);
    tcase_add_test(tcase, a_combined_line_has_the_form_that_log_tools_know);
    tcase_add_test(tcase, a_client_is_named_with_its_certificate);
    tcase_add_test(tcase, a_log_that_nobody_reads_never_stops_traffic);
}

CHECK_MAIN("every exchange is logged", add_tests)
