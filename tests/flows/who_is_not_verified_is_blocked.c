/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A guide for blocking who is not authenticated, line by line: the built-in CA issues a
 * certificate, a host is bound to it, and [access] sections block what fails there, with 403,
 * whether there was no certificate or a bad one. Without a host they block everywhere, and the
 * check says so.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/support/api_call.h"
#include "tests/support/cast.h"
#include "tests/support/certificates.h"
#include "tests/support/check_main.h"
#include "tests/support/eventually.h"
#include "tests/support/metrics_text.h"
#include "tests/support/process.h"
#include "tests/support/stub_backend.h"

/* clang-format off */
#define LB "[lb]\nworkers = 2\naccess_log = access.log\n\n"
#define SERVER "certificate = server.crt\ncertificate_key = server.key\n"
#define SITES \
    LB "[listener web]\naddress = 127.0.0.1:@web\nsni = on\n\n" \
    "[rule www]\nlistener = web\ndomain = www.example.com\npool = app\n" SERVER \
    "mutual_auth = request\nclient_ca = registry\n\n" \
    "[rule shop]\nlistener = web\ndomain = shop.example.com\npool = app\n" SERVER "\n" \
    "[rule strict]\nlistener = web\ndomain = strict.example.com\npool = app\n" SERVER \
    "mutual_auth = require\nclient_ca = registry\nclient_ca = ca.crt\nrefuse_with = 403\n\n"
#define POOL "[pool app]\nbackend = rs-1 127.0.0.1:@rs-1\nhealth_check = off\n"
#define NAMED "[access verified-only]\ndomain = www.example.com\nclient_certificate = unverified\naction = block\n\n"
#define GLOBAL "[access verified-only]\nclient_certificate = unverified\naction = block\n\n"
/* clang-format on */

struct site {
    struct scene scene;
    struct stub_backend backend;
};

/* lb, with the INI file behind its words. */
static void command(struct site *site, const char *words)
{
    struct text line = {0};
    text_add_format(&line, "\"$LB_BINARY\" %s -c lb.ini", words);
    process_shell(site->scene.folder.path, line.bytes);
    text_done(&line);
}

static void write_late(struct site *site)
{
    struct made *ca = made_ca("Late CA");
    struct made *late = made_certificate(&(struct certificate_wish){
        .name = "late", .issuer = ca, .from_s = -2 * MADE_DAY_S, .until_s = -MADE_DAY_S});
    made_write(late, site->scene.folder.path, "late");
    made_free(late);
    made_free(ca);
}

static void site_open(struct site *site, const char *ini)
{
    scene_begin(&site->scene);
    cast_write(&site->scene);
    write_late(site);
    stub_start(&site->backend, "rs-1", NULL);
    scene_set_port(&site->scene, "rs-1", site->backend.port);
    scene_start(&site->scene, ini);
    command(site, "cert issue --cn Anna --days 365 --out issued.crt --key-out issued.key");
    command(site, "ca bind builtin www.example.com");
}

static void site_close(struct site *site)
{
    scene_end(&site->scene);
    stub_stop(&site->backend);
}

/* One answer, to a request as it stands. */
static struct answer ask(struct site *site, int version, const char *sni, const char *who,
                         const char *request)
{
    struct peer peer;
    struct answer answer = {0};
    const struct tls_wish *wish = WISH(&site->scene, .version = version, .sni = sni, .who = who);
    ck_assert_msg(peer_connect_tls(&peer, scene_port(&site->scene, "web"), wish), "%s: alert %d",
                  who ? who : "nobody", peer.alert);
    ck_assert(peer_say(&peer, request));
    ck_assert(peer_read_answer(&peer, "GET", &answer));
    peer_close(&peer);
    return answer;
}

static unsigned get(struct site *site, int version, const char *host, const char *who,
                    const char *says)
{
    struct text request = {0};
    text_add_format(&request, "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", host);
    struct answer answer = ask(site, version, host, who, request.bytes);
    unsigned status = answer.status;
    ck_assert_msg(!says || strstr(answer.body.bytes, says), "%s: %s", says, answer.body.bytes);
    answer_done(&answer);
    text_done(&request);
    return status;
}

static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

START_TEST(who_is_not_verified_gets_403_for_that_host_alone)
{
    struct site site;
    int version = versions[_i];
    site_open(&site, SITES POOL);
    /* Bound, but nothing blocks yet. */
    ck_assert_uint_eq(get(&site, version, "www.example.com", NULL, "rs-1"), 200);
    ck_assert_uint_eq(get(&site, version, "www.example.com", "issued", "rs-1"), 200);
    ck_assert(scene_reload(&site.scene, SITES NAMED POOL));
    ck_assert_uint_eq(get(&site, version, "www.example.com", "issued", "rs-1"), 200);
    ck_assert_uint_eq(get(&site, version, "www.example.com", NULL, "missing"), 403);
    ck_assert_uint_eq(get(&site, version, "www.example.com", "bob", "untrusted"), 403);
    ck_assert_uint_eq(get(&site, version, "www.example.com", "late", "untrusted"), 403);
    ck_assert_uint_eq(get(&site, version, "shop.example.com", NULL, "rs-1"), 200);
    /* What the rule refuses itself never gets to the section. */
    ck_assert_uint_eq(get(&site, version, "strict.example.com", NULL, "missing"), 403);
    ck_assert_uint_eq(get(&site, version, "strict.example.com", "alice", "rs-1"), 200);
    eventually(scene_log_has(&site.scene, "request.refused", "access=verified-only",
                             "reason=missing", "rule=www", NULL));
    eventually(scene_log_has(&site.scene, "request.refused", "access=verified-only",
                             "reason=untrusted", "rule=www", NULL));
    ck_assert(!scene_log_has(&site.scene, "access=verified-only", "rule=strict", NULL));
    ck_assert(!scene_log_has(&site.scene, "access=verified-only", "rule=shop", NULL));
    site_close(&site);
}
END_TEST

START_TEST(who_was_revoked_is_refused_in_spite_of_the_handshake)
{
    struct site site;
    site_open(&site, SITES NAMED POOL);
    ck_assert_uint_eq(get(&site, 0, "www.example.com", "issued", "rs-1"), 200);
    command(&site, "cert revoke $(openssl x509 -in issued.crt -noout -serial | cut -d= -f2) --yes");
    ck_assert_uint_eq(get(&site, 0, "www.example.com", "issued", "revoked"), 403);
    site_close(&site);
}
END_TEST

START_TEST(without_a_host_everything_is_blocked_and_the_check_says_so)
{
    struct site site;
    struct text said = {0};
    site_open(&site, SITES GLOBAL POOL);
    ck_assert_uint_eq(get(&site, 0, "www.example.com", NULL, "missing"), 403);
    ck_assert_uint_eq(get(&site, 0, "shop.example.com", NULL, "missing"), 403);
    ck_assert_uint_eq(get(&site, 0, "shop.example.com", "issued", "missing"), 403);
    ck_assert_uint_eq(get(&site, 0, "www.example.com", "issued", "rs-1"), 200);
    ck_assert_int_eq(scene_check(&site.scene, SITES GLOBAL POOL, &said), 0);
    ck_assert_ptr_nonnull(strstr(said.bytes, "access verified-only has no domain: it blocks every "
                                             "request whose client is not verified"));
    text_done(&said);
    ck_assert_int_eq(scene_check(&site.scene, SITES NAMED POOL, &said), 0);
    ck_assert_ptr_null(strstr(said.bytes, "has no domain"));
    text_done(&said);
    site_close(&site);
}
END_TEST

/* Host is a client's to choose, SNI too: the rule of a host is reached by no other way. */
START_TEST(no_way_of_naming_the_host_or_the_path_slips_by)
{
    static const char *const requests[] = {
        "GET / HTTP/1.1\r\nHost: WWW.Example.COM.\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: www.example.com:443\r\n\r\n",
        "GET http://www.example.com/ HTTP/1.1\r\nHost: www.example.com\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: nobody.example.net\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n",
        "GET / HTTP/1.0\r\n\r\n",
        "GET /admin%2F..%2Fx HTTP/1.1\r\nHost: www.example.com\r\n\r\n",
        "GET //x/../y;z HTTP/1.1\r\nHost: www.example.com\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: www.example.com\r\n\r\n",
    };
    static const char *const names[] = {"www.example.com", "WWW.EXAMPLE.com", NULL};
    struct site site;
    site_open(&site, SITES NAMED POOL);
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
            struct answer answer = ask(&site, 0, names[k], NULL, requests[i]);
            ck_assert_msg(answer.status == 403, "%s: %u", requests[i], answer.status);
            answer_done(&answer);
        }
    }
    ck_assert_uint_eq(atomic_load(&site.backend.requests), 0);
    site_close(&site);
}
END_TEST

/* clang-format off */
#define OTHERS \
    "[access noted]\ndomain = www.example.com\nurl = /noted\naction = log\n\n" \
    "[access help]\ndomain = www.example.com\nurl = /help-me\nclient_certificate = missing\n" \
    "action = redirect:https://help.example.com/why?host=$host&reason=$reason\n\n" \
    "[access nobody]\ndomain = www.example.com\nurl = /closed\nclient_certificate = verified\n\n"
/* clang-format on */

static struct answer get_path(struct site *site, const char *who, const char *path)
{
    struct text request = {0};
    text_add_format(&request, "GET %s HTTP/1.1\r\nHost: www.example.com\r\n\r\n", path);
    struct answer answer = ask(site, 0, "www.example.com", who, request.bytes);
    text_done(&request);
    return answer;
}

START_TEST(a_section_may_also_log_redirect_or_close)
{
    struct site site;
    char place[256] = "";
    site_open(&site, SITES OTHERS POOL);
    struct answer answer = get_path(&site, NULL, "/noted/x");
    ck_assert_uint_eq(answer.status, 200);
    answer_done(&answer);
    eventually(scene_log_has(&site.scene, "request.noted", "access=noted", "reason=missing",
                             "uri=/noted/x", NULL));
    answer = get_path(&site, NULL, "/help-me");
    ck_assert_uint_eq(answer.status, 302);
    ck_assert(text_field(answer.head, "Location", place, sizeof place));
    ck_assert_str_eq(place, "https://help.example.com/why?host=www.example.com&reason=missing");
    answer_done(&answer);
    answer = get_path(&site, "bob", "/help-me"); /* shows one, if a bad one */
    ck_assert_uint_eq(answer.status, 200);
    answer_done(&answer);
    answer = get_path(&site, "issued", "/closed");
    ck_assert_uint_eq(answer.status, 403);
    ck_assert_ptr_nonnull(strstr(answer.body.bytes, "blocked"));
    answer_done(&answer);
    answer = get_path(&site, NULL, "/closed");
    ck_assert_uint_eq(answer.status, 200);
    answer_done(&answer);
    site_close(&site);
}
END_TEST

static double decided(struct site *site, const char *access, const char *action)
{
    char labels[2][64];
    char type[128];
    double value = -1;
    char *text = api_text(&site->scene, "/metrics", type, sizeof type);
    const char *fault = metrics_text_fault(text);
    ck_assert_msg(!fault, "%s", fault);
    snprintf(labels[0], sizeof labels[0], "access=\"%s\"", access);
    snprintf(labels[1], sizeof labels[1], "action=\"%s\"", action);
    metrics_text_find(text, &value, "lb_access_total", labels[0], labels[1], NULL);
    free(text);
    return value;
}

/* As the client names it. */
static void get_as(struct site *site, const char *path, const char *id, unsigned status)
{
    struct text request = {0};
    text_add_format(
        &request, "GET %s HTTP/1.1\r\nHost: www.example.com\r\nX-Request-ID: %s\r\n\r\n", path, id);
    struct answer answer = ask(site, 0, "www.example.com", NULL, request.bytes);
    ck_assert_uint_eq(answer.status, status);
    answer_done(&answer);
    text_done(&request);
}

static bool is_in_access_log(struct site *site, const char *id, const char *access)
{
    char wanted[2][64];
    char *log = folder_read(&site->scene.folder, "access.log");
    bool is_there = false;
    snprintf(wanted[0], sizeof wanted[0], "\"request_id\":\"%s\"", id);
    snprintf(wanted[1], sizeof wanted[1], "\"access\":\"%s\"", access);
    for (char *line = strtok(log, "\n"); line; line = strtok(NULL, "\n"))
        is_there |= strstr(line, wanted[0]) && strstr(line, wanted[1]);
    free(log);
    return is_there;
}

START_TEST(what_a_section_decides_is_counted_and_told_under_the_requests_name)
{
    struct site site;
    site_open(&site, SITES OTHERS NAMED POOL);
    ck_assert_double_eq(decided(&site, "noted", "log"), 0);
    ck_assert_double_eq(decided(&site, "noted", "block"), -1);
    get_as(&site, "/noted/x", "id-noted", 200);
    get_as(&site, "/help-me", "id-sent", 302);
    get_as(&site, "/", "id-blocked", 403);
    get_as(&site, "/", "id-blocked-too", 403);
    eventually(
        scene_log_has(&site.scene, "request.noted", "access=noted", "request_id=id-noted", NULL));
    eventually(is_in_access_log(&site, "id-noted", "noted"));
    eventually(is_in_access_log(&site, "id-sent", "help"));
    eventually(is_in_access_log(&site, "id-blocked", "verified-only"));
    ck_assert_double_eq(decided(&site, "noted", "log"), 1);
    ck_assert_double_eq(decided(&site, "help", "redirect"), 1);
    ck_assert_double_eq(decided(&site, "verified-only", "block"), 2);
    ck_assert_double_eq(decided(&site, "nobody", "block"), 0);
    ck_assert(scene_reload(&site.scene, SITES NAMED POOL)); /* the others are gone … */
    get_as(&site, "/", "id-again", 403);
    ck_assert_double_eq(decided(&site, "verified-only", "block"), 3);
    ck_assert_double_eq(decided(&site, "noted", "log"), 1); /* … but what they did is not */
    ck_assert_double_eq(decided(&site, "nobody", "block"), -1);
    site_close(&site);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, who_is_not_verified_gets_403_for_that_host_alone, 0, 2);
    tcase_add_test(tcase, who_was_revoked_is_refused_in_spite_of_the_handshake);
    tcase_add_test(tcase, without_a_host_everything_is_blocked_and_the_check_says_so);
    tcase_add_http1_test(tcase, no_way_of_naming_the_host_or_the_path_slips_by);
    tcase_add_test(tcase, a_section_may_also_log_redirect_or_close);
    tcase_add_test(tcase, what_a_section_decides_is_counted_and_told_under_the_requests_name);
}

CHECK_MAIN("who is not verified is blocked", add_tests)
