/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes fields into a text that grows. What a value turned out to be is looked at when it ends:
 *
 *   field_pen_begin(&pen, "X-CERT-SERIAL", IDENTITY_SERIAL_BYTES);
 *   field_pen_text(&pen, serial);
 *   field_pen_end(&pen);                "X-CERT-SERIAL: 0A\r\n" or "X-CERT-SERIAL-Too-Large: 1\r\n"
 *
 * Thread: the caller's. Everything allocates.
 */
#ifndef LB_LISTENERS_FIELD_PEN_H
#define LB_LISTENERS_FIELD_PEN_H

#include <stdbool.h>
#include <stddef.h>

/** Zeroed is empty. */
struct field_pen {
    char *text; /* malloc'd; the user takes or frees it */
    size_t used;
    size_t room;
    bool is_broken; /* out of memory: the text is good for nothing */

    /* Of the field that is being written. */
    const char *name;
    size_t most;     /* bytes of its value */
    size_t field_at; /* in the text, name first */
    size_t value_at;
    bool is_spoiled;
};

/* Fields */

/** name: lives as long as the pen; most: bytes that the value may have. */
void field_pen_begin(struct field_pen *pen, const char *name, size_t most);
/** The value cannot be written, for whatever reason. */
void field_pen_spoil(struct field_pen *pen);
/** A value that is larger than it may be, that was spoiled or that has a byte no value may have
 * (other than printable ASCII) is taken back; NAME-Too-Large: 1 stands in its place. */
void field_pen_end(struct field_pen *pen);
/** In the place of field_pen_end: the field is taken back, and nothing stands in its place. */
void field_pen_drop(struct field_pen *pen);

/** A whole field whose value is `text`. */
void field_pen_field(struct field_pen *pen, const char *name, const char *text, size_t most);

/* Values, or anything else */

void field_pen_put(struct field_pen *pen, const char *bytes, size_t count);
void field_pen_text(struct field_pen *pen, const char *text);
/** Two digits a byte; upper: "0A", else "0a". */
void field_pen_hex(struct field_pen *pen, const unsigned char *bytes, size_t count, bool upper);
/** RFC 4648 4, padded. */
void field_pen_base64(struct field_pen *pen, const unsigned char *bytes, size_t count);
/** Percent-encoded but for RFC 3986's unreserved characters and those of `safe`. */
void field_pen_url(struct field_pen *pen, const char *bytes, size_t count, const char *safe);

#endif
