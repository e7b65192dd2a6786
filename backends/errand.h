/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The protocol-neutral face of one request and its answer, as an exchange sees its backend: the
 * counterpart of the client's side, where that is a stream. With HTTP/1 it has a link for itself as
 * long as it lasts (http1_errand.h), with HTTP/2 it is one of many on a link (http2/h2_errand.h).
 *
 *   errand_begin ──> open, at once ────────────────> write, read … ──> errand_end
 *        └─────────> on_connected later ──> open ──────┘
 *
 * It is pulled, never pushed: on_ready says that something can be read or was taken, and the
 * exchange then reads and writes until that says AGAIN, and returns. No operation calls back.
 */
#ifndef LB_BACKENDS_ERRAND_H
#define LB_BACKENDS_ERRAND_H

#include <stdbool.h>
#include <stddef.h>

#include "backends/http1/http1_errand.h"
#include "backends/http2/h2_errand.h"
#include "backends/links/link.h"
#include "lb/base/http1.h"
#include "lb/base/slice.h"

struct errand;

enum errand_read {
    ERRAND_NEWS,   /* something came: *news */
    ERRAND_AGAIN,  /* nothing now; on_ready comes */
    ERRAND_FAILED, /* the backend closed, reset or said no HTTP: errand->trouble */
};

/** What one read brought. Lent until the next operation on any errand of this worker. */
struct errand_news {
    struct http_answer *head; /* interim or final; NULL: none. Its fields may be taken out */
    struct slice data;        /* of the body; in a tunnel, the backend's bytes */
    bool last;                /* the answer (in a tunnel: the backend's direction) is complete */
    bool trailed;             /* … and has trailers: errand_ops.trailers */
    bool more; /* more was read already: read on, however full the client is by now */
};

/* What writes return: false: the backend takes no more. It may still have answered (413, 401 …),
 * which only read() can tell. */
struct errand_ops {
    /**
     * The request's head with the first bytes of its body, in one write.
     *
     * head     HTTP/1.1 text, its empty line included; lent until the errand ends
     * framing  of the body; HTTP_NO_BODY: the request is complete
     */
    bool (*write_head)(struct errand *errand, struct slice head, enum http_framing framing,
                       struct slice body);
    /** More of the body, or of what the client says in a tunnel. */
    bool (*write_body)(struct errand *errand, struct slice data);
    /** The body is complete. fields: its trailers, where framing is HTTP_CHUNKED. */
    bool (*write_end)(struct errand *errand, const struct http_field *fields, unsigned count);
    /** In a tunnel: the client says nothing more. */
    void (*finish)(struct errand *errand);
    /** Bytes taken and not yet on their way: nothing more should be written while there are any. */
    size_t (*pending)(const struct errand *errand);
    /** How many bytes would be on their way at once, about; 0: none, or nobody knows. */
    size_t (*room)(const struct errand *errand);
    /** Did the backend take bytes since this was asked last, or since it began to be slow? */
    bool (*was_taken)(struct errand *errand);
    enum errand_read (*read)(struct errand *errand, struct errand_news *news);
    /** Trailers of an answer that news said had some: returns how many of `room` it filled in, lent
     * as news are. */
    unsigned (*trailers)(struct errand *errand, struct http_field *fields, unsigned room);
    /** The client is full: no on_ready for what can be read until read() is called again. */
    void (*hold)(struct errand *errand);
    /** errand_end() of an open one. */
    void (*end)(struct errand *errand, bool whole);
};

/** Who runs the errand. Called from the loop, never inside an operation. */
struct errand_events {
    /** What errand_begin could not say: LINK_READY: it is open; otherwise it is over, and needs no
     * errand_end. reason: as link_owner.on_connected has it. */
    void (*on_connected)(struct errand *errand, enum link_outcome outcome, const char *reason);
    /** Something can be read, or what was pending was taken. is_readable: it is the first. */
    void (*on_ready)(struct errand *errand, bool is_readable);
};

/** Embedded in the exchange; zeroed, errand_init makes it ready. */
struct errand {
    const struct errand_ops *ops; /* NULL: not open */
    const struct errand_events *events;
    struct link *link; /* it is open on, or that it waits for; NULL: none */
    struct link_owner owner;
    enum http_method method; /* asked for; decides how an answer ends */
    const char *trouble;     /* for ERRAND_FAILED: static, the errand's own, or per-thread text */
    size_t read_most; /* set by the roof: bytes of a body that the next read() should get from
                         the socket at most, up to FLOW_BYTES; 0: READ_BYTES */
    size_t got;       /* by the last read() */
    unsigned reads;   /* since the roof cleared it, in one wake-up; a large one counts as several */
    bool was_reused;  /* its link had served before */
    bool heard;       /* the backend said something to it */
    bool moved;       /* something was read or taken since the roof cleared it */
    bool is_stuck;    /* the backend takes no more of the request */
    bool is_unprocessed; /* it failed, and the backend says, or cannot but have, done nothing of it
                          */
    bool is_link_over;   /* … because of its link: another one to the same backend may do */
    bool is_blameless;   /* it failed for want of something of lb's own: memory, room */
    union {
        struct http1_errand http1;
        struct h2_errand h2;
    };
};

/** errand: zeroed, also one that is over, to run it again. events: borrowed. */
void errand_init(struct errand *errand, const struct errand_events *events,
                 enum http_method method);
/**
 * Open it at a backend.
 *
 * wish     read during the call, its owner is filled in; the rest as link_borrow has it, but that
 *          its host must live until on_connected: links of HTTP/2 are waited for
 * returns  true: it is open. false: on_connected comes
 */
bool errand_begin(struct errand *errand, struct links *links, struct link_wish *wish);
/**
 * Let go of the backend, also where errand_begin has not been answered yet, or was never called.
 * whole: request and answer went over to their ends, so that the link can serve again.
 */
void errand_end(struct errand *errand, bool whole);
/** It failed: is it certain that the backend did nothing of what was asked? It refused lb itself,
 * or this stream, or did so before it was reached. Of one that errand_end was not called for. */
bool errand_was_refused(const struct errand *errand);

#endif
