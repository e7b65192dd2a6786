/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules with mutual_auth = when-bound: a host asks for certificates from the moment a CA is bound
 * to it, and no longer, without a change of the INI file; whatever somebody is doing to that file
 * meanwhile. The CA is the partner's; bob comes from it.
 */
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/support/cast.h"
#include "tests/support/check_main.h"
#include "tests/support/eventually.h"
#include "tests/support/stub_backend.h"

/* clang-format off */
#define RULE(name) \
    "[rule " name "]\nlistener = web\ndomain = " name ".example.com\npool = app\n" \
    "certificate = server.crt\ncertificate_key = server.key\n\n"
static const char ini[] =
    "[lb]\nworkers = 2\naccess_log = off\n\n"
    "[listener web]\naddress = 127.0.0.1:@web\nsni = on\n"
    "mutual_auth = when-bound\nclient_ca = registry\nclient_ca = ca.crt\n\n"
    RULE("www") RULE("api")
    "[pool app]\nbackend = rs-1 127.0.0.1:@rs-1\n";
/* clang-format on */

struct house {
    struct scene scene;
    struct stub_backend backend;
};

/* --- the admin socket ---------------------------------------------------------------------- */

static int socket_open(struct house *house)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s",
             folder_file(&house->scene.folder, "var/admin.sock"));
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

/* One call; returns the status of its answer, `said` has the whole of it. */
static unsigned call(struct house *house, const char *method, const char *path, json_t *body,
                     struct text *said)
{
    char piece[4096];
    struct text request = {0};
    char *json = json_dumps(body, JSON_COMPACT);
    json_decref(body);
    text_add_format(&request,
                    "%s %s HTTP/1.1\r\nHost: lb\r\nContent-Length: %zu\r\nConnection: close\r\n"
                    "\r\n%s",
                    method, path, strlen(json), json);
    free(json);
    int fd = socket_open(house);
    ck_assert_int_eq(write(fd, request.bytes, request.length), (ssize_t)request.length);
    text_done(said);
    for (ssize_t count; (count = read(fd, piece, sizeof piece)) > 0;)
        text_add(said, piece, (size_t)count);
    close(fd);
    text_done(&request);
    ck_assert_msg(said->length > 12, "no answer to %s %s", method, path);
    return (unsigned)strtoul(said->bytes + 9, NULL, 10);
}

static void expect(struct house *house, unsigned status, const char *method, const char *path,
                   json_t *body)
{
    struct text said = {0};
    unsigned found = call(house, method, path, body, &said);
    ck_assert_msg(found == status, "%s %s: %s", method, path, said.bytes);
    text_done(&said);
}

static void upload_partner(struct house *house)
{
    char *pem = folder_read(&house->scene.folder, "partner-ca.crt");
    expect(house, 201, "POST", "/v1/cas", json_pack("{ssss}", "name", "partner", "pem", pem));
    free(pem);
}

static void set_host(struct house *house, const char *host)
{
    expect(house, 200, "PUT", "/v1/cas/partner/hosts", json_pack("{s[s]}", "hosts", host));
}

static void unbind(struct house *house)
{
    expect(house, 200, "PUT", "/v1/cas/partner/hosts", json_pack("{s[]}", "hosts"));
}

/* --- clients ------------------------------------------------------------------------------- */

static unsigned visit(struct house *house, const char *host, const char *who)
{
    struct peer peer;
    unsigned status = 0;
    if (peer_connect_tls(&peer, scene_port(&house->scene, "web"),
                         WISH(&house->scene, .sni = host, .who = who)))
        status = peer_get(&peer, host, "/", NULL, 0);
    peer_close(&peer);
    return status;
}

#define WWW "www.example.com"
#define API "api.example.com"

static void house_open(struct house *house)
{
    *house = (struct house){0};
    scene_begin(&house->scene);
    cast_write(&house->scene);
    stub_start(&house->backend, "rs-1", NULL);
    scene_set_port(&house->scene, "rs-1", house->backend.port);
    scene_start(&house->scene, ini);
}

static void house_close(struct house *house)
{
    scene_end(&house->scene);
    stub_stop(&house->backend);
}

START_TEST(a_host_asks_while_a_ca_is_bound_to_it)
{
    struct house house;
    house_open(&house);
    upload_partner(&house);
    ck_assert_uint_eq(visit(&house, WWW, NULL), 200);
    set_host(&house, WWW);
    ck_assert_uint_eq(visit(&house, WWW, NULL), 0);
    ck_assert_uint_eq(visit(&house, WWW, "bob"), 200);
    ck_assert_uint_eq(visit(&house, WWW, "alice"), 200); /* ca.crt is named, too */
    ck_assert_uint_eq(visit(&house, API, NULL), 200);
    set_host(&house, API);
    ck_assert_uint_eq(visit(&house, WWW, NULL), 200);
    ck_assert_uint_eq(visit(&house, API, NULL), 0);
    unbind(&house);
    ck_assert_uint_eq(visit(&house, API, NULL), 200);
    ck_assert(scene_log_has(&house.scene, "registry.applied", NULL));
    ck_assert(!scene_log_has(&house.scene, "lb.reloaded", NULL));
    house_close(&house);
}
END_TEST

/* Who is there without a certificate when its host is bound meets the new rules at once. */
START_TEST(an_open_connection_meets_the_binding)
{
    struct house house;
    struct peer peer;
    house_open(&house);
    upload_partner(&house);
    ck_assert(
        peer_connect_tls(&peer, scene_port(&house.scene, "web"), WISH(&house.scene, .sni = WWW)));
    ck_assert_uint_eq(peer_get(&peer, WWW, "/", NULL, 0), 200);
    set_host(&house, WWW);
    unsigned status = peer_get(&peer, WWW, "/", NULL, 0);
    ck_assert_msg(status == 421 || status == 0, "%u", status);
    peer_close(&peer);
    house_close(&house);
}
END_TEST

START_TEST(a_half_edited_file_changes_nothing)
{
    struct house house;
    house_open(&house);
    upload_partner(&house);
    scene_write_ini(&house.scene, "lb.ini", "[listener web]\naddress = 127.0");
    set_host(&house, WWW);
    ck_assert_uint_eq(visit(&house, WWW, NULL), 0);
    ck_assert_uint_eq(visit(&house, WWW, "bob"), 200);
    house_close(&house);
}
END_TEST

/* The file is no good, and is told so; the binding that came meanwhile is in force all the same. */
START_TEST(a_reload_that_fails_does_not_take_a_binding_along)
{
    struct house house;
    house_open(&house);
    upload_partner(&house);
    ck_assert(!scene_reload(&house.scene, "[listener web]\naddress = 127.0"));
    for (unsigned i = 0; i < 5; i++) {
        kill(house.scene.pid, SIGHUP);
        set_host(&house, i % 2 == 0 ? WWW : API);
        ck_assert_uint_eq(visit(&house, WWW, NULL), i % 2 == 0 ? 0 : 200);
    }
    house_close(&house);
}
END_TEST

START_TEST(no_binding_is_lost_among_reloads)
{
    struct house house;
    house_open(&house);
    upload_partner(&house);
    for (unsigned i = 0; i < 20; i++) {
        kill(house.scene.pid, SIGHUP);
        set_host(&house, i % 2 == 0 ? WWW : API);
        kill(house.scene.pid, SIGHUP);
        ck_assert_uint_eq(visit(&house, WWW, NULL), i % 2 == 0 ? 0 : 200);
        ck_assert_uint_eq(visit(&house, API, NULL), i % 2 == 0 ? 200 : 0);
    }
    house_close(&house);
}
END_TEST

START_TEST(what_cannot_be_put_in_force_is_told_and_comes_with_the_next_reload)
{
    struct house house;
    struct text said = {0};
    house_open(&house);
    upload_partner(&house);
    char *kept = folder_read(&house.scene.folder, "ca.crt");
    ck_assert_int_eq(unlink(folder_file(&house.scene.folder, "ca.crt")), 0);
    call(&house, "PUT", "/v1/cas/partner/hosts", json_pack("{s[s]}", "hosts", WWW), &said);
    eventually(scene_log_has(&house.scene, "registry.not-applied", "not in force", NULL));
    ck_assert(scene_log_has(&house.scene, "config.problem", "ca.crt", NULL));
    ck_assert_uint_eq(visit(&house, WWW, NULL), 200);
    folder_write(&house.scene.folder, "ca.crt", kept);
    ck_assert(scene_reload(&house.scene, ini));
    ck_assert_uint_eq(visit(&house, WWW, NULL), 0);
    ck_assert_uint_eq(visit(&house, WWW, "bob"), 200);
    free(kept);
    text_done(&said);
    house_close(&house);
}
END_TEST

START_TEST(the_next_start_has_the_bindings)
{
    struct house house;
    house_open(&house);
    upload_partner(&house);
    set_host(&house, WWW);
    scene_stop(&house.scene);
    unlink(folder_file(&house.scene.folder, "lb.log"));
    scene_start(&house.scene, ini);
    ck_assert_uint_eq(visit(&house, WWW, NULL), 0);
    ck_assert_uint_eq(visit(&house, WWW, "bob"), 200);
    house_close(&house);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, a_host_asks_while_a_ca_is_bound_to_it);
    tcase_add_test(tcase, an_open_connection_meets_the_binding);
    tcase_add_test(tcase, a_half_edited_file_changes_nothing);
    tcase_add_test(tcase, a_reload_that_fails_does_not_take_a_binding_along);
    tcase_add_test(tcase, no_binding_is_lost_among_reloads);
    tcase_add_test(tcase, what_cannot_be_put_in_force_is_told_and_comes_with_the_next_reload);
    tcase_add_test(tcase, the_next_start_has_the_bindings);
}

CHECK_MAIN("a bound host asks without a reload", add_tests)
