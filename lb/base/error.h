/* SPDX-License-Identifier: Apache-2.0 */
/* What went wrong, in words: one error for a call that failed, or many problems for a config. */
#ifndef LB_BASE_ERROR_H
#define LB_BASE_ERROR_H

#include <stdbool.h>
#include <stddef.h>

enum { ERROR_TEXT_BYTES = 512 };

struct error {
    char text[ERROR_TEXT_BYTES]; /* one line, no final newline; empty: nothing went wrong */
};

/**
 * Say what went wrong; longer text is cut at ERROR_TEXT_BYTES - 1.
 *
 * err      filled; may be NULL when nobody asks
 * returns  always false, so that a failure is one line: `return error_set(err, "…");`
 * Thread:  any. Does not allocate.
 */
bool error_set(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** Say "out of memory" on stderr and end the process: start-up and reload only. Any thread. */
_Noreturn void error_out_of_memory(void);

/** One problem of a config file. `line` 0 means the whole file. */
struct problem {
    bool warning; /* true: lb runs all the same */
    char *file;
    unsigned line;
    char *text; /* what is wrong, what would be right */
};

/** All problems of one config, in the order found. Zero-initialised is empty. */
struct problems {
    struct problem *items;
    size_t count;
    size_t capacity;
    size_t error_count; /* those that are not warnings */
};

/**
 * Add an error (or a warning) at `file`:`line`.
 *
 * file     copied; NULL is written as "-"
 * Thread:  the one that loads the config. Allocates; out of memory ends the process (start-up
 * only).
 */
void problems_add(struct problems *problems, const char *file, unsigned line, const char *format,
                  ...) __attribute__((format(printf, 4, 5)));
void problems_warn(struct problems *problems, const char *file, unsigned line, const char *format,
                   ...) __attribute__((format(printf, 4, 5)));

/** Add all that is in `from`, which stays as it is. */
void problems_join(struct problems *problems, const struct problems *from);

/** Sort by file and line, keeping the order of equals. */
void problems_sort(struct problems *problems);

/** Release everything; the struct is empty again. */
void problems_done(struct problems *problems);

#endif
