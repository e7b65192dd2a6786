/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules of one domain by their urls: `=` exact; the longest prefix if it is `^~`; the first
 * regular expression that matches; the longest prefix. The router's own; see router.h.
 */
#ifndef LB_LISTENERS_RULES_ROUTER_URLS_H
#define LB_LISTENERS_RULES_ROUTER_URLS_H

#include "lb/base/text_map.h"
#include "listeners/rules/router.h"

struct regex;
struct regex_room;

struct router_urls {
    struct text_map exact;    /* to struct router_url */
    struct text_map prefixes; /* to struct router_url */
    struct text_map slashes;  /* "/abc" of "/abc/", to its struct router_url */
    size_t longest_prefix;
    bool catches_all; /* its only url is "/": no reading chooses another rule */
    unsigned rule_count, exact_count, prefix_count, slash_count, regex_count, regex_most;
    struct router_url_regex {
        struct regex *regex; /* owned */
        const struct rule *rule;
    } * regexes; /* in the file's order */
};

/**
 * Build the urls of all domains.
 *
 * urls     zeroed, one for each domain by its index
 * rules    in the file's order, borrowed
 * Thread:  loader. Out of memory ends the process.
 */
void router_urls_build(struct router_urls *urls, unsigned domain_count, const struct rule *rules,
                       unsigned rule_count, struct arena *arena);
/** Release the regular expressions of one domain. */
void router_urls_done(struct router_urls *urls);

/**
 * The rule of one reading of a path.
 *
 * room      the caller's, see regex_match
 * ret_rule  ROUTE_FOUND and ROUTE_SLASH: the rule; ROUTE_UNDECIDED: the one whose expression it is
 * returns   anything but ROUTE_AMBIGUOUS
 */
enum route router_urls_find(const struct router_urls *urls, struct slice path,
                            struct regex_room *room, const struct rule **ret_rule);

#endif
