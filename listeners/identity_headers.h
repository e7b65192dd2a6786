/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fields that tell a backend who the client is. Every known name, in any case and with `_` for `-`,
 * is stripped from what clients send, on every rule and in trailers; only lb itself says who a
 * client is.
 */
#ifndef LB_LISTENERS_IDENTITY_HEADERS_H
#define LB_LISTENERS_IDENTITY_HEADERS_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "lb/base/slice.h"
#include "listeners/rule.h"

struct identity;

enum { IDENTITY_HEADERS_MOST_BYTES = 24 * 1024 };

/**
 * Is this the name of an identity field of any preset (rfc9440, cloudflare, x-cert, nginx, aws,
 * xfcc, …-Too-Large)? Whatever begins like one is: a preset's names may grow. Any case, `_` equals
 * `-`. Thread: any. Pure, made to be asked for every field of every request.
 */
bool identity_header_is_known(struct slice name);

/**
 * Write the fields of `rule`'s presets ("Name: value\r\n" each) into `into`. Preset nginx, as
 * nginx's variables of the like names have them:
 *
 *   X-SSL-Client-Verify       SUCCESS | NONE | FAILED:reason, by policy_verdict(); always written
 *   X-SSL-Client-S-DN, -I-DN  RFC 2253, everything but printable ASCII escaped as \XX
 *   X-SSL-Client-Serial       upper-case hex
 *   X-SSL-Client-Fingerprint  SHA-1 of the DER in lower-case hex (nginx's choice; an index, no
 * proof of anything) X-SSL-Client-Cert         the client's own certificate, PEM, URL-escaped
 *
 * All but Verify are written only with SUCCESS: a name nobody has verified must not reach a backend
 * that forgets to look.
 *
 * identity  NULL: no certificate was shown (Verify is NONE)
 * returns   bytes written, 0 when the rule forwards nothing; never more than `room` (needs
 * IDENTITY_HEADERS_MOST_BYTES; a value too large is replaced by NAME-Too-Large: 1) Thread:   any.
 */
size_t identity_headers_write(const struct rule *rule, struct identity *identity, time_t now,
                              char *into, size_t room);

#endif
