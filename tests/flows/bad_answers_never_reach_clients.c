/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a backend may do wrong: garbage, endless heads, floods of 1xx, both lengths, lies about
 * lengths, words too many. The client gets 502 or an answer that it can see is cut; the next client
 * gets its own bytes, never these.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/support/check_main.h"
#include "tests/support/eventually.h"
#include "tests/support/house.h"

/* Sends the story's bytes for every request to /bad, a good answer for every other. */
static void answer_badly(struct stub_link *link)
{
    struct stub_request request;
    bool go_on = true;
    while (go_on && stub_read(link, &request)) {
        go_on = strstr(request.head.bytes, " /bad ") == NULL;
        if (go_on)
            stub_say(link, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood");
        else
            stub_send(link, ((struct text *)link->stub->story)->bytes,
                      ((struct text *)link->stub->story)->length);
        stub_request_done(&request);
    }
    if (go_on)
        stub_request_done(&request);
}

static void expect_good(struct house *house)
{
    struct peer peer;
    char body[32] = "";
    house_enter(house, &peer);
    for (unsigned i = 0; i < 4; i++) {
        ck_assert_uint_eq(peer_get(&peer, "a", "/", body, sizeof body), 200);
        ck_assert_str_eq(body, "good");
    }
    peer_close(&peer);
}

/* clang-format off */
static const char *const bad_heads[] = {
    "",
    "\r\n\r\n",
    "garbage\r\n\r\n",
    "HTTP/1.1\r\n\r\n",
    "HTTP/1.1 abc OK\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 000 OK\r\nContent-Length: 0\r\n\r\n",
    "HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n",
    "ICY 200 OK\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc",
    "HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
    "HTTP/1.1 200 OK\r\nX-A : b\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nX-A: b\r\n folded\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nX-A: b\rc\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nX-A: b\nX-B: c\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nno colon\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Le",
    "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
};
/* clang-format on */
enum { BAD_HEAD_COUNT = sizeof bad_heads / sizeof bad_heads[0] };

START_TEST(a_head_that_is_none_gives_502)
{
    struct house house;
    struct text story = {0};
    text_add(&story, "", 0);
    house_open(&house, &(struct house_plan){.serve = answer_badly, .story = &story});
    for (unsigned i = 0; i < BAD_HEAD_COUNT; i++) {
        struct peer peer;
        struct answer answer;
        text_drop(&story, story.length);
        text_add(&story, bad_heads[i], strlen(bad_heads[i]));
        house_enter(&house, &peer);
        ck_assert(peer_say(&peer, "POST /bad HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"));
        ck_assert(peer_read_answer(&peer, "POST", &answer));
        ck_assert_msg(answer.status == 502, "case %u (%s): %u", i, bad_heads[i], answer.status);
        answer_done(&answer);
        peer_close(&peer);
        expect_good(&house);
    }
    eventually(scene_access_lines(&house.scene, "\"status\":502") == BAD_HEAD_COUNT);
    ck_assert_uint_eq(scene_access_lines(&house.scene, "\"reason\":\""), BAD_HEAD_COUNT);
    house_close(&house);
    text_done(&story);
}
END_TEST

static void expect_502_for(const struct text *bytes)
{
    struct house house;
    struct peer peer;
    house_open(&house,
               &(struct house_plan){.serve = answer_badly, .story = (void *)(uintptr_t)bytes});
    house_enter(&house, &peer);
    ck_assert_uint_eq(peer_ask(&peer, "POST /bad HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"),
                      502);
    peer_close(&peer);
    expect_good(&house);
    house_close(&house);
}

START_TEST(an_endless_head_gives_502)
{
    struct text bytes = {0};
    text_add_format(&bytes, "HTTP/1.1 200 OK\r\nX-Long: ");
    for (unsigned i = 0; i < 20000; i++)
        text_add_format(&bytes, "0123456789");
    expect_502_for(&bytes);
    text_done(&bytes);
}
END_TEST

START_TEST(a_head_of_too_many_fields_gives_502)
{
    struct text bytes = {0};
    text_add_format(&bytes, "HTTP/1.1 200 OK\r\n");
    for (unsigned i = 0; i < 1000; i++)
        text_add_format(&bytes, "A: b\r\n");
    text_add_format(&bytes, "Content-Length: 0\r\n\r\n");
    expect_502_for(&bytes);
    text_done(&bytes);
}
END_TEST

START_TEST(a_flood_of_interim_answers_ends_the_connection)
{
    struct house house;
    struct peer peer;
    struct text bytes = {0};
    for (unsigned i = 0; i < 10000; i++)
        text_add_format(&bytes, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
    house_open(&house, &(struct house_plan){.serve = answer_badly, .story = &bytes});
    house_enter(&house, &peer);
    unsigned status = peer_ask(&peer, "POST /bad HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
    ck_assert_msg(status == 502 || status == 0, "%u", status);
    peer_close(&peer);
    expect_good(&house);
    house_close(&house);
    text_done(&bytes);
}
END_TEST

/* The head was good, so the client has seen it; what follows is not. */
static const char *const bad_bodies[] = {
    "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\nbad",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloworld\r\n0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-A : b\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-A: b",
};
enum { BAD_BODY_COUNT = sizeof bad_bodies / sizeof bad_bodies[0] };

START_TEST(a_body_that_is_cut_or_wrong_never_looks_complete)
{
    struct house house;
    struct text story = {0};
    text_add(&story, "", 0);
    house_open(&house, &(struct house_plan){.serve = answer_badly, .story = &story});
    for (unsigned i = 0; i < BAD_BODY_COUNT; i++) {
        struct peer peer;
        struct answer answer;
        text_drop(&story, story.length);
        text_add(&story, bad_bodies[i], strlen(bad_bodies[i]));
        house_enter(&house, &peer);
        ck_assert(peer_say(&peer, "POST /bad HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"));
        if (peer_read_answer(&peer, "POST", &answer))
            ck_assert_msg(answer.status == 502 || !answer.is_complete, "case %u: %s", i,
                          bad_bodies[i]);
        answer_done(&answer);
        peer_close(&peer);
        expect_good(&house);
    }
    house_close(&house);
    text_done(&story);
}
END_TEST

/* As long as the client has not got the head, it can be told. */
START_TEST(a_body_that_is_wrong_from_its_start_is_a_502)
{
    static const char *const bodies[] = {"zz\r\nbad\r\n0\r\n\r\n", "5\r\nhello\r\nzz\r\nbad",
                                         "\r\n", "-1\r\n", "5\r\nhelloworld\r\n0\r\n\r\n"};
    struct text bytes = {0};
    text_add_format(&bytes, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%s", bodies[_i]);
    expect_502_for(&bytes);
    text_done(&bytes);
}
END_TEST

/* A second answer that nobody asked for, in the hope that it is given to the next client. */
static const char *const surplus[] = {
    "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngoodHTTP/1.1 200 OK\r\nContent-Length: "
    "4\r\n\r\nevil",
    "HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ngood\r\n0\r\n\r\n"
    "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil",
};

/* Keeps the connection open, so that only lb can throw it away. */
static void answer_too_much(struct stub_link *link)
{
    struct stub_request request;
    while (stub_read(link, &request)) {
        if (strstr(request.head.bytes, " /bad ") != NULL)
            stub_say(link, link->stub->story);
        else
            stub_say(link, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood");
        stub_request_done(&request);
    }
    stub_request_done(&request);
}

START_TEST(bytes_behind_an_answer_are_never_another_client_s)
{
    struct house house;
    house_open(&house, &(struct house_plan){.serve = answer_too_much,
                                            .story = (void *)(uintptr_t)surplus[_i]});
    for (unsigned i = 0; i < 10; i++) {
        struct peer peer;
        house_enter(&house, &peer);
        unsigned status = peer_get(&peer, "a", "/bad", NULL, 0);
        ck_assert_msg(status == 200 || status == 204 || status == 502, "%u", status);
        peer_close(&peer);
        expect_good(&house);
    }
    house_close(&house);
}
END_TEST

static void speak_first(struct stub_link *link)
{
    stub_say(link, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil");
    answer_too_much(link);
}

START_TEST(a_backend_that_speaks_before_it_is_asked_is_survived)
{
    struct house house;
    house_open(&house,
               &(struct house_plan){.serve = speak_first, .story = (void *)(uintptr_t)surplus[0]});
    for (unsigned i = 0; i < 10; i++) {
        struct peer peer;
        char first[16] = "";
        char second[16] = "";
        house_enter(&house, &peer);
        unsigned status = peer_get(&peer, "a", "/", first, sizeof first);
        ck_assert_msg(status == 200 || status == 502, "%u", status);
        status = peer_get(&peer, "a", "/", second, sizeof second);
        ck_assert_msg(status == 200 || status == 502, "%u", status);
        peer_close(&peer);
    }
    house_close(&house);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, a_head_that_is_none_gives_502);
    tcase_add_test(tcase, an_endless_head_gives_502);
    tcase_add_test(tcase, a_head_of_too_many_fields_gives_502);
    tcase_add_test(tcase, a_flood_of_interim_answers_ends_the_connection);
    tcase_add_test(tcase, a_body_that_is_cut_or_wrong_never_looks_complete);
    tcase_add_loop_test(tcase, a_body_that_is_wrong_from_its_start_is_a_502, 0, 5);
    tcase_add_loop_test(tcase, bytes_behind_an_answer_are_never_another_client_s, 0,
                        sizeof surplus / sizeof surplus[0]);
    tcase_add_test(tcase, a_backend_that_speaks_before_it_is_asked_is_survived);
}

CHECK_MAIN("bad answers never reach clients", add_tests)
