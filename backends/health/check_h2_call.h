/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The session of nghttp2 behind a check over HTTP/2. Its callbacks only note what came; what
 * follows from it is done when all bytes of a read were taken. For check_h2.c only.
 */
#ifndef LB_BACKENDS_HEALTH_CHECK_H2_CALL_H
#define LB_BACKENDS_HEALTH_CHECK_H2_CALL_H

#include <nghttp2/nghttp2.h>

#include "backends/health/check_h2.h"

#define CHECK_H2_BREAKS "answer breaks HTTP/2: "

/** Zero-initialised has no session yet. */
struct check_h2_call {
    const struct check_h2_kind *kind;
    nghttp2_session *session; /* NULL: TLS is not shaken hands over */
    int32_t stream;
    struct check_h2_request request;
    size_t body_sent;
    struct check_answer answer;
    size_t heard_bytes;
    bool has_settings; /* the backend began to speak HTTP/2 */
    bool is_bare_http; /* it began to speak HTTP/1 */
    char fault[128];   /* why there will be no answer; "": nothing is wrong */
};

/** Note why there will be no answer, unless something was noted before. why: may be "". */
void check_h2_call_fault(struct check_h2_call *call, const char *what, const char *why);

/**
 * Begin a session and put settings and request into it.
 *
 * call     `request` is filled
 * scheme   "http" or "https"
 * Fails:   out of memory
 */
bool check_h2_call_begin(struct check_h2_call *call, const char *scheme, const char *authority);

#endif
