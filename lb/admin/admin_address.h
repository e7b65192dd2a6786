/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of [admin], and where the running lb is spoken to: lb run listens there, lb status and
 * its like connect. */
#ifndef LB_ADMIN_ADMIN_ADDRESS_H
#define LB_ADMIN_ADMIN_ADDRESS_H

#include <stdbool.h>

#include "lb/base/arena.h"
#include "lb/base/error.h"
#include "lb/base/option.h"
#include "lb/base/socket.h"

struct admin_options {
#define OPTION OPTION_MEMBER
#include "lb/admin/admin_options.def"
#undef OPTION
};
extern const struct option_table admin_option_table;

struct admin_address {
    bool is_off;
    const char *path;   /* of the socket file, absolute; NULL: it is none */
    bool is_tcp;        /* TLS: */
    struct address tcp; /* here, … */
    const char *host;   /* … at what is written like this, without brackets and port */
};

/**
 * Read "unix:PATH", "HOST:PORT", "[IPV6]:PORT" or "off".
 *
 * folder   what a relative path is relative to
 * arena    path and host live there
 * Fails:   anything else, or a path that no socket can have; err says what would be right.
 * Thread:  any. May resolve a name.
 */
bool admin_address_parse(struct admin_address *address, const char *text, const char *folder,
                         struct arena *arena, struct error *err);

/**
 * Check the addresses of a section, and that TCP ones have what they need; paths of socket files
 * become absolute. What is wrong with a default is told where it is opened.
 *
 * Thread:  loader. May resolve names.
 */
void admin_options_check(struct admin_options *options, const char *file, const char *folder,
                         struct arena *arena, struct problems *problems);

/** Is there an address for TLS? Of checked options. */
bool admin_options_have_tcp(const struct admin_options *options);

/** The path of the first socket file of checked options; NULL: none. */
const char *admin_options_file(const struct admin_options *options);

/** What stands behind "unix:" of a checked address; NULL: it is no socket file. */
const char *admin_address_path(const char *text);

/**
 * The address that an INI file says (or leaves at its default); of several the first socket file,
 * else the first. Only [admin] is looked at, so that whatever else is wrong with the file keeps
 * nobody from asking the lb that runs.
 *
 * Fails:   the file cannot be read, or the address is wrong.   Thread: any. Reads the file.
 */
bool admin_address_of_file(struct admin_address *address, const char *file, struct arena *arena,
                           struct error *err);

#endif
