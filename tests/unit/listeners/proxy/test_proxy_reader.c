/* SPDX-License-Identifier: Apache-2.0 */
/* A header comes off a real socket: whole, in pieces, with the client's bytes behind it, or never.
 */
#include "listeners/proxy/proxy_reader.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/check_main.h"

static const char v1_line[] = "PROXY TCP6 2001:db8::7 2001:db8::1 56324 443\r\n";
static const char v2_bytes[] =
    "\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x16\xc0\x00\x02\x07\xc6\x33\x64\x01"
    "\xdc\x04\x01\xbb\x04\x00\x07padding";

/* Each header with what it tells. */
static const struct told {
    enum proxy_protocol version;
    const char *bytes;
    size_t length;
    const char *client;
} told[] = {
    {PROXY_PROTOCOL_V1, v1_line, sizeof v1_line - 1, "[2001:db8::7]:56324"},
    {PROXY_PROTOCOL_V2, v2_bytes, sizeof v2_bytes - 1, "192.0.2.7:56324"},
};
enum { TOLD_COUNT = sizeof told / sizeof told[0] };

static struct loop_context context; /* its buffers and its `plain` are all that is used */
static struct proxy_reader reader;
static struct proxy_header header;
static int own, peer;

static void begin(enum proxy_protocol version)
{
    int ends[2];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    own = ends[0];
    peer = ends[1];
    buffer_pool_init(&context.buffers);
    reader = (struct proxy_reader){.version = version};
}

static void end(void)
{
    proxy_reader_done(&reader, &context);
    ck_assert_uint_eq(context.buffers.lent_count, 0);
    buffer_pool_done(&context.buffers);
    close(own);
    if (peer >= 0)
        close(peer);
}

static void say(const char *bytes, size_t length)
{
    ck_assert_int_eq(send(peer, bytes, length, MSG_NOSIGNAL), (ssize_t)length);
}

static enum proxy_outcome advance(void)
{
    return proxy_reader_advance(&reader, own, &context, &header);
}

/* Exactly these bytes are left in the socket. */
static void expect_left(const char *bytes, size_t length)
{
    char left[256];
    ssize_t got = recv(own, left, sizeof left, 0);
    if (length == 0) {
        ck_assert(got < 0 && errno == EAGAIN);
        return;
    }
    ck_assert_int_eq(got, (ssize_t)length);
    ck_assert_mem_eq(left, bytes, length);
}

START_TEST(a_header_that_comes_at_once_needs_no_memory_and_takes_nothing_behind_it)
{
    begin(told[_i].version);
    say(told[_i].bytes, told[_i].length);
    ck_assert_int_eq(advance(), PROXY_WHOLE);
    ck_assert_str_eq(header.client.text, told[_i].client);
    ck_assert(!reader.is_followed);
    expect_left(NULL, 0);
    say(told[_i].bytes, told[_i].length);
    say("\x16\x03\x01 and more", 12);
    ck_assert_int_eq(advance(), PROXY_WHOLE);
    ck_assert(reader.is_followed);
    expect_left("\x16\x03\x01 and more", 12);
    ck_assert_uint_eq(context.buffers.lent_count, 0);
    for (int i = 0; i < BUFFER_CLASS_COUNT; i++)
        ck_assert_uint_eq(context.buffers.free_bytes[i], 0);
    end();
}
END_TEST

START_TEST(a_header_that_comes_byte_by_byte_never_leaves_the_socket_readable)
{
    begin(told[_i].version);
    ck_assert_int_eq(advance(), PROXY_PARTIAL); /* woken for nothing */
    for (size_t i = 0; i + 1 < told[_i].length; i++) {
        say(told[_i].bytes + i, 1);
        ck_assert_int_eq(advance(), PROXY_PARTIAL);
        expect_left(NULL, 0);
        ck_assert_int_eq(advance(), PROXY_PARTIAL);
    }
    say(told[_i].bytes + told[_i].length - 1, 1);
    say("GET", 3);
    ck_assert_int_eq(advance(), PROXY_WHOLE);
    ck_assert_str_eq(header.client.text, told[_i].client);
    ck_assert(reader.is_followed);
    expect_left("GET", 3);
    ck_assert_uint_eq(context.buffers.lent_count, 1);
    end();
}
END_TEST

START_TEST(a_header_cut_anywhere_is_put_together)
{
    for (size_t cut = 1; cut < told[_i].length; cut++) {
        begin(told[_i].version);
        say(told[_i].bytes, cut);
        ck_assert_int_eq(advance(), PROXY_PARTIAL);
        say(told[_i].bytes + cut, told[_i].length - cut);
        ck_assert_int_eq(advance(), PROXY_WHOLE);
        ck_assert_str_eq(header.client.text, told[_i].client);
        ck_assert(!reader.is_followed);
        expect_left(NULL, 0);
        end();
    }
}
END_TEST

START_TEST(the_longest_header_is_read_in_pieces_too)
{
    static char bytes[PROXY_HEADER_BYTES];
    size_t behind = PROXY_HEADER_BYTES - 16;
    begin(PROXY_PROTOCOL_V2);
    memcpy(bytes, v2_bytes, 28);
    bytes[14] = (char)(behind >> 8);
    bytes[15] = (char)behind;
    bytes[28] = 4;
    bytes[29] = (char)((behind - 15) >> 8);
    bytes[30] = (char)(behind - 15);
    for (size_t sent = 0; sent < sizeof bytes; sent += 1024) {
        say(bytes + sent, 1024);
        if (sent + 1024 < sizeof bytes)
            ck_assert_int_eq(advance(), PROXY_PARTIAL);
    }
    say("x", 1);
    ck_assert_int_eq(advance(), PROXY_WHOLE);
    expect_left("x", 1);
    end();
}
END_TEST

START_TEST(who_says_something_else_is_told_apart)
{
    begin(told[_i].version);
    say("GET / HTTP/1.1\r\n", 16);
    ck_assert_int_eq(advance(), PROXY_MISSING);
    ck_assert_str_eq(header.fault, "what came first is no PROXY header");
    ck_assert(!reader.has_ended);
    end();
    begin(told[_i].version);
    say(told[1 - _i].bytes, told[1 - _i].length);
    ck_assert_int_eq(advance(), PROXY_BAD);
    end();
    begin(told[_i].version);
    say(told[_i].bytes, 4);
    ck_assert_int_eq(advance(), PROXY_PARTIAL);
    say("GET", 3);
    ck_assert_int_eq(advance(), PROXY_MISSING);
    end();
}
END_TEST

START_TEST(who_leaves_without_a_byte_has_sent_none_and_who_leaves_within_it_a_bad_one)
{
    begin(told[_i].version);
    close(peer);
    peer = -1;
    ck_assert_int_eq(advance(), PROXY_MISSING);
    ck_assert(reader.has_ended);
    ck_assert_str_eq(header.fault, "the connection ended before the header was there");
    end();
    begin(told[_i].version);
    say(told[_i].bytes, 20);
    ck_assert_int_eq(advance(), PROXY_PARTIAL);
    close(peer);
    peer = -1;
    ck_assert_int_eq(advance(), PROXY_BAD);
    ck_assert(reader.has_ended);
    end();
}
END_TEST

START_TEST(a_header_that_was_sent_before_the_end_counts)
{
    begin(told[_i].version);
    say(told[_i].bytes, told[_i].length);
    close(peer);
    peer = -1;
    ck_assert_int_eq(advance(), PROXY_WHOLE);
    ck_assert_str_eq(header.client.text, told[_i].client);
    end();
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase,
                        a_header_that_comes_at_once_needs_no_memory_and_takes_nothing_behind_it, 0,
                        TOLD_COUNT);
    tcase_add_loop_test(tcase, a_header_that_comes_byte_by_byte_never_leaves_the_socket_readable, 0,
                        TOLD_COUNT);
    tcase_add_loop_test(tcase, a_header_cut_anywhere_is_put_together, 0, TOLD_COUNT);
    tcase_add_test(tcase, the_longest_header_is_read_in_pieces_too);
    tcase_add_loop_test(tcase, who_says_something_else_is_told_apart, 0, TOLD_COUNT);
    tcase_add_loop_test(tcase,
                        who_leaves_without_a_byte_has_sent_none_and_who_leaves_within_it_a_bad_one,
                        0, TOLD_COUNT);
    tcase_add_loop_test(tcase, a_header_that_was_sent_before_the_end_counts, 0, TOLD_COUNT);
}

CHECK_MAIN("proxy reader", add_tests)
