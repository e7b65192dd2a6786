/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two hundred devices that nobody has registered come at the same moment. Their CA is registered
 * and they may sign up by themselves, but no more of them in a second than signups_per_second: the
 * others are told so, and get in with a later try, on the connection they have.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/cast.h"
#include "tests/support/certificates.h"
#include "tests/support/check_main.h"
#include "tests/support/peer.h"
#include "tests/support/process.h"
#include "tests/support/scene.h"
#include "tests/support/stub_backend.h"

enum { DEVICES = 200, A_SECOND = 60, TRIES_MOST = 100000 };

/* clang-format off */
static const char ini[] =
    "[lb]\nworkers = 2\naccess_log = off\n\n[registry]\nauto_activate = yes\nsignups_per_second = 60\n\n"
    "[listener web]\naddress = 127.0.0.1:@web\ncertificate = server.crt\ncertificate_key = server.key\n"
    "mutual_auth = require\nclient_ca = fleet.crt\nclient_registration = auto\n\n"
    "[rule all]\nlistener = web\npool = app\n\n[pool app]\nbackend = rs-1 127.0.0.1:@rs-1\n";
static const char request[] = "GET / HTTP/1.1\r\nHost: www.example.com\r\n\r\n";
/* clang-format on */

struct fleet {
    struct scene scene;
    struct stub_backend backend;
    struct peer devices[DEVICES];
    bool is_in[DEVICES];
};

/* Run "lb … -c lb.ini"; what it says is JSON. */
static json_t *tell(struct fleet *fleet, const char *const *words)
{
    const char *argv[12] = {process_lb()};
    struct text said = {0};
    unsigned count = 1;
    for (; words[count - 1]; count++)
        argv[count] = words[count - 1];
    argv[count++] = "-c";
    argv[count] = folder_file(&fleet->scene.folder, "lb.ini");
    ck_assert_int_eq(process_run(argv, &said), 0);
    json_t *json = json_loads(said.bytes, 0, NULL);
    ck_assert_msg(json, "no JSON: %s", said.bytes);
    text_done(&said);
    return json;
}

static void fleet_open(struct fleet *fleet)
{
    struct made *ca = made_ca("Fleet CA");
    scene_begin(&fleet->scene);
    cast_write(&fleet->scene);
    made_write(ca, fleet->scene.folder.path, "fleet");
    stub_start(&fleet->backend, "rs-1", stub_answer_by_name);
    scene_set_port(&fleet->scene, "rs-1", fleet->backend.port);
    for (unsigned i = 0; i < DEVICES; i++) {
        char name[32];
        snprintf(name, sizeof name, "device-%03u", i);
        struct made *device = made_client(ca, name);
        made_write(device, fleet->scene.folder.path, name);
        made_free(device);
    }
    made_free(ca);
    scene_start(&fleet->scene, ini);
}

static void fleet_close(struct fleet *fleet)
{
    for (unsigned i = 0; i < DEVICES; i++)
        peer_close(&fleet->devices[i]);
    scene_end(&fleet->scene);
    stub_stop(&fleet->backend);
}

static void all_connect(struct fleet *fleet)
{
    for (unsigned i = 0; i < DEVICES; i++) {
        char name[32];
        snprintf(name, sizeof name, "device-%03u", i);
        ck_assert(peer_connect_tls(&fleet->devices[i], scene_port(&fleet->scene, "web"),
                                   WISH(&fleet->scene, .who = name)));
    }
}

/* All who are not in ask at once; returns how many were told to come again. */
static unsigned all_ask(struct fleet *fleet)
{
    unsigned refused = 0;
    for (unsigned i = 0; i < DEVICES; i++)
        ck_assert(fleet->is_in[i] || peer_say(&fleet->devices[i], request));
    for (unsigned i = 0; i < DEVICES; i++) {
        struct answer answer = {0};
        if (fleet->is_in[i])
            continue;
        ck_assert(peer_read_answer(&fleet->devices[i], "GET", &answer));
        fleet->is_in[i] = answer.status == 200;
        if (!fleet->is_in[i]) {
            ck_assert_uint_eq(answer.status, 403);
            ck_assert_ptr_nonnull(strstr(answer.body.bytes, "signup-limit"));
            refused++;
        }
        answer_done(&answer);
    }
    return refused;
}

static int compare_texts(const void *one, const void *other)
{
    return strcmp(*(const char *const *)one, *(const char *const *)other);
}

/* RFC 3339 with milliseconds, all of one day: the difference of two of them. */
static long long difference_ms(const char *from, const char *to)
{
    unsigned hours[2], minutes[2];
    double seconds[2];
    const char *times[] = {from, to};
    for (unsigned i = 0; i < 2; i++)
        ck_assert_int_eq(
            sscanf(strchr(times[i], 'T'), "T%u:%u:%lf", &hours[i], &minutes[i], &seconds[i]), 3);
    double between = ((double)hours[1] - hours[0]) * 3600 + ((double)minutes[1] - minutes[0]) * 60 +
                     seconds[1] - seconds[0];
    return (long long)((between < 0 ? between + 86400 : between) * 1000 + 0.5);
}

/* Of any A_SECOND + 1 that came one after another, the last came a second after the first. */
static void check_pace(const json_t *certificates)
{
    const char *times[DEVICES];
    for (size_t i = 0; i < DEVICES; i++)
        times[i] = json_string_value(json_object_get(json_array_get(certificates, i), "created"));
    qsort(times, DEVICES, sizeof *times, compare_texts);
    for (size_t i = A_SECOND; i < DEVICES; i++)
        ck_assert_int_ge(difference_ms(times[i - A_SECOND], times[i]), 1000);
}

START_TEST(each_of_two_hundred_devices_gets_in_and_no_second_takes_more_than_allowed)
{
    static struct fleet fleet;
    fleet_open(&fleet);
    const char *upload[] = {"ca",     "upload", folder_file(&fleet.scene.folder, "fleet.crt"),
                            "--name", "fleet",  "--json",
                            NULL};
    json_decref(tell(&fleet, upload));
    all_connect(&fleet);
    unsigned tries = 0;
    unsigned turned_away = all_ask(&fleet);
    ck_assert_uint_ge(turned_away, 1);
    while (turned_away > 0 && tries++ < TRIES_MOST)
        turned_away = all_ask(&fleet);
    ck_assert_uint_eq(turned_away, 0);
    const char *list[] = {"cert", "list", "--source", "auto", "--limit", "1000", "--json", NULL};
    json_t *listed = tell(&fleet, list);
    const json_t *certificates = json_object_get(listed, "certificates");
    ck_assert_uint_eq(json_array_size(certificates), DEVICES);
    check_pace(certificates);
    json_decref(listed);
    fleet_close(&fleet);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase,
                   each_of_two_hundred_devices_gets_in_and_no_second_takes_more_than_allowed);
}

CHECK_MAIN("a fleet signs up", add_tests)
