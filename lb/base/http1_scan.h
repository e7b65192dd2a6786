/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the parts of the HTTP/1 grammar share; private to http1_*.c and to the translation of
 * HTTP/2's heads into it.
 *
 *   http1_request.c ─┬─ http1_target.c ── http1_host.c
 *   http1_answer.c  ─┼─ http1_fields.c ── http1_name.c        http1_bytes.c: classes of bytes
 *                    └─ http1_framing.c ─ http1_list.c        http1_words.c: texts and numbers
 *   http1_chunks.c ──── http1_trailer.c ─ http1_fields.c
 *
 * A scan goes over the bytes once, from left to right. A scanning function returns true when its
 * part is complete, and the scan stands behind it. It returns false when the bytes ran out (fault
 * is HTTP_FINE: more may come) or when they are wrong (fault says how). As every decision is taken
 * at a byte and by nothing behind that byte, it cannot depend on how the bytes were cut into
 * segments.
 */
#ifndef LB_BASE_HTTP1_SCAN_H
#define LB_BASE_HTTP1_SCAN_H

#include <stdint.h>
#include <string.h>

#include "lb/base/http1.h"

/* Classes of bytes, as a set. */
enum {
    BYTE_TOKEN = 1,  /* tchar of RFC 9110 5.6.2 */
    BYTE_TARGET = 2, /* printable ASCII but '#' */
    BYTE_HOST = 4,   /* letters, digits, "-._": of a name or an IPv4 address */
    BYTE_VALUE = 8,  /* in field values: all but control characters; HTAB is allowed */
    BYTE_LOWER = 16, /* tchar but capitals: field names of HTTP/2 (RFC 9113 8.2.1) */
};

extern const unsigned char http_bytes[256];

static inline bool byte_is(char byte, unsigned classes)
{
    return http_bytes[(unsigned char)byte] & classes;
}
static inline bool byte_is_blank(char byte)
{
    return byte == ' ' || byte == '\t';
}
static inline bool byte_is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}
static inline char byte_lower(char byte)
{
    return byte >= 'A' && byte <= 'Z' ? (char)(byte | 0x20) : byte;
}
static inline const char *skip_class(const char *at, const char *end, unsigned classes)
{
    while (at < end && byte_is(*at, classes))
        at++;
    return at;
}
static inline struct slice slice_between(const char *start, const char *end)
{
    return (struct slice){start, (size_t)(end - start)};
}

/* --- Scanning ------------------------------------------------------------------------------- */

struct scan {
    const char *at;
    const char *end;
    enum http_fault fault;
};

/** Begin at `bytes` (NULL when there are none); what lies behind `most` is never looked at. */
static inline struct scan scan_begin(const char *bytes, size_t length, size_t most)
{
    size_t seen = length < most ? length : most;
    return (struct scan){bytes, seen > 0 ? bytes + seen : bytes, HTTP_FINE};
}
static inline bool scan_refuse(struct scan *scan, enum http_fault fault)
{
    scan->fault = fault;
    return false;
}
/** The byte at the scan is none that may stand here: a bare LF is called that, all else is `fault`.
 */
static inline bool scan_refuse_byte(struct scan *scan, enum http_fault fault)
{
    return scan_refuse(scan, *scan->at == '\n' ? HTTP_BAD_LINE_END : fault);
}
/** CR LF. A byte that is neither is `otherwise`. */
static inline bool scan_line_end(struct scan *scan, enum http_fault otherwise)
{
    if (scan->end - scan->at >= 2 && scan->at[0] == '\r' && scan->at[1] == '\n') {
        scan->at += 2;
        return true;
    }
    if (scan->at == scan->end)
        return false;
    if (*scan->at != '\r')
        return scan_refuse_byte(scan, otherwise);
    return scan->end - scan->at > 1 ? scan_refuse(scan, HTTP_BAD_LINE_END) : false;
}

/** "HTTP/1.0" or "HTTP/1.1". Any other digits are unsupported, anything else is `otherwise`. */
bool http_scan_version(struct scan *scan, unsigned *ret_minor, enum http_fault otherwise);

/** What a scan that returned false means for the head. */
enum http_parse http_scan_verdict(const struct scan *scan, bool full, enum http_fault *ret_fault);

/* --- Fields --------------------------------------------------------------------------------- */

enum { HTTP_NAME_COUNT = HTTP_HTTP2_SETTINGS + 1 };
_Static_assert(HTTP_NAME_COUNT <= 32, "a bit for each name");

/** The fields of a head, and which of the known names were among them. */
struct field_table {
    struct http_field *rows; /* room for HEAD_FIELDS_MOST, the caller's */
    unsigned count;
    uint32_t names;                      /* a bit each, as in struct http_request */
    unsigned char seen[HTTP_NAME_COUNT]; /* how often */
    unsigned char last[HTTP_NAME_COUNT]; /* row of the last one */
};

/** The value of the last field of that name; `seen` must not be 0. */
static inline struct slice field_value(const struct field_table *table, enum http_name name)
{
    return table->rows[table->last[name]].value;
}

/** One field line with its CRLF. */
bool http_scan_field(struct scan *scan, struct http_field *field);
/** All field lines and the empty line behind them. */
bool http_scan_fields(struct scan *scan, struct field_table *table);

/** Could somebody who takes '_' for '-' (CGI does) read a length or coding of the body out of this
 * name? */
bool http_name_is_lookalike(struct slice name);

/** The next element of a comma-separated list, without blanks, maybe empty. `rest` is used up;
 * false: it was over. */
bool http_list_next(struct slice *rest, struct slice *ret_element);

/* --- Meaning -------------------------------------------------------------------------------- */

/** What the Connection fields of a head say. */
struct http_wishes {
    bool close;
    bool keep_alive;
    bool upgrade;
};

/** Read the Connection fields; the fields they name become hop-by-hop. */
enum http_fault http_read_connection(const struct field_table *table,
                                     struct http_wishes *ret_wishes);

struct http_size {
    enum http_framing framing; /* HTTP_NO_BODY: neither length nor coding is given */
    uint64_t length;
    bool has_length;
};

/** Read Content-Length and Transfer-Encoding. */
enum http_fault http_read_size(const struct field_table *table, unsigned minor,
                               struct http_size *ret_size);

struct http_authority {
    struct slice text; /* all of it */
    struct slice host; /* IPv6 with its brackets */
    unsigned port;     /* 0: none given */
};

/** Read "name", "name:port", "[address]" or "[address]:port". false: it is none of them. */
bool http_read_authority(struct slice text, struct http_authority *ret_authority);
/** The same host, case ignored, and port? */
bool http_is_same_authority(const struct http_authority *one, const struct http_authority *other);

/**
 * Judge request->target in the form it came in and cut it into path and query.
 *
 * ret_authority   of an absolute target or CONNECT; text is empty for the other forms
 */
enum http_fault http_read_target(struct http_request *request,
                                 struct http_authority *ret_authority);

/* --- Trailers ------------------------------------------------------------------------------- */

/** Keep a piece of the trailer section. false: it grew over TRAILER_BYTES, or memory is short. */
bool http_trailer_append(struct http_chunks *chunks, const char *bytes, size_t length);
/** Judge one trailer line with its CRLF: its grammar, and that its name may come this late. */
bool http_trailer_is_fine(struct slice line);

#endif
