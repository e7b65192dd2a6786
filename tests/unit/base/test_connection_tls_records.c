/* SPDX-License-Identifier: Apache-2.0 */
/* Records however they are cut and joined on their way: SSL reads ahead, and no byte that it holds
 * may wait for a wake-up that does not come. */
#include <openssl/ssl.h>
#include <string.h>
#include <sys/socket.h>

#include "lb/base/connection.h"
#include "tests/support/check_main.h"
#include "tests/support/wired.h"

static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
enum { VERSION_COUNT = sizeof versions / sizeof versions[0] };

/* ---- the peer encrypts into memory, the test sends it in the pieces it likes ---- */

struct wire {
    struct wired wired;
    BIO *kept;
    char bytes[128 * 1024];
    size_t length;
    char text[128 * 1024]; /* what our side has read */
    size_t got;
};

static void wire_keep(struct wire *wire)
{
    wire->kept = BIO_new(BIO_s_mem());
    BIO_up_ref(wire->kept);
    SSL_set0_wbio(wire->wired.peer, wire->kept);
}

static void wire_open(struct wire *wire, int version)
{
    wire->length = wire->got = 0;
    wired_open_tls(&wire->wired, true, version);
    wire_keep(wire);
}

static void wire_close(struct wire *wire)
{
    BIO_free(wire->kept);
    wired_close(&wire->wired);
}

/* What the peer has encrypted until now goes behind what is to be sent. */
static void wire_gather(struct wire *wire)
{
    int length =
        BIO_read(wire->kept, wire->bytes + wire->length, (int)(sizeof wire->bytes - wire->length));
    wire->length += length > 0 ? (size_t)length : 0;
}

static void wire_write(struct wire *wire, const char *text, size_t length)
{
    ck_assert_int_eq(SSL_write(wire->wired.peer, text, (int)length), (int)length);
    wire_gather(wire);
}

static void wire_send(struct wire *wire, size_t from, size_t until)
{
    if (from == until)
        return;
    wire->wired.ready_count = 0;
    ck_assert_int_eq(send(wire->wired.peer_fd, wire->bytes + from, until - from, MSG_NOSIGNAL),
                     (ssize_t)(until - from));
    wired_until(&wire->wired, wire->wired.ready_count > 0);
}

/* Read as an owner does: until IO_AGAIN, an end or a failure; the loop's bytes are others' between
 * the calls. */
static enum io wire_read_all(struct wire *wire, size_t room)
{
    struct connection *connection = &wire->wired.connection;
    for (;;) {
        size_t got = 0;
        enum io outcome = connection_read(connection, wire->text + wire->got, room, &got);
        memset(wire->wired.context.cipher, '!', sizeof wire->wired.context.cipher);
        wire->got += got;
        if (outcome != IO_DONE)
            return outcome;
    }
}

/* The same, but the owner reads on only where connection_has_unread says so. */
static void wire_read_unread(struct wire *wire, size_t room)
{
    struct connection *connection = &wire->wired.connection;
    do {
        size_t got = 0;
        connection_read(connection, wire->text + wire->got, room, &got);
        memset(wire->wired.context.cipher, '!', sizeof wire->wired.context.cipher);
        wire->got += got;
    } while (connection_has_unread(connection));
}

static void expect_text(const struct wire *wire, const char *text, size_t length)
{
    ck_assert_uint_eq(wire->got, length);
    ck_assert_mem_eq(wire->text, text, length);
}

/* ---- cut anywhere ---- */

/* Two records in two segments, cut at each byte: first all of the first segment comes out, then all
 * of the second. */
START_TEST(records_may_be_cut_at_every_byte)
{
    static struct wire wire;
    wire_open(&wire, versions[_i]);
    size_t first = 0;
    size_t length = 0;
    for (size_t cut = 1; length == 0 || cut < length; cut++) {
        wire.length = wire.got = 0;
        wire_write(&wire, "hello", 5);
        first = wire.length;
        wire_write(&wire, "wide world", 10);
        length = wire.length;
        wire_send(&wire, 0, cut);
        ck_assert_int_eq(wire_read_all(&wire, 3), IO_AGAIN);
        expect_text(&wire, "hello", cut < first ? 0 : 5);
        ck_assert(!connection_has_unread(&wire.wired.connection));
        ck_assert_uint_eq(wire.wired.context.buffers.lent_count, 0);
        wire_send(&wire, cut, length);
        ck_assert_int_eq(wire_read_all(&wire, 64), IO_AGAIN);
        expect_text(&wire, "hellowide world", 15);
        ck_assert(!connection_has_unread(&wire.wired.connection));
    }
    wire_close(&wire);
}
END_TEST

START_TEST(a_record_may_come_byte_by_byte)
{
    static struct wire wire;
    wire_open(&wire, versions[_i]);
    wire_write(&wire, "hello", 5);
    for (size_t i = 0; i < wire.length; i++) {
        ck_assert_uint_eq(wire.got, 0);
        wire_send(&wire, i, i + 1);
        ck_assert_int_eq(wire_read_all(&wire, 64), IO_AGAIN);
    }
    expect_text(&wire, "hello", 5);
    wire_close(&wire);
}
END_TEST

/* ---- joined ---- */

static const size_t rooms[] = {1, 7, 100, 999, 16384, READ_BYTES};
enum { ROOM_COUNT = sizeof rooms / sizeof *rooms };

/* Small and large records and half of another in one segment: whatever the room, all whole ones
 * come out without a further wake-up. */
START_TEST(records_and_a_half_in_one_segment_come_out_at_once)
{
    static struct wire wire;
    static char sent[40000];
    static const size_t lengths[] = {1, 200, 16384, 3, 16000, 1000};
    size_t room = rooms[_i / VERSION_COUNT];
    size_t whole_bytes = 0;
    size_t whole_text = 0;
    size_t total = 0;
    for (size_t i = 0; i < sizeof sent; i++)
        sent[i] = (char)(i * 31 + i / 251);
    wire_open(&wire, versions[_i % VERSION_COUNT]);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        whole_bytes = wire.length;
        whole_text = total;
        wire_write(&wire, sent + total, lengths[i]);
        total += lengths[i];
    }
    size_t cut = whole_bytes + (wire.length - whole_bytes) / 2;
    wire_send(&wire, 0, cut);
    wire_read_unread(&wire, room);
    expect_text(&wire, sent, whole_text);
    wire_send(&wire, cut, wire.length);
    wire_read_unread(&wire, room);
    expect_text(&wire, sent, total);
    ck_assert_uint_eq(wire.wired.context.buffers.lent_count, 0);
    wire_close(&wire);
}
END_TEST

START_TEST(close_notify_behind_data_is_told_whatever_the_room)
{
    static struct wire wire;
    wire_open(&wire, versions[_i % VERSION_COUNT]);
    wire_write(&wire, "last ", 5);
    wire_write(&wire, "words", 5);
    ck_assert_int_eq(SSL_shutdown(wire.wired.peer), 0);
    wire_gather(&wire);
    wire_send(&wire, 0, wire.length);
    wire_read_unread(&wire, rooms[_i / VERSION_COUNT]);
    expect_text(&wire, "last words", 10);
    ck_assert_int_eq(wire_read_all(&wire, 64), IO_END);
    ck_assert(wire.wired.connection.ended && !wire.wired.connection.truncated);
    wire_close(&wire);
}
END_TEST

/* The peer has finished when we begin to read, without close_notify. */
START_TEST(data_before_a_fin_is_read_whatever_the_room)
{
    static struct wire wire;
    wire_open(&wire, versions[_i % VERSION_COUNT]);
    wire_write(&wire, "last ", 5);
    wire_write(&wire, "words", 5);
    wire_write(&wire, "half a word", 11);
    wire_send(&wire, 0, wire.length - 5);
    ck_assert_int_eq(shutdown(wire.wired.peer_fd, SHUT_WR), 0);
    enum io outcome = IO_AGAIN;
    wired_until(&wire.wired,
                (outcome = wire_read_all(&wire, rooms[_i / VERSION_COUNT])) != IO_AGAIN);
    ck_assert_int_eq(outcome, IO_END);
    expect_text(&wire, "last words", 10);
    ck_assert(wire.wired.connection.truncated);
    wire_close(&wire);
}
END_TEST

START_TEST(a_key_update_amid_data_changes_nothing)
{
    static struct wire wire;
    wire_open(&wire, TLS1_3_VERSION);
    wire_write(&wire, "one", 3);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(SSL_key_update(wire.wired.peer, SSL_KEY_UPDATE_REQUESTED), 1);
        wire_write(&wire, "more", 4);
    }
    ck_assert_int_eq(SSL_key_update(wire.wired.peer, SSL_KEY_UPDATE_NOT_REQUESTED), 1);
    ck_assert_int_eq(SSL_do_handshake(wire.wired.peer), 1);
    wire_gather(&wire);
    wire_send(&wire, 0, wire.length);
    wire_read_unread(&wire, rooms[_i]);
    expect_text(&wire, "onemoremoremore", 15);
    wire.length = 0;
    wire_write(&wire, "last", 4);
    wire_send(&wire, 0, wire.length);
    wire_read_unread(&wire, rooms[_i]);
    expect_text(&wire, "onemoremoremorelast", 19);
    struct iovec piece = {(void *)(uintptr_t) "answer", 6};
    char text[6];
    ck_assert_int_eq(connection_write(&wire.wired.connection, &piece, 1), IO_DONE);
    wired_peer_receive(&wire.wired, text, sizeof text);
    ck_assert_mem_eq(text, "answer", sizeof text);
    wire_close(&wire);
}
END_TEST

START_TEST(garbage_behind_data_fails_behind_it_whatever_the_room)
{
    static struct wire wire;
    wire_open(&wire, versions[_i % VERSION_COUNT]);
    wire_write(&wire, "good ", 5);
    wire_write(&wire, "bytes", 5);
    memcpy(wire.bytes + wire.length, "GET / HTTP/1.1\r\n\r\n", 18);
    wire.length += 18;
    wire_send(&wire, 0, wire.length);
    wire_read_unread(&wire, rooms[_i / VERSION_COUNT]);
    expect_text(&wire, "good bytes", 10);
    ck_assert_int_eq(wire_read_all(&wire, 64), IO_FAILED);
    ck_assert_uint_ne(wire.wired.connection.tls_failure, 0);
    ck_assert(!connection_has_unread(&wire.wired.connection));
    wire_close(&wire);
}
END_TEST

/* ---- not read for a while ---- */

START_TEST(what_ssl_holds_while_reading_is_stopped_is_announced)
{
    static struct wire wire;
    size_t got = 0;
    wire_open(&wire, versions[_i]);
    struct connection *connection = &wire.wired.connection;
    wire_write(&wire, "one", 3);
    wire_write(&wire, "two", 3);
    wire_send(&wire, 0, wire.length);
    ck_assert_int_eq(connection_read(connection, wire.text, 2, &got), IO_DONE);
    wire.got = got;
    connection_want_read(connection, false);
    for (int i = 0; i < 5; i++)
        wired_turn(&wire.wired);
    ck_assert(connection_has_unread(connection));
    struct iovec piece = {(void *)(uintptr_t) "answer", 6};
    ck_assert_int_eq(connection_write(connection, &piece, 1), IO_DONE);
    ck_assert(connection_has_unread(connection));
    connection_want_read(connection, true);
    wire_read_unread(&wire, 2);
    expect_text(&wire, "onetwo", 6);
    ck_assert_uint_eq(wire.wired.context.buffers.lent_count, 0);
    wire_close(&wire);
}
END_TEST

/* ---- together with the handshake ---- */

static const size_t behind[] = {1, 4, 5, 6, 20, 1000};

/* The client's last flight, whole records and a part of one in a single segment. */
START_TEST(data_and_a_half_behind_the_last_flight_are_read)
{
    static struct wire wire;
    wire.length = wire.got = 0;
    struct wired *wired = &wire.wired;
    wired_open(wired, true);
    wired_start_tls(wired, &(struct wired_tls){.version = TLS1_3_VERSION});
    ck_assert_int_eq(SSL_do_handshake(wired->peer), -1);
    wired_until(wired, wired->ready_count > 0);
    ck_assert_int_eq(connection_handshake(&wired->connection), IO_AGAIN);
    wire_keep(&wire);
    wired_until(wired, SSL_do_handshake(wired->peer) == 1);
    wire_gather(&wire);
    wire_write(&wire, "first", 5);
    size_t whole = wire.length;
    wire_write(&wire, "second", 6);
    size_t cut = whole + behind[_i] < wire.length ? whole + behind[_i] : wire.length;
    wire_send(&wire, 0, cut);
    ck_assert_int_eq(connection_handshake(&wired->connection), IO_DONE);
    memset(wired->context.cipher, '!', sizeof wired->context.cipher);
    ck_assert(connection_has_unread(&wired->connection));
    wire_read_unread(&wire, 2);
    expect_text(&wire, "firstsecond", cut < wire.length ? 5 : 11);
    wire_send(&wire, cut, wire.length);
    wire_read_unread(&wire, 64);
    expect_text(&wire, "firstsecond", 11);
    wire_close(&wire);
}
END_TEST

#define COUNT(table) ((int)(sizeof(table) / sizeof *(table)))

static void add_tests(TCase *tcase)
{
    int both = ROOM_COUNT * VERSION_COUNT;
    tcase_add_loop_test(tcase, records_may_be_cut_at_every_byte, 0, VERSION_COUNT);
    tcase_add_loop_test(tcase, a_record_may_come_byte_by_byte, 0, VERSION_COUNT);
    tcase_add_loop_test(tcase, records_and_a_half_in_one_segment_come_out_at_once, 0, both);
    tcase_add_loop_test(tcase, close_notify_behind_data_is_told_whatever_the_room, 0, both);
    tcase_add_loop_test(tcase, data_before_a_fin_is_read_whatever_the_room, 0, both);
    tcase_add_loop_test(tcase, a_key_update_amid_data_changes_nothing, 0, ROOM_COUNT);
    tcase_add_loop_test(tcase, garbage_behind_data_fails_behind_it_whatever_the_room, 0, both);
    tcase_add_loop_test(tcase, what_ssl_holds_while_reading_is_stopped_is_announced, 0,
                        VERSION_COUNT);
    tcase_add_loop_test(tcase, data_and_a_half_behind_the_last_flight_are_read, 0, COUNT(behind));
}

CHECK_MAIN("connection_tls_records", add_tests)
