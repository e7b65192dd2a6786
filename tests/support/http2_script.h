/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a client of HTTP/2 says, as a line of text, for tables of tests/cases. Commands end with a
 * semicolon, so that no byte of theirs can be one:
 *
 *   preface                           the connection preface, without SETTINGS
 *   raw:BYTES                         these very bytes
 *   frame TYPE FLAGS STREAM:PAYLOAD   a frame. TYPE: PING, WINDOW_UPDATE … or a number; FLAGS: es,
 * eh, ack, padded, priority joined by +, a number, or - cut LENGTH TYPE FLAGS STREAM:…    the same,
 * but its header says another length head STREAM FLAGS:FIELDS          HEADERS. FIELDS:
 * name=value&name=value, all as literals; where GET, POST or WAIT (GET /never) stands alone, those
 * of such a request more STREAM FLAGS:FIELDS          the same as CONTINUATION ping wait until all
 * that was said has been understood answer STREAM                     wait until its answer ended
 *
 * Numbers may be hexadecimal (0x…).
 */
#ifndef LB_TESTS_HTTP2_SCRIPT_H
#define LB_TESTS_HTTP2_SCRIPT_H

#include <stddef.h>

struct http2_wire;

/* Say it all, even when the other side does not listen any more. A malformed script fails the test;
 * name: of the case, for that. */
void http2_script_say(struct http2_wire *wire, const char *name, const char *script, size_t length);

/* "PROTOCOL_ERROR" for the code of GOAWAY and RST_STREAM. Static. */
const char *http2_script_code(unsigned code);

#endif
