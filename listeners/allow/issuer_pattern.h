/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stands behind "issuer:" in a line of allow_client: a distinguished name as lb writes it
 * (RFC 2253), or as a log shows it. name_pattern.c's own.
 */
#ifndef LB_LISTENERS_ISSUER_PATTERN_H
#define LB_LISTENERS_ISSUER_PATTERN_H

#include "lb/base/arena.h"
#include "lb/base/error.h"

/**
 * Undo what logs do to bytes that cannot stand there for themselves: "\x5c" in lb's own log and in
 * access_log_format = combined, "\u005c" in json. RFC 2253 knows neither, so that nothing else is
 * meant by them.
 *
 * returns  in `arena`, perhaps no UTF-8
 */
const char *issuer_pattern_unlog(const char *value, struct arena *arena);

/**
 * Is it a name in RFC 2253's form, or a pattern of one?
 *
 * Fails: another program's form; err shows the right one, or where to find it
 * Thread: loader
 */
bool issuer_pattern_check(const char *value, struct arena *arena, struct error *err);

#endif
