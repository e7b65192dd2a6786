/* SPDX-License-Identifier: Apache-2.0 */
/* Who asks the API: over the socket file a user of this machine, as the kernel tells it; over TCP
 * whoever owns a certificate. */
#ifndef LB_ADMIN_API_PEER_H
#define LB_ADMIN_API_PEER_H

#include <stdbool.h>

#include "lb/base/error.h"
#include "lb/base/unix_socket.h"

struct client;
struct log_line;

/* A subject and a serial as long as they are ever kept (certificate.h): nothing is cut. */
enum { API_WHO_BYTES = 1600 };

struct api_peer {
    bool is_user;          /* over the socket file: */
    struct unix_peer user; /* this one */
    char who[API_WHO_BYTES];
};

/**
 * Find who it is and whether it may speak now: root and the user lb runs as may over the socket
 * file; over TCP a certificate that verification and the registry let pass, which is asked at every
 * request.
 *
 * peer     filled in every case; who: "uid 0 (pid 4711)", "certificate CN=ops, serial 0A1B"
 * returns  false: it may not; why says so in a sentence for who asks
 */
bool api_peer_find(struct api_peer *peer, const struct client *client, struct error *why);

/** Add uid and pid, or certificate, to a log line. */
void api_peer_log(const struct api_peer *peer, struct log_line *line);

#endif
