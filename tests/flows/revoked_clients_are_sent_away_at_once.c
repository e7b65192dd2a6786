/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What becomes of open connections when somebody may not pass any more. Alice is there five times:
 * idle, in the middle of a head, with a request that the backend holds, with another one behind it,
 * and in a tunnel. Bob, of another CA, is there with as much. One change through the API, and alice
 * is gone, and bob does not notice.
 */
#include <jansson.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lb/base/certificate.h"
#include "tests/support/api_call.h"
#include "tests/support/cast.h"
#include "tests/support/certificates.h"
#include "tests/support/check_main.h"
#include "tests/support/eventually.h"
#include "tests/support/stub_backend.h"
#include "tests/support/turns.h"

enum {
    ALERT_CERTIFICATE_REVOKED = 44,
    ALERT_CERTIFICATE_EXPIRED = 45,
    ALERT_HANDSHAKE_FAILURE = 40
};

/* clang-format off */
static const char ini[] =
    "[lb]\nworkers = 2\naccess_log = access.log\n\n"
    "[registry]\nsignups_per_second = 1000\n\n"
    "[listener web]\naddress = 127.0.0.1:@web\ncertificate = server.crt\ncertificate_key = server.key\n"
    "mutual_auth = require\nclient_ca = ca.crt\nclient_ca = partner-ca.crt\nclient_registration = manual\n\n"
    "[rule all]\nlistener = web\npool = app\n\n[pool app]\nbackend = rs-1 127.0.0.1:@rs-1\n";
static const char get[] = "GET / HTTP/1.1\r\nHost: www.example.com\r\n\r\n";
static const char held[] = "GET /held HTTP/1.1\r\nHost: www.example.com\r\n\r\n";
static const char upgrade[] =
    "GET /chat HTTP/1.1\r\nHost: www.example.com\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
/* clang-format on */

struct guard {
    struct scene scene;
    struct stub_backend backend;
    struct turns turns;
    char serial[64];
    char ca[64];
};

/* --- the registry -------------------------------------------------------------------------- */

static void upload(struct guard *guard, const char *name, const char *file)
{
    json_t *json;
    ck_assert_uint_eq(
        api_call(&guard->scene, "POST", "/v1/cas",
                 json_pack("{s:s, s:o}", "name", name, "pem", api_pem(&guard->scene, file)), &json),
        201);
    if (strcmp(name, "story") == 0)
        snprintf(guard->ca, sizeof guard->ca, "%s",
                 json_string_value(json_object_get(json_object_get(json, "ca"), "id")));
    json_decref(json);
}

static void enroll(struct guard *guard, const char *file, char *ret_serial, size_t room)
{
    json_t *json;
    unsigned status = api_call(&guard->scene, "POST", "/v1/certificates/register",
                               json_pack("{s:o}", "pem", api_pem(&guard->scene, file)), &json);
    ck_assert_uint_eq(status, 201);
    json_t *certificate = json_object_get(json, "certificate");
    snprintf(ret_serial, room, "%s", json_string_value(json_object_get(certificate, "serial")));
    json_decref(json);
}

/* How many of alice's connections lb tells of. */
static long long alices(struct guard *guard)
{
    char path[128];
    json_t *json;
    snprintf(path, sizeof path, "/v1/certificates/%s", guard->serial);
    ck_assert_uint_eq(api_call(&guard->scene, "GET", path, NULL, &json), 200);
    long long count = json_integer_value(json_object_get(json, "client_count"));
    ck_assert_uint_eq(json_array_size(json_object_get(json, "clients")), (size_t)count);
    json_decref(json);
    return count;
}

static void guard_open(struct guard *guard)
{
    char serial[64];
    *guard = (struct guard){0};
    turns_open(&guard->turns);
    scene_begin(&guard->scene);
    cast_write(&guard->scene);
    stub_start_with(&guard->backend, "rs-1", turns_serve, &guard->turns);
    scene_set_port(&guard->scene, "rs-1", guard->backend.port);
    scene_start(&guard->scene, ini);
    upload(guard, "story", "ca.crt");
    upload(guard, "partner", "partner-ca.crt");
    enroll(guard, "alice.crt", guard->serial, sizeof guard->serial);
    enroll(guard, "bob.crt", serial, sizeof serial);
}

static void guard_close(struct guard *guard)
{
    for (unsigned i = 0; i < 16; i++)
        sem_post(&guard->turns.go_on);
    scene_end(&guard->scene);
    stub_stop(&guard->backend);
    turns_close(&guard->turns);
}

/* --- somebody's connections ---------------------------------------------------------------- */

struct guests {
    struct peer idle;
    struct peer halfway;
    struct peer waiting;
    struct peer pipelining;
    struct peer tunnel;
};

static void enter(struct guard *guard, struct peer *peer, const char *who)
{
    ck_assert(peer_connect_tls(peer, scene_port(&guard->scene, "web"),
                               WISH(&guard->scene, .who = who, .trust = "ca")));
    ck_assert_uint_eq(peer_ask(peer, get), 200);
}

static void wait_inside(struct guard *guard, struct peer *peer)
{
    ck_assert(peer_say(peer, held));
    sem_wait(&guard->turns.arrived);
}

static void open_tunnel(struct peer *peer)
{
    struct answer answer;
    ck_assert(peer_say(peer, upgrade));
    ck_assert(peer_read_answer(peer, "GET", &answer));
    ck_assert_uint_eq(answer.status, 101);
    answer_done(&answer);
    ck_assert(peer_receive_until(peer, "welcome"));
    text_drop(&peer->inbox, 7);
}

static void guests_enter(struct guard *guard, struct guests *guests, const char *who)
{
    enter(guard, &guests->idle, who);
    enter(guard, &guests->halfway, who);
    ck_assert(peer_say(&guests->halfway, "GET / HTTP/1.1\r\nHo"));
    enter(guard, &guests->waiting, who);
    wait_inside(guard, &guests->waiting);
    enter(guard, &guests->pipelining, who);
    wait_inside(guard, &guests->pipelining);
    ck_assert(peer_say(&guests->pipelining, get));
    enter(guard, &guests->tunnel, who);
    open_tunnel(&guests->tunnel);
}

static void guests_leave(struct guests *guests)
{
    peer_close(&guests->idle);
    peer_close(&guests->halfway);
    peer_close(&guests->waiting);
    peer_close(&guests->pipelining);
    peer_close(&guests->tunnel);
}

/* It ends, and not a byte comes any more. */
static void expect_end(struct peer *peer)
{
    peer_receive_all(peer);
    ck_assert_uint_eq(peer->inbox.length, 0);
}

static void expect_gone(struct guests *guests)
{
    expect_end(&guests->idle);
    expect_end(&guests->halfway);
    expect_end(&guests->waiting);
    expect_end(&guests->pipelining);
    expect_end(&guests->tunnel);
}

static void expect_answer(struct peer *peer, const char *body)
{
    struct answer answer;
    ck_assert(peer_read_answer(peer, "GET", &answer));
    ck_assert_uint_eq(answer.status, 200);
    ck_assert_str_eq(answer.body.bytes, body);
    answer_done(&answer);
}

/* Each goes on where it was. */
static void expect_unharmed(struct guard *guard, struct guests *guests)
{
    for (unsigned i = 0; i < 4; i++) /* alice's held requests, too */
        sem_post(&guard->turns.go_on);
    ck_assert_uint_eq(peer_ask(&guests->idle, get), 200);
    ck_assert(peer_say(&guests->halfway, "st: www.example.com\r\n\r\n"));
    expect_answer(&guests->halfway, "rs-1");
    expect_answer(&guests->waiting, "held");
    expect_answer(&guests->pipelining, "held");
    expect_answer(&guests->pipelining, "rs-1");
    ck_assert(peer_say(&guests->tunnel, "still there"));
    ck_assert(peer_receive_until(&guests->tunnel, "still there"));
}

/* Nobody gets in with this certificate, or with a session of it. */
static void expect_refused(struct guard *guard, int version, SSL_SESSION *session, int alert)
{
    struct peer peer;
    unsigned status = 0;
    if (peer_connect_tls(&peer, scene_port(&guard->scene, "web"),
                         WISH(&guard->scene, .who = "alice", .trust = "ca", .version = version,
                              .session = session)))
        status = peer_ask(&peer, get); /* in TLS 1.3 the alert comes after the handshake */
    ck_assert_uint_eq(status, 0);
    ck_assert_int_eq(peer.alert, alert);
    peer_close(&peer);
}

static SSL_SESSION *keep_session(struct guard *guard, int version)
{
    struct peer peer;
    ck_assert(
        peer_connect_tls(&peer, scene_port(&guard->scene, "web"),
                         WISH(&guard->scene, .who = "alice", .trust = "ca", .version = version)));
    ck_assert_uint_eq(peer_ask(&peer, get), 200);
    SSL_SESSION *session = peer_take_session(&peer);
    ck_assert_ptr_nonnull(session);
    peer_close(&peer);
    return session;
}

/* Lines of the log about clients that were closed for this reason. */
static unsigned closings(struct guard *guard, const char *reason)
{
    char *log = scene_log(&guard->scene);
    unsigned count = 0;
    for (char *rest = log, *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n"))
        count += strstr(line, "client.closed") && strstr(line, reason);
    free(log);
    return count;
}

/* --- what may happen ----------------------------------------------------------------------- */

static const struct {
    const char *method;
    const char *what; /* is done to alice's certificate, or to her CA */
    bool is_of_ca;
    bool is_confirmed;
    const char *reason;
    int alert;
} changes[] = {
    {"POST", "/revoke", false, true, "reason=revoked", ALERT_CERTIFICATE_REVOKED},
    {"POST", "/deactivate", false, false, "reason=not-activated", ALERT_HANDSHAKE_FAILURE},
    {"DELETE", "", false, false, "reason=not-", ALERT_HANDSHAKE_FAILURE},
    {"POST", "/disable", true, false, "reason=ca-disabled", ALERT_HANDSHAKE_FAILURE},
};
enum { CHANGES = sizeof changes / sizeof *changes };

enum { REVOKE, DEACTIVATE, DELETE };

/* Who is active cannot be deleted. */
static void make_change(struct guard *guard, unsigned number)
{
    char path[128];
    if (number == DELETE)
        make_change(guard, DEACTIVATE);
    bool is_of_ca = changes[number].is_of_ca;
    snprintf(path, sizeof path, "/v1/%s/%s%s", is_of_ca ? "cas" : "certificates",
             is_of_ca ? guard->ca : guard->serial, changes[number].what);
    json_t *body = changes[number].is_confirmed ? json_pack("{s:b}", "confirm", 1) : NULL;
    ck_assert_uint_eq(api_call(&guard->scene, changes[number].method, path, body, NULL), 200);
}

START_TEST(who_may_not_pass_any_more_is_gone_and_others_stay)
{
    struct guard guard;
    struct guests alice;
    struct guests bob;
    guard_open(&guard);
    SSL_SESSION *old = keep_session(&guard, TLS1_2_VERSION);
    SSL_SESSION *new = keep_session(&guard, TLS1_3_VERSION);
    guests_enter(&guard, &alice, "alice");
    guests_enter(&guard, &bob, "bob");
    eventually(alices(&guard) == 5);
    make_change(&guard, (unsigned)_i);
    expect_gone(&alice);
    expect_unharmed(&guard, &bob);
    expect_refused(&guard, TLS1_2_VERSION, NULL, changes[_i].alert);
    expect_refused(&guard, TLS1_3_VERSION, NULL, changes[_i].alert);
    expect_refused(&guard, TLS1_2_VERSION, old, changes[_i].alert);
    expect_refused(&guard, TLS1_3_VERSION, new, changes[_i].alert);
    eventually(closings(&guard, changes[_i].reason) == 5);
    ck_assert(!scene_log_has(&guard.scene, "client.closed", "CN=bob", NULL));
    if (_i != DELETE)
        ck_assert_int_eq(alices(&guard), 0);
    SSL_SESSION_free(old);
    SSL_SESSION_free(new);
    guests_leave(&alice);
    guests_leave(&bob);
    guard_close(&guard);
}
END_TEST

START_TEST(who_was_deactivated_gets_in_when_activated_again)
{
    struct guard guard;
    struct peer peer;
    char path[128];
    guard_open(&guard);
    enter(&guard, &peer, "alice");
    make_change(&guard, DEACTIVATE);
    expect_end(&peer);
    peer_close(&peer);
    snprintf(path, sizeof path, "/v1/certificates/%s/activate", guard.serial);
    ck_assert_uint_eq(api_call(&guard.scene, "POST", path, NULL, NULL), 200);
    enter(&guard, &peer, "alice");
    make_change(&guard, REVOKE);
    expect_end(&peer);
    peer_close(&peer);
    guard_close(&guard);
}
END_TEST

/* Her certificate ends while she is there. */
START_TEST(who_has_ended_is_sent_away)
{
    struct guard guard;
    struct guests late;
    struct guests bob;
    char serial[64];
    guard_open(&guard);
    char *ca_crt = folder_read(&guard.scene.folder, "ca.crt");
    char *ca_key = folder_read(&guard.scene.folder, "ca.key");
    BIO *crt = BIO_new_mem_buf(ca_crt, -1);
    BIO *key = BIO_new_mem_buf(ca_key, -1);
    struct made ca = {.certificate = PEM_read_bio_X509(crt, NULL, NULL, NULL),
                      .key = PEM_read_bio_PrivateKey(key, NULL, NULL, NULL),
                      .chain = sk_X509_new_null()};
    struct made *made = made_certificate(&(struct certificate_wish){
        .name = "late", .issuer = &ca, .usage = "clientAuth", .until_s = 6});
    made_write(made, guard.scene.folder.path, "late");
    enroll(&guard, "late.crt", serial, sizeof serial);
    guests_enter(&guard, &late, "late");
    guests_enter(&guard, &bob, "bob");
    expect_gone(&late);
    ck_assert_int_le(certificate_time(X509_get0_notAfter(made->certificate)), time(NULL));
    expect_unharmed(&guard, &bob);
    eventually(closings(&guard, "reason=expired") == 5);
    guests_leave(&late);
    guests_leave(&bob);
    made_free(made);
    X509_free(ca.certificate);
    EVP_PKEY_free(ca.key);
    sk_X509_free(ca.chain);
    BIO_free(crt);
    BIO_free(key);
    free(ca_crt);
    free(ca_key);
    guard_close(&guard);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, who_may_not_pass_any_more_is_gone_and_others_stay, 0, CHANGES);
    tcase_add_test(tcase, who_was_deactivated_gets_in_when_activated_again);
    tcase_add_test(tcase, who_has_ended_is_sent_away);
}

CHECK_MAIN("revoked clients are sent away at once", add_tests)
