/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contract of a way to ask a backend for its health. One file in backends/checks/ defines one
 * `const struct check check_<file>`; the folder is the registry. A check says what is asked over a
 * connection that stands; check_run.h does what all of them share.
 */
#ifndef LB_BACKENDS_HEALTH_CHECK_H
#define LB_BACKENDS_HEALTH_CHECK_H

#include <stdbool.h>
#include <stddef.h>

struct check_run;

struct check {
    const char *name; /* as in `health_check = tcp` */
    const char *summary;
    unsigned http;    /* the version it speaks: 1 or 2; 0: none */
    bool needs_tls;   /* run->tls: only pools whose links speak TLS can have it */
    bool follows_tls; /* run->tls where the pool's links speak TLS; else it asks in the clear */
    /** The backend accepted the connection: ask, or call check_finish. */
    void (*connected)(struct check_run *run);
    /** It became readable or writable (enum connection_ready): go on, or call check_finish. */
    void (*ready)(struct check_run *run, int events);
};

/** Written by cmake from the folder; sorted, NULL at its end. */
extern const struct check *const checks[];

/** The check of this name, or NULL (also for "off"). */
const struct check *check_find(const char *name);

/** All known names with commas between, "off" among them, cut to room bytes. Returns into. */
const char *check_names(char *into, size_t room);

/** The known name an operator probably meant ("off" is one), or NULL. */
const char *check_nearest(const char *name);

#endif
