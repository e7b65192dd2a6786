/* SPDX-License-Identifier: Apache-2.0 */
/* What TLS adds to a connection: handshakes, records, alerts, unread bytes, sessions. */
#include "lb/base/connection.h"

#include <openssl/err.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "tests/support/check_main.h"
#include "tests/support/wired.h"

static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
enum { VERSION_COUNT = sizeof versions / sizeof versions[0] };

static enum io say(struct connection *connection, const void *bytes, size_t length)
{
    struct iovec piece = {(void *)(uintptr_t)bytes, length};
    return connection_write(connection, &piece, 1);
}

/* ---- handshakes ---- */

START_TEST(both_roles_shake_hands_and_talk)
{
    struct wired wired;
    char text[8];
    size_t got = 0;
    wired_open(&wired, true);
    wired_start_tls(&wired,
                    &(struct wired_tls){.version = versions[_i / 2], .own_client = _i % 2 == 1});
    wired_shake(&wired);
    ck_assert_int_eq(SSL_version(wired.connection.ssl), versions[_i / 2]);
    ck_assert_int_eq(say(&wired.connection, "hello", 5), IO_DONE);
    wired_peer_receive(&wired, text, 5);
    wired_peer_send(&wired, "world", 5);
    enum io outcome = IO_AGAIN;
    wired_until(&wired, (outcome = connection_read(&wired.connection, text, sizeof text, &got)) !=
                            IO_AGAIN);
    ck_assert_int_eq(outcome, IO_DONE);
    ck_assert_mem_eq(text, "world", 5);
    ck_assert_uint_eq(wired.context.buffers.lent_count, 0);
    wired_close(&wired);
}
END_TEST

/* The peer offers one protocol, and gets it. */
static int choose_the_offered(SSL *ssl, const unsigned char **out, unsigned char *out_length,
                              const unsigned char *offered, unsigned length, void *argument)
{
    (void)ssl, (void)length, (void)argument;
    *out = offered + 1;
    *out_length = offered[0];
    return SSL_TLSEXT_ERR_OK;
}

static bool is_h2_chosen_of(const char *offered)
{
    struct wired wired;
    wired_open(&wired, true);
    wired_start_tls(&wired, &(struct wired_tls){.version = TLS1_3_VERSION});
    SSL_CTX_set_alpn_select_cb(wired.own_context, choose_the_offered, NULL);
    SSL_set_alpn_protos(wired.peer, (const unsigned char *)offered, (unsigned)strlen(offered));
    wired_shake(&wired);
    bool is_chosen = connection_chose_h2(&wired.connection);
    wired_close(&wired);
    return is_chosen;
}

START_TEST(http2_is_what_alpn_calls_h2)
{
    struct wired plain;
    ck_assert(is_h2_chosen_of("\x02h2"));
    ck_assert(!is_h2_chosen_of("\x02h3"));
    ck_assert(!is_h2_chosen_of("\x03h2c"));
    ck_assert(!is_h2_chosen_of("\x08http/1.1"));
    ck_assert(!is_h2_chosen_of(""));
    wired_open(&plain, false);
    ck_assert(!connection_chose_h2(&plain.connection));
    wired_close(&plain);
}
END_TEST

/* TLS 1.3: the client's Finished and its first request arrive together. */
START_TEST(data_behind_the_last_flight_is_read_without_another_wake_up)
{
    struct wired wired;
    char text[64];
    size_t got = 0;
    wired_open(&wired, true);
    wired_start_tls(&wired, &(struct wired_tls){.version = TLS1_3_VERSION});
    ck_assert_int_eq(SSL_do_handshake(wired.peer), -1);
    wired_until(&wired, wired.ready_count > 0);
    ck_assert_int_eq(connection_handshake(&wired.connection), IO_AGAIN);
    ck_assert(!connection_has_unread(&wired.connection));
    wired_until(&wired, SSL_do_handshake(wired.peer) == 1);
    wired_peer_send(&wired, "GET / HTTP/1.1", 14);
    wired.ready_count = 0;
    wired_until(&wired, wired.ready_count > 0);
    ck_assert_int_eq(connection_handshake(&wired.connection), IO_DONE);
    ck_assert(connection_has_unread(&wired.connection));
    ck_assert_int_eq(connection_read(&wired.connection, text, sizeof text, &got), IO_DONE);
    ck_assert_uint_eq(got, 14);
    ck_assert_mem_eq(text, "GET / HTTP/1.1", 14);
    ck_assert(!connection_has_unread(&wired.connection));
    wired_close(&wired);
}
END_TEST

START_TEST(a_peer_that_leaves_during_the_handshake_is_an_end)
{
    struct wired wired;
    wired_open(&wired, true);
    wired_start_tls(&wired, &(struct wired_tls){.version = versions[_i]});
    SSL_do_handshake(wired.peer);
    wired_until(&wired, wired.ready_count > 0);
    ck_assert_int_eq(connection_handshake(&wired.connection), IO_AGAIN);
    shutdown(wired.peer_fd, SHUT_WR);
    enum io outcome = IO_AGAIN;
    wired_until(&wired, (outcome = connection_handshake(&wired.connection)) != IO_AGAIN);
    ck_assert_int_eq(outcome, IO_END);
    ck_assert_str_eq(connection_failure(&wired.connection), "closed without close_notify");
    wired_close(&wired);
}
END_TEST

START_TEST(garbage_instead_of_a_handshake_fails_with_words)
{
    static const char *const garbage[] = {"GET / HTTP/1.1\r\n\r\n", "\x16\x03\x01\xff\xff\xff",
                                          "\x16\x03\x01\x00\x04\x02\x00\x00\x00"};
    static const size_t lengths[] = {18, 6, 9};
    struct wired wired;
    wired_open(&wired, true);
    wired_start_tls(&wired, &(struct wired_tls){.version = TLS1_3_VERSION});
    send(wired.peer_fd, garbage[_i], lengths[_i], MSG_NOSIGNAL);
    wired_until(&wired, wired.ready_count > 0);
    ck_assert_int_eq(connection_handshake(&wired.connection), IO_FAILED);
    ck_assert_uint_ne(wired.connection.tls_failure, 0);
    ck_assert_str_eq(connection_failure(&wired.connection),
                     ERR_reason_error_string(wired.connection.tls_failure));
    ck_assert_int_eq(connection_handshake(&wired.connection), IO_FAILED);
    ck_assert_uint_eq(ERR_peek_error(), 0);
    wired_close(&wired);
}
END_TEST

/* ---- alerts ---- */

/* Fill what our side would have to read before it could close without a reset. */
static void queue_data(struct wired *wired)
{
    static const char body[16000];
    for (int i = 0; i < 16; i++)
        wired_peer_send(wired, body, sizeof body);
}

/* What the peer's SSL says when the alert arrives, or 0 when only a reset does. */
static int alert_met_by_peer(struct wired *wired)
{
    char text[64];
    ssize_t outcome = PEER_AGAIN;
    wired_until(wired, (outcome = wired_peer_read(wired, text, sizeof text)) != PEER_AGAIN);
    return outcome == PEER_FAILED ? ERR_GET_REASON(ERR_peek_error()) : 0;
}

static void linger_on_failure(struct wired *wired, int events)
{
    (void)events;
    wired->shaken = connection_handshake(&wired->connection);
    if (wired->shaken != IO_AGAIN)
        wired_linger(wired);
}

/* The client believes in its handshake and has sent its request already; then it is refused. */
START_TEST(an_alert_arrives_although_the_clients_data_is_queued)
{
    struct wired wired;
    wired_open(&wired, true);
    wired_start_tls(&wired, &(struct wired_tls){.version = TLS1_3_VERSION, .ask_client = true});
    SSL_do_handshake(wired.peer);
    wired_until(&wired, wired.ready_count > 0);
    ck_assert_int_eq(connection_handshake(&wired.connection), IO_AGAIN);
    ck_assert_int_eq(SSL_do_handshake(wired.peer), 1);
    queue_data(&wired);
    wired.on_ready = linger_on_failure;
    ck_assert_int_eq(alert_met_by_peer(&wired), SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED);
    ck_assert_int_eq(wired.shaken, IO_FAILED);
    ck_assert_int_eq(ERR_GET_REASON(wired.connection.tls_failure),
                     SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE);
    ck_assert(!wired.closed);
    wired_peer_leave(&wired, false);
    wired_until(&wired, wired.closed);
    wired_close(&wired);
}
END_TEST

START_TEST(an_alert_of_tls_1_2_arrives)
{
    struct wired wired;
    wired_open(&wired, true);
    wired_start_tls(&wired, &(struct wired_tls){.version = TLS1_2_VERSION, .ask_client = true});
    wired.on_ready = linger_on_failure;
    ck_assert_int_eq(alert_met_by_peer(&wired), SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE);
    wired_close(&wired);
}
END_TEST

START_TEST(an_alert_of_the_peer_is_told_in_words)
{
    struct wired wired;
    wired_open(&wired, true);
    wired_start_tls(&wired, &(struct wired_tls){
                                .version = TLS1_2_VERSION, .own_client = true, .ask_client = true});
    enum io outcome = IO_AGAIN;
    wired_until(&wired, (outcome = connection_handshake(&wired.connection)) != IO_AGAIN ||
                            (SSL_do_handshake(wired.peer), false));
    ck_assert_int_eq(outcome, IO_FAILED);
    ck_assert_ptr_nonnull(strstr(connection_failure(&wired.connection), "handshake failure"));
    wired_close(&wired);
}
END_TEST

START_TEST(a_record_that_was_changed_fails_behind_the_good_ones)
{
    struct wired wired;
    char text[64];
    size_t got = 0;
    wired_open_tls(&wired, true, versions[_i]);
    wired_peer_send(&wired, "good", 4);
    char bad[64] = "\x17\x03\x03\x00\x3b";
    send(wired.peer_fd, bad, sizeof bad, MSG_NOSIGNAL);
    wired_until(&wired, wired.ready_count > 0);
    ck_assert_int_eq(connection_read(&wired.connection, text, sizeof text, &got), IO_DONE);
    ck_assert_uint_eq(got, 4);
    ck_assert_msg(connection_has_unread(&wired.connection), "no wake-up will tell the failure");
    ck_assert_int_eq(connection_read(&wired.connection, text, sizeof text, &got), IO_FAILED);
    ck_assert(!connection_has_unread(&wired.connection));
    ck_assert_msg(strstr(connection_failure(&wired.connection), "bad record mac") != NULL, "%s",
                  connection_failure(&wired.connection));
    ck_assert_int_eq(alert_met_by_peer(&wired), SSL_R_SSLV3_ALERT_BAD_RECORD_MAC);
    send(wired.peer_fd, bad, sizeof bad, MSG_NOSIGNAL);
    wired.ready_count = 0;
    for (int i = 0; i < 20; i++)
        wired_turn(&wired);
    ck_assert_msg(wired.ready_count == 0, "what nobody can read must not wake for ever");
    ck_assert_int_eq(say(&wired.connection, "x", 1), IO_FAILED);
    wired_close(&wired);
}
END_TEST

START_TEST(an_alert_for_a_broken_socket_is_dropped)
{
    struct wired wired;
    char text[64];
    size_t got = 0;
    wired_open_tls(&wired, true, versions[_i]);
    wired_peer_send(&wired, "good", 4);
    char bad[64] = "\x17\x03\x03\x00\x3b";
    send(wired.peer_fd, bad, sizeof bad, MSG_NOSIGNAL);
    wired_peer_leave(&wired, true);
    wired_until(&wired, say(&wired.connection, "x", 1) == IO_FAILED);
    wired_until(&wired, wired.ready_count > 0);
    ck_assert_int_eq(connection_read(&wired.connection, text, sizeof text, &got), IO_DONE);
    ck_assert_uint_eq(got, 4);
    ck_assert_int_eq(connection_read(&wired.connection, text, sizeof text, &got), IO_FAILED);
    ck_assert_uint_eq(connection_pending(&wired.connection), 0);
    ck_assert_uint_eq(wired.context.buffers.lent_count, 0);
    wired_close(&wired);
}
END_TEST

/* ---- lingering ---- */

START_TEST(lingering_ends_when_the_peer_does)
{
    struct wired wired;
    char text[8];
    wired_open_tls(&wired, true, _i == 0 ? 0 : versions[_i - 1]);
    say(&wired.connection, "bye", 3);
    wired_linger(&wired);
    wired_peer_receive(&wired, text, 3);
    ck_assert_int_eq(wired_peer_read(&wired, text, sizeof text), PEER_END);
    ck_assert(!wired.closed);
    wired.ready_count = 0;
    wired_peer_send(&wired, "late", 4);
    for (int i = 0; i < 20; i++)
        wired_turn(&wired);
    ck_assert(!wired.closed);
    wired_peer_leave(&wired, false);
    wired_until(&wired, wired.closed);
    ck_assert_msg(wired.ready_count == 0, "the owner is gone when a connection lingers");
    wired_close(&wired);
}
END_TEST

START_TEST(lingering_with_a_silent_peer_ends_in_time)
{
    struct wired wired;
    wired_open_tls(&wired, true, versions[_i]);
    wired_fake_time(&wired);
    wired_linger(&wired);
    wired_linger(&wired); /* once is enough */
    wired.now_ms += LINGER_MS - 1;
    deadlines_run(&wired.context.deadlines);
    wired_turn(&wired);
    ck_assert(!wired.closed);
    wired.now_ms++;
    deadlines_run(&wired.context.deadlines);
    wired_until(&wired, wired.closed);
    wired_close(&wired);
}
END_TEST

/* The last bytes of a long answer: a peer that takes some of them every few seconds gets them all.
 */
START_TEST(lingering_waits_for_a_slow_peer_that_takes_its_answer)
{
    static char bytes[READ_BYTES];
    struct wired wired;
    size_t total = 0;
    size_t got = 0;
    ssize_t moved = PEER_AGAIN;
    wired_open_tls(&wired, false, versions[_i]);
    wired_fake_time(&wired);
    for (; connection_pending(&wired.connection) < 6 * sizeof bytes; total += sizeof bytes)
        ck_assert_int_ne(say(&wired.connection, bytes, sizeof bytes), IO_FAILED);
    wired_linger(&wired);
    while (moved != PEER_END) {
        size_t pending = connection_pending(&wired.connection);
        wired_until(&wired, (moved = wired_peer_read(&wired, bytes, sizeof bytes)) != PEER_AGAIN);
        ck_assert_int_ne(moved, PEER_FAILED);
        got += moved > 0 ? (size_t)moved : 0;
        wired_turn(&wired);
        if (connection_pending(&wired.connection) == pending)
            continue;
        wired.now_ms += LINGER_MS - 1;
        deadlines_run(&wired.context.deadlines);
        ck_assert(!wired.connection.closing);
    }
    ck_assert_uint_eq(got, total);
    ck_assert_uint_gt(wired.now_ms, 1000 + LINGER_MS);
    wired_peer_leave(&wired, false);
    wired_until(&wired, wired.closed);
    wired_close(&wired);
}
END_TEST

START_TEST(lingering_with_a_flooding_peer_ends_at_its_bound)
{
    static char flood[READ_BYTES];
    struct wired wired;
    size_t sent = 0;
    wired_open(&wired, true);
    wired_linger(&wired);
    while (!wired.closed) {
        ssize_t moved = wired_peer_write(&wired, flood, sizeof flood);
        sent += moved > 0 ? (size_t)moved : 0;
        wired_turn(&wired);
        ck_assert_uint_lt(sent, 64 * LINGER_BYTES);
    }
    ck_assert_uint_gt(sent, LINGER_BYTES);
    wired_close(&wired);
}
END_TEST

START_TEST(lingering_with_a_dead_socket_closes_at_once)
{
    struct wired wired;
    wired_open_tls(&wired, true, versions[_i]);
    wired_peer_leave(&wired, true);
    wired_until(&wired, say(&wired.connection, "x", 1) == IO_FAILED);
    wired_linger(&wired);
    ck_assert(wired.connection.closing);
    wired_until(&wired, wired.closed);
    wired_close(&wired);
}
END_TEST

START_TEST(a_lingering_connection_may_be_closed)
{
    struct wired wired;
    wired_open_tls(&wired, true, versions[_i]);
    wired_linger(&wired);
    wired_end(&wired);
    wired_end(&wired);
    wired_until(&wired, wired.closed);
    wired_close(&wired);
}
END_TEST

/* ---- unread bytes ---- */

/* Many records, small reads: nothing is lost although the loop's bytes are used by others in
 * between. */
START_TEST(what_does_not_fit_is_kept_for_later_reads)
{
    enum { LENGTH = 40000 };
    static char sent[LENGTH];
    static char got[LENGTH];
    struct wired wired;
    size_t total = 0;
    size_t wake_ups = 0;
    wired_open_tls(&wired, true, versions[_i]);
    for (size_t i = 0; i < LENGTH; i++)
        sent[i] = (char)(i * 31 + i / 251);
    for (size_t i = 0; i < LENGTH; i += LENGTH / 40)
        wired_peer_send(&wired, sent + i, LENGTH / 40);
    while (total < LENGTH) {
        size_t length = 0;
        enum io outcome =
            connection_read(&wired.connection, got + total, 1 + total % 1700, &length);
        memset(wired.context.cipher, '!', sizeof wired.context.cipher);
        total += length;
        if (outcome == IO_AGAIN) {
            ck_assert(!connection_has_unread(&wired.connection));
            unsigned before = wired.ready_count;
            wired_until(&wired, wired.ready_count > before);
            wake_ups++;
        } else {
            ck_assert_int_eq(outcome, IO_DONE);
        }
    }
    ck_assert_mem_eq(got, sent, LENGTH);
    ck_assert_uint_lt(wake_ups, 5);
    ck_assert_uint_eq(wired.context.buffers.lent_count, 0);
    wired_close(&wired);
}
END_TEST

START_TEST(half_a_record_is_no_data_and_no_failure)
{
    struct wired wired;
    char text[64];
    char record[256];
    size_t got = 0;
    wired_open_tls(&wired, true, versions[_i]);
    /* The peer encrypts into memory; the test sends the halves. */
    BIO *into = BIO_new(BIO_s_mem());
    BIO_up_ref(into);
    SSL_set0_wbio(wired.peer, into);
    ck_assert_int_eq(SSL_write(wired.peer, "hello", 5), 5);
    int length = BIO_read(into, record, sizeof record);
    ck_assert_int_gt(length, 20);
    send(wired.peer_fd, record, 20, MSG_NOSIGNAL);
    wired_until(&wired, wired.ready_count > 0);
    ck_assert_int_eq(connection_read(&wired.connection, text, sizeof text, &got), IO_AGAIN);
    ck_assert(!connection_has_unread(&wired.connection));
    ck_assert_uint_eq(wired.context.buffers.lent_count, 0);
    send(wired.peer_fd, record + 20, (size_t)length - 20, MSG_NOSIGNAL);
    wired.ready_count = 0;
    wired_until(&wired, wired.ready_count > 0);
    ck_assert_int_eq(connection_read(&wired.connection, text, sizeof text, &got), IO_DONE);
    ck_assert_uint_eq(got, 5);
    BIO_free(into);
    wired_close(&wired);
}
END_TEST

START_TEST(close_notify_behind_data_is_told_without_another_wake_up)
{
    struct wired wired;
    char text[64];
    size_t got = 0;
    wired_open_tls(&wired, true, versions[_i]);
    wired_peer_send(&wired, "last words", 10);
    ck_assert_int_eq(SSL_shutdown(wired.peer), 0);
    wired_until(&wired, wired.ready_count > 0);
    ck_assert_int_eq(connection_read(&wired.connection, text, sizeof text, &got), IO_DONE);
    ck_assert_uint_eq(got, 10);
    ck_assert(connection_has_unread(&wired.connection));
    ck_assert_int_eq(connection_read(&wired.connection, text, sizeof text, &got), IO_END);
    ck_assert(!connection_has_unread(&wired.connection));
    ck_assert(!wired.connection.truncated);
    wired_peer_leave(&wired, false); /* the FIN behind it is no truncation */
    wired_turn(&wired);
    ck_assert_int_eq(connection_read(&wired.connection, text, sizeof text, &got), IO_END);
    ck_assert(!wired.connection.truncated);
    wired_close(&wired);
}
END_TEST

/* ---- records ---- */

START_TEST(head_and_first_body_bytes_share_a_record)
{
    static char body[60000];
    static char got[sizeof body + 100];
    struct wired wired;
    wired_open_tls(&wired, true, versions[_i]);
    memset(body, 'b', sizeof body);
    struct iovec pieces[] = {{"HTTP/1.1 200 OK\r\n", 17}, {"\r\n", 2}, {body, sizeof body}};
    ck_assert_int_eq(connection_write(&wired.connection, pieces, 3), IO_DONE);
    size_t total = 0;
    int records = 0;
    while (total < sizeof body + 19) {
        ssize_t length = wired_peer_read(&wired, got + total, sizeof got - total);
        ck_assert_int_ge(length, 0);
        records += length > 0;
        if (records == 1)
            ck_assert_int_eq(length, 16384);
        total += (size_t)length;
    }
    ck_assert_int_eq(records, 4); /* 60019 bytes in records of 16 KiB */
    ck_assert_mem_eq(got, "HTTP/1.1 200 OK\r\n\r\nb", 20);
    wired_close(&wired);
}
END_TEST

/* Chunk frames around a body that is a multiple of a record must not make records of 2 bytes. */
START_TEST(frames_around_a_body_do_not_cost_records)
{
    static char body[49152];
    static char got[sizeof body + 20];
    struct wired wired;
    wired_open_tls(&wired, true, versions[_i]);
    struct iovec pieces[] = {{"c000\r\n", 6}, {body, sizeof body}, {"\r\n", 2}};
    ck_assert_int_eq(connection_write(&wired.connection, pieces, 3), IO_DONE);
    int records = 0;
    for (size_t total = 0; total < sizeof body + 8;) {
        ssize_t length = wired_peer_read(&wired, got + total, sizeof got - total);
        ck_assert_int_ge(length, 0);
        records += length > 0;
        total += (size_t)length;
    }
    ck_assert_int_eq(records, 4);
    ck_assert_mem_eq(got, "c000\r\n", 6);
    ck_assert_mem_eq(got + 6 + sizeof body, "\r\n", 2);
    wired_close(&wired);
}
END_TEST

static int key_updates;

static void watch_messages(int written, int version, int type, const void *bytes, size_t length,
                           SSL *ssl, void *arg)
{
    (void)version;
    (void)ssl;
    (void)arg;
    if (!written && type == SSL3_RT_HANDSHAKE && length > 0 &&
        *(const unsigned char *)bytes == SSL3_MT_KEY_UPDATE)
        key_updates++;
}

START_TEST(a_key_update_is_answered_and_talking_goes_on)
{
    struct wired wired;
    char text[64];
    size_t got = 0;
    wired_open_tls(&wired, true, TLS1_3_VERSION);
    key_updates = 0;
    SSL_set_msg_callback(wired.peer, watch_messages);
    ck_assert_int_eq(SSL_key_update(wired.peer, SSL_KEY_UPDATE_REQUESTED), 1);
    wired_peer_send(&wired, "hello", 5);
    wired_until(&wired, wired.ready_count > 0);
    ck_assert_int_eq(connection_read(&wired.connection, text, sizeof text, &got), IO_DONE);
    ck_assert_uint_eq(got, 5);
    ck_assert_int_eq(say(&wired.connection, "world", 5), IO_DONE);
    wired_peer_receive(&wired, text, 5);
    ck_assert_mem_eq(text, "world", 5);
    ck_assert_int_eq(key_updates, 1);
    wired_close(&wired);
}
END_TEST

START_TEST(renegotiation_is_declined_without_harm)
{
    struct wired wired;
    char text[64];
    size_t got = 0;
    wired_open(&wired, true);
    wired_start_tls(&wired, &(struct wired_tls){.version = TLS1_2_VERSION, .own_client = true});
    wired_shake(&wired);
    ck_assert_int_eq(SSL_renegotiate(wired.peer), 1);
    SSL_do_handshake(wired.peer);
    wired_until(&wired, wired.ready_count > 0);
    ck_assert_int_eq(connection_read(&wired.connection, text, sizeof text, &got), IO_AGAIN);
    /* The warning that says no was produced by reading, and sent by it. */
    ck_assert_uint_eq(connection_pending(&wired.connection), 0);
    ck_assert_uint_eq(wired.context.buffers.lent_count, 0);
    ck_assert_int_eq(recv(wired.peer_fd, text, 1, MSG_PEEK | MSG_DONTWAIT), 1);
    ck_assert_int_eq(text[0], SSL3_RT_ALERT);
    ck_assert_int_eq(say(&wired.connection, "still here", 10), IO_DONE);
    wired_close(&wired);
}
END_TEST

/* ---- sessions ---- */

START_TEST(a_rude_close_leaves_the_session_resumable)
{
    struct wired wired;
    wired_open(&wired, true);
    wired_start_tls(&wired, &(struct wired_tls){.version = versions[_i], .keep_session = true});
    wired_shake(&wired);
    ck_assert_int_eq(SSL_CTX_sess_number(wired.own_context), 1);
    wired_end(&wired);
    ck_assert_int_eq(SSL_CTX_sess_number(wired.own_context), 1);
    wired_close(&wired);
}
END_TEST

START_TEST(a_session_whose_records_were_changed_is_forgotten)
{
    struct wired wired;
    char text[64];
    size_t got = 0;
    wired_open(&wired, true);
    wired_start_tls(&wired, &(struct wired_tls){.version = versions[_i], .keep_session = true});
    wired_shake(&wired);
    char bad[64] = "\x17\x03\x03\x00\x3b";
    send(wired.peer_fd, bad, sizeof bad, MSG_NOSIGNAL);
    wired_until(&wired, wired.ready_count > 0);
    ck_assert_int_eq(connection_read(&wired.connection, text, sizeof text, &got), IO_FAILED);
    wired_end(&wired);
    ck_assert_int_eq(SSL_CTX_sess_number(wired.own_context), 0);
    wired_close(&wired);
}
END_TEST

START_TEST(a_good_connection_has_no_failure_to_tell)
{
    struct wired wired;
    wired_open_tls(&wired, true, versions[_i]);
    ck_assert_str_eq(connection_failure(&wired.connection), "no failure");
    wired_close(&wired);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, both_roles_shake_hands_and_talk, 0, 2 * VERSION_COUNT);
    tcase_add_test(tcase, http2_is_what_alpn_calls_h2);
    tcase_add_test(tcase, data_behind_the_last_flight_is_read_without_another_wake_up);
    tcase_add_loop_test(tcase, a_peer_that_leaves_during_the_handshake_is_an_end, 0, VERSION_COUNT);
    tcase_add_loop_test(tcase, garbage_instead_of_a_handshake_fails_with_words, 0, 3);
    tcase_add_test(tcase, an_alert_arrives_although_the_clients_data_is_queued);
    tcase_add_test(tcase, an_alert_of_tls_1_2_arrives);
    tcase_add_test(tcase, an_alert_of_the_peer_is_told_in_words);
    tcase_add_loop_test(tcase, a_record_that_was_changed_fails_behind_the_good_ones, 0,
                        VERSION_COUNT);
    tcase_add_loop_test(tcase, an_alert_for_a_broken_socket_is_dropped, 0, VERSION_COUNT);
    tcase_add_loop_test(tcase, lingering_ends_when_the_peer_does, 0, 1 + VERSION_COUNT);
    tcase_add_loop_test(tcase, lingering_with_a_silent_peer_ends_in_time, 0, VERSION_COUNT);
    tcase_add_loop_test(tcase, lingering_waits_for_a_slow_peer_that_takes_its_answer, 0,
                        VERSION_COUNT);
    tcase_add_test(tcase, lingering_with_a_flooding_peer_ends_at_its_bound);
    tcase_add_loop_test(tcase, lingering_with_a_dead_socket_closes_at_once, 0, VERSION_COUNT);
    tcase_add_loop_test(tcase, a_lingering_connection_may_be_closed, 0, VERSION_COUNT);
    tcase_add_loop_test(tcase, what_does_not_fit_is_kept_for_later_reads, 0, VERSION_COUNT);
    tcase_add_loop_test(tcase, half_a_record_is_no_data_and_no_failure, 0, VERSION_COUNT);
    tcase_add_loop_test(tcase, close_notify_behind_data_is_told_without_another_wake_up, 0,
                        VERSION_COUNT);
    tcase_add_loop_test(tcase, head_and_first_body_bytes_share_a_record, 0, VERSION_COUNT);
    tcase_add_loop_test(tcase, frames_around_a_body_do_not_cost_records, 0, VERSION_COUNT);
    tcase_add_test(tcase, a_key_update_is_answered_and_talking_goes_on);
    tcase_add_test(tcase, renegotiation_is_declined_without_harm);
    tcase_add_loop_test(tcase, a_rude_close_leaves_the_session_resumable, 0, VERSION_COUNT);
    tcase_add_loop_test(tcase, a_session_whose_records_were_changed_is_forgotten, 0, VERSION_COUNT);
    tcase_add_loop_test(tcase, a_good_connection_has_no_failure_to_tell, 0, VERSION_COUNT);
}

CHECK_MAIN("connection_tls", add_tests)
