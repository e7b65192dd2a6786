/* SPDX-License-Identifier: Apache-2.0 */
/* What goes through: by listener, and of answers by backend. */
#include <stdio.h>

#include "backends/standing.h"
#include "lb/admin/admin.h"
#include "lb/admin/metrics.h"
#include "lb/admin/metrics_writer.h"
#include "lb/config/config.h"
#include "listeners/tally.h"
#include "listeners/traffic.h"

/* --- numbers of a listener ----------------------------------------------------------------- */

/* The next sample, as far as all have it in common. */
static void begin_sample(struct metrics *metrics, const struct listener *listener)
{
    metrics_sample(metrics);
    metrics_label(metrics, "listener", listener->name);
}

static void write_requests(struct metrics *metrics, const struct listener *listener,
                           const struct traffic_sum *sum)
{
    for (unsigned i = 0; i < TRAFFIC_ANSWER_COUNT; i++) {
        begin_sample(metrics, listener);
        metrics_label(metrics, "code", traffic_answer_name((enum traffic_answer)i));
        metrics_value(metrics, (int64_t)sum->answers[i]);
    }
}

static void write_versions(struct metrics *metrics, const struct listener *listener,
                           const struct traffic_sum *sum)
{
    for (unsigned i = 0; i < TRAFFIC_VERSION_COUNT; i++) {
        begin_sample(metrics, listener);
        metrics_label(metrics, "protocol", traffic_version_name((enum traffic_version)i));
        metrics_value(metrics, (int64_t)sum->versions[i]);
    }
}

static void write_request_bytes(struct metrics *metrics, const struct listener *listener,
                                const struct traffic_sum *sum)
{
    begin_sample(metrics, listener);
    metrics_value(metrics, (int64_t)sum->request_bytes);
}

static void write_answer_bytes(struct metrics *metrics, const struct listener *listener,
                               const struct traffic_sum *sum)
{
    begin_sample(metrics, listener);
    metrics_value(metrics, (int64_t)sum->answer_bytes);
}

static void write_connections(struct metrics *metrics, const struct listener *listener,
                              const struct traffic_sum *sum)
{
    begin_sample(metrics, listener);
    metrics_value(metrics, (int64_t)sum->connections);
}

static void write_handshakes(struct metrics *metrics, const struct listener *listener,
                             const struct traffic_sum *sum)
{
    if (listener->options->protocol != LISTENER_HTTPS)
        return;
    for (unsigned i = 0; i < TRAFFIC_HANDSHAKE_COUNT; i++) {
        begin_sample(metrics, listener);
        metrics_label(metrics, "handshake", traffic_handshake_name((enum traffic_handshake)i));
        metrics_value(metrics, (int64_t)sum->handshakes[i]);
    }
}

static bool speaks_http2(const struct listener *listener)
{
    return listener->options->protocol == LISTENER_HTTPS && listener->options->http2;
}

/* Of those that speak it, or have just been told not to. */
static void write_http2(struct metrics *metrics, const struct listener *listener, uint64_t value)
{
    if (!speaks_http2(listener) && value == 0)
        return;
    begin_sample(metrics, listener);
    metrics_value(metrics, (int64_t)value);
}

static void write_http2_connections(struct metrics *metrics, const struct listener *listener,
                                    const struct traffic_sum *sum)
{
    write_http2(metrics, listener, sum->http2_connections);
}

static void write_http2_streams(struct metrics *metrics, const struct listener *listener,
                                const struct traffic_sum *sum)
{
    write_http2(metrics, listener, sum->http2_streams);
}

static void write_floods(struct metrics *metrics, const struct listener *listener,
                         const struct traffic_sum *sum)
{
    (void)sum;
    for (unsigned i = HTTP2_FLOOD_NONE + 1; listener->tally && i < HTTP2_FLOOD_COUNT; i++) {
        uint64_t count = tally_read_flood(listener->tally, (enum http2_flood)i);
        if (count == 0 && !speaks_http2(listener))
            continue;
        begin_sample(metrics, listener);
        metrics_label(metrics, "flood", http2_flood_name((enum http2_flood)i));
        metrics_value(metrics, (int64_t)count);
    }
}

static void write_bucket(struct metrics *metrics, const struct listener *listener, unsigned bound,
                         uint64_t count)
{
    char text[METRIC_SECONDS_BYTES] = "+Inf";
    if (bound < TRAFFIC_BOUND_COUNT)
        metric_seconds(traffic_bounds_ms[bound], text);
    metrics_part(metrics, "_bucket");
    metrics_label(metrics, "listener", listener->name);
    metrics_label(metrics, "le", text);
    metrics_value(metrics, (int64_t)count);
}

static void write_durations(struct metrics *metrics, const struct listener *listener,
                            const struct traffic_sum *sum)
{
    uint64_t so_far = 0;
    for (unsigned i = 0; i <= TRAFFIC_BOUND_COUNT; i++) {
        so_far += sum->took[i];
        write_bucket(metrics, listener, i, so_far);
    }
    metrics_part(metrics, "_sum");
    metrics_label(metrics, "listener", listener->name);
    metrics_value_ms(metrics, sum->took_ms);
    metrics_part(metrics, "_count");
    metrics_label(metrics, "listener", listener->name);
    metrics_value(metrics, (int64_t)so_far);
}

// clang-format off
static const struct {
    const char *name;
    enum metric_type type;
    const char *help;
    void (*write)(struct metrics *metrics, const struct listener *listener, const struct traffic_sum *sum);
} families[] = {
    {"lb_requests_total", METRIC_COUNTER,
     "Requests that have ended, by the status their client got; none: it went away before.", write_requests},
    {"lb_requests_by_protocol_total", METRIC_COUNTER,
     "The same requests, by the version of HTTP they came in.", write_versions},
    {"lb_request_duration_seconds", METRIC_HISTOGRAM,
     "From a request's head to the end of its answer, of those that were answered; no tunnels.", write_durations},
    {"lb_request_body_bytes_total", METRIC_COUNTER, "Of the bodies of these requests.", write_request_bytes},
    {"lb_answer_body_bytes_total", METRIC_COUNTER, "Of the bodies of their answers.", write_answer_bytes},
    {"lb_connections_total", METRIC_COUNTER, "Connections of clients, met so far.", write_connections},
    {"lb_handshakes_total", METRIC_COUNTER,
     "TLS handshakes: full, resumed, or failed, which is one that the client gave up, too.", write_handshakes},
    {"lb_http2_connections", METRIC_GAUGE, "Open connections of clients that speak HTTP/2.", write_http2_connections},
    {"lb_http2_streams", METRIC_GAUGE, "Requests that are open on them.", write_http2_streams},
    {"lb_http2_floods_total", METRIC_COUNTER,
     "Connections that were ended because their clients flooded, by the reason in the log.", write_floods},
};
// clang-format on

/* The numbers are added up once for each family: they are few, and their moments may differ. */
static void write_family(struct metrics *metrics, const struct config *config, size_t family)
{
    metrics_family(metrics, families[family].name, families[family].type, families[family].help);
    for (unsigned i = 0; i < config->listener_count; i++) {
        struct traffic_sum sum;
        traffic_add_up(config->listeners[i].tally, &sum);
        families[family].write(metrics, &config->listeners[i], &sum);
    }
}

/* --- answers of backends ------------------------------------------------------------------- */

static void write_answers(struct metrics *metrics, const struct pool *pool,
                          const struct backend *backend)
{
    for (unsigned hundred = 1; hundred <= STANDING_KINDS; hundred++) {
        metrics_sample(metrics);
        metrics_label(metrics, "pool", pool->name);
        metrics_label(metrics, "backend", backend->name);
        metrics_label(metrics, "code", traffic_answer_name(traffic_answer_of(hundred * 100)));
        metrics_value(metrics, (int64_t)standing_answers(backend->standing, hundred));
    }
}

void metrics_write_traffic(struct metrics *metrics, struct admin_host *host)
{
    const struct config *config = host->config(host);
    for (size_t i = 0; i < sizeof families / sizeof *families; i++)
        write_family(metrics, config, i);
    metrics_family(metrics, "lb_backend_answers_total", METRIC_COUNTER,
                   "Answers that it has begun, by their status.");
    for (unsigned i = 0; i < config->pool_count; i++)
        for (unsigned k = 0; k < config->pools[i]->backend_count; k++)
            write_answers(metrics, config->pools[i], &config->pools[i]->backends[k]);
}
