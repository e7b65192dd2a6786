/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes under construction in somebody's array. Whether all of it fit is one question, asked at the
 * end. */
#ifndef LB_BASE_DRAFT_H
#define LB_BASE_DRAFT_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "lb/base/slice.h"

struct draft {
    char *at; /* borrowed */
    size_t used;
    size_t room;
    bool fits; /* false: something was left out */
};

static inline struct draft draft_in(char *at, size_t room)
{
    return (struct draft){at, 0, room, true};
}

/** Append bytes; returns where they are now (empty when they do not fit). */
static inline struct slice draft_put(struct draft *draft, struct slice bytes)
{
    if (bytes.length > draft->room - draft->used) {
        draft->fits = false;
        return (struct slice){draft->at, 0};
    }
    char *to = draft->at + draft->used;
    if (bytes.length > 0) {
        memcpy(to, bytes.at, bytes.length);
    }
    draft->used += bytes.length;
    return (struct slice){to, bytes.length};
}

static inline void draft_text(struct draft *draft, const char *text)
{
    draft_put(draft, slice_of(text));
}

/** Decimal, padded with zeros to at least `digits`. */
static inline void draft_number(struct draft *draft, uint64_t number, unsigned digits)
{
    char text[20];
    size_t at = sizeof text;
    do {
        text[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (at > 0 && (number > 0 || sizeof text - at < digits));
    draft_put(draft, (struct slice){text + at, sizeof text - at});
}

/** "Name: value\r\n"; returns where the value is (empty when the field does not fit). */
static inline struct slice draft_field(struct draft *draft, struct slice name, struct slice value)
{
    size_t whole = name.length + 2 + value.length + 2;
    if (whole > draft->room - draft->used) { /* asked once: fields are most of what is written */
        draft->fits = false;
        return (struct slice){draft->at, 0};
    }
    char *to = draft->at + draft->used;
    draft->used += whole;
    memcpy(to, name.at, name.length);
    to += name.length;
    memcpy(to, ": ", 2);
    to += 2;
    if (value.length > 0) {
        memcpy(to, value.at, value.length);
    }
    memcpy(to + value.length, "\r\n", 2);
    return (struct slice){to, value.length};
}

#endif
