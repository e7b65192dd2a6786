/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Timeouts without a heap: deadlines of equal length wait in one FIFO list each (the newest is
 * always the last due), and one timer per loop wakes for the earliest. Arming and disarming are
 * O(1) and make no system call. Precision is the loop's millisecond.
 */
#ifndef LB_BASE_DEADLINE_H
#define LB_BASE_DEADLINE_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "lb/base/list.h"

struct deadline;
typedef void (*deadline_passed)(struct deadline *deadline);

/** Embedded in what it watches. Zero-initialised is disarmed. */
struct deadline {
    struct list_node node;
    uint64_t due_ms; /* loop time */
    bool armed;
    deadline_passed on_passed;
};

/*
 * Distinct timeout values per loop that are waited for at the same time. One more shares the next
 * longer list and passes with it; if there is none, the longest list grows to its length.
 */
enum { DEADLINE_LENGTHS = 64 };

struct deadline_list {
    uint32_t length_ms;
    struct list_node waiting; /* earliest first */
};

struct deadlines {
    uv_timer_t timer;
    uint64_t timer_due_ms; /* 0: timer stopped */
    unsigned list_count;
    struct deadline_list lists[DEADLINE_LENGTHS];
    uint64_t (*now_ms)(struct deadlines *deadlines); /* uv_now of the loop; tests replace it */
    void *now_context;
};

/**
 * Must not move afterwards. The timer does not keep the loop alive: what is watched does.
 *
 * loop     borrowed until deadlines_close
 */
void deadlines_init(struct deadlines *deadlines, uv_loop_t *loop);
/** Close the timer; the loop must run once more for it. */
void deadlines_close(struct deadlines *deadlines);
/** (Re)arm: on_passed is called once from the loop when `after_ms` have passed; 0 disarms. */
void deadline_arm(struct deadlines *deadlines, struct deadline *deadline, uint32_t after_ms,
                  deadline_passed on_passed);
/** Harmless when not armed. */
void deadline_disarm(struct deadline *deadline);
/** Call everything that is due at now_ms(); the timer does this, tests call it with a fake now. */
void deadlines_run(struct deadlines *deadlines);

#endif
