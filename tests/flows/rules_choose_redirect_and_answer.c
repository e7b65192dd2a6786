/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every kind of domain and url finds its rule; rules send clients elsewhere or answer by
 * themselves; a missing last slash is told. Whatever a rule does, its client authentication comes
 * first. Each pool has one backend of its name, so that an answer says which rule it came by.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/cast.h"
#include "tests/support/check_main.h"
#include "tests/support/eventually.h"
#include "tests/support/json_line.h"
#include "tests/support/stub_backend.h"

/* clang-format off */
static const char ini[] =
    "[listener plain]\naddress = 127.0.0.1:@plain\nprotocol = http\n\n"
    "[listener tls]\naddress = 127.0.0.1:@tls\ncertificate = server.crt\ncertificate_key = server.key\n"
    "mutual_auth = require\nclient_ca = ca.crt\nrefuse_with = 403\n\n"
    "[listener names]\naddress = 127.0.0.1:@names\nsni = on\n\n"

    /* Domains and urls of every kind. */
    "[rule root]\nlistener = plain\ndomain = www.example.com\npool = root\n\n"
    "[rule exact]\nlistener = plain\ndomain = www.example.com\nurl = =/exact\npool = exact\n\n"
    "[rule firm]\nlistener = plain\ndomain = www.example.com\nurl = ^~/firm\npool = firm\n\n"
    "[rule php]\nlistener = plain\ndomain = www.example.com\nurl = ~ \\.php$\npool = regex\n\n"
    "[rule any-case]\nlistener = plain\ndomain = www.example.com\nurl = ~* ^/App/[0-9]+\npool = first\n\n"
    "[rule later]\nlistener = plain\ndomain = www.example.com\nurl = ~ ^/app/\npool = regex\n\n"
    "[rule slow]\nlistener = plain\ndomain = www.example.com\nurl = ~ ^/slow/(?:[a-z]|[a-z])*[0-9]$\npool = regex\n\n"
    "[rule folder]\nlistener = plain\ndomain = www.example.com\nurl = /folder/\npool = folder\n\n"
    "[rule behind]\nlistener = plain\ndomain = www.example.*\npool = behind\n\n"
    "[rule below]\nlistener = plain\ndomain = *.example.com\npool = below\n\n"
    "[rule named]\nlistener = plain\ndomain = ~^api-(eu|us)[0-9]*\\.\npool = named\n\n"
    "[rule slow-name]\nlistener = plain\ndomain = ~^(?:[a-z]|[a-z])+[0-9]$\npool = regex\n\n"

    /* Rules without a pool, on both listeners. */
    "[rule upwards]\nlistener = plain\nlistener = tls\ndomain = up.test\nredirect = https://$host$uri\n\n"
    "[rule elsewhere]\nlistener = plain\nlistener = tls\ndomain = up.test\nurl = /else\nredirect = /there?for=$host&price=$$1\nredirect_status = 307\n\n"
    "[rule health]\nlistener = plain\nlistener = tls\ndomain = up.test\nurl = =/healthz\nrespond = 200 ok\n\n"
    "[rule empty]\nlistener = plain\nlistener = tls\ndomain = up.test\nurl = /empty\nrespond = 204\n\n"
    "[rule closed]\nlistener = plain\nlistener = tls\ndomain = up.test\nurl = /closed\nrespond = 503 Back at noon\n\n"
    "[rule down]\nlistener = plain\nlistener = tls\ndomain = up.test\nurl = /down/\npool = folder\n\n"
    "[rule nameless]\nlistener = plain\nurl = /nameless\nredirect = https://$host$uri\n\n"

    /* Names by SNI: an expression's domain wants a certificate, the default one does not. */
    "[rule guarded]\nlistener = names\ndomain = ~^[a-z]+\\.guarded\\.test$\ncertificate = server.crt\ncertificate_key = server.key\n"
    "mutual_auth = require\nclient_ca = ca.crt\npool = firm\n\n"
    "[rule slow-guard]\nlistener = names\ndomain = ~^(?:[a-z]|[a-z])+[0-9]$\ncertificate = server.crt\ncertificate_key = server.key\n"
    "mutual_auth = require\nclient_ca = ca.crt\npool = firm\n\n"
    "[rule public]\nlistener = names\ncertificate = server.crt\ncertificate_key = server.key\npool = root\n\n"

    "[pool root]\nbackend = root 127.0.0.1:@root\nhealth_check = off\n\n"
    "[pool exact]\nbackend = exact 127.0.0.1:@exact\nhealth_check = off\n\n"
    "[pool firm]\nbackend = firm 127.0.0.1:@firm\nhealth_check = off\n\n"
    "[pool regex]\nbackend = regex 127.0.0.1:@regex\nhealth_check = off\n\n"
    "[pool first]\nbackend = first 127.0.0.1:@first\nhealth_check = off\n\n"
    "[pool folder]\nbackend = folder 127.0.0.1:@folder\nhealth_check = off\n\n"
    "[pool behind]\nbackend = behind 127.0.0.1:@behind\nhealth_check = off\n\n"
    "[pool below]\nbackend = below 127.0.0.1:@below\nhealth_check = off\n\n"
    "[pool named]\nbackend = named 127.0.0.1:@named\nhealth_check = off\n\n";

static const char *const pools[] = {"root", "exact", "firm", "regex", "first", "folder", "behind", "below", "named"};
/* clang-format on */
enum { POOL_COUNT = sizeof pools / sizeof pools[0] };

/* 60 letters: an expression with two ways for each of them never gets to its end. */
#define LONG "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

struct town {
    struct scene scene;
    struct stub_backend backends[POOL_COUNT];
};

static void town_begin(struct town *town)
{
    scene_begin(&town->scene);
    cast_write(&town->scene);
    for (unsigned i = 0; i < POOL_COUNT; i++) {
        stub_start(&town->backends[i], pools[i], NULL);
        scene_set_port(&town->scene, pools[i], town->backends[i].port);
    }
    scene_start(&town->scene, ini);
}

static void town_end(struct town *town)
{
    scene_end(&town->scene);
    for (unsigned i = 0; i < POOL_COUNT; i++)
        stub_stop(&town->backends[i]);
}

static unsigned requests_of_all(struct town *town)
{
    unsigned count = 0;
    for (unsigned i = 0; i < POOL_COUNT; i++)
        count += town->backends[i].requests;
    return count;
}

static void come_plain(struct town *town, struct peer *peer)
{
    peer_connect(peer, scene_port(&town->scene, "plain"));
}

static void come_tls(struct town *town, struct peer *peer, const char *listener, const char *sni,
                     const char *who)
{
    ck_assert(peer_connect_tls(peer, scene_port(&town->scene, listener),
                               WISH(&town->scene, .who = who, .sni = sni)));
}

/* One request; the answer's field `name` ("" without one) is copied. */
static unsigned ask(struct peer *peer, const char *method, const char *host, const char *target,
                    const char *name, char *value, size_t room)
{
    char request[1024];
    struct answer answer;
    snprintf(request, sizeof request, "%s %s HTTP/1.1\r\nHost: %s\r\n\r\n", method, target, host);
    peer_say(peer, request);
    if (!peer_read_answer(peer, method, &answer))
        return 0;
    unsigned status = answer.status;
    if (!text_field(answer.head, name, value, room))
        value[0] = '\0';
    answer_done(&answer);
    return status;
}

/* --- which rule ----------------------------------------------------------------------------- */

/* clang-format off */
static const struct asking {
    const char *host;
    const char *path;
    const char *backend; /* or the status of lb's own answer */
} requests[] = {
    {"www.example.com", "/", "root"},
    {"www.example.com", "/exact", "exact"},
    {"www.example.com", "/exact/", "root"},
    {"www.example.com", "/firm", "firm"},
    {"www.example.com", "/firm/x.php", "firm"},
    {"www.example.com", "/firmly.php", "regex"},
    {"www.example.com", "/x.php", "regex"},
    {"www.example.com", "/x.php?y=z", "regex"},
    {"www.example.com", "/x?y=.php", "root"},
    {"www.example.com", "/x.PHP", "root"},
    {"www.example.com", "/x%2Ephp", "regex"},
    {"www.example.com", "/app/7", "first"},
    {"www.example.com", "/APP/7", "first"},
    {"www.example.com", "/app/x", "regex"},
    {"www.example.com", "/APP/x", "root"},
    {"www.example.com", "/folder/", "folder"},
    {"www.example.com", "/folder/x", "folder"},
    {"www.example.com", "/folders", "root"},
    {"www.example.com", "/slow/7", "regex"},
    /* domains: exact, *.x, x.*, ~regex, default */
    {"www.example.org", "/", "behind"},
    {"WWW.Example.co.uk.:8080", "/", "behind"},
    {"www.example", "/", "404"},
    {"a.b.example.com", "/", "below"},
    {"api-eu7.test", "/", "named"},
    {"API-US.Test.", "/", "named"},
    {"api-eu.example.com", "/", "below"},
    {"api-asia.test", "/", "404"},
    {"nobody.test", "/", "404"},
    {"aaa7", "/", "regex"},
};
/* clang-format on */

START_TEST(every_kind_of_domain_and_url_finds_its_rule)
{
    struct town town;
    struct peer peer;
    town_begin(&town);
    come_plain(&town, &peer);
    for (unsigned i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        char body[1024] = "", status[8];
        unsigned got = peer_get(&peer, requests[i].host, requests[i].path, body, sizeof body);
        snprintf(status, sizeof status, "%u", got);
        ck_assert_msg(strcmp(got == 200 ? body : status, requests[i].backend) == 0,
                      "%s%s: %u \"%s\" instead of %s", requests[i].host, requests[i].path, got,
                      body, requests[i].backend);
    }
    peer_close(&peer);
    town_end(&town);
}
END_TEST

/* --- elsewhere ------------------------------------------------------------------------------ */

/* clang-format off */
static const struct {
    const char *method, *host, *target;
    unsigned status;
    const char *location;
} moves[] = {
    /* the last slash is missing */
    {"GET", "www.example.com", "/folder", 301, "/folder/"},
    {"GET", "www.example.com", "/folder?a=b&c=/d", 301, "/folder/?a=b&c=/d"},
    {"HEAD", "www.example.com", "/folder?", 301, "/folder/?"},
    {"GET", "www.example.com", "/f%6flder", 301, "/f%6flder/"},
    {"GET", "up.test", "/down", 301, "/down/"},
    /* redirects */
    {"GET", "up.test", "/", 301, "https://up.test/"},
    {"GET", "UP.test.:8080", "/a/b?c=d", 301, "https://UP.test./a/b?c=d"},
    {"HEAD", "up.test", "/a%20b", 301, "https://up.test/a%20b"},
    {"DELETE", "up.test", "//evil.test/%2e%2e", 301, "https://up.test//evil.test/%2e%2e"},
    {"GET", "up.test", "/x/../else", 400, ""}, /* another reader would find another rule */
    {"GET", "up.test", "/else/where?x", 307, "/there?for=up.test&price=$1"},
    {"OPTIONS", "up.test", "*", 301, "https://up.test/"},
    {"GET", "up.test", "http://up.test/absolute?x=y", 301, "https://up.test/absolute?x=y"},
    {"GET", "[2001:db8::1]:80", "/nameless?x", 301, "https://[2001:db8::1]/nameless?x"},
    {"GET", "up.test", "/x\\y", 301, "https://up.test/x\\y"},
};
/* clang-format on */

START_TEST(clients_are_sent_where_the_rule_says_and_the_connection_goes_on)
{
    struct town town;
    struct peer peer;
    char location[512];
    town_begin(&town);
    come_plain(&town, &peer);
    for (unsigned i = 0; i < sizeof moves / sizeof moves[0]; i++) {
        unsigned status = ask(&peer, moves[i].method, moves[i].host, moves[i].target, "Location",
                              location, sizeof location);
        ck_assert_msg(status == moves[i].status && strcmp(location, moves[i].location) == 0,
                      "%s %s%s: %u %s", moves[i].method, moves[i].host, moves[i].target, status,
                      location);
        if (status == 400) {
            peer_close(&peer);
            come_plain(&town, &peer);
        }
    }
    ck_assert_uint_eq(requests_of_all(&town), 0);
    peer_close(&peer);
    town_end(&town);
}
END_TEST

/* clang-format off */
static const char *const strangers[] = {"//folder", "/\\folder", "/%2Ffolder", "/%5cfolder", "/.//folder", "/x/..//folder",
                                        "/folder;x", "/x/../folder", "//evil.test/..//folder"};
/* clang-format on */

START_TEST(no_path_makes_a_missing_slash_lead_to_another_host)
{
    struct town town;
    town_begin(&town);
    for (unsigned i = 0; i < sizeof strangers / sizeof strangers[0]; i++) {
        struct peer peer;
        char location[512];
        come_plain(&town, &peer);
        unsigned status = ask(&peer, "GET", "www.example.com", strangers[i], "Location", location,
                              sizeof location);
        ck_assert_msg(status == 400 && location[0] == '\0', "%s: %u %s", strangers[i], status,
                      location);
        peer_close(&peer);
    }
    town_end(&town);
}
END_TEST

START_TEST(a_redirect_to_the_host_asked_for_is_refused_without_one)
{
    struct town town;
    struct peer peer;
    struct answer answer;
    town_begin(&town);
    come_plain(&town, &peer);
    peer_say(&peer, "GET /nameless//evil.test/ HTTP/1.0\r\n\r\n");
    ck_assert(peer_read_answer(&peer, "GET", &answer));
    ck_assert_uint_eq(answer.status, 400);
    ck_assert_ptr_null(strstr(answer.head, "Location"));
    ck_assert_ptr_nonnull(strstr(answer.head, "X-LB-Reason: no-host"));
    answer_done(&answer);
    peer_close(&peer);
    town_end(&town);
}
END_TEST

START_TEST(the_longest_target_is_sent_on_whole)
{
    static char request[9000], location[9000], target[8192];
    struct town town;
    struct peer peer;
    struct answer answer;
    memset(target, 'x', sizeof target - 1);
    target[0] = '/';
    snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: up.test\r\n\r\n", target);
    town_begin(&town);
    come_plain(&town, &peer);
    peer_say(&peer, request);
    ck_assert(peer_read_answer(&peer, "GET", &answer));
    ck_assert_uint_eq(answer.status, 301);
    ck_assert(text_field(answer.head, "Location", location, sizeof location));
    ck_assert_uint_eq(strlen(location), strlen("https://up.test") + strlen(target));
    answer_done(&answer);
    peer_close(&peer);
    town_end(&town);
}
END_TEST

START_TEST(a_body_that_is_on_its_way_harms_no_answer)
{
    struct town town;
    struct peer peer;
    struct answer answer;
    town_begin(&town);
    /* What is not read cannot be told from a request: nothing behind it is served. */
    come_plain(&town, &peer);
    peer_say(&peer, "POST /a HTTP/1.1\r\nHost: up.test\r\nContent-Length: 40\r\n\r\n"
                    "GET /healthz HTTP/1.1\r\nHost: up.test\r\n\r\n");
    ck_assert(peer_read_answer(&peer, "POST", &answer));
    ck_assert_uint_eq(answer.status, 301);
    ck_assert(peer.http2 != NULL || strstr(answer.head, "Connection: close"));
    answer_done(&answer);
    ck_assert(peer_ends_here(&peer) && !peer.was_reset);
    peer_close(&peer);
    /* It is announced and never asked for. */
    come_plain(&town, &peer);
    peer_say(&peer, "POST /closed HTTP/1.1\r\nHost: up.test\r\nContent-Length: 100000\r\n"
                    "Expect: 100-continue\r\n\r\n");
    ck_assert(peer_read_answer(&peer, "POST", &answer));
    ck_assert_uint_eq(answer.status, 503);
    ck_assert_str_eq(answer.body.bytes, "Back at noon\n");
    ck_assert(peer.http2 != NULL || strstr(answer.head, "Connection: close"));
    answer_done(&answer);
    peer_close(&peer);
    ck_assert_uint_eq(requests_of_all(&town), 0);
    town_end(&town);
}
END_TEST

/* --- own answers ---------------------------------------------------------------------------- */

START_TEST(lb_answers_what_the_rule_responds_on_one_connection)
{
    struct town town;
    struct peer peer;
    struct answer answer;
    town_begin(&town);
    come_plain(&town, &peer);
    peer_say(&peer, "GET /healthz HTTP/1.1\r\nHost: up.test\r\n\r\n"
                    "HEAD /healthz HTTP/1.1\r\nHost: up.test\r\n\r\n"
                    "GET /empty HTTP/1.1\r\nHost: up.test\r\n\r\n"
                    "GET /closed/x HTTP/1.1\r\nHost: up.test\r\n\r\n");
    static const struct {
        const char *method, *body, *length;
        unsigned status;
    } expected[] = {{"GET", "ok\n", "3", 200},
                    {"HEAD", "", "3", 200},
                    {"GET", "", "", 204},
                    {"GET", "Back at noon\n", "13", 503}};
    for (unsigned i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        char length[16] = "";
        ck_assert(peer_read_answer(&peer, expected[i].method, &answer));
        ck_assert_uint_eq(answer.status, expected[i].status);
        text_field(answer.head, "Content-Length", length, sizeof length);
        ck_assert_str_eq(length, expected[i].length);
        ck_assert_str_eq(answer.body.bytes ? answer.body.bytes : "", expected[i].body);
        answer_done(&answer);
    }
    peer_close(&peer);
    town_end(&town);
}
END_TEST

/* --- who may -------------------------------------------------------------------------------- */

/* clang-format off */
static const struct {
    const char *target, *location;
    unsigned status;
} guarded[] = {
    {"/", "https://up.test/", 301},
    {"/else", "/there?for=up.test&price=$1", 307},
    {"/healthz", "", 200},
    {"/closed", "", 503},
    {"/down", "/down/", 301},
};
/* clang-format on */

START_TEST(whatever_a_rule_does_its_clients_show_their_certificate_first)
{
    static const char *const strangers_here[] = {NULL, "bob"};
    struct town town;
    struct peer alice, stranger;
    char location[512], reason[64];
    town_begin(&town);
    come_tls(&town, &alice, "tls", NULL, "alice");
    for (unsigned i = 0; i < sizeof guarded / sizeof guarded[0]; i++) {
        ck_assert_uint_eq(
            ask(&alice, "GET", "up.test", guarded[i].target, "Location", location, sizeof location),
            guarded[i].status);
        ck_assert_str_eq(location, guarded[i].location);
    }
    peer_close(&alice);
    for (unsigned who = 0; who < 2; who++) {
        come_tls(&town, &stranger, "tls", NULL, strangers_here[who]);
        for (unsigned i = 0; i < sizeof guarded / sizeof guarded[0]; i++) {
            ck_assert_uint_eq(ask(&stranger, "GET", "up.test", guarded[i].target, "Location",
                                  location, sizeof location),
                              403);
            ck_assert_str_eq(location, "");
            ask(&stranger, "GET", "up.test", guarded[i].target, "X-LB-Reason", reason,
                sizeof reason);
            ck_assert_str_eq(reason, who == 0 ? "missing" : "untrusted");
        }
        peer_close(&stranger);
    }
    town_end(&town);
}
END_TEST

START_TEST(an_expression_chooses_the_domain_of_a_handshake_and_what_is_undecided_opens_nothing)
{
    struct town town;
    struct peer peer;
    char body[1024];
    town_begin(&town);
    /* The expression's domain wants a certificate: without one the handshake fails. */
    ck_assert(!peer_connect_tls(
        &peer, scene_port(&town.scene, "names"),
        WISH(&town.scene, .sni = "Shop.Guarded.test", .version = TLS1_2_VERSION)));
    peer_close(&peer);
    come_tls(&town, &peer, "names", "shop.guarded.test", "alice");
    ck_assert_uint_eq(peer_get(&peer, "shop.guarded.test", "/", body, sizeof body), 200);
    ck_assert_str_eq(body, "firm");
    peer_close(&peer);
    /* A name that takes too long is nobody's: the default domain shakes hands, and no rule of
     * another one can be asked. */
    come_tls(&town, &peer, "names", LONG, NULL);
    ck_assert_uint_eq(peer_get(&peer, "public.test", "/", body, sizeof body), 200);
    ck_assert_str_eq(body, "root");
    ck_assert_uint_eq(peer_get(&peer, "shop.guarded.test", "/", body, sizeof body), 421);
    ck_assert_uint_eq(peer_get(&peer, "aaa7", "/", body, sizeof body), 421);
    ck_assert_uint_eq(peer_get(&peer, LONG, "/", body, sizeof body), 400);
    ck_assert_uint_eq(town.backends[2].requests, 1);
    peer_close(&peer);
    town_end(&town);
}
END_TEST

START_TEST(what_takes_too_long_is_400_and_one_line_names_the_rule)
{
    struct town town;
    struct peer peer;
    char reason[64];
    town_begin(&town);
    come_plain(&town, &peer);
    ck_assert_uint_eq(
        ask(&peer, "GET", "www.example.com", "/slow/" LONG, "X-LB-Reason", reason, sizeof reason),
        400);
    ck_assert_str_eq(reason, "regex-limit");
    ck_assert(peer_ends_here(&peer));
    peer_close(&peer);
    come_plain(&town, &peer);
    ck_assert_uint_eq(ask(&peer, "GET", LONG, "/", "X-LB-Reason", reason, sizeof reason), 400);
    ck_assert_str_eq(reason, "regex-limit");
    peer_close(&peer);
    eventually(scene_log_has(&town.scene, "request.refused", "rule=slow", "reason=regex-limit",
                             "status=400", NULL));
    eventually(scene_access_lines(&town.scene, "\"reason\":\"regex-limit\"") == 2);
    ck_assert_uint_eq(scene_access_lines(&town.scene, "\"rule\":\"slow\""), 1);
    ck_assert_uint_eq(requests_of_all(&town), 0);
    town_end(&town);
}
END_TEST

/* --- what is told --------------------------------------------------------------------------- */

struct told {
    const char *rule, *status, *reason;
    unsigned count;
};

static void find(const struct json_line *line, void *story)
{
    struct told *told = story;
    const char *rule = json_line_get(line, "rule"), *reason = json_line_get(line, "reason");
    if (!rule || strcmp(rule, told->rule) != 0)
        return;
    ck_assert_str_eq(json_line_get(line, "status"), told->status);
    ck_assert_pstr_eq(reason, told->reason);
    ck_assert_ptr_null(json_line_get(line, "pool"));
    told->count++;
}

START_TEST(each_answer_is_one_line_of_the_access_log_with_its_rule)
{
    struct told all[] = {{"upwards", "301", "redirect", 0},
                         {"elsewhere", "307", "redirect", 0},
                         {"closed", "503", "respond", 0},
                         {"empty", "204", "respond", 0},
                         {"down", "301", "slash", 0}};
    static const char *const targets[] = {"/x", "/else", "/closed", "/empty", "/down"};
    struct town town;
    struct peer peer;
    char location[512];
    town_begin(&town);
    come_plain(&town, &peer);
    for (unsigned i = 0; i < 5; i++)
        ask(&peer, "GET", "up.test", targets[i], "Location", location, sizeof location);
    peer_close(&peer);
    eventually(scene_access_lines(&town.scene, "") == 5);
    char *log = scene_access_log(&town.scene);
    for (unsigned i = 0; i < 5; i++) {
        json_lines_visit(log, find, &all[i]);
        ck_assert_uint_eq(all[i].count, 1);
    }
    free(log);
    ck_assert(!scene_log_has(&town.scene, "request.refused", NULL));
    town_end(&town);
}
END_TEST

START_TEST(lb_check_names_the_rules_that_are_never_reached)
{
    struct scene scene;
    struct text said = {0};
    scene_begin(&scene);
    int status = scene_check(&scene,
                             "[listener web]\naddress = 127.0.0.1:@web\nprotocol = http\n"
                             "[rule all]\nlistener = web\nurl = ~ .*\nrespond = 404\n"
                             "[rule never]\nlistener = web\nurl = /never\nrespond = 200\n",
                             &said);
    ck_assert_int_eq(status, 0);
    ck_assert_msg(strstr(said.bytes, "warning: rule never is never reached on listener web: rule "
                                     "all (line ") != NULL,
                  "%s", said.bytes);
    text_done(&said);
    scene_end(&scene);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, every_kind_of_domain_and_url_finds_its_rule);
    tcase_add_test(tcase, clients_are_sent_where_the_rule_says_and_the_connection_goes_on);
    tcase_add_test(tcase, no_path_makes_a_missing_slash_lead_to_another_host);
    tcase_add_http1_test(tcase, a_redirect_to_the_host_asked_for_is_refused_without_one);
    tcase_add_test(tcase, the_longest_target_is_sent_on_whole);
    tcase_add_test(tcase, a_body_that_is_on_its_way_harms_no_answer);
    tcase_add_test(tcase, lb_answers_what_the_rule_responds_on_one_connection);
    tcase_add_test(tcase, whatever_a_rule_does_its_clients_show_their_certificate_first);
    tcase_add_test(
        tcase, an_expression_chooses_the_domain_of_a_handshake_and_what_is_undecided_opens_nothing);
    tcase_add_test(tcase, what_takes_too_long_is_400_and_one_line_names_the_rule);
    tcase_add_test(tcase, each_answer_is_one_line_of_the_access_log_with_its_rule);
    tcase_add_test(tcase, lb_check_names_the_rules_that_are_never_reached);
}

CHECK_MAIN("rules choose, redirect and answer", add_tests)
