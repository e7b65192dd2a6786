/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which open clients show this certificate? Each worker looks through its own clients, on its own
 * thread and a slice at a time; the last one tells the control thread.
 *
 *   control ── census_begin ──> visit of each worker ── walk ──> desk ── counted ──> control
 */
#ifndef LB_CENSUS_H
#define LB_CENSUS_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "lb/base/limits.h"
#include "lb/base/list.h"
#include "listeners/registry/record.h"

struct census_inquiry;
struct clients;
struct worker;

/** One open connection. Texts are owned by the row. */
struct census_client {
    char address[46]; /* numeric, without brackets */
    uint16_t port;
    char listener[INI_SECTION_BYTES + 1];
    char sni[DOMAIN_BYTES + 1]; /* "": it asked for no name */
    int64_t since_ms;           /* accepted; wall clock, ms since 1970 */
    uint32_t requests;
};

struct census {
    unsigned client_count; /* exact … */
    unsigned row_count;    /* … and so many of them are told: CENSUS_ROWS_MOST at most */
    const struct census_client *rows;
};

/** census: lent for the call; NULL: out of memory. */
typedef void (*census_counted)(void *arg, const struct census *census);

#endif
