/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of [admin], and where the running lb is spoken to: lb run listens there, lb status and
 * its like connect. */
#ifndef LB_ADMIN_ADMIN_ADDRESS_H
#define LB_ADMIN_ADMIN_ADDRESS_H

#include <stdbool.h>

#include "lb/base/arena.h"
#include "lb/base/error.h"
#include "lb/base/option.h"

struct admin_options {
#define OPTION OPTION_MEMBER
#include "lb/admin/admin_options.def"
#undef OPTION
};
extern const struct option_table admin_option_table;

struct admin_address {
    bool is_off;
    const char *path; /* of the socket file, absolute; NULL when off */
};

/**
 * Read "unix:PATH" or "off".
 *
 * folder   what a relative path is relative to
 * arena    the path lives there
 * Fails:   anything else, or a path that no socket can have; err says what would be right.
 * Thread:  any.
 */
bool admin_address_parse(struct admin_address *address, const char *text, const char *folder,
                         struct arena *arena, struct error *err);

/**
 * The address that an INI file says (or leaves at its default). Only [admin] is looked at, so that
 * whatever else is wrong with the file keeps nobody from asking the lb that runs.
 *
 * Fails:   the file cannot be read, or the address is wrong.   Thread: any. Reads the file.
 */
bool admin_address_of_file(struct admin_address *address, const char *file, struct arena *arena,
                           struct error *err);

#endif
