/* SPDX-License-Identifier: Apache-2.0 */
/* See deadline.h. */
#include "lb/base/deadline.h"

static uint64_t loop_now_ms(struct deadlines *deadlines)
{
    return uv_now(deadlines->timer.loop);
}

static void on_timer(uv_timer_t *timer)
{
    deadlines_run(timer->data);
}

void deadlines_init(struct deadlines *deadlines, uv_loop_t *loop)
{
    *deadlines = (struct deadlines){.now_ms = loop_now_ms};
    uv_timer_init(loop, &deadlines->timer);
    deadlines->timer.data = deadlines;
    uv_unref((uv_handle_t *)&deadlines->timer);
}

void deadlines_close(struct deadlines *deadlines)
{
    deadlines->timer_due_ms = 0;
    uv_close((uv_handle_t *)&deadlines->timer, NULL);
}

static struct deadline *first_of(const struct deadline_list *list)
{
    return LIST_OWNER(list->waiting.next, struct deadline, node);
}

/* All lists are in use by other lengths: one nobody waits in, else the next longer, else the
 * longest. */
static struct deadline_list *share_list(struct deadlines *deadlines, uint32_t length_ms)
{
    struct deadline_list *longer = NULL;
    struct deadline_list *longest = &deadlines->lists[0];
    for (unsigned i = 0; i < deadlines->list_count; i++) {
        struct deadline_list *list = &deadlines->lists[i];
        if (list_is_empty(&list->waiting)) {
            list->length_ms = length_ms;
            return list;
        }
        if (list->length_ms > length_ms && (!longer || list->length_ms < longer->length_ms))
            longer = list;
        if (list->length_ms > longest->length_ms)
            longest = list;
    }
    if (longer)
        return longer;
    longest->length_ms = length_ms; /* those who wait in it are due earlier: the order holds */
    return longest;
}

static struct deadline_list *list_of(struct deadlines *deadlines, uint32_t length_ms)
{
    for (unsigned i = 0; i < deadlines->list_count; i++) {
        if (deadlines->lists[i].length_ms == length_ms)
            return &deadlines->lists[i];
    }
    if (deadlines->list_count == DEADLINE_LENGTHS)
        return share_list(deadlines, length_ms);
    struct deadline_list *list = &deadlines->lists[deadlines->list_count++];
    list->length_ms = length_ms;
    list_init(&list->waiting);
    return list;
}

static void wake_at(struct deadlines *deadlines, uint64_t due_ms, uint64_t now_ms)
{
    if (uv_is_closing((uv_handle_t *)&deadlines->timer))
        return;
    deadlines->timer_due_ms = due_ms;
    uv_timer_start(&deadlines->timer, on_timer, due_ms > now_ms ? due_ms - now_ms : 0, 0);
}

void deadline_arm(struct deadlines *deadlines, struct deadline *deadline, uint32_t after_ms,
                  deadline_passed on_passed)
{
    deadline_disarm(deadline);
    if (after_ms == 0)
        return;
    struct deadline_list *list = list_of(deadlines, after_ms);
    uint64_t now_ms = deadlines->now_ms(deadlines);
    deadline->due_ms = now_ms + list->length_ms;
    deadline->on_passed = on_passed;
    deadline->armed = true;
    list_append(&list->waiting, &deadline->node);
    if (deadlines->timer_due_ms == 0 || deadline->due_ms < deadlines->timer_due_ms)
        wake_at(deadlines, deadline->due_ms, now_ms);
}

void deadline_disarm(struct deadline *deadline)
{
    if (!deadline->armed)
        return;
    deadline->armed = false;
    list_remove(&deadline->node);
}

static uint64_t earliest_due_ms(const struct deadlines *deadlines)
{
    uint64_t earliest_ms = 0;
    for (unsigned i = 0; i < deadlines->list_count; i++) {
        const struct deadline_list *list = &deadlines->lists[i];
        if (list_is_empty(&list->waiting))
            continue;
        uint64_t due_ms = first_of(list)->due_ms;
        if (earliest_ms == 0 || due_ms < earliest_ms)
            earliest_ms = due_ms;
    }
    return earliest_ms;
}

/* A callback may arm and disarm anything: the list is looked at anew after each. */
static void run_list(struct deadline_list *list, uint64_t now_ms)
{
    while (!list_is_empty(&list->waiting) && first_of(list)->due_ms <= now_ms) {
        struct deadline *deadline = first_of(list);
        deadline_disarm(deadline);
        deadline->on_passed(deadline);
    }
}

void deadlines_run(struct deadlines *deadlines)
{
    uint64_t now_ms = deadlines->now_ms(deadlines);
    for (unsigned i = 0; i < deadlines->list_count; i++)
        run_list(&deadlines->lists[i], now_ms);
    uint64_t earliest_ms = earliest_due_ms(deadlines);
    if (earliest_ms > 0) {
        wake_at(deadlines, earliest_ms, now_ms);
    } else {
        deadlines->timer_due_ms = 0;
        uv_timer_stop(&deadlines->timer);
    }
}
