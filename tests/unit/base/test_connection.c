/* SPDX-License-Identifier: Apache-2.0 */
/* What is the same for plain and TLS connections, and what only plain ones do. */
#include "lb/base/connection.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lb/base/error.h"
#include "lb/base/socket.h"
#include "tests/support/check_main.h"
#include "tests/support/wired.h"

/* ---- counted system calls: these stand in for libc's ---- */

static int recv_count;
static int send_count;
static int epoll_ctl_count;

ssize_t recv(int fd, void *into, size_t room, int flags)
{
    recv_count++;
    return syscall(SYS_recvfrom, fd, into, room, flags, NULL, NULL);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    send_count++;
    return syscall(SYS_sendmsg, fd, message, flags);
}

ssize_t send(int fd, const void *bytes, size_t length, int flags)
{
    send_count++;
    return syscall(SYS_sendto, fd, bytes, length, flags, NULL, 0);
}

int epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event)
{
    epoll_ctl_count++;
    return (int)syscall(SYS_epoll_ctl, epoll, operation, fd, event);
}

static void forget_calls(void)
{
    recv_count = send_count = epoll_ctl_count = 0;
}

/* ---- helpers ---- */

static const int versions[] = {0, TLS1_2_VERSION, TLS1_3_VERSION}; /* 0: plain */
enum { VERSION_COUNT = sizeof versions / sizeof versions[0] };

static enum io say(struct connection *connection, const void *bytes, size_t length)
{
    struct iovec piece = {(void *)(uintptr_t)bytes, length};
    return connection_write(connection, &piece, 1);
}

static char byte_at(size_t position)
{
    return (char)(position * 31 + position / 251 + position / 65537);
}

static void fill(char *bytes, size_t from, size_t length)
{
    for (size_t i = 0; i < length; i++)
        bytes[i] = byte_at(from + i);
}

static bool is_from(const char *bytes, size_t from, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (bytes[i] != byte_at(from + i))
            return false;
    }
    return true;
}

/* ---- both ways, megabytes, slow peers ---- */

static size_t most_pending;

/* Send back what comes, and read no more while anything waits to be sent. */
static void echo(struct wired *wired, int events)
{
    struct connection *connection = &wired->connection;
    if (events & CONNECTION_WRITABLE)
        connection_flush(connection);
    for (;;) {
        size_t got = 0;
        if (connection_pending(connection) > most_pending)
            most_pending = connection_pending(connection);
        if (connection_pending(connection) > 0) {
            connection_want_read(connection, false);
            return;
        }
        switch (connection_read(connection, wired->context.plain, READ_BYTES, &got)) {
        case IO_DONE:
            ck_assert_int_ne(say(connection, wired->context.plain, got), IO_FAILED);
            break;
        case IO_AGAIN:
            connection_want_read(connection, true);
            return;
        case IO_END:
            connection_finish(connection);
            return;
        case IO_FAILED:
            ck_abort_msg("%s", connection_failure(connection));
        }
    }
}

enum { ECHO_BYTES = 3 * 1024 * 1024, ECHO_PIECE_BYTES = 50000 };

/* The peer writes as fast as it can and reads slowly: our side must hold back, not grow. */
static void echo_through(struct wired *wired)
{
    static char piece[ECHO_PIECE_BYTES];
    size_t sent = 0;
    size_t got = 0;
    int room = 256 * 1024; /* so that a slow reader is felt; above the loopback's segments */
    setsockopt(wired->connection.fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    setsockopt(wired->peer_fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    wired->on_ready = echo;
    most_pending = 0;
    long long until_ms = eventually_now_ms() + EVENTUALLY_MS;
    for (size_t step = 0; got < ECHO_BYTES; step++) {
        size_t left = ECHO_BYTES - sent;
        size_t length = 1 + sent * 7919 % ECHO_PIECE_BYTES; /* the same when it is tried again */
        fill(piece, sent, length < left ? length : left);
        ssize_t moved =
            left > 0 ? wired_peer_write(wired, piece, length < left ? length : left) : 0;
        ck_assert_int_ge(moved, 0);
        sent += (size_t)moved;
        wired_turn(wired);
        moved = wired_peer_read(wired, piece, 1 + step * 127 % 9000);
        ck_assert_int_ge(moved, 0);
        ck_assert(is_from(piece, got, (size_t)moved));
        got += (size_t)moved;
        ck_assert_msg(eventually_now_ms() < until_ms, "%zu of %d bytes came", got, ECHO_BYTES);
    }
}

START_TEST(megabytes_go_both_ways_unharmed_past_a_slow_peer)
{
    struct wired wired;
    wired_open_tls(&wired, _i >= VERSION_COUNT, versions[_i % VERSION_COUNT]);
    echo_through(&wired);
    ck_assert_uint_gt(most_pending, 0); /* it did have to hold back */
    ck_assert_uint_lt(most_pending, READ_BYTES + 2048);
    wired_turn(&wired);
    ck_assert_msg(wired.context.buffers.lent_count == 0, "an idle connection owns a buffer");
    wired_close(&wired);
}
END_TEST

/* ---- system calls ---- */

START_TEST(a_small_request_costs_one_recv_and_one_send)
{
    struct wired wired;
    char text[64];
    wired_open_tls(&wired, true, versions[_i]);
    wired.on_ready = echo;
    wired_turn(&wired); /* registers the descriptor */
    for (int i = 0; i < 3; i++) {
        wired_peer_send(&wired, "GET / HTTP/1.1", 14);
        forget_calls();
        wired.ready_count = 0;
        wired_until(&wired, send_count > 0);
        ck_assert_int_eq(recv_count, 1);
        ck_assert_int_eq(send_count, 1);
        ck_assert_int_eq(epoll_ctl_count, 0);
        ck_assert_uint_eq(wired.ready_count, 1);
        ck_assert_uint_eq(wired.context.buffers.lent_count, 0);
        wired_peer_receive(&wired, text, 14);
        ck_assert_mem_eq(text, "GET / HTTP/1.1", 14);
    }
    wired_close(&wired);
}
END_TEST

START_TEST(a_write_is_one_send_however_many_pieces_it_has)
{
    static char body[40000];
    static char got[sizeof body + 9];
    struct wired wired;
    wired_open_tls(&wired, true, versions[_i]);
    fill(body, 0, sizeof body);
    struct iovec pieces[] = {
        {"head", 4}, {NULL, 0}, {body, 1}, {body + 1, sizeof body - 1}, {"tail!", 5}};
    forget_calls();
    ck_assert_int_eq(connection_write(&wired.connection, pieces, 5), IO_DONE);
    ck_assert_int_eq(send_count, 1);
    ck_assert_uint_eq(wired.context.buffers.lent_count, 0);
    wired_peer_receive(&wired, got, sizeof got);
    ck_assert_mem_eq(got, "head", 4);
    ck_assert(is_from(got + 4, 0, sizeof body));
    ck_assert_mem_eq(got + 4 + sizeof body, "tail!", 5);
    wired_close(&wired);
}
END_TEST

START_TEST(nothing_is_read_before_the_first_wake_up_nor_twice_after_a_short_read)
{
    struct wired wired;
    char text[64];
    size_t got = 0;
    wired_open(&wired, true);
    wired_peer_send(&wired, "hello", 5);
    forget_calls();
    ck_assert_int_eq(connection_read(&wired.connection, text, sizeof text, &got), IO_AGAIN);
    ck_assert_int_eq(recv_count, 0);
    wired_until(&wired, wired.ready_count > 0);
    ck_assert_int_eq(wired.events, CONNECTION_READABLE);
    ck_assert_int_eq(connection_read(&wired.connection, text, sizeof text, &got), IO_DONE);
    ck_assert_uint_eq(got, 5);
    ck_assert_int_eq(connection_read(&wired.connection, text, sizeof text, &got), IO_AGAIN);
    ck_assert_uint_eq(got, 0);
    ck_assert_int_eq(recv_count, 1);
    wired_close(&wired);
}
END_TEST

START_TEST(a_full_read_may_be_followed_by_another_at_once)
{
    struct wired wired;
    char text[3];
    size_t got = 0;
    wired_open(&wired, true);
    wired_peer_send(&wired, "hello", 5);
    wired_until(&wired, wired.ready_count > 0);
    ck_assert_int_eq(connection_read(&wired.connection, text, 3, &got), IO_DONE);
    ck_assert_int_eq(connection_read(&wired.connection, text, 3, &got), IO_DONE);
    ck_assert_uint_eq(got, 2);
    ck_assert(!connection_has_unread(&wired.connection));
    wired_close(&wired);
}
END_TEST

/* ---- back-pressure and interest ---- */

/* Write until the socket is full; how many bytes were taken. */
static size_t stuff(struct wired *wired)
{
    static char bytes[16384];
    size_t total = 0;
    enum io outcome = IO_DONE;
    for (; outcome == IO_DONE; total += sizeof bytes) {
        fill(bytes, total, sizeof bytes);
        outcome = say(&wired->connection, bytes, sizeof bytes);
    }
    ck_assert_int_eq(outcome, IO_AGAIN);
    ck_assert_uint_gt(connection_pending(&wired->connection), 0);
    return total;
}

static void flush(struct wired *wired, int events)
{
    if (events & CONNECTION_WRITABLE)
        ck_assert_int_ne(connection_flush(&wired->connection), IO_FAILED);
}

START_TEST(writing_is_waited_for_only_while_something_is_pending)
{
    struct wired wired;
    wired_open_tls(&wired, false, versions[_i]);
    ck_assert_int_eq(wired.connection.interest, UV_READABLE);
    size_t total = stuff(&wired);
    ck_assert_int_eq(wired.connection.interest, UV_READABLE | UV_WRITABLE);
    char *got = malloc(total);
    wired.on_ready = flush;
    wired_peer_receive(&wired, got, total);
    ck_assert(is_from(got, 0, total));
    wired_until(&wired, connection_pending(&wired.connection) == 0);
    ck_assert_int_eq(wired.connection.interest, UV_READABLE);
    ck_assert_uint_eq(wired.context.buffers.lent_count, 0);
    free(got);
    wired_close(&wired);
}
END_TEST

START_TEST(a_socket_tells_how_much_it_would_take)
{
    static char bytes[16384];
    struct wired wired;
    wired_open(&wired, true);
    size_t room = connection_room(&wired.connection);
    ck_assert_uint_gt(room, 0);
    ck_assert_int_eq(say(&wired.connection, bytes, room < sizeof bytes ? room : sizeof bytes),
                     IO_DONE);
    stuff(&wired);
    ck_assert_uint_eq(connection_room(&wired.connection), 0);
    wired_close(&wired);
}
END_TEST

static size_t largest_got;

static void read_at_large(struct wired *wired, int events)
{
    size_t got = 0;
    if (events & CONNECTION_READABLE)
        connection_read(&wired->connection, wired->context.plain, FLOW_BYTES + RECORD_BYTES, &got);
    largest_got = got > largest_got ? got : largest_got;
    ck_assert(!connection_has_unread(&wired->connection)); /* nothing had to be copied */
}

START_TEST(a_read_with_room_to_spare_leaves_nothing_behind)
{
    static char bytes[4 * RECORD_BYTES + 1000];
    struct wired wired;
    int wide = 1024 * 1024;
    wired_open_tls(&wired, true, versions[_i]);
    setsockopt(wired.connection.fd, SOL_SOCKET, SO_RCVBUF, &wide, sizeof wide);
    wired.on_ready = read_at_large;
    largest_got = 0;
    for (int i = 0; i < 40; i++) {
        ssize_t moved = wired_peer_write(&wired, bytes, sizeof bytes);
        ck_assert_int_ge(moved, 0);
        if (i % 8 == 7) /* so that much is there, and records cut in two */
            wired_turn(&wired);
    }
    wired_until(&wired, largest_got > READ_BYTES);
    wired_close(&wired);
}
END_TEST

START_TEST(what_is_taken_while_blocked_is_bounded_and_costs_no_send)
{
    static char bytes[READ_BYTES];
    struct wired wired;
    wired_open_tls(&wired, false, versions[_i]);
    stuff(&wired);
    forget_calls();
    enum io outcome;
    while ((outcome = say(&wired.connection, bytes, sizeof bytes)) == IO_AGAIN)
        ck_assert_uint_le(connection_pending(&wired.connection),
                          WRITE_PENDING_MOST_BYTES + WRITE_PENDING_MOST_BYTES / 8);
    ck_assert_int_eq(outcome, IO_FAILED);
    ck_assert_int_eq(send_count, 0);
    ck_assert_int_eq(wired.connection.failure, ENOBUFS);
    ck_assert_str_eq(connection_failure(&wired.connection), "no buffer space available");
    ck_assert_int_eq(say(&wired.connection, "x", 1), IO_FAILED);
    ck_assert_int_eq(connection_flush(&wired.connection), IO_FAILED);
    wired_close(&wired);
}
END_TEST

START_TEST(more_pieces_than_allowed_fail)
{
    struct wired wired;
    struct iovec pieces[CONNECTION_PIECES_MOST + 1] = {{"x", 1}};
    wired_open(&wired, false);
    ck_assert_int_eq(connection_write(&wired.connection, pieces, CONNECTION_PIECES_MOST + 1),
                     IO_FAILED);
    ck_assert_int_eq(wired.connection.failure, EMSGSIZE);
    wired_close(&wired);
}
END_TEST

START_TEST(who_does_not_want_to_read_is_not_woken)
{
    struct wired wired;
    wired_open(&wired, true);
    connection_want_read(&wired.connection, false);
    wired_peer_send(&wired, "hello", 5);
    for (int i = 0; i < 20; i++)
        wired_turn(&wired);
    ck_assert_uint_eq(wired.ready_count, 0);
    connection_want_read(&wired.connection, true);
    forget_calls();
    connection_want_read(&wired.connection, true);
    ck_assert_int_eq(epoll_ctl_count, 0);
    wired_until(&wired, wired.ready_count > 0);
    ck_assert_int_eq(wired.events, CONNECTION_READABLE);
    wired_close(&wired);
}
END_TEST

/* ---- ends ---- */

START_TEST(a_half_closed_peer_still_gets_its_answer)
{
    struct wired wired;
    char text[64];
    size_t got = 0;
    wired_open_tls(&wired, true, versions[_i]);
    wired_peer_send(&wired, "question", 8);
    shutdown(wired.peer_fd, SHUT_WR);
    wired_until(&wired, wired.ready_count > 0);
    ck_assert_int_eq(connection_read(&wired.connection, text, sizeof text, &got), IO_DONE);
    ck_assert_mem_eq(text, "question", 8);
    enum io outcome = IO_AGAIN;
    wired_until(&wired, (outcome = connection_read(&wired.connection, text, sizeof text, &got)) !=
                            IO_AGAIN);
    ck_assert_int_eq(outcome, IO_END);
    /* TLS: a bare FIN may have been forged by anyone. */
    ck_assert_int_eq(wired.connection.truncated, versions[_i] != 0);
    wired.ready_count = 0;
    for (int i = 0; i < 20; i++)
        wired_turn(&wired);
    ck_assert_msg(wired.ready_count == 0, "an end must not wake for ever");
    ck_assert_int_eq(say(&wired.connection, "answer", 6), IO_DONE);
    ck_assert_int_eq(connection_finish(&wired.connection), IO_DONE);
    wired_peer_receive(&wired, text, 6);
    ck_assert_mem_eq(text, "answer", 6);
    ssize_t end = PEER_AGAIN;
    wired_until(&wired, (end = wired_peer_read(&wired, text, sizeof text)) != PEER_AGAIN);
    ck_assert_int_eq(end, PEER_END);
    wired_close(&wired);
}
END_TEST

START_TEST(finishing_while_blocked_happens_behind_the_last_byte)
{
    struct wired wired;
    char end;
    wired_open_tls(&wired, false, versions[_i]);
    size_t total = stuff(&wired);
    ck_assert_int_eq(connection_finish(&wired.connection), IO_AGAIN);
    ck_assert_int_eq(connection_finish(&wired.connection), IO_AGAIN);
    wired.on_ready = flush;
    char *got = malloc(total);
    wired_peer_receive(&wired, got, total);
    ck_assert(is_from(got, 0, total));
    ssize_t moved = PEER_AGAIN;
    wired_until(&wired, (moved = wired_peer_read(&wired, &end, 1)) != PEER_AGAIN);
    ck_assert_int_eq(moved, PEER_END);
    ck_assert(wired.connection.finished);
    ck_assert_int_eq(say(&wired.connection, "late", 4), IO_FAILED);
    free(got);
    wired_close(&wired);
}
END_TEST

START_TEST(writing_to_a_closed_peer_raises_no_signal)
{
    struct wired wired;
    wired_open_tls(&wired, false, versions[_i]);
    signal(SIGPIPE, SIG_DFL);
    wired_peer_leave(&wired, false);
    ck_assert_int_eq(say(&wired.connection, "x", 1), IO_FAILED);
    ck_assert_str_eq(connection_failure(&wired.connection), "broken pipe");
    SSL_free(wired.peer);
    wired.peer = NULL;
    wired_close(&wired);
}
END_TEST

START_TEST(a_reset_fails_with_words)
{
    struct wired wired;
    char text[64];
    size_t got = 0;
    wired_open_tls(&wired, true, versions[_i]);
    wired_peer_leave(&wired, true);
    wired_until(&wired, wired.ready_count > 0);
    ck_assert_int_eq(connection_read(&wired.connection, text, sizeof text, &got), IO_FAILED);
    ck_assert_str_eq(connection_failure(&wired.connection), "connection reset by peer");
    ck_assert_int_eq(say(&wired.connection, "x", 1), IO_FAILED);
    ck_assert_int_eq(connection_flush(&wired.connection), IO_FAILED);
    ck_assert_str_eq(connection_failure(&wired.connection), "connection reset by peer");
    wired_close(&wired);
}
END_TEST

START_TEST(a_failed_write_does_not_hide_what_the_peer_said_before)
{
    struct wired wired;
    char text[64];
    size_t got = 0;
    wired_open_tls(&wired, true, versions[_i]);
    wired_peer_send(&wired, "413 too large", 13);
    wired_peer_leave(&wired, true);
    enum io outcome = IO_DONE;
    wired_until(&wired, (outcome = say(&wired.connection, "body", 4)) == IO_FAILED);
    wired_until(&wired, wired.ready_count > 0);
    ck_assert_int_eq(connection_read(&wired.connection, text, sizeof text, &got), IO_DONE);
    ck_assert_uint_eq(got, 13);
    wired_until(&wired, (outcome = connection_read(&wired.connection, text, sizeof text, &got)) !=
                            IO_AGAIN);
    ck_assert_msg(outcome == IO_FAILED, "a reset must not pass for a clean end");
    wired_close(&wired);
}
END_TEST

static void read_all(struct wired *wired, int events)
{
    (void)events;
    size_t got = 0;
    while ((wired->shaken = connection_read(&wired->connection, wired->context.plain, READ_BYTES,
                                            &got)) == IO_DONE) {
    }
}

/* libuv stops watching at the first error; the owner, who first meets bytes, must be woken again.
 */
START_TEST(a_reset_behind_unread_bytes_is_not_lost)
{
    struct wired wired;
    wired_open_tls(&wired, true, versions[_i]);
    wired_peer_send(&wired, "half an answer", 14);
    wired_peer_leave(&wired, true);
    wired.on_ready = read_all;
    wired.shaken = IO_AGAIN;
    wired_until(&wired, wired.shaken != IO_AGAIN);
    ck_assert_int_eq(wired.shaken, IO_FAILED);
    ck_assert_str_eq(connection_failure(&wired.connection), "connection reset by peer");
    wired_close(&wired);
}
END_TEST

/* ---- life ---- */

static void close_inside(struct wired *wired, int events)
{
    (void)events;
    wired_end(wired);
}

START_TEST(it_may_be_closed_inside_its_own_wake_up)
{
    struct wired wired;
    wired_open_tls(&wired, true, versions[_i]);
    wired.on_ready = close_inside;
    wired_peer_send(&wired, "hello", 5);
    wired_until(&wired, wired.closed);
    ck_assert_int_eq(wired.connection.fd, -1);
    wired_close(&wired);
}
END_TEST

START_TEST(a_descriptor_that_cannot_be_watched_is_refused_and_closed)
{
    struct wired wired;
    struct connection other;
    struct error err = {""};
    wired_open(&wired, false);
    int file = dup(STDIN_FILENO);
    int regular = memfd_create("regular", MFD_CLOEXEC);
    close(file);
    ck_assert(!connection_open(&other, &wired.context, regular, NULL, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "cannot be watched"));
    ck_assert_int_eq(fcntl(regular, F_GETFD), -1);
    wired_close(&wired);
}
END_TEST

/* ---- connecting ---- */

struct connecting {
    struct connection connection;
    int events;
    bool closed;
};

static void on_decided(struct connection *connection, int events)
{
    LIST_OWNER(connection, struct connecting, connection)->events |= events;
    connection_want_read(connection, false);
    if (events & CONNECTION_WRITABLE)
        connection_flush(connection);
}

static void on_connecting_closed(struct connection *connection)
{
    LIST_OWNER(connection, struct connecting, connection)->closed = true;
}

static int listen_somewhere(struct address *address)
{
    struct sockaddr_storage name;
    socklen_t length = sizeof name;
    ck_assert(address_parse(address, "127.0.0.1:0", NULL));
    int listening = socket_listen(address, 4, NULL);
    ck_assert_int_eq(getsockname(listening, (struct sockaddr *)&name, &length), 0);
    address_set(address, (struct sockaddr *)&name, length);
    return listening;
}

START_TEST(a_connect_is_waited_for_and_decided)
{
    struct wired wired;
    struct connecting connecting = {0};
    struct address address;
    bool accepted = _i == 0;
    wired_open(&wired, false);
    int listening = listen_somewhere(&address);
    if (!accepted)
        close(listening);
    int fd = socket_connect(&address);
    ck_assert_int_ge(fd, 0);
    ck_assert(connection_open(&connecting.connection, &wired.context, fd, on_decided, NULL));
    connection_await_writable(&connecting.connection);
    wired_until(&wired, connecting.events & CONNECTION_WRITABLE);
    ck_assert_int_eq(socket_connect_result(fd), accepted ? 0 : ECONNREFUSED);
    ck_assert_int_eq(connecting.connection.interest, 0);
    connection_close(&connecting.connection, on_connecting_closed);
    wired_until(&wired, connecting.closed);
    if (accepted)
        close(listening);
    wired_close(&wired);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, megabytes_go_both_ways_unharmed_past_a_slow_peer, 0,
                        2 * VERSION_COUNT);
    tcase_add_loop_test(tcase, a_small_request_costs_one_recv_and_one_send, 0, VERSION_COUNT);
    tcase_add_loop_test(tcase, a_write_is_one_send_however_many_pieces_it_has, 0, VERSION_COUNT);
    tcase_add_test(tcase, nothing_is_read_before_the_first_wake_up_nor_twice_after_a_short_read);
    tcase_add_test(tcase, a_full_read_may_be_followed_by_another_at_once);
    tcase_add_loop_test(tcase, writing_is_waited_for_only_while_something_is_pending, 0,
                        VERSION_COUNT);
    tcase_add_test(tcase, a_socket_tells_how_much_it_would_take);
    tcase_add_loop_test(tcase, a_read_with_room_to_spare_leaves_nothing_behind, 0, VERSION_COUNT);
    tcase_add_loop_test(tcase, what_is_taken_while_blocked_is_bounded_and_costs_no_send, 0,
                        VERSION_COUNT);
    tcase_add_test(tcase, more_pieces_than_allowed_fail);
    tcase_add_test(tcase, who_does_not_want_to_read_is_not_woken);
    tcase_add_loop_test(tcase, a_half_closed_peer_still_gets_its_answer, 0, VERSION_COUNT);
    tcase_add_loop_test(tcase, finishing_while_blocked_happens_behind_the_last_byte, 0,
                        VERSION_COUNT);
    tcase_add_loop_test(tcase, writing_to_a_closed_peer_raises_no_signal, 0, VERSION_COUNT);
    tcase_add_loop_test(tcase, a_reset_fails_with_words, 0, VERSION_COUNT);
    tcase_add_loop_test(tcase, a_failed_write_does_not_hide_what_the_peer_said_before, 0,
                        VERSION_COUNT);
    tcase_add_loop_test(tcase, a_reset_behind_unread_bytes_is_not_lost, 0, VERSION_COUNT);
    tcase_add_loop_test(tcase, it_may_be_closed_inside_its_own_wake_up, 0, VERSION_COUNT);
    tcase_add_test(tcase, a_descriptor_that_cannot_be_watched_is_refused_and_closed);
    tcase_add_loop_test(tcase, a_connect_is_waited_for_and_decided, 0, 2);
}

CHECK_MAIN("connection", add_tests)
