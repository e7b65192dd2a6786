/* SPDX-License-Identifier: Apache-2.0 */
/*
 * allow_client of a rule: which verified clients may pass. Whoever fits one line of it does. It is
 * asked only of certificates that a CA of the rule has verified: nothing in them is believed
 * before.
 *
 * Lines without `*` are found by hash, others are tried in their order. What a list says of a
 * certificate is kept with its identity, so that a kept connection's requests cost the same however
 * long the list. Only who a client is registered as may change meanwhile, and is asked anew.
 */
#ifndef LB_LISTENERS_ALLOW_LIST_H
#define LB_LISTENERS_ALLOW_LIST_H

#include <stdbool.h>

struct arena;
struct identity;
struct name_pattern;

struct allow_list;

/**
 * Make a list. Its order does not matter, nor does what is there twice.
 *
 * patterns  lent for the call, but their texts for the list's life
 * count     at least 1
 * returns   lives in `arena`
 * Thread:   loader. Out of memory ends the process.
 */
const struct allow_list *allow_list_make(const struct name_pattern *patterns, unsigned count,
                                         struct arena *arena);

/** Do both let the same clients in, by what is written there? NULL: no list. */
bool allow_list_equal(const struct allow_list *one, const struct allow_list *other);

/**
 * Is the client on the list?
 *
 * list      not NULL
 * identity  not NULL, verified; the answer is kept there. By client-id it is who the registry says
 *           it is (identity->known), else its common name; never what it passes itself
 * Thread:   any. Takes no lock; the first time it may allocate: for whom there is no memory then is
 *           not on it, and is looked at anew the next time.
 */
bool allow_list_has(const struct allow_list *list, struct identity *identity);

#endif
