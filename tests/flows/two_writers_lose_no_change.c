/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The running lb, several processes that write the same store without asking it, and commands, all
 * at the same time: nobody's change is lost, none is told twice, and lb acts on those of others as
 * on its own.
 */
#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lb/admin/registry/registry_local.h"
#include "tests/support/api_call.h"
#include "tests/support/cast.h"
#include "tests/support/check_main.h"
#include "tests/support/eventually.h"
#include "tests/support/fleet.h"
#include "tests/support/process.h"

enum {
    THREADS = 2,   /* ask lb */
    PROCESSES = 3, /* write the store */
    WRITERS = THREADS + PROCESSES,
    EACH = 6,
    CHANGES = 60,  /* each makes */
    COMMANDED = 4, /* devices of the commands */
    ALL = WRITERS * EACH + COMMANDED + 1,
    CONTENDED = ALL - 1, /* the device that everybody renames */
};

/* clang-format off */
#define REST \
    "[registry]\nsignups_per_second = 100000\n\n" \
    "[listener web]\naddress = 127.0.0.1:@web\ncertificate = server.crt\ncertificate_key = server.key\n\n" \
    "[rule www]\nlistener = web\ndomain = www.example.com\nrespond = 204\n" \
    "mutual_auth = require\nclient_ca = fleet-ca.crt\nclient_registration = manual\n\n" \
    "[rule one]\nlistener = web\ndomain = one.example.com\nrespond = 204\n" \
    "mutual_auth = when-bound\nclient_ca = registry\n"
#define LB "[lb]\nworkers = 2\naccess_log = off\n\n"
static const char ini[] = LB REST;
/* The same registry, by a file whose lb nobody can ask. */
static const char direct_ini[] = LB "[admin]\naddress = off\n\n" REST;
/* clang-format on */

#define WWW "www.example.com"
#define ONE "one.example.com"

struct writer {
    struct crowd *crowd;
    unsigned number;
    unsigned seed;
    unsigned renamed; /* the device of all */
    char refusal[512];
    pthread_t thread;
};

struct crowd {
    struct scene scene;
    struct fleet *fleet;    /* shared with the processes, as are … */
    struct writer *writers; /* … these */
    pid_t pids[PROCESSES];
    char location[256];
    struct registry_facts facts;
};

static void *shared(size_t bytes)
{
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(memory, MAP_FAILED);
    return memory;
}

static bool is_served(void *arg, const char *host, struct error *why_not)
{
    (void)arg;
    return strcmp(host, ONE) == 0 || error_set(why_not, "no rule serves %s", host);
}

static void crowd_open(struct crowd *crowd)
{
    *crowd = (struct crowd){.fleet = shared(sizeof *crowd->fleet),
                            .writers = shared(WRITERS * sizeof *crowd->writers)};
    scene_begin(&crowd->scene);
    cast_write(&crowd->scene);
    fleet_make(crowd->fleet, ALL, crowd->scene.folder.path);
    scene_write_ini(&crowd->scene, "direct.ini", direct_ini);
    snprintf(crowd->location, sizeof crowd->location, "sqlite:%s",
             folder_file(&crowd->scene.folder, "var/registry.db"));
    crowd->facts = (struct registry_facts){
        .location = crowd->location, .max_cas = 32, .hosts = {is_served, NULL}};
    scene_start(&crowd->scene, ini);
    ck_assert_uint_eq(api_call(&crowd->scene, "POST", "/v1/cas", fleet_ca_body(crowd->fleet), NULL),
                      201);
}

static void crowd_close(struct crowd *crowd)
{
    scene_end(&crowd->scene);
    fleet_done(crowd->fleet);
    munmap(crowd->fleet, sizeof *crowd->fleet);
    munmap(crowd->writers, WRITERS * sizeof *crowd->writers);
}

/* --- calls, by one way or the other -------------------------------------------------------- */

/* body: taken */
static unsigned call_store(struct crowd *crowd, const char *method, const char *target,
                           json_t *body, json_t **json)
{
    unsigned status = 0;
    json_t *answer = NULL;
    if (!registry_call_local(method, target, body, &crowd->facts, "another process", &status,
                             &answer))
        status = 0;
    json_decref(body);
    if (json)
        *json = answer;
    else
        json_decref(answer);
    return status;
}

static unsigned ask_lb(void *arg, const char *path, json_t **json)
{
    const struct crowd *crowd = arg;
    return api_call(&crowd->scene, "GET", path, NULL, json);
}

static void change_store(struct crowd *crowd, const char *method, const char *target, json_t *body)
{
    unsigned status = call_store(crowd, method, target, body, NULL);
    ck_assert_msg(status == 200 || status == 201, "%s %s: %u", method, target, status);
}

/* --- those who write ----------------------------------------------------------------------- */

static bool write_call(struct writer *writer, const char *method, const char *target, json_t *body)
{
    json_t *json = NULL;
    unsigned status = writer->number < THREADS
                          ? api_try(&writer->crowd->scene, method, target, body, &json)
                          : call_store(writer->crowd, method, target, body, &json);
    const char *text = json_string_value(json_object_get(json_object_get(json, "error"), "text"));
    bool good = status == 200 || status == 201;
    if (!good)
        snprintf(writer->refusal, sizeof writer->refusal, "%s %s: %u %s", method, target, status,
                 text ? text : "");
    json_decref(json);
    return good;
}

static bool rename_contended(struct writer *writer)
{
    char target[96], name[FLEET_WORD_BYTES];
    snprintf(target, sizeof target, "/v1/certificates/%s/client-id",
             writer->crowd->fleet->devices[CONTENDED].serial);
    snprintf(name, sizeof name, "%u-%u", writer->number, ++writer->renamed);
    return write_call(writer, "PUT", target, json_pack("{s:s}", "client_id", name));
}

static bool change_own(struct writer *writer)
{
    struct device_change change;
    struct device *device =
        &writer->crowd->fleet->devices[writer->number * EACH + fleet_random(&writer->seed, EACH)];
    if (!fleet_choose(device, &writer->seed, &change))
        return true;
    if (!write_call(writer, change.method, change.target, fleet_body(device, &change)))
        return false;
    fleet_took(device, &change);
    return true;
}

static void *write_all(void *arg)
{
    struct writer *writer = arg;
    bool good = true;
    for (unsigned i = 0; i < CHANGES && good; i++)
        good = i % 4 == 0 ? rename_contended(writer) : change_own(writer);
    return NULL;
}

/* Processes first: they begin while this one has no threads. */
static void begin(struct crowd *crowd)
{
    for (unsigned i = WRITERS; i-- > 0;) {
        struct writer *writer = &crowd->writers[i];
        *writer = (struct writer){.crowd = crowd, .number = i, .seed = i + 1};
        if (i < THREADS) {
            ck_assert_int_eq(pthread_create(&writer->thread, NULL, write_all, writer), 0);
            continue;
        }
        pid_t pid = fork(); /* not into what both have */
        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
            write_all(writer);
            _exit(0);
        }
        crowd->pids[i - THREADS] = pid;
    }
}

static void end(struct crowd *crowd)
{
    for (unsigned i = 0; i < WRITERS; i++) {
        struct writer *writer = &crowd->writers[i];
        if (i < THREADS)
            ck_assert_int_eq(pthread_join(writer->thread, NULL), 0);
        else
            ck_assert_int_eq(process_wait(crowd->pids[i - THREADS]), 0);
        ck_assert_msg(!*writer->refusal, "writer %u: %s", i, writer->refusal);
    }
}

/* Meanwhile: one with lb, one without, in turns. */
static void run_commands(struct crowd *crowd)
{
    struct text script = {0};
    text_add_format(
        &script,
        "LB='%s'; for i in $(seq %d %d); do $LB cert register device-$i.crt -c lb.ini && "
        "s=$(openssl x509 -in device-$i.crt -noout -serial | cut -d= -f2) && "
        "$LB cert deactivate $s -c direct.ini && $LB cert activate $s -c lb.ini && "
        "$LB cert client-id $s meter-$i -c direct.ini || { cat said; exit 1; }; done "
        "> said 2>&1",
        process_lb(), WRITERS * EACH, WRITERS * EACH + COMMANDED - 1);
    process_shell(crowd->scene.folder.path, script.bytes);
    text_done(&script);
    for (unsigned i = WRITERS * EACH; i < CONTENDED; i++) {
        struct device *device = &crowd->fleet->devices[i];
        snprintf(device->status, sizeof device->status, "ACTIVATED");
        snprintf(device->client_id, sizeof device->client_id, "meter-%u", i);
        device->changes = 4;
    }
}

/* Whoever was the last: the log has each of the names once, one following the other. */
static void sum_up_contended(struct crowd *crowd)
{
    struct device *device = &crowd->fleet->devices[CONTENDED];
    char path[96];
    json_t *json;
    snprintf(path, sizeof path, "/v1/certificates/%s", device->serial);
    ck_assert_uint_eq(ask_lb(crowd, path, &json), 200);
    const char *id =
        json_string_value(json_object_get(json_object_get(json, "certificate"), "client_id"));
    ck_assert_ptr_nonnull(id);
    snprintf(device->client_id, sizeof device->client_id, "%s", id);
    for (unsigned i = 0; i < WRITERS; i++)
        device->changes += crowd->writers[i].renamed;
    json_decref(json);
}

/* --- clients ------------------------------------------------------------------------------- */

/* The status of an answer; 0: the handshake or the connection ended it. who NULL: a stranger. */
static unsigned visit(struct crowd *crowd, const char *host, const char *who)
{
    struct peer peer;
    unsigned status = 0;
    if (peer_connect_tls(&peer, scene_port(&crowd->scene, "web"),
                         WISH(&crowd->scene, .sni = host, .who = who)))
        status = peer_get(&peer, host, "/", NULL, 0);
    peer_close(&peer);
    return status;
}

static void enter(struct crowd *crowd, struct peer *peer, const char *host, const char *who)
{
    ck_assert(peer_connect_tls(peer, scene_port(&crowd->scene, "web"),
                               WISH(&crowd->scene, .sni = host, .who = who)));
    ck_assert_uint_eq(peer_get(peer, host, "/", NULL, 0), 204);
}

/* It is closed by lb, without being asked anything. */
static void expect_end(struct peer *peer)
{
    peer_receive_all(peer);
    ck_assert_uint_eq(peer->inbox.length, 0);
    peer_close(peer);
}

static void call_device(struct crowd *crowd, unsigned number, const char *verb, json_t *body)
{
    char target[96];
    snprintf(target, sizeof target, "/v1/certificates/%s%s", crowd->fleet->devices[number].serial,
             verb);
    change_store(crowd, "POST", target, body);
}

static void register_there(struct crowd *crowd, unsigned number)
{
    change_store(crowd, "POST", "/v1/certificates/register",
                 json_pack("{s:s}", "pem", crowd->fleet->devices[number].pem));
}

/* --- stories ------------------------------------------------------------------------------- */

START_TEST(all_write_at_once_and_nothing_is_lost)
{
    struct crowd crowd;
    crowd_open(&crowd);
    struct device *contended = &crowd.fleet->devices[CONTENDED];
    register_there(&crowd, CONTENDED);
    snprintf(contended->status, sizeof contended->status, "ACTIVATED");
    contended->changes = 1;
    begin(&crowd);
    run_commands(&crowd);
    end(&crowd);
    sum_up_contended(&crowd);
    fleet_check(crowd.fleet, ask_lb, &crowd);
    for (unsigned i = 0; i < ALL; i++) {
        const struct device *device = &crowd.fleet->devices[i];
        eventually((visit(&crowd, WWW, device->name) == 204) == fleet_may_pass(device));
    }
    ck_assert(!scene_log_has(&crowd.scene, "registry.unreadable", NULL));
    crowd_close(&crowd);
}
END_TEST

START_TEST(who_is_revoked_by_another_process_is_sent_away)
{
    struct crowd crowd;
    struct peer idle;
    crowd_open(&crowd);
    register_there(&crowd, 0);
    eventually(visit(&crowd, WWW, "device-0") == 204);
    enter(&crowd, &idle, WWW, "device-0");
    call_device(&crowd, 0, "/deactivate", NULL);
    expect_end(&idle);
    ck_assert_uint_ne(visit(&crowd, WWW, "device-0"), 204);
    call_device(&crowd, 0, "/activate", NULL);
    eventually(visit(&crowd, WWW, "device-0") == 204);
    enter(&crowd, &idle, WWW, "device-0");
    call_device(&crowd, 0, "/revoke", json_pack("{s:b}", "confirm", 1));
    expect_end(&idle);
    ck_assert_uint_ne(visit(&crowd, WWW, "device-0"), 204);
    ck_assert(scene_log_has(&crowd.scene, "client.closed", "reason=revoked", "device-0", NULL));
    crowd_close(&crowd);
}
END_TEST

START_TEST(what_another_process_does_with_cas_is_in_force)
{
    struct crowd crowd;
    struct peer idle;
    crowd_open(&crowd);
    register_there(&crowd, 0);
    ck_assert_uint_eq(visit(&crowd, ONE, NULL), 204);
    change_store(&crowd, "PUT", "/v1/cas/fleet/hosts", json_pack("{s:[s]}", "hosts", ONE));
    eventually(visit(&crowd, ONE, NULL) != 204);
    enter(&crowd, &idle, ONE, "device-0");
    change_store(&crowd, "POST", "/v1/cas/fleet/disable", NULL);
    expect_end(&idle);
    ck_assert_uint_ne(visit(&crowd, WWW, "device-0"), 204);
    change_store(&crowd, "POST", "/v1/cas/fleet/enable", NULL);
    eventually(visit(&crowd, WWW, "device-0") == 204);
    change_store(&crowd, "PUT", "/v1/cas/fleet/hosts", json_pack("{s:[]}", "hosts"));
    eventually(visit(&crowd, ONE, NULL) == 204);
    crowd_close(&crowd);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, all_write_at_once_and_nothing_is_lost);
    tcase_add_test(tcase, who_is_revoked_by_another_process_is_sent_away);
    tcase_add_test(tcase, what_another_process_does_with_cas_is_in_force);
}

CHECK_MAIN("two writers lose no change", add_tests)
