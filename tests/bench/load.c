/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The load generator: visitors on one epoll in one thread.
 *
 *   warming up   every visitor does one unit, a few at a time, and rests
 *   ready        with --wait: until a line comes on standard input
 *   measuring    units are handed out until the count or the time is used up; the last ones end
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

#include "tests/bench/latency.h"
#include "tests/bench/place.h"
#include "tests/bench/visitor.h"

enum {
    WARMING_AT_ONCE = 32,
    EVENTS_AT_ONCE = 256,
    MOST_FAILURES = 100,
    LONGEST_S = 1800, /* whatever was asked for */
};

enum load_phase { WARMING_UP, READY, MEASURING, OVER };

struct load {
    enum load_phase phase;
    struct load_options options;
    struct visitor_plan plan;
    struct visitor *visitors;
    struct latency latency;
    unsigned warmed; /* visitors that have begun their first unit */
    unsigned busy;   /* visitors that have a unit */
    uint64_t begun;  /* units handed out in the measured part */
    uint64_t done;
    uint64_t resumed;
    uint64_t reopened; /* keep-alive: connections opened in the measured part */
    uint64_t closed;   /* resting connections that the peer closed */
    uint64_t failures;
    uint64_t answer_bytes; /* in the bodies of the answers to all done */
    uint64_t body_bytes;   /* in the bodies of their requests */
    uint64_t began_ns;
    uint64_t ended_ns;
    uint64_t moved_ns; /* when the last unit ended, or a body got on */
    uint64_t moved_bytes;
    char first_failure[256];
    bool told; /* a line came, or standard input ended */
};

static void stop(struct load *load)
{
    load->phase = OVER;
    load->ended_ns = visitor_now_ns();
}

static void note_failure(struct load *load)
{
    if (load->failures++ == 0)
        snprintf(load->first_failure, sizeof load->first_failure, "%s", load->plan.failure);
}

static void note_done(struct load *load, const struct visitor *visitor)
{
    load->moved_ns = visitor->answered_ns;
    if (load->phase != MEASURING)
        return;
    load->done++;
    load->answer_bytes += visitor->answer.body_bytes;
    load->body_bytes += load->plan.body_bytes;
    latency_add(&load->latency, visitor->answered_ns - visitor->began_ns);
    if (visitor->fresh && visitor->reused)
        load->resumed++;
    if (visitor->fresh && load->options.mode == LOAD_KEEP_ALIVE)
        load->reopened++;
}

static bool has_more_work(struct load *load, uint64_t now_ns)
{
    if (load->phase != MEASURING || load->failures >= MOST_FAILURES)
        return false;
    if (load->options.count > 0)
        return load->begun < load->options.count;
    return now_ns - load->began_ns < (uint64_t)load->options.seconds * 1000000000U;
}

/* A visitor's unit ended, or it never had one: give it the next, or let it rest. */
static void settle(struct load *load, struct visitor *visitor, enum visitor_outcome outcome)
{
    while (outcome == VISITOR_DONE || outcome == VISITOR_FAILED) {
        load->busy--;
        if (outcome == VISITOR_DONE)
            note_done(load, visitor);
        else
            note_failure(load);
        uint64_t now_ns = outcome == VISITOR_DONE ? visitor->answered_ns : visitor_now_ns();
        if (!has_more_work(load, now_ns))
            return;
        load->begun++;
        load->busy++;
        outcome = visitor_begin(&load->plan, visitor);
    }
    if (outcome == VISITOR_CLOSED)
        load->closed++;
}

static void begin_measuring(struct load *load)
{
    load->phase = MEASURING;
    load->began_ns = load->moved_ns = visitor_now_ns();
    if (load->options.mode == LOAD_IDLE)
        return; /* the connections are open: that was the work */
    for (unsigned i = 0; i < load->options.connections && has_more_work(load, load->began_ns);
         i++) {
        load->begun++;
        load->busy++;
        settle(load, &load->visitors[i], visitor_begin(&load->plan, &load->visitors[i]));
    }
}

static void warm_up(struct load *load)
{
    while (load->busy < WARMING_AT_ONCE && load->warmed < load->options.connections &&
           load->failures < MOST_FAILURES) {
        struct visitor *visitor = &load->visitors[load->warmed++];
        load->busy++;
        settle(load, visitor, visitor_begin(&load->plan, visitor));
    }
    if (load->busy > 0)
        return;
    load->phase = READY;
    if (!load->options.waits)
        return;
    printf(
        "{\"ready\": true, \"connections\": %u, \"failures\": %llu, \"first_failure\": \"%s\"}\n",
        load->warmed, (unsigned long long)load->failures, load->first_failure);
    fflush(stdout);
}

static void move_on(struct load *load)
{
    if (load->phase == WARMING_UP)
        warm_up(load);
    if (load->phase == READY && (load->told || !load->options.waits))
        begin_measuring(load);
    if (load->phase == MEASURING && load->busy == 0)
        stop(load);
    uint64_t now_ns = visitor_now_ns();
    if (load->moved_bytes != load->plan.moved_bytes)
        load->moved_ns = now_ns;
    load->moved_bytes = load->plan.moved_bytes;
    uint64_t patience_ns = (uint64_t)load->options.stall_seconds * 1000000000U;
    if (load->busy == 0 || load->phase == OVER || now_ns - load->moved_ns < patience_ns)
        return;
    snprintf(load->plan.failure, sizeof load->plan.failure, "%u units stalled", load->busy);
    note_failure(load);
    stop(load);
}

/* false: standard input ended. */
static bool hear(struct load *load)
{
    char line[64];
    ssize_t bytes = read(STDIN_FILENO, line, sizeof line);
    load->told = true;
    return bytes > 0;
}

static void turn(struct load *load)
{
    struct epoll_event events[EVENTS_AT_ONCE];
    int count = epoll_wait(load->plan.epoll, events, EVENTS_AT_ONCE, 200);
    for (int i = 0; i < count; i++) {
        struct visitor *visitor = events[i].data.ptr;
        if (visitor != NULL)
            settle(load, visitor, visitor_advance(&load->plan, visitor));
        else if (!hear(load))
            stop(load);
    }
}

static void run(struct load *load)
{
    load->moved_ns = visitor_now_ns();
    for (move_on(load); load->phase != OVER; move_on(load))
        turn(load);
}

static void print_result(const struct load *load)
{
    const struct latency *latency = &load->latency;
    printf("{\"mode\": \"%s\", \"connections\": %u, \"units\": %llu, \"failures\": %llu, "
           "\"first_failure\": \"%s\", \"resumed\": %llu, \"reopened\": %llu, "
           "\"closed_by_peer\": %llu, \"seconds\": %.6f, \"p50_us\": %.1f, \"p99_us\": %.1f, "
           "\"most_us\": %.1f, \"answer_bytes\": %llu, \"body_bytes\": %llu, \"tls\": \"%s\", "
           "\"cipher\": \"%s\"}\n",
           load->options.mode_name, load->options.connections, (unsigned long long)load->done,
           (unsigned long long)load->failures, load->first_failure,
           (unsigned long long)load->resumed, (unsigned long long)load->reopened,
           (unsigned long long)load->closed, (double)(load->ended_ns - load->began_ns) / 1e9,
           (double)latency_percentile(latency, 50) / 1e3,
           (double)latency_percentile(latency, 99) / 1e3, (double)latency->most_ns / 1e3,
           (unsigned long long)load->answer_bytes, (unsigned long long)load->body_bytes,
           load->plan.tls_version, load->plan.cipher);
    fflush(stdout);
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

static bool prepare(struct load *load)
{
    unsigned connections = load->options.connections;
    if (!place_allow_descriptors(connections + 64UL)) {
        snprintf(load->plan.failure, sizeof load->plan.failure,
                 "no %u descriptors are allowed here (ulimit -Hn)", connections + 64);
        return false;
    }
    load->visitors = calloc(connections, sizeof *load->visitors);
    if (load->visitors == NULL)
        return false;
    for (unsigned i = 0; i < connections; i++)
        load->visitors[i].socket = -1;
    return visitor_plan_init(&load->plan, &load->options);
}

int main(int argc, char **argv)
{
    struct load load = {.options = load_options_read(argc, argv)};
    place_settle(LONGEST_S);
    if (load.options.cpu >= 0)
        place_pin("load", (unsigned long)load.options.cpu);
    if (!prepare(&load)) {
        fprintf(stderr, "load: %s\n", load.plan.failure);
        return 2;
    }
    if (load.options.waits)
        watch_standard_input(&load);
    run(&load);
    print_result(&load);
    while (load.options.waits && hear(&load))
        continue;
    for (unsigned i = 0; i < load.options.connections; i++)
        visitor_end(&load.visitors[i]);
    free(load.visitors);
    visitor_plan_done(&load.plan);
    return load.failures == 0 ? 0 : 1;
}
