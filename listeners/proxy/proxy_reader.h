/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Takes a PROXY header off a socket, and not one byte more: what stands behind it is TLS or HTTP
 * and stays for the connection. A header that comes at once needs no memory; of one that comes in
 * pieces the pieces are kept until it is whole.
 */
#ifndef LB_LISTENERS_PROXY_PROXY_READER_H
#define LB_LISTENERS_PROXY_PROXY_READER_H

#include "lb/base/connection.h"
#include "listeners/proxy/proxy_header.h"

/** Embedded in the client; zero-initialised is done. */
struct proxy_reader {
    enum proxy_protocol version; /* that is waited for */
    bool is_followed;            /* WHOLE: more bytes came with the header */
    bool has_ended;              /* MISSING, BAD: because the peer ended the connection */
    struct buffer *kept;         /* the beginning of a header; NULL: nothing of it was taken yet */
};

/**
 * To be called when the socket is readable. PARTIAL: everything that came was taken, so that only
 * more bytes make it readable again. After any other outcome: proxy_reader_done.
 *
 * fd          what is not of the header is left in it
 * context     lends its `plain` for the call, and its buffers
 * ret_header  overwritten; its fault also says what happened to the connection
 * Thread:     the loop's. Does not block.
 */
enum proxy_outcome proxy_reader_advance(struct proxy_reader *reader, int fd,
                                        struct loop_context *context,
                                        struct proxy_header *ret_header);

/** Give back what is kept. Harmless when there is nothing. */
void proxy_reader_done(struct proxy_reader *reader, struct loop_context *context);

#endif
