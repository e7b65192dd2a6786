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
    enum io io = connection_read(&x->link->connection, all->answer, sizeof all->answer, &got);
    if (io != IO_DONE) {
        return io;
    }
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
