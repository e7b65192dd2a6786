/* SPDX-License-Identifier: Apache-2.0 */
/* Garbage, half messages and sudden ends on every kind of port; whoever comes properly is served
 * meanwhile and after. */
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/cast.h"
#include "tests/support/check_main.h"
#include "tests/support/eventually.h"
#include "tests/support/process.h"
#include "tests/support/stub_backend.h"

static const char ini[] =
    "[lb]\nworkers = 2\naccess_log = access.log\nmax_clients = 200\n\n"
    "[listener tls]\naddress = 127.0.0.1:@tls\ncertificate = server.crt\ncertificate_key = "
    "server.key\n"
    "mutual_auth = require\nclient_ca = ca.crt\nhandshake_timeout = 2s\nheader_timeout = 2s\n\n"
    "[listener plain]\naddress = 127.0.0.1:@plain\nprotocol = http\nheader_timeout = 2s\n\n"
    "[rule all]\nlistener = tls\nlistener = plain\npool = app\n\n"
    "[pool app]\nbackend = rs-1 127.0.0.1:@rs-1\nhealth_check = off\n";

struct stage {
    struct scene scene;
    struct stub_backend backend;
};

static void stage_begin(struct stage *stage)
{
    scene_begin(&stage->scene);
    cast_write(&stage->scene);
    stub_start(&stage->backend, "rs-1", NULL);
    scene_set_port(&stage->scene, "rs-1", stage->backend.port);
    scene_start(&stage->scene, ini);
}

static void stage_end(struct stage *stage)
{
    scene_end(&stage->scene);
    stub_stop(&stage->backend);
}

static void expect_service(struct stage *stage)
{
    struct peer peer;
    ck_assert(peer_connect_tls(&peer, scene_port(&stage->scene, "tls"),
                               WISH(&stage->scene, .who = "alice")));
    ck_assert_uint_eq(peer_get(&peer, "a", "/", NULL, 0), 200);
    peer_close(&peer);
    peer_connect(&peer, scene_port(&stage->scene, "plain"));
    ck_assert_uint_eq(peer_get(&peer, "a", "/", NULL, 0), 200);
    peer_close(&peer);
}

/* clang-format off */
static const struct noise {
    const char *bytes;
    size_t length;
} noises[] = {
#define NOISE(text) {text, sizeof text - 1}
    NOISE(""),
    NOISE("\r\n\r\n\r\n\r\n"),
    NOISE("GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
    NOISE("\0\0\0\0\0\0\0\0"),
    NOISE("\xff\xfe\xfd\xfc"),
    NOISE("SSH-2.0-OpenSSH_9.2\r\n"),
    NOISE("\x16\x03\x01\xff\xff"),
    NOISE("\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00"),
    NOISE("\x15\x03\x01\x00\x02\x02\x28"),
    NOISE("\x17\x03\x03\x00\x05hello"),
    NOISE("\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10"),
    NOISE("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    NOISE("PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
    NOISE("CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n"),
};
/* clang-format on */
enum { NOISE_COUNT = sizeof noises / sizeof noises[0] };

static void make_noise(struct stage *stage, const char *listener, const void *bytes, size_t length,
                       unsigned how)
{
    struct peer peer;
    peer_connect(&peer, scene_port(&stage->scene, listener));
    peer_send(&peer, bytes, length);
    if (how == 0) {
        peer_finish(&peer);
        peer_receive_all(&peer);
    }
    if (how == 1)
        peer_reset(&peer);
    else
        peer_close(&peer);
}

START_TEST(whatever_comes_first_the_next_client_is_served)
{
    static const char *const listeners[] = {"tls", "plain"};
    struct stage stage;
    stage_begin(&stage);
    for (unsigned i = 0; i < NOISE_COUNT; i++)
        for (unsigned where = 0; where < 2; where++)
            for (unsigned how = 0; how < 3; how++)
                make_noise(&stage, listeners[where], noises[i].bytes, noises[i].length, how);
    expect_service(&stage);
    char *heard = stub_heard(&stage.backend);
    ck_assert_ptr_null(strstr(heard, "evil.example"));
    ck_assert_ptr_null(strstr(heard, "PRI "));
    free(heard);
    stage_end(&stage);
}
END_TEST

START_TEST(random_bytes_on_every_port_change_nothing)
{
    static const char *const listeners[] = {"tls", "plain"};
    struct stage stage;
    unsigned char bytes[2000];
    stage_begin(&stage);
    for (unsigned i = 0; i < 200; i++) {
        RAND_bytes(bytes, sizeof bytes);
        if (i % 4 == 0)
            memcpy(bytes, "\x16\x03\x01\x01\x00\x01\x00\x00\xfc\x03\x03", 11);
        if (i % 4 == 1)
            memcpy(bytes, "GET / HTTP/1.1\r\n", 16);
        make_noise(&stage, listeners[i / 2 % 2], bytes, 1 + i * 10 % sizeof bytes, i % 3);
    }
    expect_service(&stage);
    stage_end(&stage);
}
END_TEST

/* A real ClientHello with one byte changed, at every position. */
START_TEST(a_hello_with_a_wrong_byte_never_ends_more_than_itself)
{
    struct stage stage;
    struct peer peer;
    stage_begin(&stage);
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    SSL *tls = SSL_new(context);
    BIO *out = BIO_new(BIO_s_mem());
    SSL_set_bio(tls, BIO_new(BIO_s_mem()), out);
    SSL_set_tlsext_host_name(tls, "www.example.com");
    SSL_connect(tls);
    char *hello;
    long length = BIO_get_mem_data(out, &hello);
    ck_assert_int_gt(length, 100);
    for (long i = 0; i < length; i++) {
        hello[i] = (char)(hello[i] ^ 0x55);
        peer_connect(&peer, scene_port(&stage.scene, "tls"));
        peer_send(&peer, hello, (size_t)length);
        peer_finish(&peer);
        peer_receive_all(&peer);
        peer_close(&peer);
        hello[i] = (char)(hello[i] ^ 0x55);
    }
    SSL_free(tls);
    SSL_CTX_free(context);
    expect_service(&stage);
    stage_end(&stage);
}
END_TEST

START_TEST(more_clients_than_max_clients_are_refused_and_the_rest_is_served)
{
    enum { CROWD = 260, MAX = 200 };
    struct stage stage;
    static struct peer crowd[CROWD];
    unsigned served = 0;
    stage_begin(&stage);
    for (unsigned i = 0; i < CROWD; i++) {
        peer_connect(&crowd[i], scene_port(&stage.scene, "plain"));
        served += peer_get(&crowd[i], "a", "/", NULL, 0) == 200;
    }
    ck_assert_uint_eq(served, MAX);
    for (unsigned i = 0; i < CROWD; i++)
        peer_close(&crowd[i]);
    /* There is room again as soon as lb has seen them go. */
    for (bool again = false; !again;) {
        struct peer peer;
        peer_connect(&peer, scene_port(&stage.scene, "plain"));
        again = peer_get(&peer, "a", "/", NULL, 0) == 200;
        peer_close(&peer);
        eventually_pause();
    }
    stage_end(&stage);
}
END_TEST

START_TEST(connections_that_come_and_go_leave_nothing_behind)
{
    struct stage stage;
    stage_begin(&stage);
    expect_service(&stage);
    unsigned before = process_descriptors(stage.scene.pid);
    for (unsigned i = 0; i < 100; i++)
        make_noise(&stage, i % 2 == 0 ? "tls" : "plain", "\x16\x03\x01", 3, 1 + i % 2);
    eventually(process_descriptors(stage.scene.pid) <= before);
    stage_end(&stage);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, whatever_comes_first_the_next_client_is_served);
    tcase_add_test(tcase, random_bytes_on_every_port_change_nothing);
    tcase_add_test(tcase, a_hello_with_a_wrong_byte_never_ends_more_than_itself);
    tcase_add_test(tcase, more_clients_than_max_clients_are_refused_and_the_rest_is_served);
    tcase_add_test(tcase, connections_that_come_and_go_leave_nothing_behind);
}

CHECK_MAIN("noise hurts nobody", add_tests)
