/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Listeners: several, IPv4 and IPv6, http and https, SNI off and on, every mode of client
 * authentication, RSA and ECDSA together, versions, ciphers, groups, default and unknown names,
 * chains, domains and URLs.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/support/cast.h"
#include "tests/support/certificates.h"
#include "tests/support/check_main.h"
#include "tests/support/eventually.h"
#include "tests/support/stub_backend.h"

struct stage {
    struct scene scene;
    struct stub_backend one;
    struct stub_backend two;
};

static void stage_prepare(struct stage *stage)
{
    scene_begin(&stage->scene);
    cast_write(&stage->scene);
    stub_start(&stage->one, "one", NULL);
    stub_start(&stage->two, "two", NULL);
    scene_set_port(&stage->scene, "one", stage->one.port);
    scene_set_port(&stage->scene, "two", stage->two.port);
}

static void stage_run(struct stage *stage, const char *ini)
{
    struct text all = {0};
    text_add_format(&all,
                    "%s\n[pool one]\nbackend = one 127.0.0.1:@one\nhealth_check = off\n\n"
                    "[pool two]\nbackend = two 127.0.0.1:@two\nhealth_check = off\n",
                    ini);
    scene_start(&stage->scene, all.bytes);
    text_done(&all);
}

static void stage_end(struct stage *stage)
{
    scene_end(&stage->scene);
    stub_stop(&stage->one);
    stub_stop(&stage->two);
}

#define SERVER "certificate = server.crt\ncertificate_key = server.key\n"

/* Which backend serves this? "" when nobody does. */
static void expect_from(struct peer *peer, const char *host, const char *path, const char *name)
{
    char body[64] = "";
    ck_assert_uint_eq(peer_get(peer, host, path, body, sizeof body), 200);
    ck_assert_msg(strcmp(body, name) == 0, "%s%s: %s instead of %s", host, path, body, name);
}

START_TEST(one_listener_has_several_addresses_of_both_families)
{
    static const char *const addresses[] = {"127.0.0.1", "::1"};
    static const char *const ports[] = {"four", "six"};
    struct stage stage;
    stage_prepare(&stage);
    stage_run(&stage, "[listener web]\naddress = 127.0.0.1:@four\naddress = [::1]:@six\n" SERVER
                      "[listener plain]\nprotocol = http\naddress = [::1]:@plain\n"
                      "[rule all]\nlistener = web\nlistener = plain\npool = one\n");
    for (unsigned i = 0; i < 2; i++) {
        struct peer peer;
        peer_connect_to(&peer, addresses[i], scene_port(&stage.scene, ports[i]));
        ck_assert(
            peer_handshake(&peer, WISH(&stage.scene, .sni = "www.example.com", .trust = "ca")));
        expect_from(&peer, "www.example.com", "/", "one");
        peer_close(&peer);
    }
    struct peer peer;
    peer_connect_to(&peer, "::1", scene_port(&stage.scene, "plain"));
    expect_from(&peer, "[::1]", "/", "one");
    peer_close(&peer);
    stage_end(&stage);
}
END_TEST

static int key_type(struct peer *peer)
{
    X509 *certificate = SSL_get1_peer_certificate(peer->tls);
    int type = EVP_PKEY_get_base_id(X509_get0_pubkey(certificate));
    X509_free(certificate);
    return type;
}

START_TEST(rsa_and_ecdsa_certificates_stand_side_by_side)
{
    static const struct {
        int version;
        const char *sigalgs;
        int type;
    } wants[] = {
        {TLS1_2_VERSION, "RSA+SHA256:RSA-PSS+SHA256", EVP_PKEY_RSA},
        {TLS1_2_VERSION, "ECDSA+SHA256", EVP_PKEY_EC},
        {TLS1_3_VERSION, "RSA-PSS+SHA256:RSA+SHA256", EVP_PKEY_RSA},
        {TLS1_3_VERSION, "ECDSA+SHA256", EVP_PKEY_EC},
    };
    struct stage stage;
    stage_prepare(&stage);
    struct made *rsa = made_certificate(&(struct certificate_wish){
        .name = "www.example.com", .key = MADE_KEY_RSA_2048, .names = "DNS:www.example.com"});
    made_write(rsa, stage.scene.folder.path, "rsa");
    made_free(rsa);
    stage_run(&stage, "[listener off]\naddress = 127.0.0.1:@off\n" SERVER
                      "certificate = rsa.crt\ncertificate_key = rsa.key\n"
                      "[listener on]\naddress = 127.0.0.1:@on\nsni = on\n"
                      "[rule off]\nlistener = off\npool = one\n"
                      "[rule on]\nlistener = on\ndomain = www.example.com\npool = one\n" SERVER
                      "certificate = rsa.crt\ncertificate_key = rsa.key\n");
    for (unsigned i = 0; i < 8; i++) {
        struct peer peer;
        ck_assert(peer_connect_tls(&peer, scene_port(&stage.scene, i < 4 ? "off" : "on"),
                                   WISH(&stage.scene, .sni = "www.example.com",
                                        .version = wants[i % 4].version,
                                        .sigalgs = wants[i % 4].sigalgs)));
        ck_assert_int_eq(key_type(&peer), wants[i % 4].type);
        expect_from(&peer, "www.example.com", "/", "one");
        peer_close(&peer);
    }
    stage_end(&stage);
}
END_TEST

static bool shakes_hands(struct stage *stage, const char *listener, const struct tls_wish *wish)
{
    struct peer peer;
    bool done = peer_connect_tls(&peer, scene_port(&stage->scene, listener), wish) &&
                peer_get(&peer, "www.example.com", "/", NULL, 0) == 200;
    peer_close(&peer);
    return done;
}

START_TEST(versions_ciphers_and_groups_are_what_the_listener_says)
{
    struct stage stage;
    stage_prepare(&stage);
    stage_run(&stage, "[listener old]\naddress = 127.0.0.1:@old\ntls_versions = 1.2\n"
                      "ciphers = ECDHE-ECDSA-AES256-GCM-SHA384\ngroups = P-384\n" SERVER
                      "[listener new]\naddress = 127.0.0.1:@new\ntls_versions = 1.3\n"
                      "ciphersuites = TLS_CHACHA20_POLY1305_SHA256\n" SERVER
                      "[listener both]\naddress = 127.0.0.1:@both\n" SERVER
                      "[rule all]\nlistener = old\nlistener = new\nlistener = both\npool = one\n");
    struct scene *scene = &stage.scene;
    ck_assert(shakes_hands(&stage, "old", WISH(scene, .version = TLS1_2_VERSION)));
    ck_assert(!shakes_hands(&stage, "old", WISH(scene, .version = TLS1_3_VERSION)));
    ck_assert(!shakes_hands(
        &stage, "old",
        WISH(scene, .version = TLS1_2_VERSION, .ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256")));
    ck_assert(
        !shakes_hands(&stage, "old", WISH(scene, .version = TLS1_2_VERSION, .groups = "X25519")));
    ck_assert(!shakes_hands(&stage, "new", WISH(scene, .version = TLS1_2_VERSION)));
    ck_assert(shakes_hands(&stage, "new", WISH(scene, .version = TLS1_3_VERSION)));
    ck_assert(shakes_hands(&stage, "both", WISH(scene, .version = TLS1_2_VERSION)));
    ck_assert(shakes_hands(&stage, "both", WISH(scene, .version = TLS1_3_VERSION)));
    ck_assert(!shakes_hands(&stage, "both",
                            WISH(scene, .version = TLS1_1_VERSION, .ciphers = "ALL:@SECLEVEL=0")));
    ck_assert(!shakes_hands(&stage, "both",
                            WISH(scene, .version = TLS1_2_VERSION, .ciphers = "AES128-SHA")));
    stage_end(&stage);
}
END_TEST

/* The mode that SNI off and on share, with and without a certificate. */
static const struct {
    const char *mode;
    bool without;
    bool with;
    bool with_foreign;
} modes[] = {
    {"off", true, true, true}, {"request", true, true, true}, {"require", false, true, false}};

START_TEST(every_mode_works_with_sni_off_and_on)
{
    struct stage stage;
    struct text ini = {0};
    stage_prepare(&stage);
    text_add_format(&ini,
                    "[listener off]\naddress = 127.0.0.1:@off\nmutual_auth = %s\n%s" SERVER
                    "[listener on]\naddress = 127.0.0.1:@on\nsni = on\n"
                    "[rule off]\nlistener = off\npool = one\n"
                    "[rule on]\nlistener = on\ndomain = www.example.com\npool = one\nmutual_auth = "
                    "%s\n%s" SERVER,
                    modes[_i].mode, _i == 0 ? "" : "client_ca = ca.crt\n", modes[_i].mode,
                    _i == 0 ? "" : "client_ca = ca.crt\n");
    stage_run(&stage, ini.bytes);
    for (unsigned i = 0; i < 4; i++) {
        const char *listener = i % 2 == 0 ? "off" : "on";
        int version = i < 2 ? TLS1_2_VERSION : TLS1_3_VERSION;
        const struct tls_wish wish = {
            .folder = stage.scene.folder.path, .sni = "www.example.com", .version = version};
        struct tls_wish alice = wish;
        struct tls_wish bob = wish;
        alice.who = "alice";
        bob.who = "bob";
        ck_assert_int_eq(shakes_hands(&stage, listener, &wish), modes[_i].without);
        ck_assert_int_eq(shakes_hands(&stage, listener, &alice), modes[_i].with);
        ck_assert_int_eq(shakes_hands(&stage, listener, &bob), modes[_i].with_foreign);
    }
    text_done(&ini);
    stage_end(&stage);
}
END_TEST

static const char names_ini[] =
    "[listener lax]\naddress = 127.0.0.1:@lax\nsni = on\n"
    "[listener strict]\naddress = 127.0.0.1:@strict\nsni = on\nunknown_sni = reject\n"
    "[rule two]\nlistener = lax\nlistener = strict\ndomain = two.example.com\npool = two\n" SERVER
    "[rule one]\nlistener = lax\nlistener = strict\ndomain = one.example.com\ndefault = yes\npool "
    "= one\n" SERVER;

START_TEST(unknown_and_missing_names_reach_the_default_domain)
{
    static const char *const names[] = {NULL, "nobody.example.org", "one.example.com"};
    struct stage stage;
    stage_prepare(&stage);
    stage_run(&stage, names_ini);
    for (unsigned i = 0; i < 3; i++) {
        struct peer peer;
        ck_assert(peer_connect_tls(&peer, scene_port(&stage.scene, "lax"),
                                   WISH(&stage.scene, .sni = names[i])));
        expect_from(&peer, "127.0.0.1:8443", "/", "one");
        expect_from(&peer, "nobody.example.org", "/", "one");
        peer_close(&peer);
    }
    stage_end(&stage);
}
END_TEST

START_TEST(unknown_names_are_rejected_where_that_is_wished_but_no_name_is_not_unknown)
{
    struct stage stage;
    struct peer peer;
    stage_prepare(&stage);
    stage_run(&stage, names_ini);
    ck_assert(!peer_connect_tls(&peer, scene_port(&stage.scene, "strict"),
                                WISH(&stage.scene, .sni = "nobody.example.org")));
    ck_assert_int_eq(peer.alert, SSL_AD_UNRECOGNIZED_NAME);
    peer_close(&peer);
    ck_assert(peer_connect_tls(&peer, scene_port(&stage.scene, "strict"),
                               WISH(&stage.scene, .sni = "two.example.com")));
    expect_from(&peer, "two.example.com", "/", "two");
    peer_close(&peer);
    stage_end(&stage);
}
END_TEST

START_TEST(each_domain_shows_its_own_certificate)
{
    struct stage stage;
    stage_prepare(&stage);
    struct made *ca = made_ca("Other CA");
    struct made *between = made_intermediate(ca, "Between");
    struct made *api = made_server(between, "api.example.com");
    made_write(ca, stage.scene.folder.path, "other-ca");
    made_write(api, stage.scene.folder.path, "api");
    made_free(ca);
    made_free(between);
    made_free(api);
    stage_run(&stage, "[listener web]\naddress = 127.0.0.1:@web\nsni = on\n"
                      "[rule www]\nlistener = web\ndomain = www.example.com\npool = one\n" SERVER
                      "[rule api]\nlistener = web\ndomain = api.example.com\npool = two\n"
                      "certificate = api.crt\ncertificate_key = api.key\n");
    struct peer peer;
    /* The client has only the root: the intermediate must come with the server's certificate. */
    ck_assert(peer_connect_tls(&peer, scene_port(&stage.scene, "web"),
                               WISH(&stage.scene, .sni = "api.example.com", .trust = "other-ca")));
    expect_from(&peer, "api.example.com", "/", "two");
    peer_close(&peer);
    ck_assert(peer_connect_tls(&peer, scene_port(&stage.scene, "web"),
                               WISH(&stage.scene, .sni = "www.example.com", .trust = "ca")));
    expect_from(&peer, "www.example.com", "/", "one");
    peer_close(&peer);
    stage_end(&stage);
}
END_TEST

START_TEST(clients_of_an_intermediate_ca_pass_with_their_chain)
{
    struct stage stage;
    stage_prepare(&stage);
    struct made *root = made_ca("Deep Root");
    struct made *between = made_intermediate(root, "Deep Between");
    struct made *deep = made_client(between, "deep");
    made_write_bundle(stage.scene.folder.path, "root.crt", root, NULL);
    made_write_bundle(stage.scene.folder.path, "between.crt", between, NULL);
    made_write(deep, stage.scene.folder.path, "deep");
    stage_run(&stage,
              "[listener root]\naddress = 127.0.0.1:@root\nmutual_auth = require\nclient_ca = "
              "root.crt\n" SERVER "[listener partial]\naddress = 127.0.0.1:@partial\nmutual_auth = "
              "require\nclient_ca = between.crt\n"
              "client_ca_partial = yes\n" SERVER
              "[rule all]\nlistener = root\nlistener = partial\npool = one\n");
    ck_assert(shakes_hands(&stage, "root", WISH(&stage.scene, .who = "deep")));
    ck_assert(shakes_hands(&stage, "partial", WISH(&stage.scene, .who = "deep")));
    /* Without its chain only the listener that trusts the intermediate itself can know it. */
    made_write_bundle(stage.scene.folder.path, "deep.crt", deep, NULL);
    ck_assert(!shakes_hands(&stage, "root", WISH(&stage.scene, .who = "deep")));
    ck_assert(shakes_hands(&stage, "partial", WISH(&stage.scene, .who = "deep")));
    made_free(root);
    made_free(between);
    made_free(deep);
    stage_end(&stage);
}
END_TEST

START_TEST(host_and_path_choose_the_rule)
{
    static const struct {
        const char *host;
        const char *path;
        const char *backend;
    } rows[] = {
        {"www.example.com", "/", "one"},        {"WWW.Example.COM.:8080", "/x", "one"},
        {"www.example.com", "/app", "two"},     {"www.example.com", "/app/x?y", "two"},
        {"www.example.com", "/apple", "one"},   {"www.example.com", "/exact", "two"},
        {"www.example.com", "/exact/x", "one"}, {"a.wild.example", "/", "two"},
        {"b.a.wild.example", "/", "two"},       {"exact.wild.example", "/", "one"},
        {"wild.example", "/", "one"},           {"other.example", "/", "one"},
        {"www.example.com", "/%61pp", "two"},
    };
    struct stage stage;
    struct peer peer;
    stage_prepare(&stage);
    stage_run(&stage,
              "[listener web]\naddress = 127.0.0.1:@web\nprotocol = http\n"
              "[rule root]\nlistener = web\ndomain = www.example.com\npool = one\n"
              "[rule app]\nlistener = web\ndomain = www.example.com\nurl = /app\npool = two\n"
              "[rule exact]\nlistener = web\ndomain = www.example.com\nurl = =/exact\npool = two\n"
              "[rule wild]\nlistener = web\ndomain = *.wild.example\npool = two\n"
              "[rule wild-exact]\nlistener = web\ndomain = exact.wild.example\npool = one\n"
              "[rule part]\nlistener = web\ndomain = part.example\nurl = /only\npool = one\n");
    peer_connect(&peer, scene_port(&stage.scene, "web"));
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++)
        expect_from(&peer, rows[i].host, rows[i].path, rows[i].backend);
    ck_assert_uint_eq(peer_get(&peer, "part.example", "/", NULL, 0), 404);
    ck_assert_uint_eq(peer_get(&peer, "part.example", "/only/x", NULL, 0), 200);
    peer_close(&peer);
    stage_end(&stage);
}
END_TEST

START_TEST(with_sni_off_the_name_in_the_handshake_does_not_matter)
{
    static const char *const names[] = {NULL, "www.example.com", "one.example.com",
                                        "nobody.example.org"};
    struct stage stage;
    stage_prepare(&stage);
    stage_run(
        &stage,
        "[listener web]\naddress = 127.0.0.1:@web\nunknown_sni = default\nmutual_auth = require\n"
        "client_ca = ca.crt\nrefuse_with = 403\n" SERVER
        "[rule one]\nlistener = web\ndomain = one.example.com\npool = one\n"
        "[rule two]\nlistener = web\ndomain = two.example.com\npool = two\n"
        "[rule free]\nlistener = web\ndomain = two.example.com\nurl = /free\nmutual_auth = "
        "off\npool = two\n"
        "[rule partner]\nlistener = web\ndomain = two.example.com\nurl = /partner\nclient_ca = "
        "partner-ca.crt\n"
        "pool = two\n");
    for (unsigned i = 0; i < 4; i++) {
        struct peer peer;
        ck_assert(peer_connect_tls(&peer, scene_port(&stage.scene, "web"),
                                   WISH(&stage.scene, .sni = names[i], .who = "alice")));
        expect_from(&peer, "one.example.com", "/", "one");
        expect_from(&peer, "two.example.com", "/", "two");
        expect_from(&peer, "two.example.com", "/free", "two");
        ck_assert_uint_eq(peer_get(&peer, "two.example.com", "/partner", NULL, 0), 403);
        peer_close(&peer);
        ck_assert(peer_connect_tls(&peer, scene_port(&stage.scene, "web"),
                                   WISH(&stage.scene, .sni = names[i])));
        expect_from(&peer, "two.example.com", "/free/x", "two");
        ck_assert_uint_eq(peer_get(&peer, "two.example.com", "/", NULL, 0), 403);
        peer_close(&peer);
        ck_assert(peer_connect_tls(&peer, scene_port(&stage.scene, "web"),
                                   WISH(&stage.scene, .sni = names[i], .who = "bob")));
        expect_from(&peer, "two.example.com", "/partner", "two");
        ck_assert_uint_eq(peer_get(&peer, "one.example.com", "/", NULL, 0), 403);
        peer_close(&peer);
    }
    stage_end(&stage);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, one_listener_has_several_addresses_of_both_families);
    tcase_add_test(tcase, rsa_and_ecdsa_certificates_stand_side_by_side);
    tcase_add_test(tcase, versions_ciphers_and_groups_are_what_the_listener_says);
    tcase_add_loop_test(tcase, every_mode_works_with_sni_off_and_on, 0, 3);
    tcase_add_test(tcase, unknown_and_missing_names_reach_the_default_domain);
    tcase_add_test(tcase,
                   unknown_names_are_rejected_where_that_is_wished_but_no_name_is_not_unknown);
    tcase_add_test(tcase, each_domain_shows_its_own_certificate);
    tcase_add_test(tcase, clients_of_an_intermediate_ca_pass_with_their_chain);
    tcase_add_test(tcase, host_and_path_choose_the_rule);
    tcase_add_test(tcase, with_sni_off_the_name_in_the_handshake_does_not_matter);
}

CHECK_MAIN("listeners meet clients as configured", add_tests)
