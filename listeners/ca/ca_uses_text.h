/* SPDX-License-Identifier: Apache-2.0 */
/* The uses of client CAs as text, so that a restart does not make a CA look unused. */
#ifndef LB_LISTENERS_CA_CA_USES_TEXT_H
#define LB_LISTENERS_CA_CA_USES_TEXT_H

#include <stdbool.h>
#include <stddef.h>

struct ca_uses;
struct error;

enum {
    /* What no client_ca names is forgotten when it was not seen for so long. */
    CA_USES_FORGOTTEN_S = 90 * 24 * 60 * 60,
};

/** JSON, ends with a newline; free() it. NULL: out of memory. Any thread. */
char *ca_uses_write(const struct ca_uses *uses);

/**
 * Go on from what was written. The time between does not count as idle time: nobody was counted.
 *
 * uses     empty until now
 * Fails:   it is no such text: err says where it is wrong, and `uses` is as it was.
 * Thread:  control, before the first list is made.
 */
bool ca_uses_read(struct ca_uses *uses, const char *text, size_t bytes, struct error *err);

#endif
