/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names in SNI and Host as nobody writes them: any case, with a dot or a port at the end, below a
 * wildcard, two at once, in the target instead of Host, in none of them. A client is met as the
 * domain says that its name means, and a Host of another policy gets 421 or 400, never an answer.
 *
 *   GHSA-9cr8-q42q-g8m7  mixed case and wildcards in SNI and Host
 *   GHSA-5r4w-85f3-pw66  a check of Host against SNI that left out wildcards
 *   emissary#3340        a certificate good for one host, and another one in Host
 *   nginx.org PR 302     no SNI: verified as the default domain says, and then on to the others
 */
#include <openssl/tls1.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/cast.h"
#include "tests/support/check_main.h"
#include "tests/support/stub_backend.h"

/* clang-format off */
#define RULE(name, listener, domain, auth)                                                         \
    "[rule " name "]\nlistener = " listener "\ndomain = " domain "\npool = app\n"                  \
    "certificate = server.crt\ncertificate_key = server.key\n" auth "\n"
static const char ini[] =
    "[lb]\nworkers = 1\naccess_log = off\n\n"
    "[listener web]\naddress = 127.0.0.1:@web\nsni = on\n\n"
    "[listener strict]\naddress = 127.0.0.1:@strict\nsni = on\n\n"
    RULE("open", "web", "open.example.com", "default = yes\n")
    RULE("wild", "web", "*.example.com", "mutual_auth = require\nclient_ca = ca.crt\n")
    RULE("partner", "web", "partner.example.com", "mutual_auth = require\nclient_ca = partner-ca.crt\n")
    RULE("pattern", "web", "~^v[0-9]+\\.example\\.org$", "mutual_auth = require\nclient_ca = ca.crt\n")
    RULE("suffix", "web", "mail.example.*", "mutual_auth = require\nclient_ca = ca.crt\n")
    RULE("closed", "strict", "closed.example.com", "default = yes\nmutual_auth = require\nclient_ca = ca.crt\n")
    RULE("beside", "strict", "beside.example.com", "")
    RULE("other", "strict", "partner.example.com", "mutual_auth = require\nclient_ca = partner-ca.crt\n")
    "[pool app]\nbackend = rs-1 127.0.0.1:@rs-1\nhealth_check = off\n";
/* clang-format on */

struct town {
    struct scene scene;
    struct stub_backend backend;
    int version;
};

static void town_begin(struct town *town, int index)
{
    *town = (struct town){.version = index == 0 ? TLS1_2_VERSION : TLS1_3_VERSION};
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

static bool come(struct town *town, struct peer *peer, const char *listener, const char *sni,
                 const char *who)
{
    return peer_connect_tls(peer, scene_port(&town->scene, listener),
                            WISH(&town->scene, .version = town->version, .sni = sni, .who = who));
}

/* SNI */

#define LABEL "abcdefghijklmnopqrstuvwxyz-0123456789-abcdefghijklmnopqrstuvwx."

/* Whom a name asks for; NULL: nobody in particular. */
static const struct {
    const char *sni;
    const char *needs;
} names[] = {
    {"open.example.com", NULL},
    {"OPEN.example.COM", NULL},
    {"a.example.com", "alice"},
    {"A.EXAMPLE.COM", "alice"},
    {"a.example.com.", "alice"},
    {"a.Example.Com.", "alice"},
    {"b.a.example.com", "alice"},
    {"xopen.example.com", "alice"},
    {"open.example.com.example.com", "alice"},
    {"partner.example.com", "bob"},
    {"PARTNER.Example.com", "bob"},
    {"partner.example.com.", "bob"},
    {"b.partner.example.com", "alice"},
    {"v1.example.org", "alice"},
    {"V23.EXAMPLE.ORG", "alice"},
    {"v1.example.org.", "alice"},
    {"mail.example.net", "alice"},
    {"MAIL.example.co.uk", "alice"},
    {LABEL LABEL LABEL "a.example.com", "alice"},
    {"127.0.0.1", NULL},
    {"nobody.example.org", NULL},
    {NULL, NULL},
};
enum { NAME_COUNT = sizeof names / sizeof names[0] };

static unsigned status_of(struct town *town, const char *sni, const char *who)
{
    struct peer peer;
    unsigned status = 0;
    if (come(town, &peer, "web", sni, who))
        status = peer_get(&peer, sni ? sni : "open.example.com", "/", NULL, 0);
    peer_close(&peer);
    return status;
}

START_TEST(a_name_in_any_spelling_asks_for_its_own_clients)
{
    static const char *const clients[] = {NULL, "alice", "bob"};
    struct town town;
    town_begin(&town, _i);
    for (unsigned i = 0; i < NAME_COUNT; i++)
        for (unsigned who = 0; who < 3; who++) {
            const char *client = clients[who];
            bool may = !names[i].needs || (client && strcmp(client, names[i].needs) == 0);
            unsigned status = status_of(&town, names[i].sni, client);
            ck_assert_msg(status == (may ? 200u : 0u), "%s as %s: %u", names[i].sni, client,
                          status);
        }
    town_end(&town);
}
END_TEST

/* Host */

// clang-format off
/* Requests of a client that was met as open.example.com is: without a certificate. */
static const struct {
    const char *request;
    unsigned status;
} requests[] = {
    {"GET / HTTP/1.1\r\nHost: open.example.com\r\n\r\n", 200},
    {"GET / HTTP/1.1\r\nHost: Open.Example.Com.:443\r\n\r\n", 200},
    {"GET / HTTP/1.1\r\nHost: a.example.com\r\n\r\n", 421},
    {"GET / HTTP/1.1\r\nHost: A.EXAMPLE.COM\r\n\r\n", 421},
    {"GET / HTTP/1.1\r\nHost: a.example.com.\r\n\r\n", 421},
    {"GET / HTTP/1.1\r\nHost: a.example.com:443\r\n\r\n", 421},
    {"GET / HTTP/1.1\r\nHost: A.Example.com.:8443\r\n\r\n", 421},
    {"GET / HTTP/1.1\r\nHost:\ta.example.com \r\n\r\n", 421},
    {"GET / HTTP/1.1\r\nHost: b.a.example.com\r\n\r\n", 421},
    {"GET / HTTP/1.1\r\nHost: partner.example.com\r\n\r\n", 421},
    {"GET / HTTP/1.1\r\nHost: PARTNER.example.com.\r\n\r\n", 421},
    {"GET / HTTP/1.1\r\nHost: V1.example.org\r\n\r\n", 421},
    {"GET / HTTP/1.1\r\nHost: mail.EXAMPLE.net.\r\n\r\n", 421},
    {"GET / HTTP/1.0\r\nHost: a.example.com\r\n\r\n", 421},
    /* In the target. */
    {"GET https://a.example.com/ HTTP/1.1\r\nHost: open.example.com\r\n\r\n", 400},
    {"GET https://open.example.com/ HTTP/1.1\r\nHost: a.example.com\r\n\r\n", 400},
    {"GET https://a.example.com/ HTTP/1.1\r\nHost: a.example.com\r\n\r\n", 421},
    {"GET https://A.example.COM.:443/ HTTP/1.1\r\nHost: A.example.COM.:443\r\n\r\n", 421},
    {"GET http://partner.example.com HTTP/1.1\r\nHost: partner.example.com\r\n\r\n", 421},
    {"GET https://a.example.com/ HTTP/1.0\r\n\r\n", 421},
    {"GET https://open.example.com@a.example.com/ HTTP/1.1\r\nHost: open.example.com\r\n\r\n", 400},
    {"GET https://open.example.com\\@a.example.com/ HTTP/1.1\r\nHost: open.example.com\r\n\r\n", 400},
    {"GET //a.example.com/ HTTP/1.1\r\nHost: open.example.com\r\n\r\n", 200}, /* a path */
    /* Two at once, or none that all readers agree on. */
    {"GET / HTTP/1.1\r\nHost: open.example.com\r\nHost: a.example.com\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: a.example.com\r\nhost: open.example.com\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: open.example.com, a.example.com\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: open.example.com a.example.com\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: open.example.com\r\n a.example.com\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost : a.example.com\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: open.example.com@a.example.com\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: a.example.com/open.example.com\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: a%2eexample.com\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: a\xe3\x80\x82" "example.com\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: a.example.com:port\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n\r\n", 400},
    /* What only somebody behind lb would look at. */
    {"GET / HTTP/1.1\r\nHost: open.example.com\r\nX-Forwarded-Host: a.example.com\r\n\r\n", 200},
};
// clang-format on
enum { REQUEST_COUNT = sizeof requests / sizeof requests[0] };

START_TEST(no_spelling_of_host_brings_an_open_connection_to_a_closed_domain)
{
    struct town town;
    unsigned served = 0;
    town_begin(&town, _i);
    for (unsigned i = 0; i < REQUEST_COUNT; i++) {
        struct peer peer;
        ck_assert(come(&town, &peer, "web", "open.example.com", NULL));
        unsigned status = peer_ask(&peer, requests[i].request);
        ck_assert_msg(status == requests[i].status, "%s%u", requests[i].request, status);
        served += status == 200;
        peer_close(&peer);
    }
    ck_assert_uint_eq(atomic_load(&town.backend.requests), served);
    char *heard = stub_heard(&town.backend);
    ck_assert_ptr_null(strstr(heard, "\r\nHost: a."));
    free(heard);
    town_end(&town);
}
END_TEST

// clang-format off
/* One connection, the host of its handshake, and what another one is answered. */
static const struct {
    const char *listener;
    const char *sni;
    const char *who;
    const char *host;
    unsigned status;
} visits[] = {
    /* Coalesced: a browser asks several hosts over one connection, if their policy is the same. */
    {"web", "a.example.com", "alice", "b.example.com", 200},
    {"web", "a.example.com", "alice", "B.A.EXAMPLE.com.", 200},
    {"web", "a.example.com", "alice", "v1.example.org", 200},
    {"web", "v1.example.org", "alice", "mail.example.net:443", 200},
    {"web", "a.example.com", "alice", "partner.example.com", 421},
    {"web", "a.example.com", "alice", "open.example.com", 421},
    {"web", "a.example.com", "alice", "nobody.example.org", 421},
    {"web", "partner.example.com", "bob", "a.example.com", 421},
    {"web", "Partner.example.com.", "bob", "pArtner.example.com", 200},
    {"web", "partner.example.com", "bob", "v1.example.org", 421},
    /* A name that nobody has is met as the default domain is, and stays there. */
    {"web", "nobody.example.org", "alice", "a.example.com", 421},
    {"web", "nobody.example.org", "alice", "open.example.com", 200},
    {"web", "127.0.0.1", "alice", "a.example.com", 421},
    {"web", LABEL LABEL LABEL "255-bytes-are-longer-than-any-host-may-be-0123456789-a." "example.com", "alice", "a.example.com", 421},
    {"strict", "nobody.example.org", "alice", "partner.example.com", 421},
    {"strict", "nobody.example.org", "alice", "beside.example.com", 421},
    /* So is who asks for none. */
    {"web", NULL, NULL, "open.example.com", 200},
    {"web", NULL, NULL, "a.example.com", 421},
    {"web", NULL, "alice", "a.example.com", 421},
    {"web", NULL, "bob", "partner.example.com", 421},
    {"strict", NULL, "alice", "closed.example.com", 200},
    {"strict", NULL, "alice", "CLOSED.example.com.:1", 200},
    {"strict", NULL, "alice", "nobody.example.org", 200},
    {"strict", NULL, "alice", "partner.example.com", 421},
    {"strict", NULL, "alice", "beside.example.com", 421},
    {"strict", "beside.example.com", NULL, "closed.example.com", 421},
    {"strict", "beside.example.com", NULL, "nobody.example.org", 421},
};
// clang-format on

START_TEST(another_host_is_served_only_where_it_asks_the_same_of_its_clients)
{
    struct town town;
    town_begin(&town, _i);
    for (unsigned i = 0; i < sizeof visits / sizeof visits[0]; i++) {
        struct peer peer;
        ck_assert(come(&town, &peer, visits[i].listener, visits[i].sni, visits[i].who));
        unsigned status = peer_get(&peer, visits[i].host, "/", NULL, 0);
        ck_assert_msg(status == visits[i].status, "SNI %s as %s, Host %s: %u", visits[i].sni,
                      visits[i].who, visits[i].host, status);
        peer_close(&peer);
    }
    town_end(&town);
}
END_TEST

START_TEST(a_default_domain_that_is_closed_is_closed_for_those_without_a_name)
{
    static const char *const strangers[] = {NULL, "bob"};
    static const char *const unknown[] = {NULL, "nobody.example.org", "127.0.0.1"};
    struct town town;
    town_begin(&town, _i);
    for (unsigned i = 0; i < 6; i++) {
        struct peer peer;
        unsigned status = 0;
        if (come(&town, &peer, "strict", unknown[i % 3], strangers[i / 3]))
            status = peer_get(&peer, "beside.example.com", "/", NULL, 0);
        ck_assert_uint_eq(status, 0);
        peer_close(&peer);
    }
    ck_assert_uint_eq(atomic_load(&town.backend.requests), 0);
    town_end(&town);
}
END_TEST

/* SNI that two readers could read differently, byte by byte */

/* In the place of this name, of as many bytes. */
static const char place[] = "0123456789012345678901234567890123456789";
enum { PLACE_BYTES = sizeof place - 1, HEAD_BYTES = 5 };

/* A ClientHello of OpenSSL's own that asks for `place`. */
static void make_hello(struct text *hello, int version)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    SSL *tls = SSL_new(context);
    BIO *written = BIO_new(BIO_s_mem());
    char *bytes = NULL;
    SSL_set_max_proto_version(tls, version);
    SSL_set_bio(tls, BIO_new(BIO_s_mem()), written);
    ck_assert(SSL_set_tlsext_host_name(tls, place));
    ck_assert_int_lt(SSL_connect(tls), 1);
    text_add(hello, "", 0);
    long length = BIO_get_mem_data(written, &bytes);
    text_add(hello, bytes, (size_t)length);
    SSL_free(tls);
    SSL_CTX_free(context);
}

// clang-format off
/* What stands in front of the name and in it: list length, type, name length, name. */
static const struct {
    const char *bytes;
    size_t length;
} lists[] = {
    {"\x00\x2b\x00\x00\x28" "open.example.com\0a.example.com67890123456", 45},    /* NUL */
    {"\x00\x2b\x00\x00\x28" "\0" "123456789012345678901234567890123456789", 45},  /* NUL first */
    {"\x00\x2b\x00\x00\x10" "open.example.com" "\x00\x00\x15" "a23456789.example.com", 45}, /* two names */
    {"\x00\x2b\x00\x00\x0d" "a.example.com" "\x00\x00\x18" "abcdefgh.open.example.co", 45},
    {"\x00\x2b\x01\x00\x10" "open.example.com" "\x00\x00\x15" "a23456789.example.com", 45}, /* a type unknown */
    {"\x00\x2b\x01\x00\x28" "0123456789012345678901234567890123456789", 45},
    {"\x00\x2b\x00\x00\x10" "open.example.com" "678901234567890123456789", 45}, /* bytes behind */
    {"\x00\x13\x00\x00\x10" "open.example.com" "678901234567890123456789", 45},
    {"\x00\x2b\x00\x00\x29" "0123456789012345678901234567890123456789", 45}, /* more than there is */
    {"\x00\x2b\x00\x00\x00" "0123456789012345678901234567890123456789", 45}, /* empty */
    {"\x00\x00\x00\x00\x28" "0123456789012345678901234567890123456789", 45},
};
// clang-format on

START_TEST(a_name_that_is_none_ends_the_handshake)
{
    struct town town;
    town_begin(&town, _i);
    for (unsigned i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        struct peer peer;
        struct text hello = {0};
        make_hello(&hello, town.version);
        char *name = memmem(hello.bytes, hello.length, place, PLACE_BYTES);
        ck_assert(name != NULL && lists[i].length == HEAD_BYTES + PLACE_BYTES);
        memcpy(name - HEAD_BYTES, lists[i].bytes, lists[i].length);
        peer_connect(&peer, scene_port(&town.scene, "web"));
        ck_assert(peer_send(&peer, hello.bytes, hello.length));
        peer_receive_all(&peer);
        /* An alert, fatal, decode_error; and nothing of a handshake before it. */
        ck_assert_uint_eq(peer.inbox.length, 7);
        ck_assert_int_eq(peer.inbox.bytes[0], SSL3_RT_ALERT);
        ck_assert_int_eq(peer.inbox.bytes[5], SSL3_AL_FATAL);
        ck_assert_int_eq(peer.inbox.bytes[6], SSL_AD_DECODE_ERROR);
        peer_close(&peer);
        text_done(&hello);
    }
    town_end(&town);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, a_name_in_any_spelling_asks_for_its_own_clients, 0, 2);
    tcase_add_loop_test(tcase, no_spelling_of_host_brings_an_open_connection_to_a_closed_domain, 0,
                        2);
    tcase_add_loop_test(tcase, another_host_is_served_only_where_it_asks_the_same_of_its_clients, 0,
                        2);
    tcase_add_loop_test(tcase, a_default_domain_that_is_closed_is_closed_for_those_without_a_name,
                        0, 2);
    tcase_add_loop_test(tcase, a_name_that_is_none_ends_the_handshake, 0, 2);
}

CHECK_MAIN("no spelling of a name opens a door", add_tests)
