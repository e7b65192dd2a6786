/* SPDX-License-Identifier: Apache-2.0 */
/* What lb cert register and import make of what lb says: it is a scripted one here. */
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lb/base/error.h"
#include "lb/base/unix_socket.h"
#include "tests/support/captured.h"
#include "tests/support/certificates.h"
#include "tests/support/check_main.h"
#include "tests/support/folder.h"
#include "tests/support/text.h"

static struct folder folder;
static struct unix_socket listening;
static struct text heard; /* all bodies */
static struct made *root, *alice, *bob;
static char admin[128];

static void begin(void)
{
    struct error err;
    folder_make(&folder);
    heard = (struct text){0};
    root = made_ca("root");
    alice = made_client(root, "alice");
    bob = made_client(root, "bob");
    made_write_bundle(folder.path, "both.pem", alice, root, bob, NULL);
    made_write(alice, folder.path, "alice");
    snprintf(admin, sizeof admin, "unix:%s", folder_file(&folder, "s"));
    ck_assert(unix_socket_open(&listening, folder_file(&folder, "s"), &err));
}

static void end(void)
{
    close(listening.fd);
    text_done(&heard);
    made_free(alice);
    made_free(bob);
    made_free(root);
    folder_remove(&folder);
}

/* A body is an object, and the last thing that is said. */
static void hear(int fd)
{
    char piece[8192];
    size_t before = heard.length;
    do {
        ssize_t got = recv(fd, piece, sizeof piece, 0);
        if (got <= 0)
            break;
        text_add(&heard, piece, (size_t)got);
    } while (!strstr(heard.bytes + before, "\r\n\r\n") || heard.bytes[heard.length - 1] != '}');
}

/* Each call gets the next answer; NULL at the end. */
static void *serve(void *arg)
{
    for (const char *const *answer = arg; *answer; answer++) {
        struct pollfd somebody = {.fd = listening.fd, .events = POLLIN};
        char head[128];
        poll(&somebody, 1, -1);
        int fd = accept(listening.fd, NULL, NULL);
        hear(fd);
        const char *body = *answer + 4; /* "201 {…}" */
        int length = snprintf(head, sizeof head, "HTTP/1.1 %.3s x\r\nContent-Length: %zu\r\n\r\n",
                              *answer, strlen(body));
        send(fd, head, (size_t)length, MSG_NOSIGNAL);
        send(fd, body, strlen(body), MSG_NOSIGNAL);
        close(fd);
    }
    return NULL;
}

static void run(struct captured *captured, const char *part, const char *file,
                const char *const *answers)
{
    pthread_t thread;
    ck_assert_int_eq(pthread_create(&thread, NULL, serve, (void *)(uintptr_t)answers), 0);
    CAPTURED_RUN(captured, "cert", part, "--admin", admin, folder_file(&folder, file));
    pthread_join(thread, NULL);
}

#define DONE(serial)                                                                               \
    "201 {\"certificate\":{\"serial\":\"" serial                                                   \
    "\",\"status\":\"ACTIVATED\",\"subject\":\"CN=x\"}}"
#define REFUSED(status, text) status " {\"error\":{\"reason\":\"r\",\"text\":\"" text "\"}}"

START_TEST(who_is_over_the_limit_waits_and_goes_on)
{
    static const char *const answers[] = {REFUSED("429", "too many"),
                                          REFUSED("429", "too many"),
                                          DONE("0A"),
                                          REFUSED("429", "too many"),
                                          DONE("0B"),
                                          NULL};
    struct captured captured;
    run(&captured, "register", "both.pem", answers);
    ck_assert_int_eq(captured.status, 0);
    ck_assert_str_eq(captured.out,
                     "0A  ACTIVATED  CN=x\n0B  ACTIVATED  CN=x\n2 registered, 0 refused\n");
    ck_assert_str_eq(captured.err, "lb cert register: paced to signups_per_second; lb cert import "
                                   "does not wait\n");
    captured_done(&captured);
}
END_TEST

START_TEST(each_refusal_has_its_place_and_the_others_go_on)
{
    static const char *const answers[] = {REFUSED("422", "no such CA"), DONE("0B"), NULL};
    struct captured captured;
    char says[256];
    run(&captured, "register", "both.pem", answers);
    snprintf(says, sizeof says, "lb cert register: %s:1: no such CA\n",
             folder_file(&folder, "both.pem"));
    ck_assert_int_eq(captured.status, 1);
    ck_assert_str_eq(captured.err, says);
    ck_assert_ptr_nonnull(strstr(captured.out, "1 registered, 1 refused\n"));
    captured_done(&captured);
}
END_TEST

START_TEST(a_store_that_cannot_be_written_ends_it)
{
    static const char *const answers[] = {REFUSED("503", "the disk is full"), NULL};
    struct captured captured;
    run(&captured, "register", "both.pem", answers);
    ck_assert_int_eq(captured.status, 1);
    ck_assert_ptr_nonnull(strstr(captured.err, "the disk is full"));
    ck_assert_uint_eq(text_count(heard.bytes, "POST "), 1);
    captured_done(&captured);
}
END_TEST

START_TEST(no_key_leaves_the_process)
{
    static const char *const answers[] = {DONE("0A"), NULL};
    struct captured captured;
    char *certificate = made_certificate_pem(alice), *key = made_key_pem(alice);
    struct text both = {0};
    text_add_format(&both, "%s%s", key, certificate);
    folder_write(&folder, "key.pem", both.bytes);
    run(&captured, "register", "key.pem", answers);
    ck_assert_int_eq(captured.status, 0);
    ck_assert_ptr_null(strstr(heard.bytes, "PRIVATE"));
    ck_assert_ptr_nonnull(strstr(heard.bytes, "BEGIN CERTIFICATE"));
    captured_done(&captured);
    text_done(&both);
    free(certificate);
    free(key);
}
END_TEST

START_TEST(an_import_tells_which_were_refused)
{
    static const char *const answers[] = {
        "200 {\"added\":1,\"present\":0,\"bad\":1,\"faults\":[{\"index\":1,\"text\":\"odd\"}]}",
        NULL};
    struct captured captured;
    char says[256];
    char *pem = made_certificate_pem(alice), *ca = made_certificate_pem(root);
    run(&captured, "import", "both.pem", answers);
    snprintf(says, sizeof says, "lb cert import: %s:%u: odd\n", folder_file(&folder, "both.pem"),
             1 + text_count(pem, "\n") + text_count(ca, "\n"));
    ck_assert_int_eq(captured.status, 1);
    ck_assert_str_eq(captured.err, says);
    ck_assert_str_eq(captured.out, "1 imported, 0 there already, 1 refused\n");
    captured_done(&captured);
    free(pem);
    free(ca);
}
END_TEST

START_TEST(an_import_that_fails_says_that_it_did_not_go_on)
{
    static const char *const answers[] = {REFUSED("503", "the disk is full"), NULL};
    struct captured captured;
    run(&captured, "import", "both.pem", answers);
    ck_assert_int_eq(captured.status, 1);
    ck_assert_str_eq(captured.err, "lb cert import: the disk is full\n");
    ck_assert_ptr_nonnull(strstr(captured.out, "and the rest was not tried"));
    captured_done(&captured);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, who_is_over_the_limit_waits_and_goes_on);
    tcase_add_test(tcase, each_refusal_has_its_place_and_the_others_go_on);
    tcase_add_test(tcase, a_store_that_cannot_be_written_ends_it);
    tcase_add_test(tcase, no_key_leaves_the_process);
    tcase_add_test(tcase, an_import_tells_which_were_refused);
    tcase_add_test(tcase, an_import_that_fails_says_that_it_did_not_go_on);
}

CHECK_MAIN("cert register", add_tests)
