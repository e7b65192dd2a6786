/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a line says. Values that clients chose are escaped: a log line is one line, and JSON stays
 * JSON, whatever they send.
 *
 * What is the same for all requests of a connection is rendered once, where that is much: in JSON
 * it is 40 % of a line's instructions, for some 200 bytes at each client that was logged.
 */
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

#include "backends/backend.h"
#include "backends/pool.h"
#include "lb/base/draft.h"
#include "lb/base/escape.h"
#include "lb/base/timestamp.h"
#include "lb/exchange/access_log.h"
#include "lb/exchange/exchange.h"
#include "lb/exchange/grpc_outcome.h"
#include "listeners/access/access.h"
#include "listeners/client.h"
#include "listeners/identity.h"
#include "listeners/rules/rule.h"

/* A value as it is written, escapes included. */
enum { ACCESS_VALUE_BYTES = 2048 };

/* --- JSON ---------------------------------------------------------------------------------- */

/** What stands before a field's value. */
#define KEY(name) ((struct slice)SLICE(",\"" name "\":"))
/** … where the value is text. */
#define TEXT(name) ((struct slice)SLICE(",\"" name "\":\""))

static void json_text(struct draft *line, struct slice before, struct slice value)
{
    if (value.length > 0)
        escape_put_quoted(line, before, value, &notation_json, ACCESS_VALUE_BYTES);
}

static void json_name(struct draft *line, struct slice before, const char *value)
{
    if (value) {
        json_text(line, before, slice_of(value));
    }
}

static void json_number(struct draft *line, struct slice key, uint64_t value)
{
    draft_put(line, key);
    draft_number(line, value, 1);
}

static void json_time(struct draft *line, int64_t now_ms)
{
    char text[TIMESTAMP_BYTES];
    timestamp_write(now_ms, text);
    draft_text(line, "{\"time\":\"");
    draft_put(line, (struct slice){text, sizeof text});
    draft_text(line, "\"");
}

static void json_connection(struct draft *line, const struct client *client)
{
    const SSL *ssl = client->connection.ssl;
    const struct identity *identity = client->handshake.identity;
    json_name(line, TEXT("listener"), client->door->listener->name);
    json_name(line, TEXT("client"), client->peer_host);
    json_number(line, KEY("port"), client->peer_port);
    if (ssl) {
        json_name(line, TEXT("tls"), SSL_get_version(ssl));
        json_name(line, TEXT("sni"), client_sni(client));
    }
    if (identity) {
        json_name(line, TEXT("subject"), identity->subject);
        json_name(line, TEXT("serial"), identity->serial);
    }
}

/** Rendered once for each client. NULL: out of memory, then the next line tries again. */
static struct client_told *keep(const char *text, size_t length)
{
    struct client_told *told = malloc(sizeof *told + length);
    if (told) {
        told->length = length;
        memcpy(told->text, text, length);
    }
    return told;
}

static void json_client(struct draft *line, struct client *client)
{
    size_t start = line->used;
    if (client->told) {
        draft_put(line, (struct slice){client->told->text, client->told->length});
        return;
    }
    json_connection(line, client);
    if (line->fits) {
        client->told = keep(line->at + start, line->used - start);
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
        json_name(line, TEXT("verify"), "SUCCESS");
    } else if (verdict == REFUSAL_MISSING) {
        json_name(line, TEXT("verify"), "NONE");
    } else {
        json_name(line, TEXT("verify"), "FAILED");
        json_name(line, TEXT("verify_reason"), refusal_name(verdict));
    }
}

static void json_grpc(struct draft *line, const struct grpc_outcome *grpc)
{
    if (grpc && grpc->is_told)
        json_number(line, KEY("grpc_status"), grpc->status);
}

static void format_json(struct draft *line, const struct access_entry *entry, int64_t now_ms)
{
    const struct exchange_facts *facts = entry->facts;
    json_time(line, now_ms);
    json_text(line, TEXT("request_id"), facts->request_id);
    json_client(line, entry->client);
    json_verdict(line, entry, now_ms);
    json_text(line, TEXT("client_id"), facts->client_id);
    json_text(line, TEXT("method"), facts->method);
    json_text(line, TEXT("host"), facts->host);
    json_text(line, TEXT("uri"), facts->uri);
    json_name(line, TEXT("protocol"), entry->protocol);
    json_number(line, KEY("status"), entry->status);
    json_grpc(line, entry->grpc);
    json_number(line, KEY("bytes"), entry->answer_bytes);
    json_number(line, KEY("request_bytes"), entry->request_bytes);
    json_number(line, KEY("duration_ms"), entry->duration_ms);
    json_name(line, TEXT("rule"), entry->rule ? entry->rule->name : NULL);
    json_name(line, TEXT("access"), entry->access ? entry->access->name : NULL);
    json_name(line, TEXT("pool"), entry->pool ? entry->pool->name : NULL);
    json_name(line, TEXT("backend"), entry->backend ? entry->backend->name : NULL);
    json_number(line, KEY("attempts"), entry->attempts);
    json_name(line, TEXT("reason"), entry->reason);
    json_text(line, TEXT("user_agent"), facts->user_agent);
    json_text(line, TEXT("referer"), facts->referer);
    draft_text(line, "}\n");
}

/* --- combined ------------------------------------------------------------------------------ */

static void combined_value(struct draft *line, struct slice value)
{
    if (value.length == 0) {
        draft_text(line, "-");
    } else {
        escape_put(line, value, &notation_combined, ACCESS_VALUE_BYTES);
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
    char time[TIMESTAMP_COMBINED_BYTES];
    timestamp_write_combined(now_ms, time);
    draft_text(line, entry->client->peer_host);
    draft_text(line, " - \"");
    combined_value(line, combined_user(entry, now_ms));
    draft_text(line, "\" [");
    draft_put(line, (struct slice){time, sizeof time});
    draft_text(line, "] \"");
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
