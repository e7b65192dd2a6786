/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes between a producer and a consumer: data[start, end). Buffers come from a per-worker pool in
 * power-of-two sizes and go back as soon as they are empty, so that an idle connection owns none.
 */
#ifndef LB_BASE_BUFFER_H
#define LB_BASE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

struct buffer {
    struct buffer *next; /* in the pool's free list, or for the owner's use */
    size_t capacity;
    size_t start; /* first unread byte */
    size_t end;   /* behind the last byte */
    char data[];
};

enum {
    BUFFER_LEAST_BYTES = 1024, /* smallest class: a head of which the size is known is often less */
    BUFFER_CLASS_COUNT = 10,   /* 1k … 512k */
    /* What grows begins with so much: most heads and pieces fit, and are never moved. */
    BUFFER_GROWING_BYTES = 4 * 1024,
    /* kept free per class and worker; more is given back to malloc */
    BUFFER_KEPT_BYTES = 512 * 1024,
};

struct buffer_pool {
    struct buffer *free[BUFFER_CLASS_COUNT];
    size_t free_bytes[BUFFER_CLASS_COUNT];
    size_t lent_count; /* buffers out now: 0 when the worker is idle */
};

/** Make a pool ready; buffer_pool_done frees what it keeps (all lent ones must be back). */
void buffer_pool_init(struct buffer_pool *pool);
void buffer_pool_done(struct buffer_pool *pool);

/** Lend an empty buffer of at least `at_least` bytes; NULL: out of memory. Owner thread only. */
struct buffer *buffer_take(struct buffer_pool *pool, size_t at_least);

/** Give a buffer back and clear the caller's pointer; NULL content is fine. */
void buffer_give(struct buffer_pool *pool, struct buffer **buffer);

static inline size_t buffer_length(const struct buffer *buffer)
{
    return buffer ? buffer->end - buffer->start : 0;
}
static inline size_t buffer_room(const struct buffer *buffer)
{
    return buffer->capacity - buffer->end;
}

/**
 * Make room for `room` more bytes behind (*buffer)->end, taking one of BUFFER_GROWING_BYTES at
 * least or growing as needed (unread bytes are moved along). The same bound and results as
 * buffer_append.
 */
bool buffer_reserve(struct buffer_pool *pool, struct buffer **buffer, size_t room, size_t most);

/**
 * Append bytes to *buffer, taking or growing it as needed (unread bytes are moved along).
 * most     an upper bound for the unread bytes; going over it fails
 * returns  false: out of memory or over `most`; nothing was appended
 */
bool buffer_append(struct buffer_pool *pool, struct buffer **buffer, const void *bytes,
                   size_t length, size_t most);

#endif
