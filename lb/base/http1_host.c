/* SPDX-License-Identifier: Apache-2.0 */
/* host[:port] as Host and absolute targets carry it: DNS names, IPv4 and bracketed IPv6, nothing
 * else. */
#include <arpa/inet.h>

#include "lb/base/http1_scan.h"

/* Letters, digits, "-._"; labels are not empty, but one dot may end the name. */
static bool is_name(struct slice host)
{
    if (host.length == 0 || host.length > DOMAIN_BYTES || host.at[0] == '.')
        return false;
    char before = '\0';
    for (size_t i = 0; i < host.length; i++) {
        char byte = host.at[i];
        if (!byte_is(byte, BYTE_HOST) || (byte == '.' && before == '.'))
            return false;
        before = byte;
    }
    return true;
}

static bool is_bracketed(struct slice host)
{
    char text[INET6_ADDRSTRLEN];
    struct in6_addr address;
    if (host.length < 4 || host.length - 2 >= sizeof text || host.at[host.length - 1] != ']' ||
        memchr(host.at, '\0', host.length))
        return false;
    memcpy(text, host.at + 1, host.length - 2);
    text[host.length - 2] = '\0';
    return inet_pton(AF_INET6, text, &address) == 1;
}

/* 1 … 65535 without leading zeros; an empty one is refused, too. */
static bool read_port(struct slice text, unsigned *ret_port)
{
    unsigned port = 0;
    if (text.length == 0 || text.length > 5 || text.at[0] == '0')
        return false;
    for (size_t i = 0; i < text.length; i++) {
        if (!byte_is_digit(text.at[i]))
            return false;
        port = port * 10 + (unsigned)(text.at[i] - '0');
    }
    *ret_port = port;
    return port <= 65535;
}

bool http_read_authority(struct slice text, struct http_authority *ret_authority)
{
    if (text.length == 0)
        return false;
    const char *end = text.at + text.length;
    bool bracketed = text.at[0] == '[';
    const char *bracket = bracketed ? memchr(text.at, ']', text.length) : NULL;
    const char *after = bracket ? bracket + 1 : text.at;
    const char *colon = memchr(after, ':', (size_t)(end - after));
    struct http_authority authority = {text, slice_between(text.at, colon ? colon : end), 0};
    if (!(bracketed ? is_bracketed(authority.host) : is_name(authority.host)))
        return false;
    if (colon && !read_port(slice_between(colon + 1, end), &authority.port))
        return false;
    *ret_authority = authority;
    return true;
}

bool http_is_authority(struct slice text)
{
    struct http_authority authority;
    return http_read_authority(text, &authority);
}

bool http_is_same_authority(const struct http_authority *one, const struct http_authority *other)
{
    return one->port == other->port && one->host.length == other->host.length &&
           strncasecmp(one->host.at, other->host.at, one->host.length) == 0;
}
