/* SPDX-License-Identifier: Apache-2.0 */
/* Which bytes are UTF-8. */
#ifndef LB_BASE_UTF8_H
#define LB_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/**
 * The length of the UTF-8 sequence `at` begins with: 1 to 4, or 0 if it is none. As RFC 3629 has
 * it: overlong forms, surrogates and what lies beyond U+10FFFF are none. NUL is one of length 1.
 *
 * left     bytes readable at `at`, at least 1
 * Thread:  any. Does not allocate.
 */
size_t utf8_length(const char *at, size_t left);

/**
 * Is it nothing to show to people? Control characters (C0, DEL, C1), which terminals obey, and the
 * marks that turn the direction of writing (U+200E, U+200F, U+202A to U+202E, U+2066 to U+2069),
 * with which a text looks like another one.
 *
 * length   of the sequence at `at`, as utf8_length() says
 * Thread:  any.
 */
bool utf8_is_hidden(const char *at, size_t length);

/** Put a "?" in the place of each hidden character and of each byte that is no UTF-8. In place: the
 * text may become shorter. Thread: any. */
void utf8_cover_hidden(char *text);

#endif
