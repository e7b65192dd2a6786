/* SPDX-License-Identifier: Apache-2.0 */
/* A blocking connection to the running lb: a socket file, or TLS over TCP. */
#ifndef LB_COMMANDS_ADMIN_WIRE_H
#define LB_COMMANDS_ADMIN_WIRE_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "lb/admin/admin_address.h"
#include "lb/base/error.h"
#include "lb/commands/admin_credentials.h"

struct admin_wire {
    int fd;
    SSL_CTX *context; /* NULL: a socket file */
    SSL *tls;
};

enum admin_wire_outcome {
    ADMIN_WIRE_OPEN,
    ADMIN_WIRE_NOBODY, /* no connection; errno says why */
    ADMIN_WIRE_FAILED, /* err says why */
};

/**
 * Connect; for TLS also shake hands and verify who answers.
 *
 * timeout_ms  how long each step may take, and later each pause
 * returns     ADMIN_WIRE_OPEN: admin_wire_close is the caller's. Thread: main
 */
enum admin_wire_outcome admin_wire_open(struct admin_wire *wire,
                                        const struct admin_address *address,
                                        const struct admin_credentials *credentials,
                                        unsigned timeout_ms, struct error *err);
void admin_wire_close(struct admin_wire *wire);

/* Both say in errno why they fail: EAGAIN: not in time; EPROTO: admin_wire_fault says it. */

bool admin_wire_send(struct admin_wire *wire, const char *bytes, size_t length);
/** At least one byte; 0: the end; -1: failed. */
ssize_t admin_wire_receive(struct admin_wire *wire, char *into, size_t room);

/** What TLS says of a failure: "tlsv13 alert certificate required". Static or per-thread text. */
const char *admin_wire_fault(void);

#endif
