/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One request over HTTP/2 and its answer, for checks: prior knowledge in the clear, ALPN "h2" over
 * TLS (RFC 9113 3.3, 3.2). What a backend may send meanwhile is bounded (CHECK_HEARD_BYTES); what
 * no HTTP/2 peer would send is a reason in words.
 */
#ifndef LB_BACKENDS_HEALTH_CHECK_H2_H
#define LB_BACKENDS_HEALTH_CHECK_H2_H

#include "backends/health/check_answer.h"
#include "backends/health/check_run.h"

enum {
    CHECK_H2_FIELDS_MOST = 4, /* of a request, beside those that all have */
    CHECK_H2_BODY_BYTES = 512,
};

struct check_h2_field {
    const char *name; /* lower case */
    const char *value;
};

/** What is asked. Texts are borrowed until it is submitted, before any other call. */
struct check_h2_request {
    const char *method;
    const char *path;
    unsigned field_count;
    struct check_h2_field fields[CHECK_H2_FIELDS_MOST];
    char made[16];      /* for a value that is made */
    size_t body_length; /* 0: none */
    uint8_t body[CHECK_H2_BODY_BYTES];
};

/** What differs from check to check. */
struct check_h2_kind {
    /** Fill the request, zeroed before. */
    void (*compose)(const struct check_run *run, struct check_h2_request *request);
    /** The answer says enough: call check_finish. */
    void (*judge)(struct check_run *run, const struct check_answer *answer);
    bool needs_all; /* `judge` waits until an answer of status 200 is whole; any other is judged
                       when its head is there */
};

/**
 * The connection stands: shake hands where TLS is spoken, then ask. For struct check's `connected`.
 *
 * kind      static
 * over_tls  the run has `tls`
 */
void check_h2_connected(struct check_run *run, const struct check_h2_kind *kind, bool over_tls);

/** For struct check's `ready`. */
void check_h2_ready(struct check_run *run, int events);

/** What h2 and h2s checks ask: as http does, judged by health_check_codes. */
extern const struct check_h2_kind check_h2_plain;

#endif
