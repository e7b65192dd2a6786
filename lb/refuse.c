/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/refuse.h"

#include "lb/access_log.h"
#include "lb/base/log.h"
#include "lb/decision.h"
#include "lb/exchange.h"
#include "listeners/answer.h"
#include "listeners/client.h"

/** What the access log tells of a head that no backend will see; `id` holds an id of lb's own
 * making. */
static struct exchange_facts facts_of(const struct http_request *request, struct request_ids *ids,
                                      char id[REQUEST_ID_LENGTH])
{
    struct exchange_facts facts = {
        .method = request->method_text, .uri = request->target, .host = request->authority};
    for (unsigned i = 0; i < request->field_count; i++) {
        const struct http_field *field = &request->fields[i];
        if (field->known == HTTP_USER_AGENT) {
            facts.user_agent = field->value;
        } else if (field->known == HTTP_REFERER) {
            facts.referer = field->value;
        } else if (field->known == HTTP_X_REQUEST_ID && request_id_is_fit(field->value)) {
            facts.request_id = field->value;
        }
    }
    if (facts.request_id.length == 0) {
        request_id_write(ids, id);
        facts.request_id = (struct slice){id, REQUEST_ID_LENGTH};
    }
    return facts;
}

void refuse_request(struct exchanges *all, struct stream *stream,
                    const struct http_request *request, const struct rule *rule, unsigned status,
                    const char *reason, const char *sentence)
{
    bool taken = answer_write(stream, status, reason, sentence) != STREAM_LOST;
    if (all->access_log) {
        char id[REQUEST_ID_LENGTH];
        struct exchange_facts facts = facts_of(request, &all->ids, id);
        const struct access_entry entry = {.client = stream->client,
                                           .protocol = stream->protocol,
                                           .facts = &facts,
                                           .rule = rule,
                                           .status = status,
                                           .answer_bytes = stream->answer_bytes,
                                           .reason = reason};
        access_log_write(all->access_log, &entry);
    }
    stream->ops->end(stream, taken);
}

static void log_refused(const struct client *client, const struct http_request *request,
                        const struct decision *decision)
{
    struct log_line line;
    log_begin(&line, LOG_LEVEL_WARN, "request.refused");
    log_text(&line, "listener", client->door->listener->name);
    log_text(&line, "rule", decision->rule ? decision->rule->name : NULL);
    log_text(&line, "client", client->peer_host);
    log_text(&line, "reason", decision_reason(decision));
    log_number(&line, "status", decision_status(decision->outcome));
    log_bytes(&line, "host", request->authority.at, request->authority.length);
    handshake_describe(&client->handshake, client->connection.ssl, &line);
    log_end(&line);
}

void refuse_by_decision(struct exchanges *all, struct stream *stream,
                        const struct http_request *request, const struct decision *decision)
{
    log_refused(stream->client, request, decision);
    refuse_request(all, stream, request, decision->rule, decision_status(decision->outcome),
                   decision_reason(decision), decision_sentence(decision));
}

void refuse_unread(struct exchanges *all, const struct client *client, unsigned status,
                   const char *why)
{
    if (!all->access_log) {
        return;
    }
    static const struct exchange_facts nothing; /* no head was understood */
    const struct access_entry entry = {.client = client,
                                       .protocol = client->http1.stream.protocol,
                                       .facts = &nothing,
                                       .status = status,
                                       .answer_bytes = client->http1.stream.answer_bytes,
                                       .reason = why};
    access_log_write(all->access_log, &entry);
}
