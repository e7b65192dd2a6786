/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first section in the file's order decides, and it is looked for once in each reading that the
 * path may have (path.h). Where readings find different ones, the strictest holds: to block before
 * to redirect before to log before to let pass. So does an expression that takes more than its
 * limits count as fitting, unless it would only log.
 */
#include "listeners/access.h"

#include "lb/base/limits.h"
#include "lb/base/path.h"
#include "lb/base/regex.h"
#include "listeners/access_index.h"
#include "listeners/listener.h"
#include "listeners/load/access_section.h"
#include "listeners/load/rule_domain.h"

static const struct option rows[] = {
#define OPTION(...) OPTION_ROW(struct access_options, __VA_ARGS__)
#include "listeners/access_options.def"
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
    enum refusal verdict;
    struct slice host; /* in the form that is compared; length 0: none */
    struct slice path; /* one reading; at NULL: it cannot be read, and any url may fit */
    struct regex_room *room;
    const struct access_entry *first; /* found so far; NULL: none */
};

/* --- one section ------------------------------------------------------------------------------ */

static bool fits_client(const struct access_rule *rule, enum refusal verdict)
{
    switch (rule->condition) {
    case ACCESS_VERIFIED:
        return verdict == REFUSAL_NONE;
    case ACCESS_UNVERIFIED:
        return verdict != REFUSAL_NONE;
    case ACCESS_MISSING:
        return verdict == REFUSAL_MISSING;
    case ACCESS_INVALID:
        return verdict != REFUSAL_NONE && verdict != REFUSAL_MISSING;
    }
    return true;
}

static bool fits_regex(const struct look *look, const struct access_entry *entry,
                       const struct regex *regex, struct slice text)
{
    switch (regex_match(regex, text, look->room)) {
    case REGEX_MATCHES:
        return true;
    case REGEX_DIFFERS:
        return false;
    case REGEX_UNDECIDED:
        break;
    }
    return entry->rule->action != ACCESS_LOG;
}

static bool fits_path(const struct look *look, const struct access_entry *entry)
{
    if (!look->path.at)
        return entry->rule->action != ACCESS_LOG;
    return entry->url_regex ? fits_regex(look, entry, entry->url_regex, look->path)
                            : access_url_takes(&entry->url, look->path);
}

static bool fits_host(const struct look *look, const struct access_entry *entry)
{
    return look->host.length > 0 && fits_regex(look, entry, entry->host_regex, look->host);
}

/* --- the first -------------------------------------------------------------------------------- */

static void look_through(struct look *look, const struct access_group *group, bool asks_host)
{
    for (unsigned i = 0; i < group->count; i++) {
        const struct access_entry *entry = group->items[i];
        if (look->first && look->first->index <= entry->index)
            return;
        if (fits_client(entry->rule, look->verdict) && (!asks_host || fits_host(look, entry)) &&
            fits_path(look, entry)) {
            look->first = entry;
            return;
        }
    }
}

static void on_group(void *arg, const struct access_group *group)
{
    look_through(arg, group, false);
}

static const struct access_entry *find(const struct access_index *index,
                                       const struct domain *domain, struct look *look)
{
    look->first = NULL;
    look_through(look, &index->any, false);
    look_through(look, &index->domains[domain->index], false);
    if (look->host.length == 0 || slice_is(look->host, domain->pattern))
        return look->first; /* what is for this name was in the domain's group */
    access_index_visit(index, look->host, on_group, look);
    look_through(look, &index->regexes, true);
    return look->first;
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
                                                   const struct domain *domain, struct look *look,
                                                   struct slice path)
{
    char bytes[PATH_READING_BYTES];
    const struct access_entry *found = NULL;
    unsigned doubts = path_doubts(path);
    look->room->share = 1U << (unsigned)__builtin_popcount(doubts); /* readings */
    for (unsigned ways = doubts;; ways = (ways - 1) & doubts) {
        if (path_read(path, ways, bytes, sizeof bytes, &look->path) != PATH_FINE)
            look->path = (struct slice){NULL, 0};
        found = strictest(found, find(index, domain, look));
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
    char name[RULE_DOMAIN_BYTES];
    struct regex_room room = {0};
    struct look look = {.verdict = verdict,
                        .host = {name, rule_domain_of_host(host, name)},
                        .path = slice_is(path, "*") ? slice_of("/") : path,
                        .room = &room};
    const struct access_entry *found =
        path_is_plain(look.path) ? find(index, rule->domain, &look)
                                 : find_by_readings(index, rule->domain, &look, look.path);
    regex_room_done(&room);
    return found ? found->rule : NULL;
}
