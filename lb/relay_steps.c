/* SPDX-License-Identifier: Apache-2.0 */
/* Reading from and writing to the link of an exchange. */
#include "lb/relay_steps.h"

#include "backends/link.h"
#include "lb/exchange.h"

enum relay relay_link_lost(struct exchange *x, const char *trouble)
{
    x->trouble = trouble;
    return RELAY_LINK_LOST;
}

enum relay relay_send(struct exchange *x, const struct iovec *pieces, int count)
{
    enum io io = connection_write(&x->link->connection, pieces, count);
    x->moved = true;
    if (io == IO_FAILED || io == IO_END) {
        x->request_side = REQUEST_STUCK;
    }
    return RELAY_WAITING;
}

/* Does a body flow? Half: what came with TLS is less than what was received. */
static bool is_flowing(size_t got)
{
    return got >= READ_BYTES / 2;
}

static size_t read_most(size_t room)
{
    if (room < READ_BYTES) {
        return READ_BYTES;
    }
    return room < FLOW_BYTES ? room : FLOW_BYTES;
}

enum stream_read relay_read(struct exchange *x, struct slice *data)
{
    struct stream *stream = x->stream;
    if (!is_flowing(x->request_got)) {
        stream->read_most = READ_BYTES;
    } else if (stream->read_most == 0) { /* until something is sent there is no less room */
        stream->read_most = read_most(connection_room(&x->link->connection));
    }
    enum stream_read read = stream->ops->read(stream, data);
    if (read == STREAM_DATA) {
        x->request_got = data->length;
        stream->read_most = 0;
    }
    return read;
}

/* The room of a read from the link. A head is looked for in READ_BYTES; of a body a record of TLS
 * that was begun by the last read comes on top. */
static size_t fill_room(const struct exchange *x)
{
    const struct stream *stream = x->stream;
    if (x->answer_side != ANSWER_BODY) {
        return READ_BYTES;
    }
    size_t most = READ_BYTES;
    if (is_flowing(x->answer_got) && stream->ops->room) {
        most = read_most(stream->ops->room(stream));
    }
    return x->link->tls ? most + RECORD_BYTES : most;
}

/* Reads of one wake-up: a backend that sends without end must let the worker's others have a turn.
 */
enum { FILLS_MOST = 4 };

enum io relay_fill(struct exchange *x)
{
    struct exchanges *all = x->all;
    size_t got = 0;
    connection_want_read(&x->link->connection, true);
    if (x->fills >= FILLS_MOST && !connection_has_unread(&x->link->connection)) {
        return IO_AGAIN; /* what is still in the socket wakes us again */
    }
    x->fills++;
    enum io io = connection_read(&x->link->connection, all->answer, fill_room(x), &got);
    if (io != IO_DONE) {
        return io;
    }
    x->answer_got = got;
    x->fills += (unsigned)((got - 1) / (READ_BYTES + RECORD_BYTES));
    x->moved = true;
    x->heard = true;
    if (!x->kept) {
        x->input = (struct slice){all->answer, got};
        return IO_DONE;
    }
    if (x->answer_side != ANSWER_AWAITED) {
        buffer_give(&all->context->buffers, &x->kept);
        x->input = (struct slice){all->answer, got};
        return IO_DONE;
    }
    if (!buffer_append(&all->context->buffers, &x->kept, all->answer, got,
                       ANSWER_HEAD_BYTES + READ_BYTES)) {
        return IO_FAILED;
    }
    x->input = (struct slice){x->kept->data + x->kept->start, buffer_length(x->kept)};
    return IO_DONE;
}
