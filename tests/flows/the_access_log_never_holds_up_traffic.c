/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the access log goes, and what happens when it cannot: nobody reads the pipe, its reader
 * went away, the disk is full. Clients notice nothing, and lines that were dropped are counted.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/check_main.h"
#include "tests/support/eventually.h"
#include "tests/support/json_line.h"
#include "tests/support/peer.h"
#include "tests/support/scene.h"
#include "tests/support/stub_backend.h"

/* clang-format off */
static const char ini[] =
    "[listener web]\naddress = 127.0.0.1:@web\nprotocol = http\n\n"
    "[rule all]\nlistener = web\npool = app\n\n"
    "[pool app]\nbackend = rs-1 127.0.0.1:@rs-1\nhealth_check = off\n";
/* clang-format on */

struct archive {
    struct scene scene;
    struct stub_backend backend;
};

/* A named pipe stands ready in the folder. */
static void archive_open(struct archive *archive)
{
    scene_begin(&archive->scene);
    stub_start(&archive->backend, "rs-1", NULL);
    scene_set_port(&archive->scene, "rs-1", archive->backend.port);
    ck_assert_int_eq(mkfifo(folder_file(&archive->scene.folder, "pipe"), 0600), 0);
}

/* lines: of [lb] */
static void archive_start(struct archive *archive, const char *lines)
{
    struct text text = {0};
    text_add_format(&text, "[lb]\nworkers = 2\n%s\n\n%s", lines, ini);
    scene_start(&archive->scene, text.bytes);
    text_done(&text);
}

static void archive_close(struct archive *archive)
{
    scene_end(&archive->scene);
    stub_stop(&archive->backend);
}

static int open_pipe(struct archive *archive)
{
    int pipe = open(folder_file(&archive->scene.folder, "pipe"), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    ck_assert_int_ge(pipe, 0);
    return pipe;
}

/* Requests whose lines are more than two thousand bytes long. */
static void ask_many(struct archive *archive, unsigned count)
{
    struct peer peer;
    char name[2001];
    struct text request = {0};
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    text_add_format(&request, "GET /once HTTP/1.1\r\nHost: a\r\nUser-Agent: %s\r\n\r\n", name);
    peer_connect(&peer, scene_port(&archive->scene, "web"));
    for (unsigned i = 0; i < count; i++)
        ck_assert_uint_eq(peer_ask(&peer, request.bytes), 200);
    peer_close(&peer);
    text_done(&request);
}

START_TEST(off_is_off)
{
    struct archive archive;
    archive_open(&archive);
    archive_start(&archive, "access_log = off");
    ask_many(&archive, 1);
    scene_stop(&archive.scene);
    char *said = scene_log(&archive.scene);
    ck_assert_ptr_null(strstr(said, "/once"));
    ck_assert_int_ne(access(folder_file(&archive.scene.folder, "off"), F_OK), 0);
    free(said);
    archive_close(&archive);
}
END_TEST

START_TEST(stdout_is_where_it_goes_unless_said_otherwise)
{
    struct archive archive;
    archive_open(&archive);
    archive_start(&archive, "");
    ask_many(&archive, 1);
    scene_stop(&archive.scene);
    char *said = scene_log(&archive.scene);
    char *line = strstr(said, "\n{\"time\"");
    ck_assert_msg(line != NULL, "%s", said);
    *(strchr(line + 1, '\n') + 1) = '\0';
    ck_assert_uint_eq(json_lines_visit(line + 1, NULL, NULL), 1);
    free(said);
    archive_close(&archive);
}
END_TEST

START_TEST(a_file_is_appended_to_and_not_for_everyone_to_read)
{
    struct archive archive;
    struct stat status;
    archive_open(&archive);
    folder_write(&archive.scene.folder, "access.log", "{\"before\":1}\n");
    archive_start(&archive, "access_log = fresh.log");
    ask_many(&archive, 1);
    scene_stop(&archive.scene);
    ck_assert_int_eq(stat(folder_file(&archive.scene.folder, "fresh.log"), &status), 0);
    ck_assert_uint_eq(status.st_mode & 07, 0);
    unlink(folder_file(&archive.scene.folder, "lb.log")); /* says that it is ready */
    archive_start(&archive, "access_log = access.log");
    ask_many(&archive, 2);
    scene_stop(&archive.scene);
    char *log = scene_access_log(&archive.scene);
    ck_assert_uint_eq(json_lines_visit(log, NULL, NULL), 3);
    ck_assert_ptr_eq(strstr(log, "{\"before\":1}\n"), log);
    free(log);
    archive_close(&archive);
}
END_TEST

/* --- when it cannot be written ------------------------------------------------------------- */

struct account {
    unsigned requests;
    unsigned dropped;
};

static void add_to_account(const struct json_line *line, void *story)
{
    struct account *account = story;
    const char *dropped = json_line_get(line, "lines");
    if (dropped == NULL) {
        ck_assert_str_eq(json_line_get(line, "status"), "200");
        account->requests++;
        return;
    }
    ck_assert_str_eq(json_line_get(line, "event"), "log.dropped");
    account->dropped += (unsigned)strtoul(dropped, NULL, 10);
}

/* Read until every request is accounted for: by its line, or among those that were dropped. */
static struct account read_account(int pipe, unsigned wanted)
{
    struct account account = {0, 0};
    struct text lines = {0};
    char piece[16 * 1024];
    text_add(&lines, "", 0);
    while (account.requests + account.dropped < wanted) {
        struct pollfd ready = {.fd = pipe, .events = POLLIN};
        ck_assert_msg(poll(&ready, 1, EVENTUALLY_MS) == 1, "%u lines and %u dropped of %u",
                      account.requests, account.dropped, wanted);
        ssize_t length = read(pipe, piece, sizeof piece);
        ck_assert_msg(length > 0 || errno == EAGAIN, "the pipe has ended");
        if (length > 0)
            text_add(&lines, piece, (size_t)length);
        char *last = strrchr(lines.bytes, '\n');
        if (last == NULL)
            continue;
        char *whole = strndup(lines.bytes, (size_t)(last - lines.bytes) + 1);
        json_lines_visit(whole, add_to_account, &account);
        text_drop(&lines, strlen(whole));
        free(whole);
    }
    ck_assert_uint_eq(lines.length, 0);
    text_done(&lines);
    return account;
}

START_TEST(a_pipe_that_nobody_reads_blocks_nobody_and_what_is_dropped_is_counted)
{
    enum { MANY = 3000 };
    struct archive archive;
    archive_open(&archive);
    int pipe = open_pipe(&archive);
    archive_start(&archive, "access_log = pipe");
    ask_many(&archive, MANY);
    ck_assert_uint_eq(atomic_load(&archive.backend.requests), MANY);
    struct account account = read_account(pipe, MANY);
    ck_assert_uint_gt(account.dropped, 0);
    ck_assert_uint_gt(account.requests, 0);
    /* It is written again as if nothing had been. */
    ask_many(&archive, 10);
    account = read_account(pipe, 10);
    ck_assert_uint_eq(account.requests, 10);
    close(pipe);
    archive_close(&archive);
}
END_TEST

START_TEST(a_pipe_that_nobody_reads_does_not_keep_it_from_ending)
{
    struct archive archive;
    archive_open(&archive);
    int pipe = open_pipe(&archive);
    archive_start(&archive, "access_log = pipe");
    ask_many(&archive, 100);
    scene_stop(&archive.scene);
    close(pipe);
    archive_close(&archive);
}
END_TEST

START_TEST(a_reader_that_goes_away_takes_nobody_with_it)
{
    struct archive archive;
    archive_open(&archive);
    int pipe = open_pipe(&archive);
    archive_start(&archive, "access_log = pipe");
    ask_many(&archive, 10);
    ck_assert_uint_eq(read_account(pipe, 10).requests, 10);
    close(pipe);
    ask_many(&archive, 100);
    eventually(scene_log_has(&archive.scene, " error access-log.lost ", "Broken pipe", NULL));
    archive_close(&archive);
}
END_TEST

START_TEST(a_full_disk_is_felt_by_nobody)
{
    struct archive archive;
    archive_open(&archive);
    archive_start(&archive, "access_log = /dev/full");
    ask_many(&archive, 100);
    scene_stop(&archive.scene);
    char *log = scene_log(&archive.scene);
    ck_assert_msg(text_count(log, " error access-log.lost ") == 1 && strstr(log, "/dev/full") &&
                      strstr(log, "No space left on device"),
                  "%s", log);
    free(log);
    archive_close(&archive);
}
END_TEST

static void limit_files(struct archive *archive, rlim_t bytes)
{
    const struct rlimit limit = {bytes, RLIM_INFINITY};
    ck_assert_int_eq(prlimit(archive->scene.pid, RLIMIT_FSIZE, &limit, NULL), 0);
}

/* A file that may not grow is written up to the middle of a line, as on a disk that is full. */
START_TEST(a_disk_that_fills_up_and_is_emptied_is_told_and_costs_no_later_line)
{
    enum { BEFORE = 3, LOST = 20 };
    struct archive archive;
    struct stat status;
    archive_open(&archive);
    archive_start(&archive, "access_log = access.log");
    ask_many(&archive, BEFORE);
    eventually(scene_access_lines(&archive.scene, "/once") == BEFORE);
    ck_assert_int_eq(stat(folder_file(&archive.scene.folder, "access.log"), &status), 0);
    limit_files(&archive, (rlim_t)status.st_size + 30);
    ask_many(&archive, LOST);
    eventually(scene_log_has(&archive.scene, " error access-log.lost ", "File too large", NULL));
    ck_assert_int_eq(stat(folder_file(&archive.scene.folder, "access.log"), &status), 0);
    limit_files(&archive, RLIM_INFINITY);
    ask_many(&archive, 1);
    eventually(scene_log_has(&archive.scene, " warn access-log.back ", NULL));
    scene_stop(&archive.scene);
    char *said = scene_log(&archive.scene);
    ck_assert_uint_eq(text_count(said, "access-log.lost"), 1);
    char *log = scene_access_log(&archive.scene);
    struct account account = {0, 0};
    char *rest = log + status.st_size; /* behind what was cut, which is a line of its own */
    ck_assert_int_eq(*rest, '\n');
    json_lines_visit(rest + 1, add_to_account, &account);
    ck_assert_uint_eq(BEFORE + account.requests + account.dropped, BEFORE + LOST + 1);
    ck_assert_uint_gt(account.dropped, 0);
    free(log);
    free(said);
    archive_close(&archive);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, off_is_off);
    tcase_add_test(tcase, stdout_is_where_it_goes_unless_said_otherwise);
    tcase_add_test(tcase, a_file_is_appended_to_and_not_for_everyone_to_read);
    tcase_add_test(tcase, a_pipe_that_nobody_reads_blocks_nobody_and_what_is_dropped_is_counted);
    tcase_add_test(tcase, a_pipe_that_nobody_reads_does_not_keep_it_from_ending);
    tcase_add_test(tcase, a_reader_that_goes_away_takes_nobody_with_it);
    tcase_add_test(tcase, a_full_disk_is_felt_by_nobody);
    tcase_add_test(tcase, a_disk_that_fills_up_and_is_emptied_is_told_and_costs_no_later_line);
}

CHECK_MAIN("the access log never holds up traffic", add_tests)
