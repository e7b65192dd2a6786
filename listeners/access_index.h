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
#include "listeners/load/rule_url.h"

struct access_rule;
struct access_section;
struct domain;
struct regex;

/** A section with what it is compared with. */
struct access_entry {
    const struct access_rule *rule;
    unsigned index;      /* in the file's order */
    const char *pattern; /* of its domain, see rule_domain.h; "": every host */
    struct rule_url url;
    struct regex *host_regex, *url_regex; /* owned; NULL where there are none */
};

/** In the file's order. */
struct access_group {
    const struct access_entry **items;
    unsigned count;
};

struct access_index {
    unsigned count;
    struct access_entry *entries;
    struct access_group any;      /* for every host */
    struct access_group regexes;  /* whose host only matching tells */
    struct access_group *domains; /* by a domain's index: for all of it, but for `any` */
    /* To a struct access_group for each name, ".example.com" from the right, "www.example.". */
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
 * Visit the groups that are for a host, but for `any` and `regexes`.
 *
 * host  in the form that is compared (rule_domain_of_host)
 * Thread: any. Does not allocate.
 */
void access_index_visit(const struct access_index *index, struct slice host,
                        void (*visit)(void *arg, const struct access_group *group), void *arg);

#endif
