/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes as hexadecimal digits, two for each. Pure, any thread. */
#ifndef LB_BASE_HEX_H
#define LB_BASE_HEX_H

#include <stdbool.h>
#include <stddef.h>

/** The digits, for hex_write. */
extern const char hex_lower[], hex_upper[];

/**
 * Write 2 * count digits, and no NUL.
 *
 * digits   hex_lower or hex_upper
 * returns  behind the last one
 */
char *hex_write(char *to, const unsigned char *bytes, size_t count, const char *digits);

/**
 * Read 2 * count digits in lower case.
 *
 * text     read up to the first that is none; what follows the last one is not looked at
 * returns  false: one of them is no such digit; `ret_bytes` are of no use then
 */
bool hex_read(const char *text, unsigned char *ret_bytes, size_t count);

#endif
