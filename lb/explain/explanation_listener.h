/* SPDX-License-Identifier: Apache-2.0 */
/* Which listener would a client come to? */
#ifndef LB_EXPLANATION_LISTENER_H
#define LB_EXPLANATION_LISTENER_H

#include <stdbool.h>

#include "lb/base/slice.h"

struct config;
struct error;
struct listener;

/** What is known of where a client goes. */
struct destination {
    const char *listener; /* its name was said; NULL: not */
    const char *scheme;   /* "https" or "http"; NULL: not said */
    unsigned port;        /* 0: not said */
    bool is_port_certain; /* said as part of a URL: nobody else will do */
    struct slice host;    /* without port */
};

/**
 * The first listener of the file that would serve it: of the scheme and, if any has it, of the
 * port; one whose rules name the host comes before those that would serve it as unknown.
 *
 * index    0: the first; above: the ones behind it that would serve it as well
 * returns  NULL: there is none
 */
const struct listener *destination_listener(const struct destination *destination,
                                            const struct config *config, unsigned index);

/** Say why there is none, and which there are. returns false. */
bool destination_fault(const struct destination *destination, const struct config *config,
                       struct error *err);

#endif
