/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The [access] sections of a listener by the hosts they are for. A request meets those that are for
 * its Host, and those that are for the domain of its rule: who leaves Host out, or writes one that
 * only the default domain answers, is not out of their reach. access.c's own.
 */
#ifndef LB_LISTENERS_ACCESS_INDEX_H
#define LB_LISTENERS_ACCESS_INDEX_H

#include <stdbool.h>

#include "lb/base/arena.h"
#include "lb/base/text_map.h"
#include "listeners/access/access_urls.h"

struct access_section;
struct domain;

/** What verification found of a client, as far as sections tell clients apart. Each has its own
 * urls, so that nobody pays for sections that are for others. */
enum access_class { ACCESS_CLASS_VERIFIED, ACCESS_CLASS_MISSING, ACCESS_CLASS_INVALID };
enum { ACCESS_CLASS_COUNT = ACCESS_CLASS_INVALID + 1 };

/** All sections with one domain. With a regular expression those that only log are a set of their
 * own, because of what an undecided match means. */
struct access_set {
    const char *pattern;      /* see rule_domain.h; "": every host */
    struct regex *host_regex; /* owned; NULL: the pattern is none */
    bool only_logs;           /* where host_regex is undecided, they do not fit */
    bool has_domain;          /* the listener has rules of this very domain */
    struct access_urls urls[ACCESS_CLASS_COUNT];
};

struct access_sets {
    const struct access_set **items;
    unsigned count, room;
};

struct access_index {
    unsigned count, set_count;
    struct access_entry *entries; /* in the file's order */
    struct access_set *sets;      /* the first is for every host */
    struct access_domain {
        struct slice name; /* of length 0: the domain's pattern is no name */
        struct access_sets sets[ACCESS_CLASS_COUNT]; /* for all of it */
    } * domains;                                     /* by a domain's index */
    /* Whose host only matching tells. */
    struct access_sets regexes[ACCESS_CLASS_COUNT];
    /* Which kinds of patterns a Host may fit without their being its domain's: 1 << enum
     * rule_domain_kind. 0: the domain's sets are all. */
    unsigned kinds[ACCESS_CLASS_COUNT];
    /* To a struct access_set for each name, ".example.com" from the right, "www.example.". */
    struct text_map names, suffixes, prefixes;
};

/**
 * Build it.
 *
 * sections  in the file's order, good ones; their rules are borrowed for the index's life
 * returns   lives in `arena`, but its regular expressions do not: access_index_done
 * Thread:   loader. Out of memory ends the process.
 */
struct access_index *access_index_new(struct access_section *const *sections, unsigned count,
                                      const struct domain *domains, unsigned domain_count,
                                      struct arena *arena);
/** NULL is fine. */
void access_index_done(struct access_index *index);

/**
 * Visit the sets that are for a host, but for the one that is for every host and those whose host
 * only matching tells.
 *
 * host   in the form that is compared (rule_domain_of_host)
 * kinds  of patterns that are looked for: 1 << enum rule_domain_kind
 * Thread: any. Does not allocate.
 */
void access_index_visit(const struct access_index *index, struct slice host, unsigned kinds,
                        void (*visit)(void *arg, const struct access_set *set), void *arg);

#endif
