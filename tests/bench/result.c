/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/result.h"

#include <stdio.h>

void result_note_done(struct result *result, const struct visitor_plan *plan,
                      const struct visitor *visitor)
{
    result->done++;
    result->answer_bytes += visitor->answer.body_bytes;
    result->body_bytes += plan->body_bytes;
    latency_add(&result->latency, visitor->answered_ns - visitor->due_ns);
    if (visitor->fresh && visitor->reused)
        result->resumed++;
    if (visitor->fresh && plan->options->mode == LOAD_KEEP_ALIVE)
        result->reopened++;
}

void result_note_failure(struct result *result, const char *why)
{
    if (result->failures++ == 0)
        snprintf(result->first_failure, sizeof result->first_failure, "%s", why);
}

static void print_count(const char *name, uint64_t count)
{
    printf("\"%s\": %llu, ", name, (unsigned long long)count);
}

static void print_us(const char *name, uint64_t ns)
{
    printf("\"%s\": %.1f, ", name, (double)ns / 1e3);
}

void result_print(const struct result *result, const struct visitor_plan *plan)
{
    printf("{\"mode\": \"%s\", ", plan->options->mode_name);
    print_count("connections", plan->options->connections);
    print_count("rate", plan->options->rate);
    print_count("units", result->done);
    print_count("failures", result->failures);
    printf("\"first_failure\": \"%s\", ", result->first_failure);
    print_count("unserved", result->unserved);
    print_count("resumed", result->resumed);
    print_count("reopened", result->reopened);
    print_count("closed_by_peer", result->closed);
    print_count("answer_bytes", result->answer_bytes);
    print_count("body_bytes", result->body_bytes);
    printf("\"seconds\": %.6f, ", (double)(result->ended_ns - result->began_ns) / 1e9);
    print_us("p50_us", latency_percentile(&result->latency, 50));
    print_us("p99_us", latency_percentile(&result->latency, 99));
    print_us("most_us", result->latency.most_ns);
    print_us("late_p50_us", latency_percentile(&result->late, 50));
    print_us("late_p99_us", latency_percentile(&result->late, 99));
    print_us("late_most_us", result->late.most_ns);
    printf("\"tls\": \"%s\", \"cipher\": \"%s\"}\n", plan->tls_version, plan->cipher);
    fflush(stdout);
}
