/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A session is offered to OpenSSL only when it was made under the very listener, domain and policy
 * that the present ClientHello has chosen, and its time is not up. Everything else looks unknown,
 * so that a full handshake follows.
 */
#include "listeners/tls/resumption.h"

#include <openssl/err.h>
#include <string.h>

#include "listeners/tls/handshake_context.h"
#include "listeners/tls/session_cache.h"

/* Seconds a session may still be resumed; 0: it must not be kept. Ties a session of a full
 * handshake to what it is good for; one that was renewed by TLS 1.3 carries that already, with the
 * time of its first handshake. */
static time_t settle_session(const struct handshake *handshake, SSL_SESSION *session)
{
    const struct handshake_plan *plan = handshake_plan(handshake);
    const struct session *known = session_of(session);
    time_t now = handshake_context_now(handshake->context);
    if (known)
        return known->ends > now ? known->ends - now : 0;
    if (handshake->identity && !identity_may_be_kept(handshake->identity))
        return 0;
    time_t ends = now + session_cache_lifetime_s(handshake->listener->sessions);
    time_t valid_until = handshake->identity ? identity_valid_until(handshake->identity) : ends;
    ends = valid_until < ends ? valid_until : ends;
    if (ends <= now || !session_tie(session, plan->session_context, now, ends, handshake->identity))
        return 0;
    return ends - now;
}

/* Called before a TLS 1.3 ticket is written: it shall tell the client how long it is really good
 * for. */
static int on_ticket(SSL *ssl, void *argument)
{
    (void)argument;
    SSL_SESSION *session = SSL_get_session(ssl);
    SSL_SESSION_set_timeout(session, (long)settle_session(SSL_get_app_data(ssl), session));
    return 1;
}

/* Called when a session can be resumed from now on. Returns 0: the reference stays OpenSSL's. */
static int on_session_made(SSL *ssl, SSL_SESSION *session)
{
    const struct handshake *handshake = SSL_get_app_data(ssl);
    struct session_cache *sessions = handshake->listener->sessions;
    if (settle_session(handshake, session) > 0)
        session_cache_put(sessions, session);
    /* TLS 1.3 renews: the session that was resumed has a successor and is not needed a second time.
     */
    if (SSL_session_reused(ssl))
        session_cache_remove(sessions, handshake->resumed_id, handshake->resumed_id_length);
    return 0;
}

static bool fits(const struct handshake *handshake, SSL *ssl, const SSL_SESSION *session)
{
    const struct handshake_plan *plan = handshake_plan(handshake);
    const struct session *known = session_of(session);
    return plan && known && SSL_SESSION_get_protocol_version(session) == SSL_version(ssl) &&
           memcmp(known->context, plan->session_context, SESSION_CONTEXT_BYTES) == 0;
}

/* Where the handshake refuses by alert, a session must not let in whom it would refuse today: the
 * full handshake that follows tells why. Elsewhere each request is judged anyway. */
static bool is_refused(const struct handshake *handshake, const SSL_SESSION *session)
{
    const struct policy *policy = handshake->domain->policy;
    const struct visitor visitor = {.identity = session_of(session)->identity,
                                    .now = handshake_context_now(handshake->context)};
    return visitor.identity &&
           policy_alert(policy, handshake->listener->view, &visitor) != REFUSAL_NONE;
}

static SSL_SESSION *on_session_wanted(SSL *ssl, const unsigned char *id, int length, int *copy)
{
    struct handshake *handshake = SSL_get_app_data(ssl);
    *copy = 0; /* the session is the caller's alone */
    if (length <= 0 || (size_t)length > sizeof handshake->resumed_id)
        return NULL;
    SSL_SESSION *session = session_cache_get(handshake->listener->sessions, id, (size_t)length,
                                             handshake_context_now(handshake->context));
    if (!session)
        return NULL;
    bool is_fit = fits(handshake, ssl, session);
    if (is_fit && !is_refused(handshake, session)) {
        memcpy(handshake->resumed_id, id, (size_t)length);
        handshake->resumed_id_length = (unsigned char)length;
        return session;
    }
    if (is_fit)
        session_cache_remove(handshake->listener->sessions, id, (size_t)length);
    SSL_SESSION_free(session);
    return NULL;
}

void resumption_install(SSL_CTX *tls, const struct session_cache *sessions)
{
    unsigned lifetime_s = sessions ? session_cache_lifetime_s(sessions) : 0;
    if (lifetime_s == 0) {
        SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_OFF);
        SSL_CTX_set_num_tickets(tls, 0);
        return;
    }
    SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL |
                                            SSL_SESS_CACHE_NO_AUTO_CLEAR);
    SSL_CTX_set_timeout(tls, (long)lifetime_s);
    SSL_CTX_set_num_tickets(tls, 1);
    SSL_CTX_sess_set_new_cb(tls, on_session_made);
    SSL_CTX_sess_set_get_cb(tls, on_session_wanted);
    SSL_CTX_set_session_ticket_cb(tls, on_ticket, NULL, NULL);
}
