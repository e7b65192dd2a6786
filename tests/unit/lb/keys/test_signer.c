/* SPDX-License-Identifier: Apache-2.0 */
/* Signing in a process of its own. This program is both ends: started with "sign" it is the one
 * that has the key, and with another name it is one that behaves badly. */
#include "lb/keys/signer.h"

#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <openssl/pem.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lb/commands/sign.h"
#include "lb/keys/signer_words.h"
#include "tests/unit/listeners/registry/issuer_stage.h"

static struct issuer_stage stage;
static const struct ca_wish plain_ca;
static const struct issue_wish alice = {.common_name = "alice", .days = 30};

static void begin(void)
{
    stage_begin(&stage);
}

static void end(void)
{
    stage_end(&stage);
}

static void make_ca(void)
{
    X509_free(stage_make_ca(&stage, &plain_ca));
}

static void expect_good(const struct signer_answer *answer)
{
    ck_assert_ptr_nonnull(answer->certificate);
    ck_assert_ptr_nonnull(answer->ca);
    ck_assert_int_eq(X509_verify(answer->certificate, X509_get0_pubkey(answer->ca)), 1);
    ck_assert_str_eq(stage_name(X509_get_subject_name(answer->certificate)), "/CN=alice");
}

static void expect_key_fits(const struct signer_answer *answer)
{
    BIO *bio = BIO_new_mem_buf(answer->private_key, -1);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    ck_assert_int_eq(X509_check_private_key(answer->certificate, key), 1);
    EVP_PKEY_free(key);
    BIO_free(bio);
}

static void expect_refused(const char *program, const struct signer_order *order, const char *words)
{
    struct signer_answer answer = {0};
    stage.err = (struct error){""};
    ck_assert(!signer_sign(program, order, &answer, &stage.err));
    stage_expect(&stage.err, words);
    ck_assert_ptr_null(answer.certificate);
    ck_assert_ptr_null(answer.private_key);
}

static char *request_text(void)
{
    char *held = NULL;
    X509_REQ *request = stage_plain_request();
    BIO *bio = BIO_new(BIO_s_mem());
    ck_assert_int_eq(PEM_write_bio_X509_REQ(bio, request), 1);
    long length = BIO_get_mem_data(bio, &held);
    char *text = strndup(held, (size_t)length);
    BIO_free(bio);
    X509_REQ_free(request);
    return text;
}

START_TEST(a_key_is_made_and_signed)
{
    struct signer_answer answer = {0};
    make_ca();
    const struct signer_order order = {&stage.place, NULL, 0, (enum key_kind)_i, &alice};
    ck_assert_msg(signer_sign(NULL, &order, &answer, &stage.err), "%s", stage.err.text);
    enum key_kind kind = KEY_KIND_COUNT;
    ck_assert(key_kind_of(X509_get0_pubkey(answer.certificate), &kind));
    ck_assert_int_eq(kind, (enum key_kind)_i);
    expect_good(&answer);
    expect_key_fits(&answer);
    signer_answer_done(&answer);
    ck_assert_ptr_null(answer.private_key);
}
END_TEST

START_TEST(a_csr_is_signed_and_no_key_comes_back)
{
    struct signer_answer answer = {0};
    make_ca();
    char *csr = request_text();
    const struct issue_wish wish = {.days = 30};
    const struct signer_order order = {&stage.place, csr, strlen(csr), KEY_P256, &wish};
    ck_assert_msg(signer_sign(NULL, &order, &answer, &stage.err), "%s", stage.err.text);
    expect_good(&answer);
    ck_assert_ptr_null(answer.private_key);
    signer_answer_done(&answer);
    free(csr);
}
END_TEST

START_TEST(every_part_of_a_wish_gets_there)
{
    static const char *const names[] = {"dns:alice.example.com", "ip:2001:db8::7"};
    const struct issue_wish wish = {.common_name = "Älice \"7\"",
                                    .unit = "fleet",
                                    .organization = "O\\rg",
                                    .country = "DE",
                                    .state = "BE",
                                    .locality = "Berlin",
                                    .names = names,
                                    .name_count = 2,
                                    .days = 7};
    struct signer_answer there = {0}, here = {0};
    stage_passphrase(&stage, "secret\n");
    make_ca();
    const struct signer_order order = {&stage.place, NULL, 0, KEY_P256, &wish};
    ck_assert_msg(signer_sign(NULL, &order, &there, &stage.err), "%s", stage.err.text);
    ck_assert_msg(signer_sign_here(&order, &here, &stage.err), "%s", stage.err.text);
    ck_assert_int_eq(X509_NAME_cmp(X509_get_subject_name(there.certificate),
                                   X509_get_subject_name(here.certificate)),
                     0);
    ck_assert_str_eq(stage_extension(there.certificate, NID_subject_alt_name, NULL),
                     "DNS:alice.example.com, IP Address:2001:DB8:0:0:0:0:0:7");
    ck_assert_str_eq(stage_extension(here.certificate, NID_subject_alt_name, NULL),
                     "DNS:alice.example.com, IP Address:2001:DB8:0:0:0:0:0:7");
    ck_assert_int_eq(X509_cmp(there.ca, here.ca), 0);
    expect_key_fits(&there);
    expect_key_fits(&here);
    signer_answer_done(&there);
    signer_answer_done(&here);
}
END_TEST

START_TEST(the_largest_order_gets_there)
{
    static char uri[2049];
    static const char *names[ISSUE_NAMES_MOST];
    memset(uri, 'x', sizeof uri - 1);
    memcpy(uri, "uri:a:", 6);
    for (unsigned i = 0; i < ISSUE_NAMES_MOST; i++)
        names[i] = uri;
    struct issue_wish wish = alice;
    wish.names = names;
    wish.name_count = ISSUE_NAMES_MOST;
    struct signer_answer answer = {0};
    make_ca();
    const struct signer_order order = {&stage.place, NULL, 0, KEY_P256, &wish};
    ck_assert_msg(signer_sign(NULL, &order, &answer, &stage.err), "%s", stage.err.text);
    expect_good(&answer);
    signer_answer_done(&answer);
}
END_TEST

START_TEST(the_ca_is_made_in_a_process_of_its_own)
{
    X509 *made = NULL, *again = NULL, *read = NULL;
    const struct ca_wish wish = {.common_name = "our CA", .key = KEY_P384, .days = 100};
    enum issuer_outcome outcome = signer_make_ca(NULL, &stage.place, &wish, &made, &stage.err);
    ck_assert_msg(outcome == ISSUER_DONE, "%s", stage.err.text);
    ck_assert_str_eq(stage_name(X509_get_subject_name(made)), "/CN=our CA");
    ck_assert_int_eq(issuer_read(&stage.place, &read, &stage.err), ISSUER_MISSING);
    ck_assert_int_eq(issuer_put(&stage.place, made, &stage.err), ISSUER_DONE);
    ck_assert_int_eq(signer_make_ca(NULL, &stage.place, &wish, &again, &stage.err), ISSUER_EXISTS);
    ck_assert_int_eq(issuer_read(&stage.place, &read, &stage.err), ISSUER_DONE);
    ck_assert_int_eq(X509_cmp(made, again), 0);
    ck_assert_int_eq(X509_cmp(made, read), 0);
    X509_free(made);
    X509_free(again);
    X509_free(read);
    const struct ca_wish bad = {.common_name = "\xff", .key = KEY_P384, .days = 100};
    ck_assert_int_eq(signer_make_ca(NULL, &stage.place, &bad, &made, &stage.err), ISSUER_FAILED);
    stage_expect(&stage.err, "common name: byte 1 is not UTF-8");
}
END_TEST

START_TEST(a_known_ca_is_found_again_by_its_key)
{
    X509 *made = NULL, *again = NULL;
    const struct ca_wish wish = {.key = KEY_P256};
    ck_assert_int_eq(signer_make_ca(NULL, &stage.place, &wish, &made, &stage.err), ISSUER_DONE);
    const struct ca_wish known = {.known = made};
    ck_assert_int_eq(signer_make_ca(NULL, &stage.place, &known, &again, &stage.err), ISSUER_DONE);
    ck_assert_int_eq(X509_cmp(made, again), 0);
    X509_free(again);
    again = NULL;
    ck_assert_int_eq(unlink(stage_file(&stage, "ca.key")), 0);
    ck_assert_int_eq(signer_make_ca(NULL, &stage.place, &known, &again, &stage.err),
                     ISSUER_MISSING);
    ck_assert_ptr_null(again);
    X509_free(made);
}
END_TEST

START_TEST(it_is_replaced_and_tried_in_a_process_of_its_own)
{
    X509 *made = NULL;
    const struct ca_wish wish = {.replace = true};
    ck_assert_int_eq(signer_try_ca(NULL, &stage.place, &stage.err), ISSUER_MISSING);
    make_ca();
    ck_assert_int_eq(signer_try_ca(NULL, &stage.place, &stage.err), ISSUER_DONE);
    ck_assert_int_eq(signer_make_ca(NULL, &stage.place, &wish, &made, &stage.err), ISSUER_DONE);
    ck_assert_int_eq(issuer_put(&stage.place, made, &stage.err), ISSUER_DONE);
    ck_assert_int_eq(signer_try_ca(NULL, &stage.place, &stage.err), ISSUER_DONE);
    stage_passphrase(&stage, "sesame");
    ck_assert_int_eq(signer_try_ca(NULL, &stage.place, &stage.err), ISSUER_FAILED);
    stage_expect(&stage.err, "is not encrypted");
    X509_free(made);
}
END_TEST

START_TEST(a_refusal_is_told_in_its_own_words)
{
    const struct issue_wish nobody = {.days = 1};
    struct issue_wish long_ago = alice;
    const struct signer_order good = {&stage.place, NULL, 0, KEY_P256, &alice};
    const struct signer_order unnamed = {&stage.place, NULL, 0, KEY_P256, &nobody};
    const struct signer_order rubbish = {&stage.place, "rubbish", 7, KEY_P256, &alice};
    const struct signer_order too_long = {&stage.place, NULL, 0, KEY_P256, &long_ago};
    X509 *ca = NULL;
    expect_refused(NULL, &good, "there is no built-in CA yet");
    make_ca();
    long_ago.days = 5000;
    expect_refused(NULL, &too_long, "5000 days would outlive the built-in CA");
    expect_refused(NULL, &unnamed, "there is no common name");
    expect_refused(NULL, &rubbish, "the text holds no PEM at all; a PEM certificate request");
    ck_assert_int_eq(chmod(stage_file(&stage, "ca.key"), 0644), 0);
    expect_refused(NULL, &good, "ca.key may be read or written by others");
    ck_assert_int_eq(unlink(stage_file(&stage, "ca.crt")), 0);
    ck_assert_int_eq(signer_make_ca(NULL, &stage.place, &plain_ca, &ca, &stage.err), ISSUER_FAILED);
    stage_expect(&stage.err, "ca.key may be read or written by others");
}
END_TEST

START_TEST(a_path_that_is_no_text_is_refused)
{
    const struct issuer_place place = {"/tmp/\xff", NULL};
    const struct signer_order order = {&place, NULL, 0, KEY_P256, &alice};
    expect_refused(NULL, &order, "a path in it is not UTF-8");
}
END_TEST

/* --- a process that behaves badly ------------------------------------------------------------ */

static const char behaves[] = "behave-";

/* A copy of this program, which behaves as it is called. No script: shells change what they
 * inherit. */
static const char *behaving(const char *behaviour)
{
    static char path[PATH_MAX];
    static char bytes[64 * 1024];
    ssize_t got = 0;
    snprintf(path, sizeof path, "%s/%s%s", stage.folder.path, behaves, behaviour);
    int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    int to = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0700);
    while ((got = read(from, bytes, sizeof bytes)) > 0)
        ck_assert_int_eq(write(to, bytes, (size_t)got), got);
    ck_assert_int_eq(got, 0);
    close(from);
    ck_assert_int_eq(close(to), 0);
    return path;
}

/* "silent" of "/tmp/lb-test-x/behave-silent"; NULL: this is no such copy. */
static const char *own_behaviour(void)
{
    static char own[PATH_MAX];
    if (readlink("/proc/self/exe", own, sizeof own - 1) < 0)
        return NULL;
    const char *name = strrchr(own, '/') + 1;
    return strncmp(name, behaves, sizeof behaves - 1) == 0 ? name + sizeof behaves - 1 : NULL;
}

static const struct {
    const char *behaviour;
    const char *says;
} behaviours[] = {
    {"silent", "the signing process ended without an answer"},
    {"deaf", "the signing process ended without an answer"},
    {"half", "the signing process ended without an answer"},
    {"more", "the signing process ended without an answer"},
    {"negative", "the signing process ended without an answer"},
    {"huge", "the signing process ended without an answer"},
    {"rubbish", "the signing process ended without an answer"},
    {"wrong", "the signing process ended without an answer"},
    {"empty", "it was not signed"},
    {"exists", "it was not signed"},
    {"endless", "the signing process said more than an answer has"},
    {"killed", "the signing process was ended by signal 6 (Aborted)"},
    {"refusing", "because"},
};

static void put(const char *text)
{
    if (write(STDOUT_FILENO, text, strlen(text)) < 0)
        _exit(1);
}

static void read_order(void)
{
    char bytes[4096];
    while (read(STDIN_FILENO, bytes, sizeof bytes) > 0)
        ;
}

static void say_on(void)
{
    for (;;)
        put("done 1 1 1\nand so on, and so on, and so on, and so on\n");
}

/* The highest descriptor, is it the leader of its group, and how many signals it does not hear. */
static void spy(void)
{
    static const int signals[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};
    char says[64], answer[128];
    int highest = -1, unheard = 0;
    sigset_t blocked;
    for (int fd = 0; fd < 1024; fd++)
        highest = fcntl(fd, F_GETFD) >= 0 ? fd : highest;
    sigprocmask(SIG_SETMASK, NULL, &blocked);
    for (unsigned i = 0; i < sizeof signals / sizeof *signals; i++)
        unheard += sigismember(&blocked, signals[i]);
    int length = snprintf(says, sizeof says, "descriptors %d group %d unheard %d", highest,
                          getpgrp() == getpid(), unheard);
    snprintf(answer, sizeof answer, "failed %d 0 0\n%s", length, says);
    put(answer);
}

static int behave(const char *how)
{
    if (strcmp(how, "spy") == 0)
        spy();
    while (strcmp(how, "idle") == 0)
        pause();
    if (strcmp(how, "deaf") != 0)
        read_order();
    if (strcmp(how, "half") == 0)
        put("done 100 0 0\nhalf of it");
    if (strcmp(how, "more") == 0)
        put("failed 1 0 0\nmore");
    if (strcmp(how, "negative") == 0)
        put("failed -1 1 0\n");
    if (strcmp(how, "huge") == 0)
        put("done 18446744073709551615 2 0\nab");
    if (strcmp(how, "rubbish") == 0)
        put("done 3 0 0\nabc");
    if (strcmp(how, "wrong") == 0)
        put("what 0 0 0\n");
    if (strcmp(how, "empty") == 0)
        put("done 0 0 0\n");
    if (strcmp(how, "exists") == 0)
        put("exists 0 0 0\n");
    if (strcmp(how, "refusing") == 0)
        put("failed 7 0 0\nbecause");
    if (strcmp(how, "endless") == 0)
        say_on();
    if (strcmp(how, "killed") == 0) {
        signal(SIGABRT, SIG_DFL);
        abort();
    }
    return 0;
}

START_TEST(a_process_that_behaves_badly_is_one_message)
{
    const struct signer_order order = {&stage.place, NULL, 0, KEY_P256, &alice};
    expect_refused(behaving(behaviours[_i].behaviour), &order, behaviours[_i].says);
    ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1); /* nothing is left of it */
}
END_TEST

START_TEST(a_process_that_takes_too_long_is_ended)
{
    struct signer_result result = {.outcome = ISSUER_FAILED};
    const struct signer_job job = {.work = SIGNER_MAKE_CA, .place = stage.place};
    ck_assert(!signer_ask(behaving("idle"), &job, 1, &result, &stage.err));
    stage_expect(&stage.err, "the signing process took too long (30 s), and was ended");
    ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
}
END_TEST

START_TEST(a_program_that_cannot_be_started_is_said)
{
    const struct signer_order order = {&stage.place, NULL, 0, KEY_P256, &alice};
    expect_refused("/not/there", &order,
                   "the signing process /not/there cannot be started: No such file or directory");
}
END_TEST

enum { LEFT_OPEN = 7 };

START_TEST(it_inherits_nothing_and_hears_nothing)
{
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    ck_assert_int_eq(dup2(null, LEFT_OPEN), LEFT_OPEN); /* which does not close by itself */
    const struct signer_order order = {&stage.place, NULL, 0, KEY_P256, &alice};
    expect_refused(behaving("spy"), &order, "descriptors 2 group 1 unheard 6");
    close(null);
    close(LEFT_OPEN);
}
END_TEST

/* --- odd surroundings ------------------------------------------------------------------------ */

static void expect_it_works(void)
{
    struct signer_answer answer = {0};
    const struct signer_order order = {&stage.place, NULL, 0, KEY_P256, &alice};
    ck_assert_msg(signer_sign(NULL, &order, &answer, &stage.err), "%s", stage.err.text);
    expect_good(&answer);
    signer_answer_done(&answer);
}

START_TEST(it_works_where_children_are_ignored)
{
    make_ca();
    signal(SIGCHLD, SIG_IGN);
    expect_it_works();
    expect_it_works();
}
END_TEST

START_TEST(it_works_where_the_standard_descriptors_are_closed)
{
    make_ca();
    close(STDIN_FILENO);
    close(STDOUT_FILENO);
    expect_it_works();
}
END_TEST

/* lb has become its user, and lets nobody look into its memory. */
START_TEST(it_works_for_who_gave_up_all_rights)
{
    if (geteuid() != 0)
        return; /* there is nothing to give up */
    ck_assert_int_eq(chown(stage.folder.path, SOMEBODY, SOMEBODY), 0);
    make_ca();
    ck_assert_int_eq(setgroups(0, NULL), 0);
    ck_assert_int_eq(setresgid(SOMEBODY, SOMEBODY, SOMEBODY), 0);
    ck_assert_int_eq(setresuid(SOMEBODY, SOMEBODY, SOMEBODY), 0);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
#if !defined(__SANITIZE_ADDRESS__)
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
    expect_it_works();
}
END_TEST

enum { THREADS = 4, ROUNDS = 3 };

static void *sign_some(void *arg)
{
    unsigned *done = arg;
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct error err;
        struct signer_answer answer = {0};
        const struct signer_order order = {&stage.place, NULL, 0, KEY_P256, &alice};
        *done += signer_sign(NULL, &order, &answer, &err);
        signer_answer_done(&answer);
    }
    return NULL;
}

START_TEST(several_threads_may_sign_at_once)
{
    pthread_t threads[THREADS];
    unsigned done[THREADS] = {0};
    make_ca();
    for (unsigned i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, sign_some, &done[i]), 0);
    for (unsigned i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        ck_assert_uint_eq(done[i], ROUNDS);
    }
    ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
}
END_TEST

/* --- the other end --------------------------------------------------------------------------- */

static const struct {
    const char *order;
    const char *answer; /* begins so; NULL: nobody is answered */
    const char *says;
} orders[] = {
    {"", NULL, "the order is empty"},
    {"rubbish", "failed ", "the order is no JSON"},
    {"{}", "failed ", "the order is not one of this lb"},
    {"[]", "failed ", "the order is not one of this lb"},
    {"{\"work\":\"sign\"}", "failed ", "the order is not one of this lb"},
    {"{\"work\":\"dig\",\"state_dir\":\"/\",\"key\":\"p256\"}", "failed ",
     "the order is not one of this lb"},
    {"{\"work\":\"sign\",\"state_dir\":\"/\",\"key\":\"p999\"}", "failed ",
     "the order is not one of this lb"},
    {"{\"work\":\"sign\",\"state_dir\":\"/\",\"key\":\"p256\",\"names\":[1]}", "failed ",
     "the order is not one of this lb"},
    {"{\"work\":\"sign\",\"state_dir\":\"/\",\"key\":\"p256\",\"days\":-1}", "failed ",
     "0 days: a certificate may have 1 to 36500"},
    {"{\"work\":\"sign\",\"state_dir\":\"/\",\"key\":\"p256\",\"days\":4294967297}", "failed ",
     "0 days: a certificate may have 1 to 36500"},
};

START_TEST(an_order_that_is_none_is_answered_so)
{
    char answer[1024] = "";
    folder_write(&stage.folder, "order", orders[_i].order);
    int in = open(stage_file(&stage, "order"), O_RDONLY);
    int out = open(stage_file(&stage, "answer"), O_RDWR | O_CREAT, 0600);
    bool served = signer_serve(in, out, &stage.err);
    ck_assert_int_ge(pread(out, answer, sizeof answer - 1, 0), 0);
    close(in);
    close(out);
    ck_assert(served == (orders[_i].answer != NULL));
    if (served) {
        ck_assert_int_eq(strncmp(answer, orders[_i].answer, strlen(orders[_i].answer)), 0);
        ck_assert_msg(strstr(answer, orders[_i].says), "%s", answer);
    } else {
        ck_assert_str_eq(answer, "");
        stage_expect(&stage.err, orders[_i].says);
    }
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_loop_test(tcase, a_key_is_made_and_signed, 0, KEY_KIND_COUNT);
    tcase_add_test(tcase, a_csr_is_signed_and_no_key_comes_back);
    tcase_add_test(tcase, every_part_of_a_wish_gets_there);
    tcase_add_test(tcase, the_largest_order_gets_there);
    tcase_add_test(tcase, the_ca_is_made_in_a_process_of_its_own);
    tcase_add_test(tcase, a_known_ca_is_found_again_by_its_key);
    tcase_add_test(tcase, it_is_replaced_and_tried_in_a_process_of_its_own);
    tcase_add_test(tcase, a_refusal_is_told_in_its_own_words);
    tcase_add_test(tcase, a_path_that_is_no_text_is_refused);
    tcase_add_loop_test(tcase, a_process_that_behaves_badly_is_one_message, 0,
                        sizeof behaviours / sizeof *behaviours);
    tcase_add_test(tcase, a_process_that_takes_too_long_is_ended);
    tcase_add_test(tcase, a_program_that_cannot_be_started_is_said);
    tcase_add_test(tcase, it_inherits_nothing_and_hears_nothing);
    tcase_add_test(tcase, it_works_where_children_are_ignored);
    tcase_add_test(tcase, it_works_where_the_standard_descriptors_are_closed);
    tcase_add_test(tcase, it_works_for_who_gave_up_all_rights);
    tcase_add_test(tcase, several_threads_may_sign_at_once);
    tcase_add_loop_test(tcase, an_order_that_is_none_is_answered_so, 0,
                        sizeof orders / sizeof *orders);
}

int main(int argc, char **argv)
{
    const char *behaviour = own_behaviour();
    if (behaviour)
        return behave(behaviour);
    if (argc > 1 && strcmp(argv[1], "sign") == 0)
        return command_sign(argc - 1, argv + 1);
    return check_run("signer", add_tests, 120);
}
