/* SPDX-License-Identifier: Apache-2.0 */
/* The value of a key that takes networks: several on a line, or the key repeated. */
#ifndef LB_LISTENERS_NETWORK_LIST_H
#define LB_LISTENERS_NETWORK_LIST_H

#include <stddef.h>

#include "lb/base/network.h"
#include "lb/base/option.h"

struct network_list {
    struct network *items;
    unsigned *lines; /* where each stands */
    size_t count;
    size_t wrong_count; /* words that are no networks, and were reported */
};

/** Read all words of `lines`. key: for the messages. The list lives in `arena`. Thread: loader. */
struct network_list network_list_read(const struct option_list *lines, const char *key,
                                      struct arena *arena, const char *file,
                                      struct problems *problems);

#endif
