/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/admin/api_peer.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "lb/base/log.h"
#include "listeners/client.h"

/* --- over the socket file ------------------------------------------------------------------ */

static bool find_user(struct api_peer *peer, const struct client *client, struct error *why)
{
    struct unix_peer *user = &peer->user;
    peer->is_user = true;
    if (!unix_socket_peer(client->connection.fd, user))
        return error_set(why, "nobody knows who asks");
    snprintf(peer->who, sizeof peer->who, "uid %u (pid %ld)", user->uid, (long)user->pid);
    if (user->uid == 0 || user->uid == geteuid())
        return true;
    return error_set(why, "user %u may not speak to this lb: root and user %u may", user->uid,
                     geteuid());
}

/* --- over TCP ------------------------------------------------------------------------------ */

static bool find_certificate(struct api_peer *peer, const struct client *client, struct error *why)
{
    const struct listener *listener = client->door->listener;
    struct identity *identity = client->handshake.identity;
    if (!identity)
        return error_set(why, "%s", refusal_sentence(REFUSAL_MISSING));
    snprintf(peer->who, sizeof peer->who, "certificate %s, serial %s", identity->subject,
             identity->serial);
    const struct visitor visitor = {
        .identity = identity, .address = client->peer_host, .now = time(NULL)};
    enum refusal refusal = policy_judge(&listener->rules[0].auth, listener->view, &visitor).refusal;
    return refusal == REFUSAL_NONE || error_set(why, "%s", refusal_sentence(refusal));
}

/* --- both ---------------------------------------------------------------------------------- */

bool api_peer_find(struct api_peer *peer, const struct client *client, struct error *why)
{
    *peer = (struct api_peer){.who = "nobody"};
    return client->connection.ssl ? find_certificate(peer, client, why)
                                  : find_user(peer, client, why);
}

void api_peer_log(const struct api_peer *peer, struct log_line *line)
{
    if (peer->is_user) {
        log_number(line, "uid", peer->user.uid);
        log_number(line, "pid", peer->user.pid);
    } else {
        log_text(line, "who", peer->who);
    }
}
