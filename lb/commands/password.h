/* SPDX-License-Identifier: Apache-2.0 */
/* A password somebody types, or has in a file: never from the command line, which every user of
 * the machine can read. */
#ifndef LB_COMMANDS_PASSWORD_H
#define LB_COMMANDS_PASSWORD_H

#include <stdbool.h>

#include "lb/base/error.h"

enum { PASSWORD_BYTES = 1024 };

/** UTF-8, not empty. password_done always, also where it could not be had. */
struct password {
    char text[PASSWORD_BYTES + 1];
};

/**
 * Ask for it on the terminal, twice, without showing it.
 *
 * what     "the .p12 file"
 * Fails:   there is no terminal; it is empty, too long or no UTF-8; the two differ; Ctrl-C. err
 *          says which.
 */
bool password_ask(struct password *password, const char *what, struct error *err);

/** The first line of a file. Fails: as above, or who is neither the file's owner nor of its group
 * may read it. */
bool password_read(struct password *password, const char *path, struct error *err);

void password_done(struct password *password);

#endif
