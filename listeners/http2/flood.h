/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a client of HTTP/2 may do too often or too much of: frames that cost it nothing and lb
 * something. One vocabulary for the log; GOAWAY says ENHANCE_YOUR_CALM for all of them.
 */
#ifndef LB_LISTENERS_HTTP2_FLOOD_H
#define LB_LISTENERS_HTTP2_FLOOD_H

enum http2_flood {
    HTTP2_FLOOD_NONE,
    HTTP2_FLOOD_RESETS,     /* requests that it takes back at once (CVE-2023-44487) */
    HTTP2_FLOOD_FAULTS,     /* streams that lb has to reset (CVE-2019-9514, CVE-2025-8671) */
    HTTP2_FLOOD_SETTINGS,   /* each asks for an acknowledgement (CVE-2019-9515) */
    HTTP2_FLOOD_PINGS,      /* the same (CVE-2019-9512) */
    HTTP2_FLOOD_PRIORITIES, /* order anew what need not be ordered (CVE-2019-9513) */
    HTTP2_FLOOD_WINDOWS,    /* open windows byte by byte (CVE-2019-9511) */
    HTTP2_FLOOD_EMPTY,      /* carry nothing and end nothing (CVE-2019-9518) */
    HTTP2_FLOOD_OTHERS,     /* of types that nobody here knows or waits for */
    /* Not by rate, but of one head. */
    HTTP2_FLOOD_CONTINUATIONS, /* it is in too many pieces (CVE-2024-27316, CVE-2024-24549) */
    HTTP2_FLOOD_HEAD,          /* it is too large, and still not over */
    HTTP2_FLOOD_COUNT,
};

/** "reset-flood": the reason in the log; "none" of HTTP2_FLOOD_NONE. Static. Any thread. */
const char *http2_flood_name(enum http2_flood flood);
/** A sentence for people, beside it: "Too many requests were cancelled." Static. Any thread. */
const char *http2_flood_text(enum http2_flood flood);

#endif
