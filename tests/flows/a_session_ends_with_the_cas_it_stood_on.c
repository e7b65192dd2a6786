/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A session is made while a CA is trusted, and shown after a reload has taken that CA out of the
 * same file (CVE-2025-68121): it brings nobody in, neither by alert nor by page, neither on the
 * resumed connection nor on one that stayed open. What has not changed is resumed as before.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/support/cast.h"
#include "tests/support/certificates.h"
#include "tests/support/check_main.h"
#include "tests/support/eventually.h"
#include "tests/support/stub_backend.h"

/* clang-format off */
#define LISTENER(name, auth)                                                                       \
    "[listener " name "]\naddress = 127.0.0.1:@" name "\n"                                         \
    "certificate = server.crt\ncertificate_key = server.key\nclient_ca = trusted.crt\n" auth "\n"
static const char ini[] =
    LISTENER("alerts", "mutual_auth = require\nrefuse_with = alert\n")
    LISTENER("pages", "mutual_auth = require\nrefuse_with = 403\n")
    LISTENER("asks", "mutual_auth = request\n")
    "[rule app]\nlistener = alerts\nlistener = pages\nlistener = asks\npool = app\nclient_headers = nginx\n\n"
    "[pool app]\nbackend = rs-1 127.0.0.1:@rs-1\nhealth_check = off\n";
/* clang-format on */

/* What becomes of a client whose CA is not trusted (any more). */
static const struct place {
    const char *listener;
    unsigned status; /* 0: an alert */
    const char *verdict;
} places[] = {
    {"alerts", 0, ""},
    {"pages", 403, ""},
    {"asks", 200, "FAILED:untrusted"},
};
enum { PLACES = sizeof places / sizeof places[0] };

struct town {
    struct scene scene;
    struct stub_backend backend;
    struct made *old;
    struct made *young;
    int version;
};

static void trust(const struct town *town, bool old_too)
{
    made_write_bundle(town->scene.folder.path, "trusted.crt", town->young,
                      old_too ? town->old : NULL, NULL);
}

static void town_begin(struct town *town, int index)
{
    *town = (struct town){.version = index == 0 ? TLS1_2_VERSION : TLS1_3_VERSION};
    scene_begin(&town->scene);
    cast_write(&town->scene);
    town->old = made_ca("Old CA");
    town->young = made_ca("Young CA");
    struct made *client = made_client(town->old, "carol");
    made_write(client, town->scene.folder.path, "carol");
    made_free(client);
    trust(town, true);
    stub_start(&town->backend, "rs-1", NULL);
    scene_set_port(&town->scene, "rs-1", town->backend.port);
    scene_start(&town->scene, ini);
}

static void town_end(struct town *town)
{
    scene_end(&town->scene);
    stub_stop(&town->backend);
    made_free(town->old);
    made_free(town->young);
}

struct outcome {
    unsigned status;
    bool resumed;
    char verdict[64];
    SSL_SESSION *session;
};

static void ask(struct peer *peer, struct outcome *outcome)
{
    struct answer answer = {0};
    if (peer_say(peer, "GET /echo HTTP/1.1\r\nHost: www.example.com\r\n\r\n") &&
        peer_read_answer(peer, "GET", &answer)) {
        outcome->status = answer.status;
        text_field(answer.body.bytes, "X-SSL-Client-Verify", outcome->verdict,
                   sizeof outcome->verdict);
    }
    answer_done(&answer);
}

static struct outcome visit(struct town *town, const char *listener, SSL_SESSION *session)
{
    struct peer peer;
    struct outcome outcome = {0};
    if (peer_connect_tls(
            &peer, scene_port(&town->scene, listener),
            WISH(&town->scene, .version = town->version, .who = "carol", .session = session))) {
        ask(&peer, &outcome);
        outcome.resumed = peer_was_resumed(&peer);
        if (outcome.status == 200)
            outcome.session = peer_take_session(&peer);
    }
    peer_close(&peer);
    return outcome;
}

START_TEST(a_session_brings_nobody_past_a_ca_that_is_gone)
{
    struct town town;
    struct outcome first[PLACES];
    town_begin(&town, _i);
    for (unsigned i = 0; i < PLACES; i++) {
        first[i] = visit(&town, places[i].listener, NULL);
        ck_assert_uint_eq(first[i].status, 200);
        ck_assert_str_eq(first[i].verdict, "SUCCESS");
    }
    trust(&town, false);
    ck_assert(scene_reload(&town.scene, ini));
    for (unsigned i = 0; i < PLACES; i++) {
        struct outcome second = visit(&town, places[i].listener, first[i].session);
        ck_assert(!second.resumed);
        ck_assert_uint_eq(second.status, places[i].status);
        ck_assert_str_eq(second.verdict, places[i].verdict);
        SSL_SESSION_free(second.session);
        SSL_SESSION_free(first[i].session);
    }
    town_end(&town);
}
END_TEST

START_TEST(a_session_goes_on_where_the_cas_are_the_same)
{
    struct town town;
    town_begin(&town, _i);
    for (unsigned i = 0; i < PLACES; i++) {
        struct outcome last = visit(&town, places[i].listener, NULL);
        for (unsigned turn = 0; turn < 4; turn++) {
            trust(&town, true);
            ck_assert(scene_reload(&town.scene, ini));
            struct outcome next = visit(&town, places[i].listener, last.session);
            ck_assert(next.resumed);
            ck_assert_uint_eq(next.status, 200);
            ck_assert_str_eq(next.verdict, "SUCCESS");
            SSL_SESSION_free(last.session);
            last = next;
        }
        SSL_SESSION_free(last.session);
    }
    town_end(&town);
}
END_TEST

/* What an open connection is answered; one that lb has closed comes again. */
static bool is_still_verified(struct peer *peer)
{
    struct outcome outcome = {0};
    ask(peer, &outcome);
    return outcome.status == 200 && strcmp(outcome.verdict, "SUCCESS") == 0;
}

START_TEST(an_open_connection_is_not_verified_any_more_either)
{
    struct town town;
    struct peer open[PLACES];
    town_begin(&town, _i);
    for (unsigned i = 0; i < PLACES; i++) {
        ck_assert(peer_connect_tls(&open[i], scene_port(&town.scene, places[i].listener),
                                   WISH(&town.scene, .version = town.version, .who = "carol")));
        ck_assert(is_still_verified(&open[i]));
    }
    trust(&town, false);
    ck_assert(scene_reload(&town.scene, ini));
    for (unsigned i = 0; i < PLACES; i++) {
        ck_assert(!is_still_verified(&open[i]));
        peer_close(&open[i]);
    }
    town_end(&town);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, a_session_brings_nobody_past_a_ca_that_is_gone, 0, 2);
    tcase_add_loop_test(tcase, a_session_goes_on_where_the_cas_are_the_same, 0, 2);
    tcase_add_loop_test(tcase, an_open_connection_is_not_verified_any_more_either, 0, 2);
}

CHECK_MAIN("a session ends with the CAs it stood on", add_tests)
