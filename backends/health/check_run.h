/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One asking of one backend: connecting, the check's own questions, the result, the end.
 *
 *   check_start ──> CONNECTING ──> ASKING ──> check_finish ──> on_result … ENDING ──> on_over
 *                       │ refused    │
 *                       └────────────┴──> check_stop ──────────────────── ENDING ──> on_over
 *
 * A backend that was spoken to is taken leave of politely, so that it does not log a reset for each
 * check; the result does not wait for that.
 */
#ifndef LB_BACKENDS_HEALTH_CHECK_RUN_H
#define LB_BACKENDS_HEALTH_CHECK_RUN_H

#include <stdbool.h>
#include <uv.h>

#include "backends/health/check.h"
#include "backends/pool.h"
#include "backends/tls/backend_tls.h"
#include "lb/base/connection.h"

enum check_outcome {
    CHECK_PASSED,
    CHECK_FAILED,
    CHECK_NOT_MADE, /* lb had no descriptor, port or memory: that says nothing of the backend */
};

enum check_state {
    CHECK_IDLE,       /* nothing is open */
    CHECK_CONNECTING, /* waits for the connect to be decided */
    CHECK_ASKING,     /* waits for what the check waits for */
    CHECK_ENDING,     /* the result is known or not wanted: waits for the connection to end */
    CHECK_TELLING,    /* there never was a connection: waits for the loop to tell that */
};

/** Embedded in its owner; all of it zeroed before the first start. */
struct check_run {
    /* The owner's. */
    const struct check *check;
    const struct pool *pool;
    const struct backend *backend;
    struct address address;          /* the backend's, with health_check_port */
    struct backend_tls_context *tls; /* of the pool; NULL where the check speaks no TLS */
    struct loop_context *context;
    /** The result, with the reason in words, lent during the call ("connection refused"). Called
     *  from the loop, once unless the run is stopped before. */
    void (*on_result)(struct check_run *run, enum check_outcome outcome, const char *reason);
    /** Nothing of the run is open any more: it may be started again. Called from the loop, once
     *  for each start, last. */
    void (*on_over)(struct check_run *run);

    /* check_run.c's. */
    enum check_state state;
    struct connection connection;
    uv_timer_t soon;
    bool is_stopped;
    enum check_outcome outcome;
    char reason[STANDING_REASON_BYTES];

    /* The check's. */
    struct buffer *heard;                   /* given back with the connection */
    struct check_h2_call *h2;               /* check_h2.c's */
    void (*release)(struct check_run *run); /* called once when the connection is gone: free what
                                               the check made; NULL: nothing. The run's `check` may
                                               be another one by then */
    unsigned interim_count;
    char tls_name[BACKEND_TLS_NAME_BYTES]; /* asked for, once TLS is spoken */
    struct backend_tls_user tls_user;
};

/** Begin; whatever becomes of it is told by the loop, never inside. The owner watches the time. */
void check_start(struct check_run *run);

/** Give up a run that is not over: no on_result any more, on_over soon. A result that was told
 *  stands; then this cuts the leave-taking short. Does not look at pool and backend again. */
void check_stop(struct check_run *run);

/** For checks: this is the result. It is told inside. */
void check_finish(struct check_run *run, enum check_outcome outcome, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** For checks: the connection failed (IO_FAILED); why is the reason. */
void check_fail(struct check_run *run);

/**
 * For checks: send on what waits.
 *
 * events   as struct check's ready
 * returns  false: the check is finished, and nothing was there to be read
 */
bool check_flush(struct check_run *run, int events);

/**
 * For checks: read once, up to `room` bytes, into context->plain.
 *
 * within   what the backend has begun to say, should it close now, as in "the answer's head"; NULL:
 *          nothing
 * returns  how many bytes came; 0: none, on_ready comes, or the check is finished
 */
size_t check_read(struct check_run *run, size_t room, const char *within);

/** For checks over HTTP: who is asked for, health_check_host or the backend's address. Lent. */
const char *check_host(const struct check_run *run);

#endif
