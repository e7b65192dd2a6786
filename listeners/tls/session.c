/* SPDX-License-Identifier: Apache-2.0 */
/* SSL_SESSION's ex_data with a dup and a free function, so that copies count and nothing leaks. */
#include "listeners/tls/session.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "listeners/identity.h"

static void session_unref(struct session *session)
{
    if (!session || atomic_fetch_sub_explicit(&session->references, 1, memory_order_acq_rel) != 1)
        return;
    identity_unref(session->identity);
    free(session);
}

static int on_session_copied(CRYPTO_EX_DATA *to, const CRYPTO_EX_DATA *from, void **place,
                             int index, long number, void *argument)
{
    (void)to;
    (void)from;
    (void)index;
    (void)number;
    (void)argument;
    struct session *session = *place;
    if (session)
        atomic_fetch_add_explicit(&session->references, 1, memory_order_relaxed);
    return 1;
}

static void on_session_freed(void *parent, void *session, CRYPTO_EX_DATA *data, int index,
                             long number, void *argument)
{
    (void)parent;
    (void)data;
    (void)index;
    (void)number;
    (void)argument;
    session_unref(session);
}

/* The number OpenSSL gives out for our place in every SSL_SESSION of the process; drawn once, then
 * constant. */
static pthread_once_t index_once = PTHREAD_ONCE_INIT;
static int index_number = -1;

static void draw_index(void)
{
    index_number = SSL_SESSION_get_ex_new_index(0, NULL, NULL, on_session_copied, on_session_freed);
}

static int session_index(void)
{
    pthread_once(&index_once, draw_index);
    return index_number;
}

bool session_tie(SSL_SESSION *tls, const unsigned char context[SESSION_CONTEXT_BYTES],
                 time_t first_handshake, time_t ends, struct identity *identity)
{
    struct session *session = malloc(sizeof *session);
    if (!session)
        return false;
    atomic_init(&session->references, 1);
    memcpy(session->context, context, sizeof session->context);
    session->first_handshake = first_handshake;
    session->ends = ends;
    session->identity = identity ? identity_ref(identity) : NULL;
    struct session *before = SSL_SESSION_get_ex_data(tls, session_index());
    if (SSL_SESSION_set_ex_data(tls, session_index(), session) != 1) {
        session_unref(session);
        return false;
    }
    session_unref(before);
    return true;
}

const struct session *session_of(const SSL_SESSION *tls)
{
    return SSL_SESSION_get_ex_data(tls, session_index());
}
