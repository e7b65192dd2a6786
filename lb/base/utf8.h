/* SPDX-License-Identifier: Apache-2.0 */
/* Which bytes are UTF-8. */
#ifndef LB_BASE_UTF8_H
#define LB_BASE_UTF8_H

#include <stddef.h>

/**
 * The length of the UTF-8 sequence `at` begins with: 1 to 4, or 0 if it is none. As RFC 3629 has
 * it: overlong forms, surrogates and what lies beyond U+10FFFF are none. NUL is one of length 1.
 *
 * left     bytes readable at `at`, at least 1
 * Thread:  any. Does not allocate.
 */
size_t utf8_length(const char *at, size_t left);

#endif
