/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a rule sends its clients, or those it refuses: a URL with placeholders, taken apart once
 * and filled in for each request. What comes from the request can change neither the scheme nor the
 * host that the operator wrote, adds no parameter to a query that the operator wrote, and brings no
 * line end: hosts and targets are checked when the head is parsed.
 */
#ifndef LB_LISTENERS_RULES_REDIRECT_H
#define LB_LISTENERS_RULES_REDIRECT_H

#include <stdbool.h>
#include <stddef.h>

#include "lb/base/slice.h"

struct arena;
struct error;

struct redirect {
    unsigned status;
    bool needs_host; /* it holds $host: a request without Host cannot be sent there */
    unsigned piece_count;
    struct redirect_piece {
        enum redirect_source { REDIRECT_TEXT, REDIRECT_HOST, REDIRECT_URI, REDIRECT_REASON } source;
        struct slice text; /* of REDIRECT_TEXT */
        bool is_in_query;  /* behind a "?" of the text: percent-encoded but for unreserved bytes */
    } * pieces;
};

/**
 * Read "https://$host$uri": $host is the host that was asked for, without port, $uri path and query
 * as they came, $$ a dollar. Behind a "?" of the text both are percent-encoded, so that each is one
 * value: "https://id.example.com/?return_to=$uri".
 *
 * text     as the INI file has it; borrowed for the redirect's life
 * returns  lives in `arena`; NULL: err says what would be right
 * Fails:   an unknown placeholder; what begins neither with https:// nor http:// nor one "/"; a
 *          host or port that is none; bytes that no URL holds; what could grow longer than
 *          LOCATION_BYTES
 */
const struct redirect *redirect_parse(const char *text, unsigned status, struct arena *arena,
                                      struct error *err);

/**
 * The same for clients that are refused: $reason, too, is the name of the refusal.
 *
 * returns  with status 302
 */
const struct redirect *redirect_parse_refusal(const char *text, struct arena *arena,
                                              struct error *err);

/**
 * Write the Location of one request.
 *
 * host   without port, not empty where needs_host; uri: path and query, "*" is written as "/"
 * room   LOCATION_BYTES are always enough for heads that http1.h parsed
 * returns  its length; 0: it does not fit
 * Thread:  any. Does not allocate.
 */
size_t redirect_write(const struct redirect *redirect, struct slice host, struct slice uri,
                      char *into, size_t room);

/** The same of a redirect_parse_refusal(). reason: a refusal's name. */
size_t redirect_write_refusal(const struct redirect *redirect, struct slice host, struct slice uri,
                              const char *reason, char *into, size_t room);

/**
 * Write the Location of a path that lacks its last slash: the path, a slash and the query. It stays
 * on this host whatever the path, "//evil" too.
 *
 * query  without "?"; at NULL when there is none
 */
size_t redirect_write_slash(struct slice path, struct slice query, char *into, size_t room);

#endif
