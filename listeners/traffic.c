/* SPDX-License-Identifier: Apache-2.0 */
#include "listeners/traffic.h"

#include <stdlib.h>
#include <string.h>

#include "listeners/tally.h"

const unsigned traffic_bounds_ms[TRAFFIC_BOUND_COUNT] = {5,   10,   25,   50,   100,  250,
                                                         500, 1000, 2500, 5000, 10000};

const char *traffic_answer_name(enum traffic_answer answer)
{
    static const char *const names[TRAFFIC_ANSWER_COUNT] = {"none", "1xx", "2xx",
                                                            "3xx",  "4xx", "5xx"};
    return names[answer];
}

const char *traffic_handshake_name(enum traffic_handshake handshake)
{
    static const char *const names[TRAFFIC_HANDSHAKE_COUNT] = {"full", "resumed", "failed"};
    return names[handshake];
}

const char *traffic_version_name(enum traffic_version version)
{
    static const char *const names[TRAFFIC_VERSION_COUNT] = {"HTTP/1.0", "HTTP/1.1", "HTTP/2"};
    return names[version];
}

/* --- counting -------------------------------------------------------------------------------- */

/* One thread writes: a load and a store, where an atomic addition would lock the line. */
static void add(_Atomic uint64_t *count, uint64_t more)
{
    uint64_t now = atomic_load_explicit(count, memory_order_relaxed);
    atomic_store_explicit(count, now + more, memory_order_relaxed);
}

/* What becomes of a tunnel says nothing of how fast answers are, nor does who went away. */
static void count_time(struct traffic *traffic, const struct traffic_request *request)
{
    unsigned bound = 0;
    if (request->status < 200)
        return;
    while (bound < TRAFFIC_BOUND_COUNT && request->duration_ms > traffic_bounds_ms[bound])
        bound++;
    add(&traffic->took[bound], 1);
    add(&traffic->took_ms, request->duration_ms);
}

void traffic_count_request(struct traffic *traffic, const struct traffic_request *request)
{
    if (!traffic)
        return;
    add(&traffic->answers[traffic_answer_of(request->status)], 1);
    add(&traffic->versions[request->version], 1);
    add(&traffic->request_bytes, request->request_bytes);
    add(&traffic->answer_bytes, request->answer_bytes);
    count_time(traffic, request);
}

void traffic_count_connection(struct traffic *traffic)
{
    if (traffic)
        add(&traffic->connections, 1);
}

void traffic_count_handshake(struct traffic *traffic, enum traffic_handshake handshake)
{
    if (traffic)
        add(&traffic->handshakes[handshake], 1);
}

/* Unsigned numbers come round: to add less than 0 takes away. */
void traffic_count_http2(struct traffic *traffic, int connections, int streams)
{
    if (!traffic)
        return;
    add(&traffic->http2_connections, (uint64_t)connections);
    add(&traffic->http2_streams, (uint64_t)streams);
}

/* --- who counts ------------------------------------------------------------------------------ */

static struct traffic *traffic_new(unsigned worker)
{
    struct traffic *traffic = aligned_alloc(_Alignof(struct traffic), sizeof *traffic);
    if (!traffic)
        return NULL;
    memset(traffic, 0, sizeof *traffic);
    traffic->worker = worker;
    return traffic;
}

struct traffic *traffic_of(struct tally *tally, unsigned worker)
{
    if (!tally)
        return NULL;
    struct traffic *first = atomic_load(&tally->traffic);
    for (struct traffic *at = first; at; at = at->next)
        if (at->worker == worker)
            return at;
    struct traffic *fresh = traffic_new(worker);
    if (!fresh)
        return NULL;
    do {
        fresh->next = first;
    } while (!atomic_compare_exchange_weak(&tally->traffic, &first, fresh));
    return fresh;
}

/* --- adding up ------------------------------------------------------------------------------- */

static void add_all(uint64_t *sums, const _Atomic uint64_t *counts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        sums[i] += atomic_load_explicit(&counts[i], memory_order_relaxed);
}

void traffic_add_up(const struct tally *tally, struct traffic_sum *ret_sum)
{
    *ret_sum = (struct traffic_sum){0};
    const struct traffic *at = tally ? atomic_load(&tally->traffic) : NULL;
    for (; at; at = at->next) {
        add_all(ret_sum->answers, at->answers, TRAFFIC_ANSWER_COUNT);
        add_all(ret_sum->versions, at->versions, TRAFFIC_VERSION_COUNT);
        add_all(ret_sum->took, at->took, TRAFFIC_BOUND_COUNT + 1);
        add_all(&ret_sum->took_ms, &at->took_ms, 1);
        add_all(&ret_sum->request_bytes, &at->request_bytes, 1);
        add_all(&ret_sum->answer_bytes, &at->answer_bytes, 1);
        add_all(&ret_sum->connections, &at->connections, 1);
        add_all(ret_sum->handshakes, at->handshakes, TRAFFIC_HANDSHAKE_COUNT);
        add_all(&ret_sum->http2_connections, &at->http2_connections, 1);
        add_all(&ret_sum->http2_streams, &at->http2_streams, 1);
    }
}

void traffic_free_all(struct tally *tally)
{
    struct traffic *at = atomic_load(&tally->traffic);
    while (at) {
        struct traffic *next = at->next;
        free(at);
        at = next;
    }
}
