/* SPDX-License-Identifier: Apache-2.0 */
/* What the log is told of a client that is not let in, or not any more. Whoever is refused is
 * counted in the same breath (tally.h). */
#ifndef LB_LISTENERS_CLIENT_REPORT_H
#define LB_LISTENERS_CLIENT_REPORT_H

#include <stdbool.h>

#include "lb/base/log.h"
#include "listeners/refusal.h"

struct client;

/* Thread: the client's, as for all here. */

/** It is refused before it could shake hands. message: why, for people. */
void client_report_refused(const struct client *client, enum log_level level, enum refusal refusal,
                           const char *message);
/** Its handshake failed. refusal: NONE where that is not for its certificate or name. */
void client_report_handshake(const struct client *client, enum refusal refusal);
/** Its handshake did not end in time. */
void client_report_late(const struct client *client);
/** It may not stay. is_told: say so in the log; counted it is in any case. */
void client_report_expelled(const struct client *client, enum refusal refusal, bool is_told);
/** A request of its, of which no backend will see anything, was answered with that status. */
void client_report_bad_request(const struct client *client, unsigned status, const char *why);
/** Its connection ends because of what it sent. reason: a word; why: a sentence. */
void client_report_broken(const struct client *client, const char *reason, const char *why);

#endif
