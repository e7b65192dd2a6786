/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/base/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lb/base/error.h"
#include "lb/base/limits.h"
#include "tests/support/check_main.h"
#include "tests/support/eventually.h"
#include "tests/support/folder.h"

static const char line[] = "one line of a log, long enough to be like a real one: client, path\n";
enum { LINE_BYTES = sizeof line - 1, STUCK_LINES = 2 * SINK_BYTES / LINE_BYTES };

static struct sink *open_sink(const char *where)
{
    struct error err = {""};
    struct sink *sink = sink_open(where, &err);
    ck_assert_msg(sink != NULL, "%s", err.text);
    return sink;
}

START_TEST(closing_writes_everything_that_was_queued)
{
    struct folder folder;
    folder_make(&folder);
    struct sink *sink = open_sink(folder_file(&folder, "log"));
    for (int i = 0; i < 1000; i++)
        ck_assert(sink_write(sink, line, LINE_BYTES));
    sink_close(sink);
    struct stat status;
    ck_assert_int_eq(stat(folder_file(&folder, "log"), &status), 0);
    ck_assert_int_eq(status.st_size, 1000 * LINE_BYTES);
    ck_assert_uint_eq(status.st_mode & 0137, 0); /* nothing beyond 0640 */
    folder_remove(&folder);
}
END_TEST

START_TEST(a_file_is_appended_to_and_written_without_closing)
{
    struct folder folder;
    struct stat status;
    folder_make(&folder);
    folder_write(&folder, "log", "before\n");
    struct sink *sink = open_sink(folder_file(&folder, "log"));
    ck_assert(sink_write(sink, "first\n", 6));
    eventually(stat(folder_file(&folder, "log"), &status) == 0 && status.st_size == 13);
    /* The writer rests now or soon; a line wakes it again either way. */
    ck_assert(sink_write(sink, "second\n", 7));
    eventually(stat(folder_file(&folder, "log"), &status) == 0 && status.st_size == 20);
    sink_close(sink);
    char *text = folder_read(&folder, "log");
    ck_assert_str_eq(text, "before\nfirst\nsecond\n");
    free(text);
    folder_remove(&folder);
}
END_TEST

/* A pipe nobody reads, under the name stdout. */
static struct sink *open_stuck(int pipe_fds[2])
{
    ck_assert_int_eq(pipe2(pipe_fds, O_CLOEXEC), 0);
    int before = dup(STDOUT_FILENO);
    fflush(stdout);
    dup2(pipe_fds[1], STDOUT_FILENO);
    struct sink *sink = open_sink("stdout");
    dup2(before, STDOUT_FILENO);
    close(before);
    close(pipe_fds[1]);
    return sink;
}

static int write_too_much(struct sink *sink)
{
    int taken = 0;
    for (int i = 0; i < STUCK_LINES; i++)
        taken += sink_write(sink, line, LINE_BYTES);
    return taken;
}

struct reader {
    int fd;
    atomic_size_t lines;
    size_t odd_lines;
    char odd[256]; /* the last line that is not `line` */
};

static void *read_all(void *given)
{
    struct reader *reader = given;
    FILE *file = fdopen(reader->fd, "r");
    char text[256];
    while (fgets(text, sizeof text, file)) {
        if (strcmp(text, line) != 0) {
            reader->odd_lines++;
            strcpy(reader->odd, text);
        }
        reader->lines++;
    }
    fclose(file);
    return NULL;
}

START_TEST(a_stuck_reader_costs_lines_and_is_told_how_many)
{
    int pipe_fds[2];
    struct sink *sink = open_stuck(pipe_fds);
    int taken = write_too_much(sink);
    int dropped = STUCK_LINES - taken;
    ck_assert_int_gt(dropped, 0);
    ck_assert_int_ge(taken, SINK_BYTES / LINE_BYTES);
    ck_assert_uint_eq(sink_dropped(sink), (uint64_t)dropped);
    struct reader reader = {.fd = pipe_fds[0]};
    pthread_t thread;
    ck_assert_int_eq(pthread_create(&thread, NULL, read_all, &reader), 0);
    eventually(reader.lines >= (size_t)taken + 1);
    sink_close(sink);
    pthread_join(thread, NULL);
    ck_assert_uint_eq(reader.lines, (size_t)taken + 1);
    ck_assert_uint_eq(reader.odd_lines, 1);
    char expected[64];
    snprintf(expected, sizeof expected, " warn log.dropped lines=%d\n", dropped);
    ck_assert_str_eq(reader.odd + 24, expected);
}
END_TEST

START_TEST(closing_with_a_stuck_reader_ends)
{
    int pipe_fds[2];
    struct sink *sink = open_stuck(pipe_fds);
    write_too_much(sink);
    sink_close(sink); /* the test's own time limit is the proof that this returns */
    close(pipe_fds[0]);
}
END_TEST

START_TEST(a_reader_that_left_does_not_end_the_process)
{
    int pipe_fds[2];
    struct sink *sink = open_stuck(pipe_fds);
    close(pipe_fds[0]);
    ck_assert(sink_write(sink, "a\nb\n", 4));
    eventually(sink_dropped(sink) == 2);
    sink_close(sink);
}
END_TEST

static size_t notice_in_json(uint64_t lines, char *into, size_t room)
{
    return (size_t)snprintf(into, room, "{\"dropped\":%llu}\n", (unsigned long long)lines);
}

START_TEST(the_notice_may_have_another_form)
{
    int pipe_fds[2];
    struct sink *sink = open_stuck(pipe_fds);
    sink_set_notice(sink, notice_in_json);
    int taken = write_too_much(sink);
    struct reader reader = {.fd = pipe_fds[0]};
    pthread_t thread;
    ck_assert_int_eq(pthread_create(&thread, NULL, read_all, &reader), 0);
    eventually(reader.lines >= (size_t)taken + 1);
    sink_close(sink);
    pthread_join(thread, NULL);
    char expected[64];
    snprintf(expected, sizeof expected, "{\"dropped\":%d}\n", STUCK_LINES - taken);
    ck_assert_str_eq(reader.odd, expected);
}
END_TEST

START_TEST(a_socket_as_stdout_is_written_to)
{
    int pair[2];
    char text[8] = "";
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    int before = dup(STDERR_FILENO);
    dup2(pair[1], STDERR_FILENO);
    struct sink *sink = open_sink("stderr");
    dup2(before, STDERR_FILENO);
    close(before);
    close(pair[1]);
    ck_assert(sink_write(sink, "hello\n", 6));
    ck_assert_int_eq(recv(pair[0], text, 6, MSG_WAITALL), 6);
    ck_assert_str_eq(text, "hello\n");
    sink_close(sink);
    close(pair[0]);
}
END_TEST

START_TEST(reopening_follows_the_path_and_a_lost_folder_keeps_the_old_file)
{
    struct folder folder;
    struct stat status;
    folder_make(&folder);
    char path[128];
    char moved[128];
    snprintf(path, sizeof path, "%s/sub/log", folder.path);
    snprintf(moved, sizeof moved, "%s/moved", folder.path);
    ck_assert_int_eq(mkdir(folder_file(&folder, "sub"), 0700), 0);
    struct sink *sink = open_sink(path);
    ck_assert(sink_write(sink, "one\n", 4));
    eventually(stat(path, &status) == 0 && status.st_size == 4);
    ck_assert_int_eq(rename(path, moved), 0);
    ck_assert_int_eq(rmdir(folder_file(&folder, "sub")), 0);
    ck_assert(!sink_reopen(sink));
    ck_assert_int_eq(errno, ENOENT);
    ck_assert(sink_write(sink, "two\n", 4));
    eventually(stat(moved, &status) == 0 && status.st_size == 8);
    ck_assert_int_eq(mkdir(folder_file(&folder, "sub"), 0700), 0);
    ck_assert(sink_reopen(sink));
    ck_assert(sink_write(sink, "three\n", 6));
    sink_close(sink);
    ck_assert_int_eq(stat(path, &status), 0);
    ck_assert_int_eq(status.st_size, 6);
    folder_remove(&folder);
}
END_TEST

START_TEST(what_cannot_be_opened_is_refused_at_once)
{
    struct folder folder;
    struct error err = {""};
    folder_make(&folder);
    ck_assert_ptr_null(sink_open(folder.path, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "Is a directory"));
    ck_assert_int_eq(mkfifo(folder_file(&folder, "fifo"), 0600), 0);
    ck_assert_ptr_null(sink_open(folder_file(&folder, "fifo"), &err)); /* nobody reads it */
    sink_close(NULL);
    folder_remove(&folder);
}
END_TEST

enum { THREAD_COUNT = 20, LINES_PER_THREAD = 400 };

static void *write_lines(void *sink)
{
    for (int i = 0; i < LINES_PER_THREAD; i++)
        ck_assert(sink_write(sink, line, LINE_BYTES));
    return NULL;
}

START_TEST(more_threads_than_shards_lose_nothing)
{
    int pipe_fds[2];
    pthread_t threads[THREAD_COUNT];
    pthread_t reading;
    struct sink *sink = open_stuck(pipe_fds);
    struct reader reader = {.fd = pipe_fds[0]};
    ck_assert_int_eq(pthread_create(&reading, NULL, read_all, &reader), 0);
    for (int i = 0; i < THREAD_COUNT; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, write_lines, sink), 0);
    for (int i = 0; i < THREAD_COUNT; i++)
        pthread_join(threads[i], NULL);
    eventually(reader.lines >= THREAD_COUNT * LINES_PER_THREAD);
    sink_close(sink);
    pthread_join(reading, NULL);
    ck_assert_uint_eq(reader.lines, THREAD_COUNT * LINES_PER_THREAD);
    ck_assert_uint_eq(reader.odd_lines, 0);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, closing_writes_everything_that_was_queued);
    tcase_add_test(tcase, a_file_is_appended_to_and_written_without_closing);
    tcase_add_test(tcase, a_stuck_reader_costs_lines_and_is_told_how_many);
    tcase_add_test(tcase, closing_with_a_stuck_reader_ends);
    tcase_add_test(tcase, a_reader_that_left_does_not_end_the_process);
    tcase_add_test(tcase, the_notice_may_have_another_form);
    tcase_add_test(tcase, a_socket_as_stdout_is_written_to);
    tcase_add_test(tcase, reopening_follows_the_path_and_a_lost_folder_keeps_the_old_file);
    tcase_add_test(tcase, what_cannot_be_opened_is_refused_at_once);
    tcase_add_test(tcase, more_threads_than_shards_lose_nothing);
}

CHECK_MAIN("sink", add_tests)
