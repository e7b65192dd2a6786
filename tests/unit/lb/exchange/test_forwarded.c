/* SPDX-License-Identifier: Apache-2.0 */
/* The head that a backend gets, for heads that clients send. */
#include "lb/exchange/forwarded.h"

#include <string.h>

#include "lb/config/config.h"
#include "lb/exchange/request_id.h"
#include "listeners/client.h"
#include "listeners/client_id.h"
#include "listeners/identity.h"
#include "tests/support/certificates.h"
#include "tests/support/check_main.h"
#include "tests/support/folder.h"
#include "tests/support/port.h"
#include "tests/support/text.h"

/* --- the stage ----------------------------------------------------------------------------- */

struct stage {
    struct folder folder;
    struct config *config;
    struct request_ids ids;
    struct door door;
    struct client client;
    struct http_request request;
    struct forwarding forwarding;
    struct slice client_id; /* as it was found */
    char *written;    /* exactly as many bytes as were asked for: one more is the sanitizer's */
    struct text head; /* as the backend gets it */
};

/** The listener is `web`; `keys` are more of its own, `rule` more of its rule's. */
static void stage_begin(struct stage *stage, const char *keys, const char *rule)
{
    struct text ini = {0};
    struct problems problems = {0};
    text_add_format(&ini,
                    "[listener web]\naddress = 127.0.0.1:%u\n%s\n"
                    "[rule all]\nlistener = web\npool = app\n%s\n"
                    "[pool app]\nbackend = rs-1 127.0.0.1:9\nhealth_check = off\n",
                    port_reserve(), keys, rule);
    folder_write(&stage->folder, "lb.ini", ini.bytes);
    text_done(&ini);
    stage->config = config_load(folder_file(&stage->folder, "lb.ini"), &problems);
    ck_assert_msg(stage->config != NULL, "%s",
                  problems.count ? problems.items[0].text : "no config");
    problems_done(&problems);
    stage->door.listener = &stage->config->listeners[0];
    stage->client.door = &stage->door;
    stage->client.local_port = 8443;
    strcpy(stage->client.peer_host, "192.0.2.7");
}

static void stage_open(struct stage *stage, const char *keys)
{
    memset(stage, 0, sizeof *stage);
    folder_make(&stage->folder);
    struct text http = {0};
    text_add_format(&http, "protocol = http\n%s", keys);
    stage_begin(stage, http.bytes, "");
    text_done(&http);
}

static void stage_close(struct stage *stage)
{
    free(stage->written);
    text_done(&stage->head);
    config_free(stage->config);
    folder_remove(&stage->folder);
}

/** What becomes of a client's head; lent until the next call. */
static const char *forward(struct stage *stage, const char *head)
{
    enum http_fault fault = HTTP_FINE;
    ck_assert_msg(http_parse_request(&stage->request, head, strlen(head), HEAD_MOST_BYTES,
                                     &fault) == HTTP_COMPLETE,
                  "%s", http_fault_text(fault));
    stage->forwarding = (struct forwarding){.client = &stage->client,
                                            .rule = &stage->config->listeners[0].rules[0],
                                            .request = &stage->request,
                                            .ids = &stage->ids,
                                            .now = time(NULL),
                                            .client_id = stage->client_id};
    size_t room = forwarded_room(&stage->forwarding);
    free(stage->written);
    stage->written = malloc(room);
    size_t length = forwarded_write(&stage->forwarding, stage->written, room);
    ck_assert_uint_gt(length, 0);
    ck_assert_ptr_null(memchr(stage->written, '\0', length));
    text_done(&stage->head);
    text_add(&stage->head, stage->written, length);
    ck_assert_str_eq(stage->head.bytes + stage->head.length - 4, "\r\n\r\n");
    return stage->head.bytes;
}

static void must_have(const char *head, const char *name, const char *value)
{
    char found[4096] = "";
    ck_assert_msg(text_field(head, name, found, sizeof found), "no %s in:\n%s", name, head);
    ck_assert_str_eq(found, value);
    ck_assert_uint_eq(text_field_count(head, name), 1);
}

static void must_lack(const char *head, const char *name)
{
    ck_assert_msg(text_field_count(head, name) == 0, "%s is in:\n%s", name, head);
}

static void must_have_line(const char *head, const char *line)
{
    struct text whole = {0};
    text_add_format(&whole, "\r\n%s\r\n", line);
    ck_assert_msg(strstr(head, whole.bytes) != NULL, "no line '%s' in:\n%s", line, head);
    text_done(&whole);
}

/* --- the whole ----------------------------------------------------------------------------- */

START_TEST(a_plain_request_becomes_this)
{
    struct stage stage;
    stage_open(&stage, "");
    stage.ids = (struct request_ids){1, 2};
    const char *head = forward(&stage, "GET /a?b=c HTTP/1.1\r\nhost: www.test:80\r\n"
                                       "User-Agent: curl\r\nReferer: x\r\nAccept: */*\r\n\r\n");
    ck_assert_str_eq(head, "GET /a?b=c HTTP/1.1\r\n"
                           "Host: www.test:80\r\n"
                           "User-Agent: curl\r\n"
                           "Referer: x\r\n"
                           "Accept: */*\r\n"
                           "X-Forwarded-For: 192.0.2.7\r\n"
                           "X-Forwarded-Proto: http\r\n"
                           "X-Forwarded-Host: www.test:80\r\n"
                           "X-Forwarded-Port: 8443\r\n"
                           "X-Real-IP: 192.0.2.7\r\n"
                           "X-Request-ID: 00000000000000010000000000000002\r\n"
                           "\r\n");
    ck_assert(slice_is(stage.forwarding.method, "GET"));
    ck_assert(slice_is(stage.forwarding.uri, "/a?b=c"));
    ck_assert(slice_is(stage.forwarding.host, "www.test:80"));
    ck_assert(slice_is(stage.forwarding.user_agent, "curl"));
    ck_assert(slice_is(stage.forwarding.referer, "x"));
    ck_assert(slice_is(stage.forwarding.request_id, "00000000000000010000000000000002"));
    stage_close(&stage);
}
END_TEST

START_TEST(what_does_not_fit_is_not_sent_half)
{
    struct stage stage;
    stage_open(&stage, "");
    size_t length = strlen(forward(&stage, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
    char *exact = malloc(length);
    ck_assert_uint_eq(forwarded_write(&stage.forwarding, exact, length), length);
    ck_assert_uint_eq(forwarded_write(&stage.forwarding, exact, length - 1), 0);
    free(exact);
    stage_close(&stage);
}
END_TEST

START_TEST(the_largest_heads_have_room_enough)
{
    struct stage stage;
    stage_open(&stage, "forwarded = on");
    /* A chain of addresses as the only field, and a host of the greatest length. */
    struct text client_head = {0};
    text_add_format(&client_head, "GET / HTTP/1.1\r\nHost: ");
    for (int i = 0; i < 253; i++) {
        text_add(&client_head, i % 50 == 49 ? "." : "h", 1);
    }
    text_add_format(&client_head, "\r\nX-Forwarded-For: ");
    while (client_head.length < 32 * 1024) {
        text_add_format(&client_head, "198.51.100.77, ");
    }
    text_add_format(&client_head, "z\r\n\r\n");
    forward(&stage, client_head.bytes);
    text_done(&client_head);

    /* Many fields whose names grow by nothing, and many empty ones. */
    text_add_format(&client_head, "GET / HTTP/1.1\r\nHost: a\r\n");
    for (int i = 0; i < HEAD_FIELDS_MOST - 1; i++) {
        text_add_format(&client_head, i % 2 ? "X-Forwarded-For:9\r\n" : "a:\r\n");
    }
    text_add_format(&client_head, "\r\n");
    forward(&stage, client_head.bytes);
    text_done(&client_head);
    stage_close(&stage);
}
END_TEST

START_TEST(lbs_own_fields_at_their_longest_have_room_behind_the_smallest_heads)
{
    static const char *const heads[] = {
        "G / HTTP/1.0\r\n\r\n",
        "P / HTTP/1.0\r\nContent-Length:1\r\n\r\n",
        "P / HTTP/1.1\r\nHost:a\r\nTransfer-Encoding:chunked\r\nExpect:100-continue\r\n\r\n",
        "G / HTTP/1.1\r\nHost:a\r\nConnection:Upgrade\r\nUpgrade:websocket\r\n\r\n",
    };
    enum { LONGEST_POOL_BYTES = INI_SECTION_BYTES - sizeof "pool" };
    struct stage stage;
    stage_open(&stage, "forwarded = on");
    strcpy(stage.client.peer_host, "0000:0000:0000:0000:0000:ffff:255.255.255.255");
    stage.client.local_port = 65535;
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        forward(&stage, heads[i]);
        size_t left = forwarded_room(&stage.forwarding) - stage.head.length;
        ck_assert_uint_ge(left, LONGEST_POOL_BYTES); /* the name may stand in Host */
        ck_assert_uint_lt(left, 1024);               /* … and underflow is not room */
    }
    stage_close(&stage);
}
END_TEST

/* --- what is taken away -------------------------------------------------------------------- */

START_TEST(hop_by_hop_fields_and_those_that_connection_names_stay_here)
{
    struct stage stage;
    stage_open(&stage, "");
    const char *head = forward(&stage, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close, X-Hop\r\n"
                                       "Connection: x-other\r\nX-Hop: 1\r\nX-Other: 2\r\n"
                                       "X-Stays: 3\r\nKeep-Alive: timeout=5\r\n"
                                       "Proxy-Connection: keep-alive\r\n\r\n");
    must_lack(head, "Connection");
    must_lack(head, "X-Hop");
    must_lack(head, "X-Other");
    must_lack(head, "Keep-Alive");
    must_lack(head, "Proxy-Connection");
    must_have(head, "X-Stays", "3");
    stage_close(&stage);
}
END_TEST

START_TEST(fields_that_only_lb_may_set_are_stripped_in_every_spelling)
{
    static const char *const names[] = {
        "X_Forwarded_For",
        "X-Forwarded_Proto",
        "x_forwarded_host",
        "X_FORWARDED_PORT",
        "X_Real_IP",
        "x-real_ip",
        "X_Request_ID",
        "X.Forwarded.For",
        "x~real!ip",
        "Content.Length",
        "X-SSL-Client-Verify",
        "x_ssl_client_verify",
        "X-SSL_Client-S-DN",
        "X-SSL-Client-Anything",
        "Client-Cert",
        "CLIENT_CERT",
        "Client-Cert-Chain",
        "X-Forwarded-Client-Cert",
        "X_Forwarded_Client_Cert",
        "X-CERT-SUBJECT-DN",
        "x_cert_verify",
        "X-Amzn-Mtls-Clientcert-Leaf",
        "Cf-Client-Cert-Der-Base64",
        "cf_client_cert_sha256",
    };
    struct stage stage;
    stage_open(&stage, "");
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        struct text client_head = {0};
        text_add_format(&client_head, "GET / HTTP/1.1\r\nHost: a\r\n%s: forged\r\n\r\n", names[i]);
        const char *head = forward(&stage, client_head.bytes);
        ck_assert_msg(strstr(head, "forged") == NULL, "%s", names[i]);
        text_done(&client_head);
    }
    stage_close(&stage);
}
END_TEST

START_TEST(fields_that_only_look_alike_are_left_alone)
{
    static const char *const names[] = {
        "X-Forwarded-Fork", "X-Real-IPs", "XX-Real-IP", "Client",
        "X-SSL-Server",     "Foo_Bar",    "Cf-Ray",     "a_b_c_d_e_f_g_h_i_j_k_l_m_n_o_p_q"};
    struct stage stage;
    stage_open(&stage, "");
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        struct text client_head = {0};
        text_add_format(&client_head, "GET / HTTP/1.1\r\nHost: a\r\n%s: kept\r\n\r\n", names[i]);
        must_have(forward(&stage, client_head.bytes), names[i], "kept");
        text_done(&client_head);
    }
    stage_close(&stage);
}
END_TEST

START_TEST(trailers_are_asked_the_same_question)
{
    const struct http_field forged = {.name = slice_of("X_SSL_Client_Verify")};
    const struct http_field plain = {.name = slice_of("X-Checksum")};
    const struct http_field id = {.name = slice_of("x_device_id")};
    const struct client_id_fields fields = {1, {slice_of("X-Device-Id")}};
    const struct rule all = {.name = "all"};
    const struct rule of_devices = {.name = "devices", .client_id_fields = &fields};
    ck_assert(forwarded_strips(&all, &forged));
    ck_assert(!forwarded_strips(&all, &plain));
    ck_assert(!forwarded_strips(&all, &id));
    ck_assert(forwarded_strips(&of_devices, &forged));
    ck_assert(!forwarded_strips(&of_devices, &plain));
    ck_assert(forwarded_strips(&of_devices, &id));
}
END_TEST

/* --- addresses ----------------------------------------------------------------------------- */

START_TEST(the_address_is_appended_to_what_the_client_sent)
{
    struct stage stage;
    stage_open(&stage, "");
    const char *head = forward(&stage, "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 10.0.0.1\r\n"
                                       "x-forwarded-for: 10.0.0.2, 10.0.0.3\r\n"
                                       "X-Forwarded-For:\r\n\r\n");
    must_have(head, "X-Forwarded-For", "10.0.0.1, 10.0.0.2, 10.0.0.3, 192.0.2.7");
    stage_close(&stage);
}
END_TEST

START_TEST(the_address_takes_its_place_where_the_listener_says_so)
{
    struct stage stage;
    stage_open(&stage, "forwarded_for = replace");
    const char *head =
        forward(&stage, "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 10.0.0.1\r\n\r\n");
    must_have(head, "X-Forwarded-For", "192.0.2.7");
    stage_close(&stage);
}
END_TEST

START_TEST(proto_host_port_and_real_ip_are_never_the_clients)
{
    struct stage stage;
    stage_open(&stage, "");
    const char *head = forward(&stage, "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-Proto: https\r\n"
                                       "X-Forwarded-Host: evil\r\nX-Forwarded-Port: 1\r\n"
                                       "X-Real-IP: 127.0.0.1\r\nForwarded: for=evil\r\n\r\n");
    must_have(head, "X-Forwarded-Proto", "http");
    must_have(head, "X-Forwarded-Host", "a");
    must_have(head, "X-Forwarded-Port", "8443");
    must_have(head, "X-Real-IP", "192.0.2.7");
    must_lack(head, "Forwarded");
    stage_close(&stage);
}
END_TEST

START_TEST(forwarded_is_written_where_the_listener_says_so_and_quotes_ipv6)
{
    struct stage stage;
    stage_open(&stage, "forwarded = on");
    static const char asked[] = "GET / HTTP/1.1\r\nHost: a:80\r\nForwarded: for=evil\r\n\r\n";
    must_have(forward(&stage, asked), "Forwarded", "for=192.0.2.7;proto=http;host=\"a:80\"");
    strcpy(stage.client.peer_host, "2001:db8::7");
    const char *head = forward(&stage, asked);
    must_have(head, "Forwarded", "for=\"[2001:db8::7]\";proto=http;host=\"a:80\"");
    must_have(head, "X-Forwarded-For", "2001:db8::7");
    stage_close(&stage);
}
END_TEST

/* --- old clients --------------------------------------------------------------------------- */

START_TEST(an_http_1_0_client_without_a_host_gets_the_pools_name)
{
    struct stage stage;
    stage_open(&stage, "forwarded = on");
    const char *head = forward(&stage, "GET /old HTTP/1.0\r\n\r\n");
    ck_assert_ptr_eq(strstr(head, "GET /old HTTP/1.1\r\nHost: app\r\n"), head);
    ck_assert_ptr_null(strstr(head, "X-Forwarded-Host"));
    must_have(head, "Forwarded", "for=192.0.2.7;proto=http");
    stage_close(&stage);
}
END_TEST

START_TEST(an_absolute_target_is_forwarded_in_origin_form)
{
    struct stage stage;
    stage_open(&stage, "");
    const char *head =
        forward(&stage, "GET http://www.test/x?y HTTP/1.1\r\nHost: www.test\r\n\r\n");
    ck_assert_ptr_eq(strstr(head, "GET /x?y HTTP/1.1\r\nHost: www.test\r\n"), head);
    stage_close(&stage);
}
END_TEST

/* --- the request id ------------------------------------------------------------------------ */

START_TEST(a_fit_request_id_is_kept_another_is_made_anew)
{
    struct stage stage;
    stage_open(&stage, "");
    stage.ids = (struct request_ids){1, 9};
    must_have(forward(&stage, "GET / HTTP/1.1\r\nHost: a\r\nX-Request-ID: abc-1.2_3\r\n\r\n"),
              "X-Request-ID", "abc-1.2_3");
    ck_assert(slice_is(stage.forwarding.request_id, "abc-1.2_3"));
    must_have(forward(&stage, "GET / HTTP/1.1\r\nHost: a\r\nX-Request-ID: a b\r\n\r\n"),
              "X-Request-ID", "00000000000000010000000000000009");
    must_have(forward(&stage, "GET / HTTP/1.1\r\nHost: a\r\nX-Request-ID:\r\n\r\n"), "X-Request-ID",
              "0000000000000001000000000000000a");
    stage_close(&stage);
}
END_TEST

START_TEST(of_several_request_ids_one_is_kept)
{
    struct stage stage;
    stage_open(&stage, "");
    must_have(forward(&stage, "GET / HTTP/1.1\r\nHost: a\r\nX-Request-ID: \"\r\n"
                              "X-Request-ID: second\r\nX-Request-ID: third\r\n\r\n"),
              "X-Request-ID", "second");
    stage_close(&stage);
}
END_TEST

/* --- framing ------------------------------------------------------------------------------- */

START_TEST(the_bodys_framing_is_said_once_in_lbs_words)
{
    struct stage stage;
    stage_open(&stage, "");
    const char *head =
        forward(&stage, "POST / HTTP/1.1\r\nHost: a\r\ncontent-length:   17\r\n\r\n");
    must_have(head, "Content-Length", "17");
    must_lack(head, "Transfer-Encoding");
    head = forward(&stage, "POST / HTTP/1.1\r\nHost: a\r\ntransfer-encoding: CHUNKED\r\n\r\n");
    must_have(head, "Transfer-Encoding", "chunked");
    must_lack(head, "Content-Length");
    head = forward(&stage, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    must_lack(head, "Transfer-Encoding");
    must_lack(head, "Content-Length");
    stage_close(&stage);
}
END_TEST

START_TEST(an_expectation_is_passed_on_where_a_body_follows)
{
    struct stage stage;
    stage_open(&stage, "");
    must_have(forward(&stage, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n"
                              "Expect: 100-Continue\r\n\r\n"),
              "Expect", "100-continue");
    must_lack(forward(&stage, "GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n"),
              "Expect");
    stage_close(&stage);
}
END_TEST

START_TEST(te_is_passed_on_for_trailers_only)
{
    struct stage stage;
    stage_open(&stage, "");
    const char *head = forward(
        &stage, "GET / HTTP/1.1\r\nHost: a\r\nConnection: TE\r\nTE: gzip, trailers\r\n\r\n");
    must_have(head, "TE", "trailers");
    must_have(head, "Connection", "TE");
    head = forward(&stage, "GET / HTTP/1.1\r\nHost: a\r\nConnection: TE\r\nTE: gzip\r\n\r\n");
    must_lack(head, "TE");
    must_lack(head, "Connection");
    stage_close(&stage);
}
END_TEST

START_TEST(trailer_names_are_passed_on_with_the_trailers)
{
    struct stage stage;
    stage_open(&stage, "");
    must_have(forward(&stage, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
                              "Trailer: X-Checksum\r\n\r\n"),
              "Trailer", "X-Checksum");
    stage_close(&stage);
}
END_TEST

START_TEST(an_upgrade_is_passed_on_but_never_to_cleartext_http_2)
{
    struct stage stage;
    stage_open(&stage, "");
    const char *head = forward(&stage, "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n"
                                       "Upgrade: websocket\r\n\r\n");
    ck_assert(forwarded_upgrades(&stage.request));
    must_have(head, "Upgrade", "websocket");
    must_have(head, "Connection", "Upgrade");

    head = forward(&stage, "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\n"
                           "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n");
    ck_assert(!forwarded_upgrades(&stage.request));
    must_lack(head, "Upgrade");
    must_lack(head, "HTTP2-Settings");

    head = forward(&stage, "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n"
                           "Upgrade: websocket, H2C\r\nHTTP2_Settings: x\r\n\r\n");
    must_lack(head, "Upgrade");
    must_lack(head, "HTTP2_Settings");

    head = forward(&stage, "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n");
    must_lack(head, "Upgrade");
    stage_close(&stage);
}
END_TEST

/* --- who the client is --------------------------------------------------------------------- */

struct stage_with_cas {
    struct stage stage;
    struct made *ca, *server, *alice;
};

static void cas_open(struct stage_with_cas *cas, const char *client_headers)
{
    memset(cas, 0, sizeof *cas);
    folder_make(&cas->stage.folder);
    cas->ca = made_ca("CA");
    cas->server = made_server(cas->ca, "www.test");
    cas->alice = made_client(cas->ca, "alice");
    made_write(cas->ca, cas->stage.folder.path, "ca");
    made_write(cas->server, cas->stage.folder.path, "server");
    stage_begin(&cas->stage,
                "certificate = server.crt\ncertificate_key = server.key\n"
                "mutual_auth = request\nclient_ca = ca.crt",
                client_headers);
}

static void cas_close(struct stage_with_cas *cas)
{
    identity_unref(cas->stage.client.handshake.identity);
    stage_close(&cas->stage);
    made_free(cas->ca);
    made_free(cas->server);
    made_free(cas->alice);
}

static void show_certificate(struct stage_with_cas *cas)
{
    static const unsigned char hash[32];
    const struct policy *policy = cas->stage.config->listeners[0].domains[0].policy;
    STACK_OF(X509) *chain = sk_X509_new_null();
    ck_assert(chain && X509_add_cert(chain, cas->alice->certificate, X509_ADD_FLAG_UP_REF));
    cas->stage.client.handshake.identity = identity_new(policy, chain, hash, time(NULL));
    ck_assert_ptr_nonnull(cas->stage.client.handshake.identity);
    sk_X509_pop_free(chain, X509_free);
}

static const char forged[] = "GET / HTTP/1.1\r\nHost: a\r\nX-SSL-Client-Verify: SUCCESS\r\n"
                             "x_ssl_client_s_dn: CN=root\r\n\r\n";

START_TEST(backends_hear_who_the_client_is_from_lb_alone)
{
    struct stage_with_cas cas;
    cas_open(&cas, "client_headers = nginx");
    const char *head = forward(&cas.stage, forged);
    must_have(head, "X-SSL-Client-Verify", "NONE");
    must_lack(head, "X-SSL-Client-S-DN");
    ck_assert_ptr_null(strstr(head, "root"));

    show_certificate(&cas);
    head = forward(&cas.stage, forged);
    must_have(head, "X-SSL-Client-Verify", "SUCCESS");
    must_have(head, "X-SSL-Client-S-DN", "CN=alice");
    must_have(head, "X-SSL-Client-I-DN", "CN=CA");
    must_have(head, "X-Forwarded-Proto", "https");
    ck_assert_ptr_null(strstr(head, "root"));
    cas_close(&cas);
}
END_TEST

static const char plain[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

START_TEST(the_room_is_what_is_told_and_no_more)
{
    struct stage_with_cas cas;
    cas_open(&cas, "client_headers = nginx rfc9440 cloudflare x-cert aws xfcc");
    forward(&cas.stage, plain);
    size_t before = forwarded_room(&cas.stage.forwarding);
    size_t none = cas.stage.forwarding.identity.bytes;
    show_certificate(&cas);
    forward(&cas.stage, plain);
    size_t after = forwarded_room(&cas.stage.forwarding);
    ck_assert_uint_lt(none, 128);
    ck_assert_uint_eq(after - before, cas.stage.forwarding.identity.bytes - none);
    ck_assert_uint_lt(cas.stage.forwarding.identity.bytes, 16 * 1024);
    cas_close(&cas);
}
END_TEST

START_TEST(with_first_only_the_first_request_of_a_connection_tells)
{
    struct stage_with_cas cas;
    cas_open(&cas, "client_headers = cloudflare x-cert\nclient_headers_when = first");
    show_certificate(&cas);
    cas.stage.client.requests = 1;
    const char *head = forward(&cas.stage, forged);
    must_have(head, "X-CERT-SUBJECT-DN", "CN=alice");
    cas.stage.client.requests = 2;
    head = forward(&cas.stage, forged);
    must_lack(head, "X-CERT-SUBJECT-DN");
    must_lack(head, "X-CERT-VERIFY");
    must_lack(head, "Cf-Client-Cert-Sha256");
    must_lack(head, "X-SSL-Client-Verify");
    cas_close(&cas);
}
END_TEST

START_TEST(what_is_for_the_client_alone_does_not_reach_the_backend)
{
    struct stage_with_cas cas;
    cas_open(&cas, "client_headers = x-cert\nclient_headers_to = client");
    show_certificate(&cas);
    const char *head = forward(&cas.stage, forged);
    must_lack(head, "X-CERT-SUBJECT-DN");
    must_lack(head, "X-CERT-VERIFY");
    cas_close(&cas);
}
END_TEST

START_TEST(without_client_headers_backends_hear_nothing_and_forgeries_go_all_the_same)
{
    struct stage_with_cas cas;
    cas_open(&cas, "");
    show_certificate(&cas);
    const char *head = forward(&cas.stage, forged);
    must_lack(head, "X-SSL-Client-Verify");
    must_lack(head, "X-SSL-Client-S-DN");
    ck_assert_ptr_null(strstr(head, "root"));
    must_have_line(head, "X-Forwarded-Host: a");
    cas_close(&cas);
}
END_TEST

/* What clients send under the name goes, in every spelling, whether there is an id or not. */
static const char with_ids[] = "GET / HTTP/1.1\r\nHost: a\r\nX-Device-Id: forged\r\n"
                               "X_Device_Id: forged\r\nx-device-id: forged\r\n"
                               "Connection: X-Device-Id\r\n\r\n";

START_TEST(backends_hear_the_client_id_from_lb_alone)
{
    struct stage_with_cas cas;
    cas_open(&cas, "client_id_header = X-Device-Id");
    const char *head = forward(&cas.stage, with_ids);
    must_lack(head, "X-Device-Id");
    ck_assert_ptr_null(strstr(head, "forged"));

    cas.stage.client_id = slice_of("sensor 12");
    head = forward(&cas.stage, with_ids);
    must_have(head, "X-Device-Id", "sensor 12");
    ck_assert_ptr_null(strstr(head, "forged"));
    /* The log has it when the request's bytes are gone. */
    ck_assert(slice_is(cas.stage.forwarding.client_id, "sensor 12"));
    ck_assert(cas.stage.forwarding.client_id.at >= cas.stage.written &&
              cas.stage.forwarding.client_id.at < cas.stage.written + strlen(head));
    cas_close(&cas);
}
END_TEST

START_TEST(without_client_id_header_no_id_is_sent_and_the_field_is_like_any_other)
{
    struct stage_with_cas cas;
    cas_open(&cas, "");
    cas.stage.client_id = slice_of("sensor 12");
    const char *head =
        forward(&cas.stage, "GET / HTTP/1.1\r\nHost: a\r\nX-Device-Id: mine\r\n\r\n");
    must_have(head, "X-Device-Id", "mine");
    ck_assert_ptr_null(strstr(head, "sensor"));
    cas_close(&cas);
}
END_TEST

/* The pool's backends believe the field; who comes by another rule must not be able to set it. */
START_TEST(every_rule_of_the_pool_strips_the_field_and_rules_of_other_pools_do_not)
{
    struct stage_with_cas cas;
    cas_open(&cas, "url = /devices\nclient_id_header = X-Device-Id\n"
                   "[rule open]\nlistener = web\npool = app\n"
                   "[rule other]\nlistener = web\nurl = /other\npool = other\n"
                   "[pool other]\nbackend = rs-1 127.0.0.1:9\nhealth_check = off");
    const struct rule *rules = cas.stage.config->listeners[0].rules;
    const struct http_field field = {.name = slice_of("X_Device-Id")};
    ck_assert_str_eq(rules[1].name, "open");
    ck_assert(forwarded_strips(&rules[0], &field));
    ck_assert(forwarded_strips(&rules[1], &field));
    ck_assert(!forwarded_strips(&rules[2], &field));
    cas_close(&cas);
}
END_TEST

START_TEST(the_longest_id_has_room)
{
    struct stage_with_cas cas;
    char id[256];
    char header[128];
    memset(id, 'i', sizeof id);
    snprintf(header, sizeof header, "client_id_header = %064d", 0);
    cas_open(&cas, header);
    cas.stage.client_id = (struct slice){id, sizeof id};
    forward(&cas.stage, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    size_t room = forwarded_room(&cas.stage.forwarding);
    cas.stage.forwarding.client_id = (struct slice){NULL, 0};
    ck_assert_uint_eq(room, forwarded_room(&cas.stage.forwarding) + sizeof id);
    cas_close(&cas);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, a_plain_request_becomes_this);
    tcase_add_test(tcase, what_does_not_fit_is_not_sent_half);
    tcase_add_test(tcase, the_largest_heads_have_room_enough);
    tcase_add_test(tcase, lbs_own_fields_at_their_longest_have_room_behind_the_smallest_heads);
    tcase_add_test(tcase, hop_by_hop_fields_and_those_that_connection_names_stay_here);
    tcase_add_test(tcase, fields_that_only_lb_may_set_are_stripped_in_every_spelling);
    tcase_add_test(tcase, fields_that_only_look_alike_are_left_alone);
    tcase_add_test(tcase, trailers_are_asked_the_same_question);
    tcase_add_test(tcase, the_address_is_appended_to_what_the_client_sent);
    tcase_add_test(tcase, the_address_takes_its_place_where_the_listener_says_so);
    tcase_add_test(tcase, proto_host_port_and_real_ip_are_never_the_clients);
    tcase_add_test(tcase, forwarded_is_written_where_the_listener_says_so_and_quotes_ipv6);
    tcase_add_test(tcase, an_http_1_0_client_without_a_host_gets_the_pools_name);
    tcase_add_test(tcase, an_absolute_target_is_forwarded_in_origin_form);
    tcase_add_test(tcase, a_fit_request_id_is_kept_another_is_made_anew);
    tcase_add_test(tcase, of_several_request_ids_one_is_kept);
    tcase_add_test(tcase, the_bodys_framing_is_said_once_in_lbs_words);
    tcase_add_test(tcase, an_expectation_is_passed_on_where_a_body_follows);
    tcase_add_test(tcase, te_is_passed_on_for_trailers_only);
    tcase_add_test(tcase, trailer_names_are_passed_on_with_the_trailers);
    tcase_add_test(tcase, an_upgrade_is_passed_on_but_never_to_cleartext_http_2);
    tcase_add_test(tcase, backends_hear_who_the_client_is_from_lb_alone);
    tcase_add_test(tcase, the_room_is_what_is_told_and_no_more);
    tcase_add_test(tcase, with_first_only_the_first_request_of_a_connection_tells);
    tcase_add_test(tcase, what_is_for_the_client_alone_does_not_reach_the_backend);
    tcase_add_test(tcase,
                   without_client_headers_backends_hear_nothing_and_forgeries_go_all_the_same);
    tcase_add_test(tcase, backends_hear_the_client_id_from_lb_alone);
    tcase_add_test(tcase, without_client_id_header_no_id_is_sent_and_the_field_is_like_any_other);
    tcase_add_test(tcase, every_rule_of_the_pool_strips_the_field_and_rules_of_other_pools_do_not);
    tcase_add_test(tcase, the_longest_id_has_room);
}

CHECK_MAIN("forwarded", add_tests)
