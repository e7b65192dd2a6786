/* SPDX-License-Identifier: Apache-2.0 */
/* Reading from both sides of an exchange, as much as the other has room for. */
#include "lb/exchange/relay_steps.h"

#include "lb/exchange/exchange.h"

enum relay relay_link_lost(struct exchange *x, const char *trouble)
{
    x->trouble = trouble;
    return RELAY_LINK_LOST;
}

void relay_sent(struct exchange *x, bool is_taken)
{
    if (!is_taken) {
        x->request_side = REQUEST_STUCK;
    }
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
        stream->read_most = read_most(x->errand.ops->room(&x->errand));
    }
    enum stream_read read = stream->ops->read(stream, data);
    if (read == STREAM_DATA) {
        x->request_got = data->length;
        stream->read_most = 0;
    }
    return read;
}

enum errand_read relay_news(struct exchange *x, struct errand_news *news)
{
    struct errand *errand = &x->errand;
    const struct stream *stream = x->stream;
    errand->read_most = READ_BYTES;
    if (x->answer_side == ANSWER_BODY && is_flowing(errand->got) && stream->ops->room) {
        errand->read_most = read_most(stream->ops->room(stream));
    }
    return errand->ops->read(errand, news);
}
