/* SPDX-License-Identifier: Apache-2.0 */
/* ServerNameList: length (2), then entries of type (1), length (2), name. Clients send exactly one.
 */
#include "listeners/tls/server_name.h"

#include <string.h>

enum { LIST_HEAD_BYTES = 2, ENTRY_HEAD_BYTES = 3, TYPE_HOST_NAME = 0, NAME_MOST_BYTES = 255 };

static size_t read_16(const unsigned char *at)
{
    return (size_t)at[0] << 8 | at[1];
}

enum server_name server_name_parse(const unsigned char *extension, size_t length,
                                   struct slice *ret_name)
{
    if (length < LIST_HEAD_BYTES + ENTRY_HEAD_BYTES ||
        read_16(extension) != length - LIST_HEAD_BYTES)
        return SERVER_NAME_MALFORMED;
    const unsigned char *entry = extension + LIST_HEAD_BYTES;
    const char *name = (const char *)entry + ENTRY_HEAD_BYTES;
    size_t name_length = read_16(entry + 1);
    /* A second entry could name another host to another reader; RFC 6066 allows only one of each
     * type. */
    if (entry[0] != TYPE_HOST_NAME || name_length != length - LIST_HEAD_BYTES - ENTRY_HEAD_BYTES)
        return SERVER_NAME_MALFORMED;
    if (name_length == 0 || name_length > NAME_MOST_BYTES || memchr(name, '\0', name_length))
        return SERVER_NAME_MALFORMED;
    *ret_name = (struct slice){name, name_length};
    return SERVER_NAME_FOUND;
}
