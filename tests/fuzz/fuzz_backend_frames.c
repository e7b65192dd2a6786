/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a backend of HTTP/2 says, frame by frame, to a worker whose errands share a link to it. A
 * frame of a type that HTTP/2 does not know and that is named here (enum step) is not sent: it says
 * what becomes of the errand of that stream meanwhile.
 *
 * Besides memory errors this finds an answer that is told in another order than head, body, end, or
 * of another length than its head says, an errand that is never told the end of its link, one that
 * is not told what came, bytes that a link does not count, and whatever is left behind.
 */
#include "tests/fuzz/h2_stage.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

enum {
    FRAME_HEAD_BYTES = 9,
    JOBS = 8,
    TURNS_MOST = 4, /* until each errand has heard of the end of its link */
};

/* A flag of every step: the loop does not turn behind it. */
enum { AT_ONCE = 0x80 };

enum step {
    STEP_BEGIN = 0xf0, /* flags: its number in `askings` */
    STEP_READ,         /* … also what is held */
    STEP_HOLD,
    STEP_WRITE,     /* payload: of its body */
    STEP_WRITE_END, /* flag 1: with a trailer; flag 2: a larger one than lb sends */
    STEP_END,
    STEP_PASS, /* connect_timeout passes */
    STEP_DEAF, /* the backend takes nothing more of what lb says */
    STEP_BEHIND,
};

struct frame {
    uint8_t type, flags;
    uint32_t stream;
    const uint8_t *payload;
    size_t length;
};

struct asking {
    enum http_method method;
    enum http_framing framing;
    const char *head;
};

static const struct asking askings[] = {
    {HTTP_GET, HTTP_NO_BODY, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"},
    {HTTP_POST, HTTP_CHUNKED, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"},
    {HTTP_HEAD, HTTP_NO_BODY, "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"},
};

struct job {
    struct errand errand;
    const struct asking *asking;
    bool is_asked;     /* all of the request is written */
    bool is_connected; /* open, or it will never be */
    bool is_due;       /* on_ready came */
    bool is_held;
    bool is_over;  /* its answer is complete, or failed */
    bool has_head; /* interim or final */
    bool has_final;
    enum http_framing framing; /* of the answer */
    uint64_t length;           /* … as its head says */
    uint64_t body_bytes;
};

struct fuzz {
    struct stage stage;
    struct job *jobs[JOBS];
};

/* ---- errands ---- */

static void ask(struct job *job)
{
    job->errand.ops->write_head(&job->errand, slice_of(job->asking->head), job->asking->framing,
                                (struct slice){NULL, 0});
}

static void on_connected(struct errand *errand, enum link_outcome outcome, const char *reason)
{
    struct job *job = LIST_OWNER(errand, struct job, errand);
    EXPECT(!job->is_connected && strlen(reason) < LINK_REASON_BYTES);
    job->is_connected = true;
    job->is_over = outcome != LINK_READY;
    if (!job->is_over)
        ask(job);
}

static void on_ready(struct errand *errand, bool is_readable)
{
    (void)is_readable;
    LIST_OWNER(errand, struct job, errand)->is_due = true;
}

static void begin(struct fuzz *fuzz, unsigned number, uint8_t flags)
{
    static const struct errand_events events = {.on_connected = on_connected, .on_ready = on_ready};
    struct link_wish wish = {.pool = &fuzz->stage.pool, .backend = &fuzz->stage.backend};
    struct job *job = calloc(1, sizeof *job); /* a sanitizer sees who touches it behind its end */
    EXPECT(job != NULL);
    fuzz->jobs[number] = job;
    job->asking = &askings[(unsigned)flags % AT_ONCE % (sizeof askings / sizeof *askings)];
    job->is_asked = job->asking->framing == HTTP_NO_BODY;
    errand_init(&job->errand, &events, job->asking->method);
    job->is_connected = errand_begin(&job->errand, fuzz->stage.links, &wish);
    if (job->is_connected)
        ask(job);
}

static void end(struct fuzz *fuzz, unsigned number)
{
    struct job *job = fuzz->jobs[number];
    if (job->errand.ops)
        errand_end(&job->errand, job->is_over);
    fuzz->jobs[number] = NULL;
    free(job);
}

static bool is_open(const struct job *job)
{
    return job && job->is_connected && job->errand.ops;
}

/* ---- reading ---- */

static void expect_fields(const struct http_field *fields, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        EXPECT(fields[i].name.length > 0 && expect_clean(fields[i].name) &&
               expect_clean(fields[i].value));
}

static void take_head(struct job *job, const struct http_answer *head)
{
    EXPECT(!job->has_final && head->status >= 100 && head->status <= 999);
    expect_fields(head->fields, head->field_count);
    job->has_head = true;
    job->has_final = head->status >= 200;
    job->framing = head->framing;
    job->length = head->length;
}

static void take_last(struct job *job, bool has_trailers)
{
    struct http_field trailers[HEAD_FIELDS_MOST];
    EXPECT(job->has_final);
    EXPECT(job->framing != HTTP_NO_BODY || job->body_bytes == 0);
    EXPECT(job->framing != HTTP_LENGTH || job->body_bytes == job->length);
    job->is_over = true;
    if (!has_trailers)
        return;
    EXPECT(job->errand.h2.is_ended); /* half of them are none */
    expect_fields(trailers, job->errand.ops->trailers(&job->errand, trailers, HEAD_FIELDS_MOST));
}

static void take_news(struct job *job, const struct errand_news *news)
{
    char *body = expect_copy(news->data.at, news->data.length); /* all of it can be read */
    free(body);
    if (news->head)
        take_head(job, news->head);
    EXPECT(news->data.length == 0 || job->has_final);
    job->body_bytes += news->data.length;
    EXPECT(job->framing != HTTP_LENGTH || job->body_bytes <= job->length);
    if (news->last)
        take_last(job, news->trailed);
}

static void fail(struct job *job)
{
    EXPECT(job->errand.trouble && job->errand.trouble[0] != '\0');
    EXPECT(!errand_was_refused(&job->errand) || !job->has_head);
    job->is_over = true;
}

static void read_all(struct job *job)
{
    struct errand_news news;
    job->is_due = false;
    job->is_held = false;
    while (!job->is_over) {
        switch (job->errand.ops->read(&job->errand, &news)) {
        case ERRAND_NEWS:
            take_news(job, &news);
            break;
        case ERRAND_AGAIN:
            return;
        case ERRAND_FAILED:
            fail(job);
            break;
        }
    }
}

/* Who was told reads all there is; for who was not there is nothing. */
static void read_what_is_due(struct job *job)
{
    struct errand_news news;
    if (job->is_over || job->is_held)
        return;
    if (job->is_due)
        read_all(job);
    else
        EXPECT(job->errand.ops->read(&job->errand, &news) == ERRAND_AGAIN);
}

/* ---- links ---- */

/* Its link counts errands and what they have not read yet. */
static void expect_count(struct h2_link *h2)
{
    unsigned count = 0;
    size_t held_bytes = 0;
    for (struct list_node *at = h2->errands.next; at != &h2->errands; at = at->next) {
        count++;
        held_bytes += buffer_length(LIST_OWNER(at, struct errand, h2.node)->h2.in);
    }
    EXPECT(h2->errand_count == count);
    EXPECT(h2->state == H2_LOST || h2->held_bytes == held_bytes);
    EXPECT(h2->owed_bytes <= h2->held_bytes);
}

static void turn(struct fuzz *fuzz)
{
    stage_turn(&fuzz->stage);
    for (unsigned i = 0; i < JOBS; i++) {
        if (!is_open(fuzz->jobs[i]))
            continue;
        expect_count(fuzz->jobs[i]->errand.h2.on);
        read_what_is_due(fuzz->jobs[i]);
        expect_count(fuzz->jobs[i]->errand.h2.on);
    }
}

/* ---- steps ---- */

static void write_end(struct job *job, uint8_t flags)
{
    static char large[2 * TRAILER_BYTES];
    memset(large, 'x', sizeof large);
    const struct http_field trailer = {.name = SLICE("X-Sum"),
                                       .value = {large, flags & 2 ? sizeof large : 2}};
    job->errand.ops->write_end(&job->errand, &trailer, flags & 3 ? 1 : 0);
    job->is_asked = true;
}

static void write_body(struct job *job, const struct frame *frame)
{
    if (job->errand.ops->pending(&job->errand) == 0)
        job->errand.ops->write_body(&job->errand,
                                    (struct slice){(const char *)frame->payload, frame->length});
}

static void go_on(struct fuzz *fuzz, unsigned number, const struct frame *frame)
{
    struct job *job = fuzz->jobs[number];
    switch ((enum step)frame->type) {
    case STEP_READ:
        read_all(job);
        break;
    case STEP_HOLD:
        job->errand.ops->hold(&job->errand);
        job->is_held = true;
        break;
    case STEP_WRITE:
        if (!job->is_asked && !job->is_over)
            write_body(job, frame);
        break;
    case STEP_WRITE_END:
        if (!job->is_asked && !job->is_over)
            write_end(job, frame->flags);
        break;
    case STEP_BEGIN:
    case STEP_END:
    case STEP_PASS:
    case STEP_DEAF:
    case STEP_BEHIND:
        break;
    }
}

/* Who waits that long asks whether anything of his was taken. */
static void pass(struct fuzz *fuzz)
{
    for (unsigned i = 0; i < JOBS; i++)
        if (is_open(fuzz->jobs[i]))
            fuzz->jobs[i]->errand.ops->was_taken(&fuzz->jobs[i]->errand);
    stage_pass(&fuzz->stage, fuzz->stage.options.connect_timeout + 1);
}

static void step(struct fuzz *fuzz, const struct frame *frame)
{
    unsigned number = frame->stream / 2 % JOBS;
    struct job *job = fuzz->jobs[number];
    if (frame->type == STEP_PASS)
        pass(fuzz);
    else if (frame->type == STEP_DEAF)
        shutdown(fuzz->stage.backend_fd, SHUT_RD);
    else if (frame->type == STEP_BEGIN && !job)
        begin(fuzz, number, frame->flags);
    else if (frame->type == STEP_END && job)
        end(fuzz, number);
    else if (is_open(job))
        go_on(fuzz, number, frame);
    if (!(frame->flags & AT_ONCE))
        turn(fuzz);
}

/* ---- the input ---- */

/* The first of so many bytes, perhaps cut short. */
static struct frame frame_at(const uint8_t *data, size_t length)
{
    size_t said = (size_t)data[0] << 16 | (size_t)data[1] << 8 | data[2];
    size_t there = length - FRAME_HEAD_BYTES;
    return (struct frame){
        .type = data[3],
        .flags = data[4],
        .stream = (uint32_t)data[7] << 8 | data[8],
        .payload = data + FRAME_HEAD_BYTES,
        .length = said < there ? said : there,
    };
}

static void play(struct fuzz *fuzz, const uint8_t *data, size_t length)
{
    size_t said = 0, at = 0;
    while (length - at >= FRAME_HEAD_BYTES) {
        const struct frame frame = frame_at(data + at, length - at);
        size_t behind = at + FRAME_HEAD_BYTES + frame.length;
        if (frame.type >= STEP_BEGIN && frame.type < STEP_BEHIND) {
            stage_say(&fuzz->stage, data + said, at - said);
            step(fuzz, &frame);
            said = behind;
        }
        at = behind;
    }
    stage_say(&fuzz->stage, data + said, length - said);
    turn(fuzz);
}

/* Whoever is there learns that the backend closed. */
static void finish(struct fuzz *fuzz)
{
    stage_hang_up(&fuzz->stage);
    for (unsigned i = 0; i < TURNS_MOST; i++)
        turn(fuzz);
    for (unsigned i = 0; i < JOBS; i++) {
        struct job *job = fuzz->jobs[i];
        if (!job)
            continue;
        EXPECT(job->is_connected);
        if (job->is_held)
            read_all(job);
        EXPECT(job->is_over);
        end(fuzz, i);
    }
    EXPECT(fuzz->stage.links->count == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    struct fuzz *fuzz = calloc(1, sizeof *fuzz);
    EXPECT(fuzz != NULL);
    stage_open(&fuzz->stage);
    begin(fuzz, 0, 0);
    stage_link(&fuzz->stage, fuzz->jobs[0]->errand.h2.on->link);
    turn(fuzz);
    play(fuzz, data, length);
    finish(fuzz);
    stage_close(&fuzz->stage);
    free(fuzz);
    return 0;
}
