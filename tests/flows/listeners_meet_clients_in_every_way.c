/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Listeners as an operator may want them, and clients that differ in what they speak: addresses,
 * TLS versions, ciphers, groups, keys and names. Each pool has one backend of its
 * name, so that an answer says which rule it came by.
 */
#include <netinet/in.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/cast.h"
#include "tests/support/certificates.h"
#include "tests/support/check_main.h"
#include "tests/support/eventually.h"
#include "tests/support/stub_backend.h"

/* clang-format off */
#define BOTH_CERTIFICATES "certificate = rsa.crt\ncertificate_key = rsa.key\ncertificate = ecdsa.crt\ncertificate_key = ecdsa.key\n"
static const char ini[] =
    "[listener plain]\naddress = 127.0.0.1:@plain\naddress = 127.0.0.1:@plain-too\nprotocol = http\n\n"
    "[listener tls]\naddress = 127.0.0.1:@tls\n" BOTH_CERTIFICATES "\n"
    "[listener old]\naddress = 127.0.0.1:@old\ntls_versions = 1.2\n" BOTH_CERTIFICATES
    "ciphers = ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384\n\n"
    "[listener new]\naddress = 127.0.0.1:@new\ntls_versions = 1.3\n" BOTH_CERTIFICATES
    "ciphersuites = TLS_CHACHA20_POLY1305_SHA256\ngroups = P-384\n\n"
    "[listener named]\naddress = 127.0.0.1:@named\nsni = on\n\n"
    "[listener strict]\naddress = 127.0.0.1:@strict\nsni = on\nunknown_sni = reject\n\n"
    "[listener chosen]\naddress = 127.0.0.1:@chosen\nsni = on\n\n"

    "[rule first]\nlistener = plain\nlistener = tls\nlistener = old\nlistener = new\n"
    "domain = www.example.com\npool = first\n\n"
    "[rule wild]\nlistener = tls\ndomain = *.example.com\npool = wild\n\n"

    "[rule named-www]\nlistener = named\nlistener = strict\nlistener = chosen\ndomain = www.example.com\npool = first\n"
    "certificate = ecdsa.crt\ncertificate_key = ecdsa.key\ncertificate = rsa.crt\ncertificate_key = rsa.key\n\n"
    "[rule named-wild]\nlistener = named\nlistener = strict\ndomain = *.example.com\npool = wild\n"
    "certificate = wild.crt\ncertificate_key = wild.key\n\n"
    "[rule chosen-deep]\nlistener = chosen\ndomain = *.deep.example.com\ndefault = yes\npool = deep\n"
    "certificate = deep.crt\ncertificate_key = deep.key\n\n"

    "[pool first]\nbackend = first 127.0.0.1:@first\n\n"
    "[pool wild]\nbackend = wild 127.0.0.1:@wild\n\n"
    "[pool deep]\nbackend = deep 127.0.0.1:@deep\n\n";

static const char *const pools[] = {"first", "wild", "deep"};
/* clang-format on */
enum { POOL_COUNT = sizeof pools / sizeof pools[0] };

static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

struct town {
    struct scene scene;
    struct stub_backend backends[POOL_COUNT];
};

static void write_server(const struct scene *scene, const char *file, struct certificate_wish wish)
{
    wish.usage = "serverAuth";
    struct made *server = made_certificate(&wish);
    made_write(server, scene->folder.path, file);
    made_free(server);
}

/* The clients trust the root; the intermediate is the servers' to send. */
static void write_certificates(const struct scene *scene)
{
    struct made *root = made_ca("Root");
    struct made *middle = made_intermediate(root, "Middle");
    const char *names = "DNS:www.example.com";
    made_write(root, scene->folder.path, "root");
    write_server(scene, "ecdsa",
                 (struct certificate_wish){.name = "ecdsa", .issuer = middle, .names = names});
    write_server(scene, "rsa",
                 (struct certificate_wish){
                     .name = "rsa", .issuer = middle, .names = names, .key = MADE_KEY_RSA_2048});
    write_server(
        scene, "wild",
        (struct certificate_wish){.name = "wild", .issuer = middle, .names = "DNS:*.example.com"});
    write_server(scene, "deep",
                 (struct certificate_wish){
                     .name = "deep", .issuer = middle, .names = "DNS:*.deep.example.com"});
    made_free(root);
    made_free(middle);
}

static void town_begin_with(struct town *town, const char *text)
{
    scene_begin(&town->scene);
    write_certificates(&town->scene);
    for (unsigned i = 0; i < POOL_COUNT; i++) {
        stub_start(&town->backends[i], pools[i], NULL);
        scene_set_port(&town->scene, pools[i], town->backends[i].port);
    }
    scene_start(&town->scene, text);
}

static void town_begin(struct town *town)
{
    town_begin_with(town, ini);
}

static void town_end(struct town *town)
{
    scene_end(&town->scene);
    for (unsigned i = 0; i < POOL_COUNT; i++)
        stub_stop(&town->backends[i]);
}

/* --- TLS ----------------------------------------------------------------------------------- */

/* The common name of the certificate that the server showed. */
static const char *shown(const struct peer *peer, char *name, size_t room)
{
    X509 *certificate = SSL_get0_peer_certificate(peer->tls);
    snprintf(name, room, "none");
    if (certificate != NULL)
        made_common_name(certificate, name, room);
    return name;
}

static bool enter(struct town *town, struct peer *peer, const char *listener,
                  const struct tls_wish *wish)
{
    return peer_connect_tls(peer, scene_port(&town->scene, listener), wish);
}

static void expect_answer(struct peer *peer, const char *host, const char *backend)
{
    char body[16];
    ck_assert_uint_eq(peer_get(peer, host, "/", body, sizeof body), 200);
    ck_assert_str_eq(body, backend);
}

static void expect_alert(struct town *town, const char *listener, const struct tls_wish *wish,
                         int alert)
{
    struct peer peer;
    ck_assert(!enter(town, &peer, listener, wish));
    ck_assert_int_eq(peer.alert, alert);
    peer_close(&peer);
}

START_TEST(a_listener_speaks_the_tls_versions_it_has_and_no_other)
{
    static const char *const listeners[] = {"old", "new", "tls"};
    struct town town;
    town_begin(&town);
    for (unsigned i = 0; i < 6; i++) {
        const char *listener = listeners[i / 2];
        const struct tls_wish *wish = WISH(&town.scene, .version = versions[i % 2]);
        struct peer peer;
        if (i / 2 != 2 && i / 2 != i % 2) {
            expect_alert(&town, listener, wish, SSL_AD_PROTOCOL_VERSION);
            continue;
        }
        ck_assert(enter(&town, &peer, listener, wish));
        expect_answer(&peer, "www.example.com", "first");
        peer_close(&peer);
    }
    expect_alert(&town, "tls", WISH(&town.scene, .version = TLS1_1_VERSION),
                 SSL_AD_PROTOCOL_VERSION);
    town_end(&town);
}
END_TEST

START_TEST(ciphers_and_groups_are_those_of_the_listener)
{
    struct town town;
    struct peer peer;
    town_begin(&town);
    ck_assert(enter(&town, &peer, "old", WISH(&town.scene, .sigalgs = "RSA-PSS+SHA256")));
    ck_assert_str_eq(SSL_get_cipher_name(peer.tls), "ECDHE-RSA-AES256-GCM-SHA384");
    expect_answer(&peer, "www.example.com", "first");
    peer_close(&peer);
    /* X25519 is what the client would like best: it is asked again. */
    ck_assert(enter(&town, &peer, "new", WISH(&town.scene, .groups = "X25519:P-384")));
    ck_assert_str_eq(SSL_get_cipher_name(peer.tls), "TLS_CHACHA20_POLY1305_SHA256");
    ck_assert_int_eq(SSL_get_negotiated_group(peer.tls), NID_secp384r1);
    expect_answer(&peer, "www.example.com", "first");
    peer_close(&peer);
    expect_alert(&town, "old", WISH(&town.scene, .ciphers = "ECDHE-RSA-AES128-GCM-SHA256"),
                 SSL_AD_HANDSHAKE_FAILURE);
    expect_alert(&town, "new", WISH(&town.scene, .groups = "X25519"), SSL_AD_HANDSHAKE_FAILURE);
    expect_alert(&town, "tls", WISH(&town.scene, .sigalgs = "ed25519"), SSL_AD_HANDSHAKE_FAILURE);
    expect_alert(&town, "tls",
                 WISH(&town.scene, .version = TLS1_2_VERSION, .ciphers = "AES128-SHA"),
                 SSL_AD_HANDSHAKE_FAILURE);
    town_end(&town);
}
END_TEST

START_TEST(whoever_trusts_the_root_gets_the_intermediate_too)
{
    static const char *const listeners[] = {"tls", "named"};
    struct town town;
    town_begin(&town);
    for (unsigned i = 0; i < 4; i++) {
        struct peer peer;
        ck_assert(enter(&town, &peer, listeners[i % 2],
                        WISH(&town.scene, .version = versions[_i], .trust = "root",
                             .sigalgs = i < 2 ? "RSA-PSS+SHA256" : "ECDSA+SHA256",
                             .sni = "www.example.com")));
        ck_assert_int_eq(SSL_get_verify_result(peer.tls), X509_V_OK);
        ck_assert_int_eq(sk_X509_num(SSL_get_peer_cert_chain(peer.tls)), 2);
        peer_close(&peer);
    }
    town_end(&town);
}
END_TEST

/* clang-format off */
static const struct {
    const char *listener;
    const char *sni;
    const char *shown; /* the certificate */
    const char *backend; /* for Host: as SNI says */
} askings[] = {
    {"named", "www.example.com", "ecdsa", "first"},
    {"named", "WWW.Example.COM", "ecdsa", "first"},
    {"named", "shop.example.com", "wild", "wild"},
    {"named", "a.b.example.com", "wild", "wild"},
    {"named", "example.com", "ecdsa", "first"},
    {"named", "nobody.test", "ecdsa", "first"},
    {"named", NULL, "ecdsa", "first"},
    {"strict", "www.example.com", "ecdsa", "first"},
    {"strict", "shop.example.com", "wild", "wild"},
    {"strict", NULL, "ecdsa", "first"},
    {"chosen", "www.example.com", "ecdsa", "first"},
    {"chosen", "x.deep.example.com", "deep", "deep"},
    {"chosen", "nobody.test", "deep", "deep"},
    {"chosen", NULL, "deep", "deep"},
    /* SNI off: one certificate for whatever name. */
    {"tls", "nobody.test", "ecdsa", "first"},
    {"tls", "shop.example.com", "ecdsa", "wild"},
};
/* clang-format on */

START_TEST(the_name_asked_for_chooses_the_certificate_and_the_rule)
{
    struct town town;
    town_begin(&town);
    for (unsigned i = 0; i < sizeof askings / sizeof askings[0]; i++) {
        struct peer peer;
        char name[16];
        ck_assert(enter(&town, &peer, askings[i].listener,
                        WISH(&town.scene, .version = versions[_i], .sni = askings[i].sni,
                             .sigalgs = "ECDSA+SHA256")));
        ck_assert_msg(strcmp(shown(&peer, name, sizeof name), askings[i].shown) == 0,
                      "%s at %s shows %s", askings[i].sni, askings[i].listener, name);
        expect_answer(&peer, askings[i].sni != NULL ? askings[i].sni : "127.0.0.1",
                      askings[i].backend);
        peer_close(&peer);
    }
    town_end(&town);
}
END_TEST

START_TEST(a_name_that_no_rule_has_is_rejected_where_that_is_wished)
{
    struct town town;
    town_begin(&town);
    expect_alert(&town, "strict", WISH(&town.scene, .version = versions[_i], .sni = "nobody.test"),
                 SSL_AD_UNRECOGNIZED_NAME);
    expect_alert(&town, "strict", WISH(&town.scene, .version = versions[_i], .sni = "example.com"),
                 SSL_AD_UNRECOGNIZED_NAME);
    eventually(scene_log_has(&town.scene, "client.refused", "listener=strict",
                             "reason=unknown-name", "sni=nobody.test", NULL));
    eventually(scene_log_has(&town.scene, "client.refused", "sni=example.com", NULL));
    town_end(&town);
}
END_TEST

/* --- addresses ----------------------------------------------------------------------------- */

START_TEST(every_address_of_a_listener_is_served)
{
    static const char *const ports[] = {"plain", "plain-too"};
    struct town town;
    town_begin(&town);
    for (unsigned i = 0; i < 2; i++) {
        struct peer peer;
        char address[32];
        peer_connect(&peer, scene_port(&town.scene, ports[i]));
        expect_answer(&peer, "www.example.com", "first");
        peer_close(&peer);
        snprintf(address, sizeof address, "address=127.0.0.1:%u",
                 scene_port(&town.scene, ports[i]));
        ck_assert(scene_log_has(&town.scene, "listener.open", "listener=plain", address, NULL));
    }
    town_end(&town);
}
END_TEST

static bool machine_has_ipv6(void)
{
    struct sockaddr_in6 loopback = {.sin6_family = AF_INET6, .sin6_addr = in6addr_loopback};
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool has = fd >= 0 && bind(fd, (struct sockaddr *)&loopback, sizeof loopback) == 0;
    if (fd >= 0)
        close(fd);
    return has;
}

START_TEST(ipv6_and_ipv4_are_listened_on_side_by_side)
{
    static const char both[] = "[listener web]\naddress = 127.0.0.1:@web\naddress = [::1]:@web\n"
                               "certificate = ecdsa.crt\ncertificate_key = ecdsa.key\n\n"
                               "[rule all]\nlistener = web\npool = first\n\n"
                               "[rule six]\nlistener = web\ndomain = [::1]\npool = deep\n\n"
                               "[pool first]\nbackend = first 127.0.0.1:@first\n\n"
                               "[pool deep]\nbackend = deep 127.0.0.1:@deep\n";
    struct town town;
    struct peer peer;
    if (!machine_has_ipv6()) {
        fprintf(stderr, "skipped: ipv6_and_ipv4_are_listened_on_side_by_side: no [::1] here\n");
        return;
    }
    town_begin_with(&town, both);
    unsigned port = scene_port(&town.scene, "web");
    peer_connect(&peer, port);
    ck_assert(peer_handshake(&peer, WISH(&town.scene, .trust = "root")));
    expect_answer(&peer, "www.example.com", "first");
    peer_close(&peer);
    peer_connect_to(&peer, "::1", port);
    ck_assert(peer_handshake(&peer, WISH(&town.scene, .trust = "root")));
    expect_answer(&peer, "www.example.com", "first");
    expect_answer(&peer, "[0:0::1]:1234", "deep");
    peer_close(&peer);
    eventually(scene_access_lines(&town.scene, "\"client\":\"::1\"") == 2);
    eventually(scene_access_lines(&town.scene, "\"client\":\"127.0.0.1\"") == 1);
    town_end(&town);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, a_listener_speaks_the_tls_versions_it_has_and_no_other);
    tcase_add_test(tcase, ciphers_and_groups_are_those_of_the_listener);
    tcase_add_loop_test(tcase, whoever_trusts_the_root_gets_the_intermediate_too, 0, 2);
    tcase_add_loop_test(tcase, the_name_asked_for_chooses_the_certificate_and_the_rule, 0, 2);
    tcase_add_loop_test(tcase, a_name_that_no_rule_has_is_rejected_where_that_is_wished, 0, 2);
    tcase_add_test(tcase, every_address_of_a_listener_is_served);
    tcase_add_test(tcase, ipv6_and_ipv4_are_listened_on_side_by_side);
}

CHECK_MAIN("listeners meet clients in every way", add_tests)
