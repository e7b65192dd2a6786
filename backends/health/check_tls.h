/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLS for checks, with the pool's own settings: the same CAs, the same name, the same certificate
 * as links have, so that what passes here would serve a client, too.
 */
#ifndef LB_BACKENDS_HEALTH_CHECK_TLS_H
#define LB_BACKENDS_HEALTH_CHECK_TLS_H

#include "backends/health/check_run.h"

/**
 * Speak TLS over a connection that stands, and begin the handshake. Without a host that is asked
 * for, the name is the backend's own address.
 *
 * run      has `tls`
 * alpn     the one protocol that is offered (RFC 7301), such as "h2"
 * returns  as check_tls_shake_hands
 */
bool check_tls_start(struct check_run *run, const char *alpn);

/**
 * Go on with the handshake.
 *
 * returns  true: it is complete, ask now; what came with it may be unread. false: on_ready comes,
 *          or the check is finished
 */
bool check_tls_shake_hands(struct check_run *run);

/** Does the run speak TLS, and does its handshake go on? */
bool check_tls_is_shaking(const struct check_run *run);

#endif
