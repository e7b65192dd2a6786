/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PROXY headers, good and bad, whole and in pieces. Every table is tried with all bytes at once, at
 * every point where it may be cut, and with a client's bytes behind it.
 */
#include "listeners/proxy/proxy_header.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/check_main.h"

/* Read from memory of exactly that size, so that sanitizers see every byte read too many. */
static enum proxy_outcome read_exactly(enum proxy_protocol version, const void *bytes,
                                       size_t length, struct proxy_header *header)
{
    char *exact = malloc(length > 0 ? length : 1);
    if (length > 0)
        memcpy(exact, bytes, length);
    enum proxy_outcome outcome = proxy_header_read(version, exact, length, header);
    free(exact);
    return outcome;
}

static void expect_good(enum proxy_protocol version, const char *bytes, size_t length,
                        const char *client, unsigned local_port)
{
    struct proxy_header header;
    memset(&header, 0xa5, sizeof header);
    for (size_t cut = 0; cut < length; cut++)
        ck_assert_msg(read_exactly(version, bytes, cut, &header) == PROXY_PARTIAL, "cut at %zu",
                      cut);
    enum proxy_outcome outcome = read_exactly(version, bytes, length, &header);
    ck_assert_msg(outcome == PROXY_WHOLE, "outcome %d: %s", outcome,
                  header.fault ? header.fault : "");
    ck_assert_uint_eq(header.length, length);
    ck_assert_ptr_null(header.fault);
    ck_assert(header.has_client == (client != NULL));
    if (client) {
        ck_assert_str_eq(header.client.text, client);
        ck_assert_uint_eq(header.local_port, local_port);
    }
}

/* Any bytes behind a header are the client's. */
static void expect_good_before(enum proxy_protocol version, const char *bytes, size_t length,
                               const char *behind, size_t behind_length)
{
    struct proxy_header header;
    char *all = malloc(length + behind_length);
    memcpy(all, bytes, length);
    memcpy(all + length, behind, behind_length);
    ck_assert_int_eq(read_exactly(version, all, length + behind_length, &header), PROXY_WHOLE);
    ck_assert_uint_eq(header.length, length);
    free(all);
}

/* The answer is the same whether the bytes come at once or one by one, and once given it stays. */
static void expect_refused(enum proxy_protocol version, const char *bytes, size_t length,
                           enum proxy_outcome expected, const char *fault)
{
    struct proxy_header header;
    size_t cut = 0;
    enum proxy_outcome outcome = PROXY_PARTIAL;
    while (outcome == PROXY_PARTIAL && cut < length)
        outcome = read_exactly(version, bytes, ++cut, &header);
    for (; cut <= length; cut++) {
        outcome = read_exactly(version, bytes, cut, &header);
        ck_assert_msg(outcome == expected, "outcome %d after %zu bytes: %s", outcome, cut,
                      header.fault ? header.fault : "");
        ck_assert_str_eq(header.fault, fault);
        ck_assert(!header.has_client);
    }
}

/* --- version 1 ----------------------------------------------------------------------------- */

#define FULL_IPV6 "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"

static const struct {
    const char *line;
    const char *client; /* NULL: the socket's address stands */
    unsigned local_port;
} v1_good[] = {
    {"PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\r\n", "192.0.2.7:56324", 443},
    {"PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n", "255.255.255.255:65535", 65535},
    {"PROXY TCP4 0.0.0.0 0.0.0.0 0 0\r\n", "0.0.0.0:0", 0},
    {"PROXY TCP6 2001:db8::7 2001:DB8::1 1 8443\r\n", "[2001:db8::7]:1", 8443},
    {"PROXY TCP6 " FULL_IPV6 " " FULL_IPV6 " 65535 65535\r\n", "[" FULL_IPV6 "]:65535", 65535},
    {"PROXY TCP6 ::ffff:192.0.2.7 ::1 9 10\r\n", "192.0.2.7:9", 10},
    {"PROXY TCP6 :: :: 1 2\r\n", "[::]:1", 2},
    {"PROXY UNKNOWN\r\n", NULL, 0},
    {"PROXY UNKNOWN \r\n", NULL, 0},
    {"PROXY UNKNOWN what ever \x01\xff this\ris\r\n", NULL, 0},
    {"PROXY UNKNOWN " FULL_IPV6 " " FULL_IPV6 " 65535 65535\r\n", NULL, 0},
};

START_TEST(a_line_tells_who_the_client_is)
{
    const char *line = v1_good[_i].line;
    size_t length = strlen(line);
    expect_good(PROXY_PROTOCOL_V1, line, length, v1_good[_i].client, v1_good[_i].local_port);
    expect_good_before(PROXY_PROTOCOL_V1, line, length, "\r\n\r\n", 4);
    expect_good_before(PROXY_PROTOCOL_V1, line, length, line, length);
}
END_TEST

START_TEST(the_longest_line_is_taken_and_no_longer_one)
{
    char line[PROXY_V1_BYTES + 2];
    struct proxy_header header;
    memset(line, 'x', sizeof line);
    memcpy(line, "PROXY UNKNOWN ", strlen("PROXY UNKNOWN "));
    memcpy(line + PROXY_V1_BYTES - 2, "\r\n", 2);
    expect_good(PROXY_PROTOCOL_V1, line, PROXY_V1_BYTES, NULL, 0);
    memcpy(line + PROXY_V1_BYTES - 2, "x\r\n", 3);
    ck_assert_int_eq(read_exactly(PROXY_PROTOCOL_V1, line, PROXY_V1_BYTES - 1, &header),
                     PROXY_PARTIAL);
    expect_refused(PROXY_PROTOCOL_V1, line, PROXY_V1_BYTES + 1, PROXY_BAD,
                   "its line is longer than 107 bytes");
}
END_TEST

static const struct {
    const char *line;
    const char *fault;
} v1_bad[] = {
    {"PROXY TCP5 1.2.3.4 1.2.3.4 1 2\r\n", "its family is none of TCP4, TCP6 and UNKNOWN"},
    {"PROXY UDP4 1.2.3.4 1.2.3.4 1 2\r\n", "its family is none of TCP4, TCP6 and UNKNOWN"},
    {"PROXY tcp4 1.2.3.4 1.2.3.4 1 2\r\n", "its family is none of TCP4, TCP6 and UNKNOWN"},
    {"PROXY UNKNOWNS\r\n", "its family is none of TCP4, TCP6 and UNKNOWN"},
    {"PROXY  TCP4 1.2.3.4 1.2.3.4 1 2\r\n", "its family is none of TCP4, TCP6 and UNKNOWN"},
    {"PROXY \r\n", "its family is none of TCP4, TCP6 and UNKNOWN"},
    {"PROXY TCP4\r\n", "its source is no address of the family it names"},
    {"PROXY TCP4 \r\n", "its source is no address of the family it names"},
    {"PROXY TCP4  1.2.3.4 1.2.3.4 1 2\r\n", "its source is no address of the family it names"},
    {"PROXY TCP4 ::1 ::1 1 2\r\n", "its source is no address of the family it names"},
    {"PROXY TCP6 1.2.3.4 1.2.3.4 1 2\r\n", "its source is no address of the family it names"},
    {"PROXY TCP6 fe80::1%1 ::1 1 2\r\n", "its source is no address of the family it names"},
    {"PROXY TCP6 [::1] ::1 1 2\r\n", "its source is no address of the family it names"},
    {"PROXY TCP4 01.2.3.4 1.2.3.4 1 2\r\n", "its source is no address of the family it names"},
    {"PROXY TCP4 1.2.3.256 1.2.3.4 1 2\r\n", "its source is no address of the family it names"},
    {"PROXY TCP4 1.2.3 1.2.3.4 1 2\r\n", "its source is no address of the family it names"},
    {"PROXY TCP6 " FULL_IPV6 ":ffff:ffff ::1 1 2\r\n",
     "its source is no address of the family it names"},
    {"PROXY TCP4 1.2.3.4\r\n", "its destination is no address of the family it names"},
    {"PROXY TCP4 1.2.3.4 \r\n", "its destination is no address of the family it names"},
    {"PROXY TCP4 1.2.3.4 name 1 2\r\n", "its destination is no address of the family it names"},
    {"PROXY TCP4 1.2.3.4 ::1 1 2\r\n", "its destination is no address of the family it names"},
    {"PROXY TCP4 1.2.3.4 5.6.7.8\r\n", "it does not end with two ports"},
    {"PROXY TCP4 1.2.3.4 5.6.7.8 1\r\n", "it does not end with two ports"},
    {"PROXY TCP4 1.2.3.4 5.6.7.8 1 \r\n", "it does not end with two ports"},
    {"PROXY TCP4 1.2.3.4 5.6.7.8 1 2 \r\n", "it does not end with two ports"},
    {"PROXY TCP4 1.2.3.4 5.6.7.8 1 2 3\r\n", "it does not end with two ports"},
    {"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\r\n", "it does not end with two ports"},
    {"PROXY TCP4 1.2.3.4 5.6.7.8 01 2\r\n", "it does not end with two ports"},
    {"PROXY TCP4 1.2.3.4 5.6.7.8 +1 2\r\n", "it does not end with two ports"},
    {"PROXY TCP4 1.2.3.4 5.6.7.8 -1 2\r\n", "it does not end with two ports"},
    {"PROXY TCP4 1.2.3.4 5.6.7.8 65536 2\r\n", "it does not end with two ports"},
    {"PROXY TCP4 1.2.3.4 5.6.7.8 1 99999\r\n", "it does not end with two ports"},
    {"PROXY TCP4 1.2.3.4 5.6.7.8 1 100000\r\n", "it does not end with two ports"},
    {"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\n", "its line does not end with CR LF"},
    {"PROXY \n", "its line does not end with CR LF"},
    {"PROXY UNKNOWN so\nit is\r\n", "its line does not end with CR LF"},
};

START_TEST(a_line_that_breaks_the_rules_is_bad)
{
    expect_refused(PROXY_PROTOCOL_V1, v1_bad[_i].line, strlen(v1_bad[_i].line), PROXY_BAD,
                   v1_bad[_i].fault);
}
END_TEST

START_TEST(a_nul_in_an_address_hides_nothing)
{
    static const char line[] = "PROXY TCP4 1.2.3.4\0.5 1.2.3.4 1 2\r\n";
    expect_refused(PROXY_PROTOCOL_V1, line, sizeof line - 1, PROXY_BAD,
                   "its source is no address of the family it names");
}
END_TEST

/* --- version 2 ----------------------------------------------------------------------------- */

struct made_header {
    char bytes[8192];
    size_t length;
};

enum {
    LOCAL = 0x20,
    PROXY = 0x21,
    TLV_ALPN = 1,
    TLV_CHECKSUM = 3,
    TLV_NOOP = 4,
    TLV_SSL = 0x20,
    TLV_CUSTOM = 0xea,
};

static const char ipv4_ends[] = "\xc0\x00\x02\x07\xc6\x33\x64\x01\xdc\x04\x01\xbb";
static const char ipv6_ends[] = "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x07"
                                "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\xdc\x04\x20\xfb";
static const char mapped_ends[] = "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\0\x02\x07"
                                  "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc6\x33\x64\x01\xdc\x04\x20\xfb";

static void add(struct made_header *made, const void *bytes, size_t length)
{
    ck_assert_uint_le(length, sizeof made->bytes - made->length);
    memcpy(made->bytes + made->length, bytes, length);
    made->length += length;
    made->bytes[14] = (char)((made->length - 16) >> 8);
    made->bytes[15] = (char)(made->length - 16);
}

static void begin_header(struct made_header *made, unsigned command, unsigned family,
                         const void *ends, size_t ends_length)
{
    memset(made, 0, sizeof *made);
    memcpy(made->bytes, "\r\n\r\n\0\r\nQUIT\n", 12);
    made->bytes[12] = (char)command;
    made->bytes[13] = (char)family;
    made->length = 16;
    add(made, ends, ends_length);
}

static void begin_ipv4(struct made_header *made)
{
    begin_header(made, PROXY, 0x11, ipv4_ends, 12);
}

static void add_tlv(struct made_header *made, unsigned type, const void *value, size_t length)
{
    unsigned char start[] = {(unsigned char)type, (unsigned char)(length >> 8),
                             (unsigned char)length};
    add(made, start, sizeof start);
    add(made, value, length);
}

/* Bit by bit, as RFC 4960 tells it; the program does it another way. */
static uint32_t crc32c(const char *bytes, size_t length)
{
    uint32_t sum = UINT32_MAX;
    for (size_t i = 0; i < length; i++) {
        sum ^= (unsigned char)bytes[i];
        for (int bit = 0; bit < 8; bit++)
            sum = sum & 1 ? sum >> 1 ^ UINT32_C(0x82f63b78) : sum >> 1;
    }
    return ~sum;
}

/* The sum of the header as it is, written where the last checksum's zeros are. */
static void seal(struct made_header *made, size_t place)
{
    uint32_t sum = crc32c(made->bytes, made->length);
    for (size_t i = 0; i < 4; i++)
        made->bytes[place + i] = (char)(sum >> (24 - 8 * i));
}

static void expect_made_good(const struct made_header *made, const char *client,
                             unsigned local_port)
{
    expect_good(PROXY_PROTOCOL_V2, made->bytes, made->length, client, local_port);
    expect_good_before(PROXY_PROTOCOL_V2, made->bytes, made->length, "\x16\x03\x01", 3);
    expect_good_before(PROXY_PROTOCOL_V2, made->bytes, made->length, made->bytes, made->length);
}

static void expect_made_bad(const struct made_header *made, const char *fault)
{
    expect_refused(PROXY_PROTOCOL_V2, made->bytes, made->length, PROXY_BAD, fault);
}

START_TEST(addresses_and_ports_of_connections_are_told)
{
    struct made_header made;
    begin_ipv4(&made);
    expect_made_good(&made, "192.0.2.7:56324", 443);
    begin_header(&made, PROXY, 0x21, ipv6_ends, 36);
    expect_made_good(&made, "[2001:db8::7]:56324", 8443);
    begin_header(&made, PROXY, 0x21, mapped_ends, 36);
    expect_made_good(&made, "192.0.2.7:56324", 8443);
}
END_TEST

START_TEST(who_comes_by_a_unix_socket_or_from_nowhere_known_has_the_socket_s_address)
{
    static const char paths[216] = "/run/a.sock";
    struct made_header made;
    begin_header(&made, PROXY, 0x31, paths, sizeof paths);
    expect_made_good(&made, NULL, 0);
    begin_header(&made, PROXY, 0x00, "", 0);
    expect_made_good(&made, NULL, 0);
    begin_header(&made, PROXY, 0x00, "nobody knows what this is", 25);
    expect_made_good(&made, NULL, 0);
}
END_TEST

START_TEST(a_proxy_that_speaks_for_itself_is_never_wrong)
{
    struct made_header made;
    begin_header(&made, LOCAL, 0x00, "", 0);
    expect_made_good(&made, NULL, 0);
    begin_header(&made, LOCAL, 0x11, ipv4_ends, 12);
    expect_made_good(&made, NULL, 0);
    begin_header(&made, LOCAL, 0x11, "short", 5);
    expect_made_good(&made, NULL, 0);
    begin_header(&made, LOCAL, 0xff, "what ever", 9);
    expect_made_good(&made, NULL, 0);
}
END_TEST

START_TEST(what_else_is_told_is_passed_over)
{
    static const char ssl[] = "\x01\0\0\0\0\x21\0\x07TLSv1.3\x22\0\x05"
                              "alice";
    struct made_header made;
    begin_ipv4(&made);
    add_tlv(&made, TLV_ALPN, "h2", 2);
    add_tlv(&made, TLV_NOOP, "", 0);
    add_tlv(&made, TLV_SSL, ssl, sizeof ssl - 1);
    add_tlv(&made, TLV_CUSTOM, "vpce-08d2bf15fac5001c9", 22);
    expect_made_good(&made, "192.0.2.7:56324", 443);
    begin_header(&made, PROXY, 0x21, ipv6_ends, 36);
    add_tlv(&made, TLV_NOOP, "padding", 7);
    expect_made_good(&made, "[2001:db8::7]:56324", 8443);
}
END_TEST

START_TEST(a_field_that_goes_beyond_the_end_is_bad)
{
    static const char *const ends[] = {"\x04", "\x04\x00", "\x04\x00\x01", "\x04\xff\xffxyz"};
    static const size_t lengths[] = {1, 2, 3, 6};
    static const char fault[] = "its last field goes beyond its end";
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        struct made_header made;
        begin_ipv4(&made);
        add(&made, ends[i], lengths[i]);
        expect_made_bad(&made, fault);
        begin_ipv4(&made);
        add_tlv(&made, TLV_ALPN, "h2", 2);
        add(&made, ends[i], lengths[i]);
        expect_made_bad(&made, fault);
    }
}
END_TEST

START_TEST(the_longest_header_is_taken_and_no_longer_one)
{
    static const char zeros[PROXY_HEADER_BYTES];
    struct made_header made;
    struct proxy_header header;
    begin_ipv4(&made);
    add_tlv(&made, TLV_NOOP, zeros, PROXY_HEADER_BYTES - made.length - 3);
    ck_assert_uint_eq(made.length, PROXY_HEADER_BYTES);
    expect_made_good(&made, "192.0.2.7:56324", 443);
    begin_ipv4(&made);
    add_tlv(&made, TLV_NOOP, zeros, PROXY_HEADER_BYTES - made.length - 2);
    /* Nobody waits for the rest of it. */
    ck_assert_int_eq(read_exactly(PROXY_PROTOCOL_V2, made.bytes, 15, &header), PROXY_PARTIAL);
    ck_assert_int_eq(read_exactly(PROXY_PROTOCOL_V2, made.bytes, 16, &header), PROXY_BAD);
    expect_made_bad(&made, "it is longer than 4096 bytes");
    begin_header(&made, LOCAL, 0x00, "", 0);
    memset(made.bytes + 14, 0xff, 2);
    expect_made_bad(&made, "it is longer than 4096 bytes");
}
END_TEST

START_TEST(a_checksum_that_fits_is_fine_wherever_it_stands)
{
    struct made_header made;
    ck_assert_uint_eq(crc32c("123456789", 9), 0xe3069283);
    begin_ipv4(&made);
    add_tlv(&made, TLV_CHECKSUM, "\0\0\0\0", 4);
    seal(&made, made.length - 4);
    expect_made_good(&made, "192.0.2.7:56324", 443);
    begin_header(&made, PROXY, 0x21, ipv6_ends, 36);
    add_tlv(&made, TLV_ALPN, "h2", 2);
    add_tlv(&made, TLV_CHECKSUM, "\0\0\0\0", 4);
    size_t place = made.length - 4;
    add_tlv(&made, TLV_CUSTOM, "more", 4);
    seal(&made, place);
    expect_made_good(&made, "[2001:db8::7]:56324", 8443);
}
END_TEST

START_TEST(haproxy_s_own_bytes_are_understood)
{
    /* haproxy 2.6, send-proxy-v2 proxy-v2-options crc32c,unique-id */
    static const char bytes[] =
        "\x0d\x0a\x0d\x0a\x00\x0d\x0a\x51\x55\x49\x54\x0a\x21\x11\x00\x16\x7f\x00\x00\x01\x7f\x00"
        "\x00\x01\x88\x36\xce\x4f\x03\x00\x04\xc2\x0f\xca\xf8\x05\x00\x00";
    expect_good(PROXY_PROTOCOL_V2, bytes, sizeof bytes - 1, "127.0.0.1:34870", 52815);
}
END_TEST

START_TEST(a_wrong_bit_anywhere_in_a_sealed_header_is_seen)
{
    struct made_header sealed;
    begin_ipv4(&sealed);
    add_tlv(&sealed, TLV_CHECKSUM, "\0\0\0\0", 4);
    size_t place = sealed.length - 4;
    add_tlv(&sealed, TLV_NOOP, "tail", 4);
    seal(&sealed, place);
    for (size_t bit = 0; bit < 8 * sealed.length; bit++) {
        struct made_header made = sealed;
        struct proxy_header header;
        made.bytes[bit / 8] ^= (char)(1 << bit % 8);
        enum proxy_outcome outcome =
            read_exactly(PROXY_PROTOCOL_V2, made.bytes, made.length, &header);
        bool is_local = bit == 12 * 8; /* 0x20 for 0x21: must be accepted whatever it says */
        bool has_lost_seal = bit / 8 == place - 3; /* now it is a field of another type */
        ck_assert_msg(outcome != PROXY_WHOLE || is_local || has_lost_seal, "bit %zu", bit);
        ck_assert(!is_local || !header.has_client);
    }
}
END_TEST

START_TEST(a_checksum_of_another_size_or_a_second_one_is_bad)
{
    static const char fault[] = "its checksum is not one of four bytes";
    struct made_header made;
    for (size_t length = 0; length < 8; length++) {
        if (length == 4)
            continue;
        begin_ipv4(&made);
        add_tlv(&made, TLV_CHECKSUM, "\0\0\0\0\0\0\0", length);
        expect_made_bad(&made, fault);
    }
    begin_ipv4(&made);
    add_tlv(&made, TLV_CHECKSUM, "\0\0\0\0", 4);
    seal(&made, made.length - 4);
    add_tlv(&made, TLV_CHECKSUM, "\0\0\0\0", 4);
    expect_made_bad(&made, fault);
}
END_TEST

START_TEST(datagrams_and_unknown_families_are_bad)
{
    static const char zeros[216];
    struct made_header made;
    for (unsigned family = 0; family <= 0xff; family++) {
        bool is_known = family == 0x00 || family == 0x11 || family == 0x21 || family == 0x31;
        bool is_datagram = family == 0x12 || family == 0x22 || family == 0x32;
        if (is_known)
            continue;
        begin_header(&made, PROXY, family, zeros, sizeof zeros);
        expect_made_bad(&made, is_datagram ? "it tells of a datagram, but this is a connection"
                                           : "its address family is unknown");
    }
}
END_TEST

START_TEST(only_version_2_and_its_two_commands_are_taken)
{
    struct made_header made;
    for (unsigned command = 0; command <= 0xff; command++) {
        if (command == LOCAL || command == PROXY)
            continue;
        begin_header(&made, command, 0x11, ipv4_ends, 12);
        expect_made_bad(&made, "its version and command are none of 0x20 (LOCAL) and 0x21 (PROXY)");
    }
}
END_TEST

START_TEST(a_header_too_short_for_its_addresses_is_bad)
{
    static const struct {
        unsigned family;
        size_t needed;
    } families[] = {{0x11, 12}, {0x12, 12}, {0x21, 36}, {0x22, 36}, {0x31, 216}, {0x32, 216}};
    static const char zeros[216];
    for (size_t i = 0; i < sizeof families / sizeof *families; i++)
        for (size_t length = 0; length < families[i].needed; length++) {
            struct made_header made;
            begin_header(&made, PROXY, families[i].family, zeros, length);
            expect_made_bad(&made, "it is too short for the addresses of its family");
        }
}
END_TEST

/* --- either -------------------------------------------------------------------------------- */

START_TEST(a_header_of_the_other_version_is_named_as_such)
{
    struct made_header made;
    static const char line[] = "PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\r\n";
    begin_ipv4(&made);
    expect_refused(PROXY_PROTOCOL_V1, made.bytes, made.length, PROXY_BAD,
                   "it is of version 2, and proxy_protocol is v1");
    expect_refused(PROXY_PROTOCOL_V2, line, sizeof line - 1, PROXY_BAD,
                   "it is of version 1, and proxy_protocol is v2");
}
END_TEST

START_TEST(what_is_no_header_is_missing_at_its_first_wrong_byte)
{
    static const char *const texts[] = {"GET / HTTP/1.1\r\n\r\n",
                                        "\x16\x03\x01\x02\x05\x01",
                                        "POST / HTTP/1.1\r\n",
                                        "PROXYTCP4",
                                        "PROXY\tTCP4 ",
                                        "proxy TCP4",
                                        "\r\n\r\nGET / HTTP/1.1",
                                        "\r\n\r\n\r\n",
                                        " PROXY TCP4",
                                        "\n"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        static const char fault[] = "what came first is no PROXY header";
        expect_refused(PROXY_PROTOCOL_V1, texts[i], strlen(texts[i]), PROXY_MISSING, fault);
        expect_refused(PROXY_PROTOCOL_V2, texts[i], strlen(texts[i]), PROXY_MISSING, fault);
    }
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, a_line_tells_who_the_client_is, 0, sizeof v1_good / sizeof *v1_good);
    tcase_add_test(tcase, the_longest_line_is_taken_and_no_longer_one);
    tcase_add_loop_test(tcase, a_line_that_breaks_the_rules_is_bad, 0,
                        sizeof v1_bad / sizeof *v1_bad);
    tcase_add_test(tcase, a_nul_in_an_address_hides_nothing);
    tcase_add_test(tcase, addresses_and_ports_of_connections_are_told);
    tcase_add_test(tcase,
                   who_comes_by_a_unix_socket_or_from_nowhere_known_has_the_socket_s_address);
    tcase_add_test(tcase, a_proxy_that_speaks_for_itself_is_never_wrong);
    tcase_add_test(tcase, what_else_is_told_is_passed_over);
    tcase_add_test(tcase, a_field_that_goes_beyond_the_end_is_bad);
    tcase_add_test(tcase, the_longest_header_is_taken_and_no_longer_one);
    tcase_add_test(tcase, a_checksum_that_fits_is_fine_wherever_it_stands);
    tcase_add_test(tcase, haproxy_s_own_bytes_are_understood);
    tcase_add_test(tcase, a_wrong_bit_anywhere_in_a_sealed_header_is_seen);
    tcase_add_test(tcase, a_checksum_of_another_size_or_a_second_one_is_bad);
    tcase_add_test(tcase, datagrams_and_unknown_families_are_bad);
    tcase_add_test(tcase, only_version_2_and_its_two_commands_are_taken);
    tcase_add_test(tcase, a_header_too_short_for_its_addresses_is_bad);
    tcase_add_test(tcase, a_header_of_the_other_version_is_named_as_such);
    tcase_add_test(tcase, what_is_no_header_is_missing_at_its_first_wrong_byte);
}

CHECK_MAIN("proxy header", add_tests)
