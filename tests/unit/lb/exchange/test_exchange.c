/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An exchange driven by a protocol that does not exist: it has no connection, no bytes on a wire,
 * only the operations of listeners/stream.h. What works here works for HTTP/2 as well. Links and
 * backends are real.
 */
#include "lb/exchange/exchange.h"

#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "lb/base/http1.h"
#include "listeners/client.h"
#include "tests/support/check_main.h"
#include "tests/support/eventually.h"
#include "tests/support/folder.h"
#include "tests/support/port.h"
#include "tests/support/stub_backend.h"
#include "tests/support/text.h"

/* --- the fake protocol --------------------------------------------------------------------- */

struct fake {
    struct stream stream; /* first */
    const char *body;     /* of the request, given in pieces of `piece` bytes */
    size_t piece;
    bool holds_back; /* the client sends nothing for now */
    bool full;       /* the client takes nothing more for now */
    bool fills_up;   /* … after the next write */
    unsigned heads;
    unsigned status;
    struct text answer;
    unsigned writes;
    size_t largest; /* of these, in bytes */
    size_t room;    /* that its socket says it has; 0: it does not say */
    bool ended;
    bool clean;
    unsigned settled;
};

static struct fake *fake_of(struct stream *stream)
{
    return (struct fake *)(void *)stream;
}

static enum stream_read fake_read(struct stream *stream, struct slice *data)
{
    struct fake *fake = fake_of(stream);
    size_t left = strlen(fake->body);
    if (left == 0) {
        return STREAM_END;
    }
    if (fake->holds_back) {
        return STREAM_AGAIN;
    }
    *data = (struct slice){fake->body, left < fake->piece ? left : fake->piece};
    fake->body += data->length;
    stream->request_body_bytes += data->length;
    return STREAM_DATA;
}

static unsigned fake_trailers(struct stream *stream, const struct http_field **fields)
{
    (void)stream;
    *fields = NULL;
    return 0;
}

static enum stream_write took(struct fake *fake, struct slice data)
{
    text_add(&fake->answer, data.at, data.length);
    fake->writes++;
    fake->largest = data.length > fake->largest ? data.length : fake->largest;
    fake->stream.answer_bytes += data.length;
    fake->full = fake->fills_up;
    return fake->full ? STREAM_FULL : STREAM_TAKEN;
}

static enum stream_write fake_write_head(struct stream *stream, const struct stream_head *head,
                                         struct slice body, bool last)
{
    struct fake *fake = fake_of(stream);
    (void)last;
    fake->heads++;
    fake->status = head->status;
    return took(fake, body);
}

static enum stream_write fake_write_body(struct stream *stream, struct slice data, bool last)
{
    (void)last;
    return took(fake_of(stream), data);
}

static enum stream_write fake_write_trailers(struct stream *stream, const struct http_field *fields,
                                             unsigned count)
{
    (void)stream;
    (void)fields;
    (void)count;
    return STREAM_TAKEN;
}

static bool fake_is_full(const struct stream *stream)
{
    return ((const struct fake *)(const void *)stream)->full;
}

static size_t fake_room(const struct stream *stream)
{
    return ((const struct fake *)(const void *)stream)->room;
}

static void fake_finish(struct stream *stream)
{
    (void)stream;
}

static void fake_end(struct stream *stream, bool clean)
{
    struct fake *fake = fake_of(stream);
    ck_assert_msg(!fake->ended, "a stream ends once");
    fake->ended = true;
    fake->clean = clean;
}

static void fake_settle(struct stream *stream)
{
    fake_of(stream)->settled++;
}

static const struct stream_ops fake_ops = {
    .read = fake_read,
    .trailers = fake_trailers,
    .write_head = fake_write_head,
    .write_body = fake_write_body,
    .write_trailers = fake_write_trailers,
    .is_full = fake_is_full,
    .room = fake_room,
    .finish = fake_finish,
    .end = fake_end,
    .settle = fake_settle,
};

/* --- the stage ----------------------------------------------------------------------------- */

struct stage {
    struct folder folder;
    struct stub_backend stubs[2];
    struct config *config;
    uv_loop_t loop;
    struct loop_context *context;
    struct links *links;
    struct exchanges *exchanges;
    struct client client;
    struct http_request request;
    struct fake fake;
    struct roster *roster;
    struct edition *edition;
    struct door door;
};

static void config_of(struct stage *stage, const char *pool_keys)
{
    struct text ini = {0};
    struct problems problems = {0};
    text_add_format(
        &ini,
        "[lb]\naccess_log = off\n[listener web]\naddress = 127.0.0.1:%u\nprotocol = http\n"
        "[rule all]\nlistener = web\nurl = /app\npool = app\n[pool app]\n"
        "health_check = off\n%s\n",
        port_reserve(), pool_keys);
    folder_write(&stage->folder, "lb.ini", ini.bytes);
    stage->config = config_load(folder_file(&stage->folder, "lb.ini"), &problems);
    ck_assert_msg(stage->config != NULL, "%s",
                  problems.count ? problems.items[0].text : "no config");
    problems_done(&problems);
    stage->roster = roster_new();
    ck_assert(config_open(stage->config, stage->roster, &(struct listener_services){0}, NULL));
    text_done(&ini);
}

static void stage_begin(struct stage *stage, stub_serve first, stub_serve second,
                        bool first_refuses)
{
    struct text keys = {0};
    memset(stage, 0, sizeof *stage);
    folder_make(&stage->folder);
    stub_start(&stage->stubs[0], "rs-1", first);
    stub_start(&stage->stubs[1], "rs-2", second);
    unsigned port = first_refuses ? port_reserve() : stage->stubs[0].port;
    text_add_format(&keys, "backend = rs-1 127.0.0.1:%u\nbackend = rs-2 127.0.0.1:%u", port,
                    stage->stubs[1].port);
    config_of(stage, keys.bytes);
    text_done(&keys);
    uv_loop_init(&stage->loop);
    stage->context = calloc(1, sizeof *stage->context);
    loop_context_init(stage->context, &stage->loop);
    stage->links = links_new(stage->context);
    links_retain(stage->links, stage->config->pools, stage->config->pool_count);
    stage->exchanges = calloc(1, sizeof *stage->exchanges);
    exchanges_init(stage->exchanges, stage->context, stage->links, NULL);
    stage->edition = edition_new(stage->config, NULL, NULL);
    stage->door.listener = &stage->config->listeners[0];
    stage->door.hold = &stage->edition->hold;
    stage->client.door = &stage->door;
    strcpy(stage->client.peer_host, "192.0.2.7");
    stage->fake.stream.ops = &fake_ops;
    stage->fake.stream.client = &stage->client;
    stage->fake.stream.protocol = "HTTP/9";
    stage->fake.body = "";
    stage->fake.piece = 1000;
}

static void on_links_closed(void *arg)
{
    (void)arg;
}

static void stage_end(struct stage *stage)
{
    ck_assert_uint_eq(stage->exchanges->count, 0);
    ck_assert_uint_eq(stage->edition->hold.users, 1);
    exchanges_close(stage->exchanges);
    links_close(stage->links, on_links_closed, NULL);
    uv_run(&stage->loop, UV_RUN_NOWAIT);
    loop_context_close(stage->context);
    uv_run(&stage->loop, UV_RUN_DEFAULT);
    ck_assert_uint_eq(stage->context->buffers.lent_count, 0);
    loop_context_done(stage->context);
    free(stage->context);
    free(stage->exchanges);
    edition_free(stage->edition);
    ck_assert_int_eq(uv_loop_close(&stage->loop), 0);
    config_free(stage->config);
    roster_free(stage->roster);
    stub_stop(&stage->stubs[0]);
    stub_stop(&stage->stubs[1]);
    text_done(&stage->fake.answer);
    folder_remove(&stage->folder);
}

static void ask(struct stage *stage, const char *head)
{
    enum http_fault fault;
    ck_assert_int_eq(http_parse_request(&stage->request, head, strlen(head), 32768, &fault),
                     HTTP_COMPLETE);
    exchange_events.begin(stage->exchanges, &stage->fake.stream, &stage->request);
}

/** Turn the loop until the exchange is over; only a failure turns it for long. */
static void turn_until_ended(struct stage *stage)
{
    for (int turns = 0; !stage->fake.ended && turns < 100000; turns++) {
        uv_run(&stage->loop, UV_RUN_ONCE);
    }
    ck_assert(stage->fake.ended);
}

/* --- the backends' parts ------------------------------------------------------------------- */

static void close_at_once(struct stub_link *link)
{
    struct stub_request request;
    stub_read_head(link, &request);
    stub_request_done(&request);
}

static void answer_a_megabyte(struct stub_link *link)
{
    struct stub_request request;
    static char megabyte[1024 * 1024];
    memset(megabyte, 'm', sizeof megabyte);
    if (stub_read(link, &request) &&
        stub_say(link, "HTTP/1.1 200 OK\r\nContent-Length: 1048576\r\n\r\n")) {
        stub_send(link, megabyte, sizeof megabyte);
    }
    stub_request_done(&request);
    stub_wait_for_end(link);
}

static int stage_link_fd(const struct stage *stage)
{
    const struct exchange *exchange = stage->fake.stream.exchange;
    return exchange->errand.link->connection.fd;
}

/* Room for more than lb reads in one wake-up. */
static void widen(int fd)
{
    ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &(int){1024 * 1024}, sizeof(int)), 0);
}

static bool has_queued(int fd, int bytes)
{
    int queued = 0;
    return ioctl(fd, FIONREAD, &queued) == 0 && queued >= bytes;
}

static void say_nothing(struct stub_link *link)
{
    stub_wait_for_end(link);
}

/* --- stories ------------------------------------------------------------------------------- */

START_TEST(an_exchange_serves_a_protocol_it_does_not_know)
{
    struct stage stage;
    stage_begin(&stage, NULL, NULL, false);
    ask(&stage, "GET /app HTTP/1.1\r\nHost: a\r\n\r\n");
    turn_until_ended(&stage);
    ck_assert(stage.fake.clean);
    ck_assert_uint_eq(stage.fake.status, 200);
    ck_assert_ptr_nonnull(strstr(stage.fake.answer.bytes, "rs-1"));
    ck_assert_uint_ge(stage.fake.settled, 1);
    stage_end(&stage);
}
END_TEST

/* Of one POST whose backend closes. */
static unsigned failures_in_row(bool is_blameless)
{
    struct stage stage;
    stage_begin(&stage, close_at_once, NULL, false);
    ask(&stage, "POST /app HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
    struct exchange *exchange = stage.fake.stream.exchange;
    exchange->errand.is_blameless = is_blameless;
    turn_until_ended(&stage);
    ck_assert_uint_eq(stage.fake.status, 502);
    const struct standing *standing = stage.config->pools[0]->backends[0].standing;
    unsigned failures = atomic_load(&standing->failures_in_row);
    stage_end(&stage);
    return failures;
}

START_TEST(what_lb_itself_lacks_is_no_failure_of_the_backend)
{
    ck_assert_uint_eq(failures_in_row(false), 1);
    ck_assert_uint_eq(failures_in_row(true), 0);
}
END_TEST

START_TEST(a_small_answer_comes_in_one_write)
{
    struct stage stage;
    stage_begin(&stage, NULL, NULL, false);
    ask(&stage, "GET /app HTTP/1.1\r\nHost: a\r\n\r\n");
    turn_until_ended(&stage);
    ck_assert_uint_eq(stage.fake.writes, 1);
    stage_end(&stage);
}
END_TEST

START_TEST(a_request_body_is_pulled_and_arrives_whole)
{
    struct stage stage;
    stage_begin(&stage, NULL, NULL, false);
    stage.fake.body = "abcdefghij";
    stage.fake.piece = 3;
    ask(&stage, "POST /app HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n");
    turn_until_ended(&stage);
    ck_assert(stage.fake.clean);
    char *heard = stub_heard(&stage.stubs[0]);
    ck_assert_ptr_nonnull(strstr(heard, "\r\n\r\nabcdefghij"));
    free(heard);
    stage_end(&stage);
}
END_TEST

START_TEST(a_body_that_pauses_goes_on_when_the_client_does)
{
    struct stage stage;
    stage_begin(&stage, NULL, NULL, false);
    stage.fake.body = "abcdefghij";
    stage.fake.holds_back = true;
    ask(&stage, "POST /app HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    while (atomic_load(&stage.stubs[0].connections) == 0) {
        uv_run(&stage.loop, UV_RUN_NOWAIT);
    }
    ck_assert(!stage.fake.ended);
    stage.fake.holds_back = false;
    exchange_events.advance(&stage.fake.stream, CONNECTION_READABLE);
    turn_until_ended(&stage);
    char *heard = stub_heard(&stage.stubs[0]);
    ck_assert_ptr_nonnull(strstr(heard, "a\r\nabcdefghij\r\n0\r\n\r\n"));
    free(heard);
    stage_end(&stage);
}
END_TEST

START_TEST(a_client_that_is_full_is_fed_no_more_until_it_has_room)
{
    struct stage stage;
    stage_begin(&stage, answer_a_megabyte, NULL, false);
    stage.fake.fills_up = true;
    ask(&stage, "GET /app HTTP/1.1\r\nHost: a\r\n\r\n");
    while (stage.fake.writes == 0) {
        uv_run(&stage.loop, UV_RUN_ONCE);
    }
    for (int i = 0; i < 50; i++) {
        uv_run(&stage.loop, UV_RUN_NOWAIT);
    }
    ck_assert_uint_eq(stage.fake.writes, 1);
    ck_assert_uint_le(stage.fake.answer.length, READ_BYTES);
    stage.fake.full = stage.fake.fills_up = false;
    exchange_events.advance(&stage.fake.stream, CONNECTION_WRITABLE);
    turn_until_ended(&stage);
    ck_assert(stage.fake.clean);
    ck_assert_uint_eq(stage.fake.answer.length, 1024 * 1024);
    stage_end(&stage);
}
END_TEST

/* The rest of the megabyte waits in the socket, and this client takes all it is given. */
START_TEST(a_fast_backend_and_a_fast_client_do_not_keep_the_worker_to_themselves)
{
    struct stage stage;
    stage_begin(&stage, answer_a_megabyte, NULL, false);
    stage.fake.fills_up = true;
    ask(&stage, "GET /app HTTP/1.1\r\nHost: a\r\n\r\n");
    while (stage.fake.writes == 0) {
        uv_run(&stage.loop, UV_RUN_ONCE);
    }
    widen(stage_link_fd(&stage));
    eventually(has_queued(stage_link_fd(&stage), 4 * READ_BYTES + 1));
    stage.fake.full = stage.fake.fills_up = false;
    exchange_events.advance(&stage.fake.stream, CONNECTION_WRITABLE);
    while (!stage.fake.ended) { /* nobody calls again: the rest wakes the link */
        unsigned before = stage.fake.writes;
        uv_run(&stage.loop, UV_RUN_ONCE);
        ck_assert_uint_le(stage.fake.writes - before, 4);
    }
    ck_assert_uint_eq(stage.fake.answer.length, 1024 * 1024);
    stage_end(&stage);
}
END_TEST

/* What a client's socket says it has room for, and the largest piece that it is then given. */
static const struct {
    size_t room;
    size_t largest;
} rooms[] = {{0, READ_BYTES},
             {READ_BYTES / 4, READ_BYTES},
             {100 * 1024, 100 * 1024},
             {1024 * 1024, FLOW_BYTES}};

START_TEST(a_body_flows_in_pieces_as_large_as_the_client_has_room_for)
{
    struct stage stage;
    stage_begin(&stage, answer_a_megabyte, NULL, false);
    stage.fake.fills_up = true;
    stage.fake.room = rooms[_i].room;
    ask(&stage, "GET /app HTTP/1.1\r\nHost: a\r\n\r\n");
    while (stage.fake.writes == 0) {
        uv_run(&stage.loop, UV_RUN_ONCE);
    }
    ck_assert_uint_le(stage.fake.largest, READ_BYTES); /* nobody knows yet that it flows */
    widen(stage_link_fd(&stage));
    eventually(has_queued(stage_link_fd(&stage), 2 * FLOW_BYTES));
    stage.fake.full = stage.fake.fills_up = false;
    exchange_events.advance(&stage.fake.stream, CONNECTION_WRITABLE);
    turn_until_ended(&stage);
    ck_assert_uint_eq(stage.fake.largest, rooms[_i].largest);
    ck_assert_uint_eq(stage.fake.answer.length, 1024 * 1024);
    stage_end(&stage);
}
END_TEST

START_TEST(a_backend_that_refuses_is_passed_over_even_for_a_post)
{
    struct stage stage;
    stage_begin(&stage, NULL, NULL, true);
    stage.fake.body = "abc";
    ask(&stage, "POST /app HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n");
    turn_until_ended(&stage);
    ck_assert_uint_eq(stage.fake.status, 200);
    ck_assert_ptr_nonnull(strstr(stage.fake.answer.bytes, "rs-2"));
    stage_end(&stage);
}
END_TEST

START_TEST(a_get_is_tried_again_when_a_backend_dies_a_post_is_not)
{
    struct stage stage;
    stage_begin(&stage, close_at_once, NULL, false);
    ask(&stage, "GET /app HTTP/1.1\r\nHost: a\r\n\r\n");
    turn_until_ended(&stage);
    ck_assert_uint_eq(stage.fake.status, 200);
    ck_assert_ptr_nonnull(strstr(stage.fake.answer.bytes, "rs-2"));
    stage_end(&stage);

    stage_begin(&stage, close_at_once, NULL, false);
    stage.fake.body = "abc";
    ask(&stage, "POST /app HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n");
    turn_until_ended(&stage);
    ck_assert_uint_eq(stage.fake.status, 502);
    ck_assert(stage.fake.clean);
    stage_end(&stage);
}
END_TEST

START_TEST(an_abandoned_stream_is_not_touched_again)
{
    struct stage stage;
    stage_begin(&stage, say_nothing, say_nothing, false);
    ask(&stage, "GET /app HTTP/1.1\r\nHost: a\r\n\r\n");
    while (atomic_load(&stage.stubs[0].connections) == 0) {
        uv_run(&stage.loop, UV_RUN_NOWAIT);
    }
    exchange_events.abandon(&stage.fake.stream, 0, "the client went away");
    ck_assert_ptr_null(stage.fake.stream.exchange);
    ck_assert(!stage.fake.ended);
    uv_run(&stage.loop, UV_RUN_NOWAIT);
    ck_assert_uint_eq(stage.fake.writes, 0);
    stage_end(&stage);
}
END_TEST

START_TEST(a_url_without_a_rule_is_answered_by_lb_itself)
{
    struct stage stage;
    stage_begin(&stage, NULL, NULL, false);
    ask(&stage, "GET /other HTTP/1.1\r\nHost: a\r\n\r\n");
    ck_assert(stage.fake.ended && stage.fake.clean);
    ck_assert_uint_eq(stage.fake.status, 404);
    ck_assert_ptr_nonnull(strstr(stage.fake.answer.bytes, "no-rule"));
    stage_end(&stage);
}
END_TEST

START_TEST(connect_is_no_business_of_a_load_balancer)
{
    struct stage stage;
    stage_begin(&stage, NULL, NULL, false);
    ask(&stage, "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n");
    ck_assert(stage.fake.ended && stage.fake.clean);
    ck_assert_uint_eq(stage.fake.status, 501);
    stage_end(&stage);
}
END_TEST

START_TEST(a_backend_counts_its_exchanges_down_to_none)
{
    struct stage stage;
    stage_begin(&stage, NULL, NULL, false);
    ask(&stage, "GET /app HTTP/1.1\r\nHost: a\r\n\r\n");
    ck_assert_uint_eq(atomic_load(stage.config->pools[0]->backends[0].standing->active), 1);
    turn_until_ended(&stage);
    ck_assert_uint_eq(atomic_load(stage.config->pools[0]->backends[0].standing->active), 0);
    ck_assert_uint_eq(standing_served(stage.config->pools[0]->backends[0].standing), 1);
    stage_end(&stage);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, an_exchange_serves_a_protocol_it_does_not_know);
    tcase_add_test(tcase, what_lb_itself_lacks_is_no_failure_of_the_backend);
    tcase_add_test(tcase, a_small_answer_comes_in_one_write);
    tcase_add_test(tcase, a_request_body_is_pulled_and_arrives_whole);
    tcase_add_test(tcase, a_body_that_pauses_goes_on_when_the_client_does);
    tcase_add_test(tcase, a_client_that_is_full_is_fed_no_more_until_it_has_room);
    tcase_add_test(tcase, a_fast_backend_and_a_fast_client_do_not_keep_the_worker_to_themselves);
    tcase_add_loop_test(tcase, a_body_flows_in_pieces_as_large_as_the_client_has_room_for, 0,
                        sizeof rooms / sizeof rooms[0]);
    tcase_add_test(tcase, a_backend_that_refuses_is_passed_over_even_for_a_post);
    tcase_add_test(tcase, a_get_is_tried_again_when_a_backend_dies_a_post_is_not);
    tcase_add_test(tcase, an_abandoned_stream_is_not_touched_again);
    tcase_add_test(tcase, a_url_without_a_rule_is_answered_by_lb_itself);
    tcase_add_test(tcase, connect_is_no_business_of_a_load_balancer);
    tcase_add_test(tcase, a_backend_counts_its_exchanges_down_to_none);
}

CHECK_MAIN("exchange", add_tests)
