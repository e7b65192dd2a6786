/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session_persistence = cookie: a client that brings the cookie meets the backend it had, on every
 * worker, after a reload and after a restart. When that backend is no more to be had the client is
 * moved, and the answer that says so carries the new cookie. What is no good cookie is none.
 */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/cast.h"
#include "tests/support/check_main.h"
#include "tests/support/eventually.h"
#include "tests/support/process.h"
#include "tests/support/stub_backend.h"

/* clang-format off */
#define LB "[lb]\nworkers = 2\naccess_log = access.log\nstate_dir = state/\n\n"
#define PLAIN "[listener plain]\naddress = 127.0.0.1:@plain\nprotocol = http\n\n"
#define WEB "[listener web]\naddress = 127.0.0.1:@web\n" \
    "certificate = server.crt\ncertificate_key = server.key\n\n"
#define RULE "[rule all]\nlistener = plain\npool = app\n\n"
#define POOL "[pool app]\nsession_persistence = cookie\nhealth_check = off\n"
#define RS(number) "backend = rs-" number " 127.0.0.1:@rs-" number "\n"
#define TWO RS("1") RS("2")
/* clang-format on */

/* One check decides, so it is given the time that a busy machine needs. */
static const char checked[] = "health_check_interval = 1s\nhealth_check_timeout = 900ms\n"
                              "healthy_threshold = 1\nunhealthy_threshold = 1\n";

enum { STUBS = 3, COOKIE_BYTES = 16 * 1024, TOKEN_CHARS = 44 };

struct town {
    struct scene scene;
    struct stub_backend stubs[STUBS];
};

/* Somebody with a browser: keeps the cookie of the latest Set-Cookie and sends it. */
struct visitor {
    char token[128]; /* "": none */
    unsigned gifts;  /* cookies it got so far */
    char attributes[256];
    char answer[64]; /* body of the latest */
    unsigned status;
};

static void start_stub(struct town *town, unsigned index, stub_serve serve)
{
    static const char *const names[STUBS] = {"rs-1", "rs-2", "rs-3"};
    struct stub_backend *stub = &town->stubs[index];
    if (stub->port == 0)
        stub_start(stub, names[index], serve);
    else
        stub_start_at(stub, names[index], serve, stub->port);
    scene_set_port(&town->scene, names[index], stub->port);
}

static void town_open_with(struct town *town, const char *ini, stub_serve serve)
{
    *town = (struct town){0};
    scene_begin(&town->scene);
    cast_write(&town->scene);
    for (unsigned i = 0; i < STUBS; i++)
        start_stub(town, i, serve);
    scene_start(&town->scene, ini);
}

static void town_open(struct town *town, const char *ini)
{
    town_open_with(town, ini, NULL);
}

static void town_close(struct town *town)
{
    scene_end(&town->scene);
    for (unsigned i = 0; i < STUBS; i++)
        stub_stop(&town->stubs[i]);
}

static void restart(struct town *town, const char *ini)
{
    scene_stop(&town->scene);
    unlink(folder_file(&town->scene.folder, "lb.log"));
    scene_start(&town->scene, ini);
}

/* --- visiting ------------------------------------------------------------------------------ */

static void take_cookie(struct visitor *visitor, const char *head)
{
    char cookie[512], name[] = "LBSESSION=";
    if (!text_field(head, "Set-Cookie", cookie, sizeof cookie))
        return;
    ck_assert_uint_eq(text_field_count(head, "Set-Cookie"), 1);
    ck_assert_msg(strncmp(cookie, name, strlen(name)) == 0, "%s", cookie);
    const char *value = cookie + strlen(name);
    size_t length = strcspn(value, ";");
    ck_assert_uint_eq(length, TOKEN_CHARS);
    snprintf(visitor->token, sizeof visitor->token, "%.*s", (int)length, value);
    snprintf(visitor->attributes, sizeof visitor->attributes, "%s", value + length);
    visitor->gifts++;
}

/* Ask with these header fields on a connection that is there. */
static void ask(struct peer *peer, struct visitor *visitor, const char *method, const char *path,
                const char *fields)
{
    struct text request = {0};
    struct answer answer;
    text_add_format(&request, "%s %s HTTP/1.1\r\nHost: a\r\n%s\r\n", method, path, fields);
    ck_assert(peer_say(peer, request.bytes));
    ck_assert(peer_read_answer(peer, method, &answer));
    visitor->status = answer.status;
    snprintf(visitor->answer, sizeof visitor->answer, "%.60s",
             answer.body.length ? answer.body.bytes : "");
    take_cookie(visitor, answer.head);
    answer_done(&answer);
    text_done(&request);
}

static void ask_with_cookie(struct peer *peer, struct visitor *visitor, const char *method,
                            const char *path)
{
    char fields[COOKIE_BYTES] = "";
    if (visitor->token[0])
        snprintf(fields, sizeof fields, "Cookie: theme=dark; LBSESSION=%s\r\n", visitor->token);
    ask(peer, visitor, method, path, fields);
}

/* A connection of its own, so that both workers are met. returns who answered. */
static const char *visit(struct town *town, struct visitor *visitor)
{
    struct peer peer;
    peer_connect(&peer, scene_port(&town->scene, "plain"));
    ask_with_cookie(&peer, visitor, "GET", "/");
    peer_close(&peer);
    ck_assert_uint_eq(visitor->status, 200);
    return visitor->answer;
}

/* A visitor who has met this backend. */
static struct visitor guest_of(struct town *town, const char *backend)
{
    for (unsigned tries = 0; tries < 10; tries++) {
        struct visitor visitor = {0};
        if (strcmp(visit(town, &visitor), backend) == 0) {
            ck_assert_uint_eq(visitor.gifts, 1);
            return visitor;
        }
    }
    ck_abort_msg("%s answers nobody", backend);
}

static void expect_to_stay(struct town *town, struct visitor *visitor, const char *backend)
{
    unsigned gifts = visitor->gifts;
    for (unsigned i = 0; i < 6; i++)
        ck_assert_str_eq(visit(town, visitor), backend);
    ck_assert_uint_eq(visitor->gifts, gifts);
}

/* Elsewhere, and with the cookie of there in the same answer. */
static void expect_to_be_moved(struct town *town, struct visitor *visitor, const char *to)
{
    unsigned gifts = visitor->gifts;
    ck_assert_str_eq(visit(town, visitor), to);
    ck_assert_uint_eq(visitor->gifts, gifts + 1);
    expect_to_stay(town, visitor, to);
}

/* --- sticking ------------------------------------------------------------------------------ */

START_TEST(who_brings_the_cookie_stays_and_who_does_not_takes_turns)
{
    struct town town;
    town_open(&town, LB PLAIN RULE POOL TWO);
    struct visitor one = guest_of(&town, "rs-1");
    struct visitor two = guest_of(&town, "rs-2");
    unsigned had[2] = {0};
    for (unsigned i = 0; i < 20; i++) {
        struct visitor stranger = {0};
        ck_assert_str_eq(visit(&town, &one), "rs-1");
        ck_assert_str_eq(visit(&town, &two), "rs-2");
        had[strcmp(visit(&town, &stranger), "rs-2") == 0]++;
        ck_assert_uint_eq(stranger.gifts, 1);
    }
    /* Those who stick take nobody's turn. */
    ck_assert_uint_eq(had[0], 10);
    ck_assert_uint_eq(had[1], 10);
    ck_assert_uint_eq(one.gifts + two.gifts, 2);
    town_close(&town);
}
END_TEST

START_TEST(a_kept_connection_and_every_method_stick)
{
    static const char *const methods[] = {"GET", "HEAD", "POST", "DELETE", "OPTIONS"};
    struct town town;
    struct peer peer;
    town_open(&town, LB PLAIN RULE POOL TWO);
    struct visitor visitor = guest_of(&town, "rs-2");
    unsigned before = atomic_load(&town.stubs[0].requests);
    peer_connect(&peer, scene_port(&town.scene, "plain"));
    for (unsigned i = 0; i < 5; i++) {
        ask_with_cookie(&peer, &visitor, methods[i], "/");
        ck_assert_uint_eq(visitor.status, 200);
    }
    peer_close(&peer);
    ck_assert_uint_eq(visitor.gifts, 1);
    ck_assert_uint_eq(atomic_load(&town.stubs[0].requests), before);
    town_close(&town);
}
END_TEST

START_TEST(the_cookie_is_guarded_and_tells_nothing)
{
    static const char https[] = "; Path=/; Max-Age=319; HttpOnly; SameSite=Lax; Secure";
    static const char http[] = "; Path=/; Max-Age=319; HttpOnly; SameSite=Lax";
    struct town town;
    struct visitor one = {0}, two = {0};
    struct peer peer;
    town_open(&town, LB PLAIN WEB
              "[rule all]\nlistener = plain\nlistener = web\npool = app\n\n" POOL RS("1"));
    visit(&town, &one);
    ck_assert_str_eq(one.attributes, http);
    ck_assert(
        peer_connect_tls(&peer, scene_port(&town.scene, "web"), WISH(&town.scene, .trust = "ca")));
    ask(&peer, &two, "GET", "/", "");
    ck_assert_str_eq(two.attributes, https);
    /* It is the same session on both. */
    one.gifts = 0;
    ask_with_cookie(&peer, &one, "GET", "/");
    ck_assert_uint_eq(one.gifts, 0);
    peer_close(&peer);
    /* Two letters may meet by chance; a whole name does not. */
    ck_assert_ptr_null(strstr(one.token, "rs-1"));
    ck_assert_ptr_null(strstr(one.token, "rs-2"));
    char *log = scene_log(&town.scene);
    ck_assert_ptr_null(strstr(log, one.token));
    free(log);
    town_close(&town);
}
END_TEST

START_TEST(two_pools_of_one_host_stick_by_themselves)
{
    static const char ini[] =
        LB PLAIN "[rule all]\nlistener = plain\npool = app\n\n"
                 "[rule shop]\nlistener = plain\nurl = /shop\npool = shop\n\n"
                 "[rule bare]\nlistener = plain\nurl = /bare\npool = bare\n\n" POOL TWO
                 "\n[pool shop]\nsession_persistence = cookie\npersistence_cookie = SHOP\n"
                 "health_check = off\n" TWO "\n[pool bare]\nhealth_check = off\n" TWO;
    struct town town;
    struct peer peer;
    char fields[512];
    town_open(&town, ini);
    struct visitor visitor = guest_of(&town, "rs-1");
    struct visitor before = visitor;
    peer_connect(&peer, scene_port(&town.scene, "plain"));
    /* The token of one is nothing for the other, under either name. */
    snprintf(fields, sizeof fields, "Cookie: SHOP=%s; LBSESSION=%s\r\n", visitor.token,
             visitor.token);
    for (unsigned i = 0; i < 4; i++) {
        struct answer answer;
        char cookie[256] = "";
        ck_assert(peer_say(&peer, "GET /shop HTTP/1.1\r\nHost: a\r\n"));
        ck_assert(peer_say(&peer, fields) && peer_say(&peer, "\r\n"));
        ck_assert(peer_read_answer(&peer, "GET", &answer));
        ck_assert(text_field(answer.head, "Set-Cookie", cookie, sizeof cookie));
        ck_assert_int_eq(strncmp(cookie, "SHOP=", 5), 0);
        ck_assert_str_eq(answer.body.bytes, i % 2 ? "rs-2" : "rs-1");
        answer_done(&answer);
    }
    /* A pool without sets none. */
    ask_with_cookie(&peer, &visitor, "GET", "/bare");
    ck_assert_uint_eq(visitor.gifts, before.gifts);
    peer_close(&peer);
    expect_to_stay(&town, &visitor, "rs-1");
    town_close(&town);
}
END_TEST

/* --- moving -------------------------------------------------------------------------------- */

START_TEST(who_loses_its_backend_is_moved_at_once)
{
    struct town town;
    town_open(&town, LB PLAIN RULE POOL TWO);
    struct visitor visitor = guest_of(&town, "rs-1");
    struct visitor poster = visitor;
    stub_stop(&town.stubs[0]);
    /* Not even lb knew: the request is retried, and its answer carries the cookie. */
    expect_to_be_moved(&town, &visitor, "rs-2");
    struct peer peer;
    peer_connect(&peer, scene_port(&town.scene, "plain"));
    ask_with_cookie(&peer, &poster, "POST", "/");
    ck_assert_uint_eq(poster.status, 200);
    ck_assert_uint_eq(poster.gifts, 2);
    peer_close(&peer);
    /* It stays where it is now when the first one comes back. */
    start_stub(&town, 0, NULL);
    expect_to_stay(&town, &visitor, "rs-2");
    town_close(&town);
}
END_TEST

START_TEST(who_was_away_while_its_backend_was_down_comes_back_to_it)
{
    struct town town;
    struct text ini = {0};
    text_add_format(&ini, LB PLAIN RULE "[pool app]\nsession_persistence = cookie\n" TWO "%s",
                    checked);
    town_open(&town, ini.bytes);
    text_done(&ini);
    struct visitor away = guest_of(&town, "rs-1");
    struct visitor there = away;
    stub_stop(&town.stubs[0]);
    eventually(scene_log_has(&town.scene, "backend.down", "backend=rs-1", NULL));
    expect_to_be_moved(&town, &there, "rs-2");
    start_stub(&town, 0, NULL);
    eventually(strcmp(visit(&town, &(struct visitor){0}), "rs-1") == 0);
    expect_to_stay(&town, &away, "rs-1");
    expect_to_stay(&town, &there, "rs-2");
    town_close(&town);
}
END_TEST

static size_t drop(char *bytes, size_t size, size_t count, void *arg)
{
    (void)bytes;
    (void)arg;
    return size * count;
}

/* Tell the running lb what to do with rs-1. */
static void order(struct town *town, const char *what)
{
    char url[128];
    long status = 0;
    CURL *curl = curl_easy_init();
    ck_assert_ptr_nonnull(curl);
    snprintf(url, sizeof url, "http://lb/v1/backends/app/rs-1/%s", what);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH,
                     folder_file(&town->scene.folder, "admin.sock"));
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, "");
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, drop);
    ck_assert_int_eq(curl_easy_perform(curl), CURLE_OK);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    ck_assert_int_eq((int)status, 200);
    curl_easy_cleanup(curl);
}

START_TEST(who_is_at_a_backend_that_is_drained_or_disabled_is_moved)
{
    static const char *const orders[] = {"drain", "disable"};
    struct town town;
    town_open(&town, LB "[admin]\naddress = unix:admin.sock\n\n" PLAIN RULE POOL TWO);
    struct visitor one = guest_of(&town, "rs-1");
    struct visitor away = one;
    struct visitor two = guest_of(&town, "rs-2");
    order(&town, orders[_i]);
    expect_to_stay(&town, &two, "rs-2");
    expect_to_be_moved(&town, &one, "rs-2");
    order(&town, "enable");
    /* Who was not there meanwhile has not lost it. */
    expect_to_stay(&town, &away, "rs-1");
    expect_to_stay(&town, &one, "rs-2");
    town_close(&town);
}
END_TEST

START_TEST(when_all_are_down_and_tried_all_the_same_everyone_stays)
{
    struct town town;
    struct text ini = {0};
    /* Checks meet nobody at that port; requests meet backends that answer. */
    text_add_format(&ini,
                    LB PLAIN RULE "[pool app]\nsession_persistence = cookie\n" TWO
                                  "health_check = tcp\nhealth_check_port = @nobody\n%s",
                    checked);
    town_open(&town, ini.bytes);
    text_done(&ini);
    eventually(scene_log_has(&town.scene, "backend.down", "backend=rs-1", NULL));
    eventually(scene_log_has(&town.scene, "backend.down", "backend=rs-2", NULL));
    struct visitor one = guest_of(&town, "rs-1");
    struct visitor two = guest_of(&town, "rs-2");
    expect_to_stay(&town, &one, "rs-1");
    expect_to_stay(&town, &two, "rs-2");
    town_close(&town);
}
END_TEST

START_TEST(when_everyone_fails_the_answer_of_lb_carries_no_cookie)
{
    struct town town;
    struct peer peer;
    town_open(&town, LB PLAIN RULE POOL TWO);
    struct visitor visitor = guest_of(&town, "rs-1");
    stub_stop(&town.stubs[0]);
    stub_stop(&town.stubs[1]);
    peer_connect(&peer, scene_port(&town.scene, "plain"));
    ask_with_cookie(&peer, &visitor, "GET", "/");
    peer_close(&peer);
    ck_assert_uint_eq(visitor.status, 502);
    ck_assert_uint_eq(visitor.gifts, 1);
    start_stub(&town, 0, NULL);
    start_stub(&town, 1, NULL);
    expect_to_stay(&town, &visitor, "rs-1");
    town_close(&town);
}
END_TEST

/* --- reload and restart -------------------------------------------------------------------- */

START_TEST(a_reload_moves_only_those_whose_backend_is_no_more_to_be_had)
{
    struct town town;
    town_open(&town, LB PLAIN RULE POOL TWO);
    struct visitor one = guest_of(&town, "rs-1");
    struct visitor two = guest_of(&town, "rs-2");
    /* Another order, another weight, one more. */
    ck_assert(scene_reload(
        &town.scene,
        LB PLAIN RULE POOL RS("3") "backend = rs-2 127.0.0.1:@rs-2 weight=1\n" RS("1")));
    expect_to_stay(&town, &one, "rs-1");
    expect_to_stay(&town, &two, "rs-2");
    /* Weight 0, then gone altogether. */
    ck_assert(scene_reload(&town.scene,
                           LB PLAIN RULE POOL "backend = rs-1 127.0.0.1:@rs-1 weight=0\n" RS("2")));
    expect_to_stay(&town, &two, "rs-2");
    expect_to_be_moved(&town, &one, "rs-2");
    ck_assert(scene_reload(&town.scene, LB PLAIN RULE POOL RS("3")));
    expect_to_be_moved(&town, &two, "rs-3");
    town_close(&town);
}
END_TEST

START_TEST(a_reload_turns_cookies_on_and_off)
{
    static const char off[] = LB PLAIN RULE "[pool app]\nhealth_check = off\n" TWO;
    struct town town;
    struct visitor visitor = {0};
    town_open(&town, off);
    visit(&town, &visitor);
    ck_assert_uint_eq(visitor.gifts, 0);
    ck_assert(scene_reload(&town.scene, LB PLAIN RULE POOL TWO));
    visitor = guest_of(&town, "rs-2");
    expect_to_stay(&town, &visitor, "rs-2");
    ck_assert(scene_reload(&town.scene, off));
    char first[64];
    snprintf(first, sizeof first, "%s", visit(&town, &visitor));
    ck_assert_str_ne(visit(&town, &visitor), first);
    ck_assert_uint_eq(visitor.gifts, 1);
    ck_assert(scene_reload(&town.scene, LB PLAIN RULE POOL TWO));
    expect_to_stay(&town, &visitor, "rs-2");
    town_close(&town);
}
END_TEST

static void expect_private(const struct town *town, const char *name, mode_t mode)
{
    struct stat status;
    ck_assert_int_eq(stat(folder_file(&town->scene.folder, name), &status), 0);
    ck_assert_int_eq((int)(status.st_mode & 07777), (int)mode);
}

START_TEST(a_restart_forgets_nobody_while_the_key_is_there)
{
    struct town town;
    town_open(&town, LB PLAIN RULE POOL TWO);
    struct visitor one = guest_of(&town, "rs-1");
    struct visitor two = guest_of(&town, "rs-2");
    expect_private(&town, "state", 0700);
    expect_private(&town, "state/persistence.key", 0600);
    restart(&town, LB PLAIN RULE POOL TWO);
    expect_to_stay(&town, &two, "rs-2");
    expect_to_stay(&town, &one, "rs-1");
    /* A new key makes all cookies nothing: everyone is balanced, and gets a new one. */
    ck_assert_int_eq(unlink(folder_file(&town.scene.folder, "state/persistence.key")), 0);
    restart(&town, LB PLAIN RULE POOL TWO);
    expect_to_be_moved(&town, &two, "rs-1");
    town_close(&town);
}
END_TEST

START_TEST(a_key_that_others_may_read_is_refused_at_the_start_and_at_a_reload)
{
    static const char off[] = LB PLAIN RULE "[pool app]\nhealth_check = off\n" TWO;
    struct town town;
    struct text said = {0};
    town_open(&town, off);
    ck_assert_int_eq(mkdir(folder_file(&town.scene.folder, "state"), 0700), 0);
    folder_write(&town.scene.folder, "state/persistence.key", "0123456789abcdef0123456789abcdef");
    ck_assert_int_eq(chmod(folder_file(&town.scene.folder, "state/persistence.key"), 0644), 0);
    ck_assert(!scene_reload(&town.scene, LB PLAIN RULE POOL TWO));
    ck_assert(scene_log_has(&town.scene, "persistence.key may be read", "chmod 600", NULL));
    struct visitor visitor = {0};
    visit(&town, &visitor);
    ck_assert_uint_eq(visitor.gifts, 0);
    scene_stop(&town.scene);
    const char *argv[] = {process_lb(), "run", "-c", folder_file(&town.scene.folder, "lb.ini"),
                          NULL};
    ck_assert_int_eq(process_run(argv, &said), 1);
    ck_assert_msg(strstr(said.bytes, "persistence.key may be read or written by others") != NULL,
                  "%s", said.bytes);
    ck_assert_ptr_null(strstr(said.bytes, "0123456789abcdef"));
    text_done(&said);
    town_close(&town);
}
END_TEST

/* --- hostile cookies ----------------------------------------------------------------------- */

/* Whoever sends these fields is nobody: takes its turn and gets a cookie. */
static void expect_nobody(struct town *town, const char *fields)
{
    struct peer peer;
    unsigned had[2] = {0};
    peer_connect(&peer, scene_port(&town->scene, "plain"));
    for (unsigned i = 0; i < 4; i++) {
        struct visitor stranger = {0};
        ask(&peer, &stranger, "GET", "/", fields);
        ck_assert_msg(stranger.status == 200, "%u for %.200s", stranger.status, fields);
        ck_assert_uint_eq(stranger.gifts, 1);
        had[strcmp(stranger.answer, "rs-2") == 0]++;
    }
    ck_assert_uint_eq(had[0], had[1]);
    peer_close(&peer);
}

START_TEST(forged_cookies_are_passed_over)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    struct town town;
    char fields[512];
    town_open(&town, LB PLAIN RULE POOL TWO);
    struct visitor visitor = guest_of(&town, "rs-1");
    for (unsigned at = 0; at < TOKEN_CHARS; at++) {
        struct visitor forger = visitor;
        unsigned value = (unsigned)(strchr(letters, forger.token[at]) - letters);
        forger.token[at] = letters[value ^ 1U << at % 6];
        snprintf(fields, sizeof fields, "Cookie: LBSESSION=%s\r\n", forger.token);
        expect_nobody(&town, fields);
    }
    expect_nobody(&town, "Cookie:\r\n");
    expect_nobody(&town, "Cookie: LBSESSION\r\n");
    expect_nobody(&town, "Cookie: LBSESSION=rs-1\r\n");
    expect_nobody(&town, "Cookie: ;;;;=;=;LBSESSION=;\r\nCookie: LBSESSION=%00\r\n");
    expect_nobody(&town, "Cookie: LBSESSION=\xff\xfe\xfd\r\n");
    expect_to_stay(&town, &visitor, "rs-1");
    town_close(&town);
}
END_TEST

START_TEST(large_and_many_cookies_are_no_trouble)
{
    struct town town;
    struct text fields = {0};
    town_open(&town, LB PLAIN RULE POOL TWO);
    struct visitor visitor = guest_of(&town, "rs-1");
    text_add_format(&fields, "Cookie: LBSESSION=%08192d\r\n", 0);
    expect_nobody(&town, fields.bytes);
    text_drop(&fields, fields.length);
    text_add_format(&fields, "Cookie: a=b");
    for (unsigned i = 0; i < 100; i++)
        text_add_format(&fields, "; LBSESSION=%044u", i);
    text_add_format(&fields, "\r\n");
    expect_nobody(&town, fields.bytes);
    /* Where a good one stands, nothing beside it matters. */
    text_drop(&fields, fields.length);
    text_add_format(&fields, "Cookie: big=%04096d\r\nCookie: LBSESSION=old; x=y\r\n", 0);
    text_add_format(&fields, "Cookie: LBSESSION=%s\r\nCookie: big=%04096d\r\n", visitor.token, 1);
    struct peer peer;
    peer_connect(&peer, scene_port(&town.scene, "plain"));
    for (unsigned i = 0; i < 4; i++) {
        ask(&peer, &visitor, "GET", "/", fields.bytes);
        ck_assert_str_eq(visitor.answer, "rs-1");
    }
    ck_assert_uint_eq(visitor.gifts, 1);
    peer_close(&peer);
    text_done(&fields);
    town_close(&town);
}
END_TEST

/* --- every kind of answer ------------------------------------------------------------------ */

/* Answers what the path says: /304, /500, /early (103 first), /own (a cookie of the same name). */
static void answer_by_path(struct stub_link *link)
{
    struct stub_request request = {0};
    while (stub_read(link, &request)) {
        const char *path = request.head.bytes + strcspn(request.head.bytes, " ") + 1;
        if (strncmp(path, "/304 ", 5) == 0)
            stub_say(link, "HTTP/1.1 304 Not Modified\r\n\r\n");
        else if (strncmp(path, "/500 ", 5) == 0)
            stub_say(link, "HTTP/1.1 500 Oh\r\nContent-Length: 2\r\n\r\noh");
        else if (strncmp(path, "/early ", 7) == 0)
            stub_say(link, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
                           "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        else if (strncmp(path, "/upgrade ", 9) == 0)
            stub_switch(link, &request, "");
        else
            stub_say(link, "HTTP/1.1 200 OK\r\nSet-Cookie: LBSESSION=mine\r\n"
                           "Cache-Control: public, max-age=60\r\nContent-Length: 2\r\n\r\nok");
        stub_request_done(&request);
    }
    stub_request_done(&request);
}

static void expect_gift(struct peer *peer, const char *path, unsigned status)
{
    struct visitor visitor = {0};
    ask(peer, &visitor, "GET", path, "");
    ck_assert_uint_eq(visitor.status, status);
    ck_assert_uint_eq(visitor.gifts, 1);
}

START_TEST(every_final_answer_of_a_backend_carries_it_and_no_other)
{
    struct town town;
    struct peer peer;
    struct visitor visitor = {0};
    town_open_with(&town,
                   LB PLAIN "[rule all]\nlistener = plain\ndomain = a\npool = app\n\n" POOL TWO,
                   answer_by_path);
    peer_connect(&peer, scene_port(&town.scene, "plain"));
    expect_gift(&peer, "/304", 304);
    expect_gift(&peer, "/500", 500);
    ask(&peer, &visitor, "GET", "/early", "");
    ck_assert_uint_eq(visitor.status, 103);
    ck_assert_uint_eq(visitor.gifts, 0);
    struct answer answer;
    ck_assert(peer_read_answer(&peer, "GET", &answer));
    take_cookie(&visitor, answer.head);
    ck_assert_uint_eq(visitor.gifts, 1);
    answer_done(&answer);
    /* lb's own: a request that it does not understand. */
    ck_assert(peer_say(&peer, "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"));
    ck_assert(peer_read_answer(&peer, "GET", &answer));
    ck_assert_uint_eq(answer.status, 400);
    ck_assert_uint_eq(text_field_count(answer.head, "Set-Cookie"), 0);
    answer_done(&answer);
    peer_close(&peer);
    peer_connect(&peer, scene_port(&town.scene, "plain"));
    visitor = (struct visitor){0};
    ask(&peer, &visitor, "GET", "/upgrade", "Connection: Upgrade\r\nUpgrade: websocket\r\n");
    ck_assert_uint_eq(visitor.status, 101);
    ck_assert_uint_eq(visitor.gifts, 1);
    peer_close(&peer);
    town_close(&town);
}
END_TEST

START_TEST(a_backends_own_cookies_stand_beside_it)
{
    struct town town;
    struct peer peer;
    struct answer answer;
    char value[64];
    town_open_with(&town, LB PLAIN RULE POOL TWO, answer_by_path);
    peer_connect(&peer, scene_port(&town.scene, "plain"));
    ck_assert(peer_say(&peer, "GET /own HTTP/1.1\r\nHost: a\r\n\r\n"));
    ck_assert(peer_read_answer(&peer, "GET", &answer));
    ck_assert_uint_eq(text_field_count(answer.head, "Set-Cookie"), 2);
    ck_assert_ptr_nonnull(strstr(answer.head, "Set-Cookie: LBSESSION=mine\r\n"));
    ck_assert(text_field(answer.head, "Cache-Control", value, sizeof value));
    ck_assert_str_eq(value, "public, max-age=60");
    answer_done(&answer);
    peer_close(&peer);
    town_close(&town);
}
END_TEST

START_TEST(backends_get_the_cookie_like_any_other)
{
    struct town town;
    struct peer peer;
    struct answer answer;
    char request[512], value[256];
    town_open(&town, LB PLAIN RULE POOL TWO);
    struct visitor visitor = guest_of(&town, "rs-1");
    snprintf(request, sizeof request,
             "GET /echo HTTP/1.1\r\nHost: a\r\nCookie: a=b; LBSESSION=%s; c=d\r\n\r\n",
             visitor.token);
    peer_connect(&peer, scene_port(&town.scene, "plain"));
    ck_assert(peer_say(&peer, request));
    ck_assert(peer_read_answer(&peer, "GET", &answer));
    ck_assert(text_field(answer.body.bytes, "Cookie", value, sizeof value));
    ck_assert_ptr_nonnull(strstr(value, visitor.token));
    ck_assert_int_eq(strncmp(value, "a=b; ", 5), 0);
    answer_done(&answer);
    peer_close(&peer);
    town_close(&town);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, who_brings_the_cookie_stays_and_who_does_not_takes_turns);
    tcase_add_test(tcase, a_kept_connection_and_every_method_stick);
    tcase_add_http1_test(tcase, the_cookie_is_guarded_and_tells_nothing);
    tcase_add_test(tcase, two_pools_of_one_host_stick_by_themselves);
    tcase_add_test(tcase, who_loses_its_backend_is_moved_at_once);
    tcase_add_test(tcase, who_was_away_while_its_backend_was_down_comes_back_to_it);
    tcase_add_loop_test(tcase, who_is_at_a_backend_that_is_drained_or_disabled_is_moved, 0, 2);
    tcase_add_test(tcase, when_all_are_down_and_tried_all_the_same_everyone_stays);
    tcase_add_test(tcase, when_everyone_fails_the_answer_of_lb_carries_no_cookie);
    tcase_add_test(tcase, a_reload_moves_only_those_whose_backend_is_no_more_to_be_had);
    tcase_add_test(tcase, a_reload_turns_cookies_on_and_off);
    tcase_add_test(tcase, a_restart_forgets_nobody_while_the_key_is_there);
    tcase_add_test(tcase, a_key_that_others_may_read_is_refused_at_the_start_and_at_a_reload);
    tcase_add_test(tcase, forged_cookies_are_passed_over);
    tcase_add_test(tcase, large_and_many_cookies_are_no_trouble);
    tcase_add_test(tcase, every_final_answer_of_a_backend_carries_it_and_no_other);
    tcase_add_test(tcase, a_backends_own_cookies_stand_beside_it);
    tcase_add_test(tcase, backends_get_the_cookie_like_any_other);
}

CHECK_MAIN("a session sticks to its backend", add_tests)
