/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Host and path choose the rule, however they are written, over plain HTTP and over TLS with SNI
 * off. Each pool has one backend of its name, so that an answer says which rule it came by.
 */
#include <stdio.h>
#include <string.h>

#include "tests/support/cast.h"
#include "tests/support/check_main.h"
#include "tests/support/eventually.h"
#include "tests/support/stub_backend.h"

/* clang-format off */
static const char ini[] =
    "[listener plain]\naddress = 127.0.0.1:@plain\nprotocol = http\n\n"
    "[listener parts]\naddress = 127.0.0.1:@parts\nprotocol = http\n\n"
    "[listener tls]\naddress = 127.0.0.1:@tls\ncertificate = server.crt\ncertificate_key = server.key\n\n"

    "[rule first]\nlistener = plain\nlistener = tls\ndomain = www.example.com\npool = first\n\n"
    "[rule exact]\nlistener = plain\nlistener = tls\ndomain = www.example.com\nurl = =/exact\npool = exact\n\n"
    "[rule prefix]\nlistener = plain\nlistener = tls\ndomain = www.example.com\nurl = /prefix\npool = prefix\n\n"
    "[rule wild]\nlistener = plain\nlistener = tls\ndomain = *.example.com\npool = wild\n\n"
    "[rule deep]\nlistener = plain\nlistener = tls\ndomain = *.deep.example.com\nurl = /deep\npool = deep\n\n"
    "[rule part]\nlistener = parts\nurl = /app\npool = prefix\n\n"

    "[pool first]\nbackend = first 127.0.0.1:@first\n\n"
    "[pool exact]\nbackend = exact 127.0.0.1:@exact\n\n"
    "[pool prefix]\nbackend = prefix 127.0.0.1:@prefix\n\n"
    "[pool wild]\nbackend = wild 127.0.0.1:@wild\n\n"
    "[pool deep]\nbackend = deep 127.0.0.1:@deep\n\n";

static const char *const pools[] = {"first", "exact", "prefix", "wild", "deep"};
/* clang-format on */
enum { POOL_COUNT = sizeof pools / sizeof pools[0] };

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

/* clang-format off */
static const struct asking {
    const char *host;
    const char *path;
    const char *backend; /* or the status of a refusal */
} requests[] = {
    /* the exact name, in every way to write it */
    {"www.example.com", "/", "first"},
    {"WWW.Example.COM", "/", "first"},
    {"www.example.com.", "/", "first"},
    {"www.example.com:8443", "/", "first"},
    {"WWW.example.com.:80", "/", "first"},
    /* wildcards are for everything below, and the longest wins */
    {"shop.example.com", "/", "wild"},
    {"Shop.Example.Com.:1", "/", "wild"},
    {"a.b.example.com", "/", "wild"},
    {"deep.example.com", "/", "wild"},
    {"x.deep.example.com", "/deep", "deep"},
    {"y.x.deep.example.com", "/deep/er", "deep"},
    /* the best domain wins; its urls are not mixed with another's */
    {"x.deep.example.com", "/", "404"},
    {"shop.example.com", "/exact", "wild"},
    /* everybody else comes to the default domain */
    {"example.com", "/", "first"},
    {"notexample.com", "/", "first"},
    {"nobody.test", "/prefix", "prefix"},
    {"127.0.0.1", "/", "first"},
    {"127.0.0.1:8443", "/exact", "exact"},
    {"[::1]", "/", "first"},
    {"[::1]:8443", "/prefix", "prefix"},
    /* exact paths and prefixes */
    {"www.example.com", "/exact", "exact"},
    {"www.example.com", "/exact?a=/prefix", "exact"},
    {"www.example.com", "/exact/", "first"},
    {"www.example.com", "/exactly", "first"},
    {"www.example.com", "/prefix", "prefix"},
    {"www.example.com", "/prefix/", "prefix"},
    {"www.example.com", "/prefix/exact", "prefix"},
    {"www.example.com", "/prefix?exact", "prefix"},
    {"www.example.com", "/prefixes", "first"},
    {"www.example.com", "/pre", "first"},
    {"www.example.com", "/Prefix", "first"},
    {"www.example.com", "/%70refix/x", "prefix"},
    {"www.example.com", "/first/prefix", "first"},
    /* two ways to read it, two rules */
    {"www.example.com", "/prefix%2f", "400"},
    {"www.example.com", "/a/../prefix", "400"},
    {"www.example.com", "/prefix/..", "400"},
    {"www.example.com", "//prefix", "400"},
    /* two ways to read it, one rule */
    {"shop.example.com", "/a/../prefix", "wild"},
};
/* clang-format on */

static void expect_rule(struct peer *peer, const struct asking *asking)
{
    char body[1024] = "";
    char status[8];
    unsigned got = peer_get(peer, asking->host, asking->path, body, sizeof body);
    snprintf(status, sizeof status, "%u", got);
    ck_assert_msg(strcmp(got == 200 ? body : status, asking->backend) == 0,
                  "%s%s: %u \"%s\" instead of %s", asking->host, asking->path, got, body,
                  asking->backend);
}

/* over: 0 plain HTTP, 1 TLS 1.2, 2 TLS 1.3 */
static void come(struct town *town, struct peer *peer, int over)
{
    if (over == 0)
        peer_connect(peer, scene_port(&town->scene, "plain"));
    else
        ck_assert(peer_connect_tls(
            peer, scene_port(&town->scene, "tls"),
            WISH(&town->scene, .version = over == 1 ? TLS1_2_VERSION : TLS1_3_VERSION)));
}

START_TEST(host_and_path_choose_the_rule_on_one_connection)
{
    struct town town;
    struct peer peer;
    town_begin(&town);
    come(&town, &peer, _i);
    for (unsigned i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        expect_rule(&peer, &requests[i]);
        if (strcmp(requests[i].backend, "400") != 0)
            continue;
        ck_assert(peer_ends_here(&peer)); /* who writes such paths is not listened to any more */
        peer_close(&peer);
        come(&town, &peer, _i);
    }
    peer_close(&peer);
    town_end(&town);
}
END_TEST

START_TEST(an_absolute_target_is_its_own_host)
{
    struct town town;
    struct peer peer;
    town_begin(&town);
    peer_connect(&peer, scene_port(&town.scene, "plain"));
    struct answer answer;
    peer_say(&peer, "GET http://Shop.example.com/ HTTP/1.1\r\nHost: shop.example.com\r\n\r\n");
    ck_assert(peer_read_answer(&peer, "GET", &answer));
    ck_assert_str_eq(answer.body.bytes, "wild");
    answer_done(&answer);
    peer_close(&peer);
    town_end(&town);
}
END_TEST

START_TEST(a_path_that_no_rule_has_is_404_and_the_connection_goes_on)
{
    struct town town;
    struct peer peer;
    town_begin(&town);
    peer_connect(&peer, scene_port(&town.scene, "parts"));
    expect_rule(&peer, &(struct asking){"any.test", "/", "404"});
    expect_rule(&peer, &(struct asking){"any.test", "/apple", "404"});
    expect_rule(&peer, &(struct asking){"any.test", "/App", "404"});
    expect_rule(&peer, &(struct asking){"any.test", "/app/x", "prefix"});
    peer_close(&peer);
    eventually(scene_log_has(&town.scene, "request.refused", "reason=no-rule", NULL));
    town_end(&town);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, host_and_path_choose_the_rule_on_one_connection, 0, 3);
    tcase_add_test(tcase, an_absolute_target_is_its_own_host);
    tcase_add_test(tcase, a_path_that_no_rule_has_is_404_and_the_connection_goes_on);
}

CHECK_MAIN("host and path choose the rule", add_tests)
