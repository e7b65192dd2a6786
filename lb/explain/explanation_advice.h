/* SPDX-License-Identifier: Apache-2.0 */
/* How a refusal is told, and what an operator can do about it. */
#ifndef LB_EXPLANATION_ADVICE_H
#define LB_EXPLANATION_ADVICE_H

#include <stdbool.h>
#include <stddef.h>

#include "listeners/refusal.h"

struct explanation;

/**
 * The TLS alert that a handshake ends with: "certificate_revoked", as RFC 8446 names it. Static.
 * OpenSSL makes it of refusal_x509_error(); missing, too-large and unknown-name it finds by itself.
 *
 * is_tls_1_3  false: TLS 1.2, which has no certificate_required
 */
const char *explanation_alert(enum refusal refusal, bool is_tls_1_3);

enum { EXPLANATION_ADVICE_BYTES = 1024 };

/**
 * One sentence for the operator: what to change so that this client passes; for what is undecided,
 * how to find out.
 *
 * into  at least EXPLANATION_ADVICE_BYTES
 * returns  false: it passes, and there is nothing to change; or nobody knows what
 */
bool explanation_advice(const struct explanation *explanation, char *into, size_t room);

#endif
