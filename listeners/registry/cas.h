/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules of client CAs: upload, bind, enable, disable, delete; and the CAs as a config sees
 * them. As in certificates.h each change is one transaction with its line in the audit log.
 */
#ifndef LB_LISTENERS_REGISTRY_CAS_H
#define LB_LISTENERS_REGISTRY_CAS_H

#include <openssl/x509.h>
#include <stdbool.h>

#include "listeners/registry/certificates.h"

enum {
    CA_NAME_BYTES = 64,
    CA_HOSTS_A_CALL = 50,        /* names bound in one call; FEATURES A8 */
    CA_HOSTS_MOST = 1000,        /* of one CA: all of them stand in the audit log at each change */
    CA_UPLOAD_BYTES = 64 * 1024, /* a CA and what stands above it: some KiB */
};

enum { CA_WARNING_BYTES = 256 };

struct ca_result {
    struct ca_record record; /* its texts are owned here */
    bool changed;
    bool renewed; /* an upload replaced the certificate of a CA with the same key */
    char warning[CA_WARNING_BYTES]; /* of a renewal by one that ends sooner; "": none */
    void *memory;
};
void ca_result_done(struct ca_result *result);
bool ca_result_set(struct ca_result *result, const struct ca_record *record);

/**
 * pem: one CA, and what stands above it, in any order; CRLF, BOM and blank lines are fine. The CA
 * is the one that signed none of the others; each other must have signed one of them. Signatures
 * of those that are there, or that it says are its own, must be good. name: unique; of letters,
 * digits, ".", "_", "-"; not "builtin". max_cas: uploaded ones there may be. The same CA again is
 * EXISTS; another certificate of its key and subject renews it, id, name and hosts stay.
 */
enum change_refusal ca_upload(struct ledger *ledger, const char *name, const char *pem,
                              size_t pem_bytes, unsigned max_cas, const struct actor *actor,
                              struct ca_result *result, struct error *err);

/** Where a built-in CA comes from that the store is told about. */
enum ca_origin {
    CA_MADE,    /* it is new: the store knows none, or one of the same key, which stays as it is */
    CA_ADOPTED, /* it was there, and the store knows none */
    CA_RENEWED, /* another certificate of the key that the store knows */
    CA_REPLACED /* a new one in the place of another, which is no longer known */
};

/**
 * Tell the store about the built-in CA. Hosts and whether it is enabled stay as they are. In the
 * audit log it is ca.create, ca.adopt, ca.renew or ca.replace, with both fingerprints.
 *
 * result   the one that the store knows afterwards
 * Fails:   EXISTS: it knows one of another key, which only CA_REPLACED changes; UNKNOWN:
 * CA_RENEWED, and it knows none
 */
enum change_refusal ca_put_builtin(struct ledger *ledger, X509 *certificate, enum ca_origin origin,
                                   const struct actor *actor, struct ca_result *result,
                                   struct error *err);

/** How the hosts of a call relate to those that are bound. */
enum ca_binding { CA_BIND_ADD, CA_BIND_REPLACE, CA_BIND_REMOVE };

enum { CA_HOST_BYTES = 256 }; /* with the final NUL: DOMAIN_BYTES, and an expression's "~" */

/** Write a host as it is kept and compared: in lower case, without a final dot; expressions
 * ("~…") as they are. false: it is longer than CA_HOST_BYTES. */
bool ca_host_normalise(const char *host, char into[CA_HOST_BYTES]);

/** Does the config serve this host, written as a rule's domain, "*" for every other host? */
struct ca_hosts_known {
    bool (*is_served)(void *arg, const char *host, struct error *why_not);
    void *arg;
};

/** which: id or name, as for all below. Hosts as rules write their domains; any case, with or
 * without a final dot. known: of hosts that are added; NULL: not asked. A host that is bound, or
 * not bound, already is no mistake. */
enum change_refusal ca_bind(struct ledger *ledger, const char *which, enum ca_binding binding,
                            const char *const *hosts, unsigned host_count,
                            const struct ca_hosts_known *known, const struct actor *actor,
                            struct ca_result *result, struct error *err);
enum change_refusal ca_enable(struct ledger *ledger, const char *which, bool enable,
                              const struct actor *actor, struct ca_result *result,
                              struct error *err);
/** Not the built-in one; not one that hosts are bound to. Its certificates stay, and are refused
 * where registration is asked for. */
enum change_refusal ca_delete(struct ledger *ledger, const char *which, const struct actor *actor,
                              struct ca_result *result, struct error *err);
enum change_refusal ca_get(struct ledger *ledger, const char *which, struct ca_result *result,
                           struct error *err);

/* For configs. */

struct cas_item {
    struct ca_record record; /* its texts live as the snapshot */
    X509 *certificate;
};

/** All CAs at one time. Frozen. */
struct cas {
    struct cas_item *items;
    size_t count;
    bool is_there; /* cas_read: there is a store; without one there are none */
    void *memory;
};

/** Read them. A store that is not there has none. returns NULL: err. Thread: any; may block. */
struct cas *cas_read(const char *location, struct error *err);
void cas_free(struct cas *cas);
/** By id or name, or NULL. */
const struct cas_item *cas_find(const struct cas *cas, const char *which);
/** The built-in one, or NULL. */
const struct cas_item *cas_builtin(const struct cas *cas);
/** Is it bound to this domain of a rule ("": rules without one, bound as "*")? */
bool cas_item_is_bound(const struct cas_item *item, const char *domain);

#endif
