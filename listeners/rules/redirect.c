/* SPDX-License-Identifier: Apache-2.0 */
#include "listeners/rules/redirect.h"

#include <ctype.h>
#include <string.h>

#include "lb/base/arena.h"
#include "lb/base/draft.h"
#include "lb/base/error.h"
#include "lb/base/http1.h"
#include "lb/base/limits.h"
#include "listeners/refusal.h"

/* --- checking --------------------------------------------------------------------------------- */

static const char *behind_scheme(const char *text)
{
    static const char *const schemes[] = {"https://", "http://"};
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
        if (strncasecmp(text, schemes[i], strlen(schemes[i])) == 0)
            return text + strlen(schemes[i]);
    return NULL;
}

/* What an authority may be followed by; $uri begins with a slash. */
static size_t authority_length(const char *text)
{
    size_t length = 0;
    while (text[length] && !strchr("/?#", text[length]) && strncmp(text + length, "$uri", 4) != 0)
        length++;
    return length;
}

/* Is it a host, perhaps with a port, whatever name takes the place of $host? */
static bool is_authority(const char *text, size_t length)
{
    static const char name[] = "a.example";
    char filled[512];
    struct draft draft = draft_in(filled, sizeof filled);
    for (size_t i = 0; i < length; i++) {
        if (strncmp(text + i, "$host", 5) == 0) {
            draft_text(&draft, name);
            i += 4;
        } else {
            draft_put(&draft, (struct slice){text + i, 1});
        }
    }
    return draft.fits && http_is_authority((struct slice){filled, draft.used});
}

static bool place_check(const char *text, struct error *err)
{
    const char *host = behind_scheme(text);
    if (host && is_authority(host, authority_length(host)))
        return true;
    if (host)
        return error_set(err,
                         "redirect \"%.200s\" has no good host behind its scheme: write it like "
                         "https://www.example.com$uri or https://$host:8443$uri",
                         text);
    if (text[0] != '/')
        return error_set(
            err,
            "redirect \"%.200s\" begins neither with https:// (or http://) nor with \"/\": "
            "write it like https://$host$uri or /elsewhere",
            text);
    if (text[1] == '/' || strncmp(text + 1, "$uri", 4) == 0)
        return error_set(
            err,
            "redirect \"%.200s\" would begin with \"//\", behind which clients look for a "
            "host: write https://$host$uri",
            text);
    return true;
}

static bool is_escape(const char *at)
{
    return isxdigit((unsigned char)at[1]) && isxdigit((unsigned char)at[2]);
}

/* The bytes of a URL (RFC 3986 2); "$" is looked at elsewhere. */
static bool byte_check(const char *text, const char *at, struct error *err)
{
    unsigned char byte = (unsigned char)*at;
    if (byte < ' ' || byte >= 0x7f)
        return error_set(
            err, "redirect \"%.200s\" holds a %s, which no URL does: write it percent-encoded",
            text, byte < 0x80 ? "control character" : "letter outside ASCII");
    if (strchr(" \"<>\\^`{|}", byte))
        return error_set(err,
                         "redirect \"%.200s\" holds \"%c\", which no URL does: write it "
                         "percent-encoded, %%%02X",
                         text, byte, byte);
    if (byte == '%' && !is_escape(at))
        return error_set(
            err,
            "redirect \"%.200s\" has a \"%%\" without two hex digits: write %%25 for a "
            "percent sign",
            text);
    return true;
}

static bool bytes_check(const char *text, struct error *err)
{
    for (const char *at = text; *at; at++)
        if (!byte_check(text, at, err))
            return false;
    const char *mark = strchr(text, '#');
    if (mark && strchr(mark + 1, '#'))
        return error_set(err, "redirect \"%.200s\" has two \"#\": a URL has one fragment", text);
    return true;
}

/* --- pieces ----------------------------------------------------------------------------------- */

static const struct {
    const char *word;
    struct redirect_piece piece;
} placeholders[] = {
    {"$host", {REDIRECT_HOST, {NULL, 0}, false}},
    {"$uri", {REDIRECT_URI, {NULL, 0}, false}},
    {"$$", {REDIRECT_TEXT, {"$", 1}, false}},
    {"$reason",
     {REDIRECT_REASON, {NULL, 0}, false}}, /* last: only those who are refused have one */
};
enum { PLACEHOLDER_COUNT = sizeof placeholders / sizeof *placeholders };

/* How a redirect is read: by a rule, or for those it refuses. */
struct grammar {
    size_t placeholder_count;
    const char *placeholders; /* in words */
};
static const struct grammar of_rules = {PLACEHOLDER_COUNT - 1, "$host, $uri"};
static const struct grammar of_refusals = {PLACEHOLDER_COUNT, "$host, $uri, $reason"};

/* "$name" as far as it goes, or "$" and one byte. */
static size_t word_length(const char *at)
{
    size_t length = 1;
    while (isalnum((unsigned char)at[length]) || at[length] == '_')
        length++;
    return length > 1 || at[1] == '\0' ? length : 2;
}

/* The placeholder at a "$": its index, or the count. */
static size_t placeholder_at(const struct grammar *grammar, const char *at)
{
    struct slice word = {at, word_length(at)};
    size_t i = 0;
    while (i < grammar->placeholder_count && !slice_is(word, placeholders[i].word))
        i++;
    return i;
}

/* The piece at `at`; NULL: a placeholder that nobody knows. returns what stands behind it. */
static const char *piece_read(const struct grammar *grammar, const char *at,
                              struct redirect_piece *ret_piece)
{
    size_t length = strcspn(at, "$");
    if (length > 0) {
        *ret_piece = (struct redirect_piece){REDIRECT_TEXT, {at, length}, false};
        return at + length;
    }
    size_t which = placeholder_at(grammar, at);
    if (which == grammar->placeholder_count)
        return NULL;
    *ret_piece = placeholders[which].piece;
    return at + word_length(at);
}

/* "%2F" */
enum { ENCODED_BYTES = 3 };

static size_t most_bytes(const struct redirect_piece *piece)
{
    size_t each = piece->is_in_query ? ENCODED_BYTES : 1;
    switch (piece->source) {
    case REDIRECT_TEXT:
        return piece->text.length;
    case REDIRECT_HOST:
        return each * DOMAIN_BYTES;
    case REDIRECT_URI:
        return each * TARGET_BYTES;
    case REDIRECT_REASON:
        return REFUSAL_NAME_MOST; /* all unreserved */
    }
    return 0;
}

static bool pieces_read(struct redirect *redirect, const struct grammar *grammar, const char *text,
                        struct error *err)
{
    size_t most = 0;
    const char *query = strchr(text, '?');
    for (const char *at = text; *at;) {
        struct redirect_piece *piece = &redirect->pieces[redirect->piece_count];
        const char *rest = piece_read(grammar, at, piece);
        if (!rest)
            return error_set(
                err,
                "redirect \"%.200s\" has an unknown placeholder \"%.*s\": there are %s and, for a "
                "dollar, $$",
                text, (int)word_length(at), at, grammar->placeholders);
        piece->is_in_query = query && at > query && piece->source != REDIRECT_TEXT;
        redirect->needs_host |= piece->source == REDIRECT_HOST;
        redirect->piece_count++;
        most += most_bytes(piece);
        at = rest;
    }
    if (most > LOCATION_BYTES)
        return error_set(
            err,
            "redirect \"%.200s\" could grow to %zu bytes, more than the %d of a Location: "
            "say $uri once",
            text, most, (int)LOCATION_BYTES);
    return true;
}

static const struct redirect *parse(const char *text, unsigned status,
                                    const struct grammar *grammar, struct arena *arena,
                                    struct error *err)
{
    struct redirect *redirect = arena_alloc(arena, sizeof *redirect);
    redirect->status = status;
    redirect->pieces = arena_alloc(arena, (strlen(text) + 1) * sizeof *redirect->pieces);
    bool is_good = bytes_check(text, err) && pieces_read(redirect, grammar, text, err) &&
                   place_check(text, err);
    return is_good ? redirect : NULL;
}

const struct redirect *redirect_parse(const char *text, unsigned status, struct arena *arena,
                                      struct error *err)
{
    return parse(text, status, &of_rules, arena, err);
}

const struct redirect *redirect_parse_refusal(const char *text, struct arena *arena,
                                              struct error *err)
{
    return parse(text, 302, &of_refusals, arena, err);
}

/* --- writing ---------------------------------------------------------------------------------- */

static bool is_unreserved(char byte)
{
    return isalnum((unsigned char)byte) || (byte && strchr("-._~", byte));
}

static void put_encoded(struct draft *draft, struct slice value)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < value.length; i++) {
        unsigned char byte = (unsigned char)value.at[i];
        const char encoded[ENCODED_BYTES] = {'%', digits[byte >> 4], digits[byte & 15]};
        if (is_unreserved(value.at[i]))
            draft_put(draft, (struct slice){value.at + i, 1});
        else
            draft_put(draft, (struct slice){encoded, sizeof encoded});
    }
}

static struct slice value_of(const struct redirect_piece *piece, struct slice host,
                             struct slice uri, const char *reason)
{
    switch (piece->source) {
    case REDIRECT_TEXT:
        return piece->text;
    case REDIRECT_HOST:
        return host;
    case REDIRECT_URI:
        return slice_is(uri, "*") ? slice_of("/") : uri;
    case REDIRECT_REASON:
        return slice_of(reason);
    }
    return (struct slice){"", 0};
}

size_t redirect_write_refusal(const struct redirect *redirect, struct slice host, struct slice uri,
                              const char *reason, char *into, size_t room)
{
    struct draft draft = draft_in(into, room);
    for (unsigned i = 0; i < redirect->piece_count; i++) {
        const struct redirect_piece *piece = &redirect->pieces[i];
        struct slice value = value_of(piece, host, uri, reason);
        if (piece->is_in_query)
            put_encoded(&draft, value);
        else
            draft_put(&draft, value);
    }
    return draft.fits ? draft.used : 0;
}

size_t redirect_write(const struct redirect *redirect, struct slice host, struct slice uri,
                      char *into, size_t room)
{
    return redirect_write_refusal(redirect, host, uri, "", into, room);
}

/* "//" (and "/\", for browsers) begins a host; "/." in front of it keeps it a path. */
static bool looks_like_host(struct slice path)
{
    return path.length > 1 && (path.at[1] == '/' || path.at[1] == '\\');
}

size_t redirect_write_slash(struct slice path, struct slice query, char *into, size_t room)
{
    struct draft draft = draft_in(into, room);
    if (looks_like_host(path))
        draft_text(&draft, "/.");
    draft_put(&draft, path);
    draft_text(&draft, "/");
    if (query.at) {
        draft_text(&draft, "?");
        draft_put(&draft, query);
    }
    return draft.fits ? draft.used : 0;
}
