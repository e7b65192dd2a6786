/* SPDX-License-Identifier: Apache-2.0 */
/* Counts who still uses something that was replaced, on one thread: the last one to give it back
 * sets off its end. */
#ifndef LB_BASE_HOLD_H
#define LB_BASE_HOLD_H

/** Embedded in what is counted. */
struct hold {
    unsigned users;
    void (*on_unused)(struct hold *hold); /* called by the last hold_give */
};

static inline void hold_take(struct hold *hold)
{
    hold->users++;
}

static inline void hold_give(struct hold *hold)
{
    if (--hold->users == 0)
        hold->on_unused(hold);
}

#endif
