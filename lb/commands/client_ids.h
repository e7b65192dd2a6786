/* SPDX-License-Identifier: Apache-2.0 */
/* A fleet's client ids: a CSV file of "SERIAL,CLIENT-ID" lines, as many as there are devices. */
#ifndef LB_COMMANDS_CLIENT_IDS_H
#define LB_COMMANDS_CLIENT_IDS_H

#include <stdbool.h>
#include <stddef.h>

#include "lb/base/error.h"

struct client_id {
    char *serial; /* upper-case hex without leading zeros; owned, the id stands behind its NUL */
    const char *id;
    unsigned long line;
    bool is_used;
};

/** By serial. Zero-initialised is empty. */
struct client_ids {
    struct client_id *items;
    size_t count;
    size_t room;
};

/**
 * Read them. Serials in hex, in any case, with or without colons; an id may stand in double quotes,
 * where "" is one of them. Blank lines, and a first line without a serial (a header), are passed
 * over.
 *
 * Fails: the file cannot be read, or a line is none of this, or a serial is there twice: err, with
 *        the line
 */
bool client_ids_read(struct client_ids *ids, const char *path, struct error *err);
void client_ids_done(struct client_ids *ids);

/** The id of a serial, which then is used; NULL: there is none. */
const char *client_ids_take(struct client_ids *ids, const char *serial);
/** How many were never taken. */
size_t client_ids_left(const struct client_ids *ids);

#endif
