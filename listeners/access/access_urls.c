/* SPDX-License-Identifier: Apache-2.0 */
/*
 * As in router_urls.c a path costs one walk over its bytes; but here the first in the file's order
 * counts, not the longest. "/abc" and "/abc/" take the same paths, so that prefixes are kept
 * without their last slash, and the map is asked before each slash and at the end.
 */
#include "listeners/access/access_urls.h"

#include "lb/base/regex.h"
#include "listeners/access/access.h"

/* What the map leads to: the first sections with this text. */
struct access_place {
    const struct access_entry *prefix; /* NULL: none */
    const struct access_entry *exact;
};

/* --- building --------------------------------------------------------------------------------- */

void access_urls_expect(struct access_urls *urls, const struct access_entry *entry)
{
    if (rule_url_is_regex(entry->url.kind))
        urls->regex_most++;
    else
        urls->literal_count++;
}

void access_urls_make_room(struct access_urls *urls, struct arena *arena)
{
    if (urls->literal_count > 0)
        text_map_init(&urls->literals, urls->literal_count, arena);
    if (urls->regex_most > 0)
        urls->regexes = arena_alloc(arena, urls->regex_most * sizeof *urls->regexes);
}

static void add_literal(struct access_urls *urls, const struct access_entry *entry,
                        struct arena *arena)
{
    bool is_exact = entry->url.kind == RULE_URL_EXACT;
    struct slice text = entry->url.text;
    if (!is_exact && text.at[text.length - 1] == '/')
        text.length--;
    if (text.length > urls->longest)
        urls->longest = text.length;
    urls->lengths |= UINT64_C(1) << (text.length % 64);
    struct access_place *fresh = arena_alloc(arena, sizeof *fresh);
    struct access_place *place =
        (struct access_place *)text_map_add(&urls->literals, text_hash(text), text, fresh);
    if (!place)
        place = fresh;
    const struct access_entry **first = is_exact ? &place->exact : &place->prefix;
    if (!*first)
        *first = entry;
}

void access_urls_add(struct access_urls *urls, const struct access_entry *entry,
                     struct arena *arena)
{
    if (!urls->first)
        urls->first = entry;
    if (!urls->strict && entry->rule->action != ACCESS_LOG)
        urls->strict = entry;
    if (entry->url_regex)
        urls->regexes[urls->regex_count++] = entry;
    else
        add_literal(urls, entry, arena);
}

/* --- finding ---------------------------------------------------------------------------------- */

static const struct access_entry *earlier(const struct access_entry *one,
                                          const struct access_entry *other)
{
    return !one || (other && other->index < one->index) ? other : one;
}

static const struct access_place *place_of(const struct access_urls *urls, uint64_t hash,
                                           struct slice text)
{
    return urls->lengths >> (text.length % 64) & 1 ? text_map_get(&urls->literals, hash, text)
                                                   : NULL;
}

static const struct access_entry *find_literal(const struct access_urls *urls, struct slice path,
                                               const struct access_entry *best)
{
    uint64_t hash = TEXT_HASH_START;
    size_t end = path.length <= urls->longest ? path.length : urls->longest + 1;
    for (size_t i = 0; i < end; i++) {
        char byte = path.at[i];
        const struct access_place *place =
            byte == '/' ? place_of(urls, hash, (struct slice){path.at, i}) : NULL;
        best = place ? earlier(best, place->prefix) : best;
        hash = text_hash_add(hash, byte);
    }
    if (path.length == 0 || path.length > urls->longest)
        return best;
    const struct access_place *whole = place_of(urls, hash, path);
    return whole ? earlier(earlier(best, whole->prefix), whole->exact) : best;
}

static bool fits_regex(const struct access_entry *entry, struct slice path, struct regex_room *room)
{
    switch (regex_match(entry->url_regex, path, room)) {
    case REGEX_MATCHES:
        return true;
    case REGEX_DIFFERS:
        return false;
    case REGEX_UNDECIDED:
        break;
    }
    return entry->rule->action != ACCESS_LOG;
}

const struct access_entry *access_urls_find(const struct access_urls *urls, struct slice path,
                                            struct regex_room *room,
                                            const struct access_entry *best)
{
    if (!urls->first || earlier(urls->first, best) == best)
        return best;
    if (!path.at)
        return earlier(best, urls->strict);
    if (urls->literal_count > 0)
        best = find_literal(urls, path, best);
    for (unsigned i = 0; i < urls->regex_count; i++) {
        const struct access_entry *entry = urls->regexes[i];
        if (best && best->index < entry->index)
            break;
        if (fits_regex(entry, path, room))
            return entry;
    }
    return best;
}
