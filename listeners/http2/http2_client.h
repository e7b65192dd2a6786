/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP/2 towards a client (RFC 9113): one session for its connection, one stream for each request,
 * each lent to an exchange of its own. nghttp2 knows frames, HPACK and windows.
 *
 *   connection ── bytes ─> http2_protocol.c ─> nghttp2 ── callbacks ─> http2_session.c: notes only
 *                                                                            │ news
 *   exchanges <── begin, advance, abandon ── http2_news.c <──────────────────┘
 *       └──> stream operations: http2_body.c (reads), http2_answer.c (writes)
 *                                                    │ dirty
 *   connection <── one write a turn of the loop ── http2_output.c <── http2_desk.c
 *
 * nghttp2's callbacks only note what happened; whatever may call an exchange, end a stream or close
 * the client is done when nghttp2 has returned. A stream's memory ends when neither nghttp2 nor an
 * exchange knows it any more, and then at the end of the turn.
 *
 * Names that begin with http2_ are of this side; those of the side towards backends begin with h2_
 * (backends/http2). What both share is in lb/base/http2_*.
 *
 * Thread: the client's worker, for all of it.
 */
#ifndef LB_LISTENERS_HTTP2_CLIENT_H
#define LB_LISTENERS_HTTP2_CLIENT_H

#include <nghttp2/nghttp2.h>
#include <stdbool.h>
#include <stdint.h>

#include "lb/base/buffer.h"
#include "lb/base/connection.h"
#include "lb/base/deadline.h"
#include "lb/base/http1.h"
#include "lb/base/list.h"
#include "listeners/http2/head.h"
#include "listeners/http2/http2_memory.h"
#include "listeners/http2/meter.h"
#include "listeners/http2/priority_shelf.h"
#include "listeners/http2/priority_update.h"
#include "listeners/stream.h"

struct client;
struct http2_stream;
struct traffic;

enum http2_state {
    HTTP2_SERVING, /* waits for requests (keepalive_timeout while there are none) */
    HTTP2_LEAVING, /* it was told to send no more; waits a second for what is on its way */
    HTTP2_LAST,    /* it was told which request was the last; waits until none is open */
    HTTP2_ENDING,  /* waits until the last frames are taken */
};

/** What the client's own deadline is about. */
enum http2_clock {
    HTTP2_CLOCK_NONE,
    HTTP2_CLOCK_FIRST,   /* its first request */
    HTTP2_CLOCK_HEAD,    /* the rest of a head */
    HTTP2_CLOCK_REST,    /* its next request, or that it rests */
    HTTP2_CLOCK_IDLE,    /* its next request */
    HTTP2_CLOCK_LEAVING, /* what is on its way */
    HTTP2_CLOCK_TAKING,  /* its reading what it was sent */
};

struct http2_client {
    struct client *client;
    nghttp2_session *session;
    struct http2_memory memory; /* of the session */
    enum http2_state state;
    enum http2_clock clock;
    int32_t clock_stream;     /* HTTP2_CLOCK_HEAD: whose */
    uint32_t idle_requests;   /* HTTP2_CLOCK_REST, _IDLE: how many there had been … */
    bool has_rested;          /* … and it has given memory back since */
    struct list_node streams; /* all but those … */
    struct list_node over;    /* … whose memory ends with the turn */
    struct list_node news;    /* those to be looked at */
    struct list_node dirty;   /* among the desk's, when is_dirty */
    unsigned stream_count;
    unsigned told_streams;   /* … that `traffic` has been told of */
    struct traffic *traffic; /* its door's, when it came: what is added there is taken away there */
    bool is_dirty;           /* something is to be sent, or freed, at the end of this turn */
    bool is_lost;       /* nothing can be sent any more: to be closed at the end of this turn */
    bool is_blocked;    /* the connection's window was used up when something was to be sent */
    bool peer_finished; /* it sends no more; what it asked for is still answered */
    bool is_flowing;    /* the last read was a large one */
    bool owes_goaway;   /* it names the last request; once that is known it goes out at once */
    uint64_t seen_sent_bytes; /* of the connection's, when HTTP2_CLOCK_TAKING was set */
    struct http2_meter meter;
    struct priority_update update; /* that is arriving */
    struct priority_shelf shelf;   /* of streams that are not open yet */
    struct http2_head head;        /* of the block that is arriving */
    struct http2_stream *heading;  /* whose; NULL: none is */
    struct http2_stream *chunked;  /* whose body the last bytes of this read were; NULL: nobody's */
    size_t enlarged_bytes;         /* that windows of its streams have beyond the first */
    unsigned fault_count;          /* of the client's, that the meter has not been told yet */
    const char *said; /* by nghttp2 of the last frame that was wrong; static, or NULL */
};

/** How the request's body comes. */
enum http2_body {
    HTTP2_BODY_OPEN,     /* more is to come */
    HTTP2_BODY_ARRIVED,  /* all of it is here */
    HTTP2_BODY_COMPLETE, /* and was taken */
    HTTP2_BODY_BAD,
};

/** What was said of the answer. */
enum http2_answer {
    HTTP2_ANSWER_AWAITED, /* no final head */
    HTTP2_ANSWER_BODY,
    HTTP2_ANSWER_WHOLE, /* its end was given, if not sent */
};

/** Trailers of an answer, until the body before them is sent. */
struct http2_end {
    size_t count;
    nghttp2_nv rows[]; /* their bytes lie behind them */
};

struct http2_stream {
    struct stream stream; /* first: operations get it and mean this */
    struct http2_client *http2;
    struct list_node node;
    struct list_node news; /* among the client's, when has_news */
    struct deadline deadline;
    int32_t id;
    unsigned urgency; /* RFC 9218; 0 comes first */
    enum http2_body body;
    enum http2_answer answer;
    bool has_news;
    bool has_head;      /* its request is complete enough to begin */
    bool has_begun;     /* … and has */
    bool is_over;       /* no exchange will touch it any more */
    bool is_stopped;    /* its exchange was told to write no more; it goes on when `out` is sent */
    bool is_closed;     /* nghttp2 knows it no more */
    bool asked_head;    /* HEAD */
    bool is_websocket;  /* extended CONNECT (RFC 8441) */
    bool is_tunnel;     /* … and the backend agreed */
    bool has_length;    /* a content-length was given */
    bool is_trailing;   /* its trailers are arriving */
    bool is_dropped;    /* the client has closed its side and cannot move it on */
    bool resets_behind; /* when the answer is sent, with reset_code */
    uint32_t reset_code;
    uint32_t close_code; /* is_closed: NO_ERROR where neither side reset it */
    enum http2_head_outcome head_outcome;
    const char *head_fault; /* static */
    struct buffer *head;    /* the request's, as HTTP/1.1 text, until it has begun */
    char websocket_key[WEBSOCKET_KEY_BYTES];
    uint64_t length;     /* has_length */
    uint64_t body_bytes; /* that arrived */
    uint32_t window;     /* its receive window now */
    uint32_t taken;      /* since it was last enlarged */
    struct slice input;  /* of the body; in the loop's bytes, or in `kept` between wake-ups */
    struct buffer *kept;
    struct http_chunks trailers; /* … and nothing else of it */
    struct slice lent;  /* of the answer's body, during the call that gives it; goes behind `out` */
    struct buffer *out; /* … taken, not sent */
    struct http2_end *end; /* the trailers behind it */
    size_t piece_most;     /* that the DATA frame being made could have had */
};

/* http2_session.c */
/** What nghttp2 calls when something arrives; the rest is set by http2_desk.c. */
void http2_session_set_callbacks(nghttp2_session_callbacks *callbacks);
/** A session with lb's settings on their way. false: out of memory. */
bool http2_session_open(struct http2_client *http2);
/** Is there a stream with news? It has none then. NULL: no. */
struct http2_stream *http2_next_news(struct http2_client *http2);
/** It has news. The more urgent is looked at first, and may take what room the connection has. */
void http2_note(struct http2_stream *stream);

/* http2_streams.c */
/** NULL: out of memory. */
struct http2_stream *http2_stream_open(struct http2_client *http2, int32_t id);
/** A tunnel whose backend finished first and whose client did so now, both in order: the exchange
 * still takes the client's last words, though nghttp2 knows the stream no more. */
bool http2_has_last_words(const struct http2_stream *stream);
/** Is there room for a stream beside those that are open and those that have last words? nghttp2
 * counts the open ones alone. */
bool http2_has_room(const struct http2_client *http2);
/** Neither nghttp2 nor an exchange may know it. */
void http2_stream_free(struct http2_stream *stream);
/** Give the client body_timeout from now on. */
void http2_expect_client(struct http2_stream *stream);
/** The client has closed its side, and what could be sent was: let go of the streams that only it
 * could move on, by the rest of a body or by room in a window. */
void http2_drop_hopeless(struct http2_client *http2);
/** lb's own answer to a request that never became an exchange, or could not. */
void http2_refuse(struct http2_stream *stream, unsigned status, const char *why, uint32_t code);

/* http2_news.c */
/** Look at all streams with news. The client may be closed afterwards (is_lost: at the end of the
 * turn). */
void http2_work(struct http2_client *http2);
/** Every stream with an exchange may be able to go on. */
void http2_note_all(struct http2_client *http2);

/* http2_body.c */
/** Bytes of the body arrived in the loop's array. false: more than was allowed, or out of memory.
 */
bool http2_body_arrived(struct http2_stream *stream, const char *bytes, size_t length);
/** The body will never be whole: the next read says so, with this status. why: static, for the log.
 * 400 is the client's fault, for the meter and for the reset behind the answer. */
void http2_body_spoil(struct http2_stream *stream, unsigned status, const char *why);
/** The wake-up ends: what the loop's array holds must survive in a buffer. false: out of memory. */
bool http2_body_keep(struct http2_stream *stream);
/** Nobody will take any more of it. */
void http2_body_drop(struct http2_stream *stream);
/** stream_ops.read and stream_ops.trailers. */
enum stream_read http2_read(struct stream *stream, struct slice *data);
unsigned http2_trailers(struct stream *stream, const struct http_field **fields);

/* http2_answer.c */
extern const struct stream_ops http2_stream_ops;
/** nghttp2 sent the end of the answer. */
void http2_answer_sent(struct http2_stream *stream);
/** Once its head is answered: while the client has something to take, or has to open a window, it
 * has body_timeout, anew with each frame; otherwise its time does not run. */
void http2_watch_taking(struct http2_stream *stream);
/** nghttp2's data source and what copies from it. */
ssize_t http2_on_data_wanted(nghttp2_session *session, int32_t id, uint8_t *into, size_t length,
                             uint32_t *flags, nghttp2_data_source *source, void *argument);
int http2_on_data_sent(nghttp2_session *session, nghttp2_frame *frame, const uint8_t *head,
                       size_t length, nghttp2_data_source *source, void *argument);

/* http2_output.c */
/** Send what can be sent. Nothing is freed, no exchange called. */
void http2_send(struct http2_client *http2);
/** At the end of this turn: send, free, close. */
void http2_mark(struct http2_client *http2);
ssize_t http2_on_frame(nghttp2_session *session, const uint8_t *bytes, size_t length, int flags,
                       void *argument);

/* http2_protocol.c */
/** The end of a turn: send, free what is over, go on to end or close. The client may be gone. */
void http2_finish_turn(struct http2_client *http2);
/** End the connection with GOAWAY; open streams are abandoned. reason: a word, why: a sentence, for
 * the log. */
void http2_terminate(struct http2_client *http2, uint32_t code, const char *reason,
                     const char *why);
/** No more requests than those that came (RFC 9113 6.8). */
void http2_leave(struct http2_client *http2);

#endif
