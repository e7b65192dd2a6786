/* SPDX-License-Identifier: Apache-2.0 */
#include "listeners/ocsp/ocsp_desk.h"

#include <stdlib.h>
#include <string.h>

#include "lb/base/log.h"
#include "listeners/identity.h"
#include "listeners/ocsp/ocsp_call.h"
#include "listeners/ocsp/ocsp_check.h"
#include "listeners/ocsp/ocsp_responder.h"
#include "listeners/ocsp/ocsp_subject.h"

enum {
    SOON_MS = 1,    /* for what is known at once: nobody is told within his own call */
    TOLD_MS = 1000, /* one failure a second is logged: a dead responder fails for everybody */
};

enum question_state {
    QUESTION_QUEUED, /* waits for its turn */
    QUESTION_ASKING, /* waits for its call */
    QUESTION_DOOMED, /* it is known that there will be no answer; waits for the loop to say so */
    QUESTION_ENDED,  /* waits for its call to be over */
};

struct ocsp_wait {
    struct list_node node;
    struct question *question;
    void (*on_asked)(void *arg);
    void *arg;
};

struct question {
    struct list_node node; /* in its bucket */
    struct list_node turn; /* in the queue */
    struct ocsp_desk *desk;
    enum question_state state;
    unsigned char key[OCSP_KEY_BYTES];
    struct identity *identity;
    struct ocsp_subject subject;
    struct ocsp_url url;
    struct list_node waiting;
    struct deadline deadline;
    struct ocsp_call call;
};

static time_t wall_clock(void *argument)
{
    (void)argument;
    return time(NULL);
}

static time_t now_of(const struct ocsp_desk *desk)
{
    return desk->now(desk->now_argument);
}

static void watch(struct question *question, uint32_t after_ms, deadline_passed on_passed)
{
    deadline_arm(&question->desk->context->deadlines, &question->deadline, after_ms, on_passed);
}

/* --- failures are logged -----------------------------------------------------------------------
 */

static void log_failure(const struct question *question, const char *why)
{
    struct ocsp_desk *desk = question->desk;
    struct deadlines *deadlines = &desk->context->deadlines;
    uint64_t now_ms = deadlines->now_ms(deadlines);
    struct log_line line;
    unsigned others;
    if (!log_ration_take(&desk->failures, 1, TOLD_MS, now_ms, &others))
        return;
    log_begin(&line, LOG_LEVEL_WARN, "ocsp.failed");
    log_text(&line, "responder", question->url.authority[0] ? question->url.authority : NULL);
    log_text(&line, "subject", question->identity->subject);
    log_text(&line, "issuer", question->identity->issuer);
    log_text(&line, "serial", question->identity->serial);
    log_text(&line, "message", why);
    if (others > 0)
        log_number(&line, "others", others);
    log_end(&line);
}

/* --- the end of a question ---------------------------------------------------------------------
 */

static void take_turns(struct ocsp_desk *desk);

static void question_free(struct question *question)
{
    struct ocsp_desk *desk = question->desk;
    ocsp_subject_done(&question->subject);
    identity_unref(question->identity);
    free(question);
    desk->question_count--;
    if (desk->is_closing && desk->question_count == 0)
        desk->on_closed(desk->on_closed_arg);
}

static void on_call_over(struct ocsp_call *call)
{
    struct question *question = LIST_OWNER(call, struct question, call);
    struct ocsp_desk *desk = question->desk;
    desk->open_count--;
    if (!desk->is_closing)
        take_turns(desk);
    question_free(question);
}

/* Whoever is told may leave, ask again, or make others leave. */
static void tell(struct list_node *told)
{
    while (!list_is_empty(told)) {
        struct ocsp_wait *wait = LIST_OWNER(told->next, struct ocsp_wait, node);
        void (*on_asked)(void *) = wait->on_asked;
        void *arg = wait->arg;
        list_remove(&wait->node);
        free(wait);
        on_asked(arg);
    }
}

/* Nobody joins it any more; who waits is told. */
static void question_end(struct question *question)
{
    struct list_node told;
    bool was_asking = question->state == QUESTION_ASKING;
    question->state = QUESTION_ENDED;
    deadline_disarm(&question->deadline);
    list_remove(&question->node);
    list_remove(&question->turn);
    list_move(&question->waiting, &told);
    bool is_over = !was_asking || ocsp_call_end(&question->call);
    tell(&told);
    if (is_over && was_asking)
        on_call_over(&question->call);
    else if (is_over)
        question_free(question);
}

static void note_unreachable(const struct question *question)
{
    ocsp_responder_failed(question->desk->ocsp, &question->url, now_of(question->desk));
}

static enum ocsp_result result_of(enum ocsp_word word)
{
    switch (word) {
    case OCSP_WORD_GOOD:
        return OCSP_RESULT_GOOD;
    case OCSP_WORD_REVOKED:
        return OCSP_RESULT_REVOKED;
    case OCSP_WORD_NONE:
        break;
    }
    return OCSP_RESULT_UNKNOWN;
}

static void question_answered(struct question *question, const struct ocsp_note *note)
{
    struct ocsp_desk *desk = question->desk;
    ocsp_responder_answered(desk->ocsp, &question->url);
    if (note->word == OCSP_WORD_NONE)
        log_failure(question, "the responder does not know the certificate");
    ocsp_count_result(desk->ocsp, result_of(note->word));
    ocsp_remember(desk->ocsp, question->key, note, now_of(desk));
    question_end(question);
}

static void question_failed(struct question *question, const char *why)
{
    struct ocsp_desk *desk = question->desk;
    time_t now = now_of(desk);
    const struct ocsp_note note = {.word = OCSP_WORD_NONE, .until = now + OCSP_FAILURE_S};
    log_failure(question, why);
    ocsp_count_result(desk->ocsp, OCSP_RESULT_FAILED);
    ocsp_remember(desk->ocsp, question->key, &note, now);
    question_end(question);
}

/* --- what becomes of it ------------------------------------------------------------------------
 */

static void on_heard(struct ocsp_call *call, const struct slice *answer)
{
    struct question *question = LIST_OWNER(call, struct question, call);
    struct ocsp_note note;
    struct error err;
    if (!answer) {
        /* Or whoever has an odd certificate could have it left alone, with everybody else. */
        if (!call->hearing.is_refused)
            note_unreachable(question);
        question_failed(question, call->why.text);
    } else if (ocsp_subject_read(&question->subject, *answer, now_of(question->desk), &note,
                                 &err)) {
        question_answered(question, &note);
    } else {
        question_failed(question, err.text);
    }
}

static void on_late(struct deadline *deadline)
{
    struct question *question = LIST_OWNER(deadline, struct question, deadline);
    if (question->state == QUESTION_ASKING) {
        note_unreachable(question);
        question_failed(question, "no answer in time");
    } else {
        question_failed(question, "too many questions are waiting for their answers");
    }
}

static void on_doomed(struct deadline *deadline)
{
    struct question *question = LIST_OWNER(deadline, struct question, deadline);
    question_failed(question, question->call.why.text);
}

/* --- asking ------------------------------------------------------------------------------------
 */

static void doom(struct question *question)
{
    question->state = QUESTION_DOOMED;
    watch(question, SOON_MS, on_doomed);
}

static bool begin_call(struct question *question)
{
    struct ocsp_call *call = &question->call;
    unsigned char *encoded = NULL;
    struct ocsp_desk *desk = question->desk;
    if (ocsp_responder_is_dead(desk->ocsp, &question->url, now_of(desk)))
        return error_set(&call->why, "the responder could not be reached; it is left alone");
    size_t length = ocsp_subject_write(&question->subject, &encoded);
    bool good = length > 0 || error_set(&call->why, "out of memory");
    good = good && ocsp_call_begin(call, desk->context, &question->url,
                                   (struct slice){(const char *)encoded, length});
    if (!good && length > 0)
        note_unreachable(question);
    free(encoded);
    return good;
}

/* Its turn has come. */
static void question_start(struct question *question)
{
    list_remove(&question->turn);
    if (!begin_call(question)) {
        doom(question);
        return;
    }
    question->state = QUESTION_ASKING;
    question->desk->open_count++;
}

static void take_turns(struct ocsp_desk *desk)
{
    while (desk->open_count < OCSP_OPEN_MOST && !list_is_empty(&desk->queue))
        question_start(LIST_OWNER(desk->queue.next, struct question, turn));
}

static struct list_node *bucket_of(struct ocsp_desk *desk, const unsigned char *key)
{
    return &desk->questions[key[0] % OCSP_BUCKETS];
}

static struct question *find(struct ocsp_desk *desk, const unsigned char *key)
{
    struct list_node *bucket = bucket_of(desk, key);
    for (struct list_node *node = bucket->next; node != bucket; node = node->next) {
        struct question *question = LIST_OWNER(node, struct question, node);
        if (memcmp(question->key, key, OCSP_KEY_BYTES) == 0)
            return question;
    }
    return NULL;
}

/* Whom to ask, and how the certificate is called there. */
static bool prepare(struct question *question, const struct ocsp_check *check,
                    const struct ca_set *set)
{
    struct identity *identity = question->identity;
    struct error *err = &question->call.why;
    if (check->has_responder)
        question->url = check->url;
    else if (!ocsp_url_of(&question->url, identity->leaf, err))
        return false;
    return ocsp_subject_init(&question->subject, identity, set, identity_result(identity, set),
                             err);
}

static struct question *question_new(struct ocsp_desk *desk, const unsigned char *key,
                                     struct identity *identity)
{
    struct question *question = calloc(1, sizeof *question);
    if (!question)
        return NULL;
    question->desk = desk;
    question->identity = identity_ref(identity);
    memcpy(question->key, key, OCSP_KEY_BYTES);
    question->call.on_heard = on_heard;
    question->call.on_over = on_call_over;
    list_init(&question->waiting);
    list_init(&question->turn);
    list_append(bucket_of(desk, key), &question->node);
    desk->question_count++;
    return question;
}

static void question_begin(struct question *question, const struct ocsp_check *check,
                           const struct ca_set *set)
{
    struct ocsp_desk *desk = question->desk;
    if (!prepare(question, check, set)) {
        doom(question);
        return;
    }
    question->state = QUESTION_QUEUED;
    watch(question, OCSP_ASK_MS, on_late);
    list_append(&desk->queue, &question->turn);
    take_turns(desk);
}

struct ocsp_wait *ocsp_ask(struct ocsp_desk *desk, const struct ocsp_check *check,
                           const struct ca_set *set, struct identity *identity,
                           void (*on_asked)(void *arg), void *arg)
{
    unsigned char key[OCSP_KEY_BYTES];
    struct ocsp_wait *wait = desk->is_closing ? NULL : calloc(1, sizeof *wait);
    if (!wait)
        return NULL;
    ocsp_check_key(check, identity, key);
    struct question *question = find(desk, key);
    bool is_new = !question;
    if (is_new)
        question = question_new(desk, key, identity);
    if (!question) {
        free(wait);
        return NULL;
    }
    *wait = (struct ocsp_wait){.question = question, .on_asked = on_asked, .arg = arg};
    list_append(&question->waiting, &wait->node);
    if (is_new)
        question_begin(question, check, set);
    return wait;
}

void ocsp_leave(struct ocsp_wait *wait)
{
    struct question *question = wait->question;
    list_remove(&wait->node);
    free(wait);
    /* One that has not begun is nobody's any more; the others end by themselves. */
    if (question->state == QUESTION_QUEUED && list_is_empty(&question->waiting))
        question_end(question);
}

/* --- life --------------------------------------------------------------------------------------
 */

void ocsp_desk_init(struct ocsp_desk *desk, struct ocsp *ocsp, struct loop_context *context)
{
    *desk = (struct ocsp_desk){.ocsp = ocsp, .context = context, .now = wall_clock};
    list_init(&desk->queue);
    for (unsigned i = 0; i < OCSP_BUCKETS; i++)
        list_init(&desk->questions[i]);
}

void ocsp_desk_close(struct ocsp_desk *desk, void (*on_closed)(void *arg), void *arg)
{
    desk->is_closing = true;
    desk->on_closed = on_closed;
    desk->on_closed_arg = arg;
    desk->question_count++; /* until all are broken off: it is not closed before */
    for (unsigned i = 0; i < OCSP_BUCKETS; i++)
        while (!list_is_empty(&desk->questions[i]))
            question_end(LIST_OWNER(desk->questions[i].next, struct question, node));
    if (--desk->question_count == 0)
        on_closed(arg);
}
