/* SPDX-License-Identifier: Apache-2.0 */
/* See buffer.h. What is larger than the largest class comes from malloc and goes back to it. */
#include "lb/base/buffer.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void buffer_pool_init(struct buffer_pool *pool)
{
    *pool = (struct buffer_pool){0};
}

void buffer_pool_done(struct buffer_pool *pool)
{
    assert(pool->lent_count == 0);
    for (int i = 0; i < BUFFER_CLASS_COUNT; i++) {
        struct buffer *buffer = pool->free[i];
        while (buffer) {
            struct buffer *next = buffer->next;
            free(buffer);
            buffer = next;
        }
    }
    *pool = (struct buffer_pool){0};
}

/* The class of buffers that hold `bytes`; BUFFER_CLASS_COUNT: larger than all. */
static int class_of(size_t bytes)
{
    size_t beyond = bytes > BUFFER_LEAST_BYTES ? (bytes - 1) / BUFFER_LEAST_BYTES : 0;
    int class = beyond > 0 ? (int)(8 * sizeof beyond) - __builtin_clzl(beyond) : 0;
    return class < BUFFER_CLASS_COUNT ? class : BUFFER_CLASS_COUNT;
}

struct buffer *buffer_take(struct buffer_pool *pool, size_t at_least)
{
    int class = class_of(at_least);
    struct buffer *buffer = class < BUFFER_CLASS_COUNT ? pool->free[class] : NULL;
    if (buffer) {
        pool->free[class] = buffer->next;
        pool->free_bytes[class] -= buffer->capacity;
    } else {
        size_t capacity =
            class < BUFFER_CLASS_COUNT ? (size_t)BUFFER_LEAST_BYTES << class : at_least;
        if (capacity > SIZE_MAX - sizeof *buffer)
            return NULL;
        buffer = malloc(sizeof *buffer + capacity);
        if (!buffer)
            return NULL;
        buffer->capacity = capacity;
    }
    buffer->next = NULL;
    buffer->start = buffer->end = 0;
    pool->lent_count++;
    return buffer;
}

void buffer_give(struct buffer_pool *pool, struct buffer **given)
{
    struct buffer *buffer = *given;
    if (!buffer)
        return;
    *given = NULL;
    pool->lent_count--;
    int class = class_of(buffer->capacity);
    if (class == BUFFER_CLASS_COUNT ||
        pool->free_bytes[class] + buffer->capacity > BUFFER_KEPT_BYTES) {
        free(buffer);
        return;
    }
    buffer->next = pool->free[class];
    pool->free[class] = buffer;
    pool->free_bytes[class] += buffer->capacity;
}

static void move_to_front(struct buffer *buffer)
{
    size_t length = buffer_length(buffer);
    memmove(buffer->data, buffer->data + buffer->start, length);
    buffer->start = 0;
    buffer->end = length;
}

bool buffer_reserve(struct buffer_pool *pool, struct buffer **owned, size_t room, size_t most)
{
    struct buffer *buffer = *owned;
    size_t length = buffer_length(buffer);
    if (length > most || room > most - length)
        return false;
    if (buffer && buffer_room(buffer) >= room)
        return true;
    if (buffer && buffer->capacity - length >= room) {
        move_to_front(buffer);
        return true;
    }
    size_t needed = length + room;
    struct buffer *larger =
        buffer_take(pool, needed > BUFFER_GROWING_BYTES ? needed : BUFFER_GROWING_BYTES);
    if (!larger)
        return false;
    if (length > 0)
        memcpy(larger->data, buffer->data + buffer->start, length);
    larger->end = length;
    buffer_give(pool, owned);
    *owned = larger;
    return true;
}

bool buffer_append(struct buffer_pool *pool, struct buffer **buffer, const void *bytes,
                   size_t length, size_t most)
{
    if (!buffer_reserve(pool, buffer, length, most))
        return false;
    if (length > 0)
        memcpy((*buffer)->data + (*buffer)->end, bytes, length);
    (*buffer)->end += length;
    return true;
}
