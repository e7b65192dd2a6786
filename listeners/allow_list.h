/* SPDX-License-Identifier: Apache-2.0 */
/*
 * allow_client of a rule: which verified clients may pass. Whoever fits one line of it does. It is
 * asked only of certificates that a CA of the rule has verified: nothing in them is believed
 * before.
 */
#ifndef LB_LISTENERS_ALLOW_LIST_H
#define LB_LISTENERS_ALLOW_LIST_H

#include <stdbool.h>

struct identity;

struct allow_list;

/** Do both let the same clients in, by what is written there? NULL: no list. */
bool allow_list_equal(const struct allow_list *one, const struct allow_list *other);

/**
 * Is the client on the list?
 *
 * list      not NULL
 * identity  not NULL, verified
 * Thread:   any. Does not allocate.
 */
bool allow_list_has(const struct allow_list *list, const struct identity *identity);

#endif
