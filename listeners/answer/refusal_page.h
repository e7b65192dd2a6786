/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A page of the operator's own that refused clients get (refuse_with = page:FILE): HTML in UTF-8,
 * read and taken apart when the config is loaded, filled in for each refusal. What is filled in is
 * text, never markup.
 */
#ifndef LB_LISTENERS_REFUSAL_PAGE_H
#define LB_LISTENERS_REFUSAL_PAGE_H

#include "lb/base/slice.h"

struct arena;
struct error;

struct refusal_page {
    const char *path;
    unsigned piece_count;
    struct refusal_page_piece {
        enum refusal_page_source {
            REFUSAL_PAGE_TEXT,
            REFUSAL_PAGE_REASON,
            REFUSAL_PAGE_SENTENCE,
            REFUSAL_PAGE_ADVICE,
            REFUSAL_PAGE_HOST,
            REFUSAL_PAGE_REQUEST_ID,
        } source;
        struct slice text; /* of REFUSAL_PAGE_TEXT */
    } * pieces;
};

/** What is filled in: $reason $sentence $advice $host $request_id. */
struct refusal_page_facts {
    const char *reason;
    const char *sentence;
    const char *advice;
    struct slice host;       /* that was asked for, without port; may be empty */
    struct slice request_id; /* at most REFUSAL_PAGE_ID_MOST bytes */
};
enum { REFUSAL_PAGE_ID_MOST = 128 };

/**
 * Read one. "$$" in it is a dollar.
 *
 * path      absolute; borrowed for the page's life
 * ret_line  of the page, where something is wrong in it; 0: it is the file as a whole
 * returns   lives in `arena`; NULL: err says what would be right
 * Fails:    no file that can be read, or none at all; a file that is empty or no UTF-8; an unknown
 *           placeholder; what could grow longer than REFUSAL_PAGE_BYTES
 * Thread:   loader
 */
const struct refusal_page *refusal_page_load(const char *path, struct arena *arena,
                                             unsigned *ret_line, struct error *err);

/**
 * Write the page of one refusal.
 *
 * room     REFUSAL_PAGE_BYTES are always enough for heads that http1.h parsed
 * returns  its length; 0: it does not fit
 * Thread:  any. Does not allocate.
 */
size_t refusal_page_write(const struct refusal_page *page, const struct refusal_page_facts *facts,
                          char *into, size_t room);

/** The FILE of a refuse_with that says "page:FILE"; NULL where it says something else. */
const char *refusal_page_file(const char *refuse_with);

#endif
