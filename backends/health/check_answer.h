/* SPDX-License-Identifier: Apache-2.0 */
/* What a check over HTTP/2 keeps of an answer. */
#ifndef LB_BACKENDS_HEALTH_CHECK_ANSWER_H
#define LB_BACKENDS_HEALTH_CHECK_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lb/base/limits.h"

/* A field's value as it is kept: longer ones are cut. No media type that counts is longer, and no
 * message need be. */
enum { CHECK_VALUE_BYTES = 96 };

/** One field: the last head or trailer section that has it counts. Zero-initialised is none. */
struct check_value {
    unsigned count; /* in that section */
    char text[CHECK_VALUE_BYTES];
};

struct check_answer {
    unsigned status; /* of the last head; 0: none came */
    unsigned interim_count;
    unsigned field_count;
    bool has_head; /* a final one */
    bool is_whole; /* all of it came */
    struct check_value content_type;
    struct check_value grpc_status;
    struct check_value grpc_message;
    size_t body_length; /* of all that came; no more than what follows is kept */
    uint8_t body[CHECK_BODY_BYTES];
};

#endif
