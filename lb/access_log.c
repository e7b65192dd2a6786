/* SPDX-License-Identifier: Apache-2.0 */
/* Values that clients chose are escaped: a log line is one line, and JSON stays JSON, whatever they
 * send. */
#include "lb/access_log.h"

#include <errno.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <time.h>

#include "backends/backend.h"
#include "backends/pool.h"
#include "lb/base/draft.h"
#include "lb/base/log.h"
#include "lb/base/sink.h"
#include "lb/base/timestamp.h"
#include "lb/base/utf8.h"
#include "lb/exchange.h"
#include "listeners/access/access.h"
#include "listeners/client.h"
#include "listeners/identity.h"
#include "listeners/rule.h"

/* A value as it is written, escapes included, and a line: all values of a request at their largest
 * fit, so that nobody can make a line that is too long to be written. */
enum { ACCESS_VALUE_BYTES = 2048, ACCESS_LINE_BYTES = 24 * 1024 };

struct access_log {
    struct sink *sink;
    enum access_log_format format;
};

/* --- values -------------------------------------------------------------------------------- */

/** How a format writes bytes that may not stand for themselves: two hex digits behind a prefix. */
struct notation {
    const char *prefix;
    size_t escaped_bytes;
    bool keeps_utf8;
};
static const struct notation json = {"\\u00", 6, true};
static const struct notation combined = {"\\x", 4, false};

/** Bytes at `at` that may stand for themselves; 0: the first one must be escaped. */
static size_t plain_length(const char *at, size_t left, const struct notation *notation)
{
    unsigned char c = (unsigned char)*at;
    if (c < 0x80) {
        return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
    }
    bool is_control = c == 0xc2 && left > 1 && (unsigned char)at[1] < 0xa0; /* U+0080 to U+009F */
    return notation->keeps_utf8 && !is_control ? utf8_length(at, left) : 0;
}

static void put_escaped(struct draft *line, struct slice value, const struct notation *notation)
{
    static const char digits[] = "0123456789abcdef";
    size_t left = ACCESS_VALUE_BYTES;
    size_t start = 0;
    size_t i = 0;
    while (i < value.length) {
        size_t plain = plain_length(value.at + i, value.length - i, notation);
        size_t cost = plain > 0 ? plain : notation->escaped_bytes;
        if (cost > left) {
            break;
        }
        left -= cost;
        if (plain == 0) {
            unsigned char c = (unsigned char)value.at[i];
            char hex[2] = {digits[c >> 4], digits[c & 15]};
            draft_put(line, (struct slice){value.at + start, i - start});
            draft_text(line, notation->prefix);
            draft_put(line, (struct slice){hex, 2});
            start = i + 1;
        }
        i += plain > 0 ? plain : 1;
    }
    draft_put(line, (struct slice){value.at + start, i - start});
}

static void json_text(struct draft *line, const char *key, struct slice value)
{
    if (value.length == 0) {
        return;
    }
    draft_text(line, ",\"");
    draft_text(line, key);
    draft_text(line, "\":\"");
    put_escaped(line, value, &json);
    draft_text(line, "\"");
}

static void json_name(struct draft *line, const char *key, const char *value)
{
    if (value) {
        json_text(line, key, slice_of(value));
    }
}

static void json_number(struct draft *line, const char *key, uint64_t value)
{
    draft_text(line, ",\"");
    draft_text(line, key);
    draft_text(line, "\":");
    draft_number(line, value, 1);
}

/* --- JSON ---------------------------------------------------------------------------------- */

static void json_time(struct draft *line, int64_t now_ms)
{
    struct tm tm;
    time_t seconds = (time_t)(now_ms / 1000);
    char text[32];
    gmtime_r(&seconds, &tm);
    size_t length = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S.", &tm);
    draft_text(line, "{\"time\":\"");
    draft_put(line, (struct slice){text, length});
    draft_number(line, (uint64_t)(now_ms % 1000), 3);
    draft_text(line, "Z\"");
}

static void json_client(struct draft *line, const struct client *client)
{
    const SSL *ssl = client->connection.ssl;
    const struct identity *identity = client->handshake.identity;
    json_name(line, "listener", client->door->listener->name);
    json_name(line, "client", client->peer_host);
    json_number(line, "port", client->peer_port);
    if (ssl) {
        json_name(line, "tls", SSL_get_version(ssl));
        json_name(line, "sni", client_sni(client));
    }
    if (identity) {
        json_name(line, "subject", identity->subject);
        json_name(line, "serial", identity->serial);
    }
}

/** What the rule that decided thinks of the certificate; a subject alone would look like a proof.
 */
static enum refusal verdict_of(const struct access_entry *entry, int64_t now_ms)
{
    return policy_verdict(&entry->rule->auth, entry->client->handshake.identity, now_ms / 1000);
}

static void json_verdict(struct draft *line, const struct access_entry *entry, int64_t now_ms)
{
    if (!entry->rule || entry->rule->auth.mode == AUTH_OFF) {
        return;
    }
    enum refusal verdict = verdict_of(entry, now_ms);
    if (verdict == REFUSAL_NONE) {
        json_name(line, "verify", "SUCCESS");
    } else if (verdict == REFUSAL_MISSING) {
        json_name(line, "verify", "NONE");
    } else {
        json_name(line, "verify", "FAILED");
        json_name(line, "verify_reason", refusal_name(verdict));
    }
}

static void format_json(struct draft *line, const struct access_entry *entry, int64_t now_ms)
{
    const struct exchange_facts *facts = entry->facts;
    json_time(line, now_ms);
    json_text(line, "request_id", facts->request_id);
    json_client(line, entry->client);
    json_verdict(line, entry, now_ms);
    json_text(line, "client_id", facts->client_id);
    json_text(line, "method", facts->method);
    json_text(line, "host", facts->host);
    json_text(line, "uri", facts->uri);
    json_name(line, "protocol", entry->protocol);
    json_number(line, "status", entry->status);
    json_number(line, "bytes", entry->answer_bytes);
    json_number(line, "request_bytes", entry->request_bytes);
    json_number(line, "duration_ms", entry->duration_ms);
    json_name(line, "rule", entry->rule ? entry->rule->name : NULL);
    json_name(line, "access", entry->access ? entry->access->name : NULL);
    json_name(line, "pool", entry->pool ? entry->pool->name : NULL);
    json_name(line, "backend", entry->backend ? entry->backend->name : NULL);
    json_number(line, "attempts", entry->attempts);
    json_name(line, "reason", entry->reason);
    json_text(line, "user_agent", facts->user_agent);
    json_text(line, "referer", facts->referer);
    draft_text(line, "}\n");
}

/* --- combined ------------------------------------------------------------------------------ */

static void combined_value(struct draft *line, struct slice value)
{
    if (value.length == 0) {
        draft_text(line, "-");
    } else {
        put_escaped(line, value, &combined);
    }
}

/** The user of a combined line: only who was verified where that was asked; "" for everyone else.
 */
static struct slice combined_user(const struct access_entry *entry, int64_t now_ms)
{
    const struct identity *identity = entry->client->handshake.identity;
    if (!entry->rule || verdict_of(entry, now_ms) != REFUSAL_NONE) {
        return (struct slice){NULL, 0};
    }
    return slice_of(identity->subject);
}

static void format_combined(struct draft *line, const struct access_entry *entry, int64_t now_ms)
{
    const struct exchange_facts *facts = entry->facts;
    struct tm tm;
    time_t seconds = (time_t)(now_ms / 1000);
    char text[40];
    gmtime_r(&seconds, &tm);
    size_t length = strftime(text, sizeof text, " [%d/%b/%Y:%H:%M:%S +0000] \"", &tm);
    draft_text(line, entry->client->peer_host);
    draft_text(line, " - \"");
    combined_value(line, combined_user(entry, now_ms));
    draft_text(line, "\"");
    draft_put(line, (struct slice){text, length});
    combined_value(line, facts->method);
    draft_text(line, " ");
    combined_value(line, facts->uri);
    draft_text(line, " ");
    draft_text(line, entry->protocol);
    draft_text(line, "\" ");
    draft_number(line, entry->status, 3);
    draft_text(line, " ");
    draft_number(line, entry->answer_bytes, 1);
    draft_text(line, " \"");
    combined_value(line, facts->referer);
    draft_text(line, "\" \"");
    combined_value(line, facts->user_agent);
    draft_text(line, "\"\n");
}

size_t access_log_format(enum access_log_format format, const struct access_entry *entry,
                         int64_t now_ms, char *into, size_t room)
{
    struct draft line = draft_in(into, room);
    switch (format) {
    case ACCESS_LOG_JSON:
        format_json(&line, entry, now_ms);
        break;
    case ACCESS_LOG_COMBINED:
        format_combined(&line, entry, now_ms);
        break;
    }
    return line.fits ? line.used : 0;
}

/* --- the log ------------------------------------------------------------------------------- */

/** Dropped lines are told in a line of their own, which readers of JSON can read as well. */
static size_t notice_in_json(uint64_t lines, char *into, size_t room)
{
    struct draft line = draft_in(into, room);
    json_time(&line, timestamp_now_ms());
    json_name(&line, "event", "log.dropped");
    json_number(&line, "lines", lines);
    draft_text(&line, "}\n");
    return line.fits ? line.used : 0;
}

/** Who reads the access log does not see what is missing in it. */
static void on_trouble(void *arg, int failure, uint64_t lines)
{
    const char *place = sink_path(arg);
    if (!place) {
        place = "where it goes";
    }
    if (failure != 0) {
        log_say(LOG_LEVEL_ERROR, "access-log.lost",
                "%s cannot be written: %s; lines are dropped until it can", place,
                strerror(failure));
    } else {
        log_say(LOG_LEVEL_WARN, "access-log.back", "%s is written again; %llu lines were dropped",
                place, (unsigned long long)lines);
    }
}

struct access_log *access_log_open(const struct lb_options *options, struct error *err)
{
    err->text[0] = '\0';
    if (strcmp(options->access_log, "off") == 0) {
        return NULL;
    }
    struct access_log *log = calloc(1, sizeof *log);
    if (!log) {
        error_set(err, "out of memory for the access log");
        return NULL;
    }
    log->format = (enum access_log_format)options->access_log_format;
    log->sink = sink_open(options->access_log, err);
    if (!log->sink) {
        free(log);
        return NULL;
    }
    sink_set_watch(log->sink, on_trouble, log->sink);
    if (log->format == ACCESS_LOG_JSON) {
        sink_set_notice(log->sink, notice_in_json);
    }
    return log;
}

void access_log_write(struct access_log *log, const struct access_entry *entry)
{
    char line[ACCESS_LINE_BYTES];
    struct timespec now;
    clock_gettime(CLOCK_REALTIME_COARSE, &now);
    int64_t now_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
    size_t length = access_log_format(log->format, entry, now_ms, line, sizeof line);
    if (length > 0) {
        sink_write(log->sink, line, length);
    }
}

void access_log_reopen(struct access_log *log)
{
    const char *path = log ? sink_path(log->sink) : NULL;
    if (!path) {
        return;
    }
    if (sink_reopen(log->sink)) {
        log_say(LOG_LEVEL_INFO, "access-log.reopened", "%s", path);
    } else {
        log_say(LOG_LEVEL_ERROR, "access-log.reopen-failed", "%s: %s; the old file is written on",
                path, strerror(errno));
    }
}

void access_log_close(struct access_log *log)
{
    if (log) {
        sink_close(log->sink);
        free(log);
    }
}
