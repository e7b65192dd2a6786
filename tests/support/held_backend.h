/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A backend that takes requests and holds its answers back until the story lets them go, and counts
 * how many it holds: what a backend has to do at the same time.
 */
#ifndef LB_TESTS_HELD_BACKEND_H
#define LB_TESTS_HELD_BACKEND_H

#include "tests/support/stub_backend.h"

struct held_backend {
    struct stub_backend stub;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t changed;
    unsigned permits; /* answers that may go */
    bool is_open;     /* all may */
    unsigned holding;
    unsigned most;
};

/* It answers with its name. */
void held_start(struct held_backend *held, const char *name);
/* Lets all go, closes everything. */
void held_stop(struct held_backend *held);

/* Requests without an answer now. */
unsigned held_now(struct held_backend *held);
/* The most there ever were. */
unsigned held_most(struct held_backend *held);
/* Let so many answers go, now or when they are asked for. */
void held_release(struct held_backend *held, unsigned count);
/* Answer at once from now on. */
void held_open(struct held_backend *held);

#endif
