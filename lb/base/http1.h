/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The grammar of HTTP/1 messages (RFC 9110, RFC 9112), pure: bytes in, structure out, no I/O, no
 * state but the chunk decoder's. Heads are parsed in place; every slice points into the caller's
 * bytes.
 *
 * Strict on purpose: whatever the RFC calls invalid, or two parsers could read differently, is
 * refused, and the same however the bytes were cut into segments: a beginning that can no longer
 * become valid or small enough is refused at once, with the fault that the whole would have.
 */
#ifndef LB_BASE_HTTP1_H
#define LB_BASE_HTTP1_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lb/base/limits.h"
#include "lb/base/slice.h"

enum http_method {
    HTTP_GET,
    HTTP_HEAD,
    HTTP_POST,
    HTTP_PUT,
    HTTP_DELETE,
    HTTP_OPTIONS,
    HTTP_TRACE,
    HTTP_PATCH,
    HTTP_CONNECT,
    HTTP_OTHER_METHOD, /* any other token; passed on as it came */
};

/** Field names that lb itself acts on; everything else is HTTP_OTHER_FIELD. */
enum http_name {
    HTTP_OTHER_FIELD,
    HTTP_HOST,
    HTTP_CONTENT_LENGTH,
    HTTP_TRANSFER_ENCODING,
    HTTP_CONNECTION,
    HTTP_KEEP_ALIVE,
    HTTP_PROXY_CONNECTION,
    HTTP_UPGRADE,
    HTTP_TE,
    HTTP_TRAILER,
    HTTP_EXPECT,
    HTTP_X_FORWARDED_FOR,
    HTTP_X_FORWARDED_PROTO,
    HTTP_X_FORWARDED_HOST,
    HTTP_X_FORWARDED_PORT,
    HTTP_X_REAL_IP,
    HTTP_FORWARDED,
    HTTP_X_REQUEST_ID,
    HTTP_DATE,
    HTTP_SERVER,
    HTTP_COOKIE,
    HTTP_SET_COOKIE,
    HTTP_USER_AGENT,
    HTTP_REFERER,
    HTTP_HTTP2_SETTINGS,
};

struct http_field {
    struct slice name;  /* as it came */
    struct slice value; /* without surrounding blanks */
    enum http_name known;
    bool hop_by_hop; /* RFC 9110 7.6.1: the fixed ones (Trailer is none), and those that
                        a Connection field names */
};

enum http_framing {
    HTTP_NO_BODY,
    HTTP_LENGTH, /* exactly `length` bytes */
    HTTP_CHUNKED,
    HTTP_UNTIL_CLOSE, /* answers only */
};

/** Why a message is refused; http_fault_status and http_fault_text give status and words. */
enum http_fault {
    HTTP_FINE,
    HTTP_BAD_REQUEST_LINE,
    HTTP_BAD_TARGET,
    HTTP_TARGET_TOO_LONG,
    HTTP_BAD_VERSION,
    HTTP_VERSION_UNSUPPORTED,
    HTTP_BAD_FIELD,
    HTTP_BAD_LINE_END,
    HTTP_FOLDED_FIELD,
    HTTP_TOO_MANY_FIELDS,
    HTTP_HEAD_TOO_LARGE,
    HTTP_NO_HOST,
    HTTP_MANY_HOSTS,
    HTTP_BAD_HOST,
    HTTP_HOST_DIFFERS,
    HTTP_BAD_LENGTH,
    HTTP_BOTH_LENGTHS,
    HTTP_BAD_TRANSFER_ENCODING,
    HTTP_TRANSFER_ENCODING_UNKNOWN,
    HTTP_BAD_CONNECTION,
    HTTP_BAD_EXPECT,
    HTTP_BAD_STATUS_LINE,
    HTTP_BAD_CHUNK,
    HTTP_BAD_TRAILER,
    HTTP_TRAILER_TOO_LARGE,
};

enum http_parse { HTTP_COMPLETE, HTTP_PARTIAL, HTTP_INVALID };

/** A request's head. About 6 KiB: one per worker is enough, it is read before the next one is
 * parsed. */
struct http_request {
    enum http_method method;
    struct slice method_text;
    struct slice target;    /* as it came; for an absolute-form target, what follows the authority
                               (if nothing a static "/", for OPTIONS "*") */
    struct slice path;      /* of target, before '?'; "*" for OPTIONS *; empty for CONNECT */
    struct slice query;     /* behind '?'; at NULL when there is none */
    struct slice host;      /* name or address of Host, without port, brackets kept; as it came;
                               for HTTP/1.0 without Host that of an absolute target, else empty */
    struct slice authority; /* Host as it came, with port */
    unsigned port;          /* of Host; 0: none given */
    unsigned minor;         /* HTTP/1.minor: 0 or 1 */
    enum http_framing framing;
    uint64_t length;
    bool keep_alive;       /* the client wants the connection to live on */
    bool expects_continue; /* and has a body, and is HTTP/1.1 */
    bool wants_upgrade;    /* Connection: upgrade and an Upgrade field, HTTP/1.1 */
    struct slice upgrade;
    size_t bytes;   /* of the head, with its empty line and one skipped before it */
    uint32_t names; /* a bit each: which enum http_name are among the fields */
    unsigned field_count;
    struct http_field fields[HEAD_FIELDS_MOST];
};

/** Is there a field of that name? */
static inline bool http_request_has(const struct http_request *request, enum http_name name)
{
    return request->names >> name & 1;
}

/** An answer's head. */
struct http_answer {
    unsigned status; /* 100 … 599 (up to 999 is passed on) */
    struct slice reason;
    unsigned minor;
    enum http_framing framing;
    uint64_t length; /* HTTP_LENGTH; for HEAD and 304 the declared one, with framing HTTP_NO_BODY */
    bool has_length;
    bool keep_alive;
    bool announces_body; /* 204 with a body in its fields: it has none, and is not to be kept alive
                          */
    bool is_upgrade;     /* 101 */
    size_t bytes;
    unsigned field_count;
    struct http_field fields[HEAD_FIELDS_MOST];
};

/**
 * Parse a request head from the first `length` bytes.
 *
 * One CRLF before the request line is skipped (RFC 9112 2.2). `most` is max_head.
 * HTTP_COMPLETE: all of `request` is filled. HTTP_PARTIAL: more bytes are needed. HTTP_INVALID:
 * *fault says why. Refused: both lengths, repeated or odd Content-Length, any Transfer-Encoding but
 * one final `chunked`, any in HTTP/1.0, bare CR or LF, NUL and other controls, obs-fold, blanks
 * before the colon or in a name, empty names, more than one Host, none in HTTP/1.1, a bad Host
 * (characters, port), Host unlike an absolute target's authority (or CONNECT's), Connection options
 * that name Host or a length, expectations other than 100-continue, names that become a length
 * where '_' is taken for '-', a target that is neither origin-, absolute- (http, https), authority-
 * (CONNECT) nor asterisk-form (OPTIONS), raw bytes outside printable ASCII or a '#' in the target.
 */
enum http_parse http_parse_request(struct http_request *request, const char *bytes, size_t length,
                                   size_t most, enum http_fault *fault);

/**
 * Parse an answer head. `asked` decides the framing (HEAD; 1xx, 204 and 304 have no body; 2xx of
 * CONNECT a tunnel).
 * A backend's mistakes are HTTP_INVALID too; an answer with both lengths is refused, and so are a
 * body announced with 1xx (Content-Length: 0 is let pass), 101 in HTTP/1.0, and any
 * Transfer-Encoding but `chunked`. What 204 announces is not looked at beyond `announces_body`.
 */
enum http_parse http_parse_answer(struct http_answer *answer, const char *bytes, size_t length,
                                  size_t most, enum http_method asked, enum http_fault *fault);

/** 400, 414, 417, 431 or 505. A fault of an answer is a 502 to the client, whatever this says. */
unsigned http_fault_status(enum http_fault fault);
/** "Content-Length and Transfer-Encoding together": for the log and the 400 page. Static. */
const char *http_fault_text(enum http_fault fault);
/** "Not Found"; "" for unknown ones. Static. */
const char *http_status_text(unsigned status);

/** Which name lb acts on is this? ASCII case is ignored. */
enum http_name http_name_of(struct slice name);
/** One or more token characters (RFC 9110 5.6.2)? */
bool http_is_token(struct slice text);
/** "name", "name:port", "[address]" or "[address]:port", as Host may say? */
bool http_is_authority(struct slice text);
/** Is `token` one of the comma-separated elements of `list` (case ignored)? */
bool http_list_has(struct slice list, const char *token);
/** GET, HEAD, OPTIONS, TRACE: may be sent again to another backend (RFC 9110 9.2.1). */
bool http_method_is_safe(enum http_method method);
/** safe ones, PUT, DELETE (RFC 9110 9.2.2). */
bool http_method_is_idempotent(enum http_method method);

/** What the next byte of a chunked body belongs to; private to the decoder. */
enum http_chunk_state {
    /* the line with size and extensions */
    HTTP_CHUNKS_SIZE_FIRST,
    HTTP_CHUNKS_SIZE,
    HTTP_CHUNKS_NAME_FIRST,
    HTTP_CHUNKS_NAME,
    HTTP_CHUNKS_VALUE_FIRST,
    HTTP_CHUNKS_VALUE,
    HTTP_CHUNKS_QUOTED,
    HTTP_CHUNKS_ESCAPED,
    HTTP_CHUNKS_QUOTED_END,
    HTTP_CHUNKS_LINE_LF,
    HTTP_CHUNKS_DATA,
    HTTP_CHUNKS_DATA_CR,
    HTTP_CHUNKS_DATA_LF,
    HTTP_CHUNKS_TRAILER_FIRST,
    HTTP_CHUNKS_TRAILER_LINE,
    HTTP_CHUNKS_LAST_LF,
    HTTP_CHUNKS_OVER,
    HTTP_CHUNKS_REFUSED,
};

/** Decodes a chunked body piece by piece. Zero-initialised is ready. */
struct http_chunks {
    enum http_chunk_state state;
    uint64_t left;     /* of the current chunk */
    size_t line_bytes; /* of the size line or trailer line so far */
    unsigned trailer_count;
    char *trailer; /* raw trailer fields, CRLF each, without the empty line; owned */
    size_t trailer_length;
    size_t trailer_capacity;
    enum http_fault fault;
};

enum http_chunk {
    HTTP_CHUNK_DATA, /* *data points into the input */
    HTTP_CHUNK_MORE, /* all input used, more is needed */
    HTTP_CHUNK_END,  /* the body is over; trailers are in chunks->trailer */
    HTTP_CHUNK_BAD,  /* chunks->fault */
};

/**
 * Decode from bytes[0, length); *used says how many were taken by this call (data included). Call
 * again with the rest after HTTP_CHUNK_DATA; END and BAD stay. Memory is allocated for trailers
 * only; when it is short that is HTTP_TRAILER_TOO_LARGE.
 */
enum http_chunk http_chunks_decode(struct http_chunks *chunks, const char *bytes, size_t length,
                                   size_t *used, struct slice *data);
/**
 * Keep one more trailer field, judged as if it had come in chunks: HTTP/2 has trailers without
 * them. It is a grammatical field already; its bytes are copied.
 *
 * returns  false: chunks->fault says why (HTTP_TRAILER_TOO_LARGE, HTTP_BAD_TRAILER)
 */
bool http_chunks_add_trailer(struct http_chunks *chunks, struct slice name, struct slice value);
/**
 * Parse the collected trailer fields. returns the count, at most `room`; fields point into
 * chunks->trailer. HEAD_FIELDS_MOST is always room enough.
 *
 * Left out: all names that lb acts on, and those that mean something only in front of a body
 * (RFC 9110 6.5.1). Names that shape the message or the connection never get here: they are
 * HTTP_BAD_TRAILER.
 */
unsigned http_chunks_trailers(const struct http_chunks *chunks, struct http_field *fields,
                              unsigned room);
/** Free the trailers; the decoder is ready for another body. */
void http_chunks_done(struct http_chunks *chunks);

/** Write the size line of a chunk ("1f4\r\n") into `into` (at least 20 bytes); returns its length.
 */
size_t http_chunk_line(char *into, size_t chunk_length);

#endif
