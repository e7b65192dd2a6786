/* SPDX-License-Identifier: Apache-2.0 */
/* A name for every request, so that the logs of lb, of backends and of people's tools can be
 * joined. */
#ifndef LB_EXCHANGE_REQUEST_ID_H
#define LB_EXCHANGE_REQUEST_ID_H

#include <stdbool.h>
#include <stdint.h>

#include "lb/base/slice.h"

enum { REQUEST_ID_LENGTH = 32, REQUEST_ID_MOST = 128 };

/** One worker's source: 64 random bits of its own, then a count that starts at a random place. */
struct request_ids {
    uint64_t prefix;
    uint64_t next;
};

/** Seed from the system's randomness. Thread: the worker's. */
void request_ids_init(struct request_ids *ids);
/** The next id: 32 hex digits, no final NUL. */
void request_id_write(struct request_ids *ids, char into[REQUEST_ID_LENGTH]);
/** May an id that a client sent be kept? 1–128 letters, digits, '.', '_', '-'. */
bool request_id_is_fit(struct slice id);

#endif
