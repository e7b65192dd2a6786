/* SPDX-License-Identifier: Apache-2.0 */
#include "listeners/client_report.h"

#include "listeners/client.h"
#include "listeners/tally.h"

static void begin_line(struct log_line *line, enum log_level level, const char *event,
                       const struct client *client)
{
    log_begin(line, level, event);
    log_text(line, "listener", client->door->listener->name);
    log_text(line, "client", client->peer_host);
    log_number(line, "port", client->peer_port);
}

static void begin_refusal(struct log_line *line, enum log_level level, const struct client *client,
                          enum refusal refusal)
{
    tally_count(client->door->listener->tally, TALLY_HANDSHAKE, refusal);
    begin_line(line, level, "client.refused", client);
    log_text(line, "reason", refusal_name(refusal));
}

void client_report_refused(const struct client *client, enum log_level level, enum refusal refusal,
                           const char *message)
{
    struct log_line line;
    begin_refusal(&line, level, client, refusal);
    log_text(&line, "message", message);
    log_end(&line);
}

void client_report_handshake(const struct client *client, enum refusal refusal)
{
    struct log_line line;
    if (refusal != REFUSAL_NONE) {
        begin_refusal(&line, LOG_LEVEL_WARN, client, refusal);
    } else {
        begin_line(&line, LOG_LEVEL_INFO, "client.handshake-failed", client);
        log_text(&line, "reason", connection_failure(&client->connection));
    }
    handshake_describe(&client->handshake, client->connection.ssl, &line);
    log_end(&line);
}

void client_report_late(const struct client *client)
{
    struct log_line line;
    begin_line(&line, LOG_LEVEL_INFO, "client.handshake-late", client);
    log_end(&line);
}

void client_report_expelled(const struct client *client, enum refusal refusal, bool is_told)
{
    struct log_line line;
    tally_count(client->door->listener->tally, TALLY_CLOSED, refusal);
    if (!is_told)
        return;
    begin_line(&line, LOG_LEVEL_WARN, "client.closed", client);
    log_text(&line, "reason", refusal_name(refusal));
    handshake_describe(&client->handshake, client->connection.ssl, &line);
    log_end(&line);
}

void client_report_bad_request(const struct client *client, unsigned status, const char *why)
{
    struct log_line line;
    tally_count_fault(client->door->listener->tally, TALLY_BAD_REQUEST);
    log_begin(&line, LOG_LEVEL_INFO, "request.refused");
    log_text(&line, "listener", client->door->listener->name);
    log_text(&line, "client", client->peer_host);
    log_number(&line, "status", status);
    log_text(&line, "why", why);
    log_end(&line);
}

void client_report_broken(const struct client *client, const char *reason, const char *why)
{
    struct log_line line;
    tally_count_fault(client->door->listener->tally, TALLY_BAD_REQUEST);
    begin_line(&line, LOG_LEVEL_WARN, "client.closed", client);
    log_text(&line, "reason", reason);
    log_text(&line, "why", why);
    log_end(&line);
}
