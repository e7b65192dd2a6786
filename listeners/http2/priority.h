/* SPDX-License-Identifier: Apache-2.0 */
/* What a client says of how urgent an answer is (RFC 9218): the Priority field of a request, and of
 * a PRIORITY_UPDATE frame. */
#ifndef LB_LISTENERS_HTTP2_PRIORITY_H
#define LB_LISTENERS_HTTP2_PRIORITY_H

#include <stdbool.h>

#include "lb/base/slice.h"

enum { PRIORITY_URGENCY = 3 }; /* of who says nothing; 0 comes first, 7 last */

struct priority {
    unsigned urgency;    /* 0 … 7 */
    bool is_incremental; /* it is of use in pieces, so that equals may take turns */
};

/**
 * Read the members u and i of a dictionary (RFC 8941 3.2). What is not one, is out of range or
 * follows what cannot be read is ignored, as RFC 9218 4 asks for; others are passed over.
 *
 * returns  the defaults where the value does not say otherwise. Pure, any thread.
 */
struct priority priority_parse(struct slice value);

#endif
