/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The [access] sections of one set of hosts and one kind of clients by their urls: the first in the
 * file's order that takes a path is found at a cost that does not depend on how many there are;
 * only regular expressions are asked one by one. access_index.h's own.
 */
#ifndef LB_LISTENERS_ACCESS_URLS_H
#define LB_LISTENERS_ACCESS_URLS_H

#include "lb/base/arena.h"
#include "lb/base/text_map.h"
#include "listeners/load/rule_url.h"

struct access_rule;
struct access_set;
struct regex;
struct regex_room;

/** A section with what it is compared with. */
struct access_entry {
    const struct access_rule *rule;
    unsigned index; /* in the file's order */
    struct rule_url url;
    struct regex *url_regex; /* owned; NULL: url is literal */
    struct access_set *set;  /* whose hosts it is for */
};

/** Zeroed is empty. */
struct access_urls {
    const struct access_entry *first;  /* NULL: there are none */
    const struct access_entry *strict; /* the first that does not only log; NULL: none */
    /* To a struct access_place for each text, that of a prefix without its last slash. */
    struct text_map literals;
    size_t longest;   /* of those texts */
    uint64_t lengths; /* 1 << that of each, modulo 64: no other part of a path is looked for */
    unsigned literal_count, regex_most, regex_count;
    const struct access_entry **regexes; /* in the file's order */
};

/** Count a section in, before access_urls_make_room(). Thread: loader. */
void access_urls_expect(struct access_urls *urls, const struct access_entry *entry);
/** For all that are expected. Thread: loader. Out of memory ends the process. */
void access_urls_make_room(struct access_urls *urls, struct arena *arena);
/** Add one that was expected, in the file's order; it is borrowed. Thread: loader. Out of memory
 * ends the process. */
void access_urls_add(struct access_urls *urls, const struct access_entry *entry,
                     struct arena *arena);

/**
 * The first section that takes a path, if it stands before another one.
 *
 * path     one reading; at NULL: it cannot be read, and any url may fit but of those that only log.
 *          An expression that takes more than its limits fits in the same way
 * room     the caller's, see regex_match
 * best     what is found already; NULL: nothing
 * returns  the earlier of both; NULL: neither
 * Thread:  any. Allocates only where regular expressions are asked.
 */
const struct access_entry *access_urls_find(const struct access_urls *urls, struct slice path,
                                            struct regex_room *room,
                                            const struct access_entry *best);

#endif
