/* SPDX-License-Identifier: Apache-2.0 */
/* Which streams of a client count, of those that nghttp2 knows and those that it does not. */
#include "listeners/http2/http2_client.h"
#include "tests/support/check_main.h"

static char exchange; /* whatever it is */

/* Both sides have finished, and the client did so last. */
static const struct http2_stream waning = {
    .stream = {.exchange = &exchange},
    .body = HTTP2_BODY_ARRIVED,
    .answer = HTTP2_ANSWER_WHOLE,
    .close_code = NGHTTP2_NO_ERROR,
    .is_closed = true,
    .is_tunnel = true,
};

START_TEST(only_a_tunnel_that_both_sides_finished_in_order_has_last_words)
{
    struct http2_stream stream = waning;
    ck_assert(http2_has_last_words(&stream));
    stream.body = HTTP2_BODY_COMPLETE;
    ck_assert(http2_has_last_words(&stream));
    stream.body = HTTP2_BODY_OPEN;
    ck_assert(!http2_has_last_words(&stream));
    stream = waning;
    stream.close_code = NGHTTP2_CANCEL;
    ck_assert(!http2_has_last_words(&stream));
    stream = waning;
    stream.answer = HTTP2_ANSWER_BODY;
    ck_assert(!http2_has_last_words(&stream));
    stream = waning;
    stream.is_tunnel = false;
    ck_assert(!http2_has_last_words(&stream));
    stream = waning;
    stream.is_closed = false;
    ck_assert(!http2_has_last_words(&stream));
    stream = waning;
    stream.stream.exchange = NULL;
    ck_assert(!http2_has_last_words(&stream));
}
END_TEST

static void add(struct http2_client *http2, struct http2_stream *stream)
{
    list_append(&http2->streams, &stream->node);
    http2->stream_count++;
}

START_TEST(streams_that_only_have_last_words_take_room_as_open_ones_do)
{
    static struct http2_stream streams[HTTP2_STREAMS_MOST], gone[HTTP2_STREAMS_MOST];
    struct http2_client http2 = {0};
    list_init(&http2.streams);
    for (unsigned i = 0; i < HTTP2_STREAMS_MOST; i++) {
        ck_assert(http2_has_room(&http2));
        streams[i] = i % 2 == 0 ? waning : (struct http2_stream){0};
        gone[i] = (struct http2_stream){.is_closed = true};
        add(&http2, &streams[i]);
        add(&http2, &gone[i]);
    }
    ck_assert(!http2_has_room(&http2));
    streams[0].close_code = NGHTTP2_CANCEL;
    ck_assert(http2_has_room(&http2));
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, only_a_tunnel_that_both_sides_finished_in_order_has_last_words);
    tcase_add_test(tcase, streams_that_only_have_last_words_take_room_as_open_ones_do);
}

CHECK_MAIN("http2 streams", add_tests)
