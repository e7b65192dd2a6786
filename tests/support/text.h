/* SPDX-License-Identifier: Apache-2.0 */
/* A growing string of bytes for tests; always closed by a NUL that does not count. */
#ifndef LB_TESTS_TEXT_H
#define LB_TESTS_TEXT_H

#include <stdbool.h>
#include <stddef.h>

struct text {
    char *bytes;
    size_t length;
    size_t capacity;
};

void text_add(struct text *text, const void *bytes, size_t length);
void text_add_format(struct text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Forget the first bytes. */
void text_drop(struct text *text, size_t length);
void text_done(struct text *text);

/* The value of a field in a head ("\r\n"-separated lines), any case; false when there is none. */
bool text_field(const char *head, const char *name, char *value, size_t room);
/* How many fields of that name a head has. */
unsigned text_field_count(const char *head, const char *name);
/* How often does `what` stand in `in`? */
unsigned text_count(const char *in, const char *what);

#endif
