/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starting `lb sign` and talking with it. One socket is its stdin and its stdout; what else is open
 * here is not open there. It has a process group of its own and hears no signal that lb is sent, so
 * that what ends lb lets it finish; what it does is bounded, and after SIGNER_MS it is killed.
 */
#include "lb/keys/signer.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/pem.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lb/base/timestamp.h"
#include "lb/keys/signer_words.h"

const char signer_own_program[] = "/proc/self/exe";

enum { FIRST_OTHER_DESCRIPTOR = 3 };

/* --- starting ------------------------------------------------------------------------------ */

static const int unheard[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};

static int set_attributes(posix_spawnattr_t *attributes)
{
    sigset_t blocked, standard;
    sigemptyset(&blocked);
    for (size_t i = 0; i < sizeof unheard / sizeof *unheard; i++)
        sigaddset(&blocked, unheard[i]);
    sigemptyset(&standard);
    sigaddset(&standard, SIGCHLD);
    sigaddset(&standard, SIGALRM);
    posix_spawnattr_setsigmask(attributes, &blocked);
    posix_spawnattr_setsigdefault(attributes, &standard);
    posix_spawnattr_setpgroup(attributes, 0);
    return posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                                    POSIX_SPAWN_SETPGROUP);
}

/* 0, or the reason. */
static int spawn_with(const char *program, int theirs, posix_spawnattr_t *attributes,
                      posix_spawn_file_actions_t *actions, pid_t *ret_pid)
{
    char name[] = "lb", verb[] = "sign";
    char *const argv[] = {name, verb, NULL};
    int failure = set_attributes(attributes);
    failure = failure ? failure : posix_spawn_file_actions_adddup2(actions, theirs, STDIN_FILENO);
    failure = failure ? failure : posix_spawn_file_actions_adddup2(actions, theirs, STDOUT_FILENO);
    /* They close by themselves; that the key's process has nothing else does not rest on it. */
    failure = failure ? failure
                      : posix_spawn_file_actions_addclosefrom_np(actions, FIRST_OTHER_DESCRIPTOR);
    return failure ? failure : posix_spawn(ret_pid, program, actions, attributes, argv, environ);
}

static int spawn(const char *program, int theirs, pid_t *ret_pid)
{
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_t actions;
    int failure = posix_spawnattr_init(&attributes);
    if (failure)
        return failure;
    failure = posix_spawn_file_actions_init(&actions);
    if (!failure) {
        failure = spawn_with(program, theirs, &attributes, &actions, ret_pid);
        posix_spawn_file_actions_destroy(&actions);
    }
    posix_spawnattr_destroy(&attributes);
    return failure;
}

/* --- talking ------------------------------------------------------------------------------- */

struct talk {
    pid_t pid;
    int fd;
    int64_t deadline_ms;
    const char *order;
    size_t order_left;
    char *answer; /* SIGNER_ANSWER_BYTES */
    size_t answer_bytes;
};

enum talk_end {
    TALK_GOES_ON,
    TALK_ENDED, /* it has closed its end */
    TALK_LATE,
    TALK_TOO_LONG,
    TALK_BROKEN, /* errno */
};

static bool is_patient(int reason)
{
    return reason == EINTR || reason == EAGAIN || reason == EWOULDBLOCK;
}

/* Nobody who listens any more may have answered all the same: that is for the reading to find. */
static void say(struct talk *talk)
{
    ssize_t put = send(talk->fd, talk->order, talk->order_left, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (put < 0 && is_patient(errno))
        return;
    size_t said = put < 0 ? talk->order_left : (size_t)put;
    talk->order += said;
    talk->order_left -= said;
    if (talk->order_left == 0)
        shutdown(talk->fd, SHUT_WR);
}

static enum talk_end hear(struct talk *talk)
{
    size_t room = SIGNER_ANSWER_BYTES - talk->answer_bytes;
    if (room == 0)
        return TALK_TOO_LONG;
    ssize_t got = recv(talk->fd, talk->answer + talk->answer_bytes, room, MSG_DONTWAIT);
    if (got < 0)
        return is_patient(errno)     ? TALK_GOES_ON
               : errno == ECONNRESET ? TALK_ENDED /* it did not read all that was said */
                                     : TALK_BROKEN;
    talk->answer_bytes += (size_t)got;
    return got == 0 ? TALK_ENDED : TALK_GOES_ON;
}

static enum talk_end talk_once(struct talk *talk)
{
    struct pollfd poll_fd = {.fd = talk->fd, .events = POLLIN};
    int64_t left_ms = talk->deadline_ms - timestamp_monotonic_ms();
    if (left_ms <= 0)
        return TALK_LATE;
    if (talk->order_left > 0)
        poll_fd.events |= POLLOUT;
    if (poll(&poll_fd, 1, (int)left_ms) < 0)
        return errno == EINTR ? TALK_GOES_ON : TALK_BROKEN;
    if (talk->order_left > 0 && (poll_fd.revents & (POLLOUT | POLLERR | POLLHUP)))
        say(talk);
    return poll_fd.revents & (POLLIN | POLLERR | POLLHUP) ? hear(talk) : TALK_GOES_ON;
}

/* Whoever started lb may have it ignore SIGCHLD: then there is no status, which is nobody's fault.
 */
static int reap(pid_t pid)
{
    int status = 0;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return 0;
    return status;
}

static bool explain(enum talk_end end, int reason, int status, struct error *err)
{
    switch (end) {
    case TALK_LATE:
        return error_set(err, "the signing process took too long (%d s), and was ended",
                         SIGNER_MS / 1000);
    case TALK_TOO_LONG:
        return error_set(err, "the signing process said more than an answer has");
    case TALK_BROKEN:
        return error_set(err, "the signing process cannot be talked with: %s", strerror(reason));
    case TALK_ENDED:
    case TALK_GOES_ON:
        break;
    }
    if (WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL)
        return error_set(err, "the signing process was ended by signal %d (%s)", WTERMSIG(status),
                         strsignal(WTERMSIG(status)));
    return error_set(err, "the signing process ended without an answer");
}

static bool converse(struct talk *talk, struct signer_result *result, struct error *err)
{
    enum talk_end end = TALK_GOES_ON;
    while (end == TALK_GOES_ON)
        end = talk_once(talk);
    int reason = errno;
    bool good = end == TALK_ENDED && signer_result_parse(result, talk->answer, talk->answer_bytes);
    if (!good)
        kill(talk->pid, SIGKILL);
    int status = reap(talk->pid);
    return good || explain(end, reason, status, err);
}

/* Takes both descriptors. */
static bool start(const char *program, const int pair[2], struct talk *talk, struct error *err)
{
    int failure = spawn(program, pair[1], &talk->pid);
    close(pair[1]);
    talk->fd = pair[0];
    return failure == 0 || error_set(err, "the signing process %s cannot be started: %s", program,
                                     strerror(failure));
}

bool signer_ask(const char *program, const struct signer_job *job, int patience_ms,
                struct signer_result *result, struct error *err)
{
    int pair[2];
    char *order = signer_job_write(job);
    char *room = malloc(SIGNER_ANSWER_BYTES);
    bool good = order && room;
    if (!good)
        error_set(err, "the order for the signing process cannot be written: %s",
                  room ? "a path in it is not UTF-8" : "out of memory");
    if (good && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        good = error_set(err, "the signing process cannot be started: %s", strerror(errno));
    if (good) {
        struct talk talk = {.deadline_ms = timestamp_monotonic_ms() + patience_ms,
                            .order = order,
                            .order_left = strlen(order),
                            .answer = room};
        good = start(program ? program : signer_own_program, pair, &talk, err) &&
               converse(&talk, result, err);
        close(talk.fd);
        OPENSSL_cleanse(room, talk.answer_bytes);
    }
    free(room);
    free(order);
    return good;
}

/* --- orders -------------------------------------------------------------------------------- */

/* As lb has read it: plain PEM, whatever the text was like. For free(). */
static char *plain_csr(const struct signer_order *order, struct error *err)
{
    char *text = NULL, *held = NULL;
    X509_REQ *request = request_read(order->csr, order->csr_bytes, err);
    if (!request)
        return NULL;
    BIO *bio = BIO_new(BIO_s_mem());
    if (bio && PEM_write_bio_X509_REQ(bio, request) == 1) {
        long length = BIO_get_mem_data(bio, &held);
        text = length > 0 ? strndup(held, (size_t)length) : NULL;
    }
    if (!text)
        error_set(err, "out of memory");
    BIO_free(bio);
    X509_REQ_free(request);
    return text;
}

bool signer_sign(const char *program, const struct signer_order *order,
                 struct signer_answer *answer, struct error *err)
{
    struct signer_result result = {.outcome = ISSUER_FAILED};
    if (!issue_check(order->wish, err))
        return false;
    char *csr = order->csr ? plain_csr(order, err) : NULL;
    if (order->csr && !csr)
        return false;
    const struct signer_job job = {.work = SIGNER_SIGN,
                                   .place = *order->place,
                                   .key = order->key,
                                   .csr = csr,
                                   .wish = *order->wish};
    bool good = signer_ask(program, &job, SIGNER_MS, &result, err);
    if (good && (result.outcome != ISSUER_DONE || !result.answer.certificate || !result.answer.ca))
        good = error_set(err, "%s", *result.err.text ? result.err.text : "it was not signed");
    if (good)
        *answer = result.answer;
    else
        signer_result_done(&result);
    free(csr);
    return good;
}

enum issuer_outcome signer_make_ca(const char *program, const struct issuer_place *place,
                                   const struct ca_wish *wish, X509 **ret_ca, struct error *err)
{
    struct signer_result result = {.outcome = ISSUER_FAILED};
    if (!issuer_check(wish, err))
        return ISSUER_FAILED;
    const struct signer_job job = {
        .work = SIGNER_MAKE_CA, .place = *place, .key = wish->key, .ca_wish = *wish};
    if (!signer_ask(program, &job, SIGNER_MS, &result, err))
        return ISSUER_FAILED;
    enum issuer_outcome outcome = result.outcome;
    if (outcome == ISSUER_MISSING)
        return outcome;
    if (outcome != ISSUER_FAILED && result.answer.ca) {
        X509_up_ref(result.answer.ca);
        *ret_ca = result.answer.ca;
    } else {
        error_set(err, "%s", *result.err.text ? result.err.text : "it was not made");
        outcome = ISSUER_FAILED;
    }
    signer_result_done(&result);
    return outcome;
}

enum issuer_outcome signer_try_ca(const char *program, const struct issuer_place *place,
                                  struct error *err)
{
    struct signer_result result = {.outcome = ISSUER_FAILED};
    const struct signer_job job = {.work = SIGNER_TRY_CA, .place = *place};
    if (!signer_ask(program, &job, SIGNER_MS, &result, err))
        return ISSUER_FAILED;
    enum issuer_outcome outcome = result.outcome;
    if (outcome == ISSUER_FAILED)
        error_set(err, "%s", result.err.text);
    signer_result_done(&result);
    return outcome;
}
