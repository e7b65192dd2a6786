/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/admin/status_report.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "backends/health/check.h"
#include "backends/queue.h"
#include "lb/admin/admin.h"
#include "lb/admin/api.h"
#include "lb/admin/api_query.h"
#include "lb/admin/backend_report.h"
#include "lb/admin/client_cas.h"
#include "lb/admin/revocation_report.h"
#include "lb/base/timestamp.h"
#include "lb/config/config.h"
#include "listeners/tally.h"
#include "listeners/traffic.h"

static void write_lb(struct json_writer *writer, struct admin_host *host,
                     const struct admin_facts *facts)
{
    int64_t now_ms = timestamp_now_ms();
    writer_text(writer, "version", LB_VERSION);
    writer_number(writer, "pid", getpid());
    writer_time(writer, "now", now_ms);
    writer_time(writer, "started", facts->started_ms);
    writer_number(writer, "uptime_s", (now_ms - facts->started_ms) / 1000);
    writer_number(writer, "workers", facts->worker_count);
    writer_number(writer, "clients", host->client_count(host, NULL));
}

/* As an operator finds it from anywhere. */
static void write_file(struct json_writer *writer, const struct config *config)
{
    char path[PATH_MAX];
    const char *slash = strrchr(config->file, '/');
    snprintf(path, sizeof path, "%s/%s", config->folder, slash ? slash + 1 : config->file);
    writer_text(writer, "file", path);
}

static void write_config(struct json_writer *writer, const struct admin_facts *facts,
                         const struct config *config)
{
    bool has_failed = facts->reload_failed_ms != 0;
    writer_object(writer, "config");
    write_file(writer, config);
    writer_time(writer, "loaded", facts->loaded_ms);
    writer_time(writer, "reload_failed", facts->reload_failed_ms);
    writer_text(writer, "reload_failure", has_failed ? facts->reload_failure : NULL);
    writer_end(writer);
}

static void write_requests(struct json_writer *writer, const struct listener *listener)
{
    struct traffic_sum sum;
    int64_t requests = 0;
    traffic_add_up(listener->tally, &sum);
    for (unsigned i = 0; i < TRAFFIC_ANSWER_COUNT; i++)
        requests += (int64_t)sum.answers[i];
    writer_number(writer, "requests", requests);
    writer_object(writer, "http2");
    writer_number(writer, "connections", (int64_t)sum.http2_connections);
    writer_number(writer, "streams", (int64_t)sum.http2_streams);
    writer_number(writer, "requests", (int64_t)sum.versions[TRAFFIC_HTTP_2]);
    writer_end(writer);
}

static void write_listener(struct json_writer *writer, struct admin_host *host,
                           const struct listener *listener)
{
    writer_object(writer, NULL);
    writer_text(writer, "name", listener->name);
    writer_array(writer, "addresses");
    for (unsigned i = 0; i < listener->address_count; i++)
        writer_text(writer, NULL, listener->addresses[i].text);
    writer_end(writer);
    writer_text(writer, "protocol",
                listener->options->protocol == LISTENER_HTTPS ? "https" : "http");
    writer_flag(writer, "sni", listener->options->sni);
    writer_number(writer, "rules", listener->rule_count);
    writer_number(writer, "clients", host->client_count(host, listener->name));
    write_requests(writer, listener);
    writer_end(writer);
}

static void write_rule(struct json_writer *writer, const struct rule *rule)
{
    const struct rule_options *options = rule->options;
    writer_object(writer, NULL);
    writer_text(writer, "name", rule->name);
    writer_array(writer, "listeners");
    for (unsigned i = 0; i < options->listener.count; i++)
        writer_text(writer, NULL, options->listener.items[i]);
    writer_end(writer);
    writer_text(writer, "domain", options->domain);
    writer_text(writer, "url", options->url);
    if (options->pool)
        writer_text(writer, "pool", options->pool);
    if (options->redirect)
        writer_text(writer, "redirect", options->redirect);
    if (options->respond)
        writer_text(writer, "respond", options->respond);
    writer_text(writer, "mutual_auth", auth_mode_name(rule->auth.mode));
    writer_end(writer);
}

/* A rule of several listeners is one rule: it is told where it stands first. */
static bool is_first_of(const struct rule *rule, const struct listener *listener)
{
    return strcmp(rule->options->listener.items[0], listener->name) == 0;
}

static void write_rules(struct json_writer *writer, const struct config *config, int64_t most)
{
    writer_number(writer, "rule_count", config->rule_count);
    writer_array(writer, "rules");
    for (unsigned i = 0; i < config->listener_count; i++) {
        const struct listener *listener = &config->listeners[i];
        for (unsigned k = 0; k < listener->rule_count && most > 0; k++) {
            if (!is_first_of(&listener->rules[k], listener))
                continue;
            write_rule(writer, &listener->rules[k]);
            most--;
        }
    }
    writer_end(writer);
}

static void write_pool(struct json_writer *writer, const struct pool *pool)
{
    static const char *const persistences[] = {"off", "cookie", "client-certificate"};
    char protocol[16];
    writer_object(writer, NULL);
    writer_text(writer, "name", pool->name);
    writer_text(writer, "protocol",
                option_choice_word(option_find(&pool_option_table, "protocol"),
                                   pool->options->protocol, protocol, sizeof protocol));
    writer_text(writer, "balance", pool->options->balance);
    writer_text(writer, "health_check", pool->check ? pool->check->name : "off");
    writer_text(writer, "session_persistence", persistences[pool->options->session_persistence]);
    writer_text(writer, "state", pool_state_name(pool->state));
    writer_flag(writer, "has_queue", pool->is_limited);
    writer_number(writer, "waiting", pool->queue ? atomic_load(&pool->queue->waiting) : 0);
    writer_array(writer, "backends");
    for (unsigned i = 0; i < pool->backend_count; i++) {
        writer_object(writer, NULL);
        backend_report_write(writer, pool, &pool->backends[i]);
        writer_end(writer);
    }
    writer_end(writer);
    writer_end(writer);
}

/* Those that happened. */
static void write_refusals(struct json_writer *writer, const struct tallies *tallies)
{
    writer_array(writer, "refusals");
    const struct tally *tally = tallies ? tallies_first(tallies) : NULL;
    for (; tally; tally = tally->next) {
        for (unsigned i = 0; i < TALLY_PLACE_COUNT * REFUSAL_COUNT; i++) {
            enum tally_place place = (enum tally_place)(i / REFUSAL_COUNT);
            enum refusal refusal = (enum refusal)(i % REFUSAL_COUNT);
            uint64_t count = tally_read(tally, place, refusal);
            if (count == 0)
                continue;
            writer_object(writer, NULL);
            writer_text(writer, "listener", tally->listener);
            writer_text(writer, "where", tally_place_name(place));
            writer_text(writer, "reason", refusal_name(refusal));
            writer_number(writer, "count", (int64_t)count);
            writer_end(writer);
        }
    }
    writer_end(writer);
}

void status_report_get(struct api_request *request)
{
    struct admin_host *host = request->api->host;
    const struct config *config = host->config(host);
    struct json_writer writer = {0};
    struct admin_facts facts = {0};
    int64_t most = INT64_MAX;
    struct error err;
    if (!api_query_number(request, "rules", &most, &err)) {
        api_refuse(request, 400, "bad-input", "%s", err.text);
        return;
    }
    host->tell(host, &facts);
    writer_object(&writer, NULL);
    write_lb(&writer, host, &facts);
    write_config(&writer, &facts, config);
    writer_array(&writer, "listeners");
    for (unsigned i = 0; i < config->listener_count; i++)
        write_listener(&writer, host, &config->listeners[i]);
    writer_end(&writer);
    write_rules(&writer, config, most);
    client_cas_write(&writer, config);
    write_refusals(&writer, host->services(host)->tallies);
    revocation_report_write(&writer, config, host->services(host));
    writer_array(&writer, "pools");
    for (unsigned i = 0; i < config->pool_count; i++)
        write_pool(&writer, config->pools[i]);
    writer_end(&writer);
    writer_end(&writer);
    api_answer(request, 200, &writer);
}
