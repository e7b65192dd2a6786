/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The load generator: visitors on one epoll in one thread, each with a connection of its own, or
 * with HTTP/2 so many together on one.
 *
 *   warming up   every visitor does one unit, a few at a time, and rests
 *   ready        with --wait: until a line comes on standard input
 *   measuring    units are handed out at the pace that was asked for; the last ones end
 *   over         the result is printed; with --wait, connections stay until standard input ends
 *
 * Whoever measures processor time from outside reads it between "ready" and its line, and again
 * after the result: neither warming up nor closing the kept connections falls between.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "tests/bench/bundle.h"
#include "tests/bench/pace.h"
#include "tests/bench/place.h"
#include "tests/bench/result.h"
#include "tests/bench/visitor.h"
#include "tests/bench/wake.h"

enum {
    WARMING_AT_ONCE = 32,
    EVENTS_AT_ONCE = 256,
    MOST_FAILURES = 100,
    LOOK_AROUND_MS = 200, /* for stalls, when nothing happens */
    LONGEST_S = 1800,     /* whatever was asked for */
};

enum load_phase { WARMING_UP, READY, MEASURING, OVER };

struct load {
    enum load_phase phase;
    struct load_options options;
    struct visitor_plan plan;
    struct pace pace; /* of the measured part */
    struct wake wake;
    struct result result;
    struct visitor *visitors;
    unsigned visitor_count;
    struct bundle *bundles;        /* of visitors, with HTTP/2: one for each connection */
    struct visitor *first_resting; /* in the order in which they came to rest: all get their turn */
    struct visitor *last_resting;
    unsigned warmed;      /* visitors that have begun their first unit */
    unsigned busy;        /* visitors that have a unit */
    uint64_t moved_ns;    /* when a unit last ended or a body got on */
    uint64_t moved_bytes; /* of all bodies, by then */
    bool told;            /* a line came, or standard input ended */
};

static uint64_t patience_ns(const struct load *load)
{
    return (uint64_t)load->options.stall_seconds * 1000000000U;
}

static void stop(struct load *load)
{
    load->phase = OVER;
    load->result.ended_ns = visitor_now_ns();
    load->result.unserved = pace_waiting(&load->pace, load->result.ended_ns) + load->busy;
}

/* ---- units ---- */

static void rest(struct load *load, struct visitor *visitor)
{
    visitor->next_resting = NULL;
    if (load->first_resting == NULL)
        load->first_resting = visitor;
    else
        load->last_resting->next_resting = visitor;
    load->last_resting = visitor;
}

static void settle(struct load *load, struct visitor *visitor, enum visitor_outcome outcome)
{
    if (outcome == VISITOR_CLOSED)
        load->result.closed++;
    if (outcome != VISITOR_DONE && outcome != VISITOR_FAILED)
        return;
    load->busy--;
    rest(load, visitor);
    if (outcome == VISITOR_FAILED) {
        result_note_failure(&load->result, load->plan.failure);
        return;
    }
    load->moved_ns = visitor->answered_ns;
    if (load->phase == MEASURING)
        result_note_done(&load->result, &load->plan, visitor);
}

static void on_end(void *listener, struct visitor *visitor, enum visitor_outcome outcome)
{
    settle(listener, visitor, outcome);
}

static void begin_unit(struct load *load, struct visitor *visitor, uint64_t due_ns)
{
    load->busy++;
    if (visitor->bundle != NULL)
        bundle_begin(visitor->bundle, visitor, due_ns);
    else
        settle(load, visitor, visitor_begin(&load->plan, visitor, due_ns));
}

static bool has_more_work(const struct load *load, uint64_t now_ns)
{
    return load->phase == MEASURING && load->result.failures < MOST_FAILURES &&
           pace_has_more(&load->pace, now_ns);
}

/* Whoever rests takes what is due. */
static void hand_out_all(struct load *load)
{
    uint64_t due_ns;
    while (load->phase == MEASURING && load->first_resting != NULL) {
        uint64_t now_ns = visitor_now_ns();
        if (!has_more_work(load, now_ns) || !pace_take(&load->pace, now_ns, &due_ns))
            return;
        struct visitor *visitor = load->first_resting;
        load->first_resting = visitor->next_resting;
        if (load->busy == 0)
            load->moved_ns = now_ns;
        latency_add(&load->result.late, now_ns - due_ns);
        begin_unit(load, visitor, due_ns);
    }
}

static void hand_out(struct load *load)
{
    hand_out_all(load);
    bundle_flush_all(&load->plan);
}

/* ---- phases ---- */

static void warm_up(struct load *load)
{
    while (load->busy < WARMING_AT_ONCE && load->warmed < load->visitor_count &&
           load->result.failures < MOST_FAILURES)
        begin_unit(load, &load->visitors[load->warmed++], visitor_now_ns());
    bundle_flush_all(&load->plan);
    if (load->busy > 0)
        return;
    load->phase = READY;
    if (!load->options.waits)
        return;
    printf(
        "{\"ready\": true, \"connections\": %u, \"failures\": %llu, \"first_failure\": \"%s\"}\n",
        load->options.connections, (unsigned long long)load->result.failures,
        load->result.first_failure);
    fflush(stdout);
}

static void begin_measuring(struct load *load)
{
    const struct load_options *options = &load->options;
    load->phase = MEASURING;
    load->result.began_ns = load->moved_ns = visitor_now_ns();
    if (options->mode == LOAD_IDLE)
        return; /* the connections are open: that was the work */
    load->plan.holds = options->mode == LOAD_HELD;
    visitor_plan_ask(&load->plan, options->path);
    load->pace = pace_begin(options->rate, options->count, (uint64_t)options->seconds * 1000000000U,
                            load->result.began_ns);
}

static void give_up(struct load *load, const char *what, uint64_t units)
{
    char text[128];
    snprintf(text, sizeof text, "%llu units %s", (unsigned long long)units, what);
    result_note_failure(&load->result, text);
    stop(load);
}

/* Neither a peer that says nothing nor one that is far too slow may hold this up for ever. */
static void look_for_stall(struct load *load, uint64_t now_ns)
{
    if (load->moved_bytes != load->plan.moved_bytes)
        load->moved_ns = now_ns;
    load->moved_bytes = load->plan.moved_bytes;
    uint64_t next_ns = pace_next_ns(&load->pace);
    if (load->busy > 0 && now_ns - load->moved_ns >= patience_ns(load))
        give_up(load, "stalled", load->busy);
    else if (load->phase == MEASURING && next_ns < now_ns && now_ns - next_ns >= patience_ns(load))
        give_up(load, "are due and find no free connection", pace_waiting(&load->pace, now_ns));
}

static void move_on(struct load *load)
{
    if (load->phase == WARMING_UP)
        warm_up(load);
    if (load->phase == READY && (load->told || !load->options.waits))
        begin_measuring(load);
    hand_out(load);
    uint64_t now_ns = visitor_now_ns();
    if (load->phase == MEASURING && load->busy == 0 && !has_more_work(load, now_ns))
        stop(load);
    if (load->phase != OVER)
        look_for_stall(load, now_ns);
}

/* ---- events ---- */

/* false: standard input ended. */
static bool hear(struct load *load)
{
    char line[64];
    ssize_t bytes = read(STDIN_FILENO, line, sizeof line);
    load->told = true;
    return bytes > 0;
}

static void advance(struct load *load, void *owner)
{
    if (load->bundles != NULL)
        bundle_advance(owner);
    else
        settle(load, owner, visitor_advance(&load->plan, owner));
}

static void turn(struct load *load)
{
    struct epoll_event events[EVENTS_AT_ONCE];
    if (load->phase == MEASURING && load->first_resting != NULL &&
        pace_next_ns(&load->pace) != UINT64_MAX)
        wake_at(&load->wake, pace_next_ns(&load->pace));
    int count = epoll_wait(load->plan.epoll, events, EVENTS_AT_ONCE, LOOK_AROUND_MS);
    for (int i = 0; i < count; i++) {
        void *owner = events[i].data.ptr;
        if (owner == NULL && !hear(load))
            stop(load);
        if (owner != NULL && owner != &load->wake)
            advance(load, owner);
        hand_out(load); /* between two events: units are not late for those behind */
    }
}

static void run(struct load *load)
{
    load->moved_ns = visitor_now_ns();
    for (move_on(load); load->phase != OVER; move_on(load))
        turn(load);
}

static void watch_standard_input(struct load *load)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    if (epoll_ctl(load->plan.epoll, EPOLL_CTL_ADD, STDIN_FILENO, &event) == 0)
        return;
    fprintf(stderr, "load: --wait needs a pipe or terminal as standard input: %s\n",
            strerror(errno));
    exit(2);
}

/* false: out of memory. */
static bool gather_visitors(struct load *load)
{
    unsigned connections = load->options.connections;
    unsigned streams = load->options.streams;
    load->visitor_count = streams > 0 ? connections * streams : connections;
    load->visitors = calloc(load->visitor_count, sizeof *load->visitors);
    if (load->visitors == NULL)
        return false;
    for (unsigned i = 0; i < load->visitor_count; i++)
        load->visitors[i].line.socket = -1;
    if (streams == 0)
        return true;
    load->plan.on_end = on_end;
    load->plan.listener = load;
    load->bundles = calloc(connections, sizeof *load->bundles);
    for (unsigned i = 0; i < connections && load->bundles != NULL; i++)
        bundle_init(&load->bundles[i], &load->plan, load->visitors + (size_t)i * streams, streams);
    return load->bundles != NULL;
}

static bool prepare(struct load *load)
{
    unsigned connections = load->options.connections;
    if (!place_allow_descriptors(connections + 64UL)) {
        snprintf(load->plan.failure, sizeof load->plan.failure,
                 "no %u descriptors are allowed here (ulimit -Hn)", connections + 64);
        return false;
    }
    if (!visitor_plan_init(&load->plan, &load->options) || !gather_visitors(load))
        return false;
    if (wake_init(&load->wake, load->plan.epoll))
        return true;
    snprintf(load->plan.failure, sizeof load->plan.failure, "no timer: %s", strerror(errno));
    return false;
}

static void clear_away(struct load *load)
{
    for (unsigned i = 0; load->bundles != NULL && i < load->options.connections; i++)
        bundle_end(&load->bundles[i]);
    for (unsigned i = 0; load->visitors != NULL && i < load->visitor_count; i++)
        visitor_end(&load->visitors[i]);
    free(load->bundles);
    free(load->visitors);
    wake_done(&load->wake);
    visitor_plan_done(&load->plan);
}

int main(int argc, char **argv)
{
    struct load load = {
        .options = load_options_read(argc, argv), .plan = {.epoll = -1}, .wake = {.timer = -1}};
    place_settle(LONGEST_S);
    if (load.options.cpu >= 0)
        place_pin("load", (unsigned long)load.options.cpu);
    if (!prepare(&load)) {
        fprintf(stderr, "load: %s\n", load.plan.failure);
        clear_away(&load);
        return 2;
    }
    if (load.options.waits)
        watch_standard_input(&load);
    run(&load);
    result_print(&load.result, &load.plan);
    while (load.options.waits && hear(&load))
        continue;
    clear_away(&load);
    return load.result.failures == 0 ? 0 : 1;
}
