/* SPDX-License-Identifier: Apache-2.0 */
/* The server_name extension (SNI, RFC 6066 section 3) of a ClientHello, read before OpenSSL has
 * looked at it. */
#ifndef LB_LISTENERS_SERVER_NAME_H
#define LB_LISTENERS_SERVER_NAME_H

#include <stddef.h>

#include "lb/base/slice.h"

enum server_name {
    SERVER_NAME_FOUND,
    SERVER_NAME_MALFORMED, /* lengths do not fit, no host name, an empty or overlong one, a NUL
                              inside */
};

/**
 * Read the extension's body: exactly one entry, a host name of 1 to 255 bytes, nothing behind it.
 *
 * ret_name  points into `extension`; not checked for being a good host name
 * Thread:   any. Pure.
 */
enum server_name server_name_parse(const unsigned char *extension, size_t length,
                                   struct slice *ret_name);

#endif
