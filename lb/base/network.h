/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Networks such as 10.0.0.0/8 and 2001:db8::/32, and sets of them that are asked whether an address
 * lies in one. IPv4 and IPv6 are two worlds: ::/0 holds no IPv4 address. IPv4-mapped IPv6
 * (::ffff:10.0.0.0/104) is IPv4, as in address_set().
 */
#ifndef LB_BASE_NETWORK_H
#define LB_BASE_NETWORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lb/base/arena.h"
#include "lb/base/error.h"
#include "lb/base/socket.h"

/** An address as a number; IPv4 has all of it in `low`. */
struct network_point {
    uint64_t high;
    uint64_t low;
};

struct network {
    bool is_ipv6;
    unsigned prefix_bits; /* 0 to 32, or to 128 */
    struct network_point first;
};

/** The longest IPv6 address with its prefix, and the end. */
enum { NETWORK_TEXT_BYTES = 52 };

/**
 * Parse "ADDRESS/BITS", or an address alone, which is the network of just that one.
 *
 * ret_network  set on success only
 * Fails:       with what is wrong and what would be right: a name, a netmask, a port, a zone, a
 *              prefix that is too long, an address with bits set behind its prefix (the network it
 *              lies in is named).
 * Thread:      any. Does not block, names are not looked up.
 */
bool network_parse(struct network *ret_network, const char *text, struct error *err);

/** "10.0.0.0/8", also for a single address; into at least NETWORK_TEXT_BYTES. Returns `into`. */
const char *network_write(const struct network *network, char *into);

/** A range of addresses, both ends included. */
struct network_range {
    struct network_point first;
    struct network_point last;
};

/** Ranges in order that neither overlap nor touch. */
struct network_ranges {
    struct network_range *items;
    size_t count;
};

/** Immutable once made; any thread may ask. Zero-initialised is empty. */
struct network_set {
    struct network_ranges ipv4;
    struct network_ranges ipv6;
};

/**
 * Make a set; networks may overlap and come in any order.
 *
 * ret_set   overwritten; its ranges live in `arena`
 * networks  lent for the call
 * Thread:   the one that loads the config. Allocates.
 */
void network_set_make(struct network_set *ret_set, const struct network *networks, size_t count,
                      struct arena *arena);

/**
 * Does the address lie in one of the set's networks? Neither IPv4 nor IPv6: no. The zone of a
 * link-local address is not looked at. Takes log2(networks) steps and no memory. Any thread.
 */
bool network_set_has(const struct network_set *set, const struct address *address);

/** The same of a numeric address without port, as address_host() writes it; what is none lies in no
 * network. */
bool network_set_has_text(const struct network_set *set, const char *host);

#endif
