/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The commands of operators, on the running program: lb status, lb backend and lb reload over the
 * admin socket. Two backends; each answers its name, and /held only when the story says so.
 */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/support/check_main.h"
#include "tests/support/eventually.h"
#include "tests/support/peer.h"
#include "tests/support/process.h"
#include "tests/support/scene.h"
#include "tests/support/stub_backend.h"

/* clang-format off */
#define LB "[lb]\nworkers = 2\naccess_log = off\n\n"
#define WEB "[listener web]\naddress = 127.0.0.1:@web\nprotocol = http\n\n[rule all]\nlistener = web\npool = app\n\n"
#define POOL "[pool app]\nbackend = rs-1 127.0.0.1:@rs-1\nbackend = rs-2 127.0.0.1:@rs-2\n"
#define CHECKED "health_check = http\nhealth_check_interval = 100ms\nhealth_check_timeout = 90ms\n"
/* clang-format on */

struct desk {
    struct scene scene;
    struct stub_backend stubs[2];
    atomic_uint checks[2]; /* of each */
    sem_t arrived;
    sem_t go_on;
    struct text said; /* by the last command */
};

static void answer(struct stub_link *link)
{
    struct desk *desk = link->stub->story;
    struct stub_request request;
    char text[128];
    while (stub_read(link, &request)) {
        const char *name = link->stub->name;
        if (strncmp(request.head.bytes, "HEAD ", 5) == 0) {
            atomic_fetch_add(&desk->checks[link->stub - desk->stubs], 1);
            stub_say(link, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
            stub_request_done(&request);
            continue;
        }
        if (strstr(request.head.bytes, " /held ")) {
            sem_post(&desk->arrived);
            sem_wait(&desk->go_on);
        }
        snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s",
                 strlen(name), name);
        stub_say(link, text);
        stub_request_done(&request);
    }
    stub_request_done(&request);
}

static void desk_open(struct desk *desk, const char *ini)
{
    static const char *const names[] = {"rs-1", "rs-2"};
    *desk = (struct desk){0};
    scene_begin(&desk->scene);
    sem_init(&desk->arrived, 0, 0);
    sem_init(&desk->go_on, 0, 0);
    for (unsigned i = 0; i < 2; i++) {
        stub_start_with(&desk->stubs[i], names[i], answer, desk);
        scene_set_port(&desk->scene, names[i], desk->stubs[i].port);
    }
    scene_start(&desk->scene, ini);
}

/* The log begins anew, so that it says when this one is ready. */
static void start_again(struct desk *desk, const char *ini)
{
    unlink(folder_file(&desk->scene.folder, "lb.log"));
    scene_start(&desk->scene, ini);
}

static void desk_close(struct desk *desk)
{
    for (unsigned i = 0; i < 8; i++)
        sem_post(&desk->go_on);
    scene_end(&desk->scene);
    for (unsigned i = 0; i < 2; i++)
        stub_stop(&desk->stubs[i]);
    sem_destroy(&desk->arrived);
    sem_destroy(&desk->go_on);
    text_done(&desk->said);
}

/* Run "lb …" with -c of this scene; returns the exit status, desk->said has what it said. */
static int tell(struct desk *desk, const char *verb, const char *first, const char *second,
                const char *third)
{
    const char *argv[] = {process_lb(), verb,   "-c",  folder_file(&desk->scene.folder, "lb.ini"),
                          first,        second, third, NULL};
    text_done(&desk->said);
    return process_run(argv, &desk->said);
}

static void expect_told(struct desk *desk, int status, int expected, const char *words)
{
    ck_assert_msg(status == expected && strstr(desk->said.bytes, words),
                  "status %d, and \"%s\" is not in\n%s", status, words, desk->said.bytes);
}

#define TELL(desk, expected, words, verb, first, second, third)                                    \
    expect_told(desk, tell(desk, verb, first, second, third), expected, words)

/* The status as lb gives it to programs; json_decref. */
static json_t *see(struct desk *desk)
{
    ck_assert_int_eq(tell(desk, "status", "--json", NULL, NULL), 0);
    json_t *json = json_loads(desk->said.bytes, 0, NULL);
    ck_assert_msg(json, "%s", desk->said.bytes);
    return json;
}

static json_t *backend_of(json_t *status, unsigned index)
{
    json_t *pool = json_array_get(json_object_get(status, "pools"), 0);
    json_t *backend = json_array_get(json_object_get(pool, "backends"), index);
    ck_assert_ptr_nonnull(backend);
    return backend;
}

static bool is_in_state(struct desk *desk, unsigned index, const char *state)
{
    json_t *json = see(desk);
    const char *now = json_string_value(json_object_get(backend_of(json, index), "state"));
    ck_assert_ptr_nonnull(now);
    bool is = strcmp(now, state) == 0;
    json_decref(json);
    return is;
}

static long long number_of(struct desk *desk, unsigned index, const char *key)
{
    json_t *json = see(desk);
    const json_t *number = json_object_get(backend_of(json, index), key);
    ck_assert(json_is_integer(number));
    long long value = (long long)json_integer_value(number);
    json_decref(json);
    return value;
}

static void expect_served_by(struct desk *desk, const char *name, unsigned count)
{
    struct peer peer;
    char body[32];
    peer_connect(&peer, scene_port(&desk->scene, "web"));
    for (unsigned i = 0; i < count; i++) {
        ck_assert_uint_eq(peer_get(&peer, "a", "/", body, sizeof body), 200);
        ck_assert_str_eq(body, name);
    }
    peer_close(&peer);
}

/* A request that is at rs-1 when this returns: the other backend is out. */
static void hold_at_first(struct desk *desk, struct peer *peer)
{
    TELL(desk, 0, "app/rs-2 is drained", "backend", "drain", "app/rs-2", NULL);
    peer_connect(peer, scene_port(&desk->scene, "web"));
    peer_say(peer, "GET /held HTTP/1.1\r\nHost: a\r\n\r\n");
    sem_wait(&desk->arrived);
    TELL(desk, 0, "app/rs-2 is enabled; its state: ", "backend", "enable", "app/rs-2", NULL);
}

static void expect_held_answer(struct desk *desk, struct peer *peer)
{
    struct answer got;
    sem_post(&desk->go_on);
    ck_assert(peer_read_answer(peer, "GET", &got));
    ck_assert_uint_eq(got.status, 200);
    ck_assert_str_eq(got.body.bytes, "rs-1");
    answer_done(&got);
}

/* --- backends ------------------------------------------------------------------------------ */

START_TEST(a_backend_that_is_taken_out_gets_nothing_new_and_ends_what_it_has)
{
    static const struct {
        const char *order, *state;
    } ways[] = {{"drain", "drained"}, {"disable", "disabled"}};
    struct desk desk;
    struct peer held;
    char words[64];
    desk_open(&desk, LB WEB POOL "health_check = off\n");
    hold_at_first(&desk, &held);
    snprintf(words, sizeof words, "app/rs-1 is %s; 1 request is still there\n", ways[_i].state);
    TELL(&desk, 0, words, "backend", ways[_i].order, "app/rs-1", NULL);
    expect_served_by(&desk, "rs-2", 20);
    ck_assert(is_in_state(&desk, 0, ways[_i].state));
    ck_assert_int_eq(number_of(&desk, 0, "active"), 1);
    expect_held_answer(&desk, &held);
    peer_close(&held);
    eventually(number_of(&desk, 0, "active") == 0);
    snprintf(words, sizeof words, "app/rs-1 is %s already; no request is there\n", ways[_i].state);
    TELL(&desk, 0, words, "backend", ways[_i].order, "app/rs-1", NULL);
    TELL(&desk, 0, "app/rs-1 is enabled; its state: unknown\n", "backend", "enable", "app/rs-1",
         NULL);
    TELL(&desk, 0, "app/rs-2 is drained", "backend", "drain", "app/rs-2", NULL);
    expect_served_by(&desk, "rs-1", 5);
    snprintf(words, sizeof words, "backend.%s", ways[_i].state);
    ck_assert(scene_log_has(&desk.scene, words, "uid=", "pid=", "pool=app", "backend=rs-1",
                            "active=1", NULL));
    desk_close(&desk);
}
END_TEST

START_TEST(to_wait_is_to_return_when_the_last_request_has_ended)
{
    struct desk desk;
    struct peer held;
    desk_open(&desk, LB WEB POOL "health_check = off\n");
    hold_at_first(&desk, &held);
    const char *argv[] = {process_lb(),
                          "backend",
                          "drain",
                          "app/rs-1",
                          "--wait",
                          "-c",
                          folder_file(&desk.scene.folder, "lb.ini"),
                          NULL};
    pid_t pid = process_start(argv, folder_file(&desk.scene.folder, "said"));
    eventually(is_in_state(&desk, 0, "drained"));
    expect_served_by(&desk, "rs-2", 5);
    ck_assert(!process_has_ended(pid));
    expect_held_answer(&desk, &held);
    ck_assert_int_eq(process_wait(pid), 0);
    char *said = folder_read(&desk.scene.folder, "said");
    ck_assert_str_eq(said, "app/rs-1 is drained; 1 request is still there\n"
                           "app/rs-1: the last request has ended\n");
    free(said);
    peer_close(&held);
    TELL(&desk, 0, "app/rs-1 is drained already; no request is there\n", "backend", "drain",
         "app/rs-1", "--wait");
    desk_close(&desk);
}
END_TEST

START_TEST(who_waits_is_told_when_the_backend_is_enabled_again)
{
    struct desk desk;
    struct peer held;
    desk_open(&desk, LB WEB POOL "health_check = off\n");
    hold_at_first(&desk, &held);
    const char *argv[] = {process_lb(),
                          "backend",
                          "disable",
                          "app/rs-1",
                          "--wait",
                          "-c",
                          folder_file(&desk.scene.folder, "lb.ini"),
                          NULL};
    pid_t pid = process_start(argv, folder_file(&desk.scene.folder, "said"));
    eventually(is_in_state(&desk, 0, "disabled"));
    TELL(&desk, 0, "app/rs-1 is enabled", "backend", "enable", "app/rs-1", NULL);
    ck_assert_int_eq(process_wait(pid), 1);
    char *said = folder_read(&desk.scene.folder, "said");
    ck_assert_ptr_nonnull(strstr(said, "lb backend: app/rs-1 was enabled meanwhile\n"));
    free(said);
    expect_held_answer(&desk, &held);
    peer_close(&held);
    desk_close(&desk);
}
END_TEST

START_TEST(what_is_disabled_is_not_checked_and_what_is_drained_is)
{
    struct desk desk;
    desk_open(&desk, LB WEB POOL CHECKED);
    eventually(is_in_state(&desk, 0, "up") && is_in_state(&desk, 1, "up"));
    TELL(&desk, 0, "is disabled", "backend", "disable", "app/rs-1", NULL);
    TELL(&desk, 0, "is drained", "backend", "drain", "app/rs-2", NULL);
    unsigned first = atomic_load(&desk.checks[0]);
    unsigned second = atomic_load(&desk.checks[1]);
    eventually(atomic_load(&desk.checks[1]) >= second + 10);
    ck_assert_uint_le(atomic_load(&desk.checks[0]), first + 1); /* one may have been on its way */
    TELL(&desk, 0, "its state: up", "backend", "enable", "app/rs-1", NULL);
    eventually(atomic_load(&desk.checks[0]) >= first + 5);
    expect_served_by(&desk, "rs-1", 5);
    desk_close(&desk);
}
END_TEST

START_TEST(not_even_all_down_any_uses_what_is_out)
{
    struct desk desk;
    struct peer peer;
    desk_open(&desk, LB WEB POOL "health_check = off\n");
    TELL(&desk, 0, "is drained", "backend", "drain", "app/rs-1", NULL);
    TELL(&desk, 0, "is disabled", "backend", "disable", "app/rs-2", NULL);
    peer_connect(&peer, scene_port(&desk.scene, "web"));
    ck_assert_uint_eq(peer_get(&peer, "a", "/", NULL, 0), 503);
    TELL(&desk, 0, "is enabled", "backend", "enable", "app/rs-2", NULL);
    ck_assert_uint_eq(peer_get(&peer, "a", "/", NULL, 0), 200);
    peer_close(&peer);
    desk_close(&desk);
}
END_TEST

START_TEST(an_order_outlives_a_reload_and_ends_with_lb)
{
    static const char ini[] = LB WEB POOL "health_check = off\n";
    struct desk desk;
    desk_open(&desk, ini);
    TELL(&desk, 0, "is drained", "backend", "drain", "app/rs-1", NULL);
    scene_write_ini(&desk.scene, "lb.ini", LB WEB POOL "health_check = off\nretries = 1\n");
    TELL(&desk, 0, "reloaded: the new config is in force\n", "reload", NULL, NULL, NULL);
    ck_assert(is_in_state(&desk, 0, "drained"));
    expect_served_by(&desk, "rs-2", 10);
    scene_stop(&desk.scene);
    start_again(&desk, ini);
    ck_assert(is_in_state(&desk, 0, "unknown"));
    desk_close(&desk);
}
END_TEST

START_TEST(a_backend_that_is_not_there_is_told_with_the_nearest)
{
    struct desk desk;
    desk_open(&desk, LB WEB POOL);
    TELL(&desk, 1, "lb backend: there is no pool apq: did you mean app?\n", "backend", "drain",
         "apq/rs-1", NULL);
    TELL(&desk, 1, "lb backend: pool app has no backend rs-11: did you mean app/rs-1?\n", "backend",
         "drain", "app/rs-11", NULL);
    desk_close(&desk);
}
END_TEST

/* --- status -------------------------------------------------------------------------------- */

START_TEST(the_status_counts_what_happens)
{
    struct desk desk;
    struct peer peers[3];
    desk_open(&desk, LB WEB POOL "health_check = off\n");
    for (unsigned i = 0; i < 3; i++) {
        peer_connect(&peers[i], scene_port(&desk.scene, "web"));
        for (unsigned k = 0; k < 4; k++)
            ck_assert_uint_eq(peer_get(&peers[i], "a", "/", NULL, 0), 200);
    }
    json_t *json = see(&desk);
    const json_t *web = json_array_get(json_object_get(json, "listeners"), 0);
    ck_assert_int_eq(json_integer_value(json_object_get(web, "clients")), 3);
    ck_assert_int_eq(json_integer_value(json_object_get(json, "clients")), 3);
    ck_assert_int_eq(json_integer_value(json_object_get(json, "workers")), 2);
    ck_assert_int_eq(json_integer_value(json_object_get(json, "pid")), desk.scene.pid);
    json_decref(json);
    eventually(number_of(&desk, 0, "served") == 6 && number_of(&desk, 1, "served") == 6);
    for (unsigned i = 0; i < 3; i++)
        peer_close(&peers[i]);
    desk_close(&desk);
}
END_TEST

START_TEST(a_backend_that_is_down_stands_first_with_its_reason)
{
    struct desk desk;
    desk_open(&desk, LB WEB POOL CHECKED);
    stub_stop(&desk.stubs[1]);
    eventually(is_in_state(&desk, 1, "down"));
    ck_assert_int_eq(tell(&desk, "status", NULL, NULL, NULL), 0);
    const char *out = strstr(desk.said.bytes, "\n1 of 2 backends is out\n  BACKEND ");
    const char *reason = strstr(desk.said.bytes, "connection refused\n");
    const char *listeners = strstr(desk.said.bytes, "  LISTENER ");
    ck_assert_msg(out && reason && listeners && out < reason && reason < listeners, "%s",
                  desk.said.bytes);
    ck_assert_ptr_null(strchr(desk.said.bytes, '\033')); /* no terminal, no colour */
    stub_start_with(&desk.stubs[1], "rs-2", answer, &desk);
    desk_close(&desk);
}
END_TEST

START_TEST(to_watch_is_to_be_told_again_until_interrupted)
{
    struct desk desk;
    desk_open(&desk, LB WEB POOL "health_check = off\n");
    const char *argv[] = {process_lb(), "status", "--watch",
                          "--json",     "-c",     folder_file(&desk.scene.folder, "lb.ini"),
                          NULL};
    const char *file = "watched";
    pid_t pid = process_start(argv, folder_file(&desk.scene.folder, file));
    unsigned lines = 0;
    do {
        char *said = folder_read(&desk.scene.folder, file);
        lines = text_count(said, "\n");
        free(said);
        ck_assert(!process_has_ended(pid));
        eventually_pause();
    } while (lines < 3);
    ck_assert_int_eq(kill(pid, SIGINT), 0);
    ck_assert_int_eq(process_wait(pid), 0);
    char *said = folder_read(&desk.scene.folder, file);
    for (char *rest = said, *line = strsep(&rest, "\n"); rest; line = strsep(&rest, "\n")) {
        json_t *json = json_loads(line, 0, NULL);
        ck_assert_msg(json_object_get(json, "pools"), "%s", line);
        json_decref(json);
    }
    free(said);
    desk_close(&desk);
}
END_TEST

/* A page on a terminal: the prompt that follows stands below it, in its own colours. */
START_TEST(who_interrupts_a_watch_finds_the_terminal_in_order)
{
    struct desk desk;
    desk_open(&desk, LB WEB POOL "health_check = off\n");
    char output[4096];
    size_t length = 0;
    int terminal = posix_openpt(O_RDWR | O_NOCTTY);
    ck_assert_msg(grantpt(terminal) == 0, "no terminal, is /dev/pts mounted? %s", strerror(errno));
    ck_assert_int_eq(unlockpt(terminal), 0);
    const char *argv[] = {
        process_lb(), "status", "--watch", "-c", folder_file(&desk.scene.folder, "lb.ini"), NULL};
    /* Open here, too: a terminal that nobody has open cannot be read. */
    int other = open(ptsname(terminal), O_RDWR | O_NOCTTY);
    pid_t pid = process_start(argv, ptsname(terminal));
    do {
        ssize_t got = read(terminal, output + length, sizeof output - 1 - length);
        ck_assert_int_gt(got, 0);
        length += (size_t)got;
        output[length] = '\0';
    } while (!strstr(output, "\033[H\033[J") || !strstr(output, "backend"));
    ck_assert_int_eq(kill(pid, SIGINT), 0);
    ck_assert_int_eq(process_wait(pid), 0);
    while (length < 4 || strcmp(output + length - 4, "[m\r\n") != 0) {
        ssize_t got = read(terminal, output + length, sizeof output - 1 - length);
        ck_assert_int_gt(got, 0);
        length += (size_t)got;
        output[length] = '\0';
    }
    close(other);
    close(terminal);
    desk_close(&desk);
}
END_TEST

START_TEST(the_status_is_told_while_lb_drains)
{
    struct desk desk;
    struct peer held;
    desk_open(&desk, LB WEB POOL "health_check = off\n");
    hold_at_first(&desk, &held);
    scene_terminate(&desk.scene);
    eventually(scene_log_has(&desk.scene, "lb.draining", NULL));
    ck_assert_int_eq(number_of(&desk, 0, "active"), 1);
    expect_held_answer(&desk, &held);
    peer_close(&held);
    scene_await_end(&desk.scene);
    ck_assert_int_eq(tell(&desk, "status", NULL, NULL, NULL), 1);
    ck_assert_ptr_nonnull(strstr(desk.said.bytes, "lb status: no lb answers at unix:"));
    ck_assert_ptr_nonnull(strstr(desk.said.bytes, ": is it running with "));
    desk_close(&desk);
}
END_TEST

/* --- reload -------------------------------------------------------------------------------- */

START_TEST(a_reload_returns_when_it_is_in_force_or_says_all_that_is_wrong)
{
    struct desk desk;
    desk_open(&desk, LB WEB POOL "health_check = off\n");
    scene_write_ini(&desk.scene, "lb.ini",
                    LB WEB "[pool app]\nbackend = rs-2 127.0.0.1:@rs-2\nhealth_check = off\n"
                           "[pool spare]\nbackend = rs-1 127.0.0.1:@rs-1\n");
    TELL(&desk, 0, "reloaded: the new config is in force\n", "reload", NULL, NULL, NULL);
    ck_assert_msg(strstr(desk.said.bytes, "lb.ini:16: warning: pool spare is used by no rule"),
                  "%s", desk.said.bytes);
    expect_served_by(&desk, "rs-2", 6);
    scene_write_ini(&desk.scene, "lb.ini", LB WEB "[pool app]\nbackend = rs-1\nbalnce = x\n");
    TELL(&desk, 1, "lb reload: nothing was changed", "reload", NULL, NULL, NULL);
    ck_assert_msg(strstr(desk.said.bytes, "lb.ini:14: error: ") &&
                      strstr(desk.said.bytes, "lb.ini:15: error: unknown key \"balnce\""),
                  "%s", desk.said.bytes);
    expect_served_by(&desk, "rs-2", 6);
    /* The file is wrong, and lb can be asked all the same. */
    TELL(&desk, 0, "failed and changed nothing: ", "status", NULL, NULL, NULL);
    ck_assert_msg(strstr(desk.said.bytes, "lb.ini:14: "), "%s", desk.said.bytes);
    scene_write_ini(&desk.scene, "lb.ini", LB WEB POOL "health_check = off\n");
    TELL(&desk, 0, "reloaded", "reload", NULL, NULL, NULL);
    ck_assert_int_eq(tell(&desk, "status", NULL, NULL, NULL), 0);
    ck_assert_ptr_null(strstr(desk.said.bytes, "failed and changed nothing"));
    desk_close(&desk);
}
END_TEST

START_TEST(many_may_ask_for_a_reload_at_once)
{
    enum { MANY = 8 };
    struct desk desk;
    pid_t pids[MANY];
    desk_open(&desk, LB WEB POOL "health_check = off\n");
    const char *argv[] = {process_lb(), "reload", "-c", folder_file(&desk.scene.folder, "lb.ini"),
                          NULL};
    for (unsigned i = 0; i < MANY; i++)
        pids[i] = process_start(argv, folder_file(&desk.scene.folder, "said"));
    for (unsigned i = 0; i < MANY; i++)
        ck_assert_int_eq(process_wait(pids[i]), 0);
    char *said = folder_read(&desk.scene.folder, "said");
    ck_assert_uint_eq(text_count(said, "reloaded: the new config is in force\n"), MANY);
    free(said);
    desk_close(&desk);
}
END_TEST

/* A connection to the admin socket itself: lb's own commands send one request each. */
static void ask_by_hand(struct desk *desk, struct peer *peer)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    *peer =
        (struct peer){.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), .alert = PEER_NO_ALERT};
    const struct timeval patience = {.tv_sec = PEER_PATIENCE_S};
    setsockopt(peer->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    snprintf(name.sun_path, sizeof name.sun_path, "%s",
             folder_file(&desk->scene.folder, "var/admin.sock"));
    ck_assert_int_eq(connect(peer->fd, (struct sockaddr *)&name, sizeof name), 0);
}

/* Who is told of one reload has the next request read at once, in the middle of telling others. */
START_TEST(reloads_that_are_asked_for_one_behind_the_other_are_all_told)
{
    enum { ASKERS = 6, EACH = 5 };
    static const char order[] = "POST /v1/reload HTTP/1.1\r\nHost: lb\r\n\r\n";
    struct desk desk;
    struct peer askers[ASKERS];
    struct answer told;
    desk_open(&desk, LB WEB POOL "health_check = off\n");
    for (unsigned i = 0; i < ASKERS; i++) {
        char orders[EACH * sizeof order] = "";
        for (unsigned k = 0; k < EACH; k++)
            strcat(orders, order);
        ask_by_hand(&desk, &askers[i]);
        ck_assert(peer_say(&askers[i], orders));
    }
    for (unsigned i = 0; i < ASKERS; i++) {
        for (unsigned k = 0; k < EACH; k++) {
            ck_assert_msg(peer_read_answer(&askers[i], "POST", &told), "asker %u, order %u", i, k);
            ck_assert_uint_eq(told.status, 200);
            answer_done(&told);
        }
        peer_close(&askers[i]);
    }
    desk_close(&desk);
}
END_TEST

START_TEST(a_changed_address_is_warned_of_and_the_old_one_stays)
{
    struct desk desk;
    desk_open(&desk, LB WEB POOL);
    scene_write_ini(&desk.scene, "lb.ini", "[admin]\naddress = unix:else.sock\n" LB WEB POOL);
    const char *argv[] = {process_lb(), "reload", "--admin", NULL, NULL};
    char address[256];
    snprintf(address, sizeof address, "unix:%s", folder_file(&desk.scene.folder, "var/admin.sock"));
    argv[3] = address;
    for (unsigned i = 0; i < 2; i++) {
        text_done(&desk.said);
        ck_assert_int_eq(process_run(argv, &desk.said), 0);
        ck_assert_msg(strstr(desk.said.bytes, "lb.ini:2: warning: [admin] address has changed, "
                                              "which takes a restart: the old value stays"),
                      "%s", desk.said.bytes);
    }
    desk_close(&desk);
}
END_TEST

/* --- the socket file ----------------------------------------------------------------------- */

/* Another lb in the same folder, on ports of its own; NULL: it is to fail. */
static int run_beside(struct desk *desk, const char *admin, pid_t *ret_pid)
{
    struct text ini = {0};
    text_add_format(&ini,
                    "%s" LB "[listener web]\naddress = 127.0.0.1:@other\nprotocol = http\n\n"
                    "[rule all]\nlistener = web\npool = app\n\n" POOL,
                    admin);
    scene_write_ini(&desk->scene, "other.ini", ini.bytes);
    text_done(&ini);
    const char *argv[] = {process_lb(), "run", "-c", folder_file(&desk->scene.folder, "other.ini"),
                          NULL};
    if (!ret_pid) {
        text_done(&desk->said);
        return process_run(argv, &desk->said);
    }
    *ret_pid = process_start(argv, folder_file(&desk->scene.folder, "other.log"));
    return 0;
}

static bool other_has_said(struct desk *desk, const char *words)
{
    char *log = folder_read(&desk->scene.folder, "other.log");
    bool has = strstr(log, words) != NULL;
    free(log);
    return has;
}

START_TEST(a_living_lbs_file_is_not_taken_away)
{
    struct desk desk;
    pid_t other;
    desk_open(&desk, LB WEB POOL);
    int status = run_beside(&desk, "[admin]\naddress = unix:var/admin.sock\n\n", NULL);
    ck_assert_msg(status == 1 && strstr(desk.said.bytes, "error lb.not-started") &&
                      strstr(desk.said.bytes, "another program listens on "),
                  "%d: %s", status, desk.said.bytes);
    /* Nobody asked for the default: lb serves without it. */
    run_beside(&desk, "", &other);
    eventually(other_has_said(&desk, "lb.ready"));
    ck_assert(other_has_said(&desk, "warn admin.not-open"));
    ck_assert(other_has_said(&desk, "another program listens on "));
    json_t *json = see(&desk);
    ck_assert_int_eq(json_integer_value(json_object_get(json, "pid")), desk.scene.pid);
    json_decref(json);
    ck_assert_int_eq(kill(other, SIGTERM), 0);
    ck_assert_int_eq(process_wait(other), 0);
    ck_assert_int_eq(tell(&desk, "status", NULL, NULL, NULL), 0);
    desk_close(&desk);
}
END_TEST

START_TEST(a_dead_lbs_file_is_replaced_and_an_ending_one_removes_its_own)
{
    struct desk desk;
    desk_open(&desk, LB WEB POOL);
    const char *file = folder_file(&desk.scene.folder, "var/admin.sock");
    char path[256];
    snprintf(path, sizeof path, "%s", file);
    ck_assert_int_eq(kill(desk.scene.pid, SIGKILL), 0);
    ck_assert_int_eq(process_wait(desk.scene.pid), 128 + SIGKILL);
    desk.scene.pid = 0;
    ck_assert_int_eq(access(path, F_OK), 0);
    TELL(&desk, 1, "lb status: no lb answers at unix:", "status", NULL, NULL, NULL);
    start_again(&desk, LB WEB POOL);
    ck_assert_int_eq(tell(&desk, "status", NULL, NULL, NULL), 0);
    scene_stop(&desk.scene);
    ck_assert_int_ne(access(path, F_OK), 0);
    desk_close(&desk);
}
END_TEST

START_TEST(off_means_that_nobody_is_asked)
{
    struct desk desk;
    desk_open(&desk, "[admin]\naddress = off\n" LB WEB POOL);
    TELL(&desk, 1, "says that nobody can ask its lb: address = off in [admin]", "status", NULL,
         NULL, NULL);
    ck_assert_int_ne(access(folder_file(&desk.scene.folder, "var/admin.sock"), F_OK), 0);
    expect_served_by(&desk, "rs-1", 1);
    desk_close(&desk);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, a_backend_that_is_taken_out_gets_nothing_new_and_ends_what_it_has, 0,
                        2);
    tcase_add_test(tcase, to_wait_is_to_return_when_the_last_request_has_ended);
    tcase_add_test(tcase, who_waits_is_told_when_the_backend_is_enabled_again);
    tcase_add_test(tcase, what_is_disabled_is_not_checked_and_what_is_drained_is);
    tcase_add_test(tcase, not_even_all_down_any_uses_what_is_out);
    tcase_add_test(tcase, an_order_outlives_a_reload_and_ends_with_lb);
    tcase_add_test(tcase, a_backend_that_is_not_there_is_told_with_the_nearest);
    tcase_add_test(tcase, the_status_counts_what_happens);
    tcase_add_test(tcase, a_backend_that_is_down_stands_first_with_its_reason);
    tcase_add_test(tcase, to_watch_is_to_be_told_again_until_interrupted);
    tcase_add_test(tcase, who_interrupts_a_watch_finds_the_terminal_in_order);
    tcase_add_test(tcase, the_status_is_told_while_lb_drains);
    tcase_add_http1_test(tcase, a_reload_returns_when_it_is_in_force_or_says_all_that_is_wrong);
    tcase_add_test(tcase, many_may_ask_for_a_reload_at_once);
    tcase_add_test(tcase, reloads_that_are_asked_for_one_behind_the_other_are_all_told);
    tcase_add_test(tcase, a_changed_address_is_warned_of_and_the_old_one_stays);
    tcase_add_test(tcase, a_living_lbs_file_is_not_taken_away);
    tcase_add_test(tcase, a_dead_lbs_file_is_replaced_and_an_ending_one_removes_its_own);
    tcase_add_test(tcase, off_means_that_nobody_is_asked);
}

CHECK_MAIN("operators see and steer", add_tests)
