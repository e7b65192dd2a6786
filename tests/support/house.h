/* SPDX-License-Identifier: Apache-2.0 */
/* The smallest house for stories about HTTP: one listener "web", http or https, one rule for
 * everything, one scripted backend. */
#ifndef LB_TESTS_HOUSE_H
#define LB_TESTS_HOUSE_H

#include "tests/support/peer.h"
#include "tests/support/scene.h"
#include "tests/support/stub_backend.h"

struct house {
    struct scene scene;
    struct stub_backend backend;
};

/* Lines that a story adds to the sections; NULL: none. */
struct house_plan {
    unsigned workers; /* 0: two */
    bool is_https;    /* with the server's certificate of the cast */
    stub_serve serve; /* NULL: stub_answer_by_name */
    void *story;
    const char *lb;
    const char *listener;
    const char *rule;
    const char *pool;
};

void house_open(struct house *house, const struct house_plan *plan);
/* Stop lb (exit status 0, no sanitizer's report), then the backend. */
void house_close(struct house *house);
void house_enter(struct house *house, struct peer *peer);

#endif
