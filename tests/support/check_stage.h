/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One health check of one backend, whose end of the connection the test plays itself.
 *
 *   static struct check_stage stage;            begin and end: a checked fixture
 *   made_pool_key(&stage.made, "health_check_host", "www.example.com");
 *   check_stage_start(&stage, "http");
 *   … recv(stage.peer, …), send(stage.peer, …) …
 *   check_stage_await_result(&stage);           stage.outcome, stage.reason
 *   check_stage_await_over(&stage);
 */
#ifndef LB_TESTS_CHECK_STAGE_H
#define LB_TESTS_CHECK_STAGE_H

#include <uv.h>

#include "backends/health/check_run.h"
#include "tests/support/made_pool.h"

struct check_stage {
    uv_loop_t loop;
    struct loop_context context;
    struct made_pool made;
    struct check_run run;
    unsigned port;
    int listener;
    int peer; /* the backend's end, blocking; -1: there is none, or the test closed it */
    unsigned result_count;
    unsigned over_count;
    enum check_outcome outcome; /* of the last result */
    char reason[STANDING_REASON_BYTES];
};

void check_stage_begin(struct check_stage *stage);
/* The run must be over; proves that no buffer is lent and no handle left. */
void check_stage_end(struct check_stage *stage);
/* Make the pool of the keys that were given, begin this check, accept its connection. */
void check_stage_start(struct check_stage *stage, const char *name);
/* Accept the connection of a run that the test started again. */
void check_stage_accept(struct check_stage *stage);
void check_stage_await_result(struct check_stage *stage);
void check_stage_await_over(struct check_stage *stage);
/* Give the run up, and wait until it is over. */
void check_stage_stop(struct check_stage *stage);

#endif
