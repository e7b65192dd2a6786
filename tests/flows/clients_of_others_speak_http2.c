/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Clients of HTTP/2 that others wrote: libcurl, nghttp and h2load, with and without a client
 * certificate.
 */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/cast.h"
#include "tests/support/check_main.h"
#include "tests/support/eventually.h"
#include "tests/support/process.h"
#include "tests/support/stub_backend.h"

/* clang-format off */
static const char ini[] =
    "[listener members]\naddress = 127.0.0.1:@members\ncertificate = server.crt\ncertificate_key = server.key\n"
    "mutual_auth = require\nclient_ca = ca.crt\n\n"
    "[listener everyone]\naddress = 127.0.0.1:@everyone\ncertificate = server.crt\ncertificate_key = server.key\n\n"
    "[rule all]\nlistener = members\nlistener = everyone\npool = app\n\n"
    "[pool app]\nhealth_check = off\nbackend = rs-1 127.0.0.1:@rs-1\nbackend = rs-2 127.0.0.1:@rs-2\n";
/* clang-format on */

struct town {
    struct scene scene;
    struct stub_backend backends[2];
};

static void town_open(struct town *town, stub_serve serve)
{
    static const char *const names[] = {"rs-1", "rs-2"};
    scene_begin(&town->scene);
    cast_write(&town->scene);
    for (unsigned i = 0; i < 2; i++) {
        stub_start(&town->backends[i], names[i], serve);
        scene_set_port(&town->scene, names[i], town->backends[i].port);
    }
    scene_start(&town->scene, ini);
}

static void town_close(struct town *town)
{
    scene_end(&town->scene);
    for (unsigned i = 0; i < 2; i++)
        stub_stop(&town->backends[i]);
}

static const char *url_of(struct town *town, const char *listener)
{
    static char url[64];
    snprintf(url, sizeof url, "https://127.0.0.1:%u/", scene_port(&town->scene, listener));
    return url;
}

static unsigned requests_of(struct town *town, unsigned which)
{
    return atomic_load(&town->backends[which].requests);
}

/* --- libcurl ------------------------------------------------------------------------------- */

static size_t on_body(char *bytes, size_t size, size_t count, void *body)
{
    text_add(body, bytes, size * count);
    return size * count;
}

/* With alice's certificate. */
static CURL *call_begin(struct town *town, struct text *body)
{
    CURL *curl = curl_easy_init();
    ck_assert_ptr_nonnull(curl);
    text_add(body, "", 0);
    curl_easy_setopt(curl, CURLOPT_URL, url_of(town, "members"));
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, 20L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_SSLCERT, folder_file(&town->scene.folder, "alice.crt"));
    curl_easy_setopt(curl, CURLOPT_SSLKEY, folder_file(&town->scene.folder, "alice.key"));
    curl_easy_setopt(curl, CURLOPT_CAINFO, folder_file(&town->scene.folder, "ca.crt"));
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, body);
    return curl;
}

static void expect_http2(CURL *curl)
{
    long version = 0;
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_HTTP_VERSION, &version);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    ck_assert_int_eq(version, CURL_HTTP_VERSION_2_0);
    ck_assert_int_eq(status, 200);
}

static long connections_of(CURL *curl)
{
    long count = 0;
    curl_easy_getinfo(curl, CURLINFO_NUM_CONNECTS, &count);
    return count;
}

START_TEST(curl_refreshing_one_connection_sees_rs_1_and_rs_2_in_turn)
{
    struct town town;
    struct text body = {0};
    char last[16] = "";
    long connections = 0;
    town_open(&town, NULL);
    CURL *curl = call_begin(&town, &body);
    for (unsigned i = 0; i < 20; i++) {
        ck_assert_int_eq(curl_easy_perform(curl), CURLE_OK);
        expect_http2(curl);
        ck_assert_str_ne(body.bytes, last);
        snprintf(last, sizeof last, "%s", body.bytes);
        text_drop(&body, body.length);
        connections += connections_of(curl);
    }
    ck_assert_int_eq(connections, 1);
    ck_assert_uint_eq(requests_of(&town, 0), 10);
    ck_assert_uint_eq(requests_of(&town, 1), 10);
    curl_easy_cleanup(curl);
    text_done(&body);
    town_close(&town);
}
END_TEST

static void perform_all(CURLM *all)
{
    int running = 1;
    while (running > 0) {
        ck_assert_int_eq(curl_multi_perform(all, &running), CURLM_OK);
        ck_assert_int_eq(curl_multi_poll(all, NULL, 0, 1000, NULL), CURLM_OK);
    }
}

START_TEST(fifty_requests_of_curl_share_one_connection_and_are_divided)
{
    enum { CALLS = 50 };
    struct town town;
    struct text bodies[CALLS] = {0};
    CURL *calls[CALLS];
    long connections = 0;
    town_open(&town, NULL);
    CURLM *all = curl_multi_init();
    curl_multi_setopt(all, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
    for (unsigned i = 0; i < CALLS; i++) {
        calls[i] = call_begin(&town, &bodies[i]);
        curl_easy_setopt(calls[i], CURLOPT_PIPEWAIT, 1L);
        curl_multi_add_handle(all, calls[i]);
    }
    perform_all(all);
    for (unsigned i = 0; i < CALLS; i++) {
        expect_http2(calls[i]);
        connections += connections_of(calls[i]);
        curl_multi_remove_handle(all, calls[i]);
        curl_easy_cleanup(calls[i]);
        text_done(&bodies[i]);
    }
    curl_multi_cleanup(all);
    ck_assert_int_eq(connections, 1);
    ck_assert_uint_eq(requests_of(&town, 0), CALLS / 2);
    ck_assert_uint_eq(requests_of(&town, 1), CALLS / 2);
    eventually(scene_access_lines(&town.scene, "\"protocol\":\"HTTP/2\"") == CALLS);
    ck_assert_uint_eq(scene_access_lines(&town.scene, "\"subject\":\"CN=alice\""), CALLS);
    town_close(&town);
}
END_TEST

/* Sends every body back. */
static void answer_with_the_body(struct stub_link *link)
{
    struct stub_request request;
    while (stub_read(link, &request)) {
        struct text head = {0};
        text_add_format(&head, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n",
                        request.body.length);
        stub_send(link, head.bytes, head.length);
        stub_send(link, request.body.bytes, request.body.length);
        text_done(&head);
        stub_request_done(&request);
    }
    stub_request_done(&request);
}

START_TEST(a_large_body_of_curl_comes_back_as_it_went)
{
    enum { LENGTH = 3 * 1000 * 1000 };
    struct town town;
    struct text body = {0};
    struct text sent = {0};
    town_open(&town, answer_with_the_body);
    for (unsigned i = 0; i < LENGTH; i++)
        text_add(&sent, &(char){(char)(i * 7 + i / 251)}, 1);
    CURL *curl = call_begin(&town, &body);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, sent.bytes);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)LENGTH);
    ck_assert_int_eq(curl_easy_perform(curl), CURLE_OK);
    expect_http2(curl);
    ck_assert_uint_eq(body.length, LENGTH);
    ck_assert_mem_eq(body.bytes, sent.bytes, LENGTH);
    curl_easy_cleanup(curl);
    text_done(&body);
    text_done(&sent);
    town_close(&town);
}
END_TEST

/* --- nghttp -------------------------------------------------------------------------------- */

/* All URLs on one connection; returns what nghttp tells of its frames. */
static char *nghttp(struct town *town, const char *listener, const char *certificate,
                    const char *key)
{
    struct text said = {0};
    char url[64];
    char second[80];
    char third[80];
    snprintf(url, sizeof url, "%s", url_of(town, listener));
    snprintf(second, sizeof second, "%s?2", url);
    snprintf(third, sizeof third, "%s?3", url);
    const char *argv[] = {"nghttp",       "-nvy",      url, second, third,
                          "--timeout=20", certificate, key, NULL};
    text_add(&said, "", 0);
    process_run(argv, &said);
    return said.bytes;
}

START_TEST(nghttp_is_served_three_times_on_one_connection)
{
    struct town town;
    char certificate[96];
    char key[96];
    town_open(&town, NULL);
    snprintf(certificate, sizeof certificate, "--cert=%s/alice.crt", town.scene.folder.path);
    snprintf(key, sizeof key, "--key=%s/alice.key", town.scene.folder.path);
    char *said = nghttp(&town, "members", certificate, key);
    ck_assert_msg(text_count(said, ":status: 200") == 3, "%s", said);
    ck_assert_msg(strstr(said, "The negotiated protocol: h2") != NULL, "%s", said);
    free(said);
    ck_assert_uint_eq(requests_of(&town, 0) + requests_of(&town, 1), 3);
    town_close(&town);
}
END_TEST

START_TEST(nghttp_without_a_certificate_gets_no_answer)
{
    struct town town;
    town_open(&town, NULL);
    char *said = nghttp(&town, "members", NULL, NULL);
    ck_assert_msg(strstr(said, ":status: ") == NULL, "%s", said);
    free(said);
    eventually(scene_log_has(&town.scene, "client.refused", "reason=missing", NULL));
    ck_assert_uint_eq(requests_of(&town, 0) + requests_of(&town, 1), 0);
    town_close(&town);
}
END_TEST

/* --- h2load: it knows no client certificates ----------------------------------------------- */

START_TEST(h2load_gets_all_its_answers_from_both_in_equal_parts)
{
    struct town town;
    struct text said = {0};
    town_open(&town, NULL);
    const char *argv[] = {"h2load", "-n", "1000", "-c", "5", "-m", "20", url_of(&town, "everyone"),
                          NULL};
    ck_assert_int_eq(process_run(argv, &said), 0);
    ck_assert_msg(strstr(said.bytes, "status codes: 1000 2xx, 0 3xx, 0 4xx, 0 5xx") != NULL, "%s",
                  said.bytes);
    ck_assert_msg(strstr(said.bytes, "Application protocol: h2") != NULL, "%s", said.bytes);
    text_done(&said);
    ck_assert_uint_eq(requests_of(&town, 0), 500);
    ck_assert_uint_eq(requests_of(&town, 1), 500);
    town_close(&town);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, curl_refreshing_one_connection_sees_rs_1_and_rs_2_in_turn);
    tcase_add_test(tcase, fifty_requests_of_curl_share_one_connection_and_are_divided);
    tcase_add_test(tcase, a_large_body_of_curl_comes_back_as_it_went);
    tcase_add_test(tcase, nghttp_is_served_three_times_on_one_connection);
    tcase_add_test(tcase, nghttp_without_a_certificate_gets_no_answer);
    tcase_add_test(tcase, h2load_gets_all_its_answers_from_both_in_equal_parts);
}

static bool tools_are_there(void)
{
    bool are_there = system("command -v nghttp >/dev/null && command -v h2load >/dev/null") == 0;
    if (!are_there)
        fprintf(stderr, "nghttp and h2load are not installed; ./dev setup installs them\n");
    return are_there;
}

CHECK_MAIN_WHERE("clients of others speak HTTP/2", add_tests, tools_are_there)
