/* SPDX-License-Identifier: Apache-2.0 */
/* The client CAs of a config, each with how it is used: for lb status and for metrics. */
#ifndef LB_ADMIN_CLIENT_CAS_H
#define LB_ADMIN_CLIENT_CAS_H

#include <openssl/x509.h>
#include <stdbool.h>

#include "listeners/ca/ca_uses.h"
#include "listeners/listener.h"

struct config;
struct json_writer;

/** One CA of one domain. Lent for the visit. */
struct client_ca {
    const struct listener *listener;
    const struct ca_list *list; /* of the domain's policy */
    const char *domain;         /* as the rules write it; "": rules without one, or sni = off */
    char id[CA_ID_LENGTH + 1];  /* as lb ca list shows it; "": its key cannot be read */
    const char *subject;
    X509 *certificate;        /* NULL: it is not in client_ca, a client sent it along */
    const struct ca_use *use; /* NULL: it is not counted; then facts are 0 */
    bool is_again;            /* the same CA was visited before, with another certificate */
    struct ca_use_facts facts;
    enum ca_removal removal; /* UNKNOWN for one that is not in client_ca */
};

typedef void (*client_ca_visit)(void *arg, const struct client_ca *ca);

/** Visit those that client_ca names, in its order, and then the others that were met; listener by
 * listener, domain by domain. Thread: control. */
void client_cas_each(const struct config *config, client_ca_visit visit, void *arg);

/** Write them as an array "client_cas" of an object that is open. Thread: control. */
void client_cas_write(struct json_writer *writer, const struct config *config);

#endif
