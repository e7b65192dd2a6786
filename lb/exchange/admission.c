/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/exchange/admission.h"

#include "lb/base/log.h"
#include "listeners/access/access_tally.h"
#include "listeners/client.h"
#include "listeners/client_id.h"
#include "listeners/rules/policy.h"

struct inquiry admission_inquiry(const struct client *client, const struct http_request *request,
                                 time_t now)
{
    const struct handshake *handshake = &client->handshake;
    return (struct inquiry){
        .listener = client->door->listener,
        .settled = client->connection.ssl ? handshake->policy_id : NULL,
        .visitor = {.identity = handshake->identity, .address = client->peer_host, .now = now},
        .host = request->host,
        .path = request->path,
    };
}

/** What becomes of a request whose client should have signed up, and has not. */
static void refuse_unregistered(struct decision *decision, enum client_signup result)
{
    decision->outcome = DECISION_REFUSED;
    switch (result) {
    case CLIENT_SIGNUP_LIMITED:
        decision->refusal = REFUSAL_SIGNUP_LIMIT;
        return;
    case CLIENT_SIGNUP_REFUSED:
        decision->refusal = REFUSAL_NOT_REGISTERED;
        return;
    case CLIENT_SIGNUP_NONE:
    case CLIENT_SIGNUP_DONE:
    case CLIENT_SIGNUP_FAILED:
        decision->outcome = DECISION_UNREGISTERED;
        return;
    }
}

/** false: it waits; begin comes again. Else a client that has to sign up first has, or tried. */
static bool sign_up(struct decision *decision, struct stream *stream)
{
    enum client_signup result = stream->signup_result;
    if (decision->outcome != DECISION_SIGN_UP)
        return true;
    if (result == CLIENT_SIGNUP_NONE && client_sign_up(stream))
        return false;
    refuse_unregistered(decision, result);
    return true;
}

/** The same where an OCSP responder has to be asked: without an answer it is decided by what there
 * is. */
static bool ask_ocsp(struct decision *decision, struct stream *stream, struct inquiry *inquiry)
{
    if (decision->outcome != DECISION_ASK_OCSP)
        return true;
    if (client_ask_ocsp(stream, &decision->rule->auth))
        return false;
    inquiry->visitor.was_ocsp_asked = true;
    *decision = decide(inquiry);
    return true;
}

/** Which client it is, where somebody asks for that. */
static void identify(struct decision *decision, const struct client *client,
                     const struct http_request *request, time_t now, bool wants_id)
{
    bool is_asked = wants_id || (decision->rule && decision->rule->client_id_header.length);
    if (!is_asked || decision_is_refusal(decision))
        return;
    if (!client_id_find(decision->rule, client->handshake.identity, request, now,
                        &decision->client_id))
        decision->outcome = DECISION_BAD_CLIENT_ID;
}

/** Its request shows that the CAs which have verified it are needed. */
static void note_cas(struct client *client, const struct policy *policy, time_t now)
{
    if (policy->cas)
        ca_sighting_note(&client->sighting, policy->cas->roll, client->handshake.identity, now);
}

bool admission_decide(struct decision *decision, struct stream *stream,
                      const struct http_request *request, time_t now, bool wants_id)
{
    struct client *client = stream->client;
    struct inquiry inquiry = admission_inquiry(client, request, now);
    inquiry.visitor.was_ocsp_asked = stream->was_ocsp_asked;
    *decision = decide(&inquiry);
    if (decision->rule)
        note_cas(client, decision->domain->policy, now);
    if (!ask_ocsp(decision, stream, &inquiry) || !sign_up(decision, stream))
        return false;
    stream->signup_result = CLIENT_SIGNUP_NONE;
    stream->was_ocsp_asked = false;
    identify(decision, client, request, now, wants_id);
    return true;
}

void admission_note(const struct decision *decision, const struct client *client,
                    const struct http_request *request, struct slice request_id)
{
    struct log_line line;
    if (!decision->access || decision->access->action != ACCESS_LOG)
        return;
    const struct client_auth *auth = &decision->rule->auth;
    enum refusal verdict = policy_verdict(auth, client->handshake.identity, time(NULL));
    access_tally_count(decision->access->tally, ACCESS_LOG);
    log_begin(&line, LOG_LEVEL_INFO, "request.noted");
    log_text(&line, "listener", client->door->listener->name);
    log_text(&line, "rule", decision->rule->name);
    log_text(&line, "access", decision->access->name);
    log_text(&line, "client", client->peer_host);
    log_text(&line, "reason", verdict == REFUSAL_NONE ? "verified" : refusal_name(verdict));
    log_bytes(&line, "request_id", request_id.at, request_id.length);
    log_bytes(&line, "host", request->authority.at, request->authority.length);
    log_bytes(&line, "uri", request->target.at, request->target.length);
    handshake_describe_for(&client->handshake, client->connection.ssl, auth->ca_set, &line);
    log_end(&line);
}
