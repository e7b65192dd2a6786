/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Warns of [access] sections that never decide, because earlier ones are for all their requests:
 * for the same hosts or more, the same paths or more, and the same clients, where that is certain.
 *
 * What is asked first is the host's pattern and a class of clients: from a number of theirs the
 * hash of an url goes on, so that the urls that take another are found by one walk over its text.
 */
#include <string.h>

#include "lb/base/text_map.h"
#include "listeners/load/access_section.h"
#include "listeners/load/access_wider.h"
#include "listeners/load/listener_build.h"
#include "listeners/load/rule_literal.h"

/* The first sections whose urls take … */
struct takers {
    struct text_map below;      /* a path and all below it; without its last slash, "" takes all */
    struct text_map exact;      /* this path */
    struct text_map as_written; /* all that begins so */
    struct text_map any_case;   /* all that begins so in lower case */
    struct text_map words;      /* what this expression takes, whatever that is */
};

/* What of a url is known without matching anything. */
struct reach {
    const struct rule_url *url;
    bool is_regex, any_case;
    struct rule_literal literal; /* of an expression */
    struct slice text;           /* all its paths begin so; a prefix has no last slash */
};

static uint64_t hash_start(struct slice pattern, unsigned class)
{
    return (text_hash(pattern) ^ class) * UINT64_C(0x9e3779b97f4a7c15);
}

static uint64_t hash_on(uint64_t hash, struct slice text)
{
    for (size_t i = 0; i < text.length; i++)
        hash = text_hash_add(hash, text.at[i]);
    return hash;
}

static void read_reach(struct reach *reach, const struct rule_url *url)
{
    *reach = (struct reach){.url = url,
                            .is_regex = rule_url_is_regex(url->kind),
                            .any_case = url->kind == RULE_URL_REGEX_ANY_CASE,
                            .text = url->text};
    if (reach->is_regex) {
        rule_literal_read(&reach->literal, url->text.at, reach->any_case);
        reach->text = (struct slice){reach->literal.text, reach->literal.length};
    } else if (rule_url_is_prefix(url->kind) && url->text.at[url->text.length - 1] == '/') {
        reach->text.length--;
    }
}

/* --- putting in ------------------------------------------------------------------------------- */

static void put_regex(struct takers *all, uint64_t start, const struct reach *reach,
                      const struct access_section *section, struct arena *arena)
{
    if (reach->literal.takes_paths)
        text_map_add(&all->below, start, slice_of(""), section);
    if (reach->literal.is_whole && reach->text.length > 0) {
        struct slice text = {arena_copy_bytes(arena, reach->text.at, reach->text.length),
                             reach->text.length};
        text_map_add(reach->any_case ? &all->any_case : &all->as_written, hash_on(start, text),
                     text, section);
    }
    text_map_add(&all->words, hash_on(start + reach->any_case, reach->url->text), reach->url->text,
                 section);
}

static void put(struct takers *all, const struct access_section *section, struct arena *arena)
{
    struct reach reach;
    read_reach(&reach, &section->url);
    for (unsigned class = ACCESS_OF_VERIFIED; class <= ACCESS_OF_INVALID; class <<= 1) {
        if (!(access_section_wants(section) & class))
            continue;
        uint64_t start = hash_start(slice_of(section->pattern), class);
        struct text_map *map = rule_url_is_prefix(section->url.kind) ? &all->below : &all->exact;
        if (reach.is_regex)
            put_regex(all, start, &reach, section, arena);
        else
            text_map_add(map, hash_on(start, reach.text), reach.text, section);
    }
}

/* --- finding ---------------------------------------------------------------------------------- */

/* One look for a section that takes all of another's requests by clients of one class. */
struct look {
    const struct takers *all;
    const struct reach *reach;
    unsigned class;
    const struct access_section *found;
};

/* "/abc" of "/abc/d": where a folder ends. What an expression goes on with is not known. */
static bool is_border(const struct reach *reach, size_t at)
{
    if (at == 0)
        return true;
    if (reach->any_case)
        return false;
    return at < reach->text.length ? reach->text.at[at] == '/' : !reach->is_regex;
}

static const struct access_section *walk(const struct takers *all, const struct reach *reach,
                                         uint64_t start)
{
    char lowered[RULE_LITERAL_BYTES];
    uint64_t hash = start, lower_hash = start;
    const void *found = text_map_get(&all->below, start, slice_of(""));
    for (size_t i = 0; i < reach->text.length && i < sizeof lowered && !found; i++) {
        char byte = reach->text.at[i];
        lowered[i] = byte >= 'A' && byte <= 'Z' ? (char)(byte + ('a' - 'A')) : byte;
        hash = text_hash_add(hash, byte);
        lower_hash = text_hash_add(lower_hash, lowered[i]);
        struct slice text = {reach->text.at, i + 1};
        if (is_border(reach, i + 1))
            found = text_map_get(&all->below, hash, text);
        if (!found && !reach->any_case)
            found = text_map_get(&all->as_written, hash, text);
        if (!found)
            found = text_map_get(&all->any_case, lower_hash, (struct slice){lowered, i + 1});
    }
    return found;
}

static bool on_pattern(void *arg, struct slice pattern)
{
    struct look *look = arg;
    const struct reach *reach = look->reach;
    struct slice text = reach->url->text;
    uint64_t start = hash_start(pattern, look->class);
    look->found = walk(look->all, reach, start);
    if (!look->found && reach->is_regex)
        look->found = text_map_get(&look->all->words, hash_on(start + reach->any_case, text), text);
    if (!look->found && reach->url->kind == RULE_URL_EXACT)
        look->found = text_map_get(&look->all->exact, hash_on(start, text), text);
    return look->found;
}

/* --- telling ---------------------------------------------------------------------------------- */

static void warn(struct listener_build *build, const struct access_section *section,
                 const struct access_section *one, const struct access_section *other)
{
    const char *listener = build->listener->name;
    if (one == other)
        LISTENER_WARN(build, section->rule.line,
                      "access %s never decides on listener %s: access %s (line %u) is for all its "
                      "requests and stands before it; change their order, or leave one out",
                      section->rule.name, listener, one->rule.name, one->rule.line);
    else
        LISTENER_WARN(build, section->rule.line,
                      "access %s never decides on listener %s: access %s (line %u) and access %s "
                      "(line %u) are for all its requests and stand before it; change their order, "
                      "or leave it out",
                      section->rule.name, listener, one->rule.name, one->rule.line,
                      other->rule.name, other->rule.line);
}

static void judge(struct listener_build *build, const struct takers *all,
                  const struct access_section *section)
{
    const struct access_section *first = NULL, *last = NULL;
    struct reach reach;
    read_reach(&reach, &section->url);
    for (unsigned class = ACCESS_OF_VERIFIED; class <= ACCESS_OF_INVALID; class <<= 1) {
        struct look look = {.all = all, .reach = &reach, .class = class};
        if (!(access_section_wants(section) & class))
            continue;
        if (!access_wider_visit(section->pattern, on_pattern, &look))
            return;
        first = first ? first : look.found;
        last = look.found;
    }
    warn(build, section, first, last);
}

void listener_warn_of_idle_access(struct listener_build *build)
{
    const struct listener *listener = build->listener;
    const size_t most = (size_t)listener->access_count * ACCESS_CLASSES_WANTED_MOST;
    struct takers all;
    text_map_init(&all.below, most, build->arena);
    text_map_init(&all.exact, most, build->arena);
    text_map_init(&all.as_written, most, build->arena);
    text_map_init(&all.any_case, most, build->arena);
    text_map_init(&all.words, most, build->arena);
    for (unsigned i = 0; i < listener->access_count; i++) {
        judge(build, &all, listener->access_sections[i]);
        put(&all, listener->access_sections[i], build->arena);
    }
}
