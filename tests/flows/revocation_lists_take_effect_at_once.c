/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A CA revokes alice while she is there three times: idle, with a request that the backend holds,
 * and in a tunnel. Its list is a file that changes under lb, well and badly.
 */
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/cast.h"
#include "tests/support/check_main.h"
#include "tests/support/eventually.h"
#include "tests/support/made_crl.h"
#include "tests/support/stub_backend.h"
#include "tests/support/turns.h"

enum { ALERT_CERTIFICATE_REVOKED = 44, ALERT_BAD_CERTIFICATE = 42 };

/* clang-format off */
#define LISTENER                                                                                   \
    "[lb]\nworkers = 2\naccess_log = access.log\n\n"                                               \
    "[listener web]\naddress = 127.0.0.1:@web\ncertificate = server.crt\n"                         \
    "certificate_key = server.key\nmutual_auth = require\nclient_ca = ca.crt\n"                    \
    "client_ca = partner-ca.crt\nclient_crl = ca.crl\nclient_crl = partner.crl\n"
#define POOL "\n[pool app]\nbackend = rs-1 127.0.0.1:@rs-1\n"
static const char alerting[] = LISTENER "\n[rule all]\nlistener = web\npool = app\n" POOL;
static const char answering[] = LISTENER "\n[rule all]\nlistener = web\nrefuse_with = 403\npool = app\n" POOL;
static const char soft[] = LISTENER "client_crl_policy = soft\n\n[rule all]\nlistener = web\npool = app\n" POOL;
static const char asking[] = LISTENER "\n[rule all]\nlistener = web\nmutual_auth = request\npool = app\n" POOL;
static const char without[] =
    "[lb]\nworkers = 2\naccess_log = access.log\n\n"
    "[listener web]\naddress = 127.0.0.1:@web\ncertificate = server.crt\n"
    "certificate_key = server.key\nmutual_auth = require\nclient_ca = ca.crt\n"
    "client_ca = partner-ca.crt\n\n[rule all]\nlistener = web\npool = app\n" POOL;
static const char get[] = "GET / HTTP/1.1\r\nHost: www.example.com\r\n\r\n";
static const char held[] = "GET /held HTTP/1.1\r\nHost: www.example.com\r\n\r\n";
static const char upgrade[] =
    "GET /chat HTTP/1.1\r\nHost: www.example.com\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
/* clang-format on */

struct guard {
    struct scene scene;
    struct stub_backend backend;
    struct turns turns;
    struct made *ca;
    struct made *partner;
    struct made *alice;
};

/* One of the cast, from its files. */
static struct made *read_made(const struct scene *scene, const char *name)
{
    char file[64];
    struct made *made = calloc(1, sizeof *made);
    snprintf(file, sizeof file, "%s.crt", name);
    char *crt = folder_read(&scene->folder, file);
    snprintf(file, sizeof file, "%s.key", name);
    char *key = folder_read(&scene->folder, file);
    BIO *crt_bio = BIO_new_mem_buf(crt, -1);
    BIO *key_bio = BIO_new_mem_buf(key, -1);
    made->certificate = PEM_read_bio_X509(crt_bio, NULL, NULL, NULL);
    made->key = PEM_read_bio_PrivateKey(key_bio, NULL, NULL, NULL);
    made->chain = sk_X509_new_null();
    ck_assert(made->certificate && made->key);
    BIO_free(crt_bio);
    BIO_free(key_bio);
    free(crt);
    free(key);
    return made;
}

static void put_list(struct guard *guard, const struct crl_wish *wish)
{
    made_crl_replace(wish, guard->scene.folder.path, "ca.crl", MADE_CRL_PEM);
}

static void guard_prepare(struct guard *guard)
{
    *guard = (struct guard){0};
    turns_open(&guard->turns);
    scene_begin(&guard->scene);
    cast_write(&guard->scene);
    guard->ca = read_made(&guard->scene, "ca");
    guard->partner = read_made(&guard->scene, "partner-ca");
    guard->alice = read_made(&guard->scene, "alice");
    put_list(guard, &(struct crl_wish){.issuer = guard->ca, .number = 5});
    made_crl_write(&(struct crl_wish){.issuer = guard->partner}, guard->scene.folder.path,
                   "partner.crl", MADE_CRL_DER);
    stub_start_with(&guard->backend, "rs-1", turns_serve, &guard->turns);
    scene_set_port(&guard->scene, "rs-1", guard->backend.port);
}

static void guard_open(struct guard *guard, const char *ini)
{
    guard_prepare(guard);
    scene_start(&guard->scene, ini);
}

static void guard_close(struct guard *guard)
{
    for (unsigned i = 0; i < 16; i++)
        sem_post(&guard->turns.go_on);
    scene_end(&guard->scene);
    stub_stop(&guard->backend);
    turns_close(&guard->turns);
    made_free(guard->ca);
    made_free(guard->partner);
    made_free(guard->alice);
}

/* --- somebody's connections ---------------------------------------------------------------- */

struct guests {
    struct peer idle;
    struct peer waiting;
    struct peer tunnel;
};

static void enter(struct guard *guard, struct peer *peer, const char *who)
{
    ck_assert(peer_connect_tls(peer, scene_port(&guard->scene, "web"),
                               WISH(&guard->scene, .who = who, .trust = "ca")));
    ck_assert_uint_eq(peer_ask(peer, get), 200);
}

static void guests_enter(struct guard *guard, struct guests *guests, const char *who)
{
    struct answer answer;
    enter(guard, &guests->idle, who);
    enter(guard, &guests->waiting, who);
    ck_assert(peer_say(&guests->waiting, held));
    sem_wait(&guard->turns.arrived);
    enter(guard, &guests->tunnel, who);
    ck_assert(peer_say(&guests->tunnel, upgrade));
    ck_assert(peer_read_answer(&guests->tunnel, "GET", &answer));
    ck_assert_uint_eq(answer.status, 101);
    answer_done(&answer);
    ck_assert(peer_receive_until(&guests->tunnel, "welcome"));
    text_drop(&guests->tunnel.inbox, 7);
}

static void guests_leave(struct guests *guests)
{
    peer_close(&guests->idle);
    peer_close(&guests->waiting);
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
    expect_end(&guests->waiting);
    expect_end(&guests->tunnel);
}

static void expect_unharmed(struct guard *guard, struct guests *guests)
{
    struct answer answer;
    sem_post(&guard->turns.go_on); /* alice's, too */
    sem_post(&guard->turns.go_on);
    ck_assert_uint_eq(peer_ask(&guests->idle, get), 200);
    ck_assert(peer_read_answer(&guests->waiting, "GET", &answer));
    ck_assert_str_eq(answer.body.bytes, "held");
    answer_done(&answer);
    ck_assert(peer_say(&guests->tunnel, "still there"));
    ck_assert(peer_receive_until(&guests->tunnel, "still there"));
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

/* What comes of a connection with this certificate, or a session of it: a status, or an alert. */
static unsigned try_as(struct guard *guard, const char *who, int version, SSL_SESSION *session,
                       int *ret_alert)
{
    struct peer peer;
    unsigned status = 0;
    if (peer_connect_tls(
            &peer, scene_port(&guard->scene, "web"),
            WISH(&guard->scene, .who = who, .trust = "ca", .version = version, .session = session)))
        status = peer_ask(&peer, get); /* in TLS 1.3 the alert comes after the handshake */
    *ret_alert = peer.alert;
    peer_close(&peer);
    return status;
}

static void expect_alert(struct guard *guard, const char *who, int version, SSL_SESSION *session,
                         int alert)
{
    int came;
    ck_assert_uint_eq(try_as(guard, who, version, session, &came), 0);
    ck_assert_int_eq(came, alert);
}

static void expect_status(struct guard *guard, const char *who, unsigned status)
{
    int alert;
    ck_assert_uint_eq(try_as(guard, who, 0, NULL, &alert), status);
}

static void revoke_alice(struct guard *guard, bool by_rename)
{
    const struct crl_wish wish = {.issuer = guard->ca, .number = 6, .revoked = {guard->alice}};
    if (by_rename)
        made_crl_replace(&wish, guard->scene.folder.path, "ca.crl", MADE_CRL_DER);
    else
        made_crl_write(&wish, guard->scene.folder.path, "ca.crl", MADE_CRL_PEM);
}

/* --- stories ------------------------------------------------------------------------------- */

START_TEST(whom_the_ca_revokes_is_gone_and_others_stay)
{
    struct guard guard;
    struct guests alice;
    struct guests bob;
    guard_open(&guard, alerting);
    SSL_SESSION *old = keep_session(&guard, TLS1_2_VERSION);
    SSL_SESSION *new = keep_session(&guard, TLS1_3_VERSION);
    guests_enter(&guard, &alice, "alice");
    guests_enter(&guard, &bob, "bob");
    revoke_alice(&guard, _i == 0);
    expect_gone(&alice);
    expect_unharmed(&guard, &bob);
    expect_alert(&guard, "alice", TLS1_2_VERSION, NULL, ALERT_CERTIFICATE_REVOKED);
    expect_alert(&guard, "alice", TLS1_3_VERSION, NULL, ALERT_CERTIFICATE_REVOKED);
    expect_alert(&guard, "alice", TLS1_2_VERSION, old, ALERT_CERTIFICATE_REVOKED);
    expect_alert(&guard, "alice", TLS1_3_VERSION, new, ALERT_CERTIFICATE_REVOKED);
    expect_status(&guard, "anna", 200);
    eventually(
        scene_log_has(&guard.scene, "client.closed", "reason=crl-revoked", "CN=alice", NULL));
    eventually(scene_log_has(&guard.scene, "client.refused", "reason=crl-revoked", NULL));
    ck_assert(!scene_log_has(&guard.scene, "client.closed", "CN=bob", NULL));
    SSL_SESSION_free(old);
    SSL_SESSION_free(new);
    guests_leave(&alice);
    guests_leave(&bob);
    guard_close(&guard);
}
END_TEST

START_TEST(where_a_rule_answers_the_revoked_learn_why)
{
    struct guard guard;
    struct peer peer;
    guard_open(&guard, answering);
    enter(&guard, &peer, "alice");
    revoke_alice(&guard, true);
    expect_end(&peer);
    peer_close(&peer);
    ck_assert(peer_connect_tls(&peer, scene_port(&guard.scene, "web"),
                               WISH(&guard.scene, .who = "alice", .trust = "ca")));
    ck_assert_uint_eq(peer_ask(&peer, get), 403);
    ck_assert_uint_eq(peer_ask(&peer, get), 403);
    peer_close(&peer);
    eventually(scene_access_lines(&guard.scene, "crl-revoked") == 2);
    guard_close(&guard);
}
END_TEST

/* A rule that only asks for certificates lets her in as somebody unknown: she is sent away once,
 * and not each time that a list changes. */
START_TEST(whoever_comes_back_as_nobody_stays)
{
    struct guard guard;
    struct peer peer;
    struct peer anna;
    guard_open(&guard, asking);
    enter(&guard, &peer, "alice");
    revoke_alice(&guard, true);
    expect_end(&peer);
    peer_close(&peer);
    enter(&guard, &peer, "alice");
    enter(&guard, &anna, "anna");
    struct made *known = read_made(&guard.scene, "anna");
    put_list(&guard,
             &(struct crl_wish){.issuer = guard.ca, .number = 7, .revoked = {guard.alice, known}});
    expect_end(&anna);
    ck_assert_uint_eq(peer_ask(&peer, get), 200);
    made_free(known);
    peer_close(&anna);
    peer_close(&peer);
    guard_close(&guard);
}
END_TEST

static void put_late_list(struct guard *guard)
{
    put_list(guard, &(struct crl_wish){.issuer = guard->ca,
                                       .from_s = -10 * MADE_DAY_S,
                                       .until_s = -MADE_DAY_S,
                                       .revoked = {guard->alice}});
}

START_TEST(a_list_out_of_date_refuses_all_of_its_ca_where_the_policy_is_hard)
{
    struct guard guard;
    guard_prepare(&guard);
    put_late_list(&guard);
    scene_start(&guard.scene, alerting);
    ck_assert(scene_log_has(&guard.scene, "out of date since", "refused (crl-expired)", NULL));
    expect_alert(&guard, "alice", 0, NULL, ALERT_CERTIFICATE_REVOKED);
    expect_alert(&guard, "anna", 0, NULL, ALERT_BAD_CERTIFICATE);
    expect_status(&guard, "bob", 200);
    eventually(scene_log_has(&guard.scene, "client.refused", "reason=crl-expired", NULL));
    /* The new one is there: nobody has to do anything. */
    put_list(&guard, &(struct crl_wish){.issuer = guard.ca});
    int alert;
    eventually(try_as(&guard, "anna", 0, NULL, &alert) == 200);
    guard_close(&guard);
}
END_TEST

START_TEST(a_list_out_of_date_still_names_the_revoked_where_the_policy_is_soft)
{
    struct guard guard;
    guard_prepare(&guard);
    put_late_list(&guard);
    scene_start(&guard.scene, soft);
    expect_alert(&guard, "alice", 0, NULL, ALERT_CERTIFICATE_REVOKED);
    expect_status(&guard, "anna", 200);
    guard_close(&guard);
}
END_TEST

/* How a file may be spoilt that held list number 5, which names nobody. */
static void spoil(struct guard *guard, int how)
{
    const struct crl_wish wish = {.issuer = guard->ca, .number = 6, .revoked = {guard->alice}};
    char *text = made_crl_pem(&wish);
    if (how == 0) {
        text[strlen(text) / 2] = '\0';
        folder_write(&guard->scene.folder, "ca.crl", text);
    } else if (how == 1) {
        ck_assert_int_eq(unlink(folder_file(&guard->scene.folder, "ca.crl")), 0);
    } else {
        put_list(guard,
                 &(struct crl_wish){.issuer = guard->ca, .number = 4, .revoked = {guard->alice}});
    }
    free(text);
}

START_TEST(a_bad_file_keeps_the_list_in_force_and_is_told_once)
{
    static const char *const words[] = {"is cut off", "No such file", "is older"};
    struct guard guard;
    struct peer peer;
    guard_open(&guard, alerting);
    enter(&guard, &peer, "alice");
    spoil(&guard, _i);
    eventually(scene_log_has(&guard.scene, "crl.not-taken", words[_i], NULL));
    ck_assert_uint_eq(peer_ask(&peer, get), 200);
    expect_status(&guard, "anna", 200);
    revoke_alice(&guard, true);
    expect_end(&peer);
    peer_close(&peer);
    char *log = scene_log(&guard.scene);
    ck_assert_uint_eq(text_count(log, "crl.not-taken"), 1);
    free(log);
    guard_close(&guard);
}
END_TEST

START_TEST(a_reload_that_begins_to_ask_sends_the_revoked_away)
{
    struct guard guard;
    struct peer peer;
    guard_prepare(&guard);
    scene_start(&guard.scene, without);
    revoke_alice(&guard, true);
    enter(&guard, &peer, "alice");
    ck_assert(scene_reload(&guard.scene, alerting));
    expect_end(&peer);
    peer_close(&peer);
    expect_alert(&guard, "alice", 0, NULL, ALERT_CERTIFICATE_REVOKED);
    ck_assert(scene_reload(&guard.scene, without));
    expect_status(&guard, "alice", 200);
    guard_close(&guard);
}
END_TEST

START_TEST(a_reload_with_a_bad_list_changes_nothing)
{
    struct guard guard;
    guard_open(&guard, alerting);
    folder_write(&guard.scene.folder, "ca.crl", "no list\n");
    ck_assert(!scene_reload(&guard.scene, alerting));
    ck_assert(scene_log_has(&guard.scene, "is no revocation list", NULL));
    expect_status(&guard, "alice", 200);
    guard_close(&guard);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, whom_the_ca_revokes_is_gone_and_others_stay, 0, 2);
    tcase_add_test(tcase, where_a_rule_answers_the_revoked_learn_why);
    tcase_add_test(tcase, whoever_comes_back_as_nobody_stays);
    tcase_add_test(tcase, a_list_out_of_date_refuses_all_of_its_ca_where_the_policy_is_hard);
    tcase_add_test(tcase, a_list_out_of_date_still_names_the_revoked_where_the_policy_is_soft);
    tcase_add_loop_test(tcase, a_bad_file_keeps_the_list_in_force_and_is_told_once, 0, 3);
    tcase_add_test(tcase, a_reload_that_begins_to_ask_sends_the_revoked_away);
    tcase_add_test(tcase, a_reload_with_a_bad_list_changes_nothing);
}

CHECK_MAIN("revocation lists take effect at once", add_tests)
