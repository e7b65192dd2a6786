/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a certificate that was let in may not be there any more. */
#ifndef LB_LISTENERS_OBJECTION_H
#define LB_LISTENERS_OBJECTION_H

#include <time.h>

#include "listeners/refusal.h"

struct identity;
struct listener;

/**
 * For open connections, whatever rules their requests choose: what the registry knows of it
 * (registry_objection), or else that the list of a CA names it which a rule of the listener asks,
 * and whose CA set has verified it (REFUSAL_CRL_REVOKED). That a list is missing or out of date
 * says nothing of this certificate; requests are refused for it, connections stay.
 *
 * Thread:  of a worker. Takes no lock, does not allocate; some 0.1 µs for each different client_crl
 *          of the listener.
 */
enum refusal identity_objection(const struct listener *listener, struct identity *identity,
                                time_t now);

#endif
