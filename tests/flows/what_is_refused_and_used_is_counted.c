/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counters of the running program: each refusal in the log is in lb_refusals_total, once; and lb
 * knows whose CAs' clients come, over reloads and restarts, until somebody asks which may go.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "listeners/tally.h"
#include "tests/support/api_call.h"
#include "tests/support/cast.h"
#include "tests/support/certificates.h"
#include "tests/support/check_main.h"
#include "tests/support/eventually.h"
#include "tests/support/made_crl.h"
#include "tests/support/metrics_text.h"
#include "tests/support/process.h"

/* clang-format off */
#define LB "[lb]\nworkers = 2\naccess_log = off\nmax_clients = 6\nlog_level = info\n\n"
#define CERTIFICATE "certificate = server.crt\ncertificate_key = server.key\n"
#define REQUIRE "mutual_auth = require\nclient_ca = ca.crt\n"
static const char ini[] = LB
    "[listener plain]\naddress = 127.0.0.1:@plain\n" CERTIFICATE REQUIRE "verify_depth = 2\n\n"
    "[listener gentle]\naddress = 127.0.0.1:@gentle\n" CERTIFICATE REQUIRE "verify_depth = 2\nrefuse_with = 403\n\n"
    "[listener strict]\naddress = 127.0.0.1:@strict\n" CERTIFICATE REQUIRE "client_registration = manual\nrefuse_with = 403\n\n"
    "[listener named]\naddress = 127.0.0.1:@named\nsni = on\nunknown_sni = reject\n\n"
    "[listener behind]\naddress = 127.0.0.1:@behind\nprotocol = http\nproxy_protocol = v1\nproxy_protocol_from = 127.0.0.1\n\n"
    "[rule all]\nlistener = plain\nlistener = gentle\nlistener = strict\nlistener = behind\nrespond = 204\n\n"
    "[rule www]\nlistener = named\ndomain = www.example.com\nurl = /in\nrespond = 204\n" CERTIFICATE REQUIRE "\n"
    "[rule api]\nlistener = named\ndomain = api.example.com\nrespond = 204\n" CERTIFICATE
    "mutual_auth = require\nclient_ca = partner-ca.crt\n";
/* clang-format on */

static const char get[] = "GET / HTTP/1.1\r\nHost: www.example.com\r\n\r\n";

static struct scene scene;
static struct made *guest_ca;

/* --- the cast ------------------------------------------------------------------------------- */

static void write_guest(const char *name, struct certificate_wish wish)
{
    wish.name = name;
    struct made *made = made_certificate(&wish);
    made_write(made, scene.folder.path, name);
    made_free(made);
}

static void write_guests(void)
{
    struct made *ca = made_ca("Guest CA");
    struct made *one = made_intermediate(ca, "One");
    struct made *two = made_intermediate(one, "Two");
    struct made *three = made_intermediate(two, "Three");
    made_write(ca, scene.folder.path, "ca");
    write_guest("alice", (struct certificate_wish){.issuer = ca, .usage = "clientAuth"});
    write_guest("expired", (struct certificate_wish){
                               .issuer = ca, .from_s = -2 * MADE_DAY_S, .until_s = -MADE_DAY_S});
    write_guest("early", (struct certificate_wish){
                             .issuer = ca, .from_s = MADE_DAY_S, .until_s = 2 * MADE_DAY_S});
    write_guest("purpose", (struct certificate_wish){.issuer = ca, .usage = "serverAuth"});
    write_guest("weak", (struct certificate_wish){.issuer = ca, .key = MADE_KEY_RSA_1024});
    write_guest("large", (struct certificate_wish){.issuer = ca, .padding_bytes = 60 * 1024});
    write_guest("deep", (struct certificate_wish){.issuer = three, .usage = "clientAuth"});
    made_free(one);
    made_free(two);
    made_free(three);
    guest_ca = ca;
}

static char *metrics(void)
{
    char type[128];
    char *text = api_text(&scene, "/metrics", type, sizeof type);
    ck_assert_str_eq(type, "text/plain; version=0.0.4; charset=utf-8");
    const char *fault = metrics_text_fault(text);
    ck_assert_msg(!fault, "%s", fault);
    return text;
}

/* --- refusals ------------------------------------------------------------------------------- */

static void knock(const char *listener, const char *who, const char *sni, const char *request)
{
    struct peer peer;
    if (peer_connect_tls(&peer, scene_port(&scene, listener), WISH(&scene, .sni = sni, .who = who)))
        peer_ask(&peer, request);
    peer_close(&peer);
}

static void knock_as_proxy(const char *says)
{
    struct peer peer;
    peer_connect(&peer, scene_port(&scene, "behind"));
    peer_say(&peer, says);
    peer_receive_all(&peer);
    peer_close(&peer);
}

static bool nobody_is_there(void)
{
    char *text = metrics();
    bool is_so = strstr(text, "\nlb_clients{listener=\"gentle\"} 0\n");
    free(text);
    return is_so;
}

/* More than max_clients. */
static void crowd(void)
{
    enum { CROWD = 7 };
    struct peer peers[CROWD];
    for (unsigned i = 0; i < CROWD; i++)
        peer_connect(&peers[i], scene_port(&scene, "gentle"));
    eventually(scene_log_has(&scene, "reason=max-clients", NULL));
    for (unsigned i = 0; i < CROWD; i++)
        peer_close(&peers[i]);
    eventually(nobody_is_there());
}

static void provoke(void)
{
    static const char *const guests[] = {NULL,      "bob",  "expired", "early",
                                         "purpose", "weak", "deep",    "large"};
    struct peer short_lived;
    crowd();
    write_guest("short", (struct certificate_wish){.issuer = guest_ca, .until_s = 8});
    ck_assert(
        peer_connect_tls(&short_lived, scene_port(&scene, "plain"), WISH(&scene, .who = "short")));
    ck_assert_uint_eq(peer_ask(&short_lived, get), 204);
    for (size_t i = 0; i < sizeof guests / sizeof guests[0]; i++) {
        knock("plain", guests[i], "www.example.com", get);
        knock("gentle", guests[i], "www.example.com", get);
    }
    knock("strict", "alice", "www.example.com", get);
    knock("named", "alice", "nobody.example.com", get);
    knock("named", "alice", "www.example.com", "GET / HTTP/1.1\r\nHost: api.example.com\r\n\r\n");
    knock("named", "alice", "www.example.com", get);
    knock("gentle", "alice", NULL, "GET / HTTP/9.9\r\n\r\n");
    knock_as_proxy("GET / HTTP/1.1\r\n\r\n");
    knock_as_proxy("PROXY TCP4 not an address\r\n");
    peer_receive_all(&short_lived); /* closed when its certificate ends */
    peer_close(&short_lived);
}

/* Lines of the log that tell of such a refusal. */
static unsigned lines_of(const char *log, const char *event, const char *listener,
                         const char *reason)
{
    char words[3][128];
    unsigned count = 0;
    snprintf(words[0], sizeof words[0], " %s ", event);
    snprintf(words[1], sizeof words[1], " listener=%s ", listener);
    snprintf(words[2], sizeof words[2], " reason=%s", reason);
    while (*log) {
        size_t length = strcspn(log, "\n");
        char *line = strndup(log, length);
        const char *at = strstr(line, words[2]);
        char behind = at ? at[strlen(words[2])] : 'x';
        count +=
            strstr(line, words[0]) && strstr(line, words[1]) && (behind == ' ' || behind == '\0');
        free(line);
        log += length + (log[length] == '\n');
    }
    return count;
}

static const struct {
    const char *where, *event;
} places[] = {
    {"handshake", "client.refused"}, {"request", "request.refused"}, {"closed", "client.closed"}};
static const char *const listeners[] = {"plain", "gentle", "strict", "named", "behind"};

/* Does this counter say what the log does? */
static unsigned compare(const char *log, const char *text, size_t place, const char *listener,
                        enum refusal refusal)
{
    const char *reason = refusal_name(refusal);
    bool can_be = tally_can_have((enum tally_place)place, refusal);
    char labels[3][128];
    double counted = -1;
    unsigned told = lines_of(log, places[place].event, listener, reason);
    snprintf(labels[0], sizeof labels[0], "listener=\"%s\"", listener);
    snprintf(labels[1], sizeof labels[1], "where=\"%s\"", places[place].where);
    snprintf(labels[2], sizeof labels[2], "reason=\"%s\"", reason);
    bool is_there = metrics_text_find(text, &counted, "lb_refusals_total", labels[0], labels[1],
                                      labels[2], NULL);
    ck_assert_msg(is_there == can_be, "%s %s %s is%s counted", listener, places[place].where,
                  reason, is_there ? "" : " not");
    if (!is_there)
        counted = 0;
    ck_assert_msg((unsigned)counted == told, "%s %s %s: counted %g, told %u\n%s", listener,
                  places[place].where, reason, counted, told, log);
    return told;
}

static void expect_fault(const char *text, const char *listener, const char *reason, double times)
{
    char labels[2][128];
    double counted = -1;
    snprintf(labels[0], sizeof labels[0], "listener=\"%s\"", listener);
    snprintf(labels[1], sizeof labels[1], "reason=\"%s\"", reason);
    ck_assert(
        metrics_text_find(text, &counted, "lb_bad_requests_total", labels[0], labels[1], NULL));
    ck_assert_double_eq(counted, times);
}

START_TEST(each_refusal_in_the_log_is_counted_once)
{
    static const char *const expected[] = {"missing",
                                           "untrusted",
                                           "expired",
                                           "not-yet-valid",
                                           "wrong-purpose",
                                           "weak-key",
                                           "chain-too-long",
                                           "too-large",
                                           "not-registered",
                                           "unknown-name",
                                           "host-mismatch",
                                           "max-clients",
                                           "proxy-header-missing",
                                           "proxy-header-bad"};
    scene_begin(&scene);
    cast_write(&scene);
    write_guests();
    scene_start(&scene, ini);
    provoke();
    made_free(guest_ca);
    eventually(scene_log_has(&scene, "client.closed", "reason=expired", NULL));
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        char reason[64];
        snprintf(reason, sizeof reason, "reason=%s", expected[i]);
        eventually(scene_log_has(&scene, reason, NULL));
    }
    char *log = scene_log(&scene);
    char *text = metrics();
    unsigned all = 0;
    for (size_t place = 0; place < 3; place++)
        for (size_t i = 0; i < sizeof listeners / sizeof listeners[0]; i++)
            for (unsigned reason = REFUSAL_NONE + 1; reason < REFUSAL_COUNT; reason++)
                all += compare(log, text, place, listeners[i], (enum refusal)reason);
    /* Nothing was told of that no counter knows. */
    ck_assert_uint_ge(all, 21);
    ck_assert_uint_eq(lines_of(log, "request.refused", "named", "no-rule"), 1);
    expect_fault(text, "named", "no-rule", 1);
    expect_fault(text, "gentle", "bad-request", 1);
    expect_fault(text, "gentle", "no-rule", 0);
    ck_assert_uint_eq(all + 2, text_count(log, " client.refused ") +
                                   text_count(log, " request.refused ") +
                                   text_count(log, " client.closed "));
    free(log);
    free(text);
    scene_end(&scene);
}
END_TEST

/* --- client CAs ----------------------------------------------------------------------------- */

/* clang-format off */
#define TWO_CAS "client_ca = ca.crt\nclient_ca = partner-ca.crt\n"
#define SMALL(cas) "[lb]\nworkers = 2\naccess_log = off\nlog_level = info\n\n" \
    "[listener web]\naddress = 127.0.0.1:@web\nsni = on\n\n" \
    "[rule www]\nlistener = web\ndomain = www.example.com\nrespond = 204\n" CERTIFICATE "mutual_auth = require\n" cas "\n" \
    "[rule odd]\nlistener = web\ndomain = ~^\"odd\\\\\\.example\nrespond = 204\n" CERTIFICATE "mutual_auth = require\nclient_ca = odd-ca.crt\n"
/* clang-format on */

/* A name with all that would break a line. */
static void write_odd_ca(void)
{
    struct made *odd = made_certificate(&(struct certificate_wish){
        .name = "a\"b\\c\nd{e=\"f\"} 1", .organization = "\xc3\xbc", .ca = true});
    made_write(odd, scene.folder.path, "odd-ca");
    made_free(odd);
}

static void visit(const char *who, SSL_SESSION **session)
{
    struct peer peer;
    ck_assert(peer_connect_tls(
        &peer, scene_port(&scene, "web"),
        WISH(&scene, .sni = "www.example.com", .who = who, .session = session ? *session : NULL)));
    ck_assert_uint_eq(peer_ask(&peer, get), 204);
    if (session) {
        SSL_SESSION_free(*session);
        *session = peer_take_session(&peer);
    }
    peer_close(&peer);
}

static double value_of(const char *text, const char *name, const char *ca, const char *more)
{
    double value = -1;
    char subject[64];
    snprintf(subject, sizeof subject, "subject=\"CN=%s\"", ca);
    ck_assert_msg(metrics_text_find(text, &value, name, "listener=\"web\"",
                                    "domain=\"www.example.com\"", subject, more, NULL),
                  "%s of %s", name, ca);
    return value;
}

static void expect_used(const char *ca, double full, double resumed)
{
    char *text = metrics();
    ck_assert_double_eq(value_of(text, "lb_client_ca_handshakes_total", ca, "handshake=\"full\""),
                        full);
    ck_assert_double_eq(
        value_of(text, "lb_client_ca_handshakes_total", ca, "handshake=\"resumed\""), resumed);
    double seen = value_of(text, "lb_client_ca_last_seen_seconds", ca, NULL);
    ck_assert(full + resumed > 0 ? seen > 1000000 : seen == 0);
    ck_assert(value_of(text, "lb_client_ca_counted_since_seconds", ca, NULL) > 1000000);
    ck_assert(value_of(text, "lb_client_ca_expires_seconds", ca, NULL) > 1000000);
    free(text);
}

static void start_small(void)
{
    scene_begin(&scene);
    cast_write(&scene);
    write_odd_ca();
    scene_start(&scene, SMALL(TWO_CAS));
}

static void start_again(void)
{
    scene_stop(&scene);
    unlink(folder_file(&scene.folder, "lb.log"));
}

START_TEST(handshakes_are_counted_by_the_ca_that_verified_them)
{
    SSL_SESSION *session = NULL;
    start_small();
    expect_used("Story CA", 0, 0);
    expect_used("Partner CA", 0, 0);
    visit("alice", &session);
    visit("alice", &session);
    visit("anna", NULL);
    expect_used("Story CA", 2, 1);
    expect_used("Partner CA", 0, 0);
    visit("bob", NULL);
    expect_used("Partner CA", 1, 0);
    SSL_SESSION_free(session);
    scene_end(&scene);
}
END_TEST

START_TEST(neither_a_reload_nor_a_restart_makes_a_ca_look_unused)
{
    struct stat status;
    start_small();
    visit("alice", NULL);
    ck_assert(scene_reload(&scene, SMALL("client_ca = partner-ca.crt\nclient_ca = ca.crt\n")));
    visit("alice", NULL);
    expect_used("Story CA", 2, 0);
    start_again();
    ck_assert_int_eq(stat(folder_file(&scene.folder, "var/ca-uses.json"), &status), 0);
    ck_assert_int_eq(status.st_mode & 07777, 0600);
    scene_start(&scene, SMALL(TWO_CAS));
    expect_used("Story CA", 2, 0);
    visit("bob", NULL);
    expect_used("Partner CA", 1, 0);
    scene_end(&scene);
}
END_TEST

START_TEST(a_damaged_file_is_told_and_counting_begins_anew)
{
    start_small();
    visit("alice", NULL);
    start_again();
    folder_write(&scene.folder, "var/ca-uses.json", "{\"version\": 1, \"us");
    scene_start(&scene, SMALL(TWO_CAS));
    ck_assert(
        scene_log_has(&scene, "warn", "ca-uses.not-read", "var/ca-uses.json cannot be used", NULL));
    expect_used("Story CA", 0, 0);
    visit("alice", NULL);
    expect_used("Story CA", 1, 0);
    scene_end(&scene);
}
END_TEST

static int tell_status(struct text *said, const char *how)
{
    const char *argv[] = {process_lb(), "status", "-c", folder_file(&scene.folder, "lb.ini"),
                          how,          NULL};
    return process_run(argv, said);
}

/* How long a CA was idle is in the file: a week passes there. */
static void let_a_week_pass(void)
{
    char *text = folder_read(&scene.folder, "var/ca-uses.json");
    json_t *all = json_loads(text, 0, NULL);
    size_t i;
    json_t *use;
    ck_assert_ptr_nonnull(all);
    json_array_foreach(json_object_get(all, "uses"), i, use)
        json_object_set_new(use, "idle", json_integer(8 * MADE_DAY_S));
    free(text);
    text = json_dumps(all, 0);
    folder_write(&scene.folder, "var/ca-uses.json", text);
    json_decref(all);
    free(text);
}

START_TEST(lb_status_says_which_ca_may_go)
{
    struct text said = {0};
    start_small();
    visit("alice", NULL);
    ck_assert_int_eq(tell_status(&said, NULL), 0);
    ck_assert_msg(strstr(said.bytes, "no client in 0 days of counting"), "%s", said.bytes);
    start_again();
    let_a_week_pass();
    scene_start(&scene, SMALL(TWO_CAS));
    visit("bob", NULL);
    text_done(&said);
    ck_assert_int_eq(tell_status(&said, NULL), 0);
    ck_assert_msg(strstr(said.bytes, "(8 days of counting): safe to remove"), "%s", said.bytes);
    ck_assert_msg(strstr(said.bytes, "in use"), "%s", said.bytes);
    text_done(&said);
    visit("alice", NULL);
    ck_assert_int_eq(tell_status(&said, NULL), 0);
    ck_assert_msg(!strstr(said.bytes, "safe to remove"), "%s", said.bytes);
    text_done(&said);
    ck_assert_int_eq(tell_status(&said, "--json"), 0);
    json_t *json = json_loads(said.bytes, 0, NULL);
    const json_t *ca = json_array_get(json_object_get(json, "client_cas"), 0);
    ck_assert_str_eq(json_string_value(json_object_get(ca, "subject")), "CN=Story CA");
    ck_assert_str_eq(json_string_value(json_object_get(ca, "removal")), "used");
    ck_assert_int_eq(json_integer_value(json_object_get(ca, "handshakes")), 2);
    json_decref(json);
    text_done(&said);
    scene_end(&scene);
}
END_TEST

/* --- what else there is ---------------------------------------------------------------------- */

START_TEST(what_lb_knows_of_itself_is_there)
{
    double value = 0;
    start_small();
    ck_assert(!scene_reload(&scene, "[listener web]\n"));
    ck_assert(scene_reload(&scene, SMALL(TWO_CAS)));
    char *text = metrics();
    ck_assert_ptr_nonnull(strstr(text, "\nlb_build_info{version=\""));
    ck_assert(metrics_text_find(text, &value, "lb_reloads_total", "result=\"success\"", NULL));
    ck_assert_double_ge(value, 1);
    ck_assert(metrics_text_find(text, &value, "lb_reloads_total", "result=\"failure\"", NULL));
    ck_assert_double_eq(value, 1);
    ck_assert(metrics_text_find(text, &value, "lb_reload_is_failed", NULL));
    ck_assert_double_eq(value, 0);
    ck_assert(metrics_text_find(text, &value, "lb_workers", NULL));
    ck_assert_double_eq(value, 2);
    ck_assert(metrics_text_find(text, &value, "lb_clients", "listener=\"web\"", NULL));
    ck_assert_double_eq(value, 0);
    ck_assert(metrics_text_find(text, &value, "lb_certificate_expires_seconds", "listener=\"web\"",
                                NULL));
    ck_assert_double_gt(value, 1000000);
    ck_assert(metrics_text_find(text, &value, "lb_registry_certificates", NULL));
    /* The odd CA, of the odd domain, as it must be written. */
    ck_assert_msg(strstr(text, "subject=\"CN=a\\\\\\\"b\\\\\\\\c"), "%s", text);
    free(text);
    scene_end(&scene);
}
END_TEST

/* clang-format off */
static const char with_lists[] = "[lb]\nworkers = 1\naccess_log = off\n\n"
    "[listener web]\naddress = 127.0.0.1:@web\n" CERTIFICATE "mutual_auth = require\nclient_ca = ca.crt\n"
    "client_crl = lists.pem\n\n[rule all]\nlistener = web\nrespond = 204\n";
/* clang-format on */

/* Two lists of one name in one file, as where a CA has got a new key. */
static void write_lists(void)
{
    struct made *old = made_ca("List CA"), *new = made_ca("List CA");
    char *one = made_crl_pem(&(struct crl_wish){.issuer = old, .others = 3, .number = 1});
    char *two = made_crl_pem(&(struct crl_wish){.issuer = new, .others = 5, .number = 2});
    struct text both = {0};
    text_add_format(&both, "%s%s", one, two);
    made_write_bundle(scene.folder.path, "ca.crt", old, new, NULL);
    folder_write(&scene.folder, "lists.pem", both.bytes);
    text_done(&both);
    free(one);
    free(two);
    made_free(old);
    made_free(new);
}

/* The value for the file's list at this place. */
static double of_list(const char *text, const char *name, const char *place)
{
    double value = -1;
    char file[160];
    snprintf(file, sizeof file, "file=\"%s\"", folder_file(&scene.folder, "lists.pem"));
    ck_assert_msg(metrics_text_find(text, &value, name, file, place, NULL), "%s: %s", name, text);
    return value;
}

static bool is_counted_as_bad(void)
{
    char *text = metrics();
    bool is = of_list(text, "lb_crl_errors", NULL) == 1;
    free(text);
    return is;
}

START_TEST(revocation_lists_say_when_they_are_out_of_date)
{
    double now = (double)time(NULL);
    scene_begin(&scene);
    cast_write(&scene);
    write_lists();
    scene_start(&scene, with_lists);
    char *text = metrics();
    ck_assert_double_eq(of_list(text, "lb_crl_entries", "list=\"1\"") +
                            of_list(text, "lb_crl_entries", "list=\"2\""),
                        8);
    ck_assert_double_gt(of_list(text, "lb_crl_next_update_seconds", "list=\"1\""),
                        now + 29 * MADE_DAY_S);
    ck_assert_double_ge(of_list(text, "lb_crl_loaded_seconds", "list=\"2\""), now - 1);
    free(text);
    folder_write(&scene.folder, "lists.pem", "no list");
    eventually(is_counted_as_bad());
    scene_end(&scene);
}
END_TEST

/* clang-format off */
static const char with_few_lists[] = "[lb]\nworkers = 1\naccess_log = off\n\n"
    "[listener web]\naddress = 127.0.0.1:@web\n" CERTIFICATE "mutual_auth = require\nclient_ca = ca.crt\n"
    "client_ca = partner-ca.crt\nclient_crl = lists.pem\n\n"
    "[rule all]\nlistener = web\nrespond = 204\n\n"
    "[rule again]\nlistener = web\ndomain = www.example.com\nclient_crl_check = chain\nrespond = 204\n\n"
    "[rule soft]\nlistener = web\ndomain = api.example.com\nclient_ca = partner-ca.crt\nclient_crl = partner.pem\n"
    "client_crl_policy = soft\nrespond = 204\n";
/* clang-format on */

static double missing(const char *ca, const char *policy)
{
    double value = 0;
    char *text = metrics();
    char labels[2][64];
    snprintf(labels[0], sizeof labels[0], "issuer=\"CN=%s\"", ca);
    snprintf(labels[1], sizeof labels[1], "policy=\"%s\"", policy);
    metrics_text_find(text, &value, "lb_crl_missing", "listener=\"web\"", labels[0], labels[1],
                      NULL);
    free(text);
    return value;
}

/* The list that is in force, and what is missing. */
static void expect_lists_in_status(void)
{
    json_t *status;
    struct text said = {0};
    ck_assert_uint_eq(api_call(&scene, "GET", "/v1/status", NULL, &status), 200);
    const json_t *crls = json_object_get(status, "crls");
    const json_t *list = json_array_get(json_object_get(crls, "lists"), 0);
    const json_t *none = json_array_get(json_object_get(crls, "missing"), 0);
    ck_assert_str_eq(json_string_value(json_object_get(list, "issuer")), "CN=List CA");
    ck_assert_str_eq(json_string_value(json_object_get(list, "number")), "07");
    ck_assert_str_eq(json_string_value(json_object_get(list, "state")), "current");
    ck_assert_int_eq(json_integer_value(json_object_get(list, "entries")), 3);
    ck_assert_str_eq(json_string_value(json_object_get(list, "file")),
                     folder_file(&scene.folder, "lists.pem"));
    ck_assert(json_is_string(json_object_get(list, "loaded")));
    ck_assert(json_is_null(json_object_get(list, "failure")));
    ck_assert_str_eq(json_string_value(json_object_get(none, "issuer")), "CN=Partner CA");
    ck_assert_str_eq(json_string_value(json_object_get(none, "policy")), "hard");
    json_decref(status);
    ck_assert_int_eq(tell_status(&said, NULL), 0);
    ck_assert_ptr_nonnull(strstr(said.bytes, "its clients are refused (crl-missing)"));
    ck_assert_ptr_nonnull(strstr(said.bytes, "lists.pem"));
    text_done(&said);
}

START_TEST(who_has_no_list_is_told_until_there_is_one)
{
    struct made *ca = made_ca("List CA"), *partner = made_ca("Partner CA");
    char *one, *two;
    struct text both = {0};
    scene_begin(&scene);
    cast_write(&scene);
    made_write(ca, scene.folder.path, "ca");
    made_write(partner, scene.folder.path, "partner-ca");
    one = made_crl_pem(&(struct crl_wish){.issuer = ca, .others = 3, .number = 7});
    two = made_crl_pem(&(struct crl_wish){.issuer = partner, .others = 1, .number = 8});
    folder_write(&scene.folder, "lists.pem", one);
    made_crl_write(&(struct crl_wish){.issuer = partner, .is_of_cas = true}, scene.folder.path,
                   "partner.pem", MADE_CRL_PEM);
    scene_start(&scene, with_few_lists);
    ck_assert_double_eq(missing("Partner CA", "hard"), 1);
    ck_assert_double_eq(missing("Partner CA", "soft"), 1); /* its list covers CAs only */
    ck_assert_double_eq(missing("List CA", "hard"), 0);
    expect_lists_in_status();
    text_add_format(&both, "%s%s", one, two);
    folder_write(&scene.folder, "lists.pem", both.bytes);
    eventually(missing("Partner CA", "hard") == 0);
    ck_assert_double_eq(missing("Partner CA", "soft"), 1);
    text_done(&both);
    free(one);
    free(two);
    made_free(ca);
    made_free(partner);
    scene_end(&scene);
}
END_TEST

START_TEST(metrics_are_there_over_tcp_for_who_may_ask)
{
    struct peer peer;
    struct answer answer;
    scene_begin(&scene);
    cast_write(&scene);
    write_odd_ca();
    scene_start(&scene,
                "[admin]\naddress = unix:var/admin.sock\naddress = 127.0.0.1:@admin\n" CERTIFICATE
                "client_ca = partner-ca.crt\n\n" SMALL(TWO_CAS));
    ck_assert(peer_connect_tls(&peer, scene_port(&scene, "admin"), WISH(&scene, .who = "bob")));
    ck_assert(peer_say(&peer, "GET /metrics HTTP/1.1\r\nHost: lb\r\n\r\n"));
    ck_assert(peer_read_answer(&peer, "GET", &answer));
    ck_assert_uint_eq(answer.status, 200);
    text_add(&answer.body, "", 0);
    const char *fault = metrics_text_fault(answer.body.bytes);
    ck_assert_msg(!fault, "%s", fault);
    answer_done(&answer);
    peer_close(&peer);
    scene_end(&scene);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, each_refusal_in_the_log_is_counted_once);
    tcase_add_test(tcase, handshakes_are_counted_by_the_ca_that_verified_them);
    tcase_add_test(tcase, neither_a_reload_nor_a_restart_makes_a_ca_look_unused);
    tcase_add_test(tcase, a_damaged_file_is_told_and_counting_begins_anew);
    tcase_add_test(tcase, lb_status_says_which_ca_may_go);
    tcase_add_test(tcase, what_lb_knows_of_itself_is_there);
    tcase_add_test(tcase, revocation_lists_say_when_they_are_out_of_date);
    tcase_add_test(tcase, who_has_no_list_is_told_until_there_is_one);
    tcase_add_http1_test(tcase, metrics_are_there_over_tcp_for_who_may_ask);
}

CHECK_MAIN("what is refused and used is counted", add_tests)
