/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Refusals: the fitting alert really arrives, whatever the client has already sent, and one line of
 * the log says who and why. Where rules refuse with 403, the page says it.
 */
#include <openssl/tls1.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/cast.h"
#include "tests/support/certificates.h"
#include "tests/support/check_main.h"
#include "tests/support/eventually.h"
#include "tests/support/stub_backend.h"

/* clang-format off */
static const char ini[] =
    "[listener plain]\naddress = 127.0.0.1:@plain\n"
    "certificate = server.crt\ncertificate_key = server.key\n"
    "mutual_auth = require\nclient_ca = ca.crt\nverify_depth = 2\n\n"
    "[listener named]\naddress = 127.0.0.1:@named\nsni = on\n\n"
    "[listener gentle]\naddress = 127.0.0.1:@gentle\n"
    "certificate = server.crt\ncertificate_key = server.key\n"
    "mutual_auth = require\nclient_ca = ca.crt\nverify_depth = 2\nrefuse_with = 403\n\n"
    "[rule plain]\nlistener = plain\nlistener = gentle\npool = app\n\n"
    "[rule named]\nlistener = named\ndomain = www.example.com\npool = app\n"
    "certificate = server.crt\ncertificate_key = server.key\nmutual_auth = require\nclient_ca = ca.crt\n\n"
    "[pool app]\nbackend = rs-1 127.0.0.1:@rs-1\nhealth_check = off\n";

/* Who comes, why it may not pass, the alert in TLS 1.3 and 1.2. */
static const struct guest {
    const char *who;
    const char *reason;
    int alert;
    int old_alert;
} guests[] = {
    {NULL, "missing", TLS13_AD_CERTIFICATE_REQUIRED, SSL_AD_HANDSHAKE_FAILURE},
    {"bob", "untrusted", SSL_AD_UNKNOWN_CA, SSL_AD_UNKNOWN_CA},
    {"selfmade", "untrusted", SSL_AD_UNKNOWN_CA, SSL_AD_UNKNOWN_CA},
    {"expired", "expired", SSL_AD_CERTIFICATE_EXPIRED, SSL_AD_CERTIFICATE_EXPIRED},
    {"early", "not-yet-valid", SSL_AD_BAD_CERTIFICATE, SSL_AD_BAD_CERTIFICATE},
    {"purpose", "wrong-purpose", SSL_AD_UNSUPPORTED_CERTIFICATE, SSL_AD_UNSUPPORTED_CERTIFICATE},
    {"weak", "weak-key", SSL_AD_BAD_CERTIFICATE, SSL_AD_BAD_CERTIFICATE},
    {"deep", "chain-too-long", SSL_AD_UNKNOWN_CA, SSL_AD_UNKNOWN_CA},
};
/* clang-format on */
enum { GUEST_COUNT = sizeof guests / sizeof guests[0] };

static void write_guest(const struct scene *scene, const char *name, struct certificate_wish wish)
{
    wish.name = name;
    struct made *made = made_certificate(&wish);
    made_write(made, scene->folder.path, name);
    made_free(made);
}

static void write_deep_guest(const struct scene *scene, const struct made *ca)
{
    struct made *one = made_intermediate(ca, "One");
    struct made *two = made_intermediate(one, "Two");
    struct made *three = made_intermediate(two, "Three");
    write_guest(scene, "deep", (struct certificate_wish){.issuer = three, .usage = "clientAuth"});
    write_guest(scene, "middle", (struct certificate_wish){.issuer = one, .usage = "clientAuth"});
    made_free(one);
    made_free(two);
    made_free(three);
}

static void write_guests(const struct scene *scene)
{
    struct made *ca = made_ca("Guest CA");
    made_write(ca, scene->folder.path, "ca");
    write_guest(scene, "alice", (struct certificate_wish){.issuer = ca, .usage = "clientAuth"});
    write_guest(scene, "plainest", (struct certificate_wish){.issuer = ca, .v1 = true});
    write_guest(scene, "selfmade", (struct certificate_wish){.usage = "clientAuth"});
    write_guest(
        scene, "expired",
        (struct certificate_wish){.issuer = ca, .from_s = -2 * MADE_DAY_S, .until_s = -MADE_DAY_S});
    write_guest(
        scene, "early",
        (struct certificate_wish){.issuer = ca, .from_s = MADE_DAY_S, .until_s = 2 * MADE_DAY_S});
    write_guest(scene, "purpose", (struct certificate_wish){.issuer = ca, .usage = "serverAuth"});
    write_guest(scene, "weak", (struct certificate_wish){.issuer = ca, .key = MADE_KEY_RSA_1024});
    write_guest(scene, "large",
                (struct certificate_wish){.issuer = ca, .padding_bytes = 60 * 1024});
    write_deep_guest(scene, ca);
    made_free(ca);
}

struct door {
    struct scene scene;
    struct stub_backend backend;
};

static void door_begin(struct door *door)
{
    scene_begin(&door->scene);
    cast_write(&door->scene);
    write_guests(&door->scene);
    stub_start(&door->backend, "rs-1", NULL);
    scene_set_port(&door->scene, "rs-1", door->backend.port);
    scene_start(&door->scene, ini);
}

static void door_end(struct door *door)
{
    ck_assert_uint_eq(atomic_load(&door->backend.requests), 0);
    scene_end(&door->scene);
    stub_stop(&door->backend);
}

/* Knock, read until the end, and see which alert came. */
static int alert_for(struct door *door, const char *listener, int version, const char *who)
{
    struct peer peer;
    const struct tls_wish *wish =
        WISH(&door->scene, .version = version, .sni = "www.example.com", .who = who);
    if (peer_connect_tls(&peer, scene_port(&door->scene, listener), wish))
        peer_receive_all(&peer);
    int alert = peer.alert;
    peer_close(&peer);
    return alert;
}

static void check_alerts(const char *listener, int version)
{
    struct door door;
    door_begin(&door);
    for (unsigned i = 0; i < GUEST_COUNT; i++) {
        int wanted = version == TLS1_3_VERSION ? guests[i].alert : guests[i].old_alert;
        if (strcmp(listener, "named") == 0 && strcmp(guests[i].reason, "chain-too-long") == 0)
            continue; /* its depth is the default there */
        int alert = alert_for(&door, listener, version, guests[i].who);
        ck_assert_msg(alert == wanted, "%s (%s): alert %d instead of %d", guests[i].who,
                      guests[i].reason, alert, wanted);
        eventually(scene_log_has(&door.scene, guests[i].reason, "client.refused", NULL));
    }
    door_end(&door);
}

START_TEST(every_reason_has_its_alert_with_sni_off)
{
    check_alerts("plain", _i == 0 ? TLS1_2_VERSION : TLS1_3_VERSION);
}
END_TEST

START_TEST(every_reason_has_its_alert_with_sni_on)
{
    check_alerts("named", _i == 0 ? TLS1_2_VERSION : TLS1_3_VERSION);
}
END_TEST

START_TEST(the_alert_arrives_although_the_client_has_sent_a_request_already)
{
    struct door door;
    door_begin(&door);
    struct text request = {0};
    text_add_format(&request,
                    "POST / HTTP/1.1\r\nHost: www.example.com\r\nContent-Length: 100000\r\n\r\n");
    for (unsigned i = 0; i < 100000 / 10; i++)
        text_add(&request, "0123456789", 10);
    /* In TLS 1.3 a client is done before the server has looked at its certificate. */
    for (unsigned tries = 0; tries < 20; tries++) {
        struct peer peer;
        ck_assert(peer_connect_tls(&peer, scene_port(&door.scene, "plain"),
                                   WISH(&door.scene, .version = TLS1_3_VERSION, .who = "bob")));
        peer_send(&peer, request.bytes, request.length);
        peer_receive_all(&peer);
        ck_assert_int_eq(peer.alert, SSL_AD_UNKNOWN_CA);
        peer_close(&peer);
    }
    text_done(&request);
    door_end(&door);
}
END_TEST

START_TEST(one_line_of_the_log_says_who_was_refused_and_why)
{
    struct door door;
    door_begin(&door);
    char subject[] = "CN=bob";
    char issuer[] = "Partner CA";
    alert_for(&door, "named", TLS1_3_VERSION, "bob");
    eventually(scene_log_has(&door.scene, "client.refused", "reason=untrusted",
                             "sni=www.example.com", subject, issuer,
                             "serial=", "sha256=", "depth=", NULL));
    alert_for(&door, "named", TLS1_3_VERSION, NULL);
    eventually(scene_log_has(&door.scene, "client.refused", "reason=missing", "sni=www.example.com",
                             NULL));
    char *log = scene_log(&door.scene);
    ck_assert_uint_eq(text_count(log, "client.refused"), 2);
    free(log);
    door_end(&door);
}
END_TEST

START_TEST(a_name_made_to_forge_log_lines_stays_inside_its_own)
{
    struct door door;
    scene_begin(&door.scene);
    cast_write(&door.scene);
    write_guests(&door.scene);
    struct made *forger = made_certificate(&(struct certificate_wish){
        .name = "x\n2026-01-01 info client.accepted reason=\"fine", .organization = "a\"b\\c"});
    made_write(forger, door.scene.folder.path, "forger");
    made_free(forger);
    stub_start(&door.backend, "rs-1", NULL);
    scene_set_port(&door.scene, "rs-1", door.backend.port);
    scene_start(&door.scene, ini);
    alert_for(&door, "plain", TLS1_3_VERSION, "forger");
    eventually(scene_log_has(&door.scene, "client.refused", NULL));
    char *log = scene_log(&door.scene);
    ck_assert_ptr_null(strstr(log, "\n2026-01-01"));
    free(log);
    door_end(&door);
}
END_TEST

START_TEST(a_chain_that_is_too_large_ends_the_handshake_even_where_403_would_be_said)
{
    struct door door;
    door_begin(&door);
    static const char *const listeners[] = {"plain", "gentle"};
    for (unsigned i = 0; i < 2; i++) {
        struct peer peer;
        char body[64];
        bool shaken =
            peer_connect_tls(&peer, scene_port(&door.scene, listeners[i]),
                             WISH(&door.scene, .version = _i == 0 ? TLS1_2_VERSION : TLS1_3_VERSION,
                                  .who = "large"));
        ck_assert(!shaken || peer_get(&peer, "www.example.com", "/", body, sizeof body) == 0);
        peer_close(&peer);
        eventually(scene_log_has(&door.scene, "too-large", NULL));
    }
    door_end(&door);
}
END_TEST

START_TEST(with_403_the_handshake_succeeds_and_the_page_names_the_reason)
{
    struct door door;
    door_begin(&door);
    for (unsigned i = 0; i < GUEST_COUNT; i++) {
        struct peer peer;
        struct answer answer;
        ck_assert(
            peer_connect_tls(&peer, scene_port(&door.scene, "gentle"),
                             WISH(&door.scene, .version = _i == 0 ? TLS1_2_VERSION : TLS1_3_VERSION,
                                  .who = guests[i].who)));
        ck_assert(peer_say(&peer, "GET / HTTP/1.1\r\nHost: www.example.com\r\n\r\n"));
        ck_assert(peer_read_answer(&peer, "GET", &answer));
        ck_assert_uint_eq(answer.status, 403);
        ck_assert_msg(strstr(answer.body.bytes, guests[i].reason) != NULL, "%s: %s",
                      guests[i].reason, answer.body.bytes);
        answer_done(&answer);
        peer_close(&peer);
        eventually(scene_log_has(&door.scene, guests[i].reason, NULL));
    }
    door_end(&door);
}
END_TEST

static void expect_served(struct door *door, const char *listener, int version, const char *who)
{
    struct peer peer;
    ck_assert(peer_connect_tls(
        &peer, scene_port(&door->scene, listener),
        WISH(&door->scene, .version = version, .sni = "www.example.com", .who = who)));
    ck_assert_uint_eq(peer_get(&peer, "www.example.com", "/", NULL, 0), 200);
    peer_close(&peer);
}

START_TEST(good_clients_pass_through_the_same_doors)
{
    static const char *const good[] = {"alice", "plainest", "middle"};
    struct door door;
    door_begin(&door);
    for (unsigned i = 0; i < 3; i++) {
        expect_served(&door, "plain", TLS1_2_VERSION, good[i]);
        expect_served(&door, "plain", TLS1_3_VERSION, good[i]);
        expect_served(&door, "named", TLS1_2_VERSION, good[i]);
        expect_served(&door, "gentle", TLS1_3_VERSION, good[i]);
    }
    ck_assert_uint_eq(atomic_exchange(&door.backend.requests, 0), 12);
    door_end(&door);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, every_reason_has_its_alert_with_sni_off, 0, 2);
    tcase_add_loop_test(tcase, every_reason_has_its_alert_with_sni_on, 0, 2);
    tcase_add_test(tcase, the_alert_arrives_although_the_client_has_sent_a_request_already);
    tcase_add_test(tcase, one_line_of_the_log_says_who_was_refused_and_why);
    tcase_add_test(tcase, a_name_made_to_forge_log_lines_stays_inside_its_own);
    tcase_add_loop_test(
        tcase, a_chain_that_is_too_large_ends_the_handshake_even_where_403_would_be_said, 0, 2);
    tcase_add_loop_test(tcase, with_403_the_handshake_succeeds_and_the_page_names_the_reason, 0, 2);
    tcase_add_test(tcase, good_clients_pass_through_the_same_doors);
}

CHECK_MAIN("a client that may not pass is told why", add_tests)
