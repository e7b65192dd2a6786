/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One connection to a backend: connecting, shaking hands, lent to an exchange, idle, gone. Each
 * worker keeps its own, most recently used first; a link that the backend closes while idle
 * disappears by itself.
 *
 * While lent, the borrower owns the events: `owner.on_ready` is called on readiness and it reads
 * and writes through link->connection. link_return or link_discard ends the loan.
 *
 *   link_borrow ──> idle one? ── yes ──> lent, at once
 *                        └────── no ───> connecting ──> (TLS handshake) ──> on_connected ──> lent
 *   lent ── link_return ──> idle ──> lent …      or gone, when idle_links are kept already
 */
#ifndef LB_BACKENDS_LINKS_LINK_H
#define LB_BACKENDS_LINKS_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "backends/pool.h"
#include "lb/base/connection.h"
#include "lb/base/list.h"
#include "lb/base/slice.h"

struct backend_tls_context;
struct link_tls;

enum link_state {
    LINK_CONNECTING, /* waits for the socket to become writable, or for the loop to say that it
                        never will */
    LINK_HANDSHAKE,  /* waits for the backend's part of the TLS handshake */
    LINK_LENT,       /* waits for its borrower */
    LINK_IDLE,       /* waits for the next exchange, or for the backend to close it */
    LINK_GONE,       /* waits for libuv to let go */
};

enum link_outcome {
    LINK_READY,      /* connected: write away */
    LINK_REFUSED,    /* connection refused, unreachable, reset */
    LINK_DECLINED,   /* connected, but the TLS handshake failed */
    LINK_UNVERIFIED, /* the backend's certificate is not trusted, or is for somebody else */
    LINK_LATE,       /* connect_timeout passed, which counts the TLS handshake */
    LINK_NO_ROOM,    /* out of descriptors, ports or memory, or the worker is ending */
};
/** "ready", "refused", "declined", "unverified", "late", "no room". Static. */
const char *link_outcome_name(enum link_outcome outcome);
/**
 * Does this outcome speak against the backend? What became of a handshake does only where the pool
 * names its backends: a name that the client chose, by its Host, may be one that the backend
 * rightly knows nothing of.
 */
bool link_outcome_blames(enum link_outcome outcome, const struct pool *pool);

enum { LINK_REASON_BYTES = 400 };

struct links;
struct link;

/** Who borrows. Embedded in the borrower; both are called from the loop, never inside a call into
 * link.c. */
struct link_owner {
    /** The wish is decided; on LINK_READY `link` is lent, otherwise it is NULL and already gone.
     * reason: words for the log, shorter than LINK_REASON_BYTES, valid during the call. */
    void (*on_connected)(struct link_owner *owner, struct link *link, enum link_outcome outcome,
                         const char *reason);
    /** The lent link became readable or writable (enum connection_ready). */
    void (*on_ready)(struct link_owner *owner, int events);
    struct list_node unlucky; /* link.c's: holds a wish for which there was no memory */
};

struct link {
    struct connection connection;
    enum link_state state;
    struct list_node node; /* among the idle ones of its backend, or the others of its worker */
    struct links *links;
    struct standing *standing; /* the backend's: while idle, all that is known of where it leads */
    const struct backend *backend; /* while lent or connecting */
    const struct pool *pool;       /* while lent or connecting */
    struct link_owner *owner;
    struct link_tls *tls;     /* NULL: plain */
    struct deadline deadline; /* of connecting and shaking hands */
    int failure;              /* errno of a connection that could not even be begun */
    uint64_t exchanges;       /* served on this link before the present one; 0: it is fresh */
};

/**
 * All links of one worker.
 *
 * returns  NULL: out of memory
 * Thread:  the loop's, as for all that follows.
 */
struct links *links_new(struct loop_context *context);
/**
 * Keep links to the backends of these pools from now on, and to no others: idle ones of others are
 * closed now, lent ones when they come back. Links to backends that share a standing stay.
 *
 * pools    array borrowed for the call; open (pool_open). What pools and backends link_borrow is
 *          given must live until the loan ends.
 */
void links_retain(struct links *links, struct pool *const *pools, unsigned pool_count);
/** Close idle ones and refuse new; free when all are gone, then call `closed(arg)` from the loop.
 * Lent ones stay until their borrowers end the loan. */
void links_close(struct links *links, void (*closed)(void *arg), void *arg);
/** Idle links to this backend now (for tests and status). Any name. */
unsigned links_idle_count(const struct links *links, const struct backend *backend);

/** What a link is wanted for. */
struct link_wish {
    struct pool *pool;
    struct backend *backend;         /* of `pool` */
    struct backend_tls_context *tls; /* this worker's for the pool; NULL: protocol = http */
    struct slice host;               /* https: as in Host; chooses the name that is asked for and
                                        verified. Lent for the call */
    struct link_owner *owner;
    bool fresh; /* never an idle one: for a retry after an idle link turned out to be dead */
};

/**
 * Borrow a link to a backend. With TLS an idle one is lent only where it was verified for the name
 * that this wish would ask for.
 *
 * wish     read during the call; its pool, backend and tls must live, and its owner is borrowed,
 *          until link_return, link_discard, link_forget or a failed on_connected
 * returns  an idle link, lent at once; or NULL: a new one is being opened and on_connected comes
 *          later
 * ret_pending  when NULL is returned: the connecting link, so that link_discard can give the wish
 *          up (NULL when even that was impossible: then on_connected(LINK_NO_ROOM) still comes from
 *          the loop, unless link_forget is called)
 */
struct link *link_borrow(struct links *links, const struct link_wish *wish,
                         struct link **ret_pending);

/** Why the last call on a lent link's connection failed, in words, with advice where it is TLS:
 * a backend refuses lb's certificate only with the first read. Static or per-thread text. */
const char *link_failure(const struct link *link);

/** What it means that the backend closed a lent link without a byte of its answer, in words. Static
 * text. */
const char *link_silence(const struct link *link);

/** Did the backend refuse lb itself, so that it took nothing of what was sent on this lent link? */
bool link_was_refused(const struct link *link);

/** Give back a link whose answer was complete and that may be reused; kept if there is room
 * (idle_links) and nothing unread or unsent is left on it, else closed. */
void link_return(struct link *link);
/** Close a link (lent, connecting or shaking hands) now, with close_notify where there is TLS; no
 * callbacks come any more. */
void link_discard(struct link *link);
/** Give up a wish for which link_borrow had neither a link nor a pending one. */
void link_forget(struct link_owner *owner);

#endif
