/* SPDX-License-Identifier: Apache-2.0 */
/* Host names: as a rule's `domain` writes them, and as clients send them. */
#ifndef LB_LISTENERS_RULE_DOMAIN_H
#define LB_LISTENERS_RULE_DOMAIN_H

#include <stdbool.h>
#include <stddef.h>

#include "lb/base/slice.h"

struct arena;
struct error;

/* A name of 253 bytes, a trailing dot and the final NUL. */
enum { RULE_DOMAIN_BYTES = 256 };

enum rule_domain_kind {
    RULE_DOMAIN_ANY, /* "": every host that no rule names */
    RULE_DOMAIN_NAME,
    RULE_DOMAIN_SUFFIX, /* "*.example.com": what is below it, at any depth, but not itself */
    RULE_DOMAIN_PREFIX, /* "www.example.*": whatever labels follow, at least one */
    RULE_DOMAIN_REGEX,  /* "~^www[0-9]": against the name in the form that is compared, any case */
};

/**
 * Check a rule's domain and bring it into the form that is compared: lower case, no trailing dot,
 * IPv6 in its shortest form. A regular expression stays as it is, behind "~" without blanks.
 *
 * ret_pattern  in `arena`
 * Fails:       not a host name, `*.name`, `name.*`, IPv4 address, bracketed IPv6 address or `~` and
 *              a regular expression; err says what would be right
 */
bool rule_domain_parse(const char *text, const char **ret_pattern, struct arena *arena,
                       struct error *err);

/** The kind of a pattern that rule_domain_parse() gave, or of "". */
enum rule_domain_kind rule_domain_kind_of(const char *pattern);

/**
 * Bring the host name of a client (Host without port, or SNI) into the same form.
 *
 * into     at least RULE_DOMAIN_BYTES
 * returns  its length; 0: empty or too long to be a name
 * Thread:  any. Does not allocate.
 */
size_t rule_domain_of_host(struct slice host, char *into);

#endif
