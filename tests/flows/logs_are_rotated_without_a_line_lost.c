/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rotating logs as logrotate does: rename the file, send SIGUSR1. Every line is in one of the
 * files, whole and once, and whatever goes wrong leaves the old file in use.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/check_main.h"
#include "tests/support/eventually.h"
#include "tests/support/json_line.h"
#include "tests/support/peer.h"
#include "tests/support/process.h"
#include "tests/support/scene.h"
#include "tests/support/stub_backend.h"

/* clang-format off */
static const char ini[] =
    "[lb]\nworkers = 2\naccess_log = access.log\nlog = lb.log\n\n"
    "[listener web]\naddress = 127.0.0.1:@web\nprotocol = http\n\n"
    "[rule all]\nlistener = web\npool = app\n\n"
    "[pool app]\nbackend = rs-1 127.0.0.1:@rs-1\nhealth_check = off\n";
/* clang-format on */

struct archive {
    struct scene scene;
    struct stub_backend backend;
};

static void archive_open(struct archive *archive)
{
    scene_begin(&archive->scene);
    stub_start(&archive->backend, "rs-1", NULL);
    scene_set_port(&archive->scene, "rs-1", archive->backend.port);
    scene_start(&archive->scene, ini);
}

static void archive_close(struct archive *archive)
{
    scene_end(&archive->scene);
    stub_stop(&archive->backend);
}

static void put_away(struct archive *archive, const char *file, const char *as)
{
    const struct folder *folder = &archive->scene.folder;
    ck_assert_int_eq(rename(folder_file(folder, file), folder_file(folder, as)), 0);
}

static void signal_rotation(struct archive *archive)
{
    ck_assert_int_eq(kill(archive->scene.pid, SIGUSR1), 0);
}

static bool is_there(struct archive *archive, const char *file)
{
    return access(folder_file(&archive->scene.folder, file), F_OK) == 0;
}

static unsigned lines_with(struct archive *archive, const char *file, const char *text)
{
    char *all = folder_read(&archive->scene.folder, file);
    unsigned count = text_count(all, text);
    free(all);
    return count;
}

static void ask(struct archive *archive, const char *path)
{
    struct peer peer;
    peer_connect(&peer, scene_port(&archive->scene, "web"));
    ck_assert_uint_eq(peer_get(&peer, "a", path, NULL, 0), 200);
    peer_close(&peer);
}

/* --- under load ---------------------------------------------------------------------------- */

enum { CLIENTS = 4, REQUESTS_MOST = 20000, ROTATIONS = 8 };

struct visitor {
    struct archive *archive;
    unsigned number;
    unsigned asked;
    atomic_bool *is_over;
    pthread_t thread;
};

static void *visit(void *given)
{
    struct visitor *visitor = given;
    struct peer peer;
    char path[32];
    peer_connect(&peer, scene_port(&visitor->archive->scene, "web"));
    while (!atomic_load(visitor->is_over) && visitor->asked < REQUESTS_MOST) {
        snprintf(path, sizeof path, "/%u/%u", visitor->number, visitor->asked++);
        ck_assert_uint_eq(peer_get(&peer, "a", path, NULL, 0), 200);
    }
    peer_close(&peer);
    return NULL;
}

/* How often each request was found, by "/CLIENT/NUMBER". */
struct census {
    unsigned char found[CLIENTS][REQUESTS_MOST];
};

static void count_line(const struct json_line *line, void *story)
{
    struct census *census = story;
    unsigned client, number;
    ck_assert_str_eq(json_line_get(line, "status"), "200");
    ck_assert_int_eq(sscanf(json_line_get(line, "uri"), "/%u/%u", &client, &number), 2);
    census->found[client][number]++;
}

static void count_file(struct archive *archive, const char *file, struct census *census)
{
    char *lines = folder_read(&archive->scene.folder, file);
    json_lines_visit(lines, count_line, census);
    free(lines);
}

/* Rename both logs and wait until both go on. */
static void rotate(struct archive *archive, unsigned turn)
{
    char name[32];
    snprintf(name, sizeof name, "access.log.%u", turn);
    put_away(archive, "access.log", name);
    snprintf(name, sizeof name, "lb.log.%u", turn);
    put_away(archive, "lb.log", name);
    signal_rotation(archive);
    eventually(is_there(archive, "access.log") &&
               lines_with(archive, "lb.log", "access-log.reopened") == 1);
}

START_TEST(every_request_has_its_line_in_one_of_the_files)
{
    struct archive archive;
    struct visitor visitors[CLIENTS];
    static struct census census;
    atomic_bool is_over = false;
    char name[32];
    archive_open(&archive);
    for (unsigned i = 0; i < CLIENTS; i++) {
        visitors[i] = (struct visitor){.archive = &archive, .number = i, .is_over = &is_over};
        pthread_create(&visitors[i].thread, NULL, visit, &visitors[i]);
    }
    for (unsigned turn = 0; turn < ROTATIONS; turn++)
        rotate(&archive, turn);
    atomic_store(&is_over, true);
    for (unsigned i = 0; i < CLIENTS; i++)
        pthread_join(visitors[i].thread, NULL);
    scene_stop(&archive.scene);
    for (unsigned turn = 0; turn < ROTATIONS; turn++) {
        snprintf(name, sizeof name, "access.log.%u", turn);
        count_file(&archive, name, &census);
    }
    count_file(&archive, "access.log", &census);
    for (unsigned client = 0; client < CLIENTS; client++)
        for (unsigned i = 0; i < visitors[client].asked; i++)
            ck_assert_msg(census.found[client][i] == 1, "/%u/%u is there %u times", client, i,
                          census.found[client][i]);
    archive_close(&archive);
}
END_TEST

START_TEST(the_new_files_begin_where_the_old_ones_end)
{
    struct archive archive;
    struct stat status;
    archive_open(&archive);
    ask(&archive, "/before");
    eventually(scene_access_lines(&archive.scene, "/before") == 1);
    rotate(&archive, 1);
    ask(&archive, "/after");
    eventually(scene_access_lines(&archive.scene, "/after") == 1);
    ck_assert_uint_eq(lines_with(&archive, "access.log.1", "/before"), 1);
    ck_assert_uint_eq(scene_access_lines(&archive.scene, ""), 1);
    char *log = scene_log(&archive.scene);
    const char *first = strstr(log, " info log.reopened ");
    ck_assert_msg(first && first < strchr(log, '\n'), "%s", log);
    free(log);
    ck_assert_int_eq(stat(folder_file(&archive.scene.folder, "access.log"), &status), 0);
    ck_assert_uint_eq(status.st_mode & 07, 0);
    archive_close(&archive);
}
END_TEST

/* --- when it goes wrong -------------------------------------------------------------------- */

START_TEST(a_file_that_cannot_be_opened_leaves_the_old_one_in_use)
{
    struct archive archive;
    archive_open(&archive);
    put_away(&archive, "access.log", "access.log.1");
    put_away(&archive, "lb.log", "lb.log.1");
    ck_assert_int_eq(mkdir(folder_file(&archive.scene.folder, "access.log"), 0700), 0);
    ck_assert_int_eq(mkdir(folder_file(&archive.scene.folder, "lb.log"), 0700), 0);
    signal_rotation(&archive);
    eventually(lines_with(&archive, "lb.log.1", "access-log.reopen-failed") == 1);
    char *log = folder_read(&archive.scene.folder, "lb.log.1");
    ck_assert_msg(
        strstr(log, "error log.reopen-failed ") && strstr(log, "/lb.log: Is a directory") &&
            strstr(log, "/access.log: Is a directory") && strstr(log, "the old file is written on"),
        "%s", log);
    free(log);
    ask(&archive, "/still-here");
    eventually(lines_with(&archive, "access.log.1", "/still-here") == 1);
    /* Once the way is free, the next signal mends it. */
    ck_assert_int_eq(rmdir(folder_file(&archive.scene.folder, "access.log")), 0);
    ck_assert_int_eq(rmdir(folder_file(&archive.scene.folder, "lb.log")), 0);
    signal_rotation(&archive);
    eventually(lines_with(&archive, "lb.log", "access-log.reopened") == 1);
    ask(&archive, "/back-again");
    eventually(scene_access_lines(&archive.scene, "/back-again") == 1);
    archive_close(&archive);
}
END_TEST

/* lb reads its INI file from a pipe, and is in the middle of that while nobody writes. */
START_TEST(a_signal_before_it_is_ready_ends_nothing)
{
    struct archive archive;
    const struct folder *folder = &archive.scene.folder;
    scene_begin(&archive.scene);
    stub_start(&archive.backend, "rs-1", NULL);
    scene_set_port(&archive.scene, "rs-1", archive.backend.port);
    scene_write_ini(&archive.scene, "told.ini", ini);
    char *told = folder_read(folder, "told.ini");
    ck_assert_int_eq(mkfifo(folder_file(folder, "lb.ini"), 0600), 0);
    const char *argv[] = {process_lb(), "run", "-c", folder_file(folder, "lb.ini"), NULL};
    archive.scene.pid = process_start(argv, folder_file(folder, "lb.log"));
    int pipe = -1;
    eventually((pipe = open(folder_file(folder, "lb.ini"), O_WRONLY | O_NONBLOCK | O_CLOEXEC)) >=
               0);
    signal_rotation(&archive);
    ck_assert_int_eq(write(pipe, told, strlen(told)), (ssize_t)strlen(told));
    close(pipe);
    eventually(scene_log_has(&archive.scene, "access-log.reopened", NULL));
    eventually(scene_log_has(&archive.scene, "lb.ready", NULL));
    ask(&archive, "/");
    free(told);
    archive_close(&archive);
}
END_TEST

/* After a reload, for which it starts threads. */
START_TEST(no_signal_cuts_its_end_short)
{
    struct archive archive;
    archive_open(&archive);
    ck_assert(scene_reload(&archive.scene, ini));
    scene_terminate(&archive.scene);
    while (!process_has_ended(archive.scene.pid)) {
        kill(archive.scene.pid, SIGUSR1);
        kill(archive.scene.pid, SIGHUP);
    }
    scene_await_end(&archive.scene);
    archive_close(&archive);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, every_request_has_its_line_in_one_of_the_files);
    tcase_add_test(tcase, the_new_files_begin_where_the_old_ones_end);
    tcase_add_test(tcase, a_file_that_cannot_be_opened_leaves_the_old_one_in_use);
    tcase_add_test(tcase, a_signal_before_it_is_ready_ends_nothing);
    tcase_add_test(tcase, no_signal_cuts_its_end_short);
}

CHECK_MAIN("logs are rotated without a line lost", add_tests)
