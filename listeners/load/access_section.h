/* SPDX-License-Identifier: Apache-2.0 */
/* An [access] section by itself, before any listener is built with it. */
#ifndef LB_LISTENERS_ACCESS_SECTION_H
#define LB_LISTENERS_ACCESS_SECTION_H

#include "listeners/access/access.h"
#include "listeners/load/rule_url.h"

struct arena;
struct problems;

/** Whose requests there are, as bits. */
enum { ACCESS_OF_VERIFIED = 1, ACCESS_OF_MISSING = 2, ACCESS_OF_INVALID = 4 };
/* How many of them one section is for: `unverified` is two. */
enum { ACCESS_CLASSES_WANTED_MOST = 2 };

struct access_section {
    struct access_rule rule;
    const struct access_options *options;
    unsigned index;      /* among the file's [access] sections */
    const char *pattern; /* of its domain, see rule_domain.h; "": every host */
    struct rule_url url;
    bool is_wrong;        /* something of it was reported */
    bool is_met;          /* a listener has rules that it is for */
    unsigned clients_met; /* ACCESS_OF_…: whose requests come past those rules, perhaps more */
};

/** Whose requests it is for: ACCESS_OF_… */
unsigned access_section_wants(const struct access_section *section);

/**
 * Check what a section says about itself: domain, url, client_certificate, action. Whatever is
 * wrong is reported, and warned of one that is for every host.
 *
 * section  its rule's name and line, options and index are set; the rest is filled here and lives
 *          in `arena`
 * Thread:  loader
 */
void access_section_read(struct access_section *section, struct arena *arena, const char *file,
                         struct problems *problems);

/** Does the url of a section, no regular expression, take a path in the form that is compared? Of
 * "/abc/" "/abc", too: to a backend they may be one. */
bool access_url_takes(const struct rule_url *url, struct slice path);

#endif
