/* SPDX-License-Identifier: Apache-2.0 */
/* How an exchange ends: the link given back or closed, the log line written, the stream let go. */
#ifndef LB_EXCHANGE_EXCHANGE_END_H
#define LB_EXCHANGE_EXCHANGE_END_H

#include <stdbool.h>

struct exchange;

/** Free everything; the stream is no longer the exchange's when this returns, and is not told. For
 * a stream that is gone. */
void exchange_over(struct exchange *exchange);

/** exchange_over, and tell the stream. clean: the answer was complete. */
void exchange_end(struct exchange *exchange, bool clean);

/** Why an answer that has begun will never be whole. */
enum exchange_cut {
    EXCHANGE_BROKEN, /* its backend failed */
    EXCHANGE_LATE,   /* … or sent nothing of it for answer_timeout */
    EXCHANGE_SILENT, /* neither side said anything for tunnel_timeout */
};

/** The end of an exchange whose answer has begun and will never be whole: the client sees that it
 * was cut, and where it speaks gRPC, reads why. */
void exchange_cut(struct exchange *exchange, enum exchange_cut cut);

/** An answer of lb's own in place of the backend's, then the end. reason: a short word; sentence:
 * for people, or NULL. */
void exchange_end_with(struct exchange *exchange, unsigned status, const char *reason,
                       const char *sentence);

#endif
