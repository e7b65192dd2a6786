/* SPDX-License-Identifier: Apache-2.0 */
/* How it is with a responder itself, whatever it is asked about: one that cannot be reached time
 * and again is left alone for a while. Any thread. */
#ifndef LB_LISTENERS_OCSP_RESPONDER_H
#define LB_LISTENERS_OCSP_RESPONDER_H

#include <stdbool.h>
#include <time.h>

struct ocsp;
struct ocsp_url;

/** It was not to be reached, or said nothing that can be read. now: wall clock, seconds. */
void ocsp_responder_failed(struct ocsp *ocsp, const struct ocsp_url *url, time_t now);
/** It has answered as it should. */
void ocsp_responder_answered(struct ocsp *ocsp, const struct ocsp_url *url);
/** Did it fail OCSP_DEAD_AFTER times in a row, the last time within OCSP_FAILURE_S? */
bool ocsp_responder_is_dead(struct ocsp *ocsp, const struct ocsp_url *url, time_t now);

#endif
