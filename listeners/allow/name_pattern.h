/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "cn:alice", "dns:*.clients.example.com": one line of allow_client, and what of a certificate it
 * may be compared with.
 *
 * A `*` stands for any text, none included, but never for what divides a name of its kind:
 *   dns      a dot, so that "*" in the place of a label is exactly one label, as in certificates
 *   email    an "@"
 *   uri      a slash, in front of the path: no host can reach into it. In the path it stands for
 *            slashes, too
 *   issuer   a comma or plus that is not escaped: it stays within one attribute
 * In sha256 and spki nothing stands for anything. Letters' case counts, but in dns and behind the
 * "@" of email. "\*" is a star; "\\" a backslash, which in issuer is written as RFC 2253 does, or
 * as logs show that ("\x5c", "\u005c").
 */
#ifndef LB_LISTENERS_NAME_PATTERN_H
#define LB_LISTENERS_NAME_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

#include "lb/base/slice.h"

struct arena;
struct error;

enum name_kind {
    NAME_CN,
    NAME_OU,
    NAME_DNS,
    NAME_URI,
    NAME_EMAIL,
    NAME_ISSUER,
    NAME_SHA256,
    NAME_SPKI,
    NAME_CLIENT_ID,
    NAME_KIND_COUNT,
};

struct name_pattern {
    enum name_kind kind;
    bool has_star;
    struct slice text; /* in the form that is compared */
};

/**
 * Read one line of allow_client.
 *
 * ret_pattern  its text lives in `arena`
 * Fails:       an unknown kind, nothing behind it, another pattern behind a blank, and what no name
 * of the kind can look like; err says what would be right
 */
bool name_pattern_parse(struct name_pattern *ret_pattern, const char *text, struct arena *arena,
                        struct error *err);

/** Is it "issuer:*"? It fits names of one part only, which few have in mind who write it. */
bool name_pattern_is_lone_star(const struct name_pattern *pattern);

/**
 * Bring a name into the form that is compared: dns, and email behind its "@", in lower case.
 *
 * into     as long as the name
 * returns  false: no pattern fits it: it is empty or longer than ALLOWED_NAME_BYTES, is no UTF-8,
 *          holds what people cannot see (NUL and other control characters, marks that turn the
 *          direction of writing), is dns, uri or email and not ASCII, or dns with an empty label
 * Thread:  any. Does not allocate.
 */
bool name_normalise(enum name_kind kind, struct slice name, char *into);

/** Does it fit? name: of the pattern's kind, from name_normalise. Takes time in proportion to the
 * name's length, whatever the pattern. Any thread. Does not allocate. */
bool name_pattern_fits(const struct name_pattern *pattern, struct slice name);

#endif
