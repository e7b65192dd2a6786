/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Identity fields of one's own making, under every name that lb writes and in every spelling that a
 * backend might read as one of them: alone, in a pipelined request, behind 100-continue, in
 * trailers; named in Connection, so that lb's own would be taken for a hop's; on rules that tell
 * everything, the first request only, or nothing. traefik#5061 and its like.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "listeners/identity_headers/identity_preset.h"
#include "tests/support/cast.h"
#include "tests/support/check_main.h"
#include "tests/support/eventually.h"
#include "tests/support/stub_backend.h"

/* clang-format off */
static const char ini[] =
    "[lb]\nworkers = 1\naccess_log = off\n\n"
    "[listener web]\naddress = 127.0.0.1:@web\ncertificate = server.crt\ncertificate_key = server.key\n"
    "mutual_auth = request\nclient_ca = ca.crt\n\n"
    "[rule off]\nlistener = web\npool = app\nurl = /echo/off\nclient_id_header = X-Device-Id\n\n"
    "[rule all]\nlistener = web\npool = app\nurl = /echo/all\n"
    "client_headers = rfc9440 cloudflare x-cert nginx aws xfcc\nclient_id_header = X-Device-Id\n\n"
    "[rule first]\nlistener = web\npool = app\nurl = /echo/first\n"
    "client_headers = nginx x-cert\nclient_headers_when = first\nclient_id_header = X-Device-Id\n\n"
    "[pool app]\nbackend = rs-1 127.0.0.1:@rs-1\nhealth_check = off\n";
/* clang-format on */

static const char *const urls[] = {"/echo/off", "/echo/all", "/echo/first"};
static const char *const clients[] = {NULL, "alice", "bob"};
static const char *const verdicts[] = {"NONE", "SUCCESS", "FAILED:untrusted"};
enum { OFF, ALL, FIRST, URL_COUNT, LINES_AT_ONCE = 60 };

struct town {
    struct scene scene;
    struct stub_backend backend;
    struct text lies; /* lines, with their CRLF */
};

/* As it is, in capitals, in small letters, with `_`, mixed, with `.` at the end of a word. */
enum { DISGUISES = 6 };
static void disguise(char *name, unsigned how)
{
    for (unsigned i = 0; name[i] != '\0'; i++) {
        bool is_letter = (name[i] | 0x20) >= 'a' && (name[i] | 0x20) <= 'z';
        if (is_letter && (how == 1 || (how == 4 && i % 2 == 0)))
            name[i] = (char)(name[i] & ~0x20);
        else if (is_letter && (how == 2 || how == 4))
            name[i] = (char)(name[i] | 0x20);
        else if (name[i] == '-' && (how == 3 || (how == 4 && i % 2 == 0)))
            name[i] = '_';
        else if (name[i] == '-' && how == 5)
            name[i] = '.';
    }
}

static void add_lie(struct text *lies, const char *like, const char *end, unsigned from)
{
    for (unsigned how = from; how < DISGUISES; how++) {
        char name[80];
        snprintf(name, sizeof name, "%s%s", like, end);
        disguise(name, how);
        text_add_format(lies, "%s: a-lie\r\n", name);
    }
}

static void add_lies(struct text *lies)
{
    for (unsigned i = 0; identity_presets[i] != NULL; i++)
        for (const char *const *field = identity_presets[i]->fields; *field != NULL; field++) {
            add_lie(lies, *field, "", 0);
            add_lie(lies, *field, "-Too-Large", 0);
        }
    /* As it is written there, a verified client may say itself which device it is. */
    add_lie(lies, "X-Device-Id", "", 3);
}

static void town_begin(struct town *town)
{
    *town = (struct town){0};
    scene_begin(&town->scene);
    cast_write(&town->scene);
    stub_start(&town->backend, "rs-1", NULL);
    scene_set_port(&town->scene, "rs-1", town->backend.port);
    scene_start(&town->scene, ini);
    add_lies(&town->lies);
}

static void town_end(struct town *town)
{
    char *heard = stub_heard(&town->backend);
    const char *lie = strstr(heard, "a-lie");
    ck_assert_msg(lie == NULL, "%.*s", lie ? 200 : 0, lie ? lie - 100 : "");
    free(heard);
    scene_end(&town->scene);
    stub_stop(&town->backend);
    text_done(&town->lies);
}

// clang-format off
/* The ways to send them: what stands before them, and behind. */
static const struct way {
    const char *method;
    const char *version;
    const char *before;
    const char *behind;
} ways[] = {
    {"GET", "HTTP/1.1", "", "\r\n"},
    {"GET", "HTTP/1.0", "Connection: keep-alive\r\n", "\r\n"},
    {"POST", "HTTP/1.1", "Expect: 100-continue\r\nContent-Length: 2\r\n", "\r\nok"},
    {"POST", "HTTP/1.1", "Transfer-Encoding: chunked\r\nTrailer: X-SSL-Client-Verify, Client-Cert\r\n\r\n"
                         "2\r\nok\r\n0\r\n", "\r\n"},
    {"GET", "HTTP/1.1", "Connection: X-SSL-Client-Verify, x-cert-verify, X_SSL_Client_Verify, X-Device-Id, "
                        "Client-Cert\r\n", "\r\n"},
};
// clang-format on
enum { WAYS = sizeof ways / sizeof ways[0] };

static void come(struct town *town, struct peer *peer, const char *who)
{
    ck_assert(
        peer_connect_tls(peer, scene_port(&town->scene, "web"), WISH(&town->scene, .who = who)));
}

/* The final answer: what the backend got. */
static void read_echo(struct peer *peer, struct answer *answer)
{
    do {
        answer_done(answer);
        *answer = (struct answer){0};
        ck_assert(peer_read_answer(peer, "GET", answer));
    } while (answer->status < 200);
    ck_assert_uint_eq(answer->status, 200);
}

/* What lb says itself stands there once, whatever the client said. */
static void check_told(const char *head, unsigned url, unsigned who, bool is_first)
{
    bool is_told = url == ALL || (url == FIRST && is_first);
    char value[64] = "";
    ck_assert_msg(strstr(head, "a-lie") == NULL, "%s", head);
    ck_assert_uint_eq(text_field_count(head, "X-SSL-Client-Verify"), is_told);
    ck_assert_uint_eq(text_field_count(head, "X-CERT-VERIFY"), is_told);
    ck_assert_uint_eq(text_field_count(head, "Client-Cert"), url == ALL && who == 1);
    ck_assert_uint_eq(text_field_count(head, "X-Device-Id"), who == 1);
    if (is_told) {
        ck_assert(text_field(head, "X-SSL-Client-Verify", value, sizeof value));
        ck_assert_str_eq(value, verdicts[who]);
    }
    if (who == 1) {
        ck_assert(text_field(head, "X-Device-Id", value, sizeof value));
        ck_assert_str_eq(value, "alice");
    }
}

/* All lies to one URL in one way, in portions: a head may have 128 fields. Pipelined: the honest
 * request and the lies go out together. */
static void tell_lies(struct town *town, unsigned url, unsigned who, const struct way *way)
{
    for (char *at = town->lies.bytes, *end; *at != '\0'; at = end) {
        struct peer peer;
        struct text request = {0};
        struct answer answer = {0};
        end = at;
        for (unsigned lines = 0; lines < LINES_AT_ONCE && *end != '\0'; lines++)
            end = strchr(end, '\n') + 1;
        text_add_format(&request, "GET %s HTTP/1.1\r\nHost: www.example.com\r\n\r\n", urls[url]);
        text_add_format(&request, "%s %s %s\r\nHost: www.example.com\r\n%s%.*s%s", way->method,
                        urls[url], way->version, way->before, (int)(end - at), at, way->behind);
        come(town, &peer, clients[who]);
        ck_assert(peer_send(&peer, request.bytes, request.length));
        read_echo(&peer, &answer);
        check_told(answer.body.bytes, url, who, true);
        read_echo(&peer, &answer);
        check_told(answer.body.bytes, url, who, false);
        answer_done(&answer);
        text_done(&request);
        peer_close(&peer);
    }
}

START_TEST(no_field_of_ones_own_reaches_a_backend)
{
    struct town town;
    town_begin(&town);
    for (unsigned url = 0; url < URL_COUNT; url++)
        for (unsigned who = 0; who < 3; who++)
            tell_lies(&town, url, who, &ways[_i]);
    town_end(&town);
}
END_TEST

/* Spellings that one reader takes for a field of that name, and another for something else. */
static const char *const broken[] = {
    "X-SSL-Client-Verify : a-lie\r\n",         " X-SSL-Client-Verify: a-lie\r\n",
    "X-SSL-Client-Verify\t: a-lie\r\n",        "X-SSL-Client-\r\n Verify: a-lie\r\n",
    "A: b\r\n X-SSL-Client-Verify: a-lie\r\n", "A: b\rX-SSL-Client-Verify: a-lie\r\n",
    "A: b\nX-SSL-Client-Verify: a-lie\r\n",    "X-SSL-Client\xe2\x80\x90Verify: a-lie\r\n",
    "X-SSL-Client-Verify a-lie\r\n",           ": X-SSL-Client-Verify: a-lie\r\n",
};

START_TEST(a_field_that_two_readers_read_differently_gets_no_further)
{
    struct town town;
    town_begin(&town);
    for (unsigned i = 0; i < sizeof broken / sizeof broken[0]; i++)
        for (unsigned url = 0; url < URL_COUNT; url++) {
            struct peer peer;
            struct text request = {0};
            text_add_format(&request, "GET %s HTTP/1.1\r\nHost: www.example.com\r\n%s\r\n",
                            urls[url], broken[i]);
            come(&town, &peer, NULL);
            unsigned status = peer_ask(&peer, request.bytes);
            /* A bare LF ends a line for everybody, so it is a field like any other: gone. */
            ck_assert_msg(status == 400 || (status == 200 && strstr(broken[i], "b\nX")), "%s%u",
                          request.bytes, status);
            text_done(&request);
            peer_close(&peer);
        }
    town_end(&town);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, no_field_of_ones_own_reaches_a_backend, 0, WAYS);
    tcase_add_test(tcase, a_field_that_two_readers_read_differently_gets_no_further);
}

CHECK_MAIN("nobody forges who he is", add_tests)
