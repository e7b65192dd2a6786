/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What becomes of a call of gRPC beside what HTTP says of its answer: the status that its client
 * reads in the trailers, or in a head that is the end as well ("Trailers-Only" of gRPC over
 * HTTP/2).
 */
#ifndef LB_EXCHANGE_GRPC_OUTCOME_H
#define LB_EXCHANGE_GRPC_OUTCOME_H

#include <stdbool.h>

#include "lb/base/http1.h"

/** Zeroed: it is no call of gRPC, as far as anybody knows. */
struct grpc_outcome {
    bool is_grpc;       /* the answer's content-type says so */
    bool is_open_ended; /* … and it has no length: trailers may end it anywhere */
    bool is_told;       /* `status` was */
    unsigned status;
};

/** An answer's final head came: is it one of gRPC, and does it tell its status already? outcome:
 * overwritten. Any thread. Pure. */
void grpc_outcome_begin(struct grpc_outcome *outcome, const struct http_answer *head);

/** Its trailers came. Where it is no answer of gRPC they say nothing. Any thread. Pure. */
void grpc_outcome_read(struct grpc_outcome *outcome, const struct http_field *fields,
                       unsigned count);

/** lb itself tells this status. */
void grpc_outcome_tell(struct grpc_outcome *outcome, unsigned status);

#endif
