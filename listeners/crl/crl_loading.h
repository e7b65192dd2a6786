/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the revocation lists of a config: each file once, whoever names it. */
#ifndef LB_LISTENERS_CRL_LOADING_H
#define LB_LISTENERS_CRL_LOADING_H

#include <stdbool.h>
#include <time.h>

#include "lb/base/arena.h"
#include "lb/base/error.h"

struct crl_check;
struct crls;

struct crl_loading {
    struct crls *crls; /* files that are watched already are not read again; NULL: none are */
    /* A file that is no good changes nothing where its lists are in force: a warning. That is for
     * when the operator has asked for something else than this. */
    bool is_lenient;
    time_t now;
    const char *file; /* the INI file */
    struct arena *arena;
    struct problems *problems;
};

/**
 * Read what the checks ask and let them go by it. Reports, at file:line: files that cannot be read
 * or are no good, lists of CAs that no client_ca names (a warning where client_ca names CAs of the
 * registry: they come and go); and as warnings, lists that are out of date, not yet valid or soon
 * at their end, and CAs without a list.
 *
 * Thread:  loader. Out of memory ends the process.
 */
void crl_loading_read(const struct crl_loading *loading, struct crl_check *const *checks,
                      unsigned count);

#endif
