/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What becomes of a client's request, with all that may have to be waited for before that is known:
 * a certificate that registers itself, a CA that is asked about one.
 */
#ifndef LB_EXCHANGE_ADMISSION_H
#define LB_EXCHANGE_ADMISSION_H

#include <stdbool.h>
#include <time.h>

#include "lb/exchange/decision.h"

struct client;
struct http_request;
struct stream;

/** The question as it is put for a client of lb. Lent as long as client and request. */
struct inquiry admission_inquiry(const struct client *client, const struct http_request *request,
                                 time_t now);

/**
 * Decide about a request that begins.
 *
 * now        wall clock, seconds
 * wants_id   somebody wants to know the client's id even where the rule names no field for it
 * returns    false: it has to wait (stream->wait); its protocol keeps it, and stream_events.begin
 * comes again when more is known. *decision is nothing then. Thread:    the client's worker
 */
bool admission_decide(struct decision *decision, struct stream *stream,
                      const struct http_request *request, time_t now, bool wants_id);

/**
 * Log and count a request that an [access] section only wants to know of; others are passed over.
 * Once for each request, when it is known under which id it is logged.
 *
 * request  as it came; lent, as request_id
 * Thread:  the client's worker
 */
void admission_note(const struct decision *decision, const struct client *client,
                    const struct http_request *request, struct slice request_id);

#endif
