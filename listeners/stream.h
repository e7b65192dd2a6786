/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The protocol-neutral face of one request and its answer, as an exchange sees its client. HTTP/1
 * (http1_client.h) and HTTP/2 (http2/http2_client.h) implement it, tests drive an exchange with a
 * fake third.
 *
 * It is pulled, never pushed: when the client's connection becomes readable or writable, the client
 * calls `advance` of the roof, and the exchange then reads and writes through these operations
 * until they say AGAIN, and returns. No operation ever calls back into the exchange.
 */
#ifndef LB_LISTENERS_STREAM_H
#define LB_LISTENERS_STREAM_H

#include <stdbool.h>
#include <stddef.h>

#include "lb/base/http1.h"
#include "lb/base/slice.h"

struct client;
struct stream;

enum stream_read {
    STREAM_DATA,  /* *data: lent until the next operation on any stream or connection of this worker
                   */
    STREAM_AGAIN, /* nothing now; advance() comes */
    STREAM_END,   /* the body is over; trailers may be asked for */
    STREAM_BAD,   /* the body's framing is wrong (400), or too large (413): stream->fault_status */
    STREAM_GONE,  /* the client went away in the middle */
};

enum stream_write {
    STREAM_TAKEN, /* taken, and on its way */
    STREAM_FULL,  /* taken, but the client is slow: feed no more until advance() comes and is_full
                     says no */
    STREAM_LOST,  /* the client went away */
};

/** The head of an answer as it goes to the client; hop-by-hop fields of the backend are already
 * gone. */
struct stream_head {
    unsigned status;
    struct slice reason;
    const struct http_field
        *fields; /* hop_by_hop ones and framing fields are skipped by the stream */
    unsigned field_count;
    struct slice extra;        /* whole lines "Name: value\r\n…" that lb adds; may be empty */
    enum http_framing framing; /* HTTP_LENGTH: `length`; HTTP_CHUNKED or HTTP_UNTIL_CLOSE: unknown,
                                  the stream frames */
    uint64_t length;
    bool has_length; /* a Content-Length is told (HEAD and 304 too, where no body follows) */
    bool has_body;
    bool is_tunnel; /* 101: raw bytes follow both ways */
    bool interim;   /* 1xx but 101: another head follows */
    bool is_final;  /* the client's connection serves no request after this one */
};

/** Is a field of a head or of trailers the stream's own affair, so that it does not pass as it is?
 */
static inline bool stream_omits(const struct http_field *field)
{
    return field->hop_by_hop || field->known == HTTP_CONTENT_LENGTH ||
           field->known == HTTP_TRANSFER_ENCODING;
}

struct stream_ops {
    /** The next piece of the request's body (tunnel: of the client's bytes). */
    enum stream_read (*read)(struct stream *stream, struct slice *data);
    /** Trailer fields of the request, once read() said STREAM_END; 0: none. Lent until the stream
     * ends. */
    unsigned (*trailers)(struct stream *stream, const struct http_field **fields);
    /**
     * May the final head that a backend sent become this client's answer? NULL: it may; else why
     * not, static, and the backend has failed (502). Asked before write_head. NULL operation: any
     * may.
     */
    const char *(*object)(const struct stream *stream, const struct http_answer *head);
    /** An answer's head with the first bytes of its body (may be empty), in one write. `last`:
     * nothing follows. */
    enum stream_write (*write_head)(struct stream *stream, const struct stream_head *head,
                                    struct slice body, bool last);
    /** More of the body. `last`: the body is complete (data may be empty then). */
    enum stream_write (*write_body)(struct stream *stream, struct slice data, bool last);
    /** The end of a body whose backend sent trailers. */
    enum stream_write (*write_trailers)(struct stream *stream, const struct http_field *fields,
                                        unsigned count);
    /** May such trailers say why an answer has no more, and end it? Streams of their own have an
     * end; a chunked body that ended well would look whole. */
    bool trailers_can_say_why;
    /** Are taken bytes still waiting for the client? */
    bool (*is_full)(const struct stream *stream);
    /** How many bytes the client's socket would take now, about; 0: nobody knows. NULL: as 0. */
    size_t (*room)(const struct stream *stream);
    /** Tunnel: no more bytes come from the backend's side. */
    void (*finish)(struct stream *stream);
    /**
     * The exchange is over and will not touch the stream again. `clean`: the answer was complete;
     * otherwise the client must see that it was cut (close without the last chunk, RST_STREAM).
     */
    void (*end)(struct stream *stream, bool clean);
    /**
     * The last thing in a wake-up that did not come from the client (a link's, a timer's): what was
     * read and not used is kept for later, or, after end(), the next request that already came is
     * begun. Not needed inside begin() and advance().
     */
    void (*settle)(struct stream *stream);
};

/** What came of signing up. */
enum client_signup {
    CLIENT_SIGNUP_NONE, /* it was not asked for */
    CLIENT_SIGNUP_DONE, /* the registry knows the certificate now */
    CLIENT_SIGNUP_LIMITED,
    CLIENT_SIGNUP_REFUSED, /* it will never know it */
    CLIENT_SIGNUP_FAILED,
};

/** What a request is held for before it can be decided (client_wait.c). */
enum stream_wait {
    STREAM_WAITS_NOT,
    STREAM_WAITS_FOR_SIGNUP, /* the client's certificate is being registered */
    STREAM_WAITS_FOR_OCSP,   /* an OCSP responder is being asked about it */
    STREAM_WAITS_FOR_TURN,   /* … for another request of the client, which comes first */
};

/** Embedded as the first member of a protocol's own stream. */
struct stream {
    const struct stream_ops *ops;
    struct client *client; /* whose; address, identity, listener */
    void *exchange;        /* the roof's; NULL before begin and after end */
    bool holds_body;       /* the client waits for 100 (Continue) before it sends its body */
    bool was_ocsp_asked;   /* what it waited for is known; the roof clears both */
    enum client_signup signup_result;
    enum stream_wait wait; /* set within begin(): the protocol calls begin() again later */
    size_t read_most;      /* set by the roof: bytes that the next read() should get from the socket
                              at most, up to FLOW_BYTES; 0: READ_BYTES */
    unsigned fault_status; /* for STREAM_BAD */
    const char *fault_text;
    bool is_given_up;     /* set by the roof before end(): nobody failed, but it took too long */
    const char *protocol; /* "HTTP/1.1" for logs */
    uint64_t request_body_bytes; /* so far */
    uint64_t answer_bytes;       /* of body, so far */
};

/** The roof as a client sees it. Implemented by lb/exchange/exchange.c; `roof` is its context. */
struct stream_events {
    /** A request's head is there. request: lent during the call. Sets stream->exchange, or ends the
     * stream, or lets it wait (stream->wait): begin comes again then. May do all the work. */
    void (*begin)(void *roof, struct stream *stream, const struct http_request *request);
    /** The client's connection became readable or writable. */
    void (*advance)(struct stream *stream, int events);
    /**
     * The client went away, paused too long or the worker is closing it: let go of the stream now,
     * without calling end(). status: what the client's side answers instead (408), or 0.
     */
    void (*abandon)(struct stream *stream, unsigned status, const char *why);
    /** A head was answered by the client's own side (400, 408, 431 …) and never became an exchange:
     * for the access log. */
    void (*answered)(void *roof, struct stream *stream, unsigned status, const char *why);
    /** A client is gone; its memory ends after this call. */
    void (*gone)(void *roof, struct client *client);
};

#endif
