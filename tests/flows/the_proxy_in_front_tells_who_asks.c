/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A proxy in front says with the PROXY protocol who the client is: before HTTP and before TLS, to
 * those who believe it, and to nobody else. The last stories have HAProxy in front.
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/cast.h"
#include "tests/support/check_main.h"
#include "tests/support/eventually.h"
#include "tests/support/port.h"
#include "tests/support/process.h"
#include "tests/support/stub_backend.h"

/* clang-format off */
#define TLS "certificate = server.crt\ncertificate_key = server.key\nmutual_auth = require\nclient_ca = ca.crt\n"
#define LISTENER(name, address) "[listener " name "]\naddress = " address ":@" name "\n"
static const char ini[] =
    LISTENER("plain-v1", "127.0.0.1") "protocol = http\nproxy_protocol = v1\nproxy_protocol_from = 127.0.0.0/8\nforwarded = on\n\n"
    LISTENER("plain-v2", "127.0.0.1") "protocol = http\nproxy_protocol = v2\nproxy_protocol_from = 10.0.0.0/8 127.0.0.0/8\n\n"
    LISTENER("six", "[::1]") "protocol = http\nproxy_protocol = v2\nproxy_protocol_from = 10.0.0.0/8\nproxy_protocol_from = ::1\n\n"
    LISTENER("tls-v1", "127.0.0.1") TLS "proxy_protocol = v1\nproxy_protocol_from = 127.0.0.0/8\n\n"
    LISTENER("tls-v2", "127.0.0.1") TLS "proxy_protocol = v2\nproxy_protocol_from = 127.0.0.0/8\n\n"
    LISTENER("elsewhere", "127.0.0.1") "protocol = http\nproxy_protocol = v1\nproxy_protocol_from = 127.0.0.2\n\n"
    LISTENER("tls-elsewhere", "127.0.0.1") TLS "proxy_protocol = v2\nproxy_protocol_from = 127.0.0.2\n\n"
    LISTENER("hasty", "127.0.0.1") "protocol = http\nproxy_protocol = v2\nproxy_protocol_from = 127.0.0.1\nhandshake_timeout = 200ms\n\n"
    "[rule all]\nlistener = plain-v1\nlistener = plain-v2\nlistener = six\nlistener = tls-v1\nlistener = tls-v2\n"
    "listener = elsewhere\nlistener = tls-elsewhere\nlistener = hasty\npool = app\n\n"
    "[pool app]\nbackend = rs-1 127.0.0.1:@rs-1\nhealth_check = off\n";
/* clang-format on */

struct street {
    struct scene scene;
    struct stub_backend backend;
};

static void street_open(struct street *street)
{
    scene_begin(&street->scene);
    cast_write(&street->scene);
    stub_start(&street->backend, "rs-1", NULL);
    scene_set_port(&street->scene, "rs-1", street->backend.port);
    scene_start(&street->scene, ini);
}

static void street_close(struct street *street)
{
    scene_end(&street->scene);
    stub_stop(&street->backend);
}

/* --- headers ------------------------------------------------------------------------------- */

struct header {
    const char *bytes;
    size_t length;
};
#define HEADER(text) ((struct header){text, sizeof(text) - 1})
#define V2 "\r\n\r\n\0\r\nQUIT\n"
#define V2_IPV4_ENDS "\xc0\x00\x02\x07\xc6\x33\x64\x01\xdc\x04\x01\xbb"

static const struct header v1 = HEADER("PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\r\n");
static const struct header v1_unknown = HEADER("PROXY UNKNOWN\r\n");
static const struct header v2 = HEADER(V2 "\x21\x11\0\x0c" V2_IPV4_ENDS);
static const struct header v2_ipv6 =
    HEADER(V2 "\x21\x21\0\x24\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x07"
              "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\xdc\x04\x01\xbb");
static const struct header v2_local = HEADER(V2 "\x20\0\0\0");
static const struct header v2_told_more =
    HEADER(V2 "\x21\x11\0\x1e" V2_IPV4_ENDS "\x01\0\x02h2\x02\0\x0awww.a.test");

static void send_header(struct peer *peer, struct header header)
{
    ck_assert(peer_send(peer, header.bytes, header.length));
}

/* --- what the backend is told -------------------------------------------------------------- */

static const char echo[] = "GET /echo HTTP/1.1\r\nHost: www.example.com\r\n\r\n";

static void expect_field(const char *head, const char *name, const char *value)
{
    char found[256] = "(none)";
    text_field(head, name, found, sizeof found);
    ck_assert_msg(strcmp(found, value) == 0, "%s: %s instead of %s in %s", name, found, value,
                  head);
}

/* Reads the answer to a request for /echo: the backend was told this client and port. */
static void expect_told(struct peer *peer, const char *client, unsigned port)
{
    struct answer answer;
    char text[16];
    snprintf(text, sizeof text, "%u", port);
    ck_assert(peer_read_answer(peer, "GET", &answer));
    ck_assert_msg(answer.status == 200, "%s", answer.head);
    expect_field(answer.body.bytes, "X-Forwarded-For", client);
    expect_field(answer.body.bytes, "X-Real-IP", client);
    expect_field(answer.body.bytes, "X-Forwarded-Port", text);
    answer_done(&answer);
}

static void ask(struct peer *peer, const char *client, unsigned port)
{
    ck_assert(peer_say(peer, echo));
    expect_told(peer, client, port);
}

static void expect_logged(struct street *street, const char *client, unsigned port, unsigned lines)
{
    char with[96];
    snprintf(with, sizeof with, "\"client\":\"%s\",\"port\":%u,", client, port);
    eventually(scene_access_lines(&street->scene, with) == lines);
}

START_TEST(a_line_before_http_says_who_the_client_is)
{
    struct street street;
    struct peer peer;
    street_open(&street);
    peer_connect(&peer, scene_port(&street.scene, "plain-v1"));
    send_header(&peer, v1);
    ask(&peer, "192.0.2.7", 443);
    ask(&peer, "192.0.2.7", 443); /* for as long as the connection lives */
    expect_logged(&street, "192.0.2.7", 56324, 2);
    peer_close(&peer);
    char *heard = stub_heard(&street.backend);
    ck_assert_ptr_nonnull(strstr(heard, "Forwarded: for=192.0.2.7"));
    ck_assert_ptr_null(strstr(heard, "PROXY"));
    free(heard);
    street_close(&street);
}
END_TEST

START_TEST(a_binary_header_before_http_says_who_the_client_is)
{
    struct street street;
    struct peer peer;
    street_open(&street);
    peer_connect(&peer, scene_port(&street.scene, "plain-v2"));
    send_header(&peer, v2_told_more);
    ask(&peer, "192.0.2.7", 443);
    expect_logged(&street, "192.0.2.7", 56324, 1);
    peer_close(&peer);
    street_close(&street);
}
END_TEST

START_TEST(a_request_in_the_header_s_own_packet_is_served)
{
    struct street street;
    struct peer peer;
    struct text both = {0};
    street_open(&street);
    peer_connect(&peer, scene_port(&street.scene, "plain-v2"));
    text_add(&both, v2.bytes, v2.length);
    text_add(&both, echo, strlen(echo));
    ck_assert(peer_send(&peer, both.bytes, both.length));
    expect_told(&peer, "192.0.2.7", 443);
    peer_close(&peer);
    text_done(&both);
    street_close(&street);
}
END_TEST

START_TEST(a_header_in_many_packets_is_put_together)
{
    static const char *const listeners[] = {"plain-v1", "plain-v2"};
    const struct header headers[] = {v1, v2_told_more};
    struct street street;
    street_open(&street);
    for (size_t i = 0; i < 2; i++) {
        struct peer peer;
        peer_connect(&peer, scene_port(&street.scene, listeners[i]));
        for (size_t at = 0; at < headers[i].length; at++)
            ck_assert(peer_send(&peer, headers[i].bytes + at, 1));
        ask(&peer, "192.0.2.7", 443);
        peer_close(&peer);
    }
    street_close(&street);
}
END_TEST

START_TEST(ipv6_clients_are_told_over_an_ipv6_proxy)
{
    struct street street;
    struct peer peer;
    street_open(&street);
    peer_connect_to(&peer, "::1", scene_port(&street.scene, "six"));
    send_header(&peer, v2_ipv6);
    ask(&peer, "2001:db8::7", 443);
    expect_logged(&street, "2001:db8::7", 56324, 1);
    peer_close(&peer);
    street_close(&street);
}
END_TEST

static const struct {
    const char *listener;
    const struct header *header;
} tls_doors[] = {{"tls-v1", &v1}, {"tls-v2", &v2}};

START_TEST(the_header_comes_before_tls_and_a_certificate_is_asked_for_as_ever)
{
    struct street street;
    struct peer peer;
    street_open(&street);
    unsigned port = scene_port(&street.scene, tls_doors[_i].listener);
    peer_connect(&peer, port);
    send_header(&peer, *tls_doors[_i].header);
    ck_assert(peer_handshake(&peer, WISH(&street.scene, .who = "alice", .trust = "ca")));
    ask(&peer, "192.0.2.7", 443);
    expect_logged(&street, "192.0.2.7", 56324, 1);
    ck_assert_uint_eq(scene_access_lines(&street.scene, "CN=alice"), 1);
    peer_close(&peer);
    /* Header and ClientHello leave in one packet. */
    peer_connect(&peer, port);
    setsockopt(peer.fd, IPPROTO_TCP, TCP_CORK, &(int){1}, sizeof(int));
    send_header(&peer, *tls_doors[_i].header);
    ck_assert(peer_handshake(&peer, WISH(&street.scene, .who = "alice", .trust = "ca")));
    setsockopt(peer.fd, IPPROTO_TCP, TCP_CORK, &(int){0}, sizeof(int));
    ask(&peer, "192.0.2.7", 443);
    peer_close(&peer);
    street_close(&street);
}
END_TEST

START_TEST(who_is_refused_behind_a_proxy_is_told_by_the_address_it_has)
{
    struct street street;
    struct peer peer;
    street_open(&street);
    peer_connect(&peer, scene_port(&street.scene, "tls-v2"));
    send_header(&peer, v2);
    if (peer_handshake(&peer, WISH(&street.scene, .version = TLS1_2_VERSION)))
        peer_receive_all(&peer);
    ck_assert_int_eq(peer.alert, SSL_AD_HANDSHAKE_FAILURE);
    eventually(scene_log_has(&street.scene, "client.refused", "listener=tls-v2", "client=192.0.2.7",
                             "port=56324", "reason=missing", NULL));
    peer_close(&peer);
    street_close(&street);
}
END_TEST

START_TEST(a_proxy_that_speaks_for_itself_is_served_with_its_own_address)
{
    struct street street;
    struct peer peer;
    street_open(&street);
    unsigned port = scene_port(&street.scene, "plain-v2");
    peer_connect(&peer, port);
    send_header(&peer, v2_local);
    ask(&peer, "127.0.0.1", port);
    peer_close(&peer);
    port = scene_port(&street.scene, "plain-v1");
    peer_connect(&peer, port);
    send_header(&peer, v1_unknown);
    ask(&peer, "127.0.0.1", port);
    peer_close(&peer);
    eventually(scene_access_lines(&street.scene, "\"client\":\"127.0.0.1\"") == 2);
    street_close(&street);
}
END_TEST

/* --- who is not believed, and who does not say it right ------------------------------------- */

START_TEST(who_comes_from_elsewhere_is_a_client_itself)
{
    struct street street;
    struct peer peer;
    street_open(&street);
    unsigned port = scene_port(&street.scene, "elsewhere");
    peer_connect(&peer, port);
    ask(&peer, "127.0.0.1", port);
    peer_close(&peer);
    peer_connect(&peer, port);
    send_header(&peer, v1);
    ck_assert_uint_eq(peer_ask(&peer, echo), 400);
    peer_close(&peer);
    port = scene_port(&street.scene, "tls-elsewhere");
    peer_connect(&peer, port);
    ck_assert(peer_handshake(&peer, WISH(&street.scene, .who = "alice", .trust = "ca")));
    ask(&peer, "127.0.0.1", port);
    peer_close(&peer);
    peer_connect(&peer, port);
    send_header(&peer, v2);
    ck_assert(!peer_handshake(&peer, WISH(&street.scene, .who = "alice")));
    peer_close(&peer);
    eventually(scene_log_has(&street.scene, "client.handshake-failed", "listener=tls-elsewhere",
                             "client=127.0.0.1", NULL));
    ck_assert_uint_eq(scene_access_lines(&street.scene, "192.0.2.7"), 0);
    street_close(&street);
}
END_TEST

#define GARBLED(text, words)                                                                       \
    {                                                                                              \
        "plain-v2", HEADER(text), "reason=proxy-header-bad", words                                 \
    }
static const struct {
    const char *listener;
    struct header said;
    const char *reason;
    const char *words; /* of the message */
} wrong[] = {
    {"plain-v1", {echo, sizeof echo - 1}, "reason=proxy-header-missing", "no PROXY header"},
    {"plain-v2", {echo, sizeof echo - 1}, "reason=proxy-header-missing", "no PROXY header"},
    {"plain-v1", HEADER(V2 "\x21\x11\0\x0c" V2_IPV4_ENDS), "reason=proxy-header-bad",
     "it is of version 2"},
    {"plain-v1", HEADER("PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\n"), "reason=proxy-header-bad",
     "CR LF"},
    {"plain-v1", HEADER("PROXY TCP4 nobody 198.51.100.1 56324 443\r\n"), "reason=proxy-header-bad",
     "its source"},
    GARBLED("PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\r\n", "it is of version 1"),
    GARBLED(V2 "\x31\x11\0\x0c" V2_IPV4_ENDS, "version and command"),
    GARBLED(V2 "\x21\x12\0\x0c" V2_IPV4_ENDS, "a datagram"),
    GARBLED(V2 "\x21\x11\0\x0b\xc0\x00\x02\x07\xc6\x33\x64\x01\xdc\x04\x01", "too short"),
    GARBLED(V2 "\x21\x11\0\x13" V2_IPV4_ENDS "\x03\0\x04none", "its checksum is wrong"),
    GARBLED(V2 "\x21\x11\xff\xff" V2_IPV4_ENDS, "longer than 4096 bytes"),
};

START_TEST(without_a_good_header_nobody_is_served_and_the_log_says_why)
{
    char listener[64];
    struct street street;
    struct peer peer;
    street_open(&street);
    peer_connect(&peer, scene_port(&street.scene, wrong[_i].listener));
    send_header(&peer, wrong[_i].said);
    peer_say(&peer, echo); /* may be closed already */
    peer_receive_all(&peer);
    ck_assert_uint_eq(peer.inbox.length, 0);
    peer_close(&peer);
    snprintf(listener, sizeof listener, "listener=%s", wrong[_i].listener);
    eventually(scene_log_has(&street.scene, " warn ", "client.refused", listener,
                             "client=127.0.0.1", wrong[_i].reason, wrong[_i].words, NULL));
    ck_assert_uint_eq(atomic_load(&street.backend.requests), 0);
    street_close(&street);
}
END_TEST

START_TEST(tls_without_the_header_is_closed_without_a_word)
{
    struct street street;
    struct peer peer;
    street_open(&street);
    ck_assert(!peer_connect_tls(&peer, scene_port(&street.scene, "tls-v2"),
                                WISH(&street.scene, .who = "alice")));
    ck_assert_int_eq(peer.alert, PEER_NO_ALERT);
    peer_close(&peer);
    eventually(scene_log_has(&street.scene, "client.refused", "listener=tls-v2",
                             "reason=proxy-header-missing", NULL));
    street_close(&street);
}
END_TEST

START_TEST(a_header_that_does_not_come_in_time_is_not_waited_for)
{
    struct street street;
    struct peer silent, slow;
    street_open(&street);
    peer_connect(&silent, scene_port(&street.scene, "hasty"));
    peer_connect(&slow, scene_port(&street.scene, "hasty"));
    ck_assert(peer_send(&slow, v2.bytes, v2.length - 1));
    peer_receive_all(&silent);
    peer_receive_all(&slow);
    peer_close(&silent);
    peer_close(&slow);
    scene_stop(&street.scene); /* the log is complete then */
    char *log = scene_log(&street.scene);
    ck_assert_uint_eq(text_count(log, "warn client.refused listener=hasty"), 2);
    ck_assert_uint_eq(text_count(log, "reason=proxy-header-late"), 2);
    free(log);
    street_close(&street);
}
END_TEST

START_TEST(who_only_looks_whether_somebody_listens_worries_nobody)
{
    struct street street;
    struct peer peer;
    street_open(&street);
    peer_connect(&peer, scene_port(&street.scene, "plain-v2"));
    peer_close(&peer);
    eventually(scene_log_has(&street.scene, " info ", "client.refused",
                             "reason=proxy-header-missing", "the connection ended", NULL));
    peer_connect(&peer, scene_port(&street.scene, "plain-v2"));
    ck_assert(peer_send(&peer, v2.bytes, 5));
    peer_close(&peer);
    eventually(scene_log_has(&street.scene, " warn ", "client.refused", "reason=proxy-header-bad",
                             "the connection ended", NULL));
    street_close(&street);
}
END_TEST

/* --- reload -------------------------------------------------------------------------------- */

#define RELOADED(keys)                                                                             \
    LISTENER("plain-v1", "127.0.0.1")                                                              \
    "protocol = http\n" keys "\n[rule all]\nlistener = plain-v1\npool = app\n\n"                   \
    "[pool app]\nbackend = rs-1 127.0.0.1:@rs-1\nhealth_check = off\n"
#define BELIEVING(version) "proxy_protocol = " version "\nproxy_protocol_from = 127.0.0.0/8\n"

START_TEST(a_reload_changes_who_is_believed_from_the_next_connection_on)
{
    struct street street;
    struct peer early, late;
    street_open(&street);
    unsigned port = scene_port(&street.scene, "plain-v1");
    peer_connect(&early, port);
    send_header(&early, v1);
    ask(&early, "192.0.2.7", 443);
    ck_assert(scene_reload(&street.scene, RELOADED("")));
    peer_connect(&late, port);
    ask(&late, "127.0.0.1", port);
    ck_assert(scene_reload(&street.scene, RELOADED(BELIEVING("v2"))));
    ask(&early, "192.0.2.7", 443);
    ask(&late, "127.0.0.1", port);
    peer_close(&late);
    peer_connect(&late, port);
    send_header(&late, v2);
    ask(&late, "192.0.2.7", 443);
    peer_close(&late);
    peer_close(&early);
    street_close(&street);
}
END_TEST

START_TEST(a_header_that_has_begun_is_read_to_its_end_as_it_was_asked_for)
{
    struct street street;
    struct peer peer;
    street_open(&street);
    unsigned descriptors = process_descriptors(street.scene.pid);
    peer_connect(&peer, scene_port(&street.scene, "plain-v1"));
    eventually(process_descriptors(street.scene.pid) > descriptors); /* it is accepted */
    ck_assert(peer_send(&peer, v1.bytes, 20));
    ck_assert(scene_reload(&street.scene, RELOADED(BELIEVING("v2"))));
    ck_assert(peer_send(&peer, v1.bytes + 20, v1.length - 20));
    ask(&peer, "192.0.2.7", 443);
    peer_close(&peer);
    street_close(&street);
}
END_TEST

/* --- HAProxy -------------------------------------------------------------------------------- */

static const char *haproxy(void)
{
    static const char *const places[] = {"/usr/sbin/haproxy", "/usr/local/sbin/haproxy",
                                         "/usr/bin/haproxy"};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (access(places[i], X_OK) == 0)
            return places[i];
    return NULL;
}

static bool haproxy_is_here(void)
{
    if (haproxy() == NULL)
        fprintf(stderr,
                "skipped: there is no HAProxy on this machine; ./dev setup bench installs it\n");
    return haproxy() != NULL;
}

/* It comes from 127.0.0.2, so that who lb believes is not who the client is. Its checks of lb are
 * requests that it makes for itself. */
static void write_haproxy(struct street *street)
{
    static const struct {
        const char *listener;
        const char *how;
    } doors[] = {
        {"plain-v1", "send-proxy"},
        {"plain-v2", "send-proxy-v2 proxy-v2-options crc32c,unique-id check check-send-proxy"},
        {"tls-v1", "send-proxy"},
        {"tls-v2", "send-proxy-v2 proxy-v2-options crc32c"},
    };
    struct text config = {0};
    text_add_format(&config, "global\nmaxconn 100\n"
                             "defaults\nmode tcp\ntimeout connect 20s\ntimeout client 20s\n"
                             "timeout server 20s\n");
    for (size_t i = 0; i < sizeof doors / sizeof *doors; i++) {
        char name[24];
        snprintf(name, sizeof name, "via-%s", doors[i].listener);
        text_add_format(&config, "listen %s\nbind 127.0.0.1:%u\n", name,
                        scene_port(&street->scene, name));
        if (strstr(doors[i].how, "check"))
            text_add_format(&config, "option httpchk\nhttp-check send meth GET uri /health ver "
                                     "HTTP/1.1 hdr Host www.example.com\n");
        text_add_format(&config,
                        "unique-id-format %%pid-%%rt\nserver lb 127.0.0.1:%u source "
                        "127.0.0.2 %s\n",
                        scene_port(&street->scene, doors[i].listener), doors[i].how);
    }
    folder_write(&street->scene.folder, "haproxy.cfg", config.bytes);
    text_done(&config);
}

static pid_t start_haproxy(struct street *street)
{
    char config[256];
    write_haproxy(street);
    snprintf(config, sizeof config, "%s", folder_file(&street->scene.folder, "haproxy.cfg"));
    const char *argv[] = {haproxy(), "-db", "-f", config, NULL};
    pid_t pid = process_start(argv, folder_file(&street->scene.folder, "haproxy.log"));
    eventually(port_takes_connections(scene_port(&street->scene, "via-tls-v2")) ||
               process_has_ended(pid));
    ck_assert_msg(!process_has_ended(pid), "%s", folder_read(&street->scene.folder, "haproxy.log"));
    return pid;
}

static void stop_haproxy(pid_t pid)
{
    kill(pid, SIGKILL);
    process_wait(pid);
}

static unsigned own_port(const struct peer *peer)
{
    struct sockaddr_in own;
    socklen_t length = sizeof own;
    ck_assert_int_eq(getsockname(peer->fd, (struct sockaddr *)&own, &length), 0);
    return ntohs(own.sin_port);
}

static const char *const through[] = {"via-plain-v1", "via-plain-v2", "via-tls-v1", "via-tls-v2"};
enum { THROUGH_COUNT = sizeof through / sizeof through[0] };

START_TEST(haproxy_s_clients_are_seen_as_themselves)
{
    struct street street;
    street_open(&street);
    pid_t pid = start_haproxy(&street);
    for (size_t i = 0; i < THROUGH_COUNT; i++) {
        struct peer peer;
        unsigned port = scene_port(&street.scene, through[i]);
        peer_connect(&peer, port);
        if (strstr(through[i], "tls"))
            ck_assert(peer_handshake(&peer, WISH(&street.scene, .who = "alice", .trust = "ca")));
        ask(&peer, "127.0.0.1", port);
        expect_logged(&street, "127.0.0.1", own_port(&peer), 1);
        peer_close(&peer);
    }
    /* Its own checks have its own address. */
    eventually(scene_access_lines(&street.scene, "\"client\":\"127.0.0.2\"") > 0);
    stop_haproxy(pid);
    char *log = scene_log(&street.scene);
    ck_assert_msg(strstr(log, "reason=proxy-header-bad") == NULL, "%s", log);
    free(log);
    street_close(&street);
}
END_TEST

/* Of HTTP/1 are those whose listeners are plain: HTTP/2 is found over TLS only. */
static void add_tests(TCase *tcase)
{
    tcase_add_http1_test(tcase, a_line_before_http_says_who_the_client_is);
    tcase_add_http1_test(tcase, a_binary_header_before_http_says_who_the_client_is);
    tcase_add_http1_test(tcase, a_request_in_the_header_s_own_packet_is_served);
    tcase_add_http1_test(tcase, a_header_in_many_packets_is_put_together);
    tcase_add_http1_test(tcase, ipv6_clients_are_told_over_an_ipv6_proxy);
    tcase_add_loop_test(tcase, the_header_comes_before_tls_and_a_certificate_is_asked_for_as_ever,
                        0, sizeof tls_doors / sizeof *tls_doors);
    tcase_add_test(tcase, who_is_refused_behind_a_proxy_is_told_by_the_address_it_has);
    tcase_add_http1_test(tcase, a_proxy_that_speaks_for_itself_is_served_with_its_own_address);
    tcase_add_test(tcase, who_comes_from_elsewhere_is_a_client_itself);
    tcase_add_http1_loop_test(tcase, without_a_good_header_nobody_is_served_and_the_log_says_why, 0,
                              sizeof wrong / sizeof *wrong);
    tcase_add_test(tcase, tls_without_the_header_is_closed_without_a_word);
    tcase_add_http1_test(tcase, a_header_that_does_not_come_in_time_is_not_waited_for);
    tcase_add_http1_test(tcase, who_only_looks_whether_somebody_listens_worries_nobody);
    tcase_add_http1_test(tcase, a_reload_changes_who_is_believed_from_the_next_connection_on);
    tcase_add_http1_test(tcase, a_header_that_has_begun_is_read_to_its_end_as_it_was_asked_for);
    if (haproxy_is_here())
        tcase_add_test(tcase, haproxy_s_clients_are_seen_as_themselves);
}

CHECK_MAIN("the proxy in front tells who asks", add_tests)
