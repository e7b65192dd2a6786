/* SPDX-License-Identifier: Apache-2.0 */
/*
 * In the form that is compared a `*` is the byte STAR, which no name holds. A name is cut where its
 * kind divides names, the pattern likewise, and part is held against part: so no `*` reaches over
 * such a border.
 */
#include "listeners/allow/name_pattern.h"

#include <ctype.h>
#include <openssl/sha.h>
#include <string.h>

#include "lb/base/arena.h"
#include "lb/base/error.h"
#include "lb/base/limits.h"
#include "lb/base/nearest.h"
#include "lb/base/utf8.h"
#include "listeners/allow/issuer_pattern.h"

enum { STAR = 1, DIGEST_DIGITS = 2 * SHA256_DIGEST_LENGTH, WORD_BYTES = 16 };

static const char *const words[NAME_KIND_COUNT] = {"cn",     "ou",     "dns",  "uri",      "email",
                                                   "issuer", "sha256", "spki", "client-id"};
static const char all_words[] =
    "cn:, ou:, dns:, uri:, email:, issuer:, sha256:, spki: and client-id:";

static bool is_digest(enum name_kind kind)
{
    return kind == NAME_SHA256 || kind == NAME_SPKI;
}

/* IA5String in certificates. */
static bool is_ascii_kind(enum name_kind kind)
{
    return kind == NAME_DNS || kind == NAME_URI || kind == NAME_EMAIL;
}

static char lower(char byte)
{
    return byte >= 'A' && byte <= 'Z' ? (char)(byte + ('a' - 'A')) : byte;
}

/* --- the form that is compared ---------------------------------------------------------------- */

static bool is_visible(struct slice text)
{
    for (size_t i = 0; i < text.length;) {
        size_t step = utf8_length(text.at + i, text.length - i);
        if (step == 0 || utf8_is_hidden(text.at + i, step))
            return false;
        i += step;
    }
    return true;
}

static bool is_ascii(struct slice text)
{
    for (size_t i = 0; i < text.length; i++)
        if ((unsigned char)text.at[i] >= 0x80)
            return false;
    return true;
}

static bool has_empty_label(struct slice name)
{
    return name.at[0] == '.' || name.at[name.length - 1] == '.' ||
           memmem(name.at, name.length, "..", 2);
}

/* In place; where letters' case does not count. */
static void lower_case(enum name_kind kind, char *text, size_t length)
{
    const char *at_sign = kind == NAME_EMAIL ? memrchr(text, '@', length) : NULL;
    size_t from = kind == NAME_DNS || is_digest(kind) ? 0
                  : at_sign                           ? (size_t)(at_sign - text)
                                                      : length;
    for (size_t i = from; i < length; i++)
        text[i] = lower(text[i]);
}

bool name_normalise(enum name_kind kind, struct slice name, char *into)
{
    if (name.length == 0 || name.length > ALLOWED_NAME_BYTES || !is_visible(name) ||
        (is_ascii_kind(kind) && !is_ascii(name)) || (kind == NAME_DNS && has_empty_label(name)))
        return false;
    memcpy(into, name.at, name.length);
    lower_case(kind, into, name.length);
    return true;
}

/* --- parsing ---------------------------------------------------------------------------------- */

static bool kind_parse(const char *text, size_t length, enum name_kind *ret_kind, struct error *err)
{
    char word[WORD_BYTES];
    if (length < sizeof word) {
        memcpy(word, text, length);
        word[length] = '\0';
        struct nearest nearest = nearest_to(word);
        for (unsigned i = 0; i < NAME_KIND_COUNT; i++) {
            *ret_kind = (enum name_kind)i;
            if (strcmp(words[i], word) == 0)
                return true;
            nearest_offer(&nearest, words[i]);
        }
        if (nearest.best)
            return error_set(err, "allow_client \"%s\": there is no \"%s:\", did you mean \"%s:\"?",
                             text, word, nearest.best);
    }
    return error_set(err, "allow_client \"%s\": \"%.*s:\" is none of %s", text, (int)length, text,
                     all_words);
}

static bool digest_read(struct name_pattern *pattern, const char *value, char *into,
                        struct error *err)
{
    const char *word = words[pattern->kind];
    size_t length = 0;
    for (const char *at = value; *at; at++) {
        if (*at == ':')
            continue;
        if (!isxdigit((unsigned char)*at))
            return error_set(err,
                             "allow_client %s: \"%s\" holds \"%c\": a SHA-256 is %d hex digits, "
                             "with or without colons, and \"*\" stands for none of them",
                             word, value, *at, DIGEST_DIGITS);
        into[length++] = lower(*at);
    }
    if (length != DIGEST_DIGITS)
        return error_set(err, "allow_client %s: \"%s\" has %zu hex digits: a SHA-256 has %d", word,
                         value, length, DIGEST_DIGITS);
    pattern->text = (struct slice){into, length};
    return true;
}

/* Stars and what is escaped; a distinguished name keeps its own escapes. */
static void value_read(struct name_pattern *pattern, const char *value, char *into)
{
    size_t length = 0;
    for (const char *at = value; *at; at++) {
        bool is_escape = *at == '\\' && (at[1] == '*' || at[1] == '\\');
        if (*at == '*') {
            pattern->has_star = true;
            into[length++] = STAR;
            continue;
        }
        if (is_escape && pattern->kind == NAME_ISSUER && at[1] == '\\')
            into[length++] = *at;
        at += is_escape;
        into[length++] = *at;
    }
    lower_case(pattern->kind, into, length);
    pattern->text = (struct slice){into, length};
}

static bool dns_check(const char *value, struct error *err)
{
    for (const char *at = value; *at; at++)
        if (!isalnum((unsigned char)*at) && !strchr("-_.*\\", *at))
            return error_set(err,
                             "allow_client dns: \"%s\" holds \"%c\": letters, digits, \"-\", \"_\" "
                             "and dots make a DNS name (an international one is written xn--…)",
                             value, *at);
    if (value[0] == '.' || value[strlen(value) - 1] == '.' || strstr(value, ".."))
        return error_set(err,
                         "allow_client dns: \"%s\" has an empty label: write it like "
                         "www.example.com, or *.example.com for one label more",
                         value);
    return true;
}

static bool value_check(enum name_kind kind, const char *value, struct arena *arena,
                        struct error *err)
{
    if (!is_visible(slice_of(value)))
        return error_set(err,
                         "allow_client %s: a control character or a byte that is no UTF-8 stands "
                         "in the name, and no certificate with one is let in",
                         words[kind]);
    if (kind == NAME_DNS)
        return dns_check(value, err);
    if (kind == NAME_ISSUER)
        return issuer_pattern_check(value, arena, err);
    if (is_ascii_kind(kind) && !is_ascii(slice_of(value)))
        return error_set(err,
                         "allow_client %s: \"%s\" is not ASCII, and certificates hold no other: "
                         "write %s",
                         words[kind], value,
                         kind == NAME_URI ? "it percent-encoded" : "its domain as xn--…");
    if (kind == NAME_EMAIL && !strchr(value, '@'))
        return error_set(err,
                         "allow_client email: \"%s\" has no \"@\": write an address, or "
                         "*@example.com for all of a domain",
                         value);
    if (kind == NAME_URI && !strchr(value, ':') && !strchr(value, '*'))
        return error_set(err,
                         "allow_client uri: \"%s\" has no scheme: write all of the URI, as in "
                         "spiffe://example.org/ns/web",
                         value);
    return true;
}

/* "cn:bob" of "alice cn:bob": what begins another pattern behind a blank; NULL: nothing does. */
static const char *second_pattern(const char *value)
{
    for (const char *at = value; (at = strpbrk(at, " \t"));) {
        at += strspn(at, " \t");
        size_t length = strcspn(at, ": \t");
        for (unsigned i = 0; i < NAME_KIND_COUNT && at[length] == ':'; i++)
            if (at != value + strspn(value, " \t") && strlen(words[i]) == length &&
                strncmp(words[i], at, length) == 0)
                return at;
    }
    return NULL;
}

bool name_pattern_parse(struct name_pattern *ret_pattern, const char *text, struct arena *arena,
                        struct error *err)
{
    const char *colon = strchr(text, ':');
    struct name_pattern pattern = {.has_star = false};
    if (!colon)
        return error_set(err,
                         "allow_client \"%s\" does not say what it is compared with: write it "
                         "behind one of %s, as in cn:%s",
                         text, all_words, text);
    if (!kind_parse(text, (size_t)(colon - text), &pattern.kind, err))
        return false;
    const char *second = second_pattern(colon + 1);
    if (second)
        return error_set(
            err,
            "allow_client \"%s\" has several patterns: write one a line, \"%s\" on its "
            "own behind another allow_client =",
            text, second);
    const char *value = colon + 1 + strspn(colon + 1, " \t");
    if (*value == '\0')
        return error_set(err,
                         "allow_client %s: says nothing behind the colon: write %s:* for "
                         "everybody who has one, or leave the line out",
                         words[pattern.kind], words[pattern.kind]);
    if (pattern.kind == NAME_ISSUER)
        value = issuer_pattern_unlog(value, arena);
    char *into = arena_alloc(arena, strlen(value) + 1);
    if (is_digest(pattern.kind)) {
        if (!digest_read(&pattern, value, into, err))
            return false;
    } else {
        if (!value_check(pattern.kind, value, arena, err))
            return false;
        value_read(&pattern, value, into);
    }
    *ret_pattern = pattern;
    return true;
}

bool name_pattern_is_lone_star(const struct name_pattern *pattern)
{
    return pattern->kind == NAME_ISSUER && pattern->text.length == 1 && pattern->text.at[0] == STAR;
}

/* --- comparing -------------------------------------------------------------------------------- */

static struct slice cut(struct slice text, size_t from)
{
    return (struct slice){text.at + from, text.length - from};
}

static struct slice first(struct slice text, size_t length)
{
    return (struct slice){text.at, length};
}

/* The text between two stars is taken where it is found first: what follows has the most room
 * then. */
static bool glob(struct slice pattern, struct slice text)
{
    const char *star = memchr(pattern.at, STAR, pattern.length);
    if (!star)
        return slice_equal(pattern, text);
    size_t length = (size_t)(star - pattern.at);
    if (text.length < length || memcmp(pattern.at, text.at, length) != 0)
        return false;
    text = cut(text, length);
    for (;;) {
        pattern = cut(pattern, length + 1);
        star = memchr(pattern.at, STAR, pattern.length);
        length = star ? (size_t)(star - pattern.at) : pattern.length;
        if (!star)
            return text.length >= length &&
                   memcmp(text.at + text.length - length, pattern.at, length) == 0;
        const char *found = memmem(text.at, text.length, pattern.at, length);
        if (!found)
            return false;
        text = cut(text, (size_t)(found - text.at) + length);
    }
}

static bool divides(enum name_kind kind, char byte)
{
    return byte == (kind == NAME_DNS     ? '.'
                    : kind == NAME_EMAIL ? '@'
                                         : ',') ||
           (kind == NAME_ISSUER && byte == '+');
}

static size_t part_length(enum name_kind kind, struct slice text)
{
    size_t i = 0;
    while (i < text.length && !divides(kind, text.at[i]))
        i += kind == NAME_ISSUER && text.at[i] == '\\' ? 2 : 1;
    return i < text.length ? i : text.length;
}

static bool fit_parts(enum name_kind kind, struct slice pattern, struct slice name)
{
    for (;;) {
        size_t wanted = part_length(kind, pattern);
        size_t there = part_length(kind, name);
        bool is_last = wanted == pattern.length;
        if (!glob(first(pattern, wanted), first(name, there)) || is_last != (there == name.length))
            return false;
        if (is_last)
            return true;
        if (pattern.at[wanted] != name.at[there])
            return false;
        pattern = cut(pattern, wanted + 1);
        name = cut(name, there + 1);
    }
}

/* Scheme and host, up to the path; all of a URI without "://". */
static size_t authority_length(struct slice uri)
{
    const char *mark = memmem(uri.at, uri.length, "://", 3);
    if (!mark)
        return uri.length;
    size_t from = (size_t)(mark - uri.at) + 3;
    const char *slash = memchr(uri.at + from, '/', uri.length - from);
    return slash ? (size_t)(slash - uri.at) : uri.length;
}

static bool fit_uri(struct slice pattern, struct slice name)
{
    if (!memmem(pattern.at, pattern.length, "://", 3))
        return glob(pattern, name);
    size_t wanted = authority_length(pattern);
    size_t there = authority_length(name);
    return glob(first(pattern, wanted), first(name, there)) &&
           glob(cut(pattern, wanted), cut(name, there));
}

bool name_pattern_fits(const struct name_pattern *pattern, struct slice name)
{
    switch (pattern->kind) {
    case NAME_DNS:
    case NAME_EMAIL:
    case NAME_ISSUER:
        return fit_parts(pattern->kind, pattern->text, name);
    case NAME_URI:
        return fit_uri(pattern->text, name);
    case NAME_CN:
    case NAME_OU:
    case NAME_CLIENT_ID:
        return glob(pattern->text, name);
    case NAME_SHA256:
    case NAME_SPKI:
    case NAME_KIND_COUNT:
        break;
    }
    return slice_equal(pattern->text, name);
}
