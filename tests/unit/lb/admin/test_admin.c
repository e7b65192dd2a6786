/* SPDX-License-Identifier: Apache-2.0 */
/* What operators see and may do, through a real socket file. */
#include <sys/stat.h>
#include <sys/wait.h>

#include "lb/base/limits.h"
#include "tests/unit/lb/admin/admin_stage.h"

static struct admin_stage stage;

static const char ini[] =
    "[listener web]\naddress = 127.0.0.1:8080\naddress = [::1]:8080\nprotocol = http\n"
    "[listener also]\naddress = 127.0.0.1:8081\nprotocol = http\n"
    "[rule www]\nlistener = web\nlistener = also\ndomain = www.example.com\npool = app\n"
    "[rule api]\nlistener = web\nurl = /api\npool = spare\n"
    "[pool app]\nbackend = rs-1 127.0.0.1:9001 weight=5\nbackend = rs-2 127.0.0.1:9002\n"
    "[pool spare]\nbackend = rs-1 127.0.0.1:9003\nhealth_check = off\n";

static void begin(void)
{
    stage_open(&stage, ini);
}

static void end(void)
{
    stage_close(&stage);
}

static struct standing *standing_of(unsigned pool, unsigned backend)
{
    return stage.config->pools[pool]->backends[backend].standing;
}

static unsigned log_lines(const char *word)
{
    log_close(); /* what is queued is written */
    char *log = folder_read(&stage.folder, "log");
    unsigned count = text_count(log, word);
    free(log);
    return count;
}

START_TEST(the_status_tells_everything)
{
    struct standing *standing = standing_of(0, 1);
    json_t *json;
    const json_t *found;
    stage.facts = (struct admin_facts){.worker_count = 3, .started_ms = 1000, .loaded_ms = 2000};
    stage.client_count = 7;
    atomic_store(&standing->verdict, VERDICT_DOWN);
    snprintf(standing->reason, sizeof standing->reason, "connection \"refused\"");
    standing->since_s = 3;
    atomic_store(standing->active, 4);
    standing->lanes[3].answers[1] = 5;
    atomic_store(&standing->failed, 6);
    ck_assert_uint_eq(stage_ask(&stage, "GET", "/v1/status", &json), 200);
    ck_assert_int_eq(json_number_at(json, "pid"), getpid());
    ck_assert_int_eq(json_number_at(json, "workers"), 3);
    ck_assert_int_eq(json_number_at(json, "clients"), 7);
    ck_assert_str_eq(json_at(json, "started", NULL), "1970-01-01T00:00:01.000Z");
    ck_assert_str_eq(json_at(json, "config.file", NULL), folder_file(&stage.folder, "lb.ini"));
    ck_assert_str_eq(json_at(json, "config.loaded", NULL), "1970-01-01T00:00:02.000Z");
    json_at(json, "config.reload_failure", &found);
    ck_assert(json_is_null(found));
    ck_assert_str_eq(json_at(json, "listeners.0.name", NULL), "web");
    ck_assert_str_eq(json_at(json, "listeners.0.addresses.1", NULL), "[::1]:8080");
    ck_assert_str_eq(json_at(json, "listeners.0.protocol", NULL), "http");
    ck_assert_int_eq(json_number_at(json, "listeners.1.clients"), 7 + 4);
    ck_assert_str_eq(json_at(json, "pools.0.backends.1.name", NULL), "rs-2");
    ck_assert_str_eq(json_at(json, "pools.0.backends.1.address", NULL), "127.0.0.1:9002");
    ck_assert_str_eq(json_at(json, "pools.0.backends.1.state", NULL), "down");
    ck_assert_str_eq(json_at(json, "pools.0.backends.1.reason", NULL), "connection \"refused\"");
    ck_assert_str_eq(json_at(json, "pools.0.backends.1.since", NULL), "1970-01-01T00:00:03.000Z");
    ck_assert_int_eq(json_number_at(json, "pools.0.backends.1.active"), 4);
    ck_assert_int_eq(json_number_at(json, "pools.0.backends.1.served"), 5);
    ck_assert_int_eq(json_number_at(json, "pools.0.backends.1.failed"), 6);
    ck_assert_int_eq(json_number_at(json, "pools.0.backends.0.weight"), 5);
    ck_assert_str_eq(json_at(json, "pools.0.backends.0.state", NULL), "unknown");
    ck_assert_str_eq(json_at(json, "pools.1.health_check", NULL), "off");
    json_decref(json);
}
END_TEST

START_TEST(a_rule_of_two_listeners_is_told_once)
{
    json_t *json;
    const json_t *found;
    ck_assert_uint_eq(stage_ask(&stage, "GET", "/v1/status", &json), 200);
    ck_assert_int_eq(json_number_at(json, "rule_count"), 2);
    json_at(json, "rules", &found);
    ck_assert_uint_eq(json_array_size(found), 2);
    ck_assert_str_eq(json_at(json, "rules.0.name", NULL), "www");
    ck_assert_str_eq(json_at(json, "rules.0.listeners.1", NULL), "also");
    ck_assert_str_eq(json_at(json, "rules.0.domain", NULL), "www.example.com");
    ck_assert_str_eq(json_at(json, "rules.1.url", NULL), "/api");
    ck_assert_str_eq(json_at(json, "rules.1.pool", NULL), "spare");
    ck_assert_str_eq(json_at(json, "rules.1.mutual_auth", NULL), "off");
    json_decref(json);
    ck_assert_uint_eq(stage_ask(&stage, "GET", "/v1/status?rules=1", &json), 200);
    json_at(json, "rules", &found);
    ck_assert_uint_eq(json_array_size(found), 1);
    ck_assert_int_eq(json_number_at(json, "rule_count"), 2);
    json_decref(json);
}
END_TEST

START_TEST(why_the_last_reload_failed_is_told)
{
    json_t *json;
    stage.facts.reload_failed_ms = 5000;
    stage.facts.reload_failure = "lb.ini:3: no";
    ck_assert_uint_eq(stage_ask(&stage, "GET", "/v1/status", &json), 200);
    ck_assert_str_eq(json_at(json, "config.reload_failed", NULL), "1970-01-01T00:00:05.000Z");
    ck_assert_str_eq(json_at(json, "config.reload_failure", NULL), "lb.ini:3: no");
    json_decref(json);
}
END_TEST

START_TEST(a_blocked_backend_says_so)
{
    struct standing *standing = standing_of(0, 0);
    json_t *json;
    atomic_store(&standing->verdict, VERDICT_UP);
    atomic_store(&standing->is_blocked, true);
    atomic_store(&standing->blocked_after, 3);
    ck_assert_uint_eq(stage_ask(&stage, "GET", "/v1/backends/app/rs-1", &json), 200);
    ck_assert_str_eq(json_at(json, "backend.state", NULL), "blocked");
    ck_assert_str_eq(json_at(json, "backend.verdict", NULL), "up");
    ck_assert_str_eq(json_at(json, "backend.reason", NULL), "3 exchanges in a row failed");
    ck_assert_int_eq(json_number_at(json, "backend.blocked_ms"), 0);
    json_decref(json);
    standing->blocked_until_ms = uv_hrtime() / 1000000 + 3600000;
    ck_assert_uint_eq(stage_ask(&stage, "GET", "/v1/backends/app/rs-1", &json), 200);
    ck_assert_int_gt(json_number_at(json, "backend.blocked_ms"), 0);
    ck_assert_int_le(json_number_at(json, "backend.blocked_ms"), 3600000);
    json_decref(json);
}
END_TEST

START_TEST(an_order_has_no_reason_of_a_check)
{
    struct standing *standing = standing_of(0, 0);
    const json_t *found;
    json_t *json;
    atomic_store(&standing->verdict, _i == 2 ? VERDICT_DOWN : VERDICT_UP);
    snprintf(standing->reason, sizeof standing->reason, "200 OK");
    atomic_store(&standing->is_drained, true);
    atomic_store(&standing->is_disabled, _i == 0);
    ck_assert_uint_eq(stage_ask(&stage, "GET", "/v1/backends/app/rs-1", &json), 200);
    json_at(json, "backend.reason", &found);
    ck_assert_int_eq(json_is_null(found), _i != 2); /* drained and down has one */
    json_decref(json);
}
END_TEST

START_TEST(pools_tell_their_state_and_backends_their_share)
{
    json_t *json;
    const json_t *found;
    struct pool *pool = stage.config->pools[0];
    pool->backends[0].slow_start_ms = 1000;
    pool->backends[0].standing->up_ms = 5000;
    atomic_store(&pool->backends[1].standing->verdict, VERDICT_DOWN);
    pool_publish(pool, 5500);
    ck_assert_uint_eq(stage_ask(&stage, "GET", "/v1/status", &json), 200);
    ck_assert_str_eq(json_at(json, "pools.0.state", NULL), "up");
    json_at(json, "pools.0.has_queue", &found);
    ck_assert(json_is_false(found));
    ck_assert_int_eq(json_number_at(json, "pools.0.backends.0.share"), 55);
    ck_assert_int_eq(json_number_at(json, "pools.0.backends.1.share"), 0);
    json_decref(json);
    atomic_store(&pool->backends[0].standing->verdict, VERDICT_DOWN);
    pool_publish(pool, 9000);
    ck_assert_uint_eq(stage_ask(&stage, "GET", "/v1/status", &json), 200);
    ck_assert_str_eq(json_at(json, "pools.0.state", NULL), "all-down");
    ck_assert_int_eq(json_number_at(json, "pools.0.backends.0.share"), 100);
    json_decref(json);
}
END_TEST

static void order(const char *name, bool changed, const char *state)
{
    char target[64];
    json_t *json;
    const json_t *found;
    snprintf(target, sizeof target, "/v1/backends/app/rs-2/%s", name);
    ck_assert_uint_eq(stage_ask(&stage, "POST", target, &json), 200);
    json_at(json, "changed", &found);
    ck_assert(json_is_boolean(found) && json_is_true(found) == changed);
    ck_assert_str_eq(json_at(json, "backend.state", NULL), state);
    json_decref(json);
}

START_TEST(orders_are_obeyed_once_published_and_logged)
{
    struct standing *standing = standing_of(0, 1);
    atomic_store(&standing->verdict, VERDICT_UP);
    order("drain", true, "drained");
    ck_assert(atomic_load(&standing->is_drained) && !atomic_load(&standing->is_disabled));
    ck_assert_uint_eq(stage.published_count, 1);
    order("drain", false, "drained");
    ck_assert_uint_eq(stage.published_count, 1);
    order("disable", true, "disabled");
    ck_assert(atomic_load(&standing->is_drained) && atomic_load(&standing->is_disabled));
    ck_assert_uint_eq(stage.published_count, 1); /* it got nothing before either */
    order("enable", true, "up");
    ck_assert(!atomic_load(&standing->is_drained) && !atomic_load(&standing->is_disabled));
    ck_assert_uint_eq(stage.published_count, 2);
    order("enable", false, "up");
    ck_assert(!atomic_load(&standing_of(0, 0)->is_drained));
    ck_assert(!atomic_load(&standing_of(1, 0)->is_drained));
    ck_assert_uint_eq(log_lines("pool=app backend=rs-2"), 3);
    ck_assert_uint_eq(log_lines("info backend.drained uid="), 1);
    ck_assert_uint_eq(log_lines("info backend.disabled uid="), 1);
    ck_assert_uint_eq(log_lines("info backend.enabled uid="), 1);
}
END_TEST

static const struct {
    const char *method;
    const char *target;
    unsigned status;
    const char *reason;
    const char *text;
} refusals[] = {
    {"GET", "/v1/backends/ap/rs-1", 404, "no-such-pool", "there is no pool ap: did you mean app?"},
    {"POST", "/v1/backends/xyzzy/rs-1/drain", 404, "no-such-pool",
     "there is no pool xyzzy; lb status lists them"},
    {"POST", "/v1/backends/app/rs1/drain", 404, "no-such-backend",
     "pool app has no backend rs1: did you mean app/rs-1?"},
    {"POST", "/v1/backends/app/q/drain", 404, "no-such-backend",
     "pool app has no backend q; lb status lists them"},
    {"GET", "/v1/backends/app/rs-1/drain", 405, "wrong-method", "this path takes POST"},
    {"POST", "/v1/status", 405, "wrong-method", "this path takes GET, HEAD"},
    {"GET", "/v1/status?x=1", 400, "bad-input", "the query has no key \"x\""},
    {"GET", "/v1/status?rule=1", 400, "bad-input",
     "the query has no key \"rule\": did you mean \"rules\"?"},
    {"GET", "/v1/status?rules=few", 400, "bad-input", "rules=few is no whole number from 0"},
    {"GET", "/v1/status?rules=-1", 400, "bad-input", "rules=-1 is no whole number from 0"},
    {"GET", "/v1/status?rules", 400, "bad-input", "rules= is no whole number from 0"},
    {"GET", "/v1/backends/app/rs-1?x=1", 400, "bad-input", "this call takes no query: \"x\""},
    {"POST", "/v1/backends/app/rs-1/drain?now", 400, "bad-input",
     "this call takes no query: \"now\""},
    {"POST", "/v1/reload?now", 400, "bad-input", "this call takes no query: \"now\""},
    {"GET", "/metrics?x=1", 400, "bad-input", "this call takes no query: \"x\""},
    {"GET", "/", 404, "no-such-path", "there is nothing of this path"},
    {"GET", "/v1/%zz", 404, "no-such-path", "there is nothing of this path"},
};

START_TEST(what_cannot_be_done_is_refused_with_a_reason)
{
    json_t *json;
    ck_assert_uint_eq(stage_ask(&stage, refusals[_i].method, refusals[_i].target, &json),
                      refusals[_i].status);
    ck_assert_str_eq(json_at(json, "error.reason", NULL), refusals[_i].reason);
    ck_assert_str_eq(json_at(json, "error.text", NULL), refusals[_i].text);
    json_decref(json);
    ck_assert_uint_eq(stage.published_count, 0);
}
END_TEST

/* --- reload -------------------------------------------------------------------------------- */

static void ask_for_reload(struct caller *caller)
{
    static const char request[] =
        "POST /v1/reload HTTP/1.1\r\nHost: lb\r\nConnection: close\r\n\r\n";
    unsigned before = stage.reload_count;
    caller_connect(&stage, caller);
    caller_say(caller, request, strlen(request));
    stage_until(&stage, stage.reload_count == before + 1);
}

START_TEST(a_reload_is_answered_when_it_is_over)
{
    struct problems problems = {0};
    struct caller caller;
    json_t *json;
    const json_t *found;
    ask_for_reload(&caller);
    for (int i = 0; i < 10; i++)
        stage_turn(&stage);
    caller_receive(&caller);
    ck_assert_uint_eq(caller.inbox.length, 0);
    problems_warn(&problems, "lb.ini", 4, "odd");
    stage.reloaded(stage.reload_arg, true, &problems);
    ck_assert_uint_eq(caller_answer(&stage, &caller, &json), 200);
    json_at(json, "reloaded", &found);
    ck_assert(json_is_true(found));
    ck_assert_str_eq(json_at(json, "warnings.0.file", NULL), "lb.ini");
    ck_assert_str_eq(json_at(json, "warnings.0.severity", NULL), "warning");
    ck_assert_int_eq(json_number_at(json, "warnings.0.line"), 4);
    json_decref(json);
    caller_done(&caller);
    problems_done(&problems);
    ck_assert_uint_eq(log_lines("info admin.reload uid="), 1);
}
END_TEST

START_TEST(a_reload_that_fails_says_why)
{
    struct problems problems = {0};
    struct caller caller;
    json_t *json;
    const json_t *found;
    ask_for_reload(&caller);
    problems_add(&problems, "lb.ini", 0, "wrong");
    stage.reloaded(stage.reload_arg, false, &problems);
    ck_assert_uint_eq(caller_answer(&stage, &caller, &json), 422);
    json_at(json, "reloaded", &found);
    ck_assert(json_is_false(found));
    ck_assert_str_eq(json_at(json, "problems.0.severity", NULL), "error");
    ck_assert_str_eq(json_at(json, "problems.0.text", NULL), "wrong");
    json_decref(json);
    caller_done(&caller);
    problems_done(&problems);
}
END_TEST

START_TEST(who_leaves_before_the_answer_does_no_harm)
{
    const struct problems none = {0};
    struct caller caller;
    json_t *json;
    ask_for_reload(&caller);
    caller_done(&caller);
    for (int i = 0; i < 10; i++)
        stage_turn(&stage);
    stage.reloaded(stage.reload_arg, true, &none);
    ck_assert_uint_eq(stage_ask(&stage, "GET", "/v1/status", &json), 200);
    json_decref(json);
}
END_TEST

START_TEST(it_closes_only_when_the_last_reload_is_over)
{
    const struct problems none = {0};
    struct caller caller;
    ask_for_reload(&caller);
    admin_close(stage.admin, stage_on_closed, &stage);
    stage.admin = NULL;
    stage_until(&stage, caller_has_ended(&caller));
    for (int i = 0; i < 10; i++)
        stage_turn(&stage);
    ck_assert(!stage.is_closed);
    stage.reloaded(stage.reload_arg, false, &none);
    ck_assert(stage.is_closed);
    caller_done(&caller);
}
END_TEST

/* --- who may come -------------------------------------------------------------------------- */

/* The child is nobody; the file would keep it out, so it is opened for everyone here. */
START_TEST(a_stranger_is_refused_and_logged)
{
    enum { NOBODY = 65534 };
    int ends[2];
    char answer[1024] = "";
    if (geteuid() != 0)
        return;
    ck_assert_int_eq(chmod(stage.folder.path, 0755), 0);
    ck_assert_int_eq(chmod(folder_file(&stage.folder, "var"), 0755), 0);
    ck_assert_int_eq(chmod(folder_file(&stage.folder, "var/admin.sock"), 0666), 0);
    ck_assert_int_eq(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        static const char request[] = "POST /v1/backends/app/rs-1/drain HTTP/1.1\r\nHost: lb\r\n"
                                      "Connection: close\r\n\r\n";
        int fd = setuid(NOBODY) == 0
                     ? unix_socket_connect(folder_file(&stage.folder, "var/admin.sock"), 20000)
                     : -1;
        ssize_t got = send(fd, request, strlen(request), 0);
        got = recv(fd, answer, sizeof answer, MSG_WAITALL);
        got = write(ends[1], answer, got > 0 ? (size_t)got : 0);
        _exit(got > 0 ? 0 : 1);
    }
    int status = 0;
    stage_until(&stage, waitpid(child, &status, WNOHANG) == child);
    ck_assert_int_eq(status, 0);
    ck_assert_int_gt(read(ends[0], answer, sizeof answer - 1), 0);
    ck_assert_msg(strstr(answer, "HTTP/1.1 403 ") && strstr(answer, "not-allowed"), "%s", answer);
    close(ends[0]);
    close(ends[1]);
    ck_assert(!atomic_load(&standing_of(0, 0)->is_drained));
    ck_assert_uint_eq(log_lines("warn admin.refused uid=65534 "), 1);
}
END_TEST

START_TEST(too_many_connections_are_refused_and_the_others_stay)
{
    struct caller callers[ADMIN_CLIENTS_MOST];
    struct caller more;
    json_t *json;
    for (unsigned i = 0; i < ADMIN_CLIENTS_MOST; i++) {
        caller_connect(&stage, &callers[i]);
        stage_turn(&stage);
    }
    caller_connect(&stage, &more);
    stage_until(&stage, caller_has_ended(&more));
    ck_assert_uint_eq(more.inbox.length, 0);
    static const char request[] =
        "GET /v1/status HTTP/1.1\r\nHost: lb\r\nConnection: close\r\n\r\n";
    caller_say(&callers[0], request, strlen(request));
    ck_assert_uint_eq(caller_answer(&stage, &callers[0], &json), 200);
    json_decref(json);
    for (unsigned i = 0; i < ADMIN_CLIENTS_MOST; i++)
        caller_done(&callers[i]);
    caller_done(&more);
    ck_assert_uint_eq(log_lines("warn admin.full"), 1);
}
END_TEST

/* --- opening ------------------------------------------------------------------------------- */

static bool open_second(const char *text, unsigned line, struct admin **ret_admin,
                        struct error *err)
{
    const char *texts[] = {text};
    unsigned lines[] = {line};
    const struct admin_options options = {.address = {.items = texts, .lines = lines, .count = 1},
                                          .address_line = line};
    return admin_open(ret_admin, &stage.host, &options, NULL, &stage.context, err);
}

START_TEST(an_address_that_was_asked_for_must_be_had)
{
    struct admin *second;
    struct error err;
    ck_assert(!open_second(stage.config->admin->address.items[0], 7, &second, &err));
    ck_assert_msg(strstr(err.text, "another program listens on "), "%s", err.text);
    ck_assert_ptr_null(second);
}
END_TEST

START_TEST(a_default_that_cannot_be_had_is_a_warning)
{
    struct admin *second;
    struct error err;
    ck_assert(open_second(stage.config->admin->address.items[0], 0, &second, &err));
    ck_assert_ptr_null(second);
    ck_assert_uint_eq(log_lines("warn admin.not-open"), 1);
    ck_assert_uint_eq(log_lines("another program listens on "), 1);
}
END_TEST

START_TEST(off_opens_nothing)
{
    struct admin *second;
    struct error err;
    ck_assert(open_second("off", 7, &second, &err));
    ck_assert_ptr_null(second);
    ck_assert_uint_eq(log_lines("admin.open"), 1); /* the first one's */
}
END_TEST

START_TEST(the_file_goes_with_it)
{
    ck_assert_int_eq(access(folder_file(&stage.folder, "var/admin.sock"), F_OK), 0);
    admin_close(stage.admin, stage_on_closed, &stage);
    stage.admin = NULL;
    stage_until(&stage, stage.is_closed);
    ck_assert_int_ne(access(folder_file(&stage.folder, "var/admin.sock"), F_OK), 0);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, the_status_tells_everything);
    tcase_add_test(tcase, a_rule_of_two_listeners_is_told_once);
    tcase_add_test(tcase, why_the_last_reload_failed_is_told);
    tcase_add_test(tcase, a_blocked_backend_says_so);
    tcase_add_loop_test(tcase, an_order_has_no_reason_of_a_check, 0, 3);
    tcase_add_test(tcase, pools_tell_their_state_and_backends_their_share);
    tcase_add_test(tcase, orders_are_obeyed_once_published_and_logged);
    tcase_add_loop_test(tcase, what_cannot_be_done_is_refused_with_a_reason, 0,
                        sizeof refusals / sizeof *refusals);
    tcase_add_test(tcase, a_reload_is_answered_when_it_is_over);
    tcase_add_test(tcase, a_reload_that_fails_says_why);
    tcase_add_test(tcase, who_leaves_before_the_answer_does_no_harm);
    tcase_add_test(tcase, it_closes_only_when_the_last_reload_is_over);
    tcase_add_test(tcase, a_stranger_is_refused_and_logged);
    tcase_add_test(tcase, too_many_connections_are_refused_and_the_others_stay);
    tcase_add_test(tcase, an_address_that_was_asked_for_must_be_had);
    tcase_add_test(tcase, a_default_that_cannot_be_had_is_a_warning);
    tcase_add_test(tcase, off_opens_nothing);
    tcase_add_test(tcase, the_file_goes_with_it);
}

CHECK_MAIN("admin", add_tests)
