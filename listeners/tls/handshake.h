/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The TLS handshake with a client: SNI chooses the domain, the domain's policy is set on the SSL
 * itself, the certificate is verified once per CA set, sessions are kept by the server and bound to
 * the policy.
 */
#ifndef LB_LISTENERS_HANDSHAKE_H
#define LB_LISTENERS_HANDSHAKE_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <time.h>

#include "listeners/identity.h"
#include "listeners/listener.h"

struct error;
struct chain_cache;
struct log_line;

/** One worker's side of a listener: its SSL_CTXs (one per distinct policy). Not shared: OpenSSL 3.0
 * locks inside them. */
struct handshake_context;

/**
 * listener, chains: borrowed until handshake_context_free. listener->sessions is used, shared by
 * all workers. Fails: OpenSSL refuses a cipher list, group or certificate; err names the key.
 */
struct handshake_context *handshake_context_new(const struct listener *listener,
                                                struct chain_cache *chains, struct error *err);
/**
 * Would OpenSSL take the certificates of every domain in a handshake? To be found out at load, once
 * for all workers, and not by the first client.
 *
 * false    err names the file
 */
bool handshake_context_try(const struct handshake_context *context, struct error *err);
/** NULL is fine. All SSLs of it must be gone. */
void handshake_context_free(struct handshake_context *context);
/** What time it is, instead of time(NULL): for tests of lifetimes. Thread: the context's. */
void handshake_context_set_clock(struct handshake_context *context, time_t (*now)(void *argument),
                                 void *argument);

/** What one handshake settled. Embedded in the client; must outlive the SSL. */
struct handshake {
    const struct handshake_context *context;
    const struct listener *listener;
    const struct domain *domain; /* chosen by SNI; NULL before the ClientHello */
    /* What it was made under, once it is complete. */
    unsigned char policy_id[POLICY_ID_BYTES];
    struct identity *identity; /* counted here; NULL: no certificate was shown */
    enum refusal refusal;      /* why the handshake itself refused; NONE otherwise */
    bool named;                /* the domain was chosen by the name the client asked for */
    char *asked_name;          /* refused as UNKNOWN_NAME: this is the name; else NULL */
    /* The kept session this handshake began with, if any: TLS 1.3 replaces it by a new one. */
    unsigned char resumed_id_length;
    unsigned char resumed_id[SSL_MAX_SSL_SESSION_ID_LENGTH];
};

/**
 * A server-side SSL for one client (accept state set), or NULL: out of memory. `handshake` is
 * filled and borrowed by the SSL, whose app data it becomes (SSL_set_app_data is ours).
 */
SSL *handshake_begin(struct handshake_context *context, struct handshake *handshake);

/**
 * To be called once when SSL_do_handshake is complete: asserts that verify mode, session context
 * and policy agree, takes the identity from the session when it was resumed. false: something does
 * not fit (never expected): close.
 */
bool handshake_complete(struct handshake *handshake, SSL *ssl);

/**
 * To be called when it failed: names the refusal (also missing, too-large, which only OpenSSL
 * knows) from the SSL, the verification and `tls_failure`. REFUSAL_NONE: it failed for another
 * reason (protocol error, client went away).
 */
enum refusal handshake_refusal(struct handshake *handshake, SSL *ssl, unsigned long tls_failure);

/** Add serial, sha256, depth, sni, subject, issuer, as far as known, to a log line. */
void handshake_describe(const struct handshake *handshake, SSL *ssl, struct log_line *line);
/** The same for the judgement of one rule: the depth is what its set found, 0 where that is fine
 * and something else is wrong with the client's own certificate. set: NULL: it is not known. */
void handshake_describe_for(const struct handshake *handshake, SSL *ssl, const struct ca_set *set,
                            struct log_line *line);

/* What handshakes ask, and who wants to know what one would settle. Any thread. */

/**
 * The domain of a client that asks for this name.
 *
 * name          NULL: it asks for none
 * ret_is_known  a rule of the listener has it
 * returns       NULL: it is refused (unknown_sni = reject)
 */
const struct domain *handshake_domain(const struct listener *listener, const struct slice *name,
                                      bool *ret_is_known);

/**
 * Where the domain's policy alerts: policy_alert() of this client now; else NONE. A key that is too
 * large ends the handshake everywhere.
 *
 * identity  NULL: it shows no certificate. What is found of it is kept there
 */
enum refusal handshake_judge(const struct listener *listener, const struct policy *policy,
                             struct identity *identity, time_t now);

/** Would a handshake with `listener` settle today what this one, which is complete, has settled? */
bool handshake_still_holds(const struct handshake *handshake, const SSL *ssl,
                           const struct listener *listener);

/**
 * Forget the context, listener and domain of a complete handshake: they may go now. policy_id and
 * identity stay.
 */
void handshake_leave_context(struct handshake *handshake);

/** Release the identity; after the SSL is freed. NULL-filled and already released ones are fine. */
void handshake_done(struct handshake *handshake);

#endif
