/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a backend does for stories about clients who are sent away in the middle of something: it
 * holds its answer to /held until the story lets it go, echoes on /chat, answers the rest at once.
 *
 *   stub_start_with(&backend, "rs-1", turns_serve, &turns);
 */
#ifndef LB_TESTS_TURNS_H
#define LB_TESTS_TURNS_H

#include <semaphore.h>

#include "tests/support/stub_backend.h"

struct turns {
    sem_t arrived; /* held requests that the backend has … */
    sem_t go_on;   /* … and answers that it may give */
};

void turns_open(struct turns *turns);
void turns_close(struct turns *turns);
void turns_serve(struct stub_link *link);

#endif
