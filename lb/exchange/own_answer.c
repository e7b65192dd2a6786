/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/exchange/own_answer.h"

#include "lb/base/limits.h"
#include "lb/base/log.h"
#include "lb/exchange/admission.h"
#include "lb/exchange/decision.h"
#include "lb/exchange/exchange.h"
#include "lb/exchange/request_end.h"
#include "listeners/access/access_tally.h"
#include "listeners/answer/answer.h"
#include "listeners/answer/answer_grpc.h"
#include "listeners/answer/refusal_page.h"
#include "listeners/client.h"
#include "listeners/rules/redirect.h"
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

/* One request that lb answers itself. */
struct own {
    struct exchanges *all;
    struct stream *stream;
    const struct http_request *request;
    const struct rule *rule;         /* NULL: none was met */
    const struct decision *decision; /* NULL: it never came to one */
    unsigned status;
    const char *reason;
    struct grpc_outcome grpc;
    struct exchange_facts facts;
    char id[REQUEST_ID_LENGTH];
};

static void own_begin(struct own *own, struct exchanges *all, struct stream *stream,
                      const struct http_request *request)
{
    *own = (struct own){.all = all, .stream = stream, .request = request};
    own->facts = facts_of(request, &all->ids, own->id);
}

/* The answer is written: tell of it, and let the client go on. */
static void finish(const struct own *own, enum stream_write written)
{
    struct stream *stream = own->stream;
    const struct access_entry entry = {
        .client = stream->client,
        .protocol = stream->protocol,
        .facts = &own->facts,
        .rule = own->rule,
        .access = own->decision ? own->decision->access : NULL,
        .status = own->status,
        .grpc = &own->grpc,
        .answer_bytes = stream->answer_bytes,
        .reason = own->reason,
    };
    request_end(own->all->access_log, &entry);
    stream->ops->end(stream, written != STREAM_LOST);
}

/* Clients of gRPC read its status. */
static void note_form(struct grpc_outcome *grpc, enum answer_form form, unsigned status)
{
    if (form == ANSWER_GRPC)
        grpc_outcome_tell(grpc, answer_grpc_status(status));
}

static enum stream_write write_words_of(struct own *own, const char *reason, const char *sentence,
                                        const char *advice)
{
    const struct answer_words words = {.status = own->status,
                                       .reason = reason,
                                       .sentence = sentence,
                                       .advice = advice,
                                       .request_id = own->facts.request_id};
    enum answer_form form = accept_form(own->request);
    note_form(&own->grpc, form, own->status);
    return answer_write_words(own->stream, form, &words);
}

static enum stream_write write_words(struct own *own, const char *sentence, const char *advice)
{
    return write_words_of(own, own->reason, sentence, advice);
}

void own_answer_refuse(struct exchanges *all, struct stream *stream,
                       const struct http_request *request, const struct rule *rule, unsigned status,
                       const char *reason, const char *sentence)
{
    struct own own;
    own_begin(&own, all, stream, request);
    own.rule = rule;
    own.status = status;
    own.reason = reason;
    finish(&own, write_words(&own, sentence, NULL));
}

/* --- refusals ----------------------------------------------------------------------------------
 */

/* The set whose result says at which depth the fault is. What a CRL says may be of any
 * certificate of the chain; what else is said of a client is said of its own. */
static const struct ca_set *judging_set(const struct decision *decision)
{
    bool is_told_by_crl = decision->refusal == REFUSAL_CRL_REVOKED ||
                          decision->refusal == REFUSAL_CRL_EXPIRED ||
                          decision->refusal == REFUSAL_CRL_MISSING;
    return decision->outcome == DECISION_REFUSED && !is_told_by_crl ? decision->rule->auth.ca_set
                                                                    : NULL;
}

/* One for each line of the log. */
static void count_refused(struct tally *tally, const struct decision *decision)
{
    switch (decision->outcome) {
    case DECISION_BLOCKED:
    case DECISION_SENT_AWAY:
        access_tally_count(decision->access->tally, decision->access->action);
        tally_count(tally, TALLY_REQUEST, decision->refusal);
        return;
    case DECISION_MISDIRECTED:
    case DECISION_REFUSED:
        tally_count(tally, TALLY_REQUEST, decision->refusal);
        return;
    case DECISION_NO_RULE:
        tally_count_fault(tally, TALLY_NO_RULE);
        return;
    case DECISION_AMBIGUOUS:
        tally_count_fault(tally, TALLY_AMBIGUOUS_PATH);
        return;
    case DECISION_UNDECIDED:
        tally_count_fault(tally, TALLY_REGEX_LIMIT);
        return;
    case DECISION_NO_HOST:
        tally_count_fault(tally, TALLY_NO_HOST);
        return;
    case DECISION_BAD_CLIENT_ID:
        tally_count_fault(tally, TALLY_BAD_CLIENT_ID);
        return;
    case DECISION_UNREGISTERED:
        tally_count_fault(tally, TALLY_NOT_REGISTRABLE);
        return;
    case DECISION_PASS:
    case DECISION_SLASH:
    case DECISION_REDIRECT:
    case DECISION_RESPOND:
    case DECISION_SIGN_UP:
    case DECISION_ASK_OCSP:
        return; /* nobody is refused */
    }
}

static void log_refused(const struct own *own)
{
    const struct client *client = own->stream->client;
    const struct decision *decision = own->decision;
    const struct exchange_facts *facts = &own->facts;
    struct log_line line;
    count_refused(client->door->listener->tally, decision);
    log_begin(&line, LOG_LEVEL_WARN, "request.refused");
    log_text(&line, "listener", client->door->listener->name);
    log_text(&line, "rule", own->rule ? own->rule->name : NULL);
    log_text(&line, "access", decision->access ? decision->access->name : NULL);
    log_text(&line, "client", client->peer_host);
    log_text(&line, "reason", own->reason);
    log_number(&line, "status", own->status);
    log_bytes(&line, "request_id", facts->request_id.at, facts->request_id.length);
    log_bytes(&line, "host", facts->host.at, facts->host.length);
    handshake_describe_for(&client->handshake, client->connection.ssl, judging_set(decision),
                           &line);
    log_end(&line);
}

/* The operator's page. Who asks for JSON rather than HTML gets that. */
static enum stream_write write_page(struct own *own, const struct refusal_page *page)
{
    char html[REFUSAL_PAGE_BYTES];
    const struct refusal_page_facts facts = {.reason = own->reason,
                                             .sentence = decision_sentence(own->decision),
                                             .advice = decision_advice(own->decision),
                                             .host = own->request->host,
                                             .request_id = own->facts.request_id};
    size_t length = refusal_page_write(page, &facts, html, sizeof html);
    if (length == 0)
        return write_words(own, facts.sentence, facts.advice);
    return answer_write_page(own->stream, own->status, own->reason, (struct slice){html, length});
}

static enum stream_write refuse(struct own *own)
{
    const struct decision *decision = own->decision;
    const struct refusal_page *page =
        decision->outcome == DECISION_REFUSED ? own->rule->auth.page : NULL;
    log_refused(own);
    enum answer_form form = accept_form(own->request);
    if (page && form != ANSWER_JSON && form != ANSWER_GRPC)
        return write_page(own, page);
    return write_words(own, decision_sentence(decision), decision_advice(decision));
}

/* Where a client that is refused is sent; NULL: nowhere, it is told. Clients of gRPC follow no
 * redirect. */
static const struct redirect *way_out(const struct decision *decision,
                                      const struct http_request *request)
{
    const struct redirect *redirect = NULL;
    if (decision->outcome == DECISION_REFUSED)
        redirect = decision->rule->auth.redirect;
    else if (decision->outcome == DECISION_SENT_AWAY)
        redirect = decision->access->redirect;
    if (redirect && redirect->needs_host && request->host.length == 0)
        return NULL;
    return accept_form(request) == ANSWER_GRPC ? NULL : redirect;
}

/* A body is not sent again elsewhere: of whatever method, the client is to GET what it finds there.
 */
static unsigned way_out_status(const struct redirect *redirect, enum http_method method)
{
    bool is_plain = method == HTTP_GET || method == HTTP_HEAD;
    return redirect->status == 302 && !is_plain ? 303 : redirect->status;
}

static void find_way_out(struct own_answer_way *way, const struct decision *decision,
                         const struct http_request *request)
{
    const struct redirect *redirect = way_out(decision, request);
    way->status = 403;
    if (redirect)
        way->length =
            redirect_write_refusal(redirect, request->host, request->target,
                                   decision_reason(decision), way->location, LOCATION_BYTES);
    if (way->length > 0)
        way->status = way_out_status(redirect, request->method);
}

void own_answer_way(struct own_answer_way *way, const struct decision *decision,
                    const struct http_request *request)
{
    way->status = decision_status(decision);
    way->length = 0;
    if (decision->outcome == DECISION_SLASH)
        way->length =
            redirect_write_slash(request->path, request->query, way->location, LOCATION_BYTES);
    else if (decision->outcome == DECISION_REDIRECT)
        way->length = redirect_write(decision->rule->redirect, request->host, request->target,
                                     way->location, LOCATION_BYTES);
    else if (decision->outcome == DECISION_REFUSED || decision->outcome == DECISION_SENT_AWAY)
        find_way_out(way, decision, request);
}

/* What a rule responds. Of what is no refusal, clients of gRPC make of the status what they can. */
static enum stream_write respond(struct own *own)
{
    const char *sentence = own->rule->respond->sentence;
    if (own->status >= 400 && accept_form(own->request) == ANSWER_GRPC)
        return write_words_of(own, NULL, sentence, NULL);
    return answer_write_respond(own->stream, own->status, sentence);
}

/* --- decisions ---------------------------------------------------------------------------------
 */

static enum stream_write write_decided(struct own *own, const struct own_answer_way *way)
{
    const struct slice location = {way->location, way->length};
    switch (own->decision->outcome) {
    case DECISION_SLASH:
    case DECISION_REDIRECT: /* heads are smaller than what would not fit */
        return way->length > 0 ? answer_write_redirect(own->stream, own->status, location)
                               : STREAM_LOST;
    case DECISION_RESPOND:
        return respond(own);
    case DECISION_REFUSED:
    case DECISION_SENT_AWAY:
        if (way->length == 0)
            return refuse(own);
        log_refused(own);
        return answer_write_sent_away(own->stream, own->status, own->reason, location);
    case DECISION_MISDIRECTED:
    case DECISION_NO_RULE:
    case DECISION_AMBIGUOUS:
    case DECISION_UNDECIDED:
    case DECISION_NO_HOST:
    case DECISION_BLOCKED:
    case DECISION_UNREGISTERED:
    case DECISION_BAD_CLIENT_ID:
        return refuse(own);
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
    struct own own;
    struct own_answer_way way;
    own_answer_way(&way, decision, request);
    own_begin(&own, all, stream, request);
    own.rule = decision->rule;
    own.decision = decision;
    own.status = way.status;
    own.reason = decision_reason(decision);
    own.facts.client_id = decision->client_id;
    admission_note(decision, stream->client, request, own.facts.request_id);
    enum stream_write written = write_decided(&own, &way);
    finish(&own, written);
}

/* --- in the place of others --------------------------------------------------------------------
 */

/* The form that the client asked for in the head that the backend was to get. */
static enum answer_form form_of(const struct exchange *x)
{
    const struct buffer *head = x->request_head;
    struct http_request request;
    enum http_fault fault;
    return http_parse_request(&request, head->data, head->end, head->end, &fault) == HTTP_COMPLETE
               ? accept_form(&request)
               : ANSWER_TEXT;
}

enum stream_write own_answer_instead(struct exchange *x, unsigned status, const char *reason,
                                     const char *sentence)
{
    const struct answer_words words = {.status = status,
                                       .reason = reason,
                                       .sentence = sentence,
                                       .request_id = x->facts.request_id};
    enum answer_form form = form_of(x);
    note_form(&x->grpc, form, status);
    return answer_write_words(x->stream, form, &words);
}

void own_answer_unread(struct exchanges *all, const struct stream *stream, unsigned status,
                       const char *why)
{
    static const struct exchange_facts nothing; /* no head was understood */
    const struct access_entry entry = {.client = stream->client,
                                       .protocol = stream->protocol,
                                       .facts = &nothing,
                                       .status = status,
                                       .answer_bytes = stream->answer_bytes,
                                       .reason = why};
    request_end(all->access_log, &entry);
}
