/* SPDX-License-Identifier: Apache-2.0 */
/* What a domain may look like is CLB's and DNS's: labels of letters, digits, `-` and `_`. */
#include "listeners/load/rule_domain.h"

#include <arpa/inet.h>
#include <string.h>

#include "lb/base/arena.h"
#include "lb/base/error.h"
#include "lb/base/regex.h"

enum { LABEL_BYTES = 63, NAME_BYTES = 253 };

static char lower(char byte)
{
    return byte >= 'A' && byte <= 'Z' ? (char)(byte + ('a' - 'A')) : byte;
}

/* "[0:0::1]" in `name` becomes "[::1]"; what is no address stays as it is. */
static size_t shorten_ipv6(char *name, size_t length)
{
    unsigned char address[16];
    if (length < 4 || name[0] != '[' || name[length - 1] != ']')
        return length;
    name[length - 1] = '\0';
    bool is_address = inet_pton(AF_INET6, name + 1, address) == 1;
    name[length - 1] = ']';
    if (!is_address || !inet_ntop(AF_INET6, address, name + 1, RULE_DOMAIN_BYTES - 2))
        return length;
    length = strlen(name);
    name[length++] = ']';
    return length;
}

size_t rule_domain_of_host(struct slice host, char *into)
{
    size_t length = host.length;
    if (length > 0 && host.at[length - 1] == '.')
        length--;
    if (length == 0 || length > NAME_BYTES)
        return 0;
    for (size_t i = 0; i < length; i++)
        into[i] = lower(host.at[i]);
    into[length] = '\0';
    return shorten_ipv6(into, length);
}

static bool is_label_byte(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte == '-' ||
           byte == '_';
}

static bool label_check(struct slice label, const char *name, struct error *err)
{
    if (label.length == 0)
        return error_set(err, "domain \"%s\" has an empty label: write it like www.example.com",
                         name);
    if (label.length > LABEL_BYTES)
        return error_set(err, "domain \"%s\": the label \"%.*s\" is longer than %d bytes", name,
                         (int)label.length, label.at, LABEL_BYTES);
    if (label.at[0] == '-' || label.at[label.length - 1] == '-')
        return error_set(err,
                         "domain \"%s\": the label \"%.*s\" begins or ends with \"-\", which no "
                         "host name's does",
                         name, (int)label.length, label.at);
    for (size_t i = 0; i < label.length; i++)
        if (!is_label_byte(label.at[i]))
            return error_set(err,
                             "domain \"%s\" holds \"%c\": letters, digits, \"-\", \"_\" and dots "
                             "between labels make a domain",
                             name, label.at[i]);
    return true;
}

/* The labels of `name` but for the "*" of a wildcard. */
static bool labels_check(const char *name, struct error *err)
{
    const char *from = strncmp(name, "*.", 2) == 0 ? name + 2 : name;
    for (;;) {
        size_t length = strcspn(from, ".");
        if (!label_check((struct slice){from, length}, name, err))
            return false;
        from += length;
        if (*from == '\0' || strcmp(from, ".*") == 0)
            return true;
        from++;
    }
}

static bool has_only(const char *text, const char *bytes)
{
    return text[strspn(text, bytes)] == '\0';
}

static bool address_check(const char *name, struct error *err)
{
    unsigned char address[16];
    char inside[RULE_DOMAIN_BYTES];
    size_t length = strlen(name);
    if (name[0] != '[') {
        if (inet_pton(AF_INET, name, address) == 1)
            return true;
        return error_set(err, "domain \"%s\" is no IPv4 address: write it like 192.0.2.10", name);
    }
    if (name[length - 1] == ']') {
        memcpy(inside, name + 1, length - 2);
        inside[length - 2] = '\0';
        if (inet_pton(AF_INET6, inside, address) == 1)
            return true;
    }
    return error_set(err, "domain \"%s\" is no IPv6 address: write it like [2001:db8::10]", name);
}

/* What people write instead of a host name. Fails with what they meant. */
static bool shape_check(const char *name, struct error *err)
{
    unsigned char address[16];
    for (const char *at = name; *at; at++)
        if ((unsigned char)*at >= 0x80)
            return error_set(err,
                             "domain \"%s\" holds letters outside ASCII: write the name as it "
                             "stands in DNS (punycode, xn--…)",
                             name);
    if (strchr(name, '/'))
        return error_set(
            err, "domain \"%s\" is a URL: write the host name here, and the path as url", name);
    if (inet_pton(AF_INET6, name, address) == 1)
        return error_set(err, "domain \"%s\" is an IPv6 address: write it in brackets, [%s]", name,
                         name);
    if (name[0] != '[' && strchr(name, ':'))
        return error_set(err,
                         "domain \"%s\" has a port: write the name alone, %.*s; the listener's "
                         "address has the port",
                         name, (int)strcspn(name, ":"), name);
    return true;
}

static bool wildcard_check(const char *name, struct error *err)
{
    if (strcmp(name, "*") == 0)
        return error_set(err,
                         "domain \"*\": leave domain out for a rule that serves every other host");
    const char *star = strchr(name, '*');
    size_t length = strlen(name);
    bool begins = star == name && name[1] == '.' && length > 2;
    bool ends = star && star[1] == '\0' && length > 2 && star[-1] == '.';
    if (star && (strchr(star + 1, '*') || !(begins || ends)))
        return error_set(
            err,
            "domain \"%s\": \"*\" stands once, for whole labels at the beginning or at "
            "the end, as in *.example.com or www.example.*",
            name);
    return true;
}

/* `name` is in the form that is compared already. */
static bool name_check(const char *name, struct error *err)
{
    if (!shape_check(name, err) || !wildcard_check(name, err))
        return false;
    const char *last = strrchr(name, '.');
    last = last ? last + 1 : name;
    if (name[0] == '[' || (*last && has_only(last, "0123456789")))
        return address_check(name, err);
    if (name[0] == '_')
        return error_set(err, "domain \"%s\" begins with \"_\", which no host name does", name);
    return labels_check(name, err);
}

/* "~" and the expression: text that is compared with names, not a name. */
static bool regex_parse(const char *text, const char **ret_pattern, struct arena *arena,
                        struct error *err)
{
    const char *expression = text + 1 + strspn(text + 1, " \t");
    if (*expression == '\0')
        return error_set(err,
                         "domain \"%s\" has no regular expression: write one, as in "
                         "~^www[0-9]+\\.example\\.com$",
                         text);
    if (!regex_check(expression, REGEX_ANY_CASE, err))
        return false;
    *ret_pattern = arena_format(arena, "~%s", expression);
    return true;
}

enum rule_domain_kind rule_domain_kind_of(const char *pattern)
{
    if (*pattern == '\0')
        return RULE_DOMAIN_ANY;
    if (*pattern == '~')
        return RULE_DOMAIN_REGEX;
    if (*pattern == '*')
        return RULE_DOMAIN_SUFFIX;
    return pattern[strlen(pattern) - 1] == '*' ? RULE_DOMAIN_PREFIX : RULE_DOMAIN_NAME;
}

bool rule_domain_parse(const char *text, const char **ret_pattern, struct arena *arena,
                       struct error *err)
{
    char name[RULE_DOMAIN_BYTES];
    if (text[0] == '~')
        return regex_parse(text, ret_pattern, arena, err);
    size_t length = rule_domain_of_host(slice_of(text), name);
    if (length == 0)
        return error_set(err, "domain \"%.60s\" is no host name: it has 1 to %d bytes", text,
                         NAME_BYTES);
    name[length] = '\0';
    if (!name_check(name, err))
        return false;
    *ret_pattern = arena_copy(arena, name);
    return true;
}
