/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which client is it? alice's certificate is registered under an id, anna's is not, bob's comes
 * from nobody whom the rule trusts, and some show none. Each of them says in X-Device-Id whatever
 * suits; the backend hears what lb makes of it, and the access log tells the same.
 */
#include <stdarg.h>
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
    "[lb]\nworkers = 2\naccess_log = access.log\n\n"
    "[registry]\nstore = sqlite:registry.db\n\n"
    "[listener web]\naddress = 127.0.0.1:@web\ncertificate = server.crt\ncertificate_key = server.key\n"
    "mutual_auth = request\nclient_ca = ca.crt\n\n"
    "[rule devices]\nlistener = web\npool = app\nclient_id_header = X-Device-Id\n\n"
    "[rule open]\nlistener = web\nurl = /open\nmutual_auth = off\npool = app\n\n"
    "[rule own]\nlistener = web\nurl = /own\nrespond = 204\n\n"
    "[pool app]\nbackend = rs-1 127.0.0.1:@rs-1\n";
#define HOST "Host: www.example.com\r\n"
/* clang-format on */

struct house {
    struct scene scene;
    struct stub_backend backend;
    struct text said; /* by the last command */
    char serial[128]; /* alice's */
};

/* What came goes back, trailers and all. */
static void echo(struct stub_link *link)
{
    struct stub_request request;
    while (stub_read(link, &request)) {
        struct text answer = {0};
        text_add_format(&answer, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n",
                        request.head.length + request.trailers.length);
        text_add(&answer, request.head.bytes, request.head.length);
        if (request.trailers.length > 0)
            text_add(&answer, request.trailers.bytes, request.trailers.length);
        stub_send(link, answer.bytes, answer.length);
        text_done(&answer);
        stub_request_done(&request);
    }
    stub_request_done(&request);
}

/* A shell's line in the scene's folder, where $LB is the program; it must end well. */
static void command(struct house *house, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void command(struct house *house, const char *format, ...)
{
    char line[512];
    struct text script = {0};
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    text_add_format(&script, "cd '%s'; LB='%s'; %s", house->scene.folder.path, process_lb(), line);
    const char *argv[] = {"/bin/sh", "-c", script.bytes, NULL};
    text_done(&house->said);
    int status = process_run(argv, &house->said);
    ck_assert_msg(status == 0, "`%s` ended with %d: %s", line, status, house->said.bytes);
    text_done(&script);
}

static void house_open(struct house *house)
{
    *house = (struct house){0};
    scene_begin(&house->scene);
    cast_write(&house->scene);
    stub_start(&house->backend, "rs-1", echo);
    scene_set_port(&house->scene, "rs-1", house->backend.port);
    scene_start(&house->scene, ini);
    command(house, "$LB ca upload ca.crt --name story");
    command(house, "$LB cert register alice.crt --client-id meter-7");
    command(house, "openssl x509 -in alice.crt -noout -serial | cut -d= -f2 | tr -d '\\n'");
    snprintf(house->serial, sizeof house->serial, "%s", house->said.bytes);
}

static void house_close(struct house *house)
{
    scene_end(&house->scene);
    stub_stop(&house->backend);
    text_done(&house->said);
}

/* who NULL: without a certificate */
static void enter(struct house *house, struct peer *peer, const char *who)
{
    ck_assert(
        peer_connect_tls(peer, scene_port(&house->scene, "web"),
                         WISH(&house->scene, .sni = "www.example.com", .who = who, .trust = "ca")));
}

static char *ask(struct peer *peer, const char *request)
{
    struct answer answer;
    ck_assert(peer_say(peer, request));
    ck_assert(peer_read_answer(peer, "GET", &answer));
    ck_assert_msg(answer.status == 200, "%s", answer.head);
    char *head = strdup(answer.body.bytes);
    answer_done(&answer);
    return head;
}

/* The id that the backend hears, for a GET with these fields; NULL: none. */
static void expect_id(struct peer *peer, const char *path, const char *fields, const char *id)
{
    struct text request = {0};
    char found[512] = "";
    text_add_format(&request, "GET %s HTTP/1.1\r\n" HOST "%s\r\n", path, fields);
    char *head = ask(peer, request.bytes);
    ck_assert_msg(text_field_count(head, "X-Device-Id") == (id ? 1 : 0), "%s", head);
    if (id) {
        text_field(head, "X-Device-Id", found, sizeof found);
        ck_assert_str_eq(found, id);
    }
    ck_assert_ptr_null(strstr(head, "forged"));
    free(head);
    text_done(&request);
}

static unsigned logged(struct house *house, const char *id)
{
    char text[128];
    snprintf(text, sizeof text, "\"client_id\":\"%s\"", id);
    return scene_access_lines(&house->scene, text);
}

/* --- who it is ----------------------------------------------------------------------------- */

static const char forged[] = "X_Device_Id: forged\r\nx-device_id: forged\r\n";

START_TEST(passed_else_registered_else_the_common_name)
{
    struct house house;
    struct peer alice;
    struct peer anna;
    house_open(&house);
    enter(&house, &alice, "alice");
    enter(&house, &anna, "anna");
    expect_id(&alice, "/", "", "meter-7");
    expect_id(&alice, "/", forged, "meter-7");
    expect_id(&alice, "/", "X-Device-Id: sensor 12\r\n", "sensor 12");
    expect_id(&alice, "/", "Connection: X-Device-Id\r\n", "meter-7");
    expect_id(&anna, "/", "", "anna");
    expect_id(&anna, "/",
              "x-device-id: K\xc3\xbc"
              "che\r\n",
              "K\xc3\xbc"
              "che");
    eventually(logged(&house, "meter-7") == 3);
    eventually(logged(&house, "sensor 12") == 1);
    eventually(logged(&house, "anna") == 1);
    eventually(logged(&house, "K\xc3\xbc"
                              "che") == 1);
    peer_close(&alice);
    peer_close(&anna);
    house_close(&house);
}
END_TEST

START_TEST(who_is_not_verified_is_nobody_whatever_he_says)
{
    static const char *const strangers[] = {"bob", NULL};
    struct house house;
    house_open(&house);
    for (unsigned i = 0; i < 2; i++) {
        struct peer peer;
        enter(&house, &peer, strangers[i]);
        expect_id(&peer, "/", "X-Device-Id: forged\r\n", NULL);
        expect_id(&peer, "/", forged, NULL);
        expect_id(&peer, "/", "X-Device-Id: forged\r\nX-Device-Id: forged\r\n", NULL);
        expect_id(&peer, "/", "Connection: X-Device-Id\r\nX-Device-Id: forged\r\n", NULL);
        /* Another rule, but backends that believe the field. */
        expect_id(&peer, "/open", "X-Device-Id: forged\r\nX_DEVICE_ID: forged\r\n", NULL);
        peer_close(&peer);
    }
    eventually(scene_access_lines(&house.scene, "\"rule\":\"open\"") == 2);
    ck_assert_uint_eq(scene_access_lines(&house.scene, "client_id"), 0);
    house_close(&house);
}
END_TEST

START_TEST(trailers_tell_no_id)
{
    static const char request[] =
        "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n"
        "X-Device-Id: forged\r\nX_Device_Id: forged\r\nX-Checksum: 900150983cd24fb0\r\n\r\n";
    struct house house;
    struct peer alice;
    house_open(&house);
    enter(&house, &alice, "alice");
    char *seen = ask(&alice, request);
    ck_assert_ptr_nonnull(strcasestr(seen, "X-Checksum: 900150983cd24fb0"));
    ck_assert_ptr_nonnull(strstr(seen, "X-Device-Id: meter-7"));
    ck_assert_ptr_null(strstr(seen, "forged"));
    free(seen);
    peer_close(&alice);
    house_close(&house);
}
END_TEST

/* lb's own answers are about somebody, too. */
START_TEST(an_answer_of_lb_s_own_is_logged_with_the_id)
{
    struct house house;
    struct peer alice;
    house_open(&house);
    enter(&house, &alice, "alice");
    ck_assert_uint_eq(peer_ask(&alice, "GET /own HTTP/1.1\r\n" HOST "\r\n"), 204);
    eventually(logged(&house, "meter-7") == 1);
    peer_close(&alice);
    house_close(&house);
}
END_TEST

/* --- bad ids ------------------------------------------------------------------------------- */

static const char *const bad[] = {
    "X-Device-Id: a\r\nX-Device-Id: b\r\n",
    "X-Device-Id: a\r\nAccept: */*\r\nx-device-id: a\r\n",
    "X-Device-Id: a\tb\r\n",
    "X-Device-Id: a\xc2\x85"
    "b\r\n", /* NEL, a control character of two bytes */
    "X-Device-Id: \xff\xfe\r\n",
    /* 257 bytes */
    "X-Device-Id: "
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdefX\r\n",
};
enum { BAD = sizeof bad / sizeof *bad };

START_TEST(two_ids_or_a_bad_one_are_refused_and_reach_nobody)
{
    struct house house;
    struct peer alice;
    struct answer answer;
    house_open(&house);
    for (unsigned i = 0; i < BAD; i++) {
        struct text request = {0};
        enter(&house, &alice, "alice");
        text_add_format(&request, "GET / HTTP/1.1\r\n" HOST "%s\r\n", bad[i]);
        ck_assert(peer_say(&alice, request.bytes));
        ck_assert_msg(peer_read_answer(&alice, "GET", &answer), "%s", bad[i]);
        ck_assert_msg(answer.status == 400, "%s: %s", bad[i], answer.head);
        ck_assert_ptr_nonnull(strstr(answer.body.bytes, "bad-client-id"));
        answer_done(&answer);
        text_done(&request);
        peer_close(&alice);
    }
    ck_assert_uint_eq(atomic_load(&house.backend.requests), 0);
    enter(&house, &alice, "alice");
    expect_id(&alice, "/", "X-Device-Id: good\r\n", "good");
    eventually(scene_access_lines(&house.scene, "\"reason\":\"bad-client-id\"") == BAD);
    eventually(logged(&house, "good") == 1);
    ck_assert_uint_eq(scene_access_lines(&house.scene, "client_id"), 1);
    ck_assert(scene_log_has(&house.scene, "request.refused", "rule=devices", "reason=bad-client-id",
                            "status=400", NULL));
    peer_close(&alice);
    house_close(&house);
}
END_TEST

/* Where the field means nothing to the rule it is not judged. */
START_TEST(a_rule_without_the_key_refuses_no_id)
{
    struct house house;
    struct peer alice;
    house_open(&house);
    enter(&house, &alice, "alice");
    for (unsigned i = 0; i < BAD; i++)
        expect_id(&alice, "/open", bad[i], NULL);
    peer_close(&alice);
    house_close(&house);
}
END_TEST

/* --- changes ------------------------------------------------------------------------------- */

START_TEST(a_new_registered_id_is_in_force_at_the_next_request_of_an_open_connection)
{
    struct house house;
    struct peer alice;
    struct peer anna;
    house_open(&house);
    enter(&house, &alice, "alice");
    enter(&house, &anna, "anna");
    expect_id(&alice, "/", "", "meter-7");
    expect_id(&anna, "/", "", "anna");
    command(&house, "$LB cert client-id %s 'meter 8 \xe2\x82\xac'", house.serial);
    expect_id(&alice, "/", "", "meter 8 \xe2\x82\xac");
    command(&house, "$LB cert client-id %s ''", house.serial);
    expect_id(&alice, "/", "", "alice");
    command(&house, "$LB cert register anna.crt --client-id meter-9");
    expect_id(&anna, "/", "", "meter-9");
    peer_close(&alice);
    peer_close(&anna);
    house_close(&house);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, passed_else_registered_else_the_common_name);
    tcase_add_test(tcase, who_is_not_verified_is_nobody_whatever_he_says);
    tcase_add_test(tcase, trailers_tell_no_id);
    tcase_add_test(tcase, an_answer_of_lb_s_own_is_logged_with_the_id);
    tcase_add_test(tcase, two_ids_or_a_bad_one_are_refused_and_reach_nobody);
    tcase_add_test(tcase, a_rule_without_the_key_refuses_no_id);
    tcase_add_test(tcase,
                   a_new_registered_id_is_in_force_at_the_next_request_of_an_open_connection);
}

CHECK_MAIN("clients have an id", add_tests)
