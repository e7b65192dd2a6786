/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON straight into one text, without a tree: what lists ten thousand rules must not hold up the
 * control thread for the time that a tree costs.
 *
 *   struct json_writer w = {0};
 *   writer_object(&w, NULL);
 *   writer_text(&w, "name", "app");
 *   writer_end(&w);
 *   … w.bytes, w.length …
 *   writer_done(&w);
 *
 * Keys are literals of ours and written as they are. Within an array, and for the outermost value,
 * `key` is NULL. Values that are not UTF-8 get U+FFFD in the place of each bad byte.
 */
#ifndef LB_ADMIN_JSON_WRITER_H
#define LB_ADMIN_JSON_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { JSON_WRITER_DEPTH = 32 };

/** Zero-initialised is empty. */
struct json_writer {
    char *bytes; /* owned */
    size_t length;
    size_t capacity;
    bool has_failed; /* out of memory: what is written is worth nothing */
    bool is_secret;  /* set before anything is written: memory is cleansed before it is freed */
    unsigned depth;
    bool has_members[JSON_WRITER_DEPTH + 1]; /* by depth: a comma comes before the next one */
    char ends[JSON_WRITER_DEPTH];            /* by depth: what closes it */
};

void writer_object(struct json_writer *writer, const char *key);
void writer_array(struct json_writer *writer, const char *key);
/** Close the innermost object or array; a newline follows the outermost. */
void writer_end(struct json_writer *writer);

/** value NULL: null. */
void writer_text(struct json_writer *writer, const char *key, const char *value);
void writer_number(struct json_writer *writer, const char *key, int64_t value);
void writer_flag(struct json_writer *writer, const char *key, bool value);
/** RFC 3339, UTC. ms: since 1970; 0: null. */
void writer_time(struct json_writer *writer, const char *key, int64_t ms);

/** Bytes as they are, between no values: for texts that are no JSON. */
void writer_raw(struct json_writer *writer, const char *bytes, size_t length);

/** Cleanse (where it is secret) and free what is written; empty again. */
void writer_done(struct json_writer *writer);

#endif
