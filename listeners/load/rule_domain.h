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

/**
 * Check a rule's domain and bring it into the form that is compared: lower case, no trailing dot,
 * IPv6 in its shortest form.
 *
 * `*.example.com` is every name below example.com, at any depth, but not example.com itself.
 *
 * ret_pattern  in `arena`
 * Fails:       not a host name, `*.name`, IPv4 address or bracketed IPv6 address; err says what
 *              would be right
 */
bool rule_domain_parse(const char *text, const char **ret_pattern, struct arena *arena,
                       struct error *err);

/**
 * Bring the host name of a client (Host without port, or SNI) into the same form.
 *
 * into     at least RULE_DOMAIN_BYTES
 * returns  its length; 0: empty or too long to be a name
 * Thread:  any. Does not allocate.
 */
size_t rule_domain_of_host(struct slice host, char *into);

#endif
