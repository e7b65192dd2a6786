/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kill -9 at any moment, again and again: of the running lb while several change its registry
 * without a pause, of lb while it starts, of commands that change the store themselves, of those
 * that make the built-in CA. Whatever was acknowledged is there afterwards, nothing is half done,
 * and lb starts.
 */
#include <jansson.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lb/admin/registry/registry_local.h"
#include "tests/support/api_call.h"
#include "tests/support/cast.h"
#include "tests/support/check_main.h"
#include "tests/support/eventually.h"
#include "tests/support/fleet.h"
#include "tests/support/process.h"

enum { WRITERS = 3, EACH = 8, KILLS = 26, KILLS_AT_START = 8, VISITS = 6, CA_KILLS = 15 };

/* clang-format off */
#define REST \
    "[registry]\nsignups_per_second = 100000\n\n" \
    "[listener web]\naddress = 127.0.0.1:@web\ncertificate = server.crt\ncertificate_key = server.key\n\n" \
    "[rule www]\nlistener = web\ndomain = www.example.com\nrespond = 204\n" \
    "mutual_auth = require\nclient_ca = fleet-ca.crt\nclient_registration = manual\n\n" \
    "[rule one]\nlistener = web\ndomain = one.example.com\nrespond = 204\n" \
    "mutual_auth = when-bound\nclient_ca = registry\n\n" \
    "[rule two]\nlistener = web\ndomain = two.example.com\nrespond = 204\n" \
    "mutual_auth = when-bound\nclient_ca = registry\n"
#define LB "[lb]\nworkers = 2\naccess_log = off\n\n"
static const char ini[] = LB REST;
/* The same registry, by a file whose lb nobody can ask. */
static const char direct_ini[] = LB "[admin]\naddress = off\n\n" REST;
/* clang-format on */

struct siege {
    struct scene scene;
    struct fleet fleet;
    unsigned seed;
    unsigned hosts; /* that the CA is bound to: bits */
    unsigned pending_hosts;
    bool has_pending_hosts;
    unsigned long acknowledged;
    char location[256];
    struct registry_facts facts;
};

static void siege_open(struct siege *siege)
{
    const char *seed = getenv("LB_TEST_SEED");
    *siege = (struct siege){0};
    siege->seed = seed ? (unsigned)strtoul(seed, NULL, 10) : (unsigned)time(NULL);
    printf("LB_TEST_SEED=%u\n", siege->seed);
    scene_begin(&siege->scene);
    cast_write(&siege->scene);
    fleet_make(&siege->fleet, WRITERS * EACH, siege->scene.folder.path);
    scene_write_ini(&siege->scene, "lb.ini", ini);
    scene_write_ini(&siege->scene, "direct.ini", direct_ini);
    snprintf(siege->location, sizeof siege->location, "sqlite:%s",
             folder_file(&siege->scene.folder, "var/registry.db"));
    siege->facts = (struct registry_facts){.location = siege->location};
}

static void siege_close(struct siege *siege)
{
    scene_end(&siege->scene);
    fleet_done(&siege->fleet);
}

/* Chooses the moment; nothing is believed to have happened until then. */
static void pass(struct siege *siege, unsigned most_ms)
{
    long us = (long)fleet_random(&siege->seed, most_ms * 1000 + 1);
    nanosleep(&(struct timespec){.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000}, NULL);
}

/* --- those who change ---------------------------------------------------------------------- */

struct writer {
    struct siege *siege;
    pthread_t thread;
    struct device *devices;
    unsigned seed;
    unsigned long acknowledged;
    bool binds; /* the CA to hosts, too */
    char refusal[512];
};

static json_t *hosts_of(unsigned bits)
{
    json_t *hosts = json_array();
    if (bits & 1)
        json_array_append_new(hosts, json_string("one.example.com"));
    if (bits & 2)
        json_array_append_new(hosts, json_string("two.example.com"));
    return hosts;
}

/* false: nobody has answered. */
static bool ask(struct writer *writer, const char *method, const char *target, json_t *body)
{
    json_t *json;
    unsigned status = api_try(&writer->siege->scene, method, target, body, &json);
    if (status != 0 && status != 200 && status != 201) {
        const char *text =
            json_string_value(json_object_get(json_object_get(json, "error"), "text"));
        snprintf(writer->refusal, sizeof writer->refusal, "%s %s: %u %s", method, target, status,
                 text ? text : "");
    }
    json_decref(json);
    writer->acknowledged += status == 200 || status == 201;
    return status != 0;
}

static bool bind_hosts(struct writer *writer)
{
    struct siege *siege = writer->siege;
    unsigned bits = fleet_random(&writer->seed, 4);
    if (ask(writer, "PUT", "/v1/cas/fleet/hosts", json_pack("{s:o}", "hosts", hosts_of(bits)))) {
        siege->hosts = bits;
        return true;
    }
    siege->pending_hosts = bits;
    siege->has_pending_hosts = true;
    return false;
}

static bool change_one(struct writer *writer)
{
    struct device_change change;
    struct device *device = &writer->devices[fleet_random(&writer->seed, EACH)];
    if (!fleet_choose(device, &writer->seed, &change))
        return true;
    if (ask(writer, change.method, change.target, fleet_body(device, &change))) {
        fleet_took(device, &change);
        return true;
    }
    device->pending = change;
    return false;
}

static void *write_on(void *arg)
{
    struct writer *writer = arg;
    bool goes_on = true;
    while (goes_on && !*writer->refusal) {
        if (writer->binds && fleet_random(&writer->seed, 12) == 0)
            goes_on = bind_hosts(writer);
        else
            goes_on = change_one(writer);
    }
    return NULL;
}

static void begin_writing(struct siege *siege, struct writer *writers)
{
    for (unsigned i = 0; i < WRITERS; i++) {
        writers[i] = (struct writer){.siege = siege,
                                     .devices = &siege->fleet.devices[i * EACH],
                                     .binds = i == 0,
                                     .seed = fleet_random(&siege->seed, 1000000)};
        ck_assert_int_eq(pthread_create(&writers[i].thread, NULL, write_on, &writers[i]), 0);
    }
}

static void end_writing(struct siege *siege, struct writer *writers)
{
    for (unsigned i = 0; i < WRITERS; i++) {
        ck_assert_int_eq(pthread_join(writers[i].thread, NULL), 0);
        ck_assert_msg(!*writers[i].refusal, "%s", writers[i].refusal);
        siege->acknowledged += writers[i].acknowledged;
    }
}

/* --- what must be there -------------------------------------------------------------------- */

static unsigned ask_lb(void *arg, const char *path, json_t **json)
{
    const struct siege *siege = arg;
    return api_call(&siege->scene, "GET", path, NULL, json);
}

static unsigned ask_store(void *arg, const char *path, json_t **json)
{
    const struct siege *siege = arg;
    unsigned status = 0;
    ck_assert(registry_call_local("GET", path, NULL, &siege->facts, "the test", &status, json));
    return status;
}

static void check_hosts(struct siege *siege)
{
    json_t *json;
    ck_assert_uint_eq(ask_lb(siege, "/v1/cas/fleet/hosts", &json), 200);
    json_t *before = hosts_of(siege->hosts);
    json_t *asked = hosts_of(siege->has_pending_hosts ? siege->pending_hosts : siege->hosts);
    const json_t *hosts = json_object_get(json, "hosts");
    ck_assert(json_equal(hosts, before) || json_equal(hosts, asked));
    if (!json_equal(hosts, before))
        siege->hosts = siege->pending_hosts;
    siege->has_pending_hosts = false;
    json_decref(before);
    json_decref(asked);
    json_decref(json);
}

/* The status of an answer; 0: the handshake or the connection ended it. who NULL: a stranger. */
static unsigned visit(struct siege *siege, const char *host, const char *who)
{
    struct peer peer;
    unsigned status = 0;
    if (peer_connect_tls(&peer, scene_port(&siege->scene, "web"),
                         WISH(&siege->scene, .sni = host, .who = who)))
        status = peer_get(&peer, host, "/", NULL, 0);
    peer_close(&peer);
    return status;
}

/* What lb tells is one thing; whom it lets in is the other. */
static void check_door(struct siege *siege)
{
    for (unsigned i = 0; i < VISITS; i++) {
        const struct device *device =
            &siege->fleet.devices[fleet_random(&siege->seed, siege->fleet.count)];
        unsigned status = visit(siege, "www.example.com", device->name);
        ck_assert_msg((status == 204) == fleet_may_pass(device), "%s is \"%s\" and got %u",
                      device->name, device->status, status);
    }
    ck_assert((visit(siege, "one.example.com", NULL) == 204) == !(siege->hosts & 1));
    ck_assert((visit(siege, "two.example.com", NULL) == 204) == !(siege->hosts & 2));
}

static void check_all(struct siege *siege)
{
    fleet_check(&siege->fleet, ask_lb, siege);
    check_hosts(siege);
    check_door(siege);
}

/* --- the running lb is killed -------------------------------------------------------------- */

static void start(struct siege *siege)
{
    unlink(folder_file(&siege->scene.folder, "lb.log"));
    scene_start(&siege->scene, ini);
}

static void start_without_waiting(struct siege *siege)
{
    const char *argv[] = {process_lb(), "run", "-c", folder_file(&siege->scene.folder, "lb.ini"),
                          NULL};
    siege->scene.pid = process_start(argv, folder_file(&siege->scene.folder, "lb.log"));
}

static void expect_no_report(struct siege *siege)
{
    char *log = scene_log(&siege->scene);
    ck_assert_msg(!strstr(log, "Sanitizer") && !strstr(log, "runtime error:"), "%s", log);
    ck_assert_msg(!strstr(log, "registry.unreadable"), "%s", log);
    free(log);
}

static void kill_it(struct siege *siege)
{
    ck_assert_int_eq(kill(siege->scene.pid, SIGKILL), 0);
    ck_assert_int_eq(process_wait(siege->scene.pid), 128 + SIGKILL);
    siege->scene.pid = 0;
    expect_no_report(siege);
}

static void siege_open_running(struct siege *siege)
{
    siege_open(siege);
    start(siege);
    ck_assert_uint_eq(
        api_call(&siege->scene, "POST", "/v1/cas", fleet_ca_body(&siege->fleet), NULL), 201);
}

START_TEST(the_running_lb_is_killed_while_all_write)
{
    struct siege siege;
    struct writer writers[WRITERS];
    siege_open_running(&siege);
    for (unsigned i = 0; i < KILLS; i++) {
        begin_writing(&siege, writers);
        pass(&siege, 250);
        kill_it(&siege);
        end_writing(&siege, writers);
        start(&siege);
        check_all(&siege);
    }
    printf("%d kills, %lu changes acknowledged\n", KILLS, siege.acknowledged);
    ck_assert_uint_ge(siege.acknowledged, KILLS);
    siege_close(&siege);
}
END_TEST

/* What the one before has left is being put in order then. */
START_TEST(it_is_killed_while_it_starts)
{
    struct siege siege;
    struct writer writers[WRITERS];
    siege_open_running(&siege);
    for (unsigned i = 0; i < KILLS_AT_START; i++) {
        begin_writing(&siege, writers);
        pass(&siege, 100);
        kill_it(&siege);
        end_writing(&siege, writers);
        for (unsigned again = 0; again < 3; again++) {
            start_without_waiting(&siege);
            pass(&siege, 200);
            kill_it(&siege);
        }
        start(&siege);
        check_all(&siege);
    }
    siege_close(&siege);
}
END_TEST

/* --- commands are killed ------------------------------------------------------------------- */

/* Starts it and kills it at some moment, unless it was faster. returns its exit status. */
static int run_and_kill(struct siege *siege, const char *line, unsigned most_ms)
{
    struct text script = {0};
    text_add_format(&script, "cd '%s'; exec '%s' %s -c direct.ini", siege->scene.folder.path,
                    process_lb(), line);
    const char *argv[] = {"/bin/sh", "-c", script.bytes, NULL};
    unlink(folder_file(&siege->scene.folder, "said"));
    pid_t pid = process_start(argv, folder_file(&siege->scene.folder, "said"));
    pass(siege, most_ms);
    kill(pid, SIGKILL);
    int status = process_wait(pid);
    char *said = folder_read(&siege->scene.folder, "said");
    ck_assert_msg(status == 0 || status == 128 + SIGKILL, "`lb %s` ended with %d: %s", line, status,
                  said);
    free(said);
    text_done(&script);
    return status;
}

static void command_of(const struct device *device, const struct device_change *change, char *line,
                       size_t room)
{
    const char *verb = strrchr(change->target, '/') + 1;
    if (strcmp(verb, "register") == 0)
        snprintf(line, room, "cert register %s.crt --client-id %s --activate %s", device->name,
                 change->client_id, strcmp(change->status, "ACTIVATED") == 0 ? "yes" : "no");
    else if (strcmp(verb, "client-id") == 0)
        snprintf(line, room, "cert client-id %s %s", device->serial, change->client_id);
    else if (strcmp(change->method, "DELETE") == 0)
        snprintf(line, room, "cert delete %s", device->serial);
    else
        snprintf(line, room, "cert %s %s%s", verb, device->serial,
                 strcmp(verb, "revoke") == 0 ? " --yes" : "");
}

/* How long one takes on this machine, so that kills fall into the middle of it. */
static unsigned time_one(struct siege *siege, const char *line)
{
    long long from_ms = eventually_now_ms();
    struct text script = {0};
    text_add_format(&script, "'%s' %s -c direct.ini > said 2>&1 || { cat said; false; }",
                    process_lb(), line);
    process_shell(siege->scene.folder.path, script.bytes);
    text_done(&script);
    return (unsigned)(eventually_now_ms() - from_ms) + 1;
}

START_TEST(commands_are_killed_while_they_write_the_store)
{
    struct siege siege;
    unsigned killed = 0;
    char line[256];
    siege_open(&siege);
    unsigned most_ms = time_one(&siege, "ca upload fleet-ca.crt --name fleet");
    for (unsigned i = 0; i < 20 * KILLS && killed < KILLS; i++) {
        struct device_change change;
        struct device *device = &siege.fleet.devices[fleet_random(&siege.seed, siege.fleet.count)];
        if (!fleet_choose(device, &siege.seed, &change))
            continue;
        command_of(device, &change, line, sizeof line);
        if (run_and_kill(&siege, line, most_ms) == 0) {
            fleet_took(device, &change);
        } else {
            device->pending = change;
            killed++;
        }
        fleet_check(&siege.fleet, ask_store, &siege);
    }
    ck_assert_uint_eq(killed, KILLS);
    start(&siege);
    check_all(&siege);
    siege_close(&siege);
}
END_TEST

/* A fleet comes in whole or not at all, and again is what helps. */
START_TEST(an_import_is_killed)
{
    struct siege siege;
    siege_open(&siege);
    time_one(&siege, "ca upload fleet-ca.crt --name fleet");
    process_shell(siege.scene.folder.path, "cat device-*.crt > all.pem");
    unsigned killed = 0;
    for (unsigned i = 0; i < 12; i++)
        killed += run_and_kill(&siege, "cert import all.pem", 40 + i * 15) != 0;
    ck_assert_uint_gt(killed, 0);
    json_t *json;
    ck_assert_uint_eq(ask_store(&siege, "/v1/certificates?count=yes", &json), 200);
    long long count = json_integer_value(json_object_get(json, "count"));
    ck_assert_msg(count == 0 || count == siege.fleet.count, "%lld", count);
    json_decref(json);
    time_one(&siege, "cert import all.pem");
    fleet_was_imported(&siege.fleet);
    fleet_check(&siege.fleet, ask_store, &siege);
    siege_close(&siege);
}
END_TEST

/* Its key, its certificate and its place in the registry are made one after the other. What was
 * being written may be left there; but of what is in use there is no second name, and keys are
 * nobody else's to read. */
START_TEST(the_built_in_ca_is_made_in_spite_of_it)
{
    struct siege siege;
    siege_open(&siege);
    unsigned most_ms = time_one(&siege, "ca create");
    unsigned killed = 0;
    for (unsigned i = 0; i < CA_KILLS; i++) {
        process_shell(siege.scene.folder.path, "rm -rf var carol.*");
        killed += run_and_kill(&siege, "ca create", most_ms) != 0;
        time_one(&siege, "cert issue --cn carol --out carol.crt --key-out carol.key");
        process_shell(
            siege.scene.folder.path,
            "openssl verify -CAfile var/ca.crt carol.crt > said 2>&1; "
            "test -z \"$(find var -type f -links +1; find var -name '*key*' -perm /077)\"");
        json_t *json;
        ck_assert_uint_eq(ask_store(&siege, "/v1/cas", &json), 200);
        ck_assert_uint_eq(json_array_size(json_object_get(json, "cas")), 1);
        json_decref(json);
    }
    ck_assert_uint_gt(killed, 0);
    siege_close(&siege);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, the_running_lb_is_killed_while_all_write);
    tcase_add_test(tcase, it_is_killed_while_it_starts);
    tcase_add_test(tcase, commands_are_killed_while_they_write_the_store);
    tcase_add_test(tcase, an_import_is_killed);
    tcase_add_test(tcase, the_built_in_ca_is_made_in_spite_of_it);
}

CHECK_MAIN("killed at any moment it forgets nothing", add_tests)
