/* SPDX-License-Identifier: Apache-2.0 */
/* See http2_memory.h. */
#include "listeners/http2/http2_memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static bool is_in_pages(const struct http2_memory *memory, const void *bytes)
{
    uintptr_t at = (uintptr_t)bytes, pages = (uintptr_t)memory->pages;
    return memory->pages && at >= pages && at < pages + HTTP2_MEMORY_BYTES;
}

/* The next of the pages; nobody has ever written there. NULL: it does not fit. */
static void *hand_out(struct http2_memory *memory, size_t length)
{
    size_t room = (length + _Alignof(max_align_t) - 1) & ~(_Alignof(max_align_t) - 1);
    if (!memory->pages || room < length || room > HTTP2_MEMORY_BYTES - memory->used)
        return NULL;
    void *bytes = memory->pages + memory->used;
    memory->used += room;
    return bytes;
}

/* Small things come and go with every request: they would use the pages up. What HPACK has of 1 KiB
 * would push the frame's first bytes into a page of their own. */
static bool is_lasting(const struct http2_memory *memory, size_t length)
{
    enum { SMALL_BYTES = 1024 };
    return length > SMALL_BYTES && memory->pages;
}

/* The first of its length is it; another one is as any other. */
static void *hand_out_table(struct http2_memory *memory)
{
    memory->has_table = true;
    return memory->pages;
}

static void *allocate(size_t length, void *argument)
{
    struct http2_memory *memory = argument;
    void *bytes = is_lasting(memory, length) ? hand_out(memory, length) : NULL;
    return bytes ? bytes : malloc(length);
}

static void *allocate_zeroed(size_t count, size_t length, void *argument)
{
    struct http2_memory *memory = argument;
    if (count == 0 || length > HTTP2_MEMORY_BYTES / count || !is_lasting(memory, count * length))
        return calloc(count, length);
    if (count * length == HTTP2_MEMORY_TABLE_BYTES && !memory->has_table)
        return hand_out_table(memory);
    void *bytes = hand_out(memory, count * length);
    return bytes ? bytes : calloc(count, length);
}

static void release(void *bytes, void *argument)
{
    if (!is_in_pages(argument, bytes))
        free(bytes);
}

/* How long it was is not kept: up to the end of the pages there is something to be read. */
static void *move_out(const struct http2_memory *memory, const void *bytes, size_t length)
{
    size_t most = (size_t)(memory->pages + HTTP2_MEMORY_BYTES - (const char *)bytes);
    void *moved = malloc(length);
    if (moved)
        memcpy(moved, bytes, length < most ? length : most);
    return moved;
}

static void *resize(void *bytes, size_t length, void *argument)
{
    struct http2_memory *memory = argument;
    if (!bytes)
        return allocate(length, argument);
    return is_in_pages(memory, bytes) ? move_out(memory, bytes, length) : realloc(bytes, length);
}

nghttp2_mem http2_memory_open(struct http2_memory *memory)
{
    void *pages = mmap(NULL, HTTP2_MEMORY_BYTES, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    *memory = (struct http2_memory){.pages = pages == MAP_FAILED ? NULL : pages,
                                    .used = HTTP2_MEMORY_TABLE_BYTES};
    if (memory->pages) /* a huge page for many sessions would make all of it resident */
        madvise(memory->pages, HTTP2_MEMORY_BYTES, MADV_NOHUGEPAGE);
    return (nghttp2_mem){.mem_user_data = memory,
                         .malloc = allocate,
                         .free = release,
                         .calloc = allocate_zeroed,
                         .realloc = resize};
}

static bool is_zero(const char *bytes, size_t length)
{
    return bytes[0] == 0 && memcmp(bytes, bytes + 1, length - 1) == 0;
}

void http2_memory_rest(struct http2_memory *memory)
{
    /* where pages are larger, more would go than the table */
    bool is_page = sysconf(_SC_PAGESIZE) == HTTP2_MEMORY_TABLE_BYTES;
    if (memory->has_table && is_page && is_zero(memory->pages, HTTP2_MEMORY_TABLE_BYTES))
        madvise(memory->pages, HTTP2_MEMORY_TABLE_BYTES, MADV_DONTNEED);
}

void http2_memory_close(struct http2_memory *memory)
{
    if (memory->pages)
        munmap(memory->pages, HTTP2_MEMORY_BYTES);
    *memory = (struct http2_memory){0};
}
