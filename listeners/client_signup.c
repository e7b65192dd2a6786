/* SPDX-License-Identifier: Apache-2.0 */
/* A client whose certificate has to be registered before its request can be decided. */
#include "listeners/client.h"
#include "listeners/registry/judge.h"
#include "listeners/registry/registry.h"

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
    if (registry_objection(client->door->listener->view, client->handshake.identity) !=
        REFUSAL_NONE)
        client->is_leaving = true;
    http1_client_resume(client);
}

bool client_sign_up(struct client *client)
{
    struct registry *registry = client->door->listener->registry;
    if (!registry || !client->clients->desk)
        return false;
    client->signup = signup_begin(registry, client->clients->desk, client->handshake.identity,
                                  on_signed_up, client);
    return client->signup != NULL;
}
