/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What went through one listener on one worker: connections, handshakes, requests. Only its worker
 * writes it, so that to count costs no locked instruction; whoever asks adds the workers' up. It
 * belongs to the listener's tally and stays as long: a reload does not begin anew.
 */
#ifndef LB_LISTENERS_TRAFFIC_H
#define LB_LISTENERS_TRAFFIC_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

/** How requests ended, by the status their client got. */
enum traffic_answer {
    TRAFFIC_UNANSWERED, /* it went away before there was one */
    TRAFFIC_1XX,        /* a tunnel (101) */
    TRAFFIC_2XX,
    TRAFFIC_3XX,
    TRAFFIC_4XX,
    TRAFFIC_5XX,
    TRAFFIC_ANSWER_COUNT,
};

/** "none", "1xx", …: the metric's label. Static. */
const char *traffic_answer_name(enum traffic_answer answer);

static inline enum traffic_answer traffic_answer_of(unsigned status)
{
    return status < 600 ? (enum traffic_answer)(status / 100) : TRAFFIC_5XX;
}

enum traffic_handshake {
    TRAFFIC_FULL,
    TRAFFIC_RESUMED,
    TRAFFIC_FAILED,
    TRAFFIC_HANDSHAKE_COUNT,
};

/** "full", "resumed", "failed": the metric's label. Static. */
const char *traffic_handshake_name(enum traffic_handshake handshake);

/** The version of HTTP that a request came in. */
enum traffic_version {
    TRAFFIC_HTTP_1_0,
    TRAFFIC_HTTP_1_1,
    TRAFFIC_HTTP_2,
    TRAFFIC_VERSION_COUNT,
};

/** "HTTP/1.0", …: the metric's label, as the access log has it. Static. */
const char *traffic_version_name(enum traffic_version version);

/** protocol: as stream.protocol has it, one of these names. */
static inline enum traffic_version traffic_version_of(const char *protocol)
{
    enum { MAJOR = sizeof "HTTP/" - 1, MINOR = MAJOR + 2 };
    if (protocol[MAJOR] != '1')
        return TRAFFIC_HTTP_2;
    return protocol[MINOR] == '0' ? TRAFFIC_HTTP_1_0 : TRAFFIC_HTTP_1_1;
}

/* How long answered requests took, from their head to the end of their answer: from 5 ms (loops
 * tell time in ms) to 10 s, as Prometheus' own clients have it, and longer. */
enum { TRAFFIC_BOUND_COUNT = 11 };
extern const unsigned traffic_bounds_ms[TRAFFIC_BOUND_COUNT];

struct traffic {
    _Alignas(64) struct traffic *next; /* of its tally; the line is no other worker's */
    unsigned worker;
    _Atomic uint64_t answers[TRAFFIC_ANSWER_COUNT];
    _Atomic uint64_t versions[TRAFFIC_VERSION_COUNT];
    _Atomic uint64_t took[TRAFFIC_BOUND_COUNT + 1]; /* by the least bound that it keeps */
    _Atomic uint64_t took_ms;                       /* all of them together */
    _Atomic uint64_t request_bytes;                 /* of bodies, as the access log has it */
    _Atomic uint64_t answer_bytes;
    _Atomic uint64_t connections;
    _Atomic uint64_t handshakes[TRAFFIC_HANDSHAKE_COUNT];
    _Atomic uint64_t http2_connections; /* open now */
    _Atomic uint64_t http2_streams;     /* on them */
};

/** What one request was. */
struct traffic_request {
    unsigned status; /* 0: its client got none */
    uint64_t request_bytes;
    uint64_t answer_bytes;
    uint64_t duration_ms;
    enum traffic_version version;
};

/** All of these: NULL is fine, then nobody counts. Thread: the worker's. */
void traffic_count_request(struct traffic *traffic, const struct traffic_request *request);
void traffic_count_connection(struct traffic *traffic);
void traffic_count_handshake(struct traffic *traffic, enum traffic_handshake handshake);
/** So many more connections of HTTP/2 are open, and streams on them; below 0: fewer. */
void traffic_count_http2(struct traffic *traffic, int connections, int streams);

struct tally;

/**
 * What this worker counts for the listener of this tally, now and when it asked before.
 *
 * returns  lent as long as the tally; NULL: no tally, or out of memory
 * Thread:  any, but for one worker one at a time
 */
struct traffic *traffic_of(struct tally *tally, unsigned worker);

/** Of all workers together; each number is exact, their moments differ a little. */
struct traffic_sum {
    uint64_t answers[TRAFFIC_ANSWER_COUNT];
    uint64_t versions[TRAFFIC_VERSION_COUNT];
    uint64_t took[TRAFFIC_BOUND_COUNT + 1];
    uint64_t took_ms;
    uint64_t request_bytes;
    uint64_t answer_bytes;
    uint64_t connections;
    uint64_t handshakes[TRAFFIC_HANDSHAKE_COUNT];
    uint64_t http2_connections;
    uint64_t http2_streams;
};

/** tally NULL: nothing. Any thread. */
void traffic_add_up(const struct tally *tally, struct traffic_sum *ret_sum);
/** For the tally that goes: nobody counts any more. */
void traffic_free_all(struct tally *tally);

#endif
