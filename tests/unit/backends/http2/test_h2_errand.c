/* SPDX-License-Identifier: Apache-2.0 */
/* Errands on links of HTTP/2, against a scripted backend, on a loop and a clock of the test's. */
#include "backends/http2/h2_errand.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backends/errand.h"
#include "backends/http2/h2_link.h"
#include "tests/support/check_main.h"
#include "tests/support/h2_backend.h"
#include "tests/support/made_pool.h"

static struct made_pool made;
static struct pool *pools[1];
static uv_loop_t loop;
static struct loop_context *context;
static struct links *links;
static struct stub_backend stub;
static struct h2_script script;
static uint64_t now_ms;
static bool is_closed;

/* ---- who runs an errand ---- */

struct job {
    struct errand errand;
    unsigned connected;
    enum link_outcome outcome;
    unsigned ready;
    char reason[LINK_REASON_BYTES];
    unsigned status;
    size_t body_bytes;
    bool is_last;
    bool has_failed;
};

static void on_connected(struct errand *errand, enum link_outcome outcome, const char *reason)
{
    struct job *job = LIST_OWNER(errand, struct job, errand);
    job->connected++;
    job->outcome = outcome;
    snprintf(job->reason, sizeof job->reason, "%s", reason);
}

static void on_ready(struct errand *errand, bool is_readable)
{
    (void)is_readable;
    LIST_OWNER(errand, struct job, errand)->ready++;
}

static const struct errand_events events = {.on_connected = on_connected, .on_ready = on_ready};

static bool begin_job(struct job *job)
{
    struct link_wish wish = {.pool = &made.pool, .backend = &made.pool.backends[0]};
    *job = (struct job){0};
    errand_init(&job->errand, &events, HTTP_GET);
    return errand_begin(&job->errand, links, &wish);
}

#define run_until(condition)                                                                       \
    while (!(condition))                                                                           \
    uv_run(&loop, UV_RUN_ONCE)

static void run_briefly(void)
{
    for (unsigned i = 0; i < 10; i++)
        uv_run(&loop, UV_RUN_NOWAIT);
}

static void connect_job(struct job *job)
{
    if (begin_job(job))
        return;
    run_until(job->connected);
    ck_assert_msg(job->outcome == LINK_READY, "%s", job->reason);
}

static void get(struct job *job, const char *path)
{
    static char heads[16][128]; /* they live as long as the errand */
    static unsigned used;
    char *head = heads[used++ % 16];
    snprintf(head, sizeof heads[0], "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", path);
    ck_assert(job->errand.ops->write_head(&job->errand, slice_of(head), HTTP_NO_BODY,
                                          (struct slice){NULL, 0}));
}

/* All there is to read now. */
static void read_all(struct job *job)
{
    struct errand_news news;
    while (!job->is_last && !job->has_failed) {
        switch (job->errand.ops->read(&job->errand, &news)) {
        case ERRAND_NEWS:
            job->status = news.head ? news.head->status : job->status;
            job->body_bytes += news.data.length;
            job->is_last = news.last;
            break;
        case ERRAND_AGAIN:
            return;
        case ERRAND_FAILED:
            job->has_failed = true;
            snprintf(job->reason, sizeof job->reason, "%s", job->errand.trouble);
            break;
        }
    }
}

static void read_to_end(struct job *job)
{
    while (read_all(job), !job->is_last && !job->has_failed)
        uv_run(&loop, UV_RUN_ONCE);
}

static void expect_status(const char *path, unsigned status)
{
    struct job job;
    connect_job(&job);
    get(&job, path);
    read_to_end(&job);
    ck_assert_msg(job.status == status, "%s", job.reason);
    errand_end(&job.errand, true);
}

/* ---- the stage ---- */

static uint64_t tell_now_ms(struct deadlines *deadlines)
{
    (void)deadlines;
    return now_ms;
}

static void pass(uint64_t ms)
{
    now_ms += ms;
    deadlines_run(&context->deadlines);
}

static void open_with(const char *idle_links, stub_serve serve)
{
    char value[64];
    stub_start_with(&stub, "rs-1", serve, &script);
    made_pool_begin(&made);
    snprintf(value, sizeof value, "rs-1 127.0.0.1:%u", stub.port);
    made_pool_key(&made, "backend", value);
    made_pool_key(&made, "protocol", "h2");
    made_pool_key(&made, "connect_timeout", "4s");
    made_pool_key(&made, "idle_links", idle_links);
    ck_assert(made_pool_prepare(&made));
    pools[0] = &made.pool;
    uv_loop_init(&loop);
    context = calloc(1, sizeof *context);
    loop_context_init(context, &loop);
    now_ms = 1000;
    context->deadlines.now_ms = tell_now_ms;
    links = links_new(context);
    links_retain(links, pools, 1);
    is_closed = false;
}

static void open_stage(void)
{
    script = (struct h2_script){0};
    open_with("64", h2_backend_serve);
}

static void on_closed(void *arg)
{
    (void)arg;
    is_closed = true;
}

/* Nothing is left behind. */
static void close_stage(void)
{
    links_close(links, on_closed, NULL);
    run_until(is_closed);
    ck_assert_uint_eq(context->buffers.lent_count, 0);
    loop_context_close(context);
    uv_run(&loop, UV_RUN_DEFAULT);
    loop_context_done(context);
    free(context);
    ck_assert_int_eq(uv_loop_close(&loop), 0);
    made_pool_end(&made);
    stub_stop(&stub);
}

static struct link_place *place(void)
{
    return links_place(links, made.pool.backends[0].standing);
}

static unsigned link_count(void)
{
    unsigned count = 0;
    for (struct list_node *at = place()->shared.next; at != &place()->shared; at = at->next)
        count++;
    return count;
}

/* ---- places ---- */

START_TEST(errands_share_a_link_which_owns_nothing_when_idle)
{
    open_stage();
    expect_status("/", 200);
    expect_status("/trailers", 200);
    expect_status("/", 200);
    run_briefly();
    ck_assert_uint_eq(atomic_load(&script.connections), 1);
    ck_assert_uint_eq(link_count(), 1);
    ck_assert_uint_eq(context->buffers.lent_count, 0);
    close_stage();
}
END_TEST

START_TEST(who_comes_while_a_link_is_opened_waits_for_it)
{
    struct job jobs[5];
    open_stage();
    script.streams_most = 3;
    for (unsigned i = 0; i < 5; i++)
        ck_assert(!begin_job(&jobs[i]));
    ck_assert_uint_eq(link_count(), 1);
    for (unsigned i = 0; i < 5; i++)
        run_until(jobs[i].connected);
    for (unsigned i = 0; i < 5; i++) {
        ck_assert_int_eq(jobs[i].outcome, LINK_READY);
        ck_assert_ptr_eq(jobs[i].errand.h2.on, jobs[i < 3 ? 0 : 3].errand.h2.on);
    }
    ck_assert_uint_eq(link_count(), 2); /* the backend takes three on each */
    for (unsigned i = 0; i < 5; i++)
        errand_end(&jobs[i].errand, false);
    close_stage();
}
END_TEST

START_TEST(a_backend_that_allows_streams_later_is_waited_for)
{
    struct job jobs[2];
    open_stage();
    script.is_shut = true;
    for (unsigned i = 0; i < 2; i++)
        ck_assert(!begin_job(&jobs[i]));
    for (unsigned i = 0; i < 2; i++) {
        run_until(jobs[i].connected);
        ck_assert_msg(jobs[i].outcome == LINK_READY, "%s", jobs[i].reason);
        get(&jobs[i], "/");
        read_to_end(&jobs[i]);
        ck_assert_uint_eq(jobs[i].status, 200);
        errand_end(&jobs[i].errand, true);
    }
    ck_assert_uint_eq(atomic_load(&script.connections), 1);
    close_stage();
}
END_TEST

START_TEST(a_backend_that_never_allows_a_stream_is_late)
{
    struct job job;
    open_stage();
    script.stays_shut = true;
    begin_job(&job);
    struct h2_link *h2 = job.errand.h2.on;
    run_until(h2->is_greeted);
    run_briefly();
    ck_assert_int_eq(h2->state, H2_GREETING);
    pass(3999);
    ck_assert_uint_eq(job.connected, 0);
    pass(2);
    ck_assert_uint_eq(job.connected, 1);
    ck_assert_int_eq(job.outcome, LINK_LATE);
    ck_assert_str_eq(job.reason, "the backend allows no streams within 4000ms");
    ck_assert_uint_eq(link_count(), 0);
    close_stage();
}
END_TEST

/* SETTINGS, and GOAWAY behind them. */
static void send_away(struct stub_link *link)
{
    static const unsigned char bytes[] = {0, 0, 0, NGHTTP2_SETTINGS,
                                          0, 0, 0, 0,
                                          0, /* its head */
                                          0, 0, 8, NGHTTP2_GOAWAY,
                                          0, 0, 0, 0,
                                          0, /* … and its */
                                          0, 0, 0, 0,
                                          0, 0, 0, 0};
    stub_receive(link);
    stub_send(link, bytes, sizeof bytes);
    stub_wait_for_end(link);
}

START_TEST(a_backend_that_sends_away_at_once_is_told_apart)
{
    struct job job;
    script = (struct h2_script){0};
    open_with("64", send_away);
    begin_job(&job);
    run_until(job.connected);
    ck_assert_int_eq(job.outcome, LINK_REFUSED);
    ck_assert_str_eq(job.reason, "the backend allows no streams");
    close_stage();
}
END_TEST

START_TEST(a_wish_that_nobody_has_any_more_opens_no_link)
{
    struct job jobs[2];
    open_stage();
    begin_job(&jobs[0]);
    begin_job(&jobs[1]);
    errand_end(&jobs[0].errand, false);
    ck_assert_uint_eq(link_count(), 1);
    errand_end(&jobs[1].errand, false);
    ck_assert_uint_eq(link_count(), 0);
    run_briefly();
    ck_assert_uint_eq(jobs[0].connected + jobs[1].connected, 0);
    close_stage();
}
END_TEST

START_TEST(idle_links_are_kept_as_many_as_the_pool_says)
{
    script = (struct h2_script){0};
    open_with("0", h2_backend_serve);
    expect_status("/", 200);
    ck_assert_uint_eq(link_count(), 0);
    close_stage();
}
END_TEST

START_TEST(links_that_nothing_retains_end_with_their_last_errand)
{
    struct job job;
    open_stage();
    connect_job(&job);
    get(&job, "/");
    links_retain(links, pools, 0);
    read_to_end(&job);
    ck_assert_uint_eq(job.status, 200);
    ck_assert_uint_eq(links->count, 1);
    errand_end(&job.errand, true);
    run_briefly();
    ck_assert_uint_eq(links->count, 0);
    close_stage();
}
END_TEST

static void expect_served(struct job *job)
{
    run_until(job->connected);
    ck_assert_msg(job->outcome == LINK_READY, "%s", job->reason);
    get(job, "/");
    read_to_end(job);
    ck_assert_msg(job->status == 200, "%s", job->reason);
    errand_end(&job->errand, true);
}

START_TEST(who_waits_for_a_link_that_nothing_retains_any_more_is_served)
{
    const enum h2_link_state when[] = {H2_CONNECTING, H2_GREETING};
    struct job jobs[2];
    open_stage();
    script.is_shut = true; /* so that it greets for more than a turn of the loop */
    for (unsigned i = 0; i < 2; i++)
        ck_assert(!begin_job(&jobs[i]));
    struct h2_link *h2 = jobs[0].errand.h2.on;
    run_until(h2->state == when[_i]);
    links_retain(links, pools, 0);
    for (unsigned i = 0; i < 2; i++)
        run_until(jobs[i].connected);
    ck_assert_ptr_eq(jobs[0].errand.h2.on, jobs[1].errand.h2.on);
    for (unsigned i = 0; i < 2; i++)
        expect_served(&jobs[i]);
    run_briefly();
    ck_assert_uint_eq(links->count, 0);
    ck_assert_uint_eq(atomic_load(&script.connections), 1);
    close_stage();
}
END_TEST

START_TEST(a_link_to_a_backend_that_nothing_retains_serves_who_wished_for_it)
{
    struct job job;
    open_stage();
    links_retain(links, pools, 0);
    ck_assert(!begin_job(&job));
    expect_served(&job);
    run_briefly();
    ck_assert_uint_eq(links->count, 0);
    close_stage();
}
END_TEST

/* ---- windows ---- */

START_TEST(an_answer_that_nobody_reads_is_bounded_by_its_window)
{
    struct job slow;
    open_stage();
    script.large_bytes = 8 * 1024 * 1024;
    connect_job(&slow);
    get(&slow, "/large");
    struct h2_link *h2 = slow.errand.h2.on;
    run_until(h2->held_bytes == HTTP2_LINK_STREAM_WINDOW_BYTES);
    run_briefly();
    ck_assert_uint_eq(h2->held_bytes, HTTP2_LINK_STREAM_WINDOW_BYTES);
    for (unsigned i = 0; i < 100; i++) /* the link's window is given back at once */
        expect_status("/", 200);
    read_to_end(&slow);
    ck_assert_uint_eq(slow.body_bytes, script.large_bytes);
    ck_assert_uint_eq(h2->held_bytes, 0);
    errand_end(&slow.errand, true);
    close_stage();
}
END_TEST

START_TEST(what_an_errand_leaves_unread_is_given_back)
{
    struct job slow;
    open_stage();
    script.large_bytes = 8 * 1024 * 1024;
    for (unsigned i = 0; i < 20; i++) {
        connect_job(&slow);
        get(&slow, "/large");
        struct h2_link *h2 = slow.errand.h2.on;
        run_until(h2->held_bytes == HTTP2_LINK_STREAM_WINDOW_BYTES);
        errand_end(&slow.errand, false);
        ck_assert_uint_eq(h2->held_bytes, 0);
    }
    expect_status("/", 200);
    ck_assert_uint_eq(atomic_load(&script.connections), 1);
    close_stage();
}
END_TEST

START_TEST(more_than_a_link_may_hold_waits_in_the_connections_window)
{
    enum { SLOW = HTTP2_LINK_HELD_BYTES / HTTP2_LINK_STREAM_WINDOW_BYTES };
    static struct job slow[SLOW];
    struct job other;
    open_stage();
    script.large_bytes = 1024 * 1024;
    for (unsigned i = 0; i < SLOW; i++) {
        connect_job(&slow[i]);
        get(&slow[i], "/large");
    }
    struct h2_link *h2 = slow[0].errand.h2.on;
    run_until(h2->held_bytes >= HTTP2_LINK_HELD_BYTES);
    connect_job(&other); /* there is no room on that one */
    ck_assert_ptr_ne(other.errand.h2.on, h2);
    errand_end(&other.errand, false);
    for (unsigned i = 0; i < SLOW; i++) {
        read_to_end(&slow[i]);
        ck_assert_msg(slow[i].is_last, "%s", slow[i].reason);
        errand_end(&slow[i].errand, true);
    }
    close_stage();
}
END_TEST

/* A backend whose windows are wider than what lb writes at once. */
static void open_wide_stage(void)
{
    script = (struct h2_script){.window = 8 * 1024 * 1024, .link_window = 8 * 1024 * 1024};
    open_with("64", h2_backend_serve);
}

/* The body and its trailers go out in one turn, of which the body leaves so much room. */
static void echo_with_room_left(struct job *job, size_t left)
{
    enum {
        FRAME_HEAD_BYTES = 9,
        FRAMES = sizeof links->bytes / (FRAME_HEAD_BYTES + HTTP2_FRAME_BYTES) + 1
    };
    static char body[sizeof links->bytes];
    static const char head[] =
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    const struct http_field trailer = {.name = SLICE("X-Sum"), .value = SLICE("42")};
    const struct slice all = {body, sizeof body - FRAMES * FRAME_HEAD_BYTES - left};
    connect_job(job);
    const struct errand_ops *ops = job->errand.ops;
    nghttp2_session *session = job->errand.h2.on->session;
    ck_assert(ops->write_head(&job->errand, slice_of(head), HTTP_CHUNKED, (struct slice){NULL, 0}));
    run_until(nghttp2_session_get_remote_window_size(session) > (int32_t)sizeof links->bytes &&
              job->errand.h2.is_headers_sent);
    ck_assert(ops->write_body(&job->errand, all));
    ck_assert(ops->write_end(&job->errand, &trailer, 1));
    read_to_end(job);
    ck_assert_msg(job->is_last, "%s", job->reason);
    ck_assert_uint_eq(job->body_bytes, all.length);
    errand_end(&job->errand, true);
}

START_TEST(trailers_wait_for_the_next_write_where_a_body_filled_this_one)
{
    struct job job;
    open_wide_stage();
    for (size_t left = 0; left < 24; left += 3)
        echo_with_room_left(&job, left);
    ck_assert_uint_eq(atomic_load(&script.connections), 1);
    close_stage();
}
END_TEST

/* ---- interim answers ---- */

/* All of it comes before any of it is read. */
static void get_interims(struct job *job, unsigned interims)
{
    script.interims = interims;
    connect_job(job);
    get(job, "/interims");
    run_until(job->errand.h2.is_closed);
    read_all(job);
    errand_end(&job->errand, job->is_last);
}

START_TEST(interim_answers_are_counted_without_the_trailers_behind_them)
{
    struct job job;
    open_stage();
    get_interims(&job, INTERIM_ANSWERS_MOST);
    ck_assert_msg(job.is_last, "%s", job.reason);
    ck_assert_uint_eq(job.status, 200);
    ck_assert_uint_eq(job.body_bytes, 4);
    get_interims(&job, INTERIM_ANSWERS_MOST + 1);
    ck_assert_str_eq(job.reason, "the backend sent too many interim answers");
    close_stage();
}
END_TEST

/* ---- failures ---- */

START_TEST(a_request_that_cannot_go_on_is_cancelled_and_forgotten)
{
    static char value[2 * TRAILER_BYTES];
    const struct http_field trailer = {.name = SLICE("X-Sum"), .value = {value, sizeof value}};
    static const char head[] =
        "POST /hold HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    struct job *job = malloc(sizeof *job); /* a sanitizer sees who touches it behind its end */
    open_stage();
    connect_job(job);
    const struct errand_ops *ops = job->errand.ops;
    ck_assert(ops->write_head(&job->errand, slice_of(head), HTTP_CHUNKED, (struct slice){NULL, 0}));
    run_until(job->errand.h2.is_headers_sent); /* its answer is on its way */
    ck_assert(!ops->write_end(&job->errand, &trailer, 1));
    read_to_end(job);
    ck_assert_str_eq(job->reason, "the request's trailers are too large");
    ck_assert(job->errand.is_blameless);
    errand_end(&job->errand, false);
    free(job);
    atomic_store(&script.is_released, true); /* now it would be told */
    expect_status("/", 200);
    ck_assert_uint_eq(atomic_load(&script.cancelled), 1);
    ck_assert_uint_eq(atomic_load(&script.connections), 1);
    close_stage();
}
END_TEST

START_TEST(a_refused_stream_was_not_processed_and_a_reset_one_may_have_been)
{
    struct job job;
    open_stage();
    connect_job(&job);
    get(&job, "/refuse");
    read_to_end(&job);
    ck_assert(job.has_failed);
    ck_assert(errand_was_refused(&job.errand));
    ck_assert(!job.errand.is_link_over);
    errand_end(&job.errand, false);
    connect_job(&job);
    get(&job, "/reset");
    read_to_end(&job);
    ck_assert(job.has_failed);
    ck_assert(!errand_was_refused(&job.errand));
    ck_assert_str_eq(job.reason, "the backend reset the stream (INTERNAL_ERROR)");
    ck_assert(!job.errand.is_blameless);
    errand_end(&job.errand, false);
    ck_assert_uint_eq(atomic_load(&script.connections), 1);
    close_stage();
}
END_TEST

START_TEST(what_came_behind_a_goaway_was_not_processed)
{
    struct job jobs[3];
    open_stage();
    script.goaway_after = 2;
    script.goaway_at_once = true;
    for (unsigned i = 0; i < 3; i++)
        connect_job(&jobs[i]);
    for (unsigned i = 0; i < 3; i++)
        get(&jobs[i], "/");
    for (unsigned i = 0; i < 3; i++)
        read_to_end(&jobs[i]);
    ck_assert_uint_eq(jobs[0].status, 200);
    ck_assert_uint_eq(jobs[1].status, 200);
    ck_assert(jobs[2].has_failed);
    ck_assert(errand_was_refused(&jobs[2].errand));
    ck_assert(jobs[2].errand.is_link_over);
    for (unsigned i = 0; i < 3; i++)
        errand_end(&jobs[i].errand, i < 2);
    ck_assert_uint_eq(link_count(), 0);
    expect_status("/", 200);
    close_stage();
}
END_TEST

START_TEST(a_lost_link_tells_each_of_its_errands)
{
    struct job dying, silent, partly;
    open_stage();
    script.large_bytes = 1024 * 1024;
    connect_job(&partly);
    get(&partly, "/large");
    connect_job(&silent);
    get(&silent, "/hang");
    run_until(partly.errand.h2.on->held_bytes == HTTP2_LINK_STREAM_WINDOW_BYTES);
    connect_job(&dying);
    get(&dying, "/die");
    read_to_end(&dying);
    read_to_end(&silent);
    read_to_end(&partly);
    ck_assert_str_eq(dying.reason, "the backend closed before it answered");
    ck_assert_str_eq(silent.reason, "the backend closed before it answered");
    ck_assert(!errand_was_refused(&silent.errand));
    ck_assert_str_eq(partly.reason, "the backend closed within its answer");
    ck_assert_uint_eq(partly.body_bytes,
                      HTTP2_LINK_STREAM_WINDOW_BYTES); /* what had come is not lost */
    errand_end(&dying.errand, false);
    errand_end(&silent.errand, false);
    errand_end(&partly.errand, false);
    close_stage();
}
END_TEST

/* Each errand tells later what happened to it, whatever became of others meanwhile. */
START_TEST(the_words_of_a_failure_stay_those_of_their_errand)
{
    struct job reset, refused;
    open_stage();
    connect_job(&reset);
    get(&reset, "/reset");
    connect_job(&refused);
    get(&refused, "/refuse");
    read_to_end(&reset);
    read_to_end(&refused);
    ck_assert_str_eq(refused.errand.trouble, "the backend reset the stream (REFUSED_STREAM)");
    ck_assert_str_eq(reset.errand.trouble, "the backend reset the stream (INTERNAL_ERROR)");
    errand_end(&reset.errand, false);
    errand_end(&refused.errand, false);
    close_stage();
}
END_TEST

START_TEST(the_words_of_a_lost_link_are_kept_with_it)
{
    struct job job;
    char words[] = "lent for the call"; /* as link_failure's are the thread's */
    open_stage();
    script.large_bytes = 1024 * 1024;
    connect_job(&job);
    get(&job, "/large");
    run_until(job.errand.h2.on->held_bytes > 0);
    h2_link_lose(job.errand.h2.on, words);
    memset(words, 'x', sizeof words - 1);
    read_to_end(&job);
    ck_assert_str_eq(job.errand.trouble, "lent for the call");
    errand_end(&job.errand, false);
    close_stage();
}
END_TEST

static const unsigned char floods[] = {NGHTTP2_DATA, NGHTTP2_RST_STREAM, NGHTTP2_SETTINGS,
                                       NGHTTP2_PING, NGHTTP2_GOAWAY,     NGHTTP2_WINDOW_UPDATE};

START_TEST(a_flood_of_any_kind_ends_the_link_with_a_reason)
{
    struct job silent, asking;
    open_stage();
    script.flood = floods[_i];
    connect_job(&silent);
    get(&silent, "/hang");
    connect_job(&asking);
    ck_assert_ptr_eq(asking.errand.h2.on, silent.errand.h2.on);
    get(&asking, "/flood");
    read_to_end(&silent);
    ck_assert_msg(strstr(silent.reason, "the backend floods the link with ") == silent.reason, "%s",
                  silent.reason);
    ck_assert(!silent.errand.is_blameless);
    errand_end(&silent.errand, false);
    errand_end(&asking.errand, false);
    ck_assert_uint_eq(link_count(), 0);
    close_stage();
}
END_TEST

static void say_nothing(struct stub_link *link)
{
    stub_wait_for_end(link);
}

START_TEST(a_backend_without_settings_is_late)
{
    struct job job;
    script = (struct h2_script){0};
    open_with("64", say_nothing);
    begin_job(&job);
    run_until(job.errand.h2.on->state == H2_GREETING);
    pass(3999);
    ck_assert_uint_eq(job.connected, 0);
    pass(2);
    ck_assert_uint_eq(job.connected, 1);
    ck_assert_int_eq(job.outcome, LINK_LATE);
    ck_assert_str_eq(job.reason, "no SETTINGS of HTTP/2 within 4000ms");
    close_stage();
}
END_TEST

static void answer_in_http1(struct stub_link *link)
{
    stub_receive(link);
    stub_say(link, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
    stub_wait_for_end(link);
}

START_TEST(a_backend_that_speaks_something_else_is_told_apart)
{
    struct job job;
    script = (struct h2_script){0};
    open_with("64", answer_in_http1);
    begin_job(&job);
    run_until(job.connected);
    ck_assert_int_eq(job.outcome, LINK_REFUSED);
    ck_assert_str_eq(job.reason, "the backend does not speak HTTP/2");
    close_stage();
}
END_TEST

START_TEST(a_backend_that_is_gone_is_found_out_by_ping)
{
    struct job silent, other;
    open_stage();
    expect_status("/", 200); /* what both have to say at first is said */
    connect_job(&silent);
    get(&silent, "/hang");
    run_briefly();
    struct h2_link *h2 = silent.errand.h2.on;
    connect_job(&other);
    errand_end(&silent.errand, false); /* late: does anybody live there? */
    ck_assert(h2->deadline.armed);
    run_until(!h2->deadline.armed); /* it answers the PING */
    ck_assert_int_eq(h2->state, H2_OPEN);
    h2_link_probe(h2);
    pass(4001); /* before the loop turns: no answer can come */
    ck_assert_int_eq(h2->state, H2_LOST);
    read_to_end(&other);
    ck_assert_str_eq(other.reason, "the backend does not answer a PING");
    errand_end(&other.errand, false);
    close_stage();
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, errands_share_a_link_which_owns_nothing_when_idle);
    tcase_add_test(tcase, who_comes_while_a_link_is_opened_waits_for_it);
    tcase_add_test(tcase, a_backend_that_allows_streams_later_is_waited_for);
    tcase_add_test(tcase, a_backend_that_never_allows_a_stream_is_late);
    tcase_add_test(tcase, a_backend_that_sends_away_at_once_is_told_apart);
    tcase_add_test(tcase, a_wish_that_nobody_has_any_more_opens_no_link);
    tcase_add_test(tcase, idle_links_are_kept_as_many_as_the_pool_says);
    tcase_add_test(tcase, links_that_nothing_retains_end_with_their_last_errand);
    tcase_add_loop_test(tcase, who_waits_for_a_link_that_nothing_retains_any_more_is_served, 0, 2);
    tcase_add_test(tcase, a_link_to_a_backend_that_nothing_retains_serves_who_wished_for_it);
    tcase_add_test(tcase, an_answer_that_nobody_reads_is_bounded_by_its_window);
    tcase_add_test(tcase, what_an_errand_leaves_unread_is_given_back);
    tcase_add_test(tcase, more_than_a_link_may_hold_waits_in_the_connections_window);
    tcase_add_test(tcase, trailers_wait_for_the_next_write_where_a_body_filled_this_one);
    tcase_add_test(tcase, interim_answers_are_counted_without_the_trailers_behind_them);
    tcase_add_test(tcase, a_request_that_cannot_go_on_is_cancelled_and_forgotten);
    tcase_add_test(tcase, a_refused_stream_was_not_processed_and_a_reset_one_may_have_been);
    tcase_add_test(tcase, what_came_behind_a_goaway_was_not_processed);
    tcase_add_test(tcase, a_lost_link_tells_each_of_its_errands);
    tcase_add_loop_test(tcase, a_flood_of_any_kind_ends_the_link_with_a_reason, 0,
                        (int)sizeof floods);
    tcase_add_test(tcase, the_words_of_a_failure_stay_those_of_their_errand);
    tcase_add_test(tcase, the_words_of_a_lost_link_are_kept_with_it);
    tcase_add_test(tcase, a_backend_without_settings_is_late);
    tcase_add_test(tcase, a_backend_that_speaks_something_else_is_told_apart);
    tcase_add_test(tcase, a_backend_that_is_gone_is_found_out_by_ping);
}

CHECK_MAIN("errands over HTTP/2", add_tests)
