/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tells the log ahead of time which certificates end: the servers' own, and client CAs. Of each it
 * says so 30, 7 and 1 days before, and once a day in the last week and as long as one that has
 * ended is still in use; and when lb starts, or its file is loaded anew, of all that end within 30
 * days.
 */
#ifndef LB_SERVER_EXPIRY_WATCH_H
#define LB_SERVER_EXPIRY_WATCH_H

#include <stdbool.h>
#include <stdint.h>

struct config;

/** Zeroed has never looked. Thread: control, as for all here. */
struct expiry_watch {
    int64_t looked_s; /* wall clock; 0: never */
};

enum {
    EXPIRY_DAY_S = 24 * 60 * 60,
    EXPIRY_TOLD_MOST = 100, /* certificates told one by one at a time; nobody reads more */
};

/**
 * Is it time to say that something ends then, to who looked last before_s? All wall clock.
 *
 * before_s  0: never
 */
bool expiry_is_due(int64_t ends_s, int64_t before_s, int64_t now_s);

/** Look at all certificates of a config. returns  how many it told of, those that are only counted
 * included. */
unsigned expiry_watch_look(struct expiry_watch *watch, const struct config *config, int64_t now_s);

/** The next look tells everything: there is another config. */
void expiry_watch_forget(struct expiry_watch *watch);

#endif
