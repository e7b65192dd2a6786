/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A ClientHello in pieces: cut at every byte into TLS records, TCP segments, or both, before and
 * after a HelloRetryRequest. Whoever reads the name from the first piece alone takes the client for
 * one without a name and meets it as the default domain does, which here asks for nothing. That was
 * CVE-2026-32305.
 */
#include <openssl/tls1.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/cast.h"
#include "tests/support/check_main.h"
#include "tests/support/hello.h"
#include "tests/support/stub_backend.h"

/* clang-format off */
static const char ini[] =
    "[lb]\nworkers = 1\naccess_log = off\n\n"
    "[listener web]\naddress = 127.0.0.1:@web\nsni = on\n\n"
    "[listener retry]\naddress = 127.0.0.1:@retry\nsni = on\ngroups = P-256\n\n"
    "[rule open]\nlistener = web\nlistener = retry\ndomain = open.example.com\ndefault = yes\npool = app\n"
    "certificate = server.crt\ncertificate_key = server.key\n\n"
    "[rule closed]\nlistener = web\nlistener = retry\ndomain = closed.example.com\npool = app\n"
    "certificate = server.crt\ncertificate_key = server.key\nmutual_auth = require\nclient_ca = ca.crt\n\n"
    "[pool app]\nbackend = rs-1 127.0.0.1:@rs-1\nhealth_check = off\n";
/* clang-format on */

struct town {
    struct scene scene;
    struct stub_backend backend;
    int version;
};

static void town_begin(struct town *town, int version)
{
    *town = (struct town){.version = version};
    scene_begin(&town->scene);
    cast_write(&town->scene);
    stub_start(&town->backend, "rs-1", NULL);
    scene_set_port(&town->scene, "rs-1", town->backend.port);
    scene_start(&town->scene, ini);
}

static void town_end(struct town *town)
{
    scene_end(&town->scene);
    stub_stop(&town->backend);
}

/* The status of a GET of the closed domain, and the alert that came instead. */
static unsigned come(struct town *town, const char *listener, const char *who,
                     struct hello_cut *cut, int *ret_alert)
{
    struct peer peer;
    unsigned status = 0;
    struct tls_wish *wish = WISH(&town->scene, .version = town->version, .who = who, .cut = cut,
                                 .sni = "closed.example.com");
    if (strcmp(listener, "retry") == 0)
        wish->groups = "X25519:P-256";
    if (peer_connect_tls(&peer, scene_port(&town->scene, listener), wish))
        status = peer_get(&peer, "closed.example.com", "/", NULL, 0);
    *ret_alert = peer.alert;
    peer_close(&peer);
    return status;
}

/* The name was heard: without a certificate the closed domain's own alert, with one the answer. */
static void check(struct town *town, const char *listener, const struct hello_cut *like,
                  bool has_certificate)
{
    int alert = PEER_NO_ALERT;
    struct hello_cut cut = *like;
    unsigned status = come(town, listener, has_certificate ? "alice" : NULL, &cut, &alert);
    int wanted =
        town->version == TLS1_3_VERSION ? TLS13_AD_CERTIFICATE_REQUIRED : SSL_AD_HANDSHAKE_FAILURE;
    ck_assert_msg(status == (has_certificate ? 200u : 0u) &&
                      alert == (has_certificate ? PEER_NO_ALERT : wanted),
                  "record at %zu, of %zu, segment at %zu: %u, alert %d", like->record_at,
                  like->record_bytes, like->segment_at, status, alert);
}

static size_t hello_bytes(struct town *town, const char *listener, unsigned hellos)
{
    struct hello_cut whole = {0};
    int alert = PEER_NO_ALERT;
    ck_assert_uint_eq(come(town, listener, "alice", &whole, &alert), 200);
    ck_assert_uint_eq(whole.hellos, hellos);
    ck_assert_uint_gt(whole.message_bytes, 64);
    return whole.message_bytes;
}

static void check_every_cut(int version, const char *listener, unsigned hellos, bool in_segments)
{
    struct town town;
    town_begin(&town, version);
    size_t bytes = hello_bytes(&town, listener, hellos);
    for (size_t at = 1; at < bytes; at++) {
        const struct hello_cut cut = {.record_at = at, .in_segments = in_segments};
        check(&town, listener, &cut, false);
        if (at % 16 == 1)
            check(&town, listener, &cut, true);
    }
    town_end(&town);
}

static int version_of(int index)
{
    return index == 0 ? TLS1_2_VERSION : TLS1_3_VERSION;
}

START_TEST(in_two_records)
{
    check_every_cut(version_of(_i), "web", 1, false);
}
END_TEST

START_TEST(in_two_records_that_come_one_by_one)
{
    check_every_cut(version_of(_i), "web", 1, true);
}
END_TEST

START_TEST(in_two_segments)
{
    struct town town;
    town_begin(&town, version_of(_i));
    size_t bytes = 5 + hello_bytes(&town, "web", 1);
    for (size_t at = 1; at < bytes; at++)
        check(&town, "web", &(struct hello_cut){.segment_at = at}, at % 16 == 1);
    town_end(&town);
}
END_TEST

START_TEST(in_many_records)
{
    struct town town;
    town_begin(&town, version_of(_i));
    for (size_t each = 1; each < 40; each++)
        for (unsigned how = 0; how < 4; how++)
            check(&town, "web",
                  &(struct hello_cut){.record_bytes = each, .in_segments = how % 2 == 1}, how > 1);
    town_end(&town);
}
END_TEST

START_TEST(before_and_after_a_retry)
{
    check_every_cut(TLS1_3_VERSION, "retry", 2, _i == 1);
}
END_TEST

/* Two hellos, two names: one reader could take the first, another the second. */
START_TEST(the_second_hello_may_not_ask_for_somebody_else)
{
    static const char *const others[] = {"open.example.com", "nobody.example.com"};
    struct town town;
    town_begin(&town, TLS1_3_VERSION);
    for (unsigned i = 0; i < 2; i++) {
        struct hello_cut cut = {.second_name = others[i]};
        int alert = PEER_NO_ALERT;
        ck_assert_uint_eq(come(&town, "retry", "alice", &cut, &alert), 0);
        ck_assert_uint_eq(cut.hellos, 2);
        ck_assert_int_eq(alert, SSL_AD_ILLEGAL_PARAMETER);
    }
    ck_assert_uint_eq(atomic_load(&town.backend.requests), 0);
    town_end(&town);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, in_two_records, 0, 2);
    tcase_add_loop_test(tcase, in_two_records_that_come_one_by_one, 0, 2);
    tcase_add_loop_test(tcase, in_two_segments, 0, 2);
    tcase_add_loop_test(tcase, in_many_records, 0, 2);
    tcase_add_loop_test(tcase, before_and_after_a_retry, 0, 2);
    tcase_add_test(tcase, the_second_hello_may_not_ask_for_somebody_else);
}

CHECK_MAIN("however a hello is cut its name is heard", add_tests)
