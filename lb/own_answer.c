/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/own_answer.h"

#include "lb/access_log.h"
#include "lb/base/limits.h"
#include "lb/base/log.h"
#include "lb/decision.h"
#include "lb/exchange.h"
#include "listeners/answer.h"
#include "listeners/client.h"
#include "listeners/redirect.h"
#include "listeners/tally.h"

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

/* The answer is written: log it, and let the client go on. */
static void finish(struct exchanges *all, struct stream *stream, const struct http_request *request,
                   struct slice client_id, const struct access_entry *known,
                   enum stream_write written)
{
    if (all->access_log) {
        char id[REQUEST_ID_LENGTH];
        struct exchange_facts facts = facts_of(request, &all->ids, id);
        facts.client_id = client_id;
        struct access_entry entry = *known;
        entry.client = stream->client;
        entry.protocol = stream->protocol;
        entry.facts = &facts;
        entry.answer_bytes = stream->answer_bytes;
        access_log_write(all->access_log, &entry);
    }
    stream->ops->end(stream, written != STREAM_LOST);
}

void own_answer_refuse(struct exchanges *all, struct stream *stream,
                       const struct http_request *request, const struct rule *rule, unsigned status,
                       const char *reason, const char *sentence)
{
    const struct access_entry known = {.rule = rule, .status = status, .reason = reason};
    finish(all, stream, request, (struct slice){NULL, 0}, &known,
           answer_write(stream, status, reason, sentence));
}

static void log_refused(const struct client *client, const struct http_request *request,
                        const struct decision *decision)
{
    struct log_line line;
    if (decision->refusal != REFUSAL_NONE)
        tally_count(client->door->listener->tally, TALLY_REQUEST, decision->refusal);
    log_begin(&line, LOG_LEVEL_WARN, "request.refused");
    log_text(&line, "listener", client->door->listener->name);
    log_text(&line, "rule", decision->rule ? decision->rule->name : NULL);
    log_text(&line, "client", client->peer_host);
    log_text(&line, "reason", decision_reason(decision));
    log_number(&line, "status", decision_status(decision));
    log_bytes(&line, "host", request->authority.at, request->authority.length);
    handshake_describe(&client->handshake, client->connection.ssl, &line);
    log_end(&line);
}

static enum stream_write refuse(struct stream *stream, const struct http_request *request,
                                const struct decision *decision)
{
    log_refused(stream->client, request, decision);
    return answer_write(stream, decision_status(decision), decision_reason(decision),
                        decision_sentence(decision));
}

static enum stream_write redirect(struct stream *stream, const struct http_request *request,
                                  const struct decision *decision)
{
    char location[LOCATION_BYTES];
    size_t length =
        decision->outcome == DECISION_SLASH
            ? redirect_write_slash(request->path, request->query, location, sizeof location)
            : redirect_write(decision->rule->redirect, request->host, request->target, location,
                             sizeof location);
    if (length == 0)
        return STREAM_LOST; /* heads are smaller than that */
    return answer_write_redirect(stream, decision_status(decision),
                                 (struct slice){location, length});
}

static enum stream_write write_decided(struct stream *stream, const struct http_request *request,
                                       const struct decision *decision)
{
    switch (decision->outcome) {
    case DECISION_SLASH:
    case DECISION_REDIRECT:
        return redirect(stream, request, decision);
    case DECISION_RESPOND:
        return answer_write_respond(stream, decision->rule->respond->status,
                                    decision->rule->respond->sentence);
    case DECISION_MISDIRECTED:
    case DECISION_NO_RULE:
    case DECISION_AMBIGUOUS:
    case DECISION_UNDECIDED:
    case DECISION_NO_HOST:
    case DECISION_REFUSED:
    case DECISION_BLOCKED:
    case DECISION_UNREGISTERED:
    case DECISION_BAD_CLIENT_ID:
        return refuse(stream, request, decision);
    case DECISION_SENT_AWAY:
    case DECISION_SIGN_UP:
    case DECISION_ASK_OCSP:
    case DECISION_PASS:
        break; /* nobody asks for it */
    }
    return STREAM_LOST;
}

void own_answer_decided(struct exchanges *all, struct stream *stream,
                        const struct http_request *request, const struct decision *decision)
{
    const struct access_entry known = {.rule = decision->rule,
                                       .status = decision_status(decision),
                                       .reason = decision_reason(decision)};
    finish(all, stream, request, decision->client_id, &known,
           write_decided(stream, request, decision));
}

void own_answer_unread(struct exchanges *all, const struct client *client, unsigned status,
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
