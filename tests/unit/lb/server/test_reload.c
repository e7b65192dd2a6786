/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which reload comes when: of the file, or of the text in force because the registry's CAs have
 * changed. A server without workers: whatever is loaded is adopted at once. The config has one host
 * that is open until a CA is bound to it.
 */
#include "lb/server/reload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backends/health/health.h"
#include "lb/base/log.h"
#include "lb/server/server_state.h"
#include "listeners/registry/cas.h"
#include "listeners/registry/registry.h"
#include "listeners/registry/registry_options.h"
#include "tests/support/check_main.h"
#include "tests/support/config_folder.h"

static const char text[] = "[listener web]\naddress = 127.0.0.1:8443\n"
                           "certificate = certs/server.crt\ncertificate_key = certs/server.key\n"
                           "mutual_auth = when-bound\nclient_ca = registry\n"
                           "client_ca = certs/ca.crt\n"
                           "[rule all]\nlistener = web\npool = app\n"
                           "[pool app]\nbackend = rs-1 127.0.0.1:9001\nhealth_check = off\n";

static struct folder folder;
static struct server *server;
static bool is_health_stopped;

/* --- the stage ----------------------------------------------------------------------------- */

static void say_nothing(void *arg)
{
    (void)arg;
}

static void open_registry(void)
{
    const struct registry_settings settings = {.location = server->config->registry->store,
                                               .signups_per_second = 15};
    const struct registry_events events = {.on_worse = say_nothing, .on_cas = say_nothing};
    struct error err = {""};
    server->registry.registry = registry_open(&settings, &events, &err);
    ck_assert_msg(server->registry.registry, "%s", err.text);
}

static void put_first_in_force(void)
{
    struct problems problems = {0};
    struct error err = {""};
    folder_write(&folder, "lb.ini", text);
    server->config = config_load(folder_file(&folder, "lb.ini"), &problems);
    ck_assert_ptr_nonnull(server->config);
    problems_done(&problems);
    server_use_config(server->config);
    open_registry();
    ck_assert(config_open(server->config, server->roster, &server->services, NULL));
    ck_assert_msg(server_check_health(server, server->config, &err), "%s", err.text);
    reload_init(server);
}

static void begin(void)
{
    config_folder_make(&folder);
    ck_assert_int_eq(mkdir(folder_file(&folder, "var"), 0700), 0);
    server = calloc(1, sizeof *server);
    ck_assert_ptr_nonnull(server);
    uv_loop_init(&server->loop);
    loop_context_init(&server->context, &server->loop);
    server->roster = roster_new();
    ck_assert(log_open(folder_file(&folder, "lb.log"), LOG_LEVEL_WARN, NULL));
    put_first_in_force();
}

static void on_health_stopped(void *arg)
{
    (void)arg;
    is_health_stopped = true;
    loop_context_close(&server->context);
}

static void end(void)
{
    health_stop(server->health, on_health_stopped, NULL);
    uv_run(&server->loop, UV_RUN_DEFAULT);
    ck_assert(is_health_stopped);
    reload_done(server);
    server_leave_config(server->config);
    registry_close(server->registry.registry);
    roster_free(server->roster);
    loop_context_done(&server->context);
    ck_assert_int_eq(uv_loop_close(&server->loop), 0);
    free(server);
    log_close();
    folder_remove(&folder);
}

/* --- who asks ------------------------------------------------------------------------------ */

struct asker {
    struct reload_waiter waiter;
    unsigned told; /* its turn: 1, 2 … */
    bool is_good;
    char problem[256]; /* the first error */
};
static unsigned told_count;

static void on_reloaded(struct reload_waiter *waiter, bool reloaded,
                        const struct problems *problems)
{
    struct asker *asker = LIST_OWNER(waiter, struct asker, waiter);
    ck_assert_uint_eq(asker->told, 0);
    asker->told = ++told_count;
    asker->is_good = reloaded;
    ck_assert(reloaded == (problems->error_count == 0));
    for (size_t i = 0; i < problems->count && !*asker->problem; i++)
        if (!problems->items[i].warning)
            snprintf(asker->problem, sizeof asker->problem, "%s", problems->items[i].text);
}

static void ask(struct asker *asker, enum reload_source source)
{
    *asker = (struct asker){.waiter.on_reloaded = on_reloaded};
    if (source == RELOAD_FROM_FILE)
        reload_begin(server, &asker->waiter);
    else
        reload_begin_again(server, &asker->waiter);
    ck_assert_uint_eq(asker->told, 0);
}

static void run(void)
{
    while (server->reload.state != RELOAD_IDLE) {
        uv_run(&server->loop, UV_RUN_ONCE);
        reload_advance(server);
    }
}

static bool ask_and_run(enum reload_source source)
{
    struct asker asker;
    ask(&asker, source);
    run();
    ck_assert_uint_gt(asker.told, 0);
    return asker.is_good;
}

/* --- what changes -------------------------------------------------------------------------- */

static bool serves_all(void *arg, const char *host, struct error *why_not)
{
    (void)arg;
    (void)host;
    (void)why_not;
    return true;
}

static void expect_made(enum change_refusal refusal, struct ca_result *result,
                        const struct error *err)
{
    ck_assert_msg(refusal == CHANGE_MADE, "%s", err->text);
    ca_result_done(result);
}

/* The first time the CA comes as well. */
static void set_bound(bool is_bound)
{
    static const struct actor tester = {"the test", 1700000000000};
    const struct ca_hosts_known known = {serves_all, NULL};
    static const char *const hosts[] = {"*"};
    struct ca_result result = {0};
    struct error err = {""};
    struct ledger *ledger;
    char *pem = folder_read(&folder, "certs/partner.crt");
    ck_assert_int_eq(ledger_open(&ledger, server->config->registry->store, STORE_MAKE, &err),
                     STORE_DONE);
    if (ca_get(ledger, "partner", &result, &err) == CHANGE_UNKNOWN)
        expect_made(ca_upload(ledger, "partner", pem, strlen(pem), 32, &tester, &result, &err),
                    &result, &err);
    else
        ca_result_done(&result);
    expect_made(ca_bind(ledger, "partner", CA_BIND_REPLACE, hosts, is_bound, &known, &tester,
                        &result, &err),
                &result, &err);
    ledger_close(ledger);
    free(pem);
}

static bool is_closed(void)
{
    return server->config->listeners[0].rules[0].auth.mode == AUTH_REQUIRE;
}

static void write_file(const char *more)
{
    char whole[1024];
    snprintf(whole, sizeof whole, "%s%s", text, more);
    folder_write(&folder, "lb.ini", whole);
}

#define SECOND_RULE "[rule more]\nlistener = web\nurl = /more\npool = app\n"
#define NONSENSE "[pool half-edi"

static bool has_second_rule(void)
{
    return server->config->rule_count == 2;
}

/* --- one at a time ------------------------------------------------------------------------- */

START_TEST(a_binding_is_in_force_when_its_asker_is_told)
{
    set_bound(true);
    ck_assert(ask_and_run(RELOAD_FROM_TEXT));
    ck_assert(is_closed());
    set_bound(false);
    ck_assert(ask_and_run(RELOAD_FROM_TEXT));
    ck_assert(!is_closed());
}
END_TEST

START_TEST(nothing_is_loaded_when_the_registry_says_what_it_said)
{
    const struct config *before = server->config;
    ck_assert(ask_and_run(RELOAD_FROM_TEXT));
    ck_assert_ptr_eq(server->config, before);
    set_bound(true);
    ck_assert(ask_and_run(RELOAD_FROM_TEXT));
    ck_assert_ptr_ne(server->config, before);
    before = server->config;
    ck_assert(ask_and_run(RELOAD_FROM_TEXT));
    ck_assert_ptr_eq(server->config, before);
}
END_TEST

START_TEST(the_file_is_not_looked_at_for_a_binding)
{
    write_file(NONSENSE);
    set_bound(true);
    ck_assert(ask_and_run(RELOAD_FROM_TEXT));
    ck_assert(is_closed());
    ck_assert_str_eq(server->config->text, text);
}
END_TEST

START_TEST(a_reload_of_the_file_takes_bindings_along)
{
    write_file(SECOND_RULE);
    set_bound(true);
    ck_assert(ask_and_run(RELOAD_FROM_FILE));
    ck_assert(is_closed() && has_second_rule());
    set_bound(false);
    ck_assert(ask_and_run(RELOAD_FROM_TEXT));
    ck_assert(!is_closed() && has_second_rule()); /* the text in force is the new one */
}
END_TEST

START_TEST(a_binding_that_cannot_be_put_in_force_changes_nothing)
{
    struct asker asker;
    const struct config *before = server->config;
    ck_assert_int_eq(unlink(folder_file(&folder, "certs/ca.crt")), 0);
    set_bound(true);
    ask(&asker, RELOAD_FROM_TEXT);
    run();
    ck_assert(!asker.is_good);
    ck_assert_msg(strstr(asker.problem, "certs/ca.crt"), "%s", asker.problem);
    ck_assert_ptr_eq(server->config, before);
    ck_assert(server->reload.last_failed);
    ck_assert_msg(strstr(server->reload.failure, "certs/ca.crt"), "%s", server->reload.failure);
}
END_TEST

START_TEST(a_file_that_was_no_good_stays_so_whatever_becomes_of_bindings)
{
    write_file(NONSENSE);
    ck_assert(!ask_and_run(RELOAD_FROM_FILE));
    set_bound(true);
    ck_assert(ask_and_run(RELOAD_FROM_TEXT));
    ck_assert(server->reload.last_failed);
    ck_assert_msg(strstr(server->reload.failure, "lb.ini"), "%s", server->reload.failure);
    write_file("");
    ck_assert(ask_and_run(RELOAD_FROM_FILE));
    ck_assert(!server->reload.last_failed);
}
END_TEST

START_TEST(another_store_takes_a_restart)
{
    char before[256];
    snprintf(before, sizeof before, "%s", server->config->registry->store);
    set_bound(true);
    write_file("[registry]\nstore = sqlite:var/other.db\n");
    ck_assert(ask_and_run(RELOAD_FROM_FILE));
    ck_assert_str_eq(server->config->registry->store, before);
    ck_assert(is_closed()); /* as the store of the start says */
}
END_TEST

/* --- several ------------------------------------------------------------------------------- */

START_TEST(who_asks_while_the_text_loads_gets_what_came_since)
{
    struct asker first, second, third;
    set_bound(true);
    ask(&first, RELOAD_FROM_TEXT);
    set_bound(false);
    ask(&second, RELOAD_FROM_TEXT);
    ask(&third, RELOAD_FROM_TEXT);
    run();
    ck_assert(first.is_good && second.is_good && third.is_good);
    ck_assert_uint_lt(first.told, second.told);
    ck_assert(!is_closed());
}
END_TEST

START_TEST(the_file_wins_over_the_text_and_meets_both)
{
    struct asker text_first, file, text_again;
    write_file(SECOND_RULE);
    ask(&text_first, RELOAD_FROM_TEXT);
    set_bound(true);
    ask(&text_again, RELOAD_FROM_TEXT);
    ask(&file, RELOAD_FROM_FILE);
    run();
    ck_assert(text_first.is_good && file.is_good && text_again.is_good);
    ck_assert_uint_lt(text_first.told, file.told);
    ck_assert_uint_lt(file.told, text_again.told);
    ck_assert(is_closed() && has_second_rule());
}
END_TEST

START_TEST(a_text_asked_for_before_a_file_that_is_no_good_is_loaded_after_it)
{
    struct asker text_first, file, text_again;
    write_file(NONSENSE);
    ask(&text_first, RELOAD_FROM_TEXT);
    set_bound(true);
    ask(&text_again, RELOAD_FROM_TEXT);
    ask(&file, RELOAD_FROM_FILE);
    run();
    ck_assert(!file.is_good);
    ck_assert(text_again.is_good);
    ck_assert_uint_lt(file.told, text_again.told);
    ck_assert(is_closed());
}
END_TEST

START_TEST(a_text_asked_for_while_the_file_loads_is_loaded_after_it)
{
    struct asker file, text_again;
    write_file(SECOND_RULE);
    ask(&file, RELOAD_FROM_FILE);
    set_bound(true);
    ask(&text_again, RELOAD_FROM_TEXT);
    run();
    ck_assert(file.is_good && text_again.is_good);
    ck_assert_uint_lt(file.told, text_again.told);
    ck_assert(is_closed() && has_second_rule());
}
END_TEST

START_TEST(nobody_waits_is_fine)
{
    set_bound(true);
    reload_begin_again(server, NULL);
    reload_begin_again(server, NULL);
    reload_begin(server, NULL);
    run();
    ck_assert(is_closed());
}
END_TEST

START_TEST(who_asks_an_lb_that_ends_is_told_no)
{
    struct asker asker;
    set_bound(true);
    server->state = SERVER_DRAINING;
    ask(&asker, RELOAD_FROM_TEXT);
    run();
    ck_assert(!asker.is_good);
    ck_assert_msg(strstr(asker.problem, "ending"), "%s", asker.problem);
    ck_assert(!is_closed());
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, a_binding_is_in_force_when_its_asker_is_told);
    tcase_add_test(tcase, nothing_is_loaded_when_the_registry_says_what_it_said);
    tcase_add_test(tcase, the_file_is_not_looked_at_for_a_binding);
    tcase_add_test(tcase, a_reload_of_the_file_takes_bindings_along);
    tcase_add_test(tcase, a_binding_that_cannot_be_put_in_force_changes_nothing);
    tcase_add_test(tcase, a_file_that_was_no_good_stays_so_whatever_becomes_of_bindings);
    tcase_add_test(tcase, another_store_takes_a_restart);
    tcase_add_test(tcase, who_asks_while_the_text_loads_gets_what_came_since);
    tcase_add_test(tcase, the_file_wins_over_the_text_and_meets_both);
    tcase_add_test(tcase, a_text_asked_for_before_a_file_that_is_no_good_is_loaded_after_it);
    tcase_add_test(tcase, a_text_asked_for_while_the_file_loads_is_loaded_after_it);
    tcase_add_test(tcase, nobody_waits_is_fine);
    tcase_add_test(tcase, who_asks_an_lb_that_ends_is_told_no);
}

CHECK_MAIN("reload", add_tests)
