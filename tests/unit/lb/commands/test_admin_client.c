/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever answers, or does not, must end in one clear line. */
#include "lb/commands/admin_client.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lb/base/unix_socket.h"
#include "tests/support/captured.h"
#include "tests/support/check_main.h"
#include "tests/support/folder.h"
#include "tests/support/text.h"

static struct folder folder;
static struct unix_socket listening;
static struct admin_client client;
static struct admin_reply reply;
static struct error err;
static struct text heard;

static void begin(void)
{
    folder_make(&folder);
    ck_assert_int_eq(chdir(folder.path), 0);
    client = (struct admin_client){.file = "lb.ini"};
    client.address.path = arena_copy(&client.arena, folder_file(&folder, "s"));
    client.where = arena_format(&client.arena, "unix:%s", client.address.path);
    reply = (struct admin_reply){0};
    err = (struct error){""};
    heard = (struct text){0};
    listening = (struct unix_socket){.fd = -1};
}

static void end(void)
{
    admin_client_done(&client);
    json_decref(reply.json);
    text_done(&heard);
    if (listening.fd >= 0)
        close(listening.fd);
    ck_assert_int_eq(chdir("/"), 0);
    folder_remove(&folder);
}

static void listen_there(void)
{
    ck_assert_msg(unix_socket_open(&listening, client.address.path, &err), "%s", err.text);
}

/* Takes one request and answers with these bytes. */
static void *serve(void *arg)
{
    struct pollfd somebody = {.fd = listening.fd, .events = POLLIN};
    char piece[4096];
    poll(&somebody, 1, -1);
    int fd = accept(listening.fd, NULL, NULL);
    ssize_t got = recv(fd, piece, sizeof piece, 0);
    if (got > 0)
        text_add(&heard, piece, (size_t)got);
    const struct text *answer = arg;
    for (size_t sent = 0; sent < answer->length;) {
        ssize_t more = send(fd, answer->bytes + sent, answer->length - sent, MSG_NOSIGNAL);
        if (more <= 0)
            break;
        sent += (size_t)more;
    }
    close(fd);
    return NULL;
}

static bool ask_one_that_says(const char *bytes, size_t length)
{
    struct text answer = {0};
    pthread_t thread;
    text_add(&answer, bytes, length);
    listen_there();
    ck_assert_int_eq(pthread_create(&thread, NULL, serve, &answer), 0);
    bool answered = admin_client_ask(&client, "GET", "/v1/status", 20000, &reply, &err);
    pthread_join(thread, NULL);
    text_add(&heard, "", 0);
    text_done(&answer);
    return answered;
}

static void expect_error(const char *words)
{
    ck_assert_msg(strstr(err.text, words), "\"%s\" is not in \"%s\"", words, err.text);
    ck_assert_ptr_null(strchr(err.text, '\n'));
}

START_TEST(an_answer_is_status_and_json)
{
    static const char answer[] = "HTTP/1.1 422 No\r\nContent-Length: 9\r\n\r\n{\"a\": 1}\n";
    ck_assert_msg(ask_one_that_says(answer, strlen(answer)), "%s", err.text);
    ck_assert_uint_eq(reply.status, 422);
    ck_assert_int_eq(json_integer_value(json_object_get(reply.json, "a")), 1);
    ck_assert_str_eq(heard.bytes,
                     "GET /v1/status HTTP/1.1\r\nHost: lb\r\nConnection: close\r\n\r\n");
}
END_TEST

START_TEST(a_large_answer_is_read_to_its_end)
{
    enum { LENGTH = 5000000 };
    struct text answer = {0};
    char *body = malloc(LENGTH + 1);
    memset(body, ' ', LENGTH);
    memcpy(body + LENGTH - 4, "[17]", 5);
    text_add_format(&answer, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", LENGTH);
    text_add(&answer, body, LENGTH);
    ck_assert_msg(ask_one_that_says(answer.bytes, answer.length), "%s", err.text);
    ck_assert_int_eq(json_integer_value(json_array_get(reply.json, 0)), 17);
    text_done(&answer);
    free(body);
}
END_TEST

static const struct {
    const char *answer;
    const char *complaint;
} odd[] = {
    {"", "lb ended before it answered"},
    {"HTTP/1.1 200 OK\r\nContent-Le", "what answers there is no lb"},
    {"SSH-2.0-OpenSSH\r\n", "what answers there is no lb"},
    {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}", "lb ended within its answer"},
    {"HTTP/1.1 503 No\r\nContent-Length: 4\r\n\r\nwhat",
     "what answers there (503 Service Unavailable) is no lb of this version"},
};

START_TEST(what_is_no_answer_is_told)
{
    ck_assert(!ask_one_that_says(odd[_i].answer, strlen(odd[_i].answer)));
    expect_error(odd[_i].complaint);
}
END_TEST

START_TEST(an_answer_without_end_is_not_kept)
{
    struct text answer = {0};
    char piece[65536];
    memset(piece, ' ', sizeof piece);
    text_add_format(&answer, "HTTP/1.1 200 OK\r\n\r\n");
    while (answer.length < (size_t)40 * 1024 * 1024)
        text_add(&answer, piece, sizeof piece);
    ck_assert(!ask_one_that_says(answer.bytes, answer.length));
    expect_error("the answer is larger than 33554432 bytes");
    text_done(&answer);
}
END_TEST

static void expect_no_answer(unsigned timeout_ms, const char *words)
{
    ck_assert(!admin_client_ask(&client, "GET", "/v1/status", timeout_ms, &reply, &err));
    expect_error(words);
}

START_TEST(nobody_there_is_told_with_the_file_that_was_looked_at)
{
    char expected[256];
    snprintf(expected, sizeof expected, "no lb answers at unix:%s: is it running with lb.ini?",
             client.address.path);
    expect_no_answer(1000, expected);
    listen_there(); /* and left behind by a program that was killed */
    close(listening.fd);
    listening.fd = -1;
    expect_no_answer(1000, expected);
    client.file = NULL;
    expect_no_answer(1000, ": is it running?");
}
END_TEST

START_TEST(one_that_never_answers_is_given_up)
{
    listen_there();
    expect_no_answer(1000, "no answer within 1s");
}
END_TEST

START_TEST(who_may_not_is_told_who_may)
{
    if (geteuid() != 0)
        return;
    listen_there();
    ck_assert_int_eq(chmod(folder.path, 0755), 0);
    ck_assert_int_eq(seteuid(65534), 0);
    expect_no_answer(1000, "only root and the user that lb runs as may ask it");
    ck_assert_int_eq(seteuid(0), 0);
}
END_TEST

/* --- where ---------------------------------------------------------------------------------- */

static void expect_status(int status, const char *says, const char *const *arguments)
{
    struct captured captured;
    captured_run(&captured, arguments);
    ck_assert_int_eq(captured.status, status);
    ck_assert_msg(strstr(captured.err, says), "\"%s\" is not in \"%s\"", says, captured.err);
    ck_assert_str_eq(captured.out, "");
    captured_done(&captured);
}

#define EXPECT_STATUS(status, says, ...)                                                           \
    expect_status(status, says, (const char *const[]){__VA_ARGS__, NULL})

#define MINE                                                                                       \
    "/mine: is it running with lb.ini? If [admin] address was changed since it started, --admin "  \
    "unix:OLD asks it\n"

START_TEST(lb_ini_of_this_folder_is_the_default)
{
    if (access("/etc/lb/lb.ini", F_OK) != 0)
        EXPECT_STATUS(2, "lb status: say which lb with -c FILE", "status");
    folder_write(&folder, "lb.ini", "[admin]\naddress = unix:mine\n");
    EXPECT_STATUS(1, MINE, "status");
    EXPECT_STATUS(1, MINE, "reload");
    EXPECT_STATUS(1, MINE, "backend", "drain", "app/rs-1");
}
END_TEST

START_TEST(a_file_that_cannot_say_where_is_told)
{
    EXPECT_STATUS(1, "lb reload: none.ini: cannot be opened: No such file or directory\n", "reload",
                  "-c", "none.ini");
    folder_write(&folder, "off.ini", "[admin]\naddress = off\n");
    EXPECT_STATUS(1, "lb status: off.ini says that nobody can ask its lb: address = off in [admin]",
                  "status", "-c", "off.ini");
    folder_write(&folder, "bad.ini", "[admin]\naddress = 1.2.3.4\n");
    EXPECT_STATUS(1, "lb status: bad.ini:2: \"1.2.3.4\" is no address for [admin]", "status", "-c",
                  "bad.ini");
}
END_TEST

START_TEST(tls_needs_what_is_shown_and_trusted)
{
    folder_write(&folder, "tcp.ini", "[admin]\naddress = 127.0.0.1:9443\n");
    EXPECT_STATUS(2, "lb status: 127.0.0.1:9443 is asked over TLS: say --admin-cert FILE, ",
                  "status", "-c", "tcp.ini");
    EXPECT_STATUS(2, "127.0.0.1:9443 is asked over TLS", "status", "--admin",
                  "https://127.0.0.1:9443/", "--admin-cert", "a", "--admin-key", "b");
    EXPECT_STATUS(2, "lb status: unix:", "status", "--admin", "unix:here", "--admin-ca", "c");
    EXPECT_STATUS(1, "--admin-ca c: it cannot be opened: No such file or directory\n", "status",
                  "--admin", "127.0.0.1:9443", "--admin-cert", "a", "--admin-key", "b",
                  "--admin-ca", "c");
    folder_write(&folder, "ca.pem", "nothing");
    EXPECT_STATUS(1, "--admin-cert nope: it cannot be opened: No such file or directory\n",
                  "status", "--admin", "127.0.0.1:9443", "--admin-cert", "nope", "--admin-key", "b",
                  "--admin-ca", "ca.pem");
    EXPECT_STATUS(1, "--admin-key .: it cannot be opened: Is a directory\n", "status", "--admin",
                  "127.0.0.1:9443", "--admin-cert", "ca.pem", "--admin-key", ".", "--admin-ca",
                  "ca.pem");
    EXPECT_STATUS(2, "--admin-key is given twice", "status", "--admin-key", "b", "--admin-key=c");
}
END_TEST

START_TEST(a_socket_file_is_asked_before_tcp)
{
    folder_write(&folder, "lb.ini",
                 "[admin]\naddress = 127.0.0.1:9443\naddress = unix:mine\naddress = [::1]:9443\n");
    EXPECT_STATUS(1, MINE, "status");
}
END_TEST

START_TEST(the_socket_itself_may_be_named)
{
    char expected[128];
    snprintf(expected, sizeof expected, "no lb answers at unix:%s/here: is it running?\n",
             folder.path);
    EXPECT_STATUS(1, expected, "status", "--admin", "unix:here");
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, an_answer_is_status_and_json);
    tcase_add_test(tcase, a_large_answer_is_read_to_its_end);
    tcase_add_loop_test(tcase, what_is_no_answer_is_told, 0, sizeof odd / sizeof *odd);
    tcase_add_test(tcase, an_answer_without_end_is_not_kept);
    tcase_add_test(tcase, nobody_there_is_told_with_the_file_that_was_looked_at);
    tcase_add_test(tcase, one_that_never_answers_is_given_up);
    tcase_add_test(tcase, who_may_not_is_told_who_may);
    tcase_add_test(tcase, lb_ini_of_this_folder_is_the_default);
    tcase_add_test(tcase, a_file_that_cannot_say_where_is_told);
    tcase_add_test(tcase, tls_needs_what_is_shown_and_trusted);
    tcase_add_test(tcase, a_socket_file_is_asked_before_tcp);
    tcase_add_test(tcase, the_socket_itself_may_be_named);
}

CHECK_MAIN("admin client", add_tests)
