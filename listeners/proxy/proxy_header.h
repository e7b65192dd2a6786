/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The PROXY protocol, versions 1 and 2 (proxy-protocol.txt of HAProxy): what a proxy in front sends
 * before all else, to tell who the client is. Pure: bytes in, meaning out.
 */
#ifndef LB_LISTENERS_PROXY_PROXY_HEADER_H
#define LB_LISTENERS_PROXY_PROXY_HEADER_H

#include <stdbool.h>
#include <stddef.h>

#include "lb/base/limits.h"
#include "lb/base/socket.h"

/** The choices of proxy_protocol, in its order. */
enum proxy_protocol { PROXY_PROTOCOL_OFF, PROXY_PROTOCOL_V1, PROXY_PROTOCOL_V2 };

enum proxy_outcome {
    PROXY_PARTIAL, /* so far it is one; all of these bytes belong to it, and more must come */
    PROXY_WHOLE,
    PROXY_MISSING, /* these bytes begin no PROXY header at all */
    PROXY_BAD,     /* a header of the other version, or one that breaks the rules */
};

struct proxy_header {
    size_t
        length; /* WHOLE: so many bytes belong to the header; what stands behind is the client's */
    /* WHOLE; false: the proxy speaks for itself (a health check) or knows no address; the socket's
     * stands. */
    bool has_client;
    struct address client; /* where it has_client */
    unsigned local_port;   /* where it has_client: the port it asked for at the proxy */
    const char *fault;     /* MISSING, BAD: what is wrong; static */
};

/**
 * Read the header that the bytes begin with. More bytes never change an answer that was not
 * PARTIAL, and with PROXY_HEADER_BYTES of them it never is.
 *
 * version     V1 or V2: the other one is BAD
 * bytes       lent for the call
 * ret_header  overwritten
 */
enum proxy_outcome proxy_header_read(enum proxy_protocol version, const char *bytes, size_t length,
                                     struct proxy_header *ret_header);

#endif
