/* SPDX-License-Identifier: Apache-2.0 */
/*
 * allow_client and exempt_from: each url of one host has its own list of who may pass, by every
 * kind of name, and networks that need no certificate, by the address of the connection or of the
 * PROXY header in front of it and by nothing that a request says.
 */
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/cast.h"
#include "tests/support/certificates.h"
#include "tests/support/check_main.h"
#include "tests/support/eventually.h"
#include "tests/support/process.h"
#include "tests/support/stub_backend.h"

/* clang-format off */
#define RULE(url, more) \
    "[rule " url "]\nlistener = web\nlistener = proxied\nurl = /" url "\npool = app\n" more "\n"
static const char head[] =
    "[lb]\nworkers = 2\naccess_log = off\n\n"
    "[listener web]\naddress = 127.0.0.1:@web\ncertificate = server.crt\ncertificate_key = server.key\n"
    "mutual_auth = require\nclient_ca = ca.crt\nclient_ca = partner-ca.crt\n\n"
    "[listener proxied]\naddress = 127.0.0.1:@proxied\ncertificate = server.crt\ncertificate_key = server.key\n"
    "mutual_auth = require\nclient_ca = ca.crt\nclient_ca = partner-ca.crt\n"
    "proxy_protocol = v1\nproxy_protocol_from = 127.0.0.0/8\n\n"
    RULE("anybody", "")
    RULE("cn", "allow_client = cn:tick*\nallow_client = cn:alice\n")
    RULE("ou", "allow_client = ou:Front Desk\n")
    RULE("dns", "allow_client = dns:*.clients.example.com\n")
    RULE("uri", "allow_client = uri:spiffe://example.org/ns/web/*\n")
    RULE("email", "allow_client = email:*@@Example.com\n")
    RULE("issuer", "allow_client = issuer:CN=Partner CA\n")
    RULE("id", "allow_client = client-id:car-*\nallow_client = client-id:tock\nclient_id_header = X-Device-Id\n")
    RULE("exempt", "allow_client = cn:alice\nexempt_from = 10.0.0.0/8 127.0.0.0/8\n")
    RULE("elsewhere", "exempt_from = 10.0.0.0/8 2001:db8::/32\n")
    RULE("asked", "mutual_auth = request\nallow_client = cn:alice\n");
static const char tail[] = "[pool app]\nbackend = rs-1 127.0.0.1:@rs-1\nhealth_check = off\n";

/* tick and tock are of ca, bob is of partner-ca. Who gets 200; everybody else who is verified 403. */
static const struct {
    const char *url;
    const char *allowed;
} lists[] = {
    {"/anybody", "alice anna bob tick tock"},
    {"/cn", "alice tick"},
    {"/ou", "tick"},
    {"/dns", "tick"},
    {"/uri", "tock"},
    {"/email", "tock"},
    {"/issuer", "bob"},
    {"/id", "tock"},
    {"/sha256", "anna"},
    {"/spki", "bob"},
    {"/asked", "alice"},
};
/* clang-format on */
static const char *const people[] = {"alice", "anna", "bob", "tick", "tock"};
enum { LISTS = sizeof lists / sizeof *lists, PEOPLE = sizeof people / sizeof *people };

struct gate {
    struct scene scene;
    struct stub_backend backend;
};

static void write_client(struct gate *gate, const struct certificate_wish *wish)
{
    struct made *made = made_certificate(wish);
    made_write(made, gate->scene.folder.path, wish->name);
    made_free(made);
}

/* Two whose certificates have names of every kind. */
static void write_clients(struct gate *gate)
{
    struct made *ca = made_ca("Story CA");
    made_write(ca, gate->scene.folder.path, "ca");
    static const char *const plain[] = {"alice", "anna"};
    for (size_t i = 0; i < 2; i++)
        write_client(gate, &(struct certificate_wish){
                               .name = plain[i], .issuer = ca, .usage = "clientAuth"});
    write_client(gate, &(struct certificate_wish){
                           .name = "tick",
                           .units = {"Sales", "Front Desk"},
                           .issuer = ca,
                           .usage = "clientAuth",
                           .names = "DNS:tick.clients.example.com,URI:spiffe://example.org/ns/db/x,"
                                    "email:tick@example.org"});
    write_client(gate, &(struct certificate_wish){
                           .name = "tock",
                           .units = {"Sales", "Back Office"},
                           .issuer = ca,
                           .usage = "clientAuth",
                           .names = "DNS:a.tock.clients.example.com,DNS:Front Desk,"
                                    "URI:spiffe://example.org/ns/web/a/b,email:tock@EXAMPLE.com"});
    made_free(ca);
}

/* A line of what openssl says, put behind a key. */
static void add_digest_rule(struct gate *gate, struct text *ini, const char *kind, const char *how)
{
    struct text line = {0};
    text_add_format(&line, "%s > digest", how);
    process_shell(gate->scene.folder.path, line.bytes);
    char *digest = folder_read(&gate->scene.folder, "digest");
    digest[strcspn(digest, "\n")] = '\0';
    text_add_format(ini,
                    "[rule %s]\nlistener = web\nlistener = proxied\nurl = /%s\npool = app\n"
                    "allow_client = %s:%s\n\n",
                    kind, kind, kind, digest);
    free(digest);
    text_done(&line);
}

static void gate_open(struct gate *gate)
{
    struct text ini = {0};
    scene_begin(&gate->scene);
    cast_write(&gate->scene);
    write_clients(gate);
    stub_start(&gate->backend, "rs-1", NULL);
    scene_set_port(&gate->scene, "rs-1", gate->backend.port);
    text_add_format(&ini, "%s", head);
    add_digest_rule(gate, &ini, "sha256",
                    "openssl x509 -in anna.crt -noout -fingerprint -sha256 | cut -d= -f2");
    add_digest_rule(gate, &ini, "spki",
                    "openssl x509 -in bob.crt -noout -pubkey | openssl pkey -pubin -outform DER | "
                    "openssl dgst -sha256 -r | cut -d' ' -f1");
    text_add_format(&ini, "%s", tail);
    scene_start(&gate->scene, ini.bytes);
    text_done(&ini);
}

static void gate_close(struct gate *gate)
{
    scene_end(&gate->scene);
    stub_stop(&gate->backend);
}

static unsigned get(struct peer *peer, const char *url, const char *more)
{
    struct text request = {0};
    text_add_format(&request, "GET %s HTTP/1.1\r\nHost: www.example.com\r\n%s\r\n", url, more);
    unsigned status = peer_ask(peer, request.bytes);
    text_done(&request);
    return status;
}

static bool enter(struct gate *gate, struct peer *peer, const char *who, SSL_SESSION *session)
{
    return peer_connect_tls(
        peer, scene_port(&gate->scene, "web"),
        WISH(&gate->scene, .sni = "www.example.com", .who = who, .session = session));
}

/* --- lists ------------------------------------------------------------------------------------ */

/* All urls, one after the other, over one connection. */
static void check_lists(struct peer *peer, const char *who)
{
    for (size_t i = 0; i < LISTS; i++) {
        unsigned wanted = strstr(lists[i].allowed, who) ? 200 : 403;
        unsigned status = get(peer, lists[i].url, "");
        ck_assert_msg(status == wanted, "%s for %s: %u", lists[i].url, who, status);
    }
}

START_TEST(each_url_has_a_list_of_its_own)
{
    struct gate gate;
    gate_open(&gate);
    for (size_t i = 0; i < PEOPLE; i++) {
        struct peer peer;
        ck_assert(enter(&gate, &peer, people[i], NULL));
        check_lists(&peer, people[i]);
        check_lists(&peer, people[i]); /* what was found is kept */
        SSL_SESSION *session = peer_take_session(&peer);
        peer_close(&peer);
        ck_assert_ptr_nonnull(session);
        ck_assert(enter(&gate, &peer, people[i], session));
        check_lists(&peer, people[i]);
        ck_assert(peer_was_resumed(&peer));
        SSL_SESSION_free(session);
        peer_close(&peer);
    }
    eventually(scene_log_has(&gate.scene, "request.refused", "reason=not-allowed", "rule=cn",
                             "CN=anna", NULL));
    gate_close(&gate);
}
END_TEST

START_TEST(who_shows_nothing_is_on_no_list_but_passes_where_it_is_only_asked)
{
    struct gate gate;
    struct peer peer;
    gate_open(&gate);
    ck_assert(enter(&gate, &peer, NULL, NULL));
    ck_assert_uint_eq(get(&peer, "/cn", ""), 403);
    ck_assert_uint_eq(get(&peer, "/asked", ""), 200);
    peer_close(&peer);
    gate_close(&gate);
}
END_TEST

static void command(struct gate *gate, const char *words)
{
    struct text line = {0};
    text_add_format(&line, "\"$LB_BINARY\" %s -c lb.ini", words);
    process_shell(gate->scene.folder.path, line.bytes);
    text_done(&line);
}

START_TEST(a_client_id_is_what_was_registered_not_what_is_passed)
{
    struct gate gate;
    struct peer peer;
    gate_open(&gate);
    ck_assert(enter(&gate, &peer, "anna", NULL));
    ck_assert_uint_eq(get(&peer, "/id", "X-Device-Id: car-7\r\n"), 403);
    ck_assert_uint_eq(get(&peer, "/id", "X-Device-Id: tock\r\n"), 403);
    command(&gate, "ca upload ca.crt --name story");
    command(&gate, "cert register anna.crt --ca story --client-id car-7 --activate yes");
    command(&gate, "cert register tock.crt --ca story --client-id bus-1 --activate yes");
    eventually(get(&peer, "/id", "X-Device-Id: bus-1\r\n") == 200);
    peer_close(&peer);
    ck_assert(enter(&gate, &peer, "tock", NULL)); /* no longer known by its common name */
    eventually(get(&peer, "/id", "") == 403);
    peer_close(&peer);
    gate_close(&gate);
}
END_TEST

/* --- one rule alone --------------------------------------------------------------------------- */

/* clang-format off */
#define ALONE(allowed) \
    "[lb]\nworkers = 2\naccess_log = off\n\n" \
    "[listener web]\naddress = 127.0.0.1:@web\ncertificate = server.crt\ncertificate_key = server.key\n" \
    "mutual_auth = require\nclient_ca = ca.crt\n\n" \
    "[rule all]\nlistener = web\npool = app\nallow_client = cn:alice\n" allowed \
    "\n[pool app]\nbackend = rs-1 127.0.0.1:@rs-1\nhealth_check = off\n"
/* clang-format on */

static void alone_open(struct gate *gate)
{
    scene_begin(&gate->scene);
    cast_write(&gate->scene);
    stub_start(&gate->backend, "rs-1", NULL);
    scene_set_port(&gate->scene, "rs-1", gate->backend.port);
    scene_start(&gate->scene, ALONE("allow_client = cn:anna\n"));
}

START_TEST(where_all_rules_have_one_list_the_handshake_refuses_who_is_not_on_it)
{
    struct gate gate;
    struct peer peer;
    alone_open(&gate);
    ck_assert(scene_reload(&gate.scene, ALONE("")));
    ck_assert(enter(&gate, &peer, "alice", NULL));
    ck_assert_uint_eq(get(&peer, "/", ""), 200);
    peer_close(&peer);
    if (enter(&gate, &peer, "anna", NULL)) /* in TLS 1.3 the alert comes behind the handshake */
        ck_assert_uint_eq(get(&peer, "/", ""), 0);
    ck_assert_int_eq(peer.alert, SSL_AD_HANDSHAKE_FAILURE);
    peer_close(&peer);
    eventually(scene_log_has(&gate.scene, "client.refused", "reason=not-allowed", NULL));
    gate_close(&gate);
}
END_TEST

START_TEST(who_is_taken_off_a_list_comes_in_by_no_session)
{
    struct gate gate;
    struct peer peer, kept;
    alone_open(&gate);
    ck_assert(enter(&gate, &kept, "anna", NULL));
    ck_assert_uint_eq(get(&kept, "/", ""), 200);
    SSL_SESSION *session = peer_take_session(&kept);
    ck_assert_ptr_nonnull(session);
    ck_assert(scene_reload(&gate.scene, ALONE("")));
    ck_assert_uint_ne(get(&kept, "/", ""), 200);
    peer_close(&kept);
    if (enter(&gate, &peer, "anna", session))
        ck_assert_uint_ne(get(&peer, "/", ""), 200);
    peer_close(&peer);
    SSL_SESSION_free(session);
    gate_close(&gate);
}
END_TEST

/* --- networks --------------------------------------------------------------------------------- */

START_TEST(who_comes_from_an_exempt_network_needs_no_certificate)
{
    struct gate gate;
    struct peer peer;
    gate_open(&gate);
    ck_assert(enter(&gate, &peer, NULL, NULL));
    ck_assert_uint_eq(get(&peer, "/exempt", ""), 200);
    ck_assert_uint_eq(get(&peer, "/elsewhere", ""), 403);
    /* No field says where somebody comes from. */
    ck_assert_uint_eq(get(&peer, "/elsewhere",
                          "X-Forwarded-For: 10.1.2.3\r\nX-Real-IP: 10.1.2.3\r\n"
                          "Forwarded: for=10.1.2.3\r\n"),
                      403);
    ck_assert_uint_eq(get(&peer, "/anybody", ""), 403);
    peer_close(&peer);
    /* Nor a place on the list. */
    ck_assert(enter(&gate, &peer, "anna", NULL));
    ck_assert_uint_eq(get(&peer, "/exempt", ""), 200);
    ck_assert_uint_eq(get(&peer, "/elsewhere", ""), 200);
    peer_close(&peer);
    gate_close(&gate);
}
END_TEST

/* Who a proxy in front says it is. */
static const struct {
    const char *address;
    const char *family;
    unsigned exempt;    /* status of /exempt without a certificate */
    unsigned elsewhere; /* of /elsewhere */
} fronts[] = {
    {"10.1.2.3", "TCP4", 200, 200},
    {"192.0.2.7", "TCP4", 403, 403}, /* that the proxy itself is exempt helps nobody */
    {"2001:db8::7", "TCP6", 403, 200},
    {"2001:db9::7", "TCP6", 403, 403},
    {"::ffff:10.1.2.3", "TCP6", 200, 200},
};

START_TEST(behind_a_proxy_it_is_the_proxy_header_that_counts)
{
    struct gate gate;
    struct peer peer;
    struct text line = {0};
    gate_open(&gate);
    peer_connect(&peer, scene_port(&gate.scene, "proxied"));
    text_add_format(&line, "PROXY %s %s %s 50000 443\r\n", fronts[_i].family, fronts[_i].address,
                    strchr(fronts[_i].address, ':') ? "2001:db8::1" : "198.51.100.1");
    ck_assert(peer_say(&peer, line.bytes));
    ck_assert(peer_handshake(&peer, WISH(&gate.scene, .sni = "www.example.com")));
    ck_assert_uint_eq(get(&peer, "/exempt", ""), fronts[_i].exempt);
    ck_assert_uint_eq(get(&peer, "/elsewhere", ""), fronts[_i].elsewhere);
    ck_assert_uint_eq(get(&peer, "/anybody", ""), 403);
    peer_close(&peer);
    text_done(&line);
    gate_close(&gate);
}
END_TEST

START_TEST(who_was_revoked_is_not_let_in_by_where_it_comes_from)
{
    struct gate gate;
    struct peer peer;
    gate_open(&gate);
    command(&gate, "ca upload ca.crt --name story");
    command(&gate, "cert register anna.crt --ca story --activate yes");
    command(&gate, "cert revoke $(openssl x509 -in anna.crt -noout -serial | cut -d= -f2) --yes");
    ck_assert(enter(&gate, &peer, "anna", NULL));
    ck_assert_uint_eq(get(&peer, "/exempt", ""), 403);
    peer_close(&peer);
    gate_close(&gate);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, each_url_has_a_list_of_its_own);
    tcase_add_test(tcase, who_shows_nothing_is_on_no_list_but_passes_where_it_is_only_asked);
    tcase_add_test(tcase, a_client_id_is_what_was_registered_not_what_is_passed);
    tcase_add_test(tcase, where_all_rules_have_one_list_the_handshake_refuses_who_is_not_on_it);
    tcase_add_test(tcase, who_is_taken_off_a_list_comes_in_by_no_session);
    tcase_add_test(tcase, who_comes_from_an_exempt_network_needs_no_certificate);
    tcase_add_loop_test(tcase, behind_a_proxy_it_is_the_proxy_header_that_counts, 0,
                        sizeof fronts / sizeof *fronts);
    tcase_add_test(tcase, who_was_revoked_is_not_let_in_by_where_it_comes_from);
}

CHECK_MAIN("rules let in whom they name", add_tests)
