/* SPDX-License-Identifier: Apache-2.0 */
/* See proxy_header.h. Version 1 is a line of text, version 2 is binary. */
#include "listeners/proxy/proxy_header.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <string.h>

#include "lb/base/slice.h"

/* The last byte of each initialiser is its NUL, which belongs to neither. */
static const char v1_start[] = "PROXY ";
static const char v2_start[] = "\r\n\r\n\0\r\nQUIT\n";
enum { V1_START_BYTES = sizeof v1_start - 1, V2_START_BYTES = sizeof v2_start - 1 };

/* Faults say them in words. */
_Static_assert(PROXY_V1_BYTES == 107 && PROXY_HEADER_BYTES == 4096, "see the faults below");

static enum proxy_outcome refuse(struct proxy_header *header, const char *fault)
{
    header->fault = fault;
    header->has_client = false;
    return PROXY_BAD;
}

/* --- version 1 ----------------------------------------------------------------------------- */

struct v1_address {
    struct sockaddr_storage storage;
    socklen_t length;
};

/* The word up to the next blank or the end; the blank is dropped with it. */
static struct slice take_word(struct slice *line)
{
    const char *blank = memchr(line->at, ' ', line->length);
    size_t length = blank ? (size_t)(blank - line->at) : line->length;
    size_t taken = blank ? length + 1 : length;
    struct slice word = {line->at, length};
    *line = (struct slice){line->at + taken, line->length - taken};
    return word;
}

static bool read_v1_host(struct slice word, int family, struct v1_address *address)
{
    char text[INET6_ADDRSTRLEN];
    struct sockaddr_in *ipv4 = (void *)&address->storage;
    struct sockaddr_in6 *ipv6 = (void *)&address->storage;
    if (word.length >= sizeof text || memchr(word.at, '\0', word.length))
        return false;
    memcpy(text, word.at, word.length);
    text[word.length] = '\0';
    address->storage.ss_family = (sa_family_t)family;
    address->length = family == AF_INET ? sizeof *ipv4 : sizeof *ipv6;
    return inet_pton(family, text,
                     family == AF_INET ? (void *)&ipv4->sin_addr : (void *)&ipv6->sin6_addr) == 1;
}

/* Leading zeros are not allowed, so that nobody takes them for octal. */
static bool read_v1_port(struct slice word, uint16_t *ret_port)
{
    unsigned port = 0;
    if (word.length == 0 || word.length > 5 || (word.at[0] == '0' && word.length > 1))
        return false;
    for (size_t i = 0; i < word.length; i++) {
        if (word.at[i] < '0' || word.at[i] > '9')
            return false;
        port = port * 10 + (unsigned)(word.at[i] - '0');
    }
    *ret_port = (uint16_t)port;
    return port <= UINT16_MAX;
}

static void set_client(struct proxy_header *header, struct sockaddr_storage *storage,
                       socklen_t length, uint16_t port, uint16_t local_port)
{
    if (storage->ss_family == AF_INET)
        ((struct sockaddr_in *)(void *)storage)->sin_port = htons(port);
    else
        ((struct sockaddr_in6 *)(void *)storage)->sin6_port = htons(port);
    address_set(&header->client, (struct sockaddr *)storage, length);
    header->local_port = local_port;
    header->has_client = true;
}

/* "SOURCE DESTINATION SOURCE-PORT DESTINATION-PORT", one blank between. */
static enum proxy_outcome read_v1_ends(struct slice line, int family, struct proxy_header *header)
{
    struct v1_address source = {.length = 0};
    struct v1_address destination;
    uint16_t source_port, destination_port;
    if (!read_v1_host(take_word(&line), family, &source))
        return refuse(header, "its source is no address of the family it names");
    if (!read_v1_host(take_word(&line), family, &destination))
        return refuse(header, "its destination is no address of the family it names");
    if (!read_v1_port(take_word(&line), &source_port) || !read_v1_port(line, &destination_port))
        return refuse(header, "it does not end with two ports");
    set_client(header, &source.storage, source.length, source_port, destination_port);
    return PROXY_WHOLE;
}

static enum proxy_outcome read_v1_line(struct slice line, struct proxy_header *header)
{
    struct slice family = take_word(&line);
    if (slice_is(family, "UNKNOWN")) /* what follows says nothing */
        return PROXY_WHOLE;
    if (slice_is(family, "TCP4"))
        return read_v1_ends(line, AF_INET, header);
    if (slice_is(family, "TCP6"))
        return read_v1_ends(line, AF_INET6, header);
    return refuse(header, "its family is none of TCP4, TCP6 and UNKNOWN");
}

static enum proxy_outcome read_v1(struct slice bytes, struct proxy_header *header)
{
    size_t most = bytes.length < PROXY_V1_BYTES ? bytes.length : PROXY_V1_BYTES;
    const char *end = memchr(bytes.at, '\n', most);
    if (!end && bytes.length >= PROXY_V1_BYTES)
        return refuse(header, "its line is longer than 107 bytes");
    if (!end)
        return PROXY_PARTIAL;
    if (end[-1] != '\r')
        return refuse(header, "its line does not end with CR LF");
    header->length = (size_t)(end - bytes.at) + 1;
    return read_v1_line(
        (struct slice){bytes.at + V1_START_BYTES, header->length - V1_START_BYTES - 2}, header);
}

/* --- version 2 ----------------------------------------------------------------------------- */

enum {
    V2_FIXED_BYTES = 16, /* the start, version and command, family, the length of what follows */
    V2_COMMAND_LOCAL = 0x20,
    V2_COMMAND_PROXY = 0x21,
    V2_CHECKSUM = 0x03, /* the type of a TLV */
    V2_CHECKSUM_BYTES = 4,
    TLV_START_BYTES = 3, /* type and length */
};

enum v2_family {
    V2_UNSPEC = 0x00,
    V2_TCP4 = 0x11,
    V2_UDP4 = 0x12,
    V2_TCP6 = 0x21,
    V2_UDP6 = 0x22,
    V2_UNIX_STREAM = 0x31,
    V2_UNIX_DATAGRAM = 0x32,
};

static unsigned byte_at(struct slice bytes, size_t at)
{
    return (unsigned char)bytes.at[at];
}

static uint16_t number_at(struct slice bytes, size_t at)
{
    return (uint16_t)(byte_at(bytes, at) << 8 | byte_at(bytes, at + 1));
}

/* CRC-32C (RFC 3720, B.4), four bits at a time: headers are short. */
static uint32_t checksum_add(uint32_t sum, unsigned byte)
{
    // clang-format off
    static const uint32_t steps[16] = {
        0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
        0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9, 0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
    };
    // clang-format on
    sum ^= byte;
    sum = sum >> 4 ^ steps[sum & 15];
    return sum >> 4 ^ steps[sum & 15];
}

/* The sum was made while its own place held zeros. */
static bool checksum_fits(struct slice header, size_t place)
{
    uint32_t sum = UINT32_MAX;
    for (size_t i = 0; i < header.length; i++) {
        bool is_own = i >= place && i < place + V2_CHECKSUM_BYTES;
        sum = checksum_add(sum, is_own ? 0 : byte_at(header, i));
    }
    uint32_t said = (uint32_t)number_at(header, place) << 16 | number_at(header, place + 2);
    return said == ~sum;
}

/* What follows the addresses. Only the checksum is looked at; what else is told is passed over. */
static enum proxy_outcome read_v2_tlvs(struct slice whole, size_t at, struct proxy_header *header)
{
    size_t checksum_at = 0;
    while (at < whole.length) {
        size_t left = whole.length - at;
        if (left < TLV_START_BYTES || number_at(whole, at + 1) > left - TLV_START_BYTES)
            return refuse(header, "its last field goes beyond its end");
        size_t length = number_at(whole, at + 1);
        if (byte_at(whole, at) == V2_CHECKSUM) {
            if (length != V2_CHECKSUM_BYTES || checksum_at != 0)
                return refuse(header, "its checksum is not one of four bytes");
            checksum_at = at + TLV_START_BYTES;
        }
        at += TLV_START_BYTES + length;
    }
    if (checksum_at != 0 && !checksum_fits(whole, checksum_at))
        return refuse(header, "its checksum is wrong");
    return PROXY_WHOLE;
}

static void set_tcp4(struct slice addresses, struct proxy_header *header)
{
    struct sockaddr_storage storage = {.ss_family = AF_INET};
    struct sockaddr_in *ipv4 = (void *)&storage;
    memcpy(&ipv4->sin_addr, addresses.at, 4);
    set_client(header, &storage, sizeof *ipv4, number_at(addresses, 8), number_at(addresses, 10));
}

static void set_tcp6(struct slice addresses, struct proxy_header *header)
{
    struct sockaddr_storage storage = {.ss_family = AF_INET6};
    struct sockaddr_in6 *ipv6 = (void *)&storage;
    memcpy(&ipv6->sin6_addr, addresses.at, 16);
    set_client(header, &storage, sizeof *ipv6, number_at(addresses, 32), number_at(addresses, 34));
}

/* How many bytes the addresses of a family take: source, destination, their ports. */
static size_t address_bytes(enum v2_family family)
{
    switch (family) {
    case V2_UNSPEC:
        return 0;
    case V2_TCP4:
    case V2_UDP4:
        return 2 * 4 + 2 * 2;
    case V2_TCP6:
    case V2_UDP6:
        return 2 * 16 + 2 * 2;
    case V2_UNIX_STREAM:
    case V2_UNIX_DATAGRAM:
        return 2 * 108;
    }
    return 0;
}

static enum proxy_outcome read_v2_client(struct slice whole, struct proxy_header *header)
{
    enum v2_family family = (enum v2_family)byte_at(whole, 13);
    struct slice behind = {whole.at + V2_FIXED_BYTES, whole.length - V2_FIXED_BYTES};
    size_t addresses = address_bytes(family);
    if (behind.length < addresses)
        return refuse(header, "it is too short for the addresses of its family");
    switch (family) {
    case V2_UNSPEC: /* nobody knows what follows: its bytes are passed over */
        return PROXY_WHOLE;
    case V2_TCP4:
        set_tcp4(behind, header);
        break;
    case V2_TCP6:
        set_tcp6(behind, header);
        break;
    case V2_UNIX_STREAM:
        break;
    case V2_UDP4:
    case V2_UDP6:
    case V2_UNIX_DATAGRAM:
        return refuse(header, "it tells of a datagram, but this is a connection");
    default:
        return refuse(header, "its address family is unknown");
    }
    return read_v2_tlvs(whole, V2_FIXED_BYTES + addresses, header);
}

static enum proxy_outcome read_v2(struct slice bytes, struct proxy_header *header)
{
    if (bytes.length < V2_FIXED_BYTES)
        return PROXY_PARTIAL;
    unsigned command = byte_at(bytes, 12);
    size_t length = V2_FIXED_BYTES + (size_t)number_at(bytes, 14);
    if (command != V2_COMMAND_LOCAL && command != V2_COMMAND_PROXY)
        return refuse(header, "its version and command are none of 0x20 (LOCAL) and 0x21 (PROXY)");
    if (length > PROXY_HEADER_BYTES)
        return refuse(header, "it is longer than 4096 bytes");
    if (bytes.length < length)
        return PROXY_PARTIAL;
    header->length = length;
    /* LOCAL: whatever else stands in it has no meaning and must be accepted. */
    return command == V2_COMMAND_LOCAL ? PROXY_WHOLE
                                       : read_v2_client((struct slice){bytes.at, length}, header);
}

/* --- either -------------------------------------------------------------------------------- */

/* Do the bytes agree with this start as far as both go? */
static bool may_be(struct slice bytes, const char *start, size_t start_bytes)
{
    return memcmp(bytes.at, start, bytes.length < start_bytes ? bytes.length : start_bytes) == 0;
}

enum proxy_outcome proxy_header_read(enum proxy_protocol version, const char *bytes, size_t length,
                                     struct proxy_header *ret_header)
{
    struct slice all = {bytes, length};
    bool is_v1 = length > 0 && may_be(all, v1_start, V1_START_BYTES);
    bool is_v2 = length > 0 && may_be(all, v2_start, V2_START_BYTES);
    ret_header->length = 0;
    ret_header->has_client = false;
    ret_header->fault = NULL;
    if (length == 0)
        return PROXY_PARTIAL;
    if (!is_v1 && !is_v2) {
        ret_header->fault = "what came first is no PROXY header";
        return PROXY_MISSING;
    }
    if (length < (is_v1 ? V1_START_BYTES : V2_START_BYTES))
        return PROXY_PARTIAL;
    if (is_v1 != (version == PROXY_PROTOCOL_V1))
        return refuse(ret_header, is_v1 ? "it is of version 1, and proxy_protocol is v2"
                                        : "it is of version 2, and proxy_protocol is v1");
    return is_v1 ? read_v1(all, ret_header) : read_v2(all, ret_header);
}
