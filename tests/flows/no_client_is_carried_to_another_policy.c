/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The security of the whole: neither resumption nor SNI nor Host brings a client to a rule that it
 * was not verified for. Every pair of places (a domain of a listener) is tried, equal and different
 * policies alike, fresh and resumed, in TLS 1.2 and 1.3; what decides is always and only what the
 * client shows at the place it comes to.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/cast.h"
#include "tests/support/certificates.h"
#include "tests/support/check_main.h"
#include "tests/support/eventually.h"
#include "tests/support/stub_backend.h"

/* clang-format off */
static const char places_ini[] =
    "[listener named]\naddress = 127.0.0.1:@named\nsni = on\n\n"
    "[listener twin]\naddress = 127.0.0.1:@twin\nsni = on\n\n"
    "[listener plain]\naddress = 127.0.0.1:@plain\ncertificate = server.crt\ncertificate_key = server.key\n"
    "mutual_auth = require\nclient_ca = partner-ca.crt\n\n"
    "[listener open]\naddress = 127.0.0.1:@open\ncertificate = server.crt\ncertificate_key = server.key\n\n"
#define RULE(name, listener, domain, auth)                                                         \
    "[rule " name "]\nlistener = " listener "\ndomain = " domain "\npool = app\nclient_headers = nginx\n" \
    "certificate = server.crt\ncertificate_key = server.key\n" auth "\n"
    RULE("free", "named", "free.example.com", "mutual_auth = off\n")
    RULE("asked", "named", "asked.example.com", "mutual_auth = request\nclient_ca = ca.crt\n")
    RULE("alpha", "named", "alpha.example.com", "mutual_auth = require\nclient_ca = ca.crt\n")
    RULE("equal", "named", "equal.example.com", "mutual_auth = require\nclient_ca = ca.crt\n")
    RULE("beta", "named", "beta.example.com", "mutual_auth = require\nclient_ca = partner-ca.crt\n")
    RULE("gentle", "named", "gentle.example.com", "mutual_auth = require\nclient_ca = ca.crt\nrefuse_with = 403\n")
    RULE("twin-alpha", "twin", "alpha.example.com", "mutual_auth = require\nclient_ca = partner-ca.crt\n")
    RULE("twin-free", "twin", "free.example.com", "mutual_auth = off\n")
    "[rule plain]\nlistener = plain\npool = app\nclient_headers = nginx\n\n"
    "[rule open]\nlistener = open\npool = app\nclient_headers = nginx\n\n"
    "[pool app]\nbackend = rs-1 127.0.0.1:@rs-1\nhealth_check = off\n";

/* needs: which client may come in; policy: places of equal ones ask the same of their clients. */
static const struct place {
    const char *listener;
    const char *domain;
    const char *needs;  /* NULL: nobody in particular */
    const char *shows;  /* a client that makes the most of it */
    int policy;
    unsigned without;   /* what a client without a certificate gets; 0: an alert */
} places[] = {
    {"named", "free.example.com", NULL, NULL, 1, 200},
    {"named", "asked.example.com", NULL, "alice", 2, 200},
    {"named", "alpha.example.com", "alice", "alice", 3, 0},
    {"named", "equal.example.com", "alice", "alice", 3, 0},
    {"named", "beta.example.com", "bob", "bob", 4, 0},
    /* Its handshake asks what that of asked asks; its rule decides at the request. */
    {"named", "gentle.example.com", "alice", "alice", 2, 403},
    {"twin", "alpha.example.com", "bob", "bob", 4, 0},
    {"twin", "free.example.com", NULL, NULL, 1, 200},
    {"plain", "plain.example.com", "bob", "bob", 4, 0},
    {"open", "open.example.com", NULL, NULL, 1, 200},
};
/* clang-format on */
enum { PLACE_COUNT = sizeof places / sizeof places[0] };

struct world {
    struct scene scene;
    struct stub_backend backend;
    int version;
};

static void world_begin(struct world *world, int version, const char *ini)
{
    world->version = version;
    scene_begin(&world->scene);
    cast_write(&world->scene);
    stub_start(&world->backend, "rs-1", NULL);
    scene_set_port(&world->scene, "rs-1", world->backend.port);
    scene_start(&world->scene, ini);
}

static void world_end(struct world *world)
{
    scene_end(&world->scene);
    stub_stop(&world->backend);
}

/* What came of one connection. */
struct outcome {
    unsigned status; /* 0: no answer */
    bool resumed;
    char verified[64]; /* what the backend was told: X-SSL-Client-Verify */
    char subject[128];
    SSL_SESSION *session;
};

static void ask_backend(struct peer *peer, const char *host, struct outcome *outcome)
{
    struct answer answer = {0};
    struct text request = {0};
    text_add_format(&request, "GET /echo HTTP/1.1\r\nHost: %s\r\n\r\n", host);
    if (peer_send(peer, request.bytes, request.length) && peer_read_answer(peer, "GET", &answer)) {
        outcome->status = answer.status;
        text_field(answer.body.bytes, "X-SSL-Client-Verify", outcome->verified,
                   sizeof outcome->verified);
        text_field(answer.body.bytes, "X-SSL-Client-S-DN", outcome->subject,
                   sizeof outcome->subject);
    }
    answer_done(&answer);
    text_done(&request);
}

static struct outcome visit(struct world *world, const struct place *to, const char *who,
                            SSL_SESSION *session)
{
    struct peer peer;
    struct outcome outcome = {0};
    const struct tls_wish *wish = WISH(&world->scene, .version = world->version, .sni = to->domain,
                                       .who = who, .session = session);
    if (peer_connect_tls(&peer, scene_port(&world->scene, to->listener), wish)) {
        ask_backend(&peer, to->domain, &outcome);
        outcome.resumed = peer_was_resumed(&peer);
        if (outcome.status == 200)
            outcome.session = peer_take_session(&peer);
    }
    peer_close(&peer);
    return outcome;
}

static bool may_enter(const struct place *place, const char *who)
{
    return place->needs == NULL || (who != NULL && strcmp(who, place->needs) == 0);
}

static void check_fresh(struct world *world, const struct place *place, const char *who)
{
    struct outcome fresh = visit(world, place, who, NULL);
    bool let_in = fresh.status == 200;
    ck_assert_msg(let_in == may_enter(place, who), "%s at %s %s: %u", who, place->listener,
                  place->domain, fresh.status);
    if (who == NULL)
        ck_assert_uint_eq(fresh.status, place->without);
    ck_assert(!fresh.resumed);
    SSL_SESSION_free(fresh.session);
}

static void check_every_fresh_client(int version)
{
    static const char *const clients[] = {NULL, "alice", "bob"};
    struct world world;
    world_begin(&world, version, places_ini);
    for (unsigned i = 0; i < PLACE_COUNT; i++)
        for (unsigned who = 0; who < 3; who++)
            check_fresh(&world, &places[i], clients[who]);
    world_end(&world);
}

START_TEST(at_every_place_only_its_own_clients_get_in)
{
    check_every_fresh_client(_i == 0 ? TLS1_2_VERSION : TLS1_3_VERSION);
}
END_TEST

/* A session made at `from` is shown at `to`, by a client that has no certificate to show there. */
static void carry_session(struct world *world, const struct place *from, const struct place *to)
{
    struct outcome first = visit(world, from, from->shows, NULL);
    ck_assert_uint_eq(first.status, 200);
    ck_assert_ptr_nonnull(first.session);
    struct outcome second = visit(world, to, NULL, first.session);
    if (from->policy != to->policy) {
        ck_assert_msg(!second.resumed, "%s %s resumed at %s %s", from->listener, from->domain,
                      to->listener, to->domain);
        ck_assert_msg(second.status == to->without, "%s %s -> %s %s: %u", from->listener,
                      from->domain, to->listener, to->domain, second.status);
        ck_assert_msg(second.status != 200 || strcmp(second.verified, "NONE") == 0 ||
                          second.verified[0] == '\0',
                      "the backend of %s was told %s", to->domain, second.verified);
    } else if (second.resumed) {
        ck_assert_uint_eq(second.status, 200);
    } else {
        ck_assert_uint_eq(second.status, to->without);
    }
    SSL_SESSION_free(first.session);
    SSL_SESSION_free(second.session);
}

static void check_every_carried_session(int version)
{
    struct world world;
    world_begin(&world, version, places_ini);
    for (unsigned from = 0; from < PLACE_COUNT; from++)
        for (unsigned to = 0; to < PLACE_COUNT; to++)
            carry_session(&world, &places[from], &places[to]);
    world_end(&world);
}

START_TEST(a_session_brings_nobody_to_a_place_with_another_policy)
{
    check_every_carried_session(_i == 0 ? TLS1_2_VERSION : TLS1_3_VERSION);
}
END_TEST

/* A session that is declined must cost a full handshake, never the connection. */
static void check_declined_sessions(int version)
{
    struct world world;
    world_begin(&world, version, places_ini);
    for (unsigned from = 0; from < PLACE_COUNT; from++)
        for (unsigned to = 0; to < PLACE_COUNT; to++) {
            struct outcome first = visit(&world, &places[from], places[from].shows, NULL);
            struct outcome second = visit(&world, &places[to], places[to].shows, first.session);
            ck_assert_msg(second.status == 200, "%s %s -> %s %s: %u", places[from].listener,
                          places[from].domain, places[to].listener, places[to].domain,
                          second.status);
            SSL_SESSION_free(first.session);
            SSL_SESSION_free(second.session);
        }
    world_end(&world);
}

START_TEST(a_declined_session_falls_back_to_a_full_handshake)
{
    check_declined_sessions(_i == 0 ? TLS1_2_VERSION : TLS1_3_VERSION);
}
END_TEST

/* SNI says one domain of the listener, Host another. */
static void cross_host(struct world *world, const struct place *from, const struct place *to,
                       SSL_SESSION *session)
{
    struct peer peer;
    struct outcome outcome = {0};
    const struct tls_wish *wish = WISH(&world->scene, .version = world->version,
                                       .sni = from->domain, .who = from->shows, .session = session);
    ck_assert(peer_connect_tls(&peer, scene_port(&world->scene, from->listener), wish));
    ask_backend(&peer, to->domain, &outcome);
    unsigned wanted = from->policy == to->policy ? 200 : 421;
    ck_assert_msg(outcome.status == wanted, "SNI %s, Host %s: %u", from->domain, to->domain,
                  outcome.status);
    peer_close(&peer);
}

static void check_every_crossed_host(int version)
{
    struct world world;
    world_begin(&world, version, places_ini);
    for (unsigned from = 0; from < PLACE_COUNT; from++)
        for (unsigned to = 0; to < PLACE_COUNT; to++) {
            if (strcmp(places[from].listener, places[to].listener) != 0)
                continue;
            cross_host(&world, &places[from], &places[to], NULL);
            struct outcome first = visit(&world, &places[from], places[from].shows, NULL);
            cross_host(&world, &places[from], &places[to], first.session);
            SSL_SESSION_free(first.session);
        }
    world_end(&world);
}

START_TEST(a_host_whose_domain_asks_for_something_else_gets_421_and_an_equal_one_is_served)
{
    check_every_crossed_host(_i == 0 ? TLS1_2_VERSION : TLS1_3_VERSION);
}
END_TEST

START_TEST(where_handshakes_ask_the_same_the_rule_that_host_chooses_still_decides)
{
    struct world world;
    world_begin(&world, _i == 0 ? TLS1_2_VERSION : TLS1_3_VERSION, places_ini);
    static const char *const clients[] = {NULL, "bob"};
    for (unsigned i = 0; i < 2; i++) {
        struct peer peer;
        ck_assert(peer_connect_tls(&peer, scene_port(&world.scene, "named"),
                                   WISH(&world.scene, .version = world.version,
                                        .sni = "asked.example.com", .who = clients[i])));
        ck_assert_uint_eq(peer_get(&peer, "gentle.example.com", "/", NULL, 0), 403);
        ck_assert_uint_eq(peer_get(&peer, "asked.example.com", "/", NULL, 0), 200);
        ck_assert_uint_eq(peer_get(&peer, "gentle.example.com", "/", NULL, 0), 403);
        peer_close(&peer);
    }
    ck_assert_uint_eq(atomic_load(&world.backend.requests), 2);
    world_end(&world);
}
END_TEST

START_TEST(after_421_the_same_connection_still_serves_its_own_domain)
{
    struct world world;
    world_begin(&world, 0, places_ini);
    struct peer peer;
    ck_assert(peer_connect_tls(&peer, scene_port(&world.scene, "named"),
                               WISH(&world.scene, .sni = "free.example.com")));
    ck_assert_uint_eq(peer_get(&peer, "alpha.example.com", "/", NULL, 0), 421);
    ck_assert_uint_eq(peer_get(&peer, "free.example.com", "/", NULL, 0), 200);
    ck_assert_uint_eq(peer_get(&peer, "gentle.example.com", "/", NULL, 0), 421);
    peer_close(&peer);
    ck_assert_uint_eq(atomic_load(&world.backend.requests), 1);
    world_end(&world);
}
END_TEST

/* A positive control: were nothing ever resumed, the tests above would prove little. */
static void check_resumption(int version)
{
    struct world world;
    world_begin(&world, version, places_ini);
    const struct place *alpha = &places[2];
    struct outcome last = visit(&world, alpha, "alice", NULL);
    for (int again = 0; again < 10; again++) {
        struct outcome next = visit(&world, alpha, NULL, last.session);
        ck_assert_uint_eq(next.status, 200);
        ck_assert(next.resumed);
        ck_assert_str_eq(next.verified, "SUCCESS");
        ck_assert_str_eq(next.subject, last.subject);
        ck_assert_ptr_nonnull(strstr(next.subject, "alice"));
        SSL_SESSION_free(last.session);
        last = next;
    }
    SSL_SESSION_free(last.session);
    world_end(&world);
}

START_TEST(a_resumed_session_tells_the_backend_the_same_client_on_every_worker)
{
    check_resumption(_i == 0 ? TLS1_2_VERSION : TLS1_3_VERSION);
}
END_TEST

START_TEST(early_data_is_never_offered)
{
    struct world world;
    world_begin(&world, TLS1_3_VERSION, places_ini);
    for (unsigned i = 0; i < PLACE_COUNT; i++) {
        struct outcome outcome = visit(&world, &places[i], places[i].shows, NULL);
        ck_assert_ptr_nonnull(outcome.session);
        ck_assert_uint_eq(SSL_SESSION_get_max_early_data(outcome.session), 0);
        SSL_SESSION_free(outcome.session);
    }
    world_end(&world);
}
END_TEST

static const char short_sessions_ini[] =
    "[listener plain]\naddress = 127.0.0.1:@plain\nsession_timeout = 1s\n"
    "certificate = server.crt\ncertificate_key = server.key\n"
    "mutual_auth = require\nclient_ca = ca.crt\n\n"
    "[rule plain]\nlistener = plain\npool = app\nclient_headers = nginx\n\n"
    "[pool app]\nbackend = rs-1 127.0.0.1:@rs-1\nhealth_check = off\n";

static const struct place short_place = {"plain", "www.example.com", "alice", "alice", 1, 0};

/* Resumes over and over with the latest session, as a client does; false once lb wanted the
 * certificate again. */
static bool is_carried_on(struct world *world, SSL_SESSION **session)
{
    struct outcome next = visit(world, &short_place, "alice", *session);
    ck_assert_uint_eq(next.status, 200);
    SSL_SESSION_free(*session);
    *session = next.session;
    return next.resumed;
}

START_TEST(a_chain_of_resumptions_ends_when_the_first_handshake_is_too_old)
{
    struct world world;
    world_begin(&world, _i == 0 ? TLS1_2_VERSION : TLS1_3_VERSION, short_sessions_ini);
    struct outcome first = visit(&world, &short_place, "alice", NULL);
    SSL_SESSION *session = first.session;
    eventually(!is_carried_on(&world, &session));
    SSL_SESSION_free(session);
    world_end(&world);
}
END_TEST

/* A certificate that ends in three seconds: made when lb runs, for a start may take that long. */
static void write_brief_client(struct world *world, struct made *ca)
{
    struct made *brief = made_certificate(&(struct certificate_wish){
        .name = "brief", .issuer = ca, .usage = "clientAuth", .until_s = 3});
    made_write(brief, world->scene.folder.path, "brief");
    made_free(brief);
}

static void world_begin_for_brief(struct world *world, int version)
{
    *world = (struct world){.version = version};
    scene_begin(&world->scene);
    cast_write(&world->scene);
    struct made *ca = made_ca("Brief CA");
    made_write(ca, world->scene.folder.path, "ca");
    stub_start(&world->backend, "rs-1", NULL);
    scene_set_port(&world->scene, "rs-1", world->backend.port);
    scene_start(&world->scene, places_ini);
    write_brief_client(world, ca);
    made_free(ca);
}

START_TEST(a_session_ends_with_the_certificate_that_made_it)
{
    struct world world;
    world_begin_for_brief(&world, _i == 0 ? TLS1_2_VERSION : TLS1_3_VERSION);
    const struct place *alpha = &places[2];
    struct outcome first = visit(&world, alpha, "brief", NULL);
    ck_assert_uint_eq(first.status, 200);
    SSL_SESSION *session = first.session;
    struct outcome next = {.status = 200};
    while (next.status == 200) {
        eventually_pause();
        next = visit(&world, alpha, NULL, session);
        ck_assert(next.status != 200 || next.resumed);
        if (next.session != NULL) {
            SSL_SESSION_free(session);
            session = next.session;
        }
    }
    SSL_SESSION_free(session);
    world_end(&world);
}
END_TEST

static bool is_still_served(struct peer *peer)
{
    return peer_get(peer, "alpha.example.com", "/", NULL, 0) == 200;
}

START_TEST(an_open_connection_does_not_outlive_its_certificate)
{
    struct world world;
    world_begin_for_brief(&world, _i == 0 ? TLS1_2_VERSION : TLS1_3_VERSION);
    struct peer peer;
    ck_assert(peer_connect_tls(
        &peer, scene_port(&world.scene, "named"),
        WISH(&world.scene, .version = world.version, .sni = "alpha.example.com", .who = "brief")));
    ck_assert(is_still_served(&peer));
    eventually(!is_still_served(&peer));
    peer_close(&peer);
    world_end(&world);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, at_every_place_only_its_own_clients_get_in, 0, 2);
    tcase_add_loop_test(tcase, a_session_brings_nobody_to_a_place_with_another_policy, 0, 2);
    tcase_add_loop_test(tcase, a_declined_session_falls_back_to_a_full_handshake, 0, 2);
    tcase_add_loop_test(
        tcase, a_host_whose_domain_asks_for_something_else_gets_421_and_an_equal_one_is_served, 0,
        2);
    tcase_add_loop_test(
        tcase, where_handshakes_ask_the_same_the_rule_that_host_chooses_still_decides, 0, 2);
    tcase_add_test(tcase, after_421_the_same_connection_still_serves_its_own_domain);
    tcase_add_loop_test(tcase, a_resumed_session_tells_the_backend_the_same_client_on_every_worker,
                        0, 2);
    tcase_add_test(tcase, early_data_is_never_offered);
    tcase_add_loop_test(tcase, a_chain_of_resumptions_ends_when_the_first_handshake_is_too_old, 0,
                        2);
    tcase_add_loop_test(tcase, a_session_ends_with_the_certificate_that_made_it, 0, 2);
    tcase_add_loop_test(tcase, an_open_connection_does_not_outlive_its_certificate, 0, 2);
}

CHECK_MAIN("no client is carried to another policy", add_tests)
