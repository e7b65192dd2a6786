/* SPDX-License-Identifier: Apache-2.0 */
/* See network.h. Networks are prefixes, so two of them are disjoint or one lies in the other:
 * merged and in order they are searched by halving. */
#include "lb/base/network.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { IPV4_BITS = 32, IPV6_BITS = 128, HOST_BYTES = 64 };

/* --- points -------------------------------------------------------------------------------- */

static uint64_t number_of(const unsigned char *bytes, size_t count)
{
    uint64_t number = 0;
    for (size_t i = 0; i < count; i++)
        number = number << 8 | bytes[i];
    return number;
}

static struct network_point point_of_ipv4(const struct in_addr *address)
{
    unsigned char bytes[4];
    memcpy(bytes, address, sizeof bytes);
    return (struct network_point){0, number_of(bytes, sizeof bytes)};
}

static struct network_point point_of_ipv6(const struct in6_addr *address)
{
    return (struct network_point){number_of(address->s6_addr, 8),
                                  number_of(address->s6_addr + 8, 8)};
}

static bool is_before(struct network_point one, struct network_point other)
{
    return one.high < other.high || (one.high == other.high && one.low < other.low);
}

/* The point with the lowest `bits` (0 to 128) of it set, or cleared. */
static struct network_point fill(struct network_point point, unsigned bits, bool set)
{
    uint64_t low = bits >= 64 ? UINT64_MAX : (UINT64_C(1) << bits) - 1;
    uint64_t high = bits >= IPV6_BITS ? UINT64_MAX
                    : bits > 64       ? (UINT64_C(1) << (bits - 64)) - 1
                                      : 0;
    if (set)
        return (struct network_point){point.high | high, point.low | low};
    return (struct network_point){point.high & ~high, point.low & ~low};
}

static unsigned host_bits(const struct network *network)
{
    return (network->is_ipv6 ? IPV6_BITS : IPV4_BITS) - network->prefix_bits;
}

/* --- text ---------------------------------------------------------------------------------- */

static void put(unsigned char *into, uint64_t number, size_t count)
{
    while (count-- > 0) {
        into[count] = (unsigned char)number;
        number >>= 8;
    }
}

static void write_host(const struct network *network, char *into)
{
    unsigned char bytes[16];
    if (network->is_ipv6) {
        put(bytes, network->first.high, 8);
        put(bytes + 8, network->first.low, 8);
    } else {
        put(bytes, network->first.low, 4);
    }
    inet_ntop(network->is_ipv6 ? AF_INET6 : AF_INET, bytes, into, INET6_ADDRSTRLEN);
}

const char *network_write(const struct network *network, char *into)
{
    char host[INET6_ADDRSTRLEN] = "";
    write_host(network, host);
    snprintf(into, NETWORK_TEXT_BYTES, "%s/%u", host, network->prefix_bits);
    return into;
}

/* 255.255.0.0 as 16; -1: no netmask. */
static int bits_of_netmask(const char *text)
{
    struct in_addr mask;
    if (inet_pton(AF_INET, text, &mask) != 1)
        return -1;
    uint64_t hosts = UINT32_MAX - point_of_ipv4(&mask).low;
    if ((hosts & (hosts + 1)) != 0)
        return -1;
    int bits = IPV4_BITS;
    for (; hosts > 0; hosts >>= 1)
        bits--;
    return bits;
}

static bool parse_prefix(struct network *network, const char *host, const char *digits,
                         struct error *err)
{
    unsigned most = network->is_ipv6 ? IPV6_BITS : IPV4_BITS;
    size_t length = strlen(digits);
    int mask_bits = network->is_ipv6 ? -1 : bits_of_netmask(digits);
    if (mask_bits >= 0)
        return error_set(err, "%s/%s has a netmask: write %s/%d", host, digits, host, mask_bits);
    bool is_number =
        length > 0 && strspn(digits, "0123456789") == length && (digits[0] != '0' || length == 1);
    unsigned long bits = is_number && length <= 3 ? strtoul(digits, NULL, 10) : most + 1UL;
    if (bits > most)
        return error_set(err,
                         "\"%s\" in \"%s/%s\" is no prefix: write a number of bits from 0 to %u",
                         digits, host, digits, most);
    network->prefix_bits = (unsigned)bits;
    return true;
}

/* What somebody wrote who wrote neither an IPv4 nor an IPv6 address. */
static bool refuse_host(const char *host, const char *text, struct error *err)
{
    const char *colon = strchr(host, ':');
    struct in_addr ipv4;
    char before[INET_ADDRSTRLEN] = "";
    if (host[0] == '\0')
        return error_set(err, "\"%s\" has no address: write 10.0.0.0/8 or 2001:db8::/32", text);
    if (host[0] == '[')
        return error_set(err, "%s has brackets: write a network without them, as 2001:db8::/32",
                         text);
    if (strchr(host, '%'))
        return error_set(err, "%s has a zone, which networks do not have: write it without the %%",
                         text);
    if (colon && colon - host < INET_ADDRSTRLEN)
        memcpy(before, host, (size_t)(colon - host));
    if (inet_pton(AF_INET, before, &ipv4) == 1)
        return error_set(err, "%s has a port, which networks do not have: write %s", text, before);
    return error_set(err,
                     "\"%s\" in \"%s\" is no IPv4 or IPv6 address: write 10.0.0.0/8 or "
                     "2001:db8::/32, or a single address (names are not looked up)",
                     host, text);
}

static bool parse_host(struct network *network, const char *host, const char *text,
                       struct error *err)
{
    struct in_addr ipv4;
    struct in6_addr ipv6;
    if (inet_pton(AF_INET, host, &ipv4) == 1)
        *network = (struct network){false, IPV4_BITS, point_of_ipv4(&ipv4)};
    else if (inet_pton(AF_INET6, host, &ipv6) == 1)
        *network = (struct network){true, IPV6_BITS, point_of_ipv6(&ipv6)};
    else
        return refuse_host(host, text, err);
    return true;
}

static bool refuse_host_bits(const struct network *network, const struct network *right,
                             struct error *err)
{
    char host[INET6_ADDRSTRLEN] = "";
    char written[NETWORK_TEXT_BYTES];
    write_host(network, host);
    return error_set(err,
                     "%s/%u has bits set behind its prefix: write %s for the network, or %s for "
                     "this address alone",
                     host, network->prefix_bits, network_write(right, written), host);
}

/* ::ffff:10.0.0.0/104 is 10.0.0.0/8: clients that come by it are IPv4, too. */
static void unmap(struct network *network)
{
    const uint64_t mapped = UINT64_C(0xffff) << IPV4_BITS;
    enum { MAPPED_BITS = IPV6_BITS - IPV4_BITS };
    if (!network->is_ipv6 || network->prefix_bits < MAPPED_BITS || network->first.high != 0 ||
        (network->first.low & ~(uint64_t)UINT32_MAX) != mapped)
        return;
    network->is_ipv6 = false;
    network->prefix_bits -= MAPPED_BITS;
    network->first.low &= UINT32_MAX;
}

bool network_parse(struct network *ret_network, const char *text, struct error *err)
{
    struct network network;
    char host[HOST_BYTES];
    size_t host_length = strcspn(text, "/");
    if (strpbrk(text, ",;"))
        return error_set(err,
                         "\"%.*s\" is no network: put blanks between networks, no commas, as in "
                         "\"10.0.0.0/8 2001:db8::/32\"",
                         HOST_BYTES, text);
    if (host_length >= sizeof host)
        return error_set(err,
                         "\"%.*s...\" is too long for an address: write 10.0.0.0/8 or "
                         "2001:db8::/32",
                         HOST_BYTES / 2, text);
    memcpy(host, text, host_length);
    host[host_length] = '\0';
    if (!parse_host(&network, host, text, err))
        return false;
    if (text[host_length] == '/' && !parse_prefix(&network, host, text + host_length + 1, err))
        return false;
    struct network right = network;
    right.first = fill(network.first, host_bits(&network), false);
    if (is_before(right.first, network.first))
        return refuse_host_bits(&network, &right, err);
    unmap(&network);
    *ret_network = network;
    return true;
}

/* --- sets ---------------------------------------------------------------------------------- */

static int by_first(const void *one, const void *other)
{
    const struct network_range *left = one;
    const struct network_range *right = other;
    return is_before(right->first, left->first) - is_before(left->first, right->first);
}

/* Does `next`, which does not begin before `range`, begin in it or right behind it? */
static bool goes_on(const struct network_range *range, const struct network_range *next)
{
    if (!is_before(range->last, next->first))
        return true;
    uint64_t low = range->last.low + 1;
    uint64_t high = range->last.high + (low == 0);
    return next->first.low == low && next->first.high == high;
}

static void merge(struct network_ranges *ranges)
{
    if (ranges->count == 0)
        return;
    qsort(ranges->items, ranges->count, sizeof *ranges->items, by_first);
    struct network_range *last = ranges->items;
    for (size_t i = 1; i < ranges->count; i++) {
        struct network_range *next = &ranges->items[i];
        if (!goes_on(last, next))
            *++last = *next;
        else if (is_before(last->last, next->last))
            last->last = next->last;
    }
    ranges->count = (size_t)(last - ranges->items) + 1;
}

void network_set_make(struct network_set *ret_set, const struct network *networks, size_t count,
                      struct arena *arena)
{
    struct network_set set = {0};
    set.ipv4.items = arena_alloc(arena, (count + 1) * sizeof *set.ipv4.items);
    set.ipv6.items = arena_alloc(arena, (count + 1) * sizeof *set.ipv6.items);
    for (size_t i = 0; i < count; i++) {
        struct network_ranges *ranges = networks[i].is_ipv6 ? &set.ipv6 : &set.ipv4;
        struct network_point first = networks[i].first;
        ranges->items[ranges->count++] =
            (struct network_range){first, fill(first, host_bits(&networks[i]), true)};
    }
    merge(&set.ipv4);
    merge(&set.ipv6);
    *ret_set = set;
}

static bool has_point(const struct network_ranges *ranges, struct network_point point)
{
    size_t from = 0;
    size_t behind = ranges->count;
    while (from < behind) {
        size_t middle = from + (behind - from) / 2;
        const struct network_range *range = &ranges->items[middle];
        if (is_before(point, range->first))
            behind = middle;
        else if (is_before(range->last, point))
            from = middle + 1;
        else
            return true;
    }
    return false;
}

bool network_set_has(const struct network_set *set, const struct address *address)
{
    const void *storage = &address->storage;
    if (address->storage.ss_family == AF_INET) {
        const struct sockaddr_in *ipv4 = storage;
        return has_point(&set->ipv4, point_of_ipv4(&ipv4->sin_addr));
    }
    if (address->storage.ss_family == AF_INET6) {
        const struct sockaddr_in6 *ipv6 = storage;
        return has_point(&set->ipv6, point_of_ipv6(&ipv6->sin6_addr));
    }
    return false;
}

/* As address_set() does: IPv4 that came mapped is IPv4. address_host() writes it so already. */
bool network_set_has_text(const struct network_set *set, const char *host)
{
    struct in_addr ipv4;
    struct in6_addr ipv6;
    char bare[INET6_ADDRSTRLEN];
    if (inet_pton(AF_INET, host, &ipv4) == 1)
        return has_point(&set->ipv4, point_of_ipv4(&ipv4));
    size_t length = strcspn(host, "%"); /* a link-local address has its zone behind it */
    if (length >= sizeof bare)
        return false;
    memcpy(bare, host, length);
    bare[length] = '\0';
    return inet_pton(AF_INET6, bare, &ipv6) == 1 && has_point(&set->ipv6, point_of_ipv6(&ipv6));
}
