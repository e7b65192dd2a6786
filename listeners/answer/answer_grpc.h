/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lb's own answers as clients of gRPC understand them: HTTP status 200, no body, and the status of
 * gRPC in the head ("Trailers-Only" of gRPC over HTTP/2). What the status would have been in HTTP
 * stands in grpc-message, and in the access log as ever.
 */
#ifndef LB_LISTENERS_ANSWER_GRPC_H
#define LB_LISTENERS_ANSWER_GRPC_H

#include <stdbool.h>

#include "lb/base/draft.h"
#include "listeners/answer/answer.h"

/** What a sentence of an operator needs where half of it is not ASCII; the fields around it have
 * room, too. */
enum { ANSWER_GRPC_MESSAGE_BYTES = 480 };

/** Is this media type gRPC's: application/grpc, perhaps with a format (+proto)? gRPC-Web is another
 * protocol: its clients read HTTP. */
bool answer_grpc_is_type(struct slice media_type);

/** The status of gRPC for one of HTTP, as clients themselves translate (gRPC's "HTTP to gRPC Status
 * Code Mapping"): 401 gives 16 (unauthenticated), 503 gives 14 (unavailable). */
unsigned answer_grpc_status(unsigned status);

/** Append the value of grpc-message, such as "403 missing: No client certificate was sent. (request
 * 1a2b)", percent-encoded where gRPC wants that, and cut where `message` ends. */
void answer_grpc_message(const struct answer_words *words, struct draft *message);

/** Append content-type, grpc-status and grpc-message: reason, sentence and request id, cut where
 * it gets too long. */
void answer_grpc_write(const struct answer_words *words, struct draft *fields);

#endif
