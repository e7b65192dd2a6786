/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Health checks over HTTP and HTTPS, as an operator meets them: what backends are asked, what
 * becomes of one that answers badly, late, oddly or not at all, and how it comes back.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/support/check_main.h"
#include "tests/support/eventually.h"
#include "tests/support/nginx_backend.h"
#include "tests/support/peer.h"
#include "tests/support/scene.h"
#include "tests/support/stub_backend.h"
#include "tests/support/stub_tls.h"

/* How rs-1 takes checks; requests it answers by name all the time. */
enum manner { GOOD, BAD_STATUS, HANGING, ODD, CLOSING, DYING };

struct stage {
    struct scene scene;
    struct stub_backend backends[2];
    _Atomic(enum manner) manner;
};

static bool is_check(const struct stub_request *request)
{
    char agent[32];
    return text_field(request->head.bytes, "User-Agent", agent, sizeof agent) &&
           strcmp(agent, "lb-health-check") == 0;
}

/* false: the connection ends. */
static bool answer_check(struct stub_link *link, enum manner manner)
{
    switch (manner) {
    case GOOD:
        return stub_say(link, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n");
    case BAD_STATUS:
        return stub_say(link, "HTTP/1.1 500 Oh\r\nContent-Length: 4\r\n\r\n");
    case HANGING:
        stub_wait_for_end(link);
        return false;
    case ODD:
        return stub_say(link, "220 mail.example.com ESMTP\r\n");
    case CLOSING:
        return false;
    case DYING:
        stub_reset(link);
        return false;
    }
    return false;
}

static void serve(struct stub_link *link)
{
    struct stage *stage = link->stub->story;
    bool goes_on = true;
    while (goes_on) {
        struct stub_request request;
        goes_on = stub_read(link, &request);
        if (goes_on && is_check(&request))
            goes_on = answer_check(link, atomic_load(&stage->manner));
        else if (goes_on)
            goes_on = stub_say(link, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nrs-1");
        stub_request_done(&request);
    }
}

/* rs_1: what stands behind its address. */
static void stage_begin_with(struct stage *stage, enum manner manner, const char *rs_1,
                             const char *pool)
{
    struct text ini = {0};
    scene_begin(&stage->scene);
    atomic_store(&stage->manner, manner);
    stub_start_with(&stage->backends[0], "rs-1", serve, stage);
    stub_start(&stage->backends[1], "rs-2", NULL);
    scene_set_port(&stage->scene, "rs-1", stage->backends[0].port);
    scene_set_port(&stage->scene, "rs-2", stage->backends[1].port);
    text_add_format(&ini,
                    "[listener web]\naddress = 127.0.0.1:@web\nprotocol = http\n\n"
                    "[rule any]\nlistener = web\npool = app\n\n"
                    "[rule star]\nlistener = web\ndomain = *.example.com\npool = app\n\n"
                    "[rule named]\nlistener = web\ndomain = www.example.com\npool = app\n\n"
                    "[rule other]\nlistener = web\ndomain = other.example.com\npool = app\n\n"
                    "[pool app]\nbackend = rs-1 127.0.0.1:@rs-1 %s\n%s\n",
                    rs_1, pool);
    scene_start(&stage->scene, ini.bytes);
    text_done(&ini);
}

static void stage_begin(struct stage *stage, enum manner manner, const char *pool)
{
    stage_begin_with(stage, manner, "", pool);
}

static void stage_end(struct stage *stage)
{
    scene_end(&stage->scene);
    for (unsigned i = 0; i < 2; i++)
        stub_stop(&stage->backends[i]);
}

static const char both[] = "backend = rs-2 127.0.0.1:@rs-2\nhealth_check_interval = 400ms\n"
                           "health_check_timeout = 390ms\nhealthy_threshold = 2\n"
                           "unhealthy_threshold = 2\n";

static bool is_down(const struct stage *stage, const char *reason)
{
    return scene_log_has(&stage->scene, "backend.down", "pool=app", "backend=rs-1", reason,
                         "took_ms=", NULL);
}

static unsigned get(struct stage *stage, char name[16])
{
    struct peer peer;
    peer_connect(&peer, scene_port(&stage->scene, "web"));
    unsigned status = peer_get(&peer, "a", "/", name, 16);
    peer_close(&peer);
    return status;
}

/* Requests that all get 200; how many of them rs-1 answered. */
static unsigned ask(struct stage *stage, unsigned count)
{
    unsigned before = atomic_load(&stage->backends[0].requests);
    for (unsigned i = 0; i < count; i++) {
        char name[16];
        ck_assert_uint_eq(get(stage, name), 200);
    }
    return atomic_load(&stage->backends[0].requests) - before;
}

static bool heard(struct stub_backend *stub, const char *words)
{
    char *all = stub_heard(stub);
    bool has = strstr(all, words) != NULL;
    free(all);
    return has;
}

/* ---- what is asked ---- */

START_TEST(unset_the_first_exact_domain_of_a_rule_is_asked_for)
{
    static const char wanted[] = "HEAD / HTTP/1.1\r\nHost: www.example.com\r\n"
                                 "User-Agent: lb-health-check\r\nAccept: */*\r\n"
                                 "Connection: close\r\n\r\n";
    struct stage stage;
    stage_begin(&stage, GOOD, "");
    eventually(heard(&stage.backends[0], wanted));
    eventually(
        scene_log_has(&stage.scene, "info backend.up", "backend=rs-1", "reason=\"200 OK\"", NULL));
    stage_end(&stage);
}
END_TEST

START_TEST(what_is_asked_is_as_configured)
{
    static const char wanted[] = "GET /up?deep=1 HTTP/1.1\r\nHost: health.example.com\r\n";
    struct stage stage;
    stage_begin(&stage, GOOD,
                "health_check_method = GET\nhealth_check_path = /up?deep=1\n"
                "health_check_host = health.example.com\nhealth_check_codes = 200\n");
    eventually(heard(&stage.backends[0], wanted));
    stage_end(&stage);
}
END_TEST

START_TEST(another_port_may_tell_a_backends_health)
{
    struct stage stage;
    stage_begin(&stage, GOOD,
                "health_check_port = @rs-2\nhealth_check_interval = 400ms\n"
                "health_check_timeout = 390ms\n");
    eventually(atomic_load(&stage.backends[1].checks) > 1);
    ck_assert_uint_eq(atomic_load(&stage.backends[0].checks), 0);
    ck_assert_uint_eq(ask(&stage, 10), 10);
    ck_assert_uint_eq(atomic_load(&stage.backends[1].requests), 0);
    stage_end(&stage);
}
END_TEST

START_TEST(a_backend_of_weight_0_is_checked_and_gets_nothing)
{
    struct stage stage;
    stage_begin(&stage, BAD_STATUS, "backend = rs-2 127.0.0.1:@rs-2 weight=0\n");
    eventually(scene_log_has(&stage.scene, "backend.up", "backend=rs-2", NULL));
    eventually(is_down(&stage, "reason="));
    /* Not even while rs-1 is down: all_down = any means all with a weight. */
    ck_assert_uint_eq(ask(&stage, 10), 10);
    ck_assert_uint_eq(atomic_load(&stage.backends[1].requests), 0);
    stage_end(&stage);
}
END_TEST

/* ---- what becomes of a bad one ---- */

static const struct {
    enum manner manner;
    const char *reason;
} manners[] = {
    {BAD_STATUS, "reason=\"500 Internal Server Error is not among 1xx-4xx\""},
    {HANGING, "reason=\"no answer within 390ms\""},
    {ODD, "reason=\"answer is not HTTP: the status line is not HTTP/1.1 SP three digits"},
    {CLOSING, "reason=\"connection closed without an answer\""},
    {DYING, "reason=\"connection reset by peer\""},
};

START_TEST(a_backend_that_answers_badly_gets_nothing_until_it_is_well_again)
{
    struct stage stage;
    char name[16];
    stage_begin(&stage, GOOD, both);
    eventually(scene_log_has(&stage.scene, "backend.up", "backend=rs-1", NULL));
    ck_assert_uint_eq(ask(&stage, 10), 5);
    atomic_store(&stage.manner, manners[_i].manner);
    eventually(is_down(&stage, manners[_i].reason));
    ck_assert_uint_eq(ask(&stage, 10), 0);
    atomic_store(&stage.manner, GOOD);
    eventually(get(&stage, name) == 200 && strcmp(name, "rs-1") == 0);
    ck_assert_uint_eq(ask(&stage, 10), 5);
    stage_end(&stage);
}
END_TEST

START_TEST(when_all_fail_their_checks_they_are_asked_all_the_same_or_503_is_said)
{
    struct stage stage;
    char name[16];
    stage_begin(&stage, BAD_STATUS, _i == 0 ? "all_down = any\n" : "all_down = 503\n");
    eventually(is_down(&stage, "reason="));
    ck_assert_uint_eq(get(&stage, name), _i == 0 ? 200 : 503);
    ck_assert_uint_eq(atomic_load(&stage.backends[0].requests), _i == 0 ? 1 : 0);
    stage_end(&stage);
}
END_TEST

/* At first a tenth of its weight counts: 1 turn where the other one has 10. In an hour it has all.
 */
START_TEST(a_backend_that_returns_may_start_slowly)
{
    struct stage stage;
    char name[16];
    stage_begin_with(&stage, GOOD, "slow_start=1h", both);
    eventually(scene_log_has(&stage.scene, "backend.up", "backend=rs-1", NULL));
    ck_assert_uint_eq(ask(&stage, 10), 5);
    atomic_store(&stage.manner, BAD_STATUS);
    eventually(is_down(&stage, "reason="));
    ck_assert_uint_eq(ask(&stage, 10), 0);
    atomic_store(&stage.manner, GOOD);
    eventually(get(&stage, name) == 200 && strcmp(name, "rs-1") == 0);
    ck_assert_uint_eq(ask(&stage, 22), 2);
    stage_end(&stage);
}
END_TEST

/* ---- over TLS ---- */

/* rs-1 asks for a certificate of the CA; lb shows the one that `pool` names. */
static void begin_with_tls(struct stage *stage, const char *pool, stub_serve behave,
                           struct stub_tls_plan plan)
{
    struct made *ca = made_ca("Backend CA");
    struct made *server = made_server(ca, "rs-1.example.com");
    struct made *lb = made_client(ca, "lb");
    struct text ini = {0};
    scene_begin(&stage->scene);
    made_write(ca, stage->scene.folder.path, "ca");
    made_write(lb, stage->scene.folder.path, "lb");
    plan.certificate = server;
    plan.client_ca = ca;
    stub_tls_start(&stage->backends[0], "rs-1", behave, &plan);
    scene_set_port(&stage->scene, "rs-1", stage->backends[0].port);
    text_add_format(&ini,
                    "[listener web]\naddress = 127.0.0.1:@web\nprotocol = http\n\n"
                    "[rule any]\nlistener = web\npool = app\n\n"
                    "[pool app]\nprotocol = https\nbackend = rs-1 127.0.0.1:@rs-1\n%s\n",
                    pool);
    scene_start(&stage->scene, ini.bytes);
    text_done(&ini);
    made_free(ca);
    made_free(server);
    made_free(lb);
}

/* Who shows no certificate is refused. version: as a tls plan's */
static void begin_over_tls(struct stage *stage, const char *pool, int version)
{
    begin_with_tls(stage, pool, NULL, (struct stub_tls_plan){.version = version});
}

static void end_over_tls(struct stage *stage)
{
    scene_end(&stage->scene);
    stub_stop(&stage->backends[0]);
}

START_TEST(a_check_over_tls_shows_what_links_show)
{
    struct stage stage;
    begin_over_tls(&stage,
                   "backend_ca = ca.crt\nbackend_name = rs-1.example.com\n"
                   "certificate = lb.crt\ncertificate_key = lb.key\n",
                   0);
    eventually(scene_log_has(&stage.scene, "backend.up", "backend=rs-1", "200 OK", NULL));
    char *asked = stub_tls_asked(&stage.backends[0]);
    ck_assert_msg(strstr(asked, "rs-1.example.com") == asked, "%s", asked);
    ck_assert_msg(strstr(asked, "lb") != NULL, "%s", asked);
    free(asked);
    ck_assert_uint_gt(atomic_load(&stage.backends[0].checks), 0);
    end_over_tls(&stage);
}
END_TEST

static void leave(struct stub_link *link)
{
    struct stub_request request;
    stub_read(link, &request);
    stub_request_done(&request);
}

START_TEST(a_backend_that_leaves_for_want_of_a_certificate_is_down_with_a_hint)
{
    struct stage stage;
    begin_with_tls(&stage, "backend_ca = ca.crt\nbackend_name = rs-1.example.com\n", leave,
                   (struct stub_tls_plan){.is_lenient = true});
    eventually(is_down(&stage, "connection closed without an answer (it asked for a client "
                               "certificate and got none: set certificate and certificate_key)"));
    end_over_tls(&stage);
}
END_TEST

static const struct {
    const char *pool;
    const char *reason;
} refusals[] = {
    {"backend_ca = ca.crt\nbackend_name = rs-1.example.com\n", "or wants a client certificate"},
    {"backend_ca = lb.crt\nbackend_name = rs-1.example.com\n", "in backend_ca"},
    {"backend_ca = ca.crt\nbackend_name = rs-2.example.com\n", "is not for rs-2.example.com"},
    {"backend_ca = ca.crt\nhealth_check = http\n", "reason="},
};

/* TLS 1.2, where the backend refuses within the handshake: with 1.3 its reset may overtake its
 * alert. */
START_TEST(a_backend_that_links_could_not_use_is_down)
{
    struct stage stage;
    begin_over_tls(&stage, refusals[_i].pool, TLS1_2_VERSION);
    eventually(is_down(&stage, refusals[_i].reason));
    end_over_tls(&stage);
}
END_TEST

/* ---- a real one ---- */

START_TEST(nginx_dies_and_comes_back)
{
    struct stage stage;
    struct nginx_backend nginx;
    struct text ini = {0};
    char name[16];
    nginx_start(&nginx, &(struct nginx_plan){.name = "nginx"});
    scene_begin(&stage.scene);
    stub_start(&stage.backends[1], "rs-2", NULL);
    scene_set_port(&stage.scene, "nginx", nginx.port);
    scene_set_port(&stage.scene, "rs-2", stage.backends[1].port);
    text_add_format(&ini,
                    "[listener web]\naddress = 127.0.0.1:@web\nprotocol = http\n\n"
                    "[rule any]\nlistener = web\npool = app\n\n"
                    "[pool app]\nbackend = rs-1 127.0.0.1:@nginx\n%s",
                    both);
    scene_start(&stage.scene, ini.bytes);
    text_done(&ini);
    eventually(scene_log_has(&stage.scene, "backend.up", "backend=rs-1", "200 OK", NULL));
    eventually(nginx_requests(&nginx, "HEAD / 200") > 1);
    nginx_kill(&nginx);
    eventually(is_down(&stage, "reason=\"connection refused\""));
    for (unsigned i = 0; i < 10; i++) {
        ck_assert_uint_eq(get(&stage, name), 200);
        ck_assert_str_eq(name, "rs-2");
    }
    eventually(scene_access_lines(&stage.scene, "\"backend\":\"rs-2\"") == 10);
    ck_assert_uint_eq(scene_access_lines(&stage.scene, "\"attempts\":1"), 10);
    nginx_restart(&nginx);
    eventually(get(&stage, name) == 200 && strcmp(name, "nginx") == 0);
    scene_end(&stage.scene);
    stub_stop(&stage.backends[1]);
    nginx_stop(&nginx);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, unset_the_first_exact_domain_of_a_rule_is_asked_for);
    tcase_add_test(tcase, what_is_asked_is_as_configured);
    tcase_add_test(tcase, another_port_may_tell_a_backends_health);
    tcase_add_test(tcase, a_backend_of_weight_0_is_checked_and_gets_nothing);
    tcase_add_loop_test(tcase, a_backend_that_answers_badly_gets_nothing_until_it_is_well_again, 0,
                        sizeof manners / sizeof *manners);
    tcase_add_loop_test(
        tcase, when_all_fail_their_checks_they_are_asked_all_the_same_or_503_is_said, 0, 2);
    tcase_add_test(tcase, a_backend_that_returns_may_start_slowly);
    tcase_add_test(tcase, a_check_over_tls_shows_what_links_show);
    tcase_add_test(tcase, a_backend_that_leaves_for_want_of_a_certificate_is_down_with_a_hint);
    tcase_add_loop_test(tcase, a_backend_that_links_could_not_use_is_down, 0,
                        sizeof refusals / sizeof *refusals);
    if (nginx_is_here())
        tcase_add_test(tcase, nginx_dies_and_comes_back);
}

CHECK_MAIN("backends are asked whether they are up", add_tests)
