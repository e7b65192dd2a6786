/* SPDX-License-Identifier: Apache-2.0 */
/* The answer of a backend that speaks HTTP/1: its heads, where its body ends (RFC 9112 6.3), and
 * the bytes of a tunnel. */
#include <string.h>

#include "backends/http1/http1_errand_parts.h"
#include "backends/links/link_parts.h"

/* Reads of one wake-up: a backend that sends without end must let the worker's others have a turn.
 */
enum { READS_MOST = 4 };

static enum errand_read failed(struct errand *errand, const char *trouble)
{
    errand->trouble = trouble;
    return ERRAND_FAILED;
}

/* Nothing against the backend. */
static enum errand_read without_memory(struct errand *errand)
{
    errand->is_blameless = true;
    return failed(errand, "out of memory for the backend's head");
}

/* ---- filling ---- */

/* The room of a read. A head is looked for in READ_BYTES; of a body a record of TLS that was begun
 * by the last read comes on top. */
static size_t fill_room(const struct errand *errand)
{
    if (errand->http1.answer == HTTP1_ERRAND_AWAITED)
        return READ_BYTES;
    size_t most = errand->read_most > 0 ? errand->read_most : READ_BYTES;
    return errand->link->tls ? most + RECORD_BYTES : most;
}

/* Bytes come behind an unfinished head, if there is one. false: no memory. */
static bool join(struct errand *errand)
{
    struct http1_errand *http1 = &errand->http1;
    struct links *links = errand->link->links;
    http1->input = (struct slice){links->bytes, errand->got};
    if (!http1->kept)
        return true;
    if (http1->answer != HTTP1_ERRAND_AWAITED) {
        buffer_give(&links->context->buffers, &http1->kept);
        return true;
    }
    if (!buffer_append(&links->context->buffers, &http1->kept, links->bytes, errand->got,
                       ANSWER_HEAD_BYTES + READ_BYTES))
        return false;
    http1->input =
        (struct slice){http1->kept->data + http1->kept->start, buffer_length(http1->kept)};
    return true;
}

/* One read from the link into http1.input. */
static enum io fill(struct errand *errand)
{
    struct connection *connection = &errand->link->connection;
    connection_want_read(connection, true);
    if (errand->reads >= READS_MOST && !connection_has_unread(connection))
        return IO_AGAIN; /* what is still in the socket wakes us again */
    errand->reads++;
    enum io io =
        connection_read(connection, errand->link->links->bytes, fill_room(errand), &errand->got);
    if (io != IO_DONE)
        return io;
    errand->reads += (unsigned)((errand->got - 1) / (READ_BYTES + RECORD_BYTES));
    errand->moved = true;
    errand->heard = true;
    return IO_DONE;
}

/* ---- the body ---- */

static void take_length(struct http1_errand *http1, struct errand_news *news)
{
    size_t most = http1->input.length;
    if (http1->answer_left < most)
        most = (size_t)http1->answer_left;
    news->data = (struct slice){http1->input.at, most};
    http1->answer_left -= most;
    http1->input.at += most;
    http1->input.length -= most;
    news->last = http1->answer_left == 0;
}

/* Chunks are decoded in place and closed up, so that one read gives one piece however many chunks
 * it held: input lies in the worker's array or in `kept`, ours to write. */
static bool take_chunks(struct http1_errand *http1, struct errand_news *news)
{
    char *to = (char *)(uintptr_t)http1->input.at;
    news->data = (struct slice){to, 0};
    while (http1->input.length > 0) {
        struct slice chunk = {NULL, 0};
        size_t used = 0;
        enum http_chunk result =
            http_chunks_decode(&http1->chunks, http1->input.at, http1->input.length, &used, &chunk);
        http1->input.at += used;
        http1->input.length -= used;
        switch (result) {
        case HTTP_CHUNK_DATA:
            memmove(to + news->data.length, chunk.at, chunk.length);
            news->data.length += chunk.length;
            break;
        case HTTP_CHUNK_MORE:
            return true;
        case HTTP_CHUNK_END:
            news->last = true;
            news->trailed = http1->chunks.trailer_length > 0;
            return true;
        case HTTP_CHUNK_BAD:
            return false;
        }
    }
    return true;
}

static bool take_framed(struct http1_errand *http1, struct errand_news *news)
{
    switch (http1->answer_framing) {
    case HTTP_NO_BODY:
        news->last = true;
        return true;
    case HTTP_LENGTH:
        take_length(http1, news);
        return true;
    case HTTP_CHUNKED:
        return take_chunks(http1, news);
    case HTTP_UNTIL_CLOSE:
        news->data = http1->input;
        http1->input.length = 0;
        return true;
    }
    return false;
}

static enum errand_read take_body(struct errand *errand, struct errand_news *news)
{
    struct http1_errand *http1 = &errand->http1;
    if (!take_framed(http1, news))
        return failed(errand, "the backend's body is not chunked as it says");
    if (news->last && http1->input.length > 0)
        http1->has_surplus = true;
    return ERRAND_NEWS;
}

unsigned http1_errand_trailers(struct errand *errand, struct http_field *fields, unsigned room)
{
    return http_chunks_trailers(&errand->http1.chunks, fields, room);
}

/* ---- heads ---- */

/* The final head, with what is there of the body: a body that is wrong from its start is a 502 yet.
 */
static enum errand_read take_final(struct errand *errand, struct errand_news *news)
{
    struct http1_errand *http1 = &errand->http1;
    const struct http_answer *head = news->head;
    http1->answer_framing = head->is_upgrade ? HTTP_UNTIL_CLOSE : head->framing;
    http1->answer_left = head->length;
    http1->answer = head->is_upgrade ? HTTP1_ERRAND_TUNNEL : HTTP1_ERRAND_BODY;
    http1->is_reusable = head->keep_alive && http1->answer_framing != HTTP_UNTIL_CLOSE;
    return take_body(errand, news);
}

static enum errand_read take_head(struct errand *errand, struct errand_news *news)
{
    struct http1_errand *http1 = &errand->http1;
    struct http_answer *head = &errand->link->links->head;
    http1->input.at += head->bytes;
    http1->input.length -= head->bytes;
    news->head = head;
    if (http1->kept)
        http1->kept->start = http1->kept->end - http1->input.length;
    if (head->status >= 200 || head->is_upgrade)
        return take_final(errand, news);
    news->more = http1->input.length > 0;
    return ERRAND_NEWS;
}

/* An unfinished head moves from the worker's array into a buffer of the errand's own. */
static bool keep_head(struct errand *errand)
{
    struct http1_errand *http1 = &errand->http1;
    struct slice input = http1->input;
    http1->input.length = 0; /* what is kept is input again with the next bytes */
    return http1->kept || buffer_append(&errand->link->links->context->buffers, &http1->kept,
                                        input.at, input.length, ANSWER_HEAD_BYTES + READ_BYTES);
}

/* ERRAND_AGAIN: the head goes on in bytes that are still to be read. */
static enum errand_read look_for_head(struct errand *errand, struct errand_news *news)
{
    struct http_answer *head = &errand->link->links->head;
    enum http_fault fault = HTTP_FINE;
    switch (http_parse_answer(head, errand->http1.input.at, errand->http1.input.length,
                              ANSWER_HEAD_BYTES, errand->method, &fault)) {
    case HTTP_PARTIAL:
        return keep_head(errand) ? ERRAND_AGAIN : without_memory(errand);
    case HTTP_INVALID:
        return failed(errand, fault == HTTP_HEAD_TOO_LARGE ? "the backend's head is too large"
                                                           : http_fault_text(fault));
    case HTTP_COMPLETE:
        break;
    }
    return take_head(errand, news);
}

/* ---- reading ---- */

/* With TLS an end that nobody vouched for must not look like one; in a tunnel, whoever was told
 * goodbye before may leave without a word. */
static enum errand_read ended(struct errand *errand, struct errand_news *news)
{
    const struct http1_errand *http1 = &errand->http1;
    bool truncated = errand->link->connection.truncated;
    switch (http1->answer) {
    case HTTP1_ERRAND_AWAITED:
        return failed(errand, errand->heard ? "the backend closed within its head"
                                            : link_silence(errand->link));
    case HTTP1_ERRAND_BODY:
        if (http1->answer_framing != HTTP_UNTIL_CLOSE || truncated)
            return failed(errand, "the backend closed within its body");
        break;
    case HTTP1_ERRAND_TUNNEL:
        if (truncated && !http1->is_finished)
            return failed(errand, "the backend left the tunnel without close_notify");
        break;
    }
    news->last = true;
    return ERRAND_NEWS;
}

enum errand_read http1_errand_read(struct errand *errand, struct errand_news *news)
{
    struct http1_errand *http1 = &errand->http1;
    enum errand_read found = ERRAND_AGAIN;
    *news = (struct errand_news){0};
    while (found == ERRAND_AGAIN) {
        switch (http1->input.length > 0 ? IO_DONE : fill(errand)) {
        case IO_DONE:
            break;
        case IO_AGAIN:
            return ERRAND_AGAIN;
        case IO_END:
            return ended(errand, news);
        case IO_FAILED:
            return failed(errand, link_failure(errand->link));
        }
        if (http1->input.length == 0 && !join(errand))
            return without_memory(errand);
        found = http1->answer == HTTP1_ERRAND_AWAITED ? look_for_head(errand, news)
                                                      : take_body(errand, news);
    }
    return found;
}
