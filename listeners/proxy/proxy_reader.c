/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See proxy_reader.h. The socket is peeked at behind what is kept; once the parser knows how much
 * of it is header, exactly that is taken.
 */
#include "listeners/proxy/proxy_reader.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

static enum proxy_outcome fail(struct proxy_reader *reader, struct proxy_header *header,
                               const char *fault)
{
    header->fault = fault;
    return buffer_length(reader->kept) > 0 ? PROXY_BAD : PROXY_MISSING;
}

static ssize_t receive(int fd, char *into, size_t room, int flags)
{
    ssize_t got;
    do {
        got = recv(fd, into, room, flags);
    } while (got < 0 && errno == EINTR);
    return got;
}

static bool keep(struct proxy_reader *reader, struct loop_context *context, const char *bytes,
                 size_t length)
{
    return buffer_append(&context->buffers, &reader->kept, bytes, length, PROXY_HEADER_BYTES);
}

static enum proxy_outcome no_bytes(struct proxy_reader *reader, struct proxy_header *header,
                                   ssize_t got)
{
    if (got < 0 && errno == EAGAIN)
        return PROXY_PARTIAL;
    reader->has_ended = true;
    return fail(reader, header,
                got < 0 ? "the connection broke before the header was there"
                        : "the connection ended before the header was there");
}

enum proxy_outcome proxy_reader_advance(struct proxy_reader *reader, int fd,
                                        struct loop_context *context,
                                        struct proxy_header *ret_header)
{
    char *bytes = context->plain;
    size_t kept = buffer_length(reader->kept);
    if (kept > 0)
        memcpy(bytes, reader->kept->data + reader->kept->start, kept);
    ssize_t got = receive(fd, bytes + kept, PROXY_HEADER_BYTES - kept, MSG_PEEK);
    if (got <= 0)
        return no_bytes(reader, ret_header, got);
    size_t length = kept + (size_t)got;
    enum proxy_outcome outcome = proxy_header_read(reader->version, bytes, length, ret_header);
    if (outcome == PROXY_MISSING || outcome == PROXY_BAD)
        return outcome;
    size_t taken = (outcome == PROXY_WHOLE ? ret_header->length : length) - kept;
    if (receive(fd, bytes + kept, taken, 0) != (ssize_t)taken)
        return fail(reader, ret_header, "the connection broke before the header was there");
    if (outcome == PROXY_PARTIAL && !keep(reader, context, bytes + kept, taken))
        return fail(reader, ret_header, "no memory is left to wait for the rest of the header");
    reader->is_followed = kept + taken < length;
    return outcome;
}

void proxy_reader_done(struct proxy_reader *reader, struct loop_context *context)
{
    buffer_give(&context->buffers, &reader->kept);
}
