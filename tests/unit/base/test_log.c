/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/base/log.h"

#include <ctype.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lb/base/error.h"
#include "lb/base/timestamp.h"
#include "tests/support/check_main.h"
#include "tests/support/folder.h"

/* A log in a folder of its own; what was written is read when it is closed. */
static struct folder folder;

static void open_log(enum log_level level)
{
    struct error err = {""};
    folder_make(&folder);
    ck_assert_msg(log_open(folder_file(&folder, "lb.log"), level, &err), "%s", err.text);
}

static char *close_log(void)
{
    log_close();
    char *text = folder_read(&folder, "lb.log");
    folder_remove(&folder);
    return text;
}

/* The line behind its time stamp, whose shape is checked. */
static const char *without_time(const char *line)
{
    static const char shape[] = "0000-00-00T00:00:00.000Z ";
    for (size_t i = 0; shape[i]; i++)
        ck_assert(shape[i] == '0' ? isdigit((unsigned char)line[i]) : line[i] == shape[i]);
    return line + TIMESTAMP_BYTES + 1;
}

START_TEST(a_line_is_logfmt)
{
    struct log_line line;
    open_log(LOG_LEVEL_INFO);
    log_begin(&line, LOG_LEVEL_WARN, "listener.refused");
    log_text(&line, "reason", "missing");
    log_text(&line, "sni", "a b");
    log_text(&line, "absent", NULL);
    log_text(&line, "empty", "");
    log_text(&line, "sum", "1=1");
    log_number(&line, "depth", -3);
    log_number(&line, "most", INT64_MIN);
    log_end(&line);
    char *text = close_log();
    ck_assert_str_eq(without_time(text),
                     "warn listener.refused reason=missing sni=\"a b\" empty=\"\" sum=\"1=1\" "
                     "depth=-3 most=-9223372036854775808\n");
    free(text);
}
END_TEST

START_TEST(what_comes_from_the_network_cannot_forge_a_line)
{
    static const char evil[] = "x\n2026 error \"fake\"\\ \x1b[31m\x7f\xc3\xa4\0end";
    struct log_line line;
    open_log(LOG_LEVEL_INFO);
    log_begin(&line, LOG_LEVEL_INFO, "t");
    log_bytes(&line, "cn", evil, sizeof evil - 1);
    log_end(&line);
    char *text = close_log();
    ck_assert_str_eq(without_time(text),
                     "info t cn=\"x\\x0a2026 error \\x22fake\\x22\\x5c \\x1b[31m\\x7f\\xc3\\xa4"
                     "\\x00end\"\n");
    free(text);
}
END_TEST

/* One value fills the line's share for values, many fill the line; both end cleanly. */
START_TEST(long_values_are_cut_and_later_keys_survive)
{
    struct log_line line;
    char huge[5000];
    memset(huge, 'a', sizeof huge);
    open_log(LOG_LEVEL_INFO);
    log_begin(&line, LOG_LEVEL_INFO, "t");
    log_bytes(&line, "subject", huge, sizeof huge);
    memset(huge, '\n', sizeof huge);
    log_bytes(&line, "issuer", huge, sizeof huge);
    log_text(&line, "reason", "untrusted");
    log_end(&line);
    char *text = close_log();
    ck_assert_ptr_nonnull(strstr(text, "aaaa... issuer=\"\\x0a"));
    ck_assert_ptr_nonnull(strstr(text, "\\x0a...\" reason=untrusted\n"));
    ck_assert_uint_le(strlen(text), LOG_LINE_BYTES);
    free(text);
}
END_TEST

START_TEST(a_full_line_is_closed_however_much_is_added)
{
    struct log_line line;
    char value[1000];
    open_log(LOG_LEVEL_INFO);
    for (size_t length = 0; length < 40; length++) {
        memset(value, length % 2 ? 'a' : '"', sizeof value);
        log_begin(&line, LOG_LEVEL_INFO, "t");
        for (int i = 0; i < 200; i++)
            log_bytes(&line, "key", value, length);
        ck_assert_uint_lt(line.used, LOG_LINE_BYTES);
        log_end(&line);
    }
    char *text = close_log();
    size_t lines = 0;
    for (char *at = text, *end; (end = strchr(at, '\n')); at = end + 1, lines++) {
        ck_assert_uint_le((size_t)(end - at) + 1, LOG_LINE_BYTES);
        size_t quotes = 0;
        for (char *quote = at; quote < end; quote++)
            quotes += *quote == '"';
        ck_assert_uint_eq(quotes % 2, 0);
    }
    ck_assert_uint_eq(lines, 40);
    free(text);
}
END_TEST

START_TEST(a_level_that_is_off_costs_and_writes_nothing)
{
    struct log_line line;
    open_log(LOG_LEVEL_WARN);
    log_begin(&line, LOG_LEVEL_INFO, "t");
    ck_assert(!line.on);
    log_text(&line, "key", "value");
    log_number(&line, "key", 1);
    log_end(&line);
    ck_assert_uint_eq(line.used, 0);
    log_say(LOG_LEVEL_DEBUG, "t", "nothing");
    log_say(LOG_LEVEL_ERROR, "lb.ready", "%d workers", 4);
    char *text = close_log();
    ck_assert_str_eq(without_time(text), "error lb.ready message=\"4 workers\"\n");
    free(text);
}
END_TEST

START_TEST(before_it_is_opened_lines_go_to_stderr_at_once)
{
    int pipe_fds[2];
    char text[256] = "";
    ck_assert_int_eq(pipe2(pipe_fds, O_NONBLOCK), 0);
    int before = dup(STDERR_FILENO);
    dup2(pipe_fds[1], STDERR_FILENO);
    log_say(LOG_LEVEL_INFO, "lb.start", "hello");
    log_say(LOG_LEVEL_DEBUG, "lb.start", "unheard");
    ssize_t length = read(pipe_fds[0], text, sizeof text - 1);
    dup2(before, STDERR_FILENO);
    ck_assert_int_gt(length, 0);
    ck_assert_str_eq(without_time(text), "info lb.start message=hello\n");
    close(before);
    close(pipe_fds[0]);
    close(pipe_fds[1]);
}
END_TEST

START_TEST(a_log_that_cannot_be_opened_says_why_and_the_old_one_stays)
{
    struct error err = {""};
    open_log(LOG_LEVEL_INFO);
    ck_assert(!log_open("/no/such/folder/lb.log", LOG_LEVEL_INFO, &err));
    ck_assert_str_eq(err.text,
                     "cannot write the log \"/no/such/folder/lb.log\": No such file or directory");
    log_say(LOG_LEVEL_INFO, "t", "still here");
    char *text = close_log();
    ck_assert_ptr_nonnull(strstr(text, "still here"));
    free(text);
}
END_TEST

START_TEST(after_logrotate_lines_go_to_the_new_file)
{
    open_log(LOG_LEVEL_INFO);
    log_say(LOG_LEVEL_INFO, "t", "one");
    ck_assert_int_eq(rename(folder_file(&folder, "lb.log"), folder_file(&folder, "lb.log.1")), 0);
    log_reopen();
    log_say(LOG_LEVEL_INFO, "t", "two");
    char *text = close_log();
    ck_assert_ptr_nonnull(strstr(text, "message=two"));
    free(text);
}
END_TEST

enum { THREAD_COUNT = 6, LINES_PER_THREAD = 500 };

static void *write_lines(void *number)
{
    for (int i = 0; i < LINES_PER_THREAD; i++) {
        struct log_line line;
        log_begin(&line, LOG_LEVEL_INFO, "t");
        log_number(&line, "thread", *(int *)number);
        log_number(&line, "line", i);
        log_end(&line);
    }
    return NULL;
}

START_TEST(threads_write_whole_lines_each_in_its_order)
{
    pthread_t threads[THREAD_COUNT];
    int numbers[THREAD_COUNT];
    int next[THREAD_COUNT] = {0};
    open_log(LOG_LEVEL_INFO);
    for (int i = 0; i < THREAD_COUNT; i++) {
        numbers[i] = i;
        ck_assert_int_eq(pthread_create(&threads[i], NULL, write_lines, &numbers[i]), 0);
    }
    for (int i = 0; i < THREAD_COUNT; i++)
        pthread_join(threads[i], NULL);
    char *text = close_log();
    size_t lines = 0;
    for (char *at = text, *end; (end = strchr(at, '\n')); at = end + 1, lines++) {
        int thread = -1;
        int number = -1;
        ck_assert_int_eq(sscanf(without_time(at), "info t thread=%d line=%d\n", &thread, &number),
                         2);
        ck_assert_int_eq(number, next[thread]++);
    }
    ck_assert_uint_eq(lines, THREAD_COUNT * LINES_PER_THREAD);
    free(text);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, a_line_is_logfmt);
    tcase_add_test(tcase, what_comes_from_the_network_cannot_forge_a_line);
    tcase_add_test(tcase, long_values_are_cut_and_later_keys_survive);
    tcase_add_test(tcase, a_full_line_is_closed_however_much_is_added);
    tcase_add_test(tcase, a_level_that_is_off_costs_and_writes_nothing);
    tcase_add_test(tcase, before_it_is_opened_lines_go_to_stderr_at_once);
    tcase_add_test(tcase, a_log_that_cannot_be_opened_says_why_and_the_old_one_stays);
    tcase_add_test(tcase, after_logrotate_lines_go_to_the_new_file);
    tcase_add_test(tcase, threads_write_whole_lines_each_in_its_order);
}

CHECK_MAIN("log", add_tests)
