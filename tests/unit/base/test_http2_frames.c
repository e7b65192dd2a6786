/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/base/http2_frames.h"

#include "tests/support/check_main.h"
#include "tests/support/wired.h"

enum { HEAD_BYTES = 9, PING_BYTES = 17, PREFACE_BYTES = 24, ROOM = 1000 };

static char room[ROOM];
static struct http2_frames frames;
static struct wired wired;
static nghttp2_session *session;
static bool fails;

static void begin(size_t room_bytes)
{
    memset(room, '.', sizeof room);
    frames = (struct http2_frames){.bytes = room, .room = room_bytes};
}

static ssize_t on_frame(nghttp2_session *of, const uint8_t *bytes, size_t length, int flags,
                        void *user)
{
    (void)of, (void)flags;
    return fails ? NGHTTP2_ERR_CALLBACK_FAILURE : http2_frames_put(user, bytes, length);
}

static nghttp2_session *session_new(void)
{
    nghttp2_session_callbacks *callbacks;
    nghttp2_session *made;
    ck_assert_int_eq(nghttp2_session_callbacks_new(&callbacks), 0);
    nghttp2_session_callbacks_set_send_callback(callbacks, on_frame);
    ck_assert_int_eq(nghttp2_session_client_new(&made, callbacks, &frames), 0);
    nghttp2_session_callbacks_del(callbacks);
    return made;
}

static void ping(nghttp2_session *who, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        uint8_t number[8] = {(uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i};
        ck_assert_int_eq(nghttp2_submit_ping(who, NGHTTP2_FLAG_NONE, number), 0);
    }
}

static enum http2_frames_outcome send_all(void)
{
    return http2_frames_send(&frames, session, &wired.connection);
}

/* The preface and `count` pings came, in their order, and nothing else. */
static void expect_pings(unsigned count)
{
    size_t length = PREFACE_BYTES + (size_t)count * PING_BYTES;
    uint8_t *got = malloc(length);
    ck_assert_ptr_nonnull(got);
    wired_peer_receive(&wired, got, length);
    ck_assert_mem_eq(got, NGHTTP2_CLIENT_MAGIC, PREFACE_BYTES);
    for (unsigned i = 0; i < count; i++) {
        const uint8_t *frame = got + PREFACE_BYTES + (size_t)i * PING_BYTES;
        ck_assert_uint_eq(frame[3], NGHTTP2_PING);
        ck_assert_uint_eq((unsigned)frame[9] << 16 | (unsigned)frame[10] << 8 | frame[11], i);
    }
    free(got);
    ck_assert_int_eq(wired_peer_read(&wired, room, sizeof room), PEER_AGAIN);
}

static void set_up(void)
{
    begin(ROOM);
    fails = false;
    wired_open(&wired, false);
    session = session_new();
}

static void tear_down(void)
{
    nghttp2_session_del(session);
    wired_close(&wired);
}

/* ---- gathering ---- */

START_TEST(frames_join_one_behind_another)
{
    begin(10);
    ck_assert_int_eq(http2_frames_put(&frames, (const uint8_t *)"abc", 3), 3);
    ck_assert_int_eq(http2_frames_put(&frames, (const uint8_t *)"defghij", 7), 7);
    ck_assert_mem_eq(room, "abcdefghij.", 11);
    ck_assert_uint_eq(frames.used, 10);
}
END_TEST

START_TEST(a_frame_without_room_changes_nothing)
{
    begin(10);
    ck_assert_int_eq(http2_frames_put(&frames, (const uint8_t *)"abc", 3), 3);
    ck_assert_int_eq(http2_frames_put(&frames, (const uint8_t *)"12345678", 8),
                     NGHTTP2_ERR_WOULDBLOCK);
    ck_assert_mem_eq(room, "abc.", 4);
    ck_assert_uint_eq(frames.used, 3);
}
END_TEST

START_TEST(data_gets_its_place_behind_its_head)
{
    begin(HEAD_BYTES + 4);
    char *into = http2_frames_put_data(&frames, (const uint8_t *)"123456789", 4);
    ck_assert_ptr_eq(into, room + HEAD_BYTES);
    ck_assert_mem_eq(room, "123456789.", HEAD_BYTES + 1);
    ck_assert_uint_eq(frames.used, HEAD_BYTES + 4);
}
END_TEST

START_TEST(data_may_be_empty)
{
    begin(HEAD_BYTES);
    ck_assert_ptr_nonnull(http2_frames_put_data(&frames, (const uint8_t *)"123456789", 0));
    ck_assert_uint_eq(frames.used, HEAD_BYTES);
}
END_TEST

START_TEST(data_without_room_changes_nothing)
{
    begin(HEAD_BYTES + 4);
    ck_assert_ptr_null(http2_frames_put_data(&frames, (const uint8_t *)"123456789", 5));
    ck_assert_uint_eq(frames.used, 0);
    ck_assert_mem_eq(room, "..........", 10);
}
END_TEST

/* ---- sending ---- */

START_TEST(more_than_the_room_is_sent_in_turns)
{
    enum { COUNT = 5 * ROOM / PING_BYTES };
    ping(session, COUNT);
    ck_assert_int_eq(send_all(), HTTP2_FRAMES_SENT);
    expect_pings(COUNT);
    ck_assert_int_eq(nghttp2_session_want_write(session), 0);
}
END_TEST

START_TEST(a_session_with_nothing_to_say_sends_nothing)
{
    ck_assert_int_eq(send_all(), HTTP2_FRAMES_SENT);
    expect_pings(0); /* the preface alone */
    ck_assert_int_eq(send_all(), HTTP2_FRAMES_SENT);
    ck_assert_int_eq(wired_peer_read(&wired, room, sizeof room), PEER_AGAIN);
}
END_TEST

/* What does not fit the socket stays where it is cheap: with nghttp2, but for one room's worth. */
START_TEST(a_full_socket_leaves_the_rest_with_the_session)
{
    enum { COUNT = 40000 };
    ping(session, COUNT);
    ck_assert_int_eq(send_all(), HTTP2_FRAMES_SENT);
    ck_assert_uint_gt(connection_pending(&wired.connection), 0);
    ck_assert_uint_le(connection_pending(&wired.connection), ROOM);
    ck_assert_int_ne(nghttp2_session_want_write(session), 0);
}
END_TEST

START_TEST(a_broken_connection_is_told)
{
    wired_peer_leave(&wired, true);
    ping(session, 1);
    ck_assert_int_eq(send_all(), HTTP2_FRAMES_FAILED);
}
END_TEST

START_TEST(a_session_that_cannot_go_on_is_told)
{
    ping(session, 1);
    fails = true;
    ck_assert_int_eq(send_all(), HTTP2_FRAMES_NO_MEMORY);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, frames_join_one_behind_another);
    tcase_add_test(tcase, a_frame_without_room_changes_nothing);
    tcase_add_test(tcase, data_gets_its_place_behind_its_head);
    tcase_add_test(tcase, data_may_be_empty);
    tcase_add_test(tcase, data_without_room_changes_nothing);
    tcase_add_test(tcase, more_than_the_room_is_sent_in_turns);
    tcase_add_test(tcase, a_session_with_nothing_to_say_sends_nothing);
    tcase_add_test(tcase, a_full_socket_leaves_the_rest_with_the_session);
    tcase_add_test(tcase, a_broken_connection_is_told);
    tcase_add_test(tcase, a_session_that_cannot_go_on_is_told);
}

CHECK_MAIN("http2_frames", add_tests)
