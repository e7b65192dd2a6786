/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first section in the file's order decides, and it is looked for once in each reading that the
 * path may have (path.h). Where readings find different ones, the strictest holds: to block before
 * to redirect before to log before to let pass. So does an expression that takes more than its
 * limits count as fitting, unless it would only log.
 */
#include "listeners/access/access.h"

#include "lb/base/limits.h"
#include "lb/base/path.h"
#include "lb/base/regex.h"
#include "listeners/access/access_index.h"
#include "listeners/listener.h"
#include "listeners/load/rule_domain.h"

static const struct option rows[] = {
#define OPTION(...) OPTION_ROW(struct access_options, __VA_ARGS__)
#include "listeners/access/access_options.def"
#undef OPTION
    {0},
};

const struct option_table access_option_table = {
    .section = "access",
    .named = true,
    .summary = "what becomes of requests whose client is (not) verified, once their rule would let "
               "them pass",
    .bytes = sizeof(struct access_options),
    .options = rows,
};

/* One look for the first section that fits. */
struct look {
    enum access_class who;
    struct slice host; /* in the form that is compared; length 0: the domain's sets are all */
    struct slice path; /* one reading; at NULL: it cannot be read, and any url may fit */
    struct regex_room *room;
    const struct access_entry *first; /* found so far; NULL: none */
};

static enum access_class class_of(enum refusal verdict)
{
    if (verdict == REFUSAL_NONE)
        return ACCESS_CLASS_VERIFIED;
    return verdict == REFUSAL_MISSING ? ACCESS_CLASS_MISSING : ACCESS_CLASS_INVALID;
}

/* --- the first -------------------------------------------------------------------------------- */

static const struct access_entry *find_in(const struct look *look, const struct access_set *set)
{
    return access_urls_find(&set->urls[look->who], look->path, look->room, look->first);
}

static void on_set(void *arg, const struct access_set *set)
{
    struct look *look = arg;
    look->first = find_in(look, set);
}

static bool fits_host(const struct look *look, const struct access_set *set)
{
    switch (regex_match(set->host_regex, look->host, look->room)) {
    case REGEX_MATCHES:
        return true;
    case REGEX_DIFFERS:
        return false;
    case REGEX_UNDECIDED:
        break;
    }
    return !set->only_logs;
}

static const struct access_entry *find(const struct access_index *index,
                                       const struct access_sets *own, struct look *look)
{
    look->first = NULL;
    for (unsigned i = 0; i < own->count; i++)
        look->first = find_in(look, own->items[i]);
    if (look->host.length == 0)
        return look->first;
    access_index_visit(index, look->host, index->kinds[look->who], on_set, look);
    const struct access_sets *regexes = &index->regexes[look->who];
    for (unsigned i = 0; i < regexes->count; i++) {
        const struct access_entry *found = find_in(look, regexes->items[i]);
        if (found != look->first && fits_host(look, regexes->items[i]))
            look->first = found;
    }
    return look->first;
}

/* The host, if there may be sections for it that its domain does not have. */
static struct slice host_beyond(const struct access_index *index, const struct domain *domain,
                                enum access_class who, struct slice host, char *into)
{
    const struct slice none = {into, 0};
    if (index->kinds[who] == 0 || slice_equal(host, index->domains[domain->index].name))
        return none;
    struct slice name = {into, rule_domain_of_host(host, into)};
    return slice_is(name, domain->pattern) ? none : name;
}

/* --- all readings ----------------------------------------------------------------------------- */

static unsigned strictness(const struct access_entry *entry)
{
    if (!entry)
        return 0;
    switch (entry->rule->action) {
    case ACCESS_LOG:
        return 1;
    case ACCESS_REDIRECT:
        return 2;
    case ACCESS_BLOCK:
        break;
    }
    return 3;
}

static const struct access_entry *strictest(const struct access_entry *one,
                                            const struct access_entry *other)
{
    return strictness(other) > strictness(one) ? other : one;
}

static const struct access_entry *find_by_readings(const struct access_index *index,
                                                   const struct access_sets *own, struct look *look,
                                                   struct slice path)
{
    char bytes[PATH_READING_BYTES];
    const struct access_entry *found = NULL;
    unsigned doubts = path_doubts(path);
    look->room->share = 1U << (unsigned)__builtin_popcount(doubts); /* readings */
    for (unsigned ways = doubts;; ways = (ways - 1) & doubts) {
        if (path_read(path, ways, bytes, sizeof bytes, &look->path) != PATH_FINE)
            look->path = (struct slice){NULL, 0};
        found = strictest(found, find(index, own, look));
        if (ways == 0)
            return found;
    }
}

const struct access_rule *access_find(const struct listener *listener, const struct rule *rule,
                                      enum refusal verdict, struct slice host, struct slice path)
{
    const struct access_index *index = listener->access;
    if (!index)
        return NULL;
    enum access_class who = class_of(verdict);
    const struct access_sets *own = &index->domains[rule->domain->index].sets[who];
    char name[RULE_DOMAIN_BYTES];
    struct regex_room room = {0};
    struct look look = {.who = who,
                        .host = host_beyond(index, rule->domain, who, host, name),
                        .path = slice_is(path, "*") ? slice_of("/") : path,
                        .room = &room};
    if (own->count == 0 && look.host.length == 0)
        return NULL;
    const struct access_entry *found = path_is_plain(look.path)
                                           ? find(index, own, &look)
                                           : find_by_readings(index, own, &look, look.path);
    regex_room_done(&room);
    return found ? found->rule : NULL;
}
