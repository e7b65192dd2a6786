/* SPDX-License-Identifier: Apache-2.0 */
/* A client whose request cannot be decided yet: its certificate has to be registered, or its CA's
 * OCSP responder to be asked about it. */
#include "listeners/client.h"
#include "listeners/objection.h"
#include "listeners/ocsp/ocsp_desk.h"
#include "listeners/registry/registry.h"
#include "listeners/rules/policy.h"

static enum client_signup result_of(enum signup_outcome outcome)
{
    switch (outcome) {
    case SIGNUP_DONE:
        return CLIENT_SIGNUP_DONE;
    case SIGNUP_LIMITED:
        return CLIENT_SIGNUP_LIMITED;
    case SIGNUP_REFUSED:
        return CLIENT_SIGNUP_REFUSED;
    case SIGNUP_FAILED:
        break;
    }
    return CLIENT_SIGNUP_FAILED;
}

static void on_signed_up(void *arg, enum signup_outcome outcome)
{
    struct client *client = arg;
    client->signup = NULL;
    client->signup_result = result_of(outcome);
    /* Whoever looked through the clients meanwhile has passed over this one. */
    if (identity_objection(client->door->listener, client->handshake.identity, time(NULL)) !=
        REFUSAL_NONE)
        client->is_leaving = true;
    client->protocol->resume(client);
}

bool client_sign_up(struct stream *stream)
{
    struct client *client = stream->client;
    struct registry *registry = client->door->listener->registry;
    if (!registry || !client->clients->desk)
        return false;
    if (!client->signup)
        client->signup = signup_begin(registry, client->clients->desk, client->handshake.identity,
                                      on_signed_up, client);
    if (client->signup)
        stream->wait = STREAM_WAITS_FOR_SIGNUP;
    return client->signup != NULL;
}

static void on_asked(void *arg)
{
    struct client *client = arg;
    client->ocsp = NULL;
    client->protocol->resume(client);
}

/* One question at a time: who comes meanwhile may have another one, of another rule. */
bool client_ask_ocsp(struct stream *stream, const struct client_auth *auth)
{
    struct client *client = stream->client;
    struct ocsp_desk *desk = client->clients->ocsp;
    if (!desk)
        return false;
    if (client->ocsp) {
        stream->wait = STREAM_WAITS_FOR_TURN;
        return true;
    }
    client->ocsp =
        ocsp_ask(desk, auth->ocsp, auth->ca_set, client->handshake.identity, on_asked, client);
    if (client->ocsp)
        stream->wait = STREAM_WAITS_FOR_OCSP;
    return client->ocsp != NULL;
}

bool client_wait_is_over(struct stream *stream)
{
    const struct client *client = stream->client;
    switch (stream->wait) {
    case STREAM_WAITS_NOT:
        return false;
    case STREAM_WAITS_FOR_SIGNUP:
        if (client->signup)
            return false;
        stream->signup_result = client->signup_result;
        break;
    case STREAM_WAITS_FOR_OCSP:
        if (client->ocsp)
            return false;
        stream->was_ocsp_asked = true;
        break;
    case STREAM_WAITS_FOR_TURN:
        if (client->ocsp)
            return false;
        break;
    }
    stream->wait = STREAM_WAITS_NOT;
    return true;
}

uint32_t client_wait_most_ms(const struct stream *stream)
{
    return stream->wait == STREAM_WAITS_FOR_SIGNUP
               ? stream->client->door->listener->options->header_timeout
               : 0;
}

void client_stop_waiting(struct client *client)
{
    if (client->signup)
        signup_leave(client->signup);
    if (client->ocsp)
        ocsp_leave(client->ocsp);
    client->signup = NULL;
    client->ocsp = NULL;
}
