/* SPDX-License-Identifier: Apache-2.0 */
/* The registry's calls through a real socket file, with a real registry and its threads; the test
 * is the server: it says who is connected and what is in force. */
#include "lb/admin/registry/registry_call.h"
#include "lb/base/certificate.h"
#include "listeners/registry/registry_options.h"
#include "listeners/registry/view.h"
#include "tests/support/certificates.h"
#include "tests/unit/lb/admin/admin_stage.h"

static struct admin_stage stage;
static struct registry *registry;
static struct made *ca, *alice;
static json_t *json; /* the last answer */

/* What was asked of the server. */
static struct {
    unsigned count;
    admin_reloaded applied; /* NULL: nothing waits */
    void *arg;
    bool is_slow; /* the test says when it is in force */
} applying;
static struct census_client connected;
static unsigned char asked_key[CERTIFICATE_KEY_BYTES];

static const char ini[] = "[listener web]\naddress = 127.0.0.1:8080\nprotocol = http\n"
                          "[rule www]\nlistener = web\ndomain = www.example.com\npool = app\n"
                          "[pool app]\nbackend = rs-1 127.0.0.1:9001\n";

static struct registry *host_registry(struct admin_host *host)
{
    (void)host;
    return registry;
}

static void host_apply(struct admin_host *host, admin_reloaded applied, void *arg)
{
    const struct problems none = {0};
    (void)host;
    applying.count++;
    applying.applied = applied;
    applying.arg = arg;
    if (!applying.is_slow)
        applied(arg, true, &none);
}

static void host_census(struct admin_host *host, const unsigned char key[CERTIFICATE_KEY_BYTES],
                        census_counted counted, void *arg)
{
    const struct census census = {.client_count = 3, .row_count = 1, .rows = &connected};
    (void)host;
    memcpy(asked_key, key, sizeof asked_key);
    counted(arg, &census);
}

static void on_event(void *arg)
{
    (void)arg;
}

static void begin(void)
{
    struct error err = {""};
    stage_open(&stage, ini);
    const struct registry_settings settings = {.location = stage.config->registry->store,
                                               .signups_per_second = 1};
    const struct registry_events events = {on_event, on_event, NULL};
    registry = registry_open(&settings, &events, &err);
    ck_assert_msg(registry, "%s", err.text);
    stage.host.registry = host_registry;
    stage.host.apply = host_apply;
    stage.host.census = host_census;
    memset(&applying, 0, sizeof applying);
    ca = made_ca("Fleet CA");
    alice = made_client(ca, "alice");
}

static void end(void)
{
    stage_close(&stage);
    registry_close(registry);
    json_decref(json);
    json = NULL;
    made_free(alice);
    made_free(ca);
}

/* --- asking -------------------------------------------------------------------------------- */

static void say(struct caller *caller, const char *method, const char *target, json_t *body)
{
    char *text = body ? json_dumps(body, 0) : strdup("");
    struct text request = {0};
    text_add_format(&request,
                    "%s %s HTTP/1.1\r\nHost: lb\r\nConnection: close\r\nContent-Length: "
                    "%zu\r\n\r\n%s",
                    method, target, strlen(text), text);
    caller_connect(&stage, caller);
    caller_say(caller, request.bytes, request.length);
    text_done(&request);
    json_decref(body);
    free(text);
}

static unsigned ask(const char *method, const char *target, json_t *body)
{
    struct caller caller;
    json_decref(json);
    say(&caller, method, target, body);
    unsigned status = caller_answer(&stage, &caller, &json);
    caller_done(&caller);
    return status;
}

static json_t *pem_body(const struct made *made)
{
    char *pem = made_certificate_pem(made);
    json_t *body = json_pack("{s:s}", "pem", pem);
    free(pem);
    return body;
}

static json_t *ca_body(void)
{
    json_t *body = pem_body(ca);
    json_object_set_new(body, "name", json_string("fleet"));
    return body;
}

static const char *target_of(const struct made *made, const char *rest)
{
    static char target[256];
    char *serial = certificate_serial_text(made->certificate);
    snprintf(target, sizeof target, "/v1/certificates/%s%s", serial, rest);
    free(serial);
    return target;
}

static bool is_true(const char *way)
{
    const json_t *found;
    json_at(json, way, &found);
    return json_is_true(found);
}

/* --- the stories --------------------------------------------------------------------------- */

START_TEST(a_question_before_the_first_change_makes_no_store)
{
    ck_assert_uint_eq(ask("GET", "/v1/cas", NULL), 200);
    ck_assert_uint_eq(ask("GET", "/v1/certificates?count=yes", NULL), 200);
    ck_assert_int_eq(json_number_at(json, "count"), 0);
    ck_assert_uint_eq(ask("GET", "/v1/cas/fleet", NULL), 404);
    ck_assert_int_ne(access(strchr(stage.config->registry->store, ':') + 1, F_OK), 0);
}
END_TEST

START_TEST(a_change_of_cas_is_answered_when_it_is_in_force)
{
    ck_assert_uint_eq(ask("POST", "/v1/cas", ca_body()), 201);
    ck_assert(is_true("in_force"));
    ck_assert_uint_eq(applying.count, 1);
    ck_assert_uint_eq(ask("POST", "/v1/cas/fleet/enable", NULL), 200);
    ck_assert_uint_eq(applying.count, 1); /* nothing was changed */
    ck_assert_uint_eq(ask("POST", "/v1/cas/fleet/disable", NULL), 200);
    ck_assert_uint_eq(applying.count, 2);
    ck_assert_str_eq(json_at(json, "ca.status", NULL), "inactive");
}
END_TEST

START_TEST(the_answer_waits_for_the_workers)
{
    struct caller caller;
    const struct problems none = {0};
    applying.is_slow = true;
    say(&caller, "POST", "/v1/cas", ca_body());
    stage_until(&stage, applying.count == 1);
    for (int i = 0; i < 20; i++)
        stage_turn(&stage);
    caller_receive(&caller);
    ck_assert_uint_eq(caller.inbox.length, 0);
    applying.applied(applying.arg, true, &none);
    ck_assert_uint_eq(caller_answer(&stage, &caller, &json), 201);
    ck_assert(is_true("in_force"));
    caller_done(&caller);
}
END_TEST

START_TEST(a_change_that_cannot_be_in_force_says_why)
{
    struct caller caller;
    struct problems problems = {0};
    applying.is_slow = true;
    say(&caller, "POST", "/v1/cas", ca_body());
    stage_until(&stage, applying.count == 1);
    problems_add(&problems, "lb.ini", 3, "client_ca has gone");
    applying.applied(applying.arg, false, &problems);
    problems_done(&problems);
    ck_assert_uint_eq(caller_answer(&stage, &caller, &json), 201);
    ck_assert(!is_true("in_force"));
    ck_assert_str_eq(json_at(json, "problems.0.text", NULL), "client_ca has gone");
    ck_assert_int_eq(json_number_at(json, "problems.0.line"), 3);
    caller_done(&caller);
}
END_TEST

START_TEST(hosts_are_those_that_the_config_in_force_serves)
{
    ck_assert_uint_eq(ask("POST", "/v1/cas", ca_body()), 201);
    ck_assert_uint_eq(
        ask("POST", "/v1/cas/fleet/hosts", json_pack("{s:[s]}", "hosts", "www.exampel.com")), 422);
    ck_assert_str_eq(json_at(json, "error.reason", NULL), "unserved-host");
}
END_TEST

START_TEST(a_certificate_is_shown_with_who_is_connected)
{
    unsigned char ca_key[CA_KEY_BYTES], key[CERTIFICATE_KEY_BYTES];
    const json_t *found;
    connected = (struct census_client){.address = "192.0.2.7",
                                       .port = 4711,
                                       .listener = "web",
                                       .sni = "www.example.com",
                                       .since_ms = 1000,
                                       .requests = 9};
    ask("POST", "/v1/cas", ca_body());
    ck_assert_uint_eq(ask("POST", "/v1/certificates/register", pem_body(alice)), 201);
    ck_assert_uint_eq(ask("GET", target_of(alice, ""), NULL), 200);
    ck_assert(ca_key_of(ca->certificate, ca_key) &&
              certificate_key_of(ca_key, alice->certificate, key));
    ck_assert_mem_eq(asked_key, key, sizeof key);
    ck_assert_int_eq(json_number_at(json, "client_count"), 3);
    ck_assert_str_eq(json_at(json, "clients.0.address", NULL), "192.0.2.7");
    ck_assert_int_eq(json_number_at(json, "clients.0.port"), 4711);
    ck_assert_str_eq(json_at(json, "clients.0.sni", NULL), "www.example.com");
    ck_assert_str_eq(json_at(json, "clients.0.since", NULL), "1970-01-01T00:00:01.000Z");
    ck_assert_int_eq(json_number_at(json, "clients.0.requests"), 9);
    json_at(json, "last_seen", &found);
    ck_assert(json_is_null(found));
    struct view_entry *entry = view_find(registry_view(registry), key);
    ck_assert_ptr_nonnull(entry);
    atomic_store(&entry->last_seen_s, 5);
    ck_assert_uint_eq(ask("GET", target_of(alice, ""), NULL), 200);
    ck_assert_str_eq(json_at(json, "last_seen", NULL), "1970-01-01T00:00:05.000Z");
}
END_TEST

START_TEST(what_was_answered_is_in_the_view)
{
    unsigned char ca_key[CA_KEY_BYTES], key[CERTIFICATE_KEY_BYTES];
    ask("POST", "/v1/cas", ca_body());
    ck_assert_uint_eq(ask("POST", "/v1/certificates/register", pem_body(alice)), 201);
    ck_assert(ca_key_of(ca->certificate, ca_key) &&
              certificate_key_of(ca_key, alice->certificate, key));
    const struct view_entry *entry = view_find(registry_view(registry), key);
    ck_assert_ptr_nonnull(entry);
    ck_assert_int_eq(view_status(entry), CERTIFICATE_ACTIVATED);
    ck_assert_uint_eq(ask("POST", target_of(alice, "/revoke"), json_pack("{s:b}", "confirm", 1)),
                      200);
    ck_assert_int_eq(view_status(entry), CERTIFICATE_REVOKED);
}
END_TEST

START_TEST(a_change_is_one_line_in_the_log)
{
    ask("POST", "/v1/cas", ca_body());
    ask("POST", "/v1/certificates/register", pem_body(alice));
    ask("POST", target_of(alice, "/deactivate"), NULL);
    ask("POST", target_of(alice, "/deactivate"), NULL);
    ask("GET", "/v1/certificates", NULL);
    log_close();
    char *log = folder_read(&stage.folder, "log");
    ck_assert_uint_eq(text_count(log, "registry.ca-uploaded uid="), 1);
    ck_assert_uint_eq(text_count(log, "registry.certificate-registered uid="), 1);
    ck_assert_uint_eq(text_count(log, "registry.certificate-deactivated uid="), 1);
    ck_assert_uint_eq(text_count(log, "subject=\"CN=alice\" serial="), 2);
    free(log);
    ck_assert_uint_eq(ask("GET", "/v1/audit", NULL), 200);
    char who[64];
    snprintf(who, sizeof who, "uid %u (pid %ld)", geteuid(), (long)getpid());
    ck_assert_str_eq(json_at(json, "changes.0.who", NULL), who);
}
END_TEST

START_TEST(who_comes_too_fast_is_told_when_to_come_again)
{
    struct caller caller = {.fd = -1};
    bool is_refused = false;
    ask("POST", "/v1/cas", ca_body());
    for (int i = 0; i < 20 && !is_refused; i++) {
        struct made *next = made_client(ca, "one of many");
        if (caller.fd >= 0)
            caller_done(&caller);
        json_decref(json);
        say(&caller, "POST", "/v1/certificates/register", pem_body(next));
        is_refused = caller_answer(&stage, &caller, &json) == 429;
        made_free(next);
    }
    ck_assert(is_refused);
    ck_assert_str_eq(json_at(json, "error.reason", NULL), "signup-limit");
    ck_assert_ptr_nonnull(strstr(caller.inbox.bytes, "\r\nRetry-After: 1\r\n"));
    caller_done(&caller);
}
END_TEST

START_TEST(a_client_that_leaves_takes_nothing_back)
{
    struct caller caller;
    const struct problems none = {0};
    applying.is_slow = true;
    say(&caller, "POST", "/v1/cas", ca_body());
    stage_until(&stage, applying.count == 1);
    caller_done(&caller);
    for (int i = 0; i < 20; i++)
        stage_turn(&stage);
    applying.applied(applying.arg, true, &none);
    ck_assert_uint_eq(ask("GET", "/v1/cas/fleet", NULL), 200);
}
END_TEST

START_TEST(the_admin_closes_when_the_last_call_is_over)
{
    struct caller caller;
    const struct problems none = {0};
    applying.is_slow = true;
    say(&caller, "POST", "/v1/cas", ca_body());
    stage_until(&stage, applying.count == 1);
    admin_close(stage.admin, stage_on_closed, &stage);
    for (int i = 0; i < 20; i++)
        stage_turn(&stage);
    ck_assert(!stage.is_closed);
    applying.applied(applying.arg, false, &none);
    stage_until(&stage, stage.is_closed);
    stage.admin = NULL;
    caller_done(&caller);
}
END_TEST

/* --- bodies -------------------------------------------------------------------------------- */

/* Say all of it, however slowly it is taken. */
static void say_slowly(struct caller *caller, const struct text *request)
{
    size_t said = 0;
    long long until_ms = eventually_now_ms() + EVENTUALLY_MS;
    while (said < request->length && !caller->ended) {
        ssize_t count = send(caller->fd, request->bytes + said, request->length - said,
                             MSG_NOSIGNAL | MSG_DONTWAIT);
        said += count > 0 ? (size_t)count : 0;
        stage_turn(&stage);
        caller_receive(caller);
        ck_assert(eventually_now_ms() < until_ms);
    }
}

static unsigned import(size_t padding)
{
    struct caller caller;
    struct text request = {0};
    static const char front[] = "{\"certificates\":[{\"pem\":\"nothing\"}],\"source_text\":\"x\"";
    size_t length = sizeof front - 1 + padding + 1;
    text_add_format(&request,
                    "POST /v1/certificates/import HTTP/1.1\r\nHost: lb\r\nConnection: "
                    "close\r\nContent-Length: %zu\r\n\r\n%s",
                    length, front);
    char *blanks = malloc(padding + 1);
    memset(blanks, ' ', padding);
    text_add(&request, blanks, padding);
    text_add(&request, "}", 1);
    free(blanks);
    caller_connect(&stage, &caller);
    say_slowly(&caller, &request);
    json_decref(json);
    unsigned status = caller_answer(&stage, &caller, &json);
    text_done(&request);
    caller_done(&caller);
    return status;
}

START_TEST(an_import_may_have_eight_mib_and_not_more)
{
    ck_assert_uint_eq(import(CALL_IMPORT_BYTES - 200), 200);
    ck_assert_int_eq(json_number_at(json, "bad"), 1);
    ck_assert_uint_eq(import(CALL_IMPORT_BYTES + 1), 413);
}
END_TEST

START_TEST(bad_bodies_and_queries_never_reach_the_registry)
{
    ck_assert_uint_eq(ask("POST", "/v1/cas", json_pack("{s:s}", "nme", "a")), 400);
    ck_assert_uint_eq(ask("POST", "/v1/cas", NULL), 400);
    ck_assert_uint_eq(ask("GET", "/v1/certificates?limit=none", NULL), 400);
    ck_assert_str_eq(json_at(json, "error.reason", NULL), "bad-input");
    ck_assert_uint_eq(ask("PATCH", "/v1/cas", NULL), 405);
}
END_TEST

START_TEST(an_lb_without_a_registry_says_so)
{
    stage.host.registry = NULL;
    ck_assert_uint_eq(ask("GET", "/v1/cas", NULL), 503);
    ck_assert_str_eq(json_at(json, "error.reason", NULL), "store");
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, a_question_before_the_first_change_makes_no_store);
    tcase_add_test(tcase, a_change_of_cas_is_answered_when_it_is_in_force);
    tcase_add_test(tcase, the_answer_waits_for_the_workers);
    tcase_add_test(tcase, a_change_that_cannot_be_in_force_says_why);
    tcase_add_test(tcase, hosts_are_those_that_the_config_in_force_serves);
    tcase_add_test(tcase, a_certificate_is_shown_with_who_is_connected);
    tcase_add_test(tcase, what_was_answered_is_in_the_view);
    tcase_add_test(tcase, a_change_is_one_line_in_the_log);
    tcase_add_test(tcase, who_comes_too_fast_is_told_when_to_come_again);
    tcase_add_test(tcase, a_client_that_leaves_takes_nothing_back);
    tcase_add_test(tcase, the_admin_closes_when_the_last_call_is_over);
    tcase_add_test(tcase, an_import_may_have_eight_mib_and_not_more);
    tcase_add_test(tcase, bad_bodies_and_queries_never_reach_the_registry);
    tcase_add_test(tcase, an_lb_without_a_registry_says_so);
}

CHECK_MAIN("registry api", add_tests)
