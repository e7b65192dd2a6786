/* SPDX-License-Identifier: Apache-2.0 */
/* What a demo backend answers: its name first, then the request. Text for curl, a page
 * for browsers. */
#ifndef LB_COMMANDS_DEMO_PAGE_H
#define LB_COMMANDS_DEMO_PAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "lb/base/buffer.h"
#include "lb/base/http1.h"

enum {
    /* A request's head: what lb passes on (max_head is 32k when left out) and what it adds. */
    DEMO_HEAD_BYTES = 64 * 1024,
    /* A page: every byte of a head escaped, and the markup around each field. */
    DEMO_PAGE_BYTES = 512 * 1024,
};

/** Does the client prefer HTML? Its Accept names text/html, as browsers' do and curl's does not. */
bool demo_page_wants_html(const struct http_request *request);

/**
 * Write the body of the answer into *page, an empty buffer or NULL.
 *
 * name     the backend's
 * returns  false: out of memory; *page is then incomplete
 */
bool demo_page_write(struct buffer_pool *pool, struct buffer **page, const char *name,
                     const struct http_request *request, bool html);

#endif
